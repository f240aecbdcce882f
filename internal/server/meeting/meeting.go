// Package meeting lets two devices of one person talk before the new one has an account:
// the old one opens the meeting of its account, the new one visits it. The server uses it
// for its sessions. It hands on what they say, understands none of it, and keeps nothing
// in any file or log: a meeting is memory, and gone when it is over.
//
// Whoever guesses the code that the old device shows has one guess: a meeting has one
// visitor, ever, and a person opens each by hand.
package meeting

import (
	"sync"
	"time"

	"sotto/internal/wire"
)

// Side is a connection at a meeting. Its methods are called one at a time, under the lock
// of all meetings: they must neither block nor call back.
type Side interface {
	Seated()              // first of all; what is heard comes after
	Hear(msg []byte) bool // the other side said this; false: too slow to take it
	Over()                // last of all, unless this side left by itself
}

// Options of Meetings.
type Options struct {
	Now    func() time.Time
	Max    func() uint64 // meetings at a time, of all accounts together
	ByHand bool          // no timers: the owner calls Tick
}

// Meetings are those of a server, at most one for each account. Safe for concurrent use.
type Meetings struct {
	o    Options
	mu   sync.Mutex
	open map[string]*meeting // by the account's name
}

// The two seats of a meeting.
const (
	host = iota
	visitor
)

// meeting is one meeting. Its fields are under the lock of all.
type meeting struct {
	name  string
	until time.Time
	timer *time.Timer // nil: ByHand
	seats [2]*Seat    // nil: nobody came yet
}

// Seat is a side's place at a meeting, and what it may still say there.
type Seat struct {
	all      *Meetings
	m        *meeting // nil: over
	side     Side
	which    int
	messages int
	bytes    int
}

// New makes the meetings of a server.
func New(o Options) *Meetings {
	return &Meetings{o: o, open: map[string]*meeting{}}
}

var (
	errNoMeeting = wire.Refuse(wire.CodeNoMeeting, "no device waits there: begin again on the device that you have, and look at the handle and the code")
	errAlone     = wire.Refuse(wire.CodeOrder, "nobody has come to this meeting yet")
	errFull      = &wire.Error{Code: wire.CodeSlowDown, Sentence: "too many devices are being linked at this server; try again in two minutes", After: wire.MeetingTime}
)

// Vet says whether a message is one that a meeting takes.
func Vet(msg []byte) error {
	switch {
	case len(msg) == 0:
		return wire.Refuse(wire.CodeMalformed, "a message of a meeting is not empty")
	case len(msg) > wire.MaxMeetingMessage:
		return wire.Refuse(wire.CodeTooLarge, "a message of a meeting has at most %d bytes", wire.MaxMeetingMessage)
	}
	return nil
}

// Open opens the meeting of an account; an earlier one of it is over. Refusal:
// CodeSlowDown when the server has as many as it takes.
func (a *Meetings) Open(name string, side Side) (*Seat, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.open[name]; old != nil {
		a.end(old, nil)
	}
	if uint64(len(a.open)) >= a.o.Max() {
		return nil, errFull
	}
	m := &meeting{name: name, until: a.o.Now().Add(wire.MeetingTime)}
	m.seats[host] = &Seat{all: a, m: m, side: side, which: host}
	a.open[name] = m
	if !a.o.ByHand {
		// The lock is held: the timer is set before it can matter.
		m.timer = time.AfterFunc(wire.MeetingTime, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.end(m, nil)
		})
	}
	side.Seated()
	return m.seats[host], nil
}

// Visit takes the visitor's seat at the meeting of an account, and says a first message.
// Refusal: CodeNoMeeting, whatever is the reason.
func (a *Meetings) Visit(name string, side Side, msg []byte) (*Seat, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.open[name]
	if m == nil || a.expired(m) || m.seats[visitor] != nil {
		return nil, errNoMeeting
	}
	s := &Seat{all: a, m: m, side: side, which: visitor}
	m.seats[visitor] = s
	side.Seated()
	_ = s.say(msg) // the one failure ends the meeting, of which this side was just told
	return s, nil
}

// Say hands a message to the other side. Refusals: CodeNoMeeting when it is over, or there
// is no seat,
// CodeOrder when nobody came yet, CodeQuota when this side has said all that it may.
func (s *Seat) Say(msg []byte) error {
	if s == nil {
		return errNoMeeting
	}
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if s.m == nil || s.all.expired(s.m) {
		return errNoMeeting
	}
	return s.say(msg)
}

// say is Say for a meeting that stands. Holds mu.
func (s *Seat) say(msg []byte) error {
	other := s.m.seats[1-s.which]
	switch {
	case other == nil:
		return errAlone
	case s.messages == wire.MaxMeetingMessages || s.bytes+len(msg) > wire.MaxMeetingBytes:
		return wire.Refuse(wire.CodeQuota, "a side of a meeting says at most %d messages, and %d bytes", wire.MaxMeetingMessages, wire.MaxMeetingBytes)
	}
	s.messages++
	s.bytes += len(msg)
	if !other.side.Hear(msg) {
		s.all.end(s.m, nil)
		return errNoMeeting
	}
	return nil
}

// Leave ends the meeting. The other side is told, this one is not. Without a seat it does
// nothing.
func (s *Seat) Leave() {
	if s == nil {
		return
	}
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if s.m != nil {
		s.all.end(s.m, s)
	}
}

// Tick ends the meetings whose time is over.
func (a *Meetings) Tick(time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.open {
		a.expired(m)
	}
}

// Count says how many stand.
func (a *Meetings) Count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.open)
}

// expired ends a meeting whose time is over by the server's clock, which may be ahead of
// the timer. Holds mu.
func (a *Meetings) expired(m *meeting) bool {
	if a.o.Now().Before(m.until) {
		return false
	}
	a.end(m, nil)
	return true
}

// end forgets a meeting and tells its sides, but who left. Again it does nothing. Holds mu.
func (a *Meetings) end(m *meeting, left *Seat) {
	if a.open[m.name] != m {
		return
	}
	delete(a.open, m.name)
	if m.timer != nil {
		m.timer.Stop()
	}
	for _, s := range m.seats {
		if s == nil {
			continue
		}
		s.m = nil
		if s != left {
			s.side.Over()
		}
	}
}
