package play

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Mallory has a copy of Ana's device and signs another list of her devices, which Bo's server
// shows to him. Ana's words decide, for Bo too.
func TestForkSettledByWords(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, between := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	words := ana.writesDown(t, "")
	account := ana.account()
	if err := bo.Client.SetCompared(account, true); err != nil {
		t.Fatal(err)
	}
	theirs := ana.keysOf().AddDevice(ana.chain(), must(identity.NewKeys(rnd)), time.Now())
	lie(between, "ana", func(l *wire.Lookup) { l.Chain = append(l.Chain, theirs) })
	act(t, bo, "looks Ana up", func(ctx context.Context) error { _, err := bo.Client.Find(ctx, ana.Handle); return err })
	between.Honest()
	phone := ana.device(t, "Phone")
	phone.Eventually("has the history", func() bool { h, err := phone.Client.History(); return err == nil && h != nil && h.Done }, func() any { return nil })
	bo.TextTold("Two different lists of devices of ana")
	if _, err := bo.Client.CreateRoom(patient(t), "den", []string{ana.Handle}); !errors.Is(err, identity.ErrFork) {
		t.Errorf("a room with a forked account: %v", err)
	}

	ana.writesDown(t, words)
	act(t, bo, "looks Ana up", func(ctx context.Context) error { _, err := bo.Client.Find(ctx, ana.Handle); return err })
	bo.TextTold("have settled which devices are theirs.")
	if p := must(bo.Client.Person(account)); p.Compared != 0 {
		t.Errorf("what was compared counts on: %+v", p)
	}
	if p := must(bo.Client.Person(account)); p.Paused == 0 {
		t.Errorf("Bo writes on as if nothing were: %+v", p)
	}
	if err := bo.Client.SetCompared(account, true); err != nil {
		t.Fatal(err)
	}
	act(t, bo, "makes a room", func(ctx context.Context) error {
		_, err := bo.Client.CreateRoom(ctx, "den", []string{ana.Handle})
		return err
	})
	bo.Send("den", "in the den")
	bo.Send(ana.Handle, "between us")
	for _, p := range []*Person{ana, phone} {
		p.Reads("den", "in the den")
		p.Eventually("reads Bo", func() bool { return slices.Contains(p.Texts(bo.Handle), "between us") }, func() any { return p.Texts(bo.Handle) })
	}
	for _, to := range []string{"den", ana.Handle} {
		if n := bo.devicesIn(to, account); n != 2 {
			t.Errorf("%d devices of Ana in %s", n, to)
		}
	}
}

// Ana's phone is shown another list of her devices than her laptop, and brings it into a room.
// Her words decide: the phone leaves that room and comes into it again, and both go on.
func TestOwnForkSettledByWords(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	act(t, ana, "makes a room", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "club", []string{bo.Handle})
		return err
	})
	bo.isIn("club", true)
	words := ana.writesDown(t, "")
	account := ana.account()
	phone := w.Nobody("ana", w.Home)
	between := phone.Between()
	ana.link(t, phone, "Phone")
	phone.isIn("club", true)

	tablet := ana.device(t, "Tablet")
	for _, p := range []*Person{ana, phone, tablet, bo} {
		p.isIn("club", true)
		p.Eventually("sees three devices in the room", func() bool { return p.devicesIn("club", account) == 3 }, func() any { return p.Room("club") })
	}
	if err := tablet.Client.SetMark(tablet.Room("club").ID, client.MarkChange{Pinned: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Person{ana, phone} { // all are in the room of her devices: none brings another into it from here on
		p.sees("pinned", func() bool { return p.mark("club").Pinned })
	}
	phone.Away()
	theirs := ana.keysOf().RevokeDevice(ana.chain(), tablet.keysOf().Name, time.Now())
	lie(between, "ana", func(l *wire.Lookup) { l.Chain[len(l.Chain)-1] = theirs })
	ana.grow()
	ana.Away()
	ana.Back()
	ana.Eventually("knows what her server says", func() bool { return len(must(ana.Client.Devices(account))) == 4 }, func() any { return must(ana.Client.Devices(account)) })
	ana.Away()
	phone.Back()
	phone.TextTold("A device was unlinked from your account")
	tablet.isIn("club", false)
	ana.Back()
	ana.TextTold("Two of your devices disagree")
	between.Honest()

	ana.writesDown(t, words)
	phone.Away()
	phone.Back()
	phone.TextTold("Your 24 words have settled which devices you have.")
	all := []*Person{ana, phone, tablet, bo}
	for _, p := range all {
		p.Eventually("sees three devices in the room", func() bool { return p.Room("club").State == store.RoomActive && p.devicesIn("club", account) == 3 }, func() any { return p.Room("club") })
	}
	for i, p := range all {
		p.Send("club", "from "+strings.Repeat("|", i))
	}
	for _, p := range all {
		p.Eventually("reads all", func() bool { return len(p.Texts("club")) == len(all) }, func() any { return p.Texts("club") })
	}
}
