package server

import (
	"io"
	"net/netip"
	"sync"
	"time"

	"sotto/internal/server/directory"
	"sotto/internal/server/meeting"
	"sotto/internal/wire"
)

// Kind is what a session is for.
type Kind uint8

// The kinds of sessions.
const (
	Log     Kind = iota // /v1/log, which carries no account
	Account             // /v1/account
)

// Out takes what a session sends: a WebSocket, or a simulator's queue. Its methods
// never block and never call back into the session.
type Out interface {
	Send(frame []byte)     // one WebSocket message; the bytes belong to Out from here on
	Queued() int           // bytes not yet handed to the network: over a limit a session feeds no entries
	Close(err *wire.Error) // end the connection, after what was sent; err, if any, is why
}

// Session is one connection's state, free of any transport.
type Session struct {
	srv  *Server
	out  Out
	kind Kind
	addr netip.Prefix // what counts as the address for limits

	// Of the goroutine that calls Frame.
	greeted bool
	ops     tokens
	signals tokens
	nonce   []byte // Account: what Auth signs
	staging staging

	appends appends
	feed    feed

	mu      sync.Mutex
	closed  bool
	said    bool   // hello was
	name    string // Account: who authenticated, "" before
	device  wire.DeviceName
	owner   []byte
	waiting *inboxFeed
	seat    *meeting.Seat // nil: at no meeting
}

// Connect opens a session for a connection from remote.
func (s *Server) Connect(kind Kind, remote netip.Addr, out Out) *Session {
	x := &Session{srv: s, out: out, kind: kind, addr: addressKey(remote)}
	x.feed.s = x
	x.appends.room.L = &x.appends.mu
	s.mu.Lock()
	ended := s.ended
	if !ended {
		s.sessions[x] = struct{}{}
	}
	s.mu.Unlock()
	if ended {
		x.closed = true
		out.Close(errGoingAway)
	}
	return x
}

// operation is one row of the tables of handlers.
type operation struct {
	auth bool // needs OpAuth first
	do   func(s *Session, id uint64, body []byte)
}

// call makes a handler of a function from request to answer.
func call[Q, A any](f func(*Session, Q) (A, error)) func(*Session, uint64, []byte) {
	return func(s *Session, id uint64, body []byte) {
		var q Q
		if err := wire.Unmarshal(body, &q); err != nil {
			s.refuse(id, err)
			return
		}
		a, err := f(s, q)
		if err != nil {
			s.refuse(id, err)
			return
		}
		s.answer(id, a)
	}
}

func (s *Session) answer(id uint64, body any) {
	s.out.Send(wire.EncodeFrame(id, uint16(wire.OK), body))
}

func (s *Session) event(op wire.Op, body any) {
	s.out.Send(wire.EncodeFrame(0, uint16(op), body))
}

func (s *Session) refuse(id uint64, err error) {
	if wire.CodeOf(err) == wire.CodeInternal {
		s.srv.o.Log.Error("a request failed", "err", err)
	}
	s.out.Send(wire.EncodeError(id, err))
}

// Frame takes one incoming WebSocket message; answers and events go to Out. The
// session does not keep b. It may block: while too many appends are under way, and
// while a change becomes durable.
func (s *Session) Frame(b []byte) {
	if s.kind == Log && s.greeted {
		if id, a, ok := plainAppend(b); ok {
			if err := s.pace(); err != nil {
				s.refuse(id, err)
			} else {
				s.submit(id, len(b), a, nil)
			}
			return
		}
	}
	f, err := wire.DecodeFrame(b)
	if err != nil || f.ID == 0 {
		code, sentence := wire.CodeMalformed, "the server could not read this frame"
		if wire.CodeOf(err) == wire.CodeTooLarge {
			code, sentence = wire.CodeTooLarge, err.Error()
		}
		s.out.Close(wire.Refuse(code, "%s", sentence))
		return
	}
	table := logOperations
	if s.kind == Account {
		table = accountOperations
	}
	op, known := table[wire.Op(f.Number)]
	switch {
	case !s.greeted && wire.Op(f.Number) != wire.OpHello:
		err := wire.Refuse(wire.CodeOrder, "hello comes first")
		s.refuse(f.ID, err)
		s.out.Close(err)
	case !known:
		s.refuse(f.ID, wire.Refuse(wire.CodeUnknownOp, "this server does not know operation %d here", f.Number))
	case op.auth && s.name == "": // only this goroutine writes it
		s.refuse(f.ID, wire.Refuse(wire.CodeNotAuthenticated, "authenticate first"))
	default:
		if err := s.pace(); err != nil {
			s.refuse(f.ID, err)
			return
		}
		op.do(s, f.ID, f.Body)
	}
}

// pace refuses what comes faster than a connection may ask.
func (s *Session) pace() error {
	if s.ops.take(s.srv.o.Now(), float64(s.srv.policy.Load().limits.OperationsPerSecond)) {
		return nil
	}
	err := wire.Refuse(wire.CodeSlowDown, "too many operations on this connection")
	err.After = time.Second
	return err
}

// hello chooses the version: the highest that both accept.
func (s *Session) hello(h wire.Hello) (wire.Hello, error) {
	out := wire.Hello{Lowest: wire.Version, Highest: wire.Version, Version: wire.Version}
	switch {
	case s.greeted:
		return out, wire.Refuse(wire.CodeOrder, "hello was said")
	case h.Lowest > h.Highest:
		return out, wire.Refuse(wire.CodeMalformed, "the lowest version is above the highest")
	case h.Lowest > wire.Version || h.Highest < wire.Version:
		return out, wire.Refuse(wire.CodeVersion, "this server speaks version %d", wire.Version)
	}
	out.TimeMS = uint64(s.srv.o.Now().UnixMilli())
	if s.kind == Account {
		s.nonce = make([]byte, 32)
		if _, err := io.ReadFull(s.srv.o.Rand, s.nonce); err != nil {
			return out, err
		}
		out.Nonce = s.nonce
	}
	s.greeted = true
	s.mu.Lock()
	s.said = true
	s.mu.Unlock()
	out.Retiring = s.srv.dir.Retiring() // what is decided from here on comes as an event
	return out, nil
}

// Drained says that Out has room again.
func (s *Session) Drained() {
	s.feed.run()
	s.mu.Lock()
	w := s.waiting
	s.mu.Unlock()
	if w != nil {
		w.run()
	}
}

// Close ends the session. The transport calls it when the connection is gone.
func (s *Session) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	w, owner := s.waiting, s.owner
	s.waiting = nil
	s.mu.Unlock()
	if w != nil {
		w.close()
	}
	s.leave()
	s.feed.close()
	s.appends.close()
	s.staging.drop(s.srv)

	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	delete(s.srv.sessions, s)
	if set := s.srv.devices[string(owner)]; set != nil {
		if delete(set, s); len(set) == 0 {
			delete(s.srv.devices, string(owner))
		}
	}
}

// become notes who authenticated, so that a revocation finds the session.
func (s *Session) become(a *directory.Account, device wire.DeviceName) {
	s.mu.Lock()
	s.name, s.device, s.owner = a.Name, device, a.Owner(device)
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return
	}
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	set := s.srv.devices[string(s.owner)]
	if set == nil {
		set = map[*Session]struct{}{}
		s.srv.devices[string(s.owner)] = set
	}
	set[s] = struct{}{}
}
