package meeting

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sotto/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ear is a Side that writes down what it is told.
type ear struct {
	mu   sync.Mutex
	told []string
	deaf bool
}

func (e *ear) note(s string) {
	e.mu.Lock()
	e.told = append(e.told, s)
	e.mu.Unlock()
}
func (e *ear) Seated() { e.note("seated") }
func (e *ear) Over()   { e.note("over") }
func (e *ear) Hear(msg []byte) bool {
	if e.deaf {
		return false
	}
	e.note(string(msg[:min(len(msg), 8)]))
	return true
}

func (e *ear) was(t *testing.T, want ...string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Equal(e.told, want) {
		t.Errorf("told %q, not %q", e.told, want)
	}
}

func refused(t *testing.T, err error, want wire.Code) {
	t.Helper()
	if wire.CodeOf(err) != want {
		t.Errorf("%v (%v), not %v", err, wire.CodeOf(err), want)
	}
}

// byHand makes meetings whose clock the test moves.
func byHand(most uint64) (*Meetings, *time.Time) {
	now := time.Unix(1_750_000_000, 0)
	return New(Options{Now: func() time.Time { return now }, Max: func() uint64 { return most }, ByHand: true}), &now
}

func open(t *testing.T, a *Meetings, name string) (*Seat, *ear) {
	t.Helper()
	e := &ear{}
	s, err := a.Open(name, e)
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

func visit(t *testing.T, a *Meetings, name, msg string) (*Seat, *ear) {
	t.Helper()
	e := &ear{}
	s, err := a.Visit(name, e, []byte(msg))
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

// noMeeting: whoever comes now is refused, and not told why.
func noMeeting(t *testing.T, a *Meetings, name string) {
	t.Helper()
	e := &ear{}
	s, err := a.Visit(name, e, []byte("x"))
	if s != nil || err != errNoMeeting {
		t.Errorf("a visit to %q: %v", name, err)
	}
	e.was(t)
}

func TestMeeting(t *testing.T) {
	a, _ := byHand(9)
	noMeeting(t, a, "ana")
	old, oldEar := open(t, a, "ana")
	refused(t, old.Say([]byte("anybody?")), wire.CodeOrder)
	noMeeting(t, a, "bo")
	fresh, freshEar := visit(t, a, "ana", "1")
	noMeeting(t, a, "ana")
	for i, s := range []*Seat{old, fresh, fresh, old} {
		if err := s.Say([]byte(fmt.Sprint(i + 2))); err != nil {
			t.Fatal(err)
		}
	}
	fresh.Leave()
	fresh.Leave()
	old.Leave()
	noMeeting(t, a, "ana")
	refused(t, old.Say([]byte("x")), wire.CodeNoMeeting)
	refused(t, fresh.Say([]byte("x")), wire.CodeNoMeeting)
	oldEar.was(t, "seated", "1", "3", "4", "over")
	freshEar.was(t, "seated", "2", "5")
	if a.Count() != 0 {
		t.Error("a meeting that is over is kept")
	}
}

// One visitor for a meeting, ever: not a second one when the first has left. A person has
// to open another by hand.
func TestOneGuess(t *testing.T) {
	a, _ := byHand(9)
	_, oldEar := open(t, a, "ana")
	wrong, _ := visit(t, a, "ana", "guess")
	wrong.Leave()
	noMeeting(t, a, "ana")
	oldEar.was(t, "seated", "guess", "over")
}

// The host leaves; a second opening of the account takes the place of the first.
func TestHostLeaves(t *testing.T) {
	a, _ := byHand(1)
	old, oldEar := open(t, a, "ana")
	_, guest := visit(t, a, "ana", "1")
	old.Leave()
	guest.was(t, "seated", "over")
	oldEar.was(t, "seated", "1")

	first, firstEar := open(t, a, "ana")
	_, guest = visit(t, a, "ana", "2")
	_, secondEar := open(t, a, "ana")
	guest.was(t, "seated", "over")
	firstEar.was(t, "seated", "2", "over")
	first.Leave() // long over: the second stays
	visit(t, a, "ana", "3")
	secondEar.was(t, "seated", "3")
}

// Two minutes, by the clock that the server is given.
func TestExpiry(t *testing.T) {
	for name, look := range map[string]func(*testing.T, *Meetings, *Seat, *Seat){
		"tick":  func(_ *testing.T, a *Meetings, _, _ *Seat) { a.Tick(time.Time{}) },
		"visit": func(t *testing.T, a *Meetings, _, _ *Seat) { noMeeting(t, a, "ana") },
		"host":  func(t *testing.T, _ *Meetings, h, _ *Seat) { refused(t, h.Say([]byte("x")), wire.CodeNoMeeting) },
		"visitor": func(t *testing.T, _ *Meetings, _, v *Seat) {
			refused(t, v.Say([]byte("x")), wire.CodeNoMeeting)
		},
	} {
		a, now := byHand(9)
		h, hostEar := open(t, a, "ana")
		v, guest := visit(t, a, "ana", "1")
		*now = now.Add(wire.MeetingTime - 1)
		a.Tick(*now)
		if err := v.Say([]byte("2")); err != nil {
			t.Fatal(name, err)
		}
		*now = now.Add(1)
		look(t, a, h, v)
		hostEar.was(t, "seated", "1", "2", "over")
		guest.was(t, "seated", "over")
		if a.Count() != 0 {
			t.Errorf("%s: kept", name)
		}
	}
}

// And by itself, when nobody asks; a timer of a meeting before does nothing to the next.
func TestTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(Options{Now: time.Now, Max: func() uint64 { return 9 }})
		h, first := open(t, a, "ana")
		time.Sleep(wire.MeetingTime / 2)
		h.Leave()
		_, second := open(t, a, "ana")
		time.Sleep(wire.MeetingTime - time.Millisecond)
		synctest.Wait()
		first.was(t, "seated")
		second.was(t, "seated")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		second.was(t, "seated", "over")
		if a.Count() != 0 {
			t.Error("kept")
		}
	})
}

