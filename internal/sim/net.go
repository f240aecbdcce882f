package sim

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"sotto/internal/client"
	"sotto/internal/server"
	"sotto/internal/wire"
)

// Times of the network.
const (
	silence = 65 * time.Second // after which a ping that nobody answers ends a connection
	refusal = 10 * time.Second // a host that is not there
)

var errCut = errors.New("the connection was cut")

// Weather is how a device's network is.
type Weather struct {
	Delay  time.Duration // one way, at least
	Jitter time.Duration // more than that, at most
	Rate   float64       // bytes in a second, each way; 0: no bound
	Lost   bool          // nothing passes, and nobody is told
	Down   bool          // no connection can be made
}

// fair is the weather when nothing is said.
var fair = Weather{Delay: 5 * time.Millisecond, Jitter: 10 * time.Millisecond}

// line is one connection of a device to a host. Frames pass in order; each takes the time
// that its bytes need.
type line struct {
	w     *World
	d     *Device
	life  int // of the device
	h     *Host
	born  int // life of the host
	path  string
	rng   *rand.Rand
	sess  *server.Session
	up    lane
	down  lane
	frame func([]byte)
	fall  func(error)
	open  bool
	mute  bool // half open: nothing passes any more, and nobody was told
	ends  bool // the device has closed it: what it sent before still goes out
	queue int  // bytes on their way down
	evil  *passage
}

// lane is one direction of a line.
type lane struct {
	busy time.Time // until then bytes are being sent
	last time.Time // arrival of the last frame
	sent time.Time // when it was sent: what is sent at once travels together
	cut  int       // frames that still pass before the line is cut; 0: it is not
}

// Dial implements client.Network.
func (d *deviceNet) Dial(host, path string, _ bool, up func(client.Conn), frame func([]byte), down func(error)) {
	w := d.d.w
	w.lines++
	l := &line{w: w, d: d.d, life: d.life, h: w.host(host), path: path, frame: frame, fall: down, rng: rand.New(rand.NewPCG(w.Seed, w.lines))}
	weather := d.d.Weather
	switch {
	case l.h == nil || !l.h.up || l.h.Gone || weather.Down:
		w.After(weather.Delay+time.Millisecond, func() { d.tell(func() { down(client.ErrUnreachable) }) })
		return
	case weather.Lost || l.h.Mute:
		w.After(refusal, func() { d.tell(func() { down(client.ErrUnreachable) }) })
		return
	}
	w.After(3*l.delay(), func() { // a handshake
		if !d.alive() {
			return
		}
		if !l.h.up || d.d.Weather.Down {
			d.tell(func() { down(client.ErrUnreachable) })
			return
		}
		kind := server.Log
		if path == "/v1/account" {
			kind = server.Account
		}
		l.open, l.born = true, l.h.life
		l.h.lines = append(l.h.lines, l)
		d.d.lines = append(d.d.lines, l)
		if l.h.Evil != nil {
			l.evil = l.h.Evil.meet(l)
		}
		d.tell(func() { up(l) })
		l.sess = l.h.server.Connect(kind, d.d.addr, serverEnd{l})
	})
}

func (l *line) delay() time.Duration {
	d := l.d.Weather.Delay
	if j := l.d.Weather.Jitter; j > 0 {
		d += time.Duration(l.rng.Int64N(int64(j)))
	}
	return d + l.h.Slow
}

// pass carries n bytes over a lane and calls arrive when they are there.
func (l *line) pass(a *lane, n int, arrive func()) {
	begin := l.w.now
	if a.busy.After(begin) {
		begin = a.busy
	}
	if r := l.d.Weather.Rate; r > 0 {
		a.busy = begin.Add(time.Duration(float64(n) / r * float64(time.Second)))
	} else {
		a.busy = begin
	}
	at := a.last
	if !a.sent.Equal(l.w.now) || a.busy.After(begin) {
		at = a.busy.Add(l.delay())
	}
	if at.Before(a.last) {
		at = a.last
	}
	a.last, a.sent = at, l.w.now
	l.w.After(at.Sub(l.w.now), func() {
		if !l.open || l.mute {
			return
		}
		if l.d.Weather.Lost || l.h.Mute {
			l.lose()
			return
		}
		if a.cut > 0 {
			if a.cut--; a.cut == 0 { // in the middle of this frame
				l.w.Stats.Fault("cut within a frame")
				l.cut()
				return
			}
		}
		arrive()
	})
}

// Send implements client.Conn.
func (l *line) Send(b []byte) {
	if !l.open || l.ends {
		return
	}
	l.w.Watch.frame(l, true, b)
	l.pass(&l.up, len(b), func() {
		if l.evil != nil {
			l.evil.ask(b)
			return
		}
		l.toServer(b)
	})
}

func (l *line) toServer(b []byte) {
	if !l.open || l.h.life != l.born || l.sess == nil { // the server has closed it
		return
	}
	l.w.note("up", b)
	l.h.ready()
	l.sess.Frame(b)
	l.h.look()
}

// Close implements client.Conn: the device ends the connection.
func (l *line) Close() {
	if !l.open || l.ends {
		return
	}
	l.ends = true
	l.pass(&l.up, 1, func() {
		l.shut()
		l.endSession()
	})
}

// serverEnd is a line as the server has it.
type serverEnd struct{ l *line }

// Queued implements server.Out.
func (s serverEnd) Queued() int { return s.l.queue }

// Send implements server.Out.
func (s serverEnd) Send(b []byte) {
	l := s.l
	if !l.open {
		return
	}
	if l.evil != nil {
		l.evil.tell(b)
		return
	}
	l.toDevice(b)
}

func (l *line) toDevice(b []byte) {
	l.w.Watch.frame(l, false, b)
	l.queue += len(b)
	full := l.queue > 1<<20
	l.pass(&l.down, len(b), func() {
		l.queue -= len(b)
		if full && l.sess != nil {
			l.sess.Drained()
		}
		if l.ends {
			return
		}
		l.w.note("down", b)
		l.deviceTell(func() { l.frame(b) })
	})
}

// Close implements server.Out.
func (s serverEnd) Close(e *wire.Error) {
	l := s.l
	if !l.open {
		return
	}
	var why error = errCut
	if e != nil {
		why = e
	}
	l.w.Turn(l.endSession)
	l.pass(&l.down, 1, func() {
		l.shut()
		l.deviceTell(func() { l.fall(why) })
	})
}

func (l *line) deviceTell(f func()) { (&deviceNet{l.d, l.life}).tell(f) }

// cut ends a line in the middle of whatever is on its way; both ends learn of it.
func (l *line) cut() {
	if !l.open {
		return
	}
	l.shut()
	l.w.Turn(l.endSession)
	l.deviceTell(func() { l.fall(errCut) })
}

// lose makes a line half open: the ends learn of it by the silence.
func (l *line) lose() {
	if !l.open || l.mute {
		return
	}
	l.mute = true
	l.w.Stats.Fault("half open")
	l.w.After(silence, l.cut)
}

func (l *line) shut() {
	l.open = false
	l.h.lines = slices.DeleteFunc(l.h.lines, func(x *line) bool { return x == l })
	l.d.lines = slices.DeleteFunc(l.d.lines, func(x *line) bool { return x == l })
}

func (l *line) endSession() {
	if l.sess != nil && l.h.life == l.born {
		l.sess.Close()
		l.sess = nil
	}
}

// address is a device's, of a network for documentation (RFC 5737).
func address(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, 51, byte(100 + n/250), byte(1 + n%250)})
}
