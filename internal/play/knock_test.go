package play

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// linkOf makes a link to a person's room.
func (p *Person) linkOf(t *testing.T, title string, lasts time.Duration, approve bool) client.RoomLink {
	t.Helper()
	l, err := p.Client.NewRoomLink(patient(t), p.Room(title).ID, p.w.Clock.Now().Add(lasts), approve)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (p *Person) knocks(t *testing.T, link string) client.Knocked {
	t.Helper()
	k, err := p.Client.Knock(patient(t), link)
	if err != nil {
		t.Fatalf("%s knocks: %v", p.Name, err)
	}
	return k
}

func (p *Person) isIn(title string, yes bool) {
	p.w.T.Helper()
	p.Eventually("is in", func() bool { return (p.Room(title).State == store.RoomActive) == yes }, func() any { return p.Room(title) })
}

// waiting waits until so many wait at a room.
func (p *Person) waiting(title string, n int) []client.KnockInfo {
	p.w.T.Helper()
	var list []client.KnockInfo
	p.Eventually("knocks", func() bool {
		var err error
		list, err = p.Client.Knocks(p.Room(title).ID)
		return err == nil && len(list) == n
	}, func() any { return list })
	return list
}

func TestRoomLink(t *testing.T) {
	w := New(t)
	far := w.Host()
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.PersonAt("cy", far)
	group(t, "club", ana, bo)
	link := ana.linkOf(t, "club", time.Hour, false)
	k := cy.knocks(t, link.Link.String())
	if k.Room == nil || *k.Room != ana.Room("club").ID {
		t.Fatalf("%+v", k)
	}
	cy.isIn("club", true)
	cy.Send("club", "hello all")
	bo.Reads("club", "hello all")
	if l := good(ana.Client.RoomLinks(link.Room)); len(l) != 1 || l[0].Used != 1 || l[0].Link != link.Link {
		t.Errorf("%+v", l)
	}
	if k := cy.knocks(t, link.Link.String()); k.Room == nil {
		t.Error("a member is not shown the room")
	}
	// Only who manages a room makes links; nobody knocks at their own; other links lead to no room.
	if _, err := bo.Client.NewRoomLink(patient(t), link.Room, w.Clock.Now().Add(time.Hour), false); err == nil {
		t.Error("a member made a link")
	}
	contact := good(ana.Client.NewContactLink(patient(t), w.Clock.Now().Add(time.Hour)))
	for _, x := range []struct {
		p    *Person
		link string
	}{{ana, link.Link.String()}, {bo, contact.String()}, {bo, "x"}} {
		if _, err := x.p.Client.Knock(patient(t), x.link); err == nil {
			t.Errorf("%s knocked at %s", x.p.Name, x.link)
		}
	}
	// Who was removed does not come back by the link.
	act(t, ana, "removes cy", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "club", cy.Handle) })
	cy.isIn("club", false)
	if err := ana.Client.DropRoomLink(patient(t), link.Room, link.ID); err != nil {
		t.Fatal(err)
	}
	other := ana.linkOf(t, "club", time.Hour, true)
	cy.knocks(t, other.Link.String())
	bo.Send("club", "later")
	ana.Sync()
	ana.waiting("club", 0)
	cy.isIn("club", false)
}

// Somebody has to say yes; both sides may be away in between.
func TestRoomLinkApproval(t *testing.T) {
	w := New(t)
	ana, bo, cy, di := w.Person("ana"), w.Person("bo"), w.Person("cy"), w.Person("di")
	group(t, "club", ana, bo)
	link := ana.linkOf(t, "club", time.Hour, true)
	ana.Away()
	cy.shows(t, "Cy", "", nil)
	for _, p := range []*Person{cy, di} {
		if k := p.knocks(t, link.Link.String()); !k.Waiting || k.Room != nil {
			t.Fatalf("%+v", k)
		}
		p.Sync()
		p.Away()
	}
	ana.Back()
	list := ana.waiting("club", 2)
	i := slices.IndexFunc(list, func(k client.KnockInfo) bool { return k.Handle == cy.Handle })
	if i < 0 || list[i].Name != "Cy" {
		t.Fatalf("%+v", list)
	}
	ana.TextTold("came by a link and would like to come in.")
	act(t, ana, "lets cy in", func(ctx context.Context) error { return ana.Client.AnswerKnock(ctx, list[i].ID, true) })
	act(t, ana, "refuses di", func(ctx context.Context) error { return ana.Client.AnswerKnock(ctx, list[1-i].ID, false) })
	if err := ana.Client.AnswerKnock(patient(t), list[1-i].ID, true); err == nil {
		t.Error("answered twice")
	}
	cy.Back()
	di.Back()
	cy.isIn("club", true)
	di.knocks(t, link.Link.String()) // asks again: no answer
	di.Sync()
	bo.Send("club", "hi")
	ana.Sync()
	ana.waiting("club", 0)
	if r := good(di.Client.Requests()); len(r) != 0 || di.Room("club").State == store.RoomActive {
		t.Error("di is in")
	}
	cy.Send("club", "thanks")
	bo.Reads("club", "hi", "thanks")
}

