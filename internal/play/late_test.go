package play

import (
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Who has said nothing for a day after being added is invited again: once, not again and
// again; and gets in with it.
func TestInvitedAgain(t *testing.T) {
	w := New(t)
	ana, between := w.Watched("ana", w.Home)
	bo := w.Person("bo")
	if _, err := ana.Client.CreateRoom(patient(t), "club", []string{bo.Handle}); err != nil {
		t.Fatal(err)
	}
	ana.Sync()
	bo.Eventually("has a request", func() bool { return len(must(bo.Client.Requests())) == 1 }, func() any { return nil })
	bo.Away()
	claims := between.Requested("key-packages")
	w.Clock.Advance(25 * time.Hour)
	ana.Eventually("invites again", func() bool { return between.Requested("key-packages") > claims }, func() any { return nil })
	before := between.Sent(wire.OpAppend)
	for range 10 { // swaps are a second apart
		w.Clock.Advance(2 * time.Second)
		ana.Sync()
	}
	if n := between.Sent(wire.OpAppend) - before; n > 2 {
		t.Errorf("%d appends after one invitation", n)
	}
	bo.Back()
	bo.Sync()
	accept(t, bo, ana.Handle)
	bo.Eventually("is in", func() bool { return bo.Room("club").State == store.RoomActive }, func() any { return bo.kinds() })
	ana.Send("club", "there you are")
	bo.Reads("club", "there you are")
	bo.Send("club", "here I am")
	ana.Reads("club", "there you are", "here I am")
	bo.notTold(client.NoticeRemoved)
}
