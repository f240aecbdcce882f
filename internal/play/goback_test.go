package play

import (
	"bytes"
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Tests of a host that goes back to an old copy of itself: nothing that it had acknowledged
// is lost, and nobody sees anything twice.

// goesBack runs an act, and then the host forgets that it was.
func (h *Host) goesBack(act func()) {
	h.w.T.Helper()
	h.Stop()
	old := h.w.T.TempDir()
	if err := os.CopyFS(old, os.DirFS(h.Dir)); err != nil {
		h.w.T.Fatal(err)
	}
	h.Start()
	act()
	h.Stop()
	h.Dir = old
	h.Start()
}

// Bo's message is acknowledged while ana is away; then the host goes back to before it. The
// room moves, and bo's own place is its end: ana has the message all the same.
func TestAcknowledgedThenForgotten(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "one")
	accept(t, bo, ana.Handle)
	bo.Send(ana.Handle, "two")
	ana.Reads(bo.Handle, "one", "two")
	ana.Sync()
	bo.Sync()
	ana.Away()
	w.Home.goesBack(func() {
		three := bo.Send(ana.Handle, "three")
		bo.Reads(ana.Handle, "one", "two", "three")
		bo.Sync()
		if s := bo.message(three.ID).State; s != store.Stored {
			t.Fatalf("the message is %v", s)
		}
		bo.Away()
	})
	ana.Back()
	bo.Back()
	for _, p := range []*Person{ana, bo} {
		p.Told(client.NoticeMoved)
		p.Told(client.NoticeFork)
		p.Reads(other(p, ana, bo).Handle, "one", "two", "three")
	}
	bo.Eventually("it is delivered", func() bool { return bo.lastState(ana.Handle) == store.Delivered }, func() any { return bo.lastState(ana.Handle) })
	ana.Send(bo.Handle, "four")
	for _, p := range []*Person{ana, bo} {
		p.Reads(other(p, ana, bo).Handle, "one", "two", "three", "four")
	}
}

// lastState is the state of the last message of a conversation.
func (p *Person) lastState(to string) store.MessageState {
	id := must(p.Client.Resolve(to))
	list := must(p.Client.Messages(&id, 0, 1<<20))
	return list[len(list)-1].State
}

// Cy has read what bo wrote before the host went back; ana has not, and bo comes late. Each
// shows it once: bo and cy where they saw it first, ana where it was sent again.
func TestOrderOfWhatIsSentAgain(t *testing.T) {
	w := New(t)
	far := w.Host()
	ana, bo, cy := w.PersonAt("ana", far), w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo, cy)
	act(t, ana, "makes cy admin", func(ctx context.Context) error { return ana.Client.SetAdmin(ctx, "club", cy.Handle, true) })
	ana.Send("club", "one")
	for _, p := range []*Person{bo, cy} {
		p.Reads("club", "one")
	}
	for _, p := range []*Person{ana, bo, cy} {
		p.Sync()
	}
	ana.Away()
	var events []string // the messages that cy's screen is given
	far.goesBack(func() {
		bo.Send("club", "two")
		bo.Reads("club", "one", "two")
		cy.Reads("club", "one", "two")
		bo.Sync()
		cy.Sync()
		bo.Away()
		cancel := cy.Client.Subscribe(func(e client.Event) {
			if e.Kind == client.EventMessage {
				events = append(events, e.Message.Text)
			}
		})
		t.Cleanup(cancel)
	})
	w.Clock.Advance(3 * time.Second)
	moved(cy, "club", 3)
	cy.Send("club", "three")
	ana.Back()
	ana.Reads("club", "one", "three")
	bo.Back()
	ana.Reads("club", "one", "three", "two")
	for _, p := range []*Person{bo, cy} {
		p.Reads("club", "one", "two", "three")
	}
	bo.Send("club", "four")
	ana.Reads("club", "one", "three", "two", "four")
	for _, p := range []*Person{bo, cy} {
		p.Reads("club", "one", "two", "three", "four")
	}
	cy.Steps()
	if !slices.Equal(events, []string{"three", "four"}) {
		t.Errorf("cy was shown %q", events)
	}
}

// A host that does not show bo that a commit is one: what ana writes after it says nothing
// to him, and he passes it over. When the room has moved he has it.
func TestCommitWithoutDid(t *testing.T) {
	f := newFaithless(t)
	f.Down(func(p *Passing) { p.entry(func(e *wire.EntryEvent) { e.Entry.Did = nil }) })
	act(t, f.ana, "sets the time", func(ctx context.Context) error {
		return f.ana.Client.SetDisappear(ctx, f.bo.Handle, 24*time.Hour)
	})
	f.say(f.ana, "after the change")
	f.ana.Sync()
	f.say(f.bo, "before the change")
	f.bo.Later("the room moves", time.Second, func() bool {
		return f.bo.Room(f.ana.Handle).Number == 2
	}, func() any { return f.bo.Room(f.ana.Handle).Number })
	f.Honest()
	f.bo.Told(client.NoticeFork)
	f.tick = 100 * time.Millisecond
	f.works()
}

// Bo has not read what was written before cy came in. When mallory breaks the room and it
// moves it is not sent again, since cy would read it: bo reads it in the old log.
func TestNothingAgainForNewcomers(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	ana.Send("club", "one")
	bo.Reads("club", "one")
	bo.Sync()
	bo.Away()
	ana.Send("club", "not for cy")
	cy := w.Person("cy")
	act(t, ana, "adds cy", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{cy.Handle}) })
	accept(t, cy, ana.Handle)
	ana.Send("club", "for cy too")
	for _, p := range []*Person{cy, mal} {
		p.Eventually("has it", func() bool { return slices.Contains(p.Texts("club"), "for cy too") }, func() any { return p.Texts("club") })
		p.Sync()
	}
	m := mal.Turn("club")
	w.Clock.Advance(2 * wire.SwapInterval)
	if err := m.Append(bytes.Repeat([]byte{7}, 300), &wire.Swap{Next: wire.Hash{1}}); err != nil {
		t.Fatal(err)
	}
	moved(ana, "club", 3)
	ana.Send("club", "on we go")
	bo.Back()
	bo.Reads("club", "one", "not for cy", "for cy too", "on we go")
	cy.Reads("club", "for cy too", "on we go")
}
