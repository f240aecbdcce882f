package relay

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// How long a stream may take.
const (
	firstTime = 15 * time.Second // for a frame, from its first byte to its last, and for the first one
	idleTime  = time.Minute      // without an allocation
	heldTime  = 11 * time.Minute // with one: clients refresh it every few minutes
	writeTime = 5 * time.Second  // for one frame: whoever does not read is ended
)

// streams are the TCP connections of clients, whichever port they came in on. It is
// pion/turn's net.Listener.
type streams struct {
	r    *Relay
	next chan *stream
	over chan struct{}

	mu        sync.Mutex
	ended     bool
	listeners []net.Listener
	open      map[path]*stream
	from      map[netip.Prefix]uint64
	accepting sync.WaitGroup
}

func newStreams(r *Relay) *streams {
	return &streams{r: r, next: make(chan *stream), over: make(chan struct{}), open: map[path]*stream{}, from: map[netip.Prefix]uint64{}}
}

// take accepts connections of a listener until it ends.
func (s *streams) take(ln net.Listener) {
	s.mu.Lock()
	s.listeners = append(s.listeners, ln)
	s.mu.Unlock()
	s.accepting.Add(1)
	go func() {
		defer s.accepting.Done()
		for wait := time.Millisecond; ; {
			conn, err := ln.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil: // too many open files, say
				select {
				case <-s.over:
					return
				case <-time.After(wait):
				}
				wait = min(2*wait, time.Second)
			default:
				wait = time.Millisecond
				s.r.Serve(conn)
			}
		}
	}()
}

// Serve takes over a connection of a client that speaks STUN: from the relay's own port,
// or from one that others share. It does not wait.
func (r *Relay) Serve(conn net.Conn) {
	s := r.streams
	x := &stream{Conn: conn, r: r, path: path{addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr()), true}}
	x.address = prefix(x.path.client.Addr())
	if r.o.Admit(x.path.client.Addr()) != nil || !s.enter(x) {
		conn.Close()
		return
	}
	select {
	case s.next <- x:
	case <-s.over:
		x.Close()
	}
}

// prefix is what counts as one address: an IPv4 address, or an IPv6 /64.
func prefix(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

func (s *streams) enter(x *stream) bool {
	l := s.r.o.Limits()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || uint64(len(s.open)) >= l.Streams || s.from[x.address] >= l.StreamsPerAddress || s.open[x.path] != nil {
		return false
	}
	s.open[x.path] = x
	s.from[x.address]++
	s.r.busy.Add(1)
	return true
}

func (s *streams) leave(x *stream) {
	s.mu.Lock()
	delete(s.open, x.path)
	if s.from[x.address]--; s.from[x.address] == 0 {
		delete(s.from, x.address)
	}
	s.mu.Unlock()
	s.r.busy.Done()
}

// at is the stream of a path.
func (s *streams) at(p path) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[p]
}

// Accept is pion/turn's.
func (s *streams) Accept() (net.Conn, error) {
	select {
	case x := <-s.next:
		return x, nil
	case <-s.over:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and the listeners.
func (s *streams) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	s.ended = true
	close(s.over)
	var errs []error
	for _, ln := range s.listeners {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}

// Addr is only there because net.Listener has it.
func (s *streams) Addr() net.Addr { return &net.TCPAddr{} }

// end ends every stream, after Close.
func (s *streams) end() {
	s.accepting.Wait()
	s.mu.Lock()
	open := make([]*stream, 0, len(s.open))
	for _, x := range s.open {
		open = append(open, x)
	}
	s.mu.Unlock()
	for _, x := range open {
		x.Close()
	}
}

// stream is one client's TCP connection. pion/turn's goroutine reads it: a Read answers
// one whole request, never more or less, so that nothing half or false comes to the
// parser behind it.
type stream struct {
	net.Conn
	r       *Relay
	path    path
	address netip.Prefix
	buf     []byte // what was read and not used
	space   [2 * maxFrame]byte
	begun   bool      // something was answered
	code    integrity // of the last request that went to pion/turn
	closing sync.Once
}

var errFrame = errors.New("relay: not a frame of STUN")

// Read answers the next request, and forwards the data on channels that comes before it.
func (x *stream) Read(p []byte) (int, error) {
	for {
		b, err := x.frame()
		if err != nil {
			return 0, err
		}
		s := x.r.allocation(x.path)
		if b[0]&0xC0 != 0 {
			channel, n, ok := channelData(b)
			if !ok {
				return 0, errFrame
			}
			if s != nil {
				if peer, bound := s.known.Load().channels[channel]; bound {
					s.send(b[:headChannel+n], peer)
				}
			}
			continue
		}
		q, ok := check(b)
		if !ok || len(b) > len(p) {
			return 0, errFrame
		}
		if s == nil && x.begun && x.r.o.Admit(x.path.client.Addr()) != nil || !x.r.passes(x.path, s, q) {
			continue
		}
		x.begun, x.code = true, q.code
		return copy(p, b), nil
	}
}

// frame is the next whole frame, good until the next call.
func (x *stream) frame() ([]byte, error) {
	idle := heldTime
	switch {
	case !x.begun:
		idle = firstTime
	case x.r.allocation(x.path) == nil:
		idle = idleTime
	}
	for waiting := false; ; {
		if len(x.buf) >= 4 {
			n, ok := frameSize(x.buf)
			if !ok {
				return nil, errFrame
			}
			if len(x.buf) >= n {
				b := x.buf[:n]
				x.buf = x.buf[n:]
				return b, nil
			}
		}
		if partial := len(x.buf) > 0; !waiting || partial && idle != firstTime {
			if partial {
				idle = firstTime
			}
			waiting = true
			if err := x.SetReadDeadline(time.Now().Add(idle)); err != nil {
				return nil, err
			}
		}
		n := copy(x.space[:], x.buf)
		more, err := x.Conn.Read(x.space[n:])
		x.buf = x.space[:n+more]
		if more == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return nil, err
		}
	}
}

// Write sends a whole frame or ends the connection: half of one would garble all after.
func (x *stream) Write(b []byte) (int, error) {
	err := x.SetWriteDeadline(time.Now().Add(writeTime))
	n := 0
	if err == nil {
		n, err = x.Conn.Write(b)
	}
	if err != nil {
		x.Close()
	}
	return n, err
}

// deliver writes data on a channel, padded (RFC 8656 section 12.5). The space for that
// is behind it.
func (x *stream) deliver(b []byte) {
	n := len(b)
	b = b[:(n+3)&^3]
	clear(b[n:])
	_, _ = x.Write(b)
}

func (x *stream) asked() integrity { return x.code }

// Close ends the connection; pion/turn then ends its allocation.
func (x *stream) Close() (err error) {
	x.closing.Do(func() {
		err = x.Conn.Close()
		x.r.streams.leave(x)
	})
	return err
}