func TestLimits(t *testing.T) {
	a, now := byHand(2)
	h, hostEar := open(t, a, "ana")
	v, guest := visit(t, a, "ana", "first")
	for range wire.MaxMeetingMessages - 1 { // the visit was one
		if err := v.Say([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, v.Say([]byte("x")), wire.CodeQuota)
	long := bytes.Repeat([]byte("y"), wire.MaxMeetingMessage)
	for range wire.MaxMeetingBytes / wire.MaxMeetingMessage {
		if err := h.Say(long); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, h.Say([]byte("x")), wire.CodeQuota)
	if n := len(hostEar.told); n != 1+wire.MaxMeetingMessages || len(guest.told) != 1+16 {
		t.Error(n, len(guest.told))
	}

	// Of the server: another account finds no room until one of them is over.
	open(t, a, "bo")
	_, err := a.Open("cy", &ear{})
	refused(t, err, wire.CodeSlowDown)
	open(t, a, "bo")
	*now = now.Add(wire.MeetingTime)
	a.Tick(*now)
	open(t, a, "cy")
}

// A side that does not read ends the meeting: nothing is kept for it.
func TestSlowSides(t *testing.T) {
	a, _ := byHand(9)
	h, hostEar := open(t, a, "ana")
	_, guest := visit(t, a, "ana", "1")
	guest.deaf = true
	refused(t, h.Say([]byte("x")), wire.CodeNoMeeting)
	hostEar.was(t, "seated", "1", "over")
	guest.was(t, "seated", "over")

	_, hostEar = open(t, a, "ana")
	hostEar.deaf = true
	v, guest := visit(t, a, "ana", "1")
	hostEar.was(t, "seated", "over")
	guest.was(t, "seated", "over")
	refused(t, v.Say([]byte("x")), wire.CodeNoMeeting)
}

func TestVet(t *testing.T) {
	for n, want := range map[int]wire.Code{
		0: wire.CodeMalformed, 1: wire.OK, wire.MaxMeetingMessage: wire.OK, wire.MaxMeetingMessage + 1: wire.CodeTooLarge,
	} {
		refused(t, Vet(make([]byte, n)), want)
	}
	var none *Seat
	none.Leave()
	refused(t, none.Say([]byte("x")), wire.CodeNoMeeting)
}

// Everybody at once: one visitor gets in, and both sides hear one end.
func TestAtOnce(t *testing.T) {
	a, _ := byHand(9)
	for range 200 {
		h, hostEar := open(t, a, "ana")
		var in []*ear
		var mu sync.Mutex
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				e := &ear{}
				if s, err := a.Visit("ana", e, []byte("1")); err == nil {
					mu.Lock()
					in = append(in, e)
					mu.Unlock()
					_ = s.Say([]byte("2"))
					s.Leave()
				}
			})
		}
		wait.Go(func() { _ = h.Say([]byte("3")) })
		wait.Wait()
		if len(in) != 1 || a.Count() != 0 {
			t.Fatal(len(in), a.Count())
		}
		hostEar.was(t, "seated", "1", "2", "over")
	}
}
