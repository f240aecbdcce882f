package play

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// A room is moved by hand: nobody loses anything that was said, in flight or not.
func TestRoomMovesByHand(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo, cy := w.Person("ana"), w.PersonAt("bo", two), w.Person("cy")
	ana.gathers("club", bo, cy)
	var want []string
	for i := range 20 {
		text := fmt.Sprint("m", i)
		want = append(want, text)
		[]*Person{ana, bo, cy}[i%3].Send("club", text)
	}
	if err := bo.Client.MoveRoom(patient(t), "club", ""); err == nil {
		t.Fatal("a member moved the room")
	}
	if err := ana.Client.MoveRoom(patient(t), "club", ""); err == nil {
		t.Fatal("it is there already")
	}
	if err := ana.Client.SetAdmin(patient(t), "club", bo.Handle, true); err != nil {
		t.Fatal(err)
	}
	bo.Sync()
	var refusal *wire.Error
	if err := ana.Client.MoveRoom(patient(t), "club", two.Name); !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	cy.Write("club", "in flight")
	if err := bo.Client.MoveRoom(patient(t), "club", two.Name); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Person{ana, bo, cy} {
		p.Eventually("is at the new server", func() bool { return p.hostOf("club") == two.Name }, func() any { return p.hostOf("club") })
		p.has("club", "in flight")
		for _, text := range want {
			p.has("club", text)
		}
		if told := p.notices(client.NoticeMoved); len(told) != 1 || told[0] != "This conversation moved on to another place: somebody who manages it chose another server." {
			t.Errorf("%s was told %q", p.Name, told)
		}
	}
	ana.Send("club", "here we are")
	cy.has("club", "here we are")

	// Of two either may, and somebody who cannot be reached is not left behind.
	greets(ana, bo)
	if err := bo.Client.MoveRoom(patient(t), ana.Handle, ""); err != nil {
		t.Fatal(err)
	}
	ana.Eventually("followed", func() bool { return ana.hostOf(bo.Handle) == two.Name }, func() any { return ana.hostOf(bo.Handle) })
	w.Home.Stop()
	ana.Away()
	three := w.Host()
	dee := w.PersonAt("dee", three)
	if err := bo.Client.AddPeople(patient(t), "club", []string{dee.Handle}); err != nil {
		t.Fatal(err)
	}
	if err := bo.Client.SetAdmin(patient(t), "club", dee.Handle, true); err != nil {
		t.Fatal(err)
	}
	accept(t, dee, bo.Handle)
	dee.Eventually("is in", func() bool { return dee.Room("club").State == store.RoomActive }, func() any { return nil })
	dee.Sync()
	if err := dee.Client.MoveRoom(patient(t), "club", ""); err == nil {
		t.Error("the room left people behind")
	}
	if dee.hostOf("club") != two.Name {
		t.Error("it was moved all the same")
	}
}

// One of three servers is retired. Everybody there is told; people go, rooms follow by
// themselves, and it is switched off for good. No conversation is lost.
func TestServerRetires(t *testing.T) {
	w := New(t)
	two, three := w.Host(), w.Host()
	ana, bo, cy := w.Person("ana"), w.PersonAt("bo", two), w.PersonAt("cy", three)
	greets(ana, bo)
	greets(ana, cy)
	ana.gathers("club", bo, cy)
	if err := ana.Client.SetAdmin(patient(t), "club", bo.Handle, true); err != nil {
		t.Fatal(err)
	}
	bo.Sync()
	ana.Send("club", "one")
	cy.has("club", "one")
	on := w.Clock.Now().Add(30 * 24 * time.Hour).Truncate(time.Second)
	if err := w.Home.Server.Retire(on, "The house is sold"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Person{ana, bo, cy} {
		p.Eventually("is told", func() bool {
			return slices.ContainsFunc(p.Client.Hosts(), func(h client.HostState) bool {
				return h.Name == w.Home.Name && h.Retiring == on.UnixMilli() && h.Reason == "The house is sold" && h.Home == (p == ana)
			})
		}, func() any { return p.Client.Hosts() })
	}
	// The operator takes it back: rooms stay, although somebody had begun to think of it.
	w.Clock.Advance(time.Minute)
	if err := w.Home.Server.Retire(time.Time{}, ""); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Person{ana, bo, cy} {
		p.Eventually("is told", func() bool {
			return !slices.ContainsFunc(p.Client.Hosts(), func(h client.HostState) bool { return h.Retiring != 0 })
		}, func() any { return p.Client.Hosts() })
	}
	w.Clock.Advance(time.Hour)
	bo.Sync()
	if bo.hostOf(ana.Handle) != w.Home.Name && bo.hostOf("club") != w.Home.Name {
		t.Error("both rooms have left a server that goes on")
	}
	if err := w.Home.Server.Retire(on, "The house is sold"); err != nil {
		t.Fatal(err)
	}

	// Who has a home elsewhere sees to the rooms, by and by.
	atHome := func(p *Person, to string) bool { return p.hostOf(to) == w.Home.Name }
	bo.Later("the rooms have left", 10*time.Minute, func() bool {
		return !atHome(bo, "club") && !atHome(bo, ana.Handle) && !atHome(cy, ana.Handle)
	}, func() any { return []string{bo.hostOf("club"), bo.hostOf(ana.Handle), cy.hostOf(ana.Handle)} })
	ana.Later("is connected", time.Second, func() bool {
		return slices.ContainsFunc(ana.Client.Hosts(), func(h client.HostState) bool { return h.Home && h.Up })
	}, func() any { return ana.Client.Hosts() })
	ana.moves(t, three, client.Moving{})
	ana.Later("followed", time.Second, func() bool {
		return !atHome(ana, "club") && !atHome(ana, bo.Handle) && !atHome(ana, cy.Handle)
	}, func() any { return []string{ana.hostOf("club"), ana.hostOf(bo.Handle), ana.hostOf(cy.Handle)} })
	for _, p := range []*Person{bo, cy} {
		p.Later("knows where she is", time.Second, func() bool {
			return good(p.Client.Person(ana.account())).Handle == ana.Handle
		}, func() any { return nil })
	}
	for _, p := range []*Person{ana, bo, cy} {
		p.Sync()
	}
	if st := w.Home.Server.Status(); st.Accounts != 0 || st.Moved != 1 {
		t.Errorf("%+v", st)
	}
	w.Home.Stop()
	bo.Send(ana.Handle, "two")
	ana.Reads(bo.Handle, "hello", "two")
	ana.Send(cy.Handle, "three")
	cy.Reads(ana.Handle, "hello", "three")
	cy.Send("club", "four")
	bo.has("club", "four")
	ana.has("club", "four")
	ana.has("club", "one")
}