// What does not open the door: a link that is over, another's secret, another's proof, the
// same knock again, somebody else's name. Nothing is answered and nobody is told.
func TestBadKnocks(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo)
	link := ana.linkOf(t, "club", time.Hour, true)
	l := fetch[wire.Lookup](w, w.Home.Name, "GET", "/v1/directory/ana", nil)
	theirs := good(identity.Verify(l.Chain))
	to := theirs.ActiveDevices()[0]
	account := mal.account()
	mal.Away()
	keys := mal.keysOf()
	chain := good(identity.Verify(fetch[wire.Lookup](w, w.Home.Name, "GET", "/v1/directory/mal", nil).Chain))
	raw := w.Dial(w.Home.Name, "/v1/log")
	put := func(sealed []byte) {
		t.Helper()
		if _, err := raw.Call(wire.OpPut, wire.Put{Inbox: l.Devices[0].Inbox, Capability: l.Devices[0].Capability, Entry: sealed}); err != nil {
			t.Fatal(err)
		}
	}
	seal := func(k *identity.Keys, c *identity.Chain, body []byte) []byte {
		return good(room.SealEnvelope(k, c, to, room.EnvelopeKnock, body, uint64(w.Clock.Now().UnixMilli())))
	}
	settled := func(want int) {
		t.Helper()
		ana.Sync()
		ana.waiting("club", want)
	}
	bad := room.NewKnock(link.ID, wire.Secret{1}, [16]byte{1}, account, "")
	put(seal(keys, chain, wire.Marshal(bad)))
	put(seal(keys, chain, wire.Marshal(room.NewKnock(link.ID, link.Secret, [16]byte{2}, bo.account(), "")))) // Bo's proof
	put(seal(keys, chain, wire.Marshal(room.NewKnock(room.LinkID{9}, link.Secret, [16]byte{3}, account, ""))))
	put(seal(keys, chain, []byte{0xa0}))
	settled(0)

	// The right one is taken once: put in again after the answer, it does nothing.
	sealed := seal(keys, chain, wire.Marshal(room.NewKnock(link.ID, link.Secret, [16]byte{4}, account, "")))
	put(sealed)
	list := ana.waiting("club", 1)
	act(t, ana, "lets mallory in", func(ctx context.Context) error { return ana.Client.AnswerKnock(ctx, list[0].ID, true) })
	act(t, ana, "removes her", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "club", mal.Handle) })
	put(sealed)
	put(seal(keys, chain, wire.Marshal(room.NewKnock(link.ID, link.Secret, [16]byte{5}, account, ""))))
	settled(0)

	// Somebody who says she is Cy, with a chain of her own making: Cy is not brought in for it.
	cy := w.Person("cy")
	open := ana.linkOf(t, "club", time.Hour, false)
	fake := good(identity.NewKeys(rnd))
	fakes := good(identity.Verify([][]byte{fake.Genesis(good(wire.ParseHandle(cy.Handle)), w.Clock.Now())}))
	put(seal(fake, fakes, wire.Marshal(room.NewKnock(open.ID, open.Secret, [16]byte{6}, fakes.ID(), ""))))
	ana.Sync()
	ana.Eventually("the wish is over", func() bool { l := good(ana.Client.RoomLinks(open.Room)); return l[0].Used == 1 || l[1].Used == 1 }, func() any { return nil })
	bo.Send("club", "who is there")
	ana.Sync()
	if n := len(ana.Room("club").Members); n != 2 {
		t.Errorf("%d members", n)
	}
	if r := good(cy.Client.Requests()); len(r) != 0 {
		t.Error("cy was invited")
	}

	// Over.
	w.Clock.Advance(2 * time.Hour)
	if _, err := cy.Client.Knock(patient(t), link.Link.String()); err == nil || !strings.Contains(err.Error(), "over") {
		t.Error(err)
	}
	late := link.Link
	late.Until = uint64(w.Clock.Now().Add(time.Hour).UnixMilli())
	cy.knocks(t, late.String())
	cy.Sync()
	settled(0)
	if l := good(ana.Client.RoomLinks(link.Room)); len(l) != 0 {
		t.Error("a link that is over is shown")
	}
	for _, n := range good(ana.Client.Notices(0)) {
		if n.Kind == client.NoticeFailed || n.Kind == client.NoticeIdentity {
			t.Errorf("%s: %s", n.Kind, n.Text)
		}
	}
}

// An invitation is followed by itself only if it answers the knock: of who made the link, to a
// group of that name.
func TestKnockAnsweredByAnother(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo)
	link := ana.linkOf(t, "club", time.Hour, true)
	cy.knocks(t, link.Link.String())
	ana.waiting("club", 1)
	// Bo, who is an admin too, adds Cy: that is no answer to the knock, so Cy is asked.
	act(t, ana, "makes bo admin", func(ctx context.Context) error { return ana.Client.SetAdmin(ctx, "club", bo.Handle, true) })
	act(t, bo, "adds cy", func(ctx context.Context) error { return bo.Client.AddPeople(ctx, "club", []string{cy.Handle}) })
	accept(t, cy, bo.Handle)
	cy.isIn("club", true)
}
