package play

import (
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
)

// An admin has the room follow rules that this program does not know, in a commit. Rules are
// those of a generation, so that is like any other commit that is not allowed: the others go on
// without her, also where nobody else manages the room, and what was written meanwhile is sent.
func TestNewerRules(t *testing.T) {
	w := New(t)
	mal, bo, cy := w.Person("mal"), w.Person("bo"), w.Person("cy")
	group(t, "club", mal, bo, cy)
	bo.Send("club", "before")
	for _, p := range []*Person{mal, bo, cy} {
		p.Reads("club", "before")
		p.Sync()
	}
	m := mal.Turn("club")
	ctx := m.Ctx
	ctx.Rules++
	w.Clock.Advance(2 * time.Second)
	m.commit(m.context(ctx))
	for _, p := range []*Person{bo, cy} {
		p.Eventually("the room has stopped", func() bool { return p.Wedged("club") }, func() any { return p.Room("club") })
	}
	kept := bo.Write("club", "after")
	if s := bo.message(kept.ID).State; s != store.Queued {
		t.Errorf("the message is %v", s)
	}
	w.Clock.Advance(2 * time.Hour)
	cy.Reads("club", "before", "after")
	for _, p := range []*Person{bo, cy} {
		p.Told(client.NoticeMoved)
		p.notTold(client.NoticeUpdate, client.NoticeJunk, client.NoticeCopy, client.NoticeFork)
		if x := p.Room("club"); x.Number < 2 || len(x.Members) != 2 {
			t.Errorf("%s is in generation %d with %d people", p.Name, x.Number, len(x.Members))
		}
	}
}

// An admin moves the room to where rules hold that this program does not know, as a later
// version may. Who is invited there is asked to update, and goes on where the room was, with
// everybody who cannot follow either.
func TestMoveToNewerRules(t *testing.T) {
	w := New(t)
	mal, bo, cy := w.Person("mal"), w.Person("bo"), w.Person("cy")
	group(t, "club", mal, bo, cy)
	bo.Send("club", "before")
	for _, p := range []*Person{mal, bo, cy} {
		p.Reads("club", "before")
		p.Sync()
	}
	m := mal.Turn("club")
	m.Takeover(bo, func(c *room.Context, i *room.Invitation) { c.Rules++; c.Generation++ })
	bo.Told(client.NoticeUpdate)
	bo.Send("club", "to whoever is here")
	cy.Reads("club", "before", "to whoever is here")
	for _, p := range []*Person{bo, cy} {
		p.notTold(client.NoticeMoved, client.NoticeJunk, client.NoticeCopy, client.NoticeFork)
		if n := p.Room("club").Number; n != 1 {
			t.Errorf("%s is in generation %d", p.Name, n)
		}
	}
}
