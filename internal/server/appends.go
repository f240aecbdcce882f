package server

import (
	"sync"
	"time"

	"sotto/internal/wire"
)

// What one connection may have under way: beyond it the session takes no more frames
// until an append is answered, which the client feels as a full socket.
const (
	maxAppends     = 512
	maxAppendBytes = 8 << 20
)

// slot is the place of one append's answer.
type slot struct {
	id     uint64
	size   int
	answer []byte
}

// appends are the appends of one connection under way, in the order of their
// requests: answers leave in that order, whatever finishes first.
type appends struct {
	mu     sync.Mutex
	room   sync.Cond
	slots  []*slot
	bytes  int
	closed bool
}

// begin takes a place, and waits for one. Nil when the session has ended.
func (a *appends) begin(id uint64, size int) *slot {
	a.mu.Lock()
	defer a.mu.Unlock()
	for !a.closed && (len(a.slots) >= maxAppends || a.bytes > maxAppendBytes) {
		a.room.Wait()
	}
	if a.closed {
		return nil
	}
	x := &slot{id: id, size: size}
	a.slots = append(a.slots, x)
	a.bytes += size
	return x
}

// done fills a place and sends every answer that is due.
func (a *appends) done(out Out, x *slot, answer []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	x.answer = answer
	n := 0
	for n < len(a.slots) && a.slots[n].answer != nil {
		if !a.closed {
			out.Send(a.slots[n].answer)
		}
		a.bytes -= a.slots[n].size
		n++
	}
	if n == 0 {
		return
	}
	if a.slots = append(a.slots[:0], a.slots[n:]...); len(a.slots) == 0 {
		a.slots = nil // an idle connection holds none
	}
	a.room.Signal()
}

func (a *appends) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.room.Broadcast()
}

// staging holds the pieces of the one entry that arrives in parts.
type staging struct {
	mu     sync.Mutex
	pieces uint16
	bytes  []byte
	since  time.Time
}

const stagingLifetime = 2 * time.Minute

func (g *staging) add(s *Server, p wire.Part) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.Index == 0 {
		g.clear(s) // the entry before was given up
		g.since = s.o.Now()
	}
	switch {
	case p.Index != g.pieces:
		n := g.pieces
		g.clear(s)
		return wire.Refuse(wire.CodeOrder, "piece %d came where piece %d was due: send the entry again", p.Index, n)
	case len(p.Piece) == 0 || len(p.Piece) > wire.PartSize:
		g.clear(s)
		return wire.Refuse(wire.CodeTooLarge, "a piece has 1 to %d bytes", wire.PartSize)
	case len(g.bytes)+len(p.Piece) > wire.MaxSwap:
		g.clear(s)
		return wire.Refuse(wire.CodeTooLarge, "an entry in parts is at most %d bytes", wire.MaxSwap)
	case s.staged.Add(int64(len(p.Piece))) > int64(s.policy.Load().limits.StagingBytes):
		s.staged.Add(-int64(len(p.Piece)))
		g.clear(s)
		e := wire.Refuse(wire.CodeSlowDown, "too many long entries arrive at this moment; try again in a few seconds")
		e.After = 5 * time.Second
		return e
	}
	g.pieces++
	g.bytes = append(g.bytes, p.Piece...)
	return nil
}

// join is the whole entry of an append. The pieces are spent, also by an append that
// does not name them.
func (g *staging) join(s *Server, a wire.Append) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, front := g.pieces, g.bytes
	g.clear(s)
	switch {
	case a.Parts == 0:
		return a.Entry, nil
	case a.Parts != n:
		return nil, wire.Refuse(wire.CodeOrder, "the append names %d pieces and %d came: send the entry again", a.Parts, n)
	case len(front)+len(a.Entry) > wire.MaxSwap:
		return nil, wire.Refuse(wire.CodeTooLarge, "an entry in parts is at most %d bytes", wire.MaxSwap)
	}
	return append(front, a.Entry...), nil
}

func (g *staging) clear(s *Server) {
	s.staged.Add(-int64(len(g.bytes)))
	g.pieces, g.bytes = 0, nil
}

func (g *staging) drop(s *Server) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clear(s)
}

// dropStale drops the pieces of an entry that nobody finishes.
func (s *Session) dropStale(now time.Time) {
	g := &s.staging
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bytes != nil && now.Sub(g.since) > stagingLifetime {
		g.clear(s.srv)
	}
}
