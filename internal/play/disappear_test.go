package play

import (
	"context"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
)

// Edits, replies, reactions, deletions and expiry do on both sides what they say.
func TestContentActs(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	first := ana.Send(bo.Handle, "frist")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "frist")
	ana.Compose(bo.Handle, client.Edit(first.ID, "first"))
	bo.Reads(ana.Handle, "first", "first")
	bo.Compose(ana.Handle, client.React(first.ID, "👍"))
	bo.Compose(ana.Handle, client.Reply(first.ID, "indeed"))
	ana.Reads(bo.Handle, "first", "first", "👍", "indeed")
	ana.Compose(bo.Handle, client.Delete(first.ID))
	bo.Reads(ana.Handle, "", "", "👍", "indeed", "")
	m, err := bo.Client.Message(first.ID)
	if err != nil || m.Flags&store.FlagDeleted == 0 || len(m.Content) != 0 {
		t.Fatalf("a deleted message: %+v, %v", m, err)
	}
	ana.Compose(bo.Handle, client.Expiring(client.Text("soon gone"), w.Clock.Now().Add(time.Hour)))
	bo.Reads(ana.Handle, "", "", "👍", "indeed", "", "soon gone")
	w.Clock.Advance(2 * time.Hour)
	for _, p := range []*Person{ana, bo} {
		p.Reads(other(p, ana, bo).Handle, "", "", "👍", "indeed", "")
	}
}

// A room's disappearing time: what is written goes so long after it was read.
func TestDisappear(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	group(t, "club", ana, bo)
	ana.Send("club", "stays")
	bo.Reads("club", "stays")
	act(t, ana, "lets messages disappear", func(ctx context.Context) error { return ana.Client.SetDisappear(ctx, "club", time.Minute) })
	ana.Send("club", "goes")
	bo.Reads("club", "stays", "goes")
	w.Clock.Advance(3 * time.Minute)
	ana.Reads("club", "stays")
	bo.Reads("club", "stays", "goes") // not seen yet
	if err := bo.Client.Seen(must(bo.Client.Messages(nil, 0, 100))); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(3 * time.Minute)
	bo.Reads("club", "stays")
}
