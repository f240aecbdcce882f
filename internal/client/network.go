package client

import (
	"errors"
	"fmt"
	"time"

	"sotto/internal/wire"
)

// Network is all of the outside that a client reaches. Its methods do not block; what
// they answer may come from any goroutine, but in order for one connection.
type Network interface {
	// Dial connects a WebSocket to a path of a host. Exactly one of up and down(err) is
	// called first; after up, frames come until one down. private says whether an
	// address in a private range may be used.
	Dial(host, path string, private bool, up func(Conn), frame func([]byte), down func(error))
	// Do makes one HTTPS request.
	Do(r Request, done func(Answer, error))
}

// Conn is one connection. Send never blocks: what cannot be sent ends the connection.
type Conn interface {
	Send(frame []byte)
	Close()
}

// Request is one HTTPS request to a host.
type Request struct {
	Host, Method, Path string
	Private            bool
	Header             map[string]string
	Body               []byte
	Limit              int64 // of the answer's body, bytes
}

// Answer is what came back.
type Answer struct {
	Status int
	Code   wire.Code // of the header Sotto-Code
	Offset int64     // of the header Upload-Offset; -1 without one
	Body   []byte
}

// ErrUnreachable is a host that cannot be reached.
var ErrUnreachable = errors.New("the server cannot be reached")

// Times of a link.
const (
	callTime = 30 * time.Second // without an answer the connection counts as dead
	minRetry = 200 * time.Millisecond
	maxRetry = time.Minute

	clockTrip = 5 * time.Second // that a host's time may be under way
)

// link is a connection to one host that comes back by itself.
type link struct {
	c       *Client
	host    string
	path    string
	conn    Conn
	round   int // of connecting; what belongs to an earlier one is dropped
	dialing bool
	closed  bool // for good
	up      bool // hello is done, and for an account auth too
	greeted bool
	lastID  uint64
	waiting map[uint64]func(wire.Frame, error)
	order   []uint64 // of waiting, oldest first
	fails   int
	lastErr error
	since   int64 // unreachable since, Unix milliseconds; 0 while up
	hello   func(wire.Hello)
	opened  func()
	event   func(wire.Frame)
	lost    func()
}

func (c *Client) newLink(host, path string) *link {
	return &link{c: c, host: host, path: path, waiting: map[uint64]func(wire.Frame, error){}, since: c.nowMS()}
}

func (l *link) name() string { return l.host + l.path }

// connect dials unless the link is connected or about to be.
func (l *link) connect() {
	if l.conn != nil || l.dialing || l.closed || l.c.closed {
		return
	}
	l.dialing = true
	l.round++
	round := l.round
	mine := func(f func()) {
		l.c.post(func() {
			if l.round == round {
				f()
			}
		})
	}
	l.c.o.Network.Dial(l.host, l.path, l.c.mayBePrivate(l.host),
		func(conn Conn) {
			l.c.post(func() {
				if l.round != round || l.c.closed {
					conn.Close()
					return
				}
				l.conn, l.dialing = conn, false
				l.greet()
			})
		},
		func(b []byte) { mine(func() { l.frame(b) }) },
		func(err error) { mine(func() { l.fall(err) }) })
}

// greet exchanges hellos.
func (l *link) greet() {
	asked := l.c.nowMS()
	ask(l, wire.OpHello, wire.Hello{Lowest: wire.Version, Highest: wire.Version}, func(h wire.Hello, err error) {
		if err != nil {
			l.fall(err)
			return
		}
		if h.Version != wire.Version {
			l.fall(wire.Refuse(wire.CodeVersion, "%s speaks another version of the protocol", l.host))
			return
		}
		l.greeted = true
		l.c.compareClocks(l.host, asked, h.TimeMS)
		l.c.hearRetiring(l.host, h.Retiring)
		l.hello(h)
	})
}

// compareClocks notes how much further this device's clock is than a host's, which has said its
// own time. What took long to be said says nothing, and a difference of that size is none.
func (c *Client) compareClocks(host string, asked int64, theirs uint64) {
	now := c.nowMS()
	if now < asked || now-asked > clockTrip.Milliseconds() || theirs == 0 || theirs > 1<<52 {
		return
	}
	c.ahead[host] = now - int64(theirs)
	if d := c.ahead[host]; -clockTrip.Milliseconds() < d && d < clockTrip.Milliseconds() {
		delete(c.ahead, host)
	}
}

