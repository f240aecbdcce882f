package server

import (
	"time"

	"sotto/internal/server/directory"
	"sotto/internal/wire"
)

// reserve keeps a handle for an account that is about to move here. It is metered with the
// registrations, since it takes a name as they do.
func (s *Session) reserve(r wire.Reserve) (wire.Done, error) {
	p, now := s.srv.policy.Load(), s.srv.o.Now()
	if err := p.registrations.take(s.addr, now); err != nil {
		return wire.Done{}, err
	}
	if err := s.srv.dir.Retired(now); err != nil {
		return wire.Done{}, err
	}
	return wire.Done{}, s.srv.dir.Reserve(r, p.open)
}

// enter takes an account in that has moved here. Anybody who holds its chain may ask, so what
// fails is metered with the failed authentications.
func (s *Session) enter(id uint64, body []byte) {
	var q wire.Enter
	err := wire.Unmarshal(body, &q)
	s.grow(id, err, func() (*directory.Account, []wire.DeviceName, error) { return s.srv.dir.Enter(q) })
}

// leaveHere lets go of what is held for an account that has moved away.
func (s *Session) leaveHere(l wire.Leave) (wire.Done, error) {
	a, err := s.account()
	if err == nil {
		err = s.srv.dir.Leave(a.Name, s.device, l)
	}
	if err == nil && l.Inbox {
		err = s.srv.dropDeparted()
	}
	return wire.Done{}, err
}

// Retire notes that this server will be switched off at a time, and tells every connection so.
// A zero time takes that back.
func (s *Server) Retire(on time.Time, reason string) error {
	var r *wire.Retiring
	if !on.IsZero() {
		r = &wire.Retiring{On: uint64(max(0, on.UnixMilli())), Reason: reason}
	}
	if err := s.dir.Retire(r); err != nil {
		return err
	}
	told := wire.Retiring{}
	if r != nil {
		told = *r
	}
	for _, x := range s.openSessions() {
		if x.ready() {
			x.event(wire.EventRetiring, told)
		}
	}
	return nil
}

// ready says whether a session takes events: on /v1/log once hello was said, on /v1/account
// once it has authenticated.
func (s *Session) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && s.said && (s.kind == Log || s.name != "")
}
