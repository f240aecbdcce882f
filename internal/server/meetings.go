package server

import (
	"sotto/internal/server/meeting"
	"sotto/internal/wire"
)

// sitting is a session's side of a meeting, for the request that began it.
type sitting struct {
	s  *Session
	id uint64
}

// Seated implements meeting.Side: what happens there comes after the answer.
func (x sitting) Seated() { x.s.answer(x.id, wire.Done{}) }

// Hear implements meeting.Side. A connection that does not keep up loses the meeting, so
// that nothing has to be kept for it.
func (x sitting) Hear(msg []byte) bool {
	if x.s.clogged() {
		return false
	}
	x.s.event(wire.EventMet, wire.Met{Message: msg})
	return true
}

// Over implements meeting.Side.
func (x sitting) Over() { x.s.event(wire.EventMet, wire.Met{Over: true}) }

// meet opens the account's meeting. One that this connection has is left first, so that
// all it hears after the answer is of the new one.
func (s *Session) meet(id uint64, body []byte) {
	err := wire.Unmarshal(body, new(wire.Done))
	if err == nil {
		_, err = s.home()
	}
	if err != nil {
		s.refuse(id, err)
		return
	}
	s.leave()
	s.sit(id)(s.srv.meetings.Open(s.name, sitting{s, id}))
}

// visit enters somebody's meeting. It is for whoever knows a handle, so it is metered by
// address, and refused alike whatever the reason.
func (s *Session) visit(id uint64, body []byte) {
	var q wire.Visit
	err := wire.Unmarshal(body, &q)
	if err == nil {
		err = meeting.Vet(q.Message)
	}
	if err == nil {
		err = s.srv.policy.Load().visits.take(s.addr, s.srv.o.Now())
	}
	if err != nil {
		s.refuse(id, err)
		return
	}
	s.leave()
	name, err := s.srv.dir.Name(q.Handle)
	if err != nil {
		name = "" // nobody's name: no meeting is there
	}
	s.sit(id)(s.srv.meetings.Visit(name, sitting{s, id}, q.Message))
}

// sit takes the seat that request id was given, or refuses.
func (s *Session) sit(id uint64) func(*meeting.Seat, error) {
	return func(seat *meeting.Seat, err error) {
		if err != nil {
			s.refuse(id, err)
			return
		}
		s.mu.Lock()
		closed := s.closed
		if !closed {
			s.seat = seat
		}
		s.mu.Unlock()
		if closed {
			seat.Leave()
		}
	}
}

// sayThere hands a message to the other side of this connection's meeting.
func (s *Session) sayThere(q wire.Say) (wire.Done, error) {
	if err := meeting.Vet(q.Message); err != nil {
		return wire.Done{}, err
	}
	s.mu.Lock()
	seat := s.seat
	s.mu.Unlock()
	return wire.Done{}, seat.Say(q.Message)
}

// endMeeting ends this connection's meeting, if there is one.
func (s *Session) endMeeting(wire.Done) (wire.Done, error) {
	s.leave()
	return wire.Done{}, nil
}

// leave gives the seat up that this connection has at a meeting, if any.
func (s *Session) leave() {
	s.mu.Lock()
	seat := s.seat
	s.seat = nil
	s.mu.Unlock()
	seat.Leave()
}
