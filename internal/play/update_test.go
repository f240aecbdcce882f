package play

import (
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
)

// An admin has the room follow rules that this program does not know. Everybody is asked to
// update, nobody follows or moves the room, and what is written meanwhile is kept and says
// that it waits.
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
		p.Told(client.NoticeUpdate)
	}
	kept := bo.Write("club", "after")
	for _, p := range []*Person{bo, cy} {
		p.Away()
		p.Back()
		p.Told(client.NoticeUpdate)
	}
	w.Clock.Advance(26 * time.Hour)
	if s := bo.message(kept.ID).State; s != store.Queued {
		t.Errorf("the message is %v", s)
	}
	cy.Reads("club", "before")
	for _, p := range []*Person{bo, cy} {
		p.notTold(client.NoticeMoved, client.NoticeJunk, client.NoticeCopy, client.NoticeFork)
		if n := p.Room("club").Number; n != 1 {
			t.Errorf("%s is in generation %d", p.Name, n)
		}
	}
}