// ready is called when the link can be used.
func (l *link) ready() {
	l.up, l.fails, l.since, l.lastErr = true, 0, 0, nil
	l.c.emit(Event{Kind: EventOnline, Text: l.host})
	l.opened()
	l.c.hurryFiles()
	l.c.pump()
}

// frame takes an incoming frame.
func (l *link) frame(b []byte) {
	f, err := wire.DecodeFrame(b)
	if err != nil {
		l.fall(fmt.Errorf("%s sent what is not a frame: %w", l.host, err))
		return
	}
	if f.ID == 0 {
		if l.up {
			l.event(f)
		}
		return
	}
	answer := l.waiting[f.ID]
	if answer == nil {
		l.fall(fmt.Errorf("%s answered what nobody asked", l.host))
		return
	}
	delete(l.waiting, f.ID)
	for len(l.order) > 0 && l.waiting[l.order[0]] == nil {
		l.order = l.order[1:]
	}
	l.watchdog()
	answer(f, f.Err())
	l.c.settle()
}

// watchdog ends a connection that has not answered for callTime.
func (l *link) watchdog() {
	name := "call " + l.name()
	if len(l.order) == 0 {
		if stop := l.c.timers[name]; stop != nil {
			stop()
			delete(l.c.timers, name)
		}
		return
	}
	if l.c.timers[name] == nil {
		oldest := l.order[0]
		l.c.timer(name, callTime, func() {
			if len(l.order) > 0 && l.order[0] == oldest {
				l.fall(fmt.Errorf("%s does not answer", l.host))
				return
			}
			l.watchdog()
		})
	}
}

// fall ends the connection: everything that waits is answered with the error, and the
// link tries again by and by.
func (l *link) fall(err error) {
	if l.closed {
		return
	}
	l.round++
	if l.conn != nil {
		l.conn.Close()
	}
	wasUp := l.up
	l.conn, l.dialing, l.up, l.greeted, l.lastErr = nil, false, false, false, err
	if l.since == 0 {
		l.since = l.c.nowMS()
	}
	order, waiting := l.order, l.waiting
	l.order, l.waiting = nil, map[uint64]func(wire.Frame, error){}
	l.watchdog()
	gone := fmt.Errorf("%w: %w", ErrUnreachable, err)
	for _, id := range order {
		if answer := waiting[id]; answer != nil {
			answer(wire.Frame{}, gone)
		}
	}
	if wasUp {
		l.lost()
		l.c.emit(Event{Kind: EventOnline, Text: l.host})
	}
	l.retry()
	l.c.settle()
}

func (l *link) retry() {
	if l.c.closed {
		return
	}
	d := min(minRetry<<min(l.fails, 20), maxRetry)
	l.fails++
	var b [8]byte
	l.c.random(b[:])
	d += time.Duration(uint64(b[0])<<8|uint64(b[1])) * d / (2 << 16) // up to half again, so that a crowd spreads
	l.c.timer("retry "+l.name(), d, l.connect)
}

// close ends the link for good. Its timers end with it: they would bring it back beside a
// new link to the same place, or for an account that there is no more.
func (l *link) close() {
	l.round++
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
	l.up, l.closed = false, true
	for _, name := range []string{"retry " + l.name(), "call " + l.name()} {
		if stop := l.c.timers[name]; stop != nil {
			stop()
			delete(l.c.timers, name)
		}
	}
}

// call sends a request; answer is called once, on the queue.
func (l *link) call(op wire.Op, body any, answer func(wire.Frame, error)) {
	if l.conn == nil {
		answer(wire.Frame{}, ErrUnreachable)
		return
	}
	l.lastID++
	l.waiting[l.lastID] = answer
	l.order = append(l.order, l.lastID)
	if len(l.order) == 1 {
		l.watchdog()
	}
	l.conn.Send(wire.EncodeFrame(l.lastID, uint16(op), body))
}

// ask is call with the answer's body decoded.
func ask[T any](l *link, op wire.Op, body any, answer func(T, error)) {
	l.call(op, body, func(f wire.Frame, err error) {
		var v T
		if err == nil {
			err = wire.Unmarshal(f.Body, &v)
		}
		answer(v, err)
	})
}

// refused says whether err is the server's word, not a broken connection.
func refused(err error) bool {
	var e *wire.Error
	return errors.As(err, &e) && !errors.Is(err, ErrUnreachable)
}
