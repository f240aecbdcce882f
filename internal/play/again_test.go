package play

import (
	"context"
	"testing"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mimi"
)

// A member sends what she wrote once more, as what takes another place when a room has moved.
// It has not, so her words stay where they were said, and are shown once. What nobody has is
// shown, like any other message.
func TestAgainWithoutMove(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	yes := mal.Send("club", "yes")
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "yes")
	}
	edit := mal.Compose("club", client.Edit(yes.ID, "yes!"))
	bo.Reads("club", "yes!", "yes!") // the edit is its own text here
	ana.Send("club", "is it yours?")
	for _, p := range []*Person{ana, bo, mal} {
		p.Reads("club", "yes!", "yes!", "is it yours?")
		p.Sync()
	}
	m := mal.Turn("club")
	for range 3 {
		m.Post(room.PayloadAgain, yes.Content)
		m.Post(room.PayloadAgain, edit.Content)
	}
	bo.Send("club", "no")
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "yes!", "yes!", "is it yours?", "no")
		p.notTold(client.NoticeJunk, client.NoticeCopy, client.NoticeFork)
	}
	m.Post(room.PayloadAgain, body(mimi.NewText(rnd, "new")))
	ana.Reads("club", "yes!", "yes!", "is it yours?", "no", "new")
}

// Whoever moves a room says where the old place ended. One who came late names an end before
// that: what was written before they came is not sent again to them all the same.
func TestMovedToBeforeOneCame(t *testing.T) {
	w := New(t)
	ana, bo, cy, mal := w.Person("ana"), w.Person("bo"), w.Person("cy"), w.Person("mal")
	group(t, "club", ana, bo, cy)
	cy.Away() // so that nothing is delivered to everybody
	before := bo.Send("club", "before she came")
	ana.Reads("club", "before she came")
	act(t, ana, "adds mallory", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{mal.Handle}) })
	accept(t, mal, ana.Handle)
	bo.Eventually("sees her", func() bool { return len(bo.Room("club").Members) == 4 }, func() any { return bo.Room("club").Members })
	act(t, ana, "lets her manage the room", func(ctx context.Context) error { return ana.Client.SetAdmin(ctx, "club", mal.Handle, true) })
	since := bo.Send("club", "since she came")
	mal.Reads("club", "since she came")
	bo.Eventually("knows that she manages it", func() bool {
		for _, m := range bo.Room("club").Members {
			if m.Handle == mal.Handle && m.Admin {
				return true
			}
		}
		return false
	}, func() any { return bo.Room("club").Members })
	m := mal.Turn("club")
	m.Takeover(bo, func(c *room.Context, _ *room.Invitation) {
		c.Generation++
		c.Before = &room.Place{Log: m.Gen.Log, Seq: 1}
	})
	bo.Eventually("follows her", func() bool { return bo.Room("club").Number == 2 }, func() any { return bo.Room("club") })
	for _, x := range []struct {
		m     store.Message
		state store.MessageState
	}{{before, store.Stored}, {since, store.Queued}} {
		got, err := bo.Client.Message(x.m.ID)
		if err != nil || got == nil || got.State != x.state {
			t.Errorf("%q is %+v, not %v (%v)", x.m.Text, got, x.state, err)
		}
	}
}
