package server

import (
	"crypto/tls"
	"net"
	"sync"
	"time"

	"sotto/internal/server/relay"
)

// shared is a listener whose port HTTP and STUN share: the first byte of a connection says
// which it is, in the clear and, with certificates, again inside of TLS. So a device whose
// network lets nothing but the HTTPS port pass can be called. net/http gets the rest.
type shared struct {
	net.Listener
	tls   *tls.Config    // nil: in the clear
	serve func(net.Conn) // takes what speaks STUN; nil: nothing does
	next  chan net.Conn
	over  chan struct{}
	fail  error // of Accept, when over
	once  sync.Once

	mu    sync.Mutex
	ended bool
	early map[net.Conn]struct{} // of which nobody knows yet what they speak
	busy  sync.WaitGroup
}

// earlyTime is how long a connection may take to say what it is.
const earlyTime = 15 * time.Second

func share(ln net.Listener, c *tls.Config, serve func(net.Conn)) *shared {
	s := &shared{
		Listener: ln, tls: c, serve: serve, next: make(chan net.Conn), over: make(chan struct{}),
		early: map[net.Conn]struct{}{},
	}
	s.busy.Add(1)
	go s.run()
	return s
}

func (s *shared) run() {
	defer s.busy.Done()
	for wait := time.Millisecond; ; {
		conn, err := s.Listener.Accept()
		if err != nil {
			if t, ok := err.(interface{ Temporary() bool }); ok && t.Temporary() { // too many open files, say
				select {
				case <-s.over:
					return
				case <-time.After(wait):
				}
				wait = min(2*wait, time.Second)
				continue
			}
			s.end(err)
			return
		}
		wait = time.Millisecond
		s.mu.Lock()
		if s.ended {
			s.mu.Unlock()
			conn.Close()
			return
		}
		s.early[conn] = struct{}{}
		s.busy.Add(1)
		s.mu.Unlock()
		go s.sort(conn)
	}
}

// sort waits for the first byte of a connection and hands it on.
func (s *shared) sort(raw net.Conn) {
	defer s.busy.Done()
	conn, stun := s.look(raw)
	s.mu.Lock()
	delete(s.early, raw)
	s.mu.Unlock()
	switch {
	case conn == nil:
		raw.Close()
	case stun:
		s.serve(conn)
	default:
		select {
		case s.next <- conn:
		case <-s.over:
			conn.Close()
		}
	}
}

// look answers a connection that still has its first byte, nil for one that is over.
func (s *shared) look(raw net.Conn) (conn net.Conn, stun bool) {
	if raw.SetDeadline(time.Now().Add(earlyTime)) != nil {
		return nil, false
	}
	c := &peeked{Conn: raw}
	if !c.peek() {
		return nil, false
	}
	stun = s.serve != nil && relay.Speaks(c.first[0])
	if !stun && s.tls != nil {
		t := tls.Server(c, s.tls)
		if t.Handshake() != nil {
			return nil, false
		}
		c = &peeked{Conn: t}
		if !c.peek() {
			return nil, false
		}
		stun = s.serve != nil && relay.Speaks(c.first[0])
	}
	if raw.SetDeadline(time.Time{}) != nil {
		return nil, false
	}
	return c, stun
}

// Accept is net/http's.
func (s *shared) Accept() (net.Conn, error) {
	select {
	case c := <-s.next:
		return c, nil
	case <-s.over:
		return nil, s.fail
	}
}

// Close ends the listener, and the connections that have not said what they are.
func (s *shared) Close() error {
	err := s.Listener.Close()
	s.end(net.ErrClosed)
	return err
}

func (s *shared) end(err error) {
	s.once.Do(func() {
		s.mu.Lock()
		s.ended, s.fail = true, err
		close(s.over)
		for c := range s.early {
			c.Close()
		}
		s.mu.Unlock()
	})
}

// peeked is a connection whose first byte was read already.
type peeked struct {
	net.Conn
	first [1]byte
	left  int // of first
}

func (p *peeked) peek() bool {
	n, _ := p.Conn.Read(p.first[:])
	p.left = n
	return n == 1
}

// Read gives the first byte back alone.
func (p *peeked) Read(b []byte) (int, error) {
	if p.left > 0 && len(b) > 0 {
		p.left = 0
		b[0] = p.first[0]
		return 1, nil
	}
	return p.Conn.Read(b)
}

// bareConn is what a connection was before its first byte was looked at, once that has
// been read.
func bareConn(c net.Conn) net.Conn {
	if p, ok := c.(*peeked); ok && p.left == 0 {
		return bareConn(p.Conn)
	}
	return c
}
