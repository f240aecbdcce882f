package play

import (
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// Somebody with a copy of a device's secrets who only looks, and acknowledges nothing: the
// person is told when both look.
func TestWatchedTwice(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "one")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "one")
	r := bo.Reader(ana.Handle)
	f, err := r.raw.Call(wire.OpWatch, wire.Watch{Places: []wire.Place{{Ref: 1, Secret: r.gen.Secret}}, Credit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var states wire.Watching
	if err := wire.Unmarshal(f.Body, &states); err != nil || len(states.States) != 1 || states.States[0].Code != wire.OK {
		t.Fatalf("the copy does not see anything: %+v, %v", states, err)
	}
	bo.Told(client.NoticeElsewhere)
	w.Clock.Advance(2 * time.Minute)
	ana.Send(bo.Handle, "two")
	bo.Reads(ana.Handle, "one", "two")
}
