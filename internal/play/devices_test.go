package play

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/linking"
	"sotto/internal/store"
	"sotto/internal/store/seed"
	"sotto/internal/wire"
)

// link makes somebody with no account another device of p: by the code, and with the word
// that both show the same.
func (p *Person) link(t testing.TB, fresh *Person, label string) {
	t.Helper()
	fresh.Open()
	l, err := p.Client.StartLinking(patient(t))
	if err != nil {
		t.Fatal(err)
	}
	linked := make(chan error, 1)
	go func() { linked <- fresh.Client.Link(patient(t), p.Handle, l.Code.Digits, label) }()
	p.Eventually("words to compare", func() bool { return p.Client.Linking().Stage == client.LinkCompare }, func() any { return p.Client.Linking() })
	if a, b := p.Client.Linking(), fresh.Client.Linking(); a.Words != b.Words || a.Words[0] == "" || a.Label != label {
		t.Fatalf("%+v\n%+v", a, b)
	}
	if err := p.Client.ConfirmLinking(patient(t)); err != nil {
		t.Fatal(err)
	}
	if err := <-linked; err != nil {
		t.Fatal(err)
	}
}

// devicesIn is how many devices of an account are in a room.
func (p *Person) devicesIn(to string, account identity.ID) int {
	id, err := p.Client.Resolve(to)
	if err != nil {
		p.w.T.Fatal(err)
	}
	rooms, err := p.Client.Rooms()
	if err != nil {
		p.w.T.Fatal(err)
	}
	for _, r := range rooms {
		for _, m := range r.Members {
			if r.ID == id && m.Account == account {
				return m.Devices
			}
		}
	}
	return 0
}

// device makes another device for a person, with a home of its own.
func (p *Person) device(t *testing.T, label string) *Person {
	fresh := p.w.Nobody(p.Name, p.Host)
	p.link(t, fresh, label)
	return fresh
}

// Ana links a phone. Both read and write; then the phone is lost, and reads nothing more.
func TestTwoDevices(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	friends(t, ana, bo)
	if _, err := ana.Client.CreateRoom(patient(t), "Council", []string{bo.Handle, cy.Handle}); err != nil {
		t.Fatal(err)
	}
	accept(t, cy, ana.Handle)
	bo.Eventually("in the council", func() bool { return bo.Room("Council").Title != "" }, func() any { return nil })
	phone := ana.device(t, "Phone")

	for _, room := range []string{bo.Handle, "Council"} {
		phone.Eventually("is in "+room, func() bool { return len(phone.Texts(room)) > 0 || phone.Room(room).Title+phone.Room(room).Name != "" }, func() any { return phone.Room(room) })
	}
	bo.Told(client.NoticeDevice)
	bo.Send(ana.Handle, "to both")
	bo.Send("Council", "to all")
	has := func(p *Person, room, text string) {
		t.Helper()
		p.Eventually("reads "+text, func() bool { return slices.Contains(p.Texts(room), text) }, func() any { return p.Texts(room) })
	}
	for _, p := range []*Person{ana, phone} {
		has(p, bo.Handle, "to both")
		has(p, "Council", "to all")
	}
	phone.Send(bo.Handle, "from the phone")
	has(bo, ana.Handle, "from the phone")
	has(ana, bo.Handle, "from the phone")
	ana.Send(bo.Handle, "from the desk")
	has(phone, bo.Handle, "from the desk")

	// What is read on one device has been read on the other.
	unseen := func(p *Person, room string) int64 { return p.Room(room).Unseen }
	list, err := phone.Client.Messages(nil, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if unseen(ana, "Council") == 0 {
		t.Fatal("nothing to be read")
	}
	if err := phone.Client.Seen(list); err != nil {
		t.Fatal(err)
	}
	ana.Eventually("has read it too", func() bool { return unseen(ana, "Council") == 0 }, func() any { return unseen(ana, "Council") })
	if err := ana.Client.DeleteAccount(patient(t)); !errors.Is(err, client.ErrOtherDevices) {
		t.Fatal("the account was deleted under another device:", err)
	}

	// A room that is made on one device has the other in it.
	if _, err := phone.Client.CreateRoom(patient(t), "Later", []string{cy.Handle}); err != nil {
		t.Fatal(err)
	}
	ana.Eventually("is in the room of the phone", func() bool { return ana.Room("Later").Title != "" }, func() any { return nil })

	// A person leaves a room, not a device.
	later := ana.Room("Later").ID
	if err := phone.Client.Leave(patient(t), "Later"); err != nil {
		t.Fatal(err)
	}
	ana.Eventually("has left too", func() bool { r := ana.Room("Later"); return r.ID == later && r.State == store.RoomLeft }, func() any { return ana.Room("Later").State })

	devices, err := ana.Client.Devices(ana.account())
	if err != nil || len(devices) != 2 || devices[1].Name != "Phone" || devices[1].By == nil || !devices[0].Self {
		t.Fatalf("%+v %v", devices, err)
	}
	if err := ana.Client.Unlink(patient(t), devices[1].Device); err != nil {
		t.Fatal(err)
	}
	phone.Eventually("knows that it is out", func() bool {
		list, _ := phone.Client.Notices(0)
		return slices.ContainsFunc(list, func(n store.Notice) bool {
			return n.Kind == client.NoticeDevice && n.Text == "This device was unlinked from your account. What it holds stays here, and nothing new comes."
		})
	}, func() any { l, _ := phone.Client.Notices(0); return l })
	for _, room := range []string{ana.Handle, "Council"} {
		bo.Eventually("sees one device of Ana", func() bool { return bo.devicesIn(room, ana.account()) == 1 }, func() any { return bo.devicesIn(room, ana.account()) })
	}
	bo.Send(ana.Handle, "after the phone was lost")
	has(ana, bo.Handle, "after the phone was lost")
	if slices.Contains(phone.Texts(bo.Handle), "after the phone was lost") {
		t.Error("a device that was unlinked reads on")
	}
}

// A device that is cut off when it has been added comes into the rooms when it is back: no
// invitation goes to an inbox that is not there yet.
func TestLinkedAndCutOff(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	phone := w.Nobody("ana", w.Home)
	b := phone.Between()
	var cuts atomic.Int32
	b.Up(func(p *Passing) {
		if p.Op == wire.OpPublish && cuts.Add(1) <= 5 {
			p.Cut()
		}
	})
	ana.link(t, phone, "Phone")
	phone.Eventually("is in the conversation", func() bool { return phone.Room(bo.Handle).Name != "" }, func() any { return cuts.Load() })
	if cuts.Load() < 6 {
		t.Error("it was not cut off")
	}
	bo.Send(ana.Handle, "to both")
	phone.Eventually("reads on", func() bool { return slices.Contains(phone.Texts(bo.Handle), "to both") }, func() any { return phone.Texts(bo.Handle) })
	ana.notTold(client.NoticeFailed)
}

// The history comes to the new device as it is on the old one, with what was made of it.
func TestHistory(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	var first store.Message
	for i := range 300 {
		from, to := ana, bo
		if i%3 == 0 {
			from, to = bo, ana
		}
		m := from.Write(to.Handle, fmt.Sprintf("line %d", i))
		if i == 0 {
			first = m
		}
	}
	ana.Sync()
	bo.Sync()
	ana.Eventually("has all", func() bool { return len(ana.Texts(bo.Handle)) == 301 }, func() any { return len(ana.Texts(bo.Handle)) })
	if _, err := ana.Client.ReactTo(patient(t), first.ID, "🌱"); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.Star(first.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.SetNickname(bo.account(), "Bobo"); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.SetSettings(func(s *client.Settings) { s.Theme = "dark" }); err != nil {
		t.Fatal(err)
	}
	ana.Sync()
	phone := ana.device(t, "Phone")
	phone.Eventually("has the history", func() bool { h, _ := phone.Client.History(); return h != nil && h.Done }, func() any { h, _ := phone.Client.History(); return h })
	bo.Send(ana.Handle, "after")
	want := append(ana.Texts(bo.Handle), "after")
	if want[len(want)-2] == "after" {
		want = want[:len(want)-1]
	}
	phone.Reads(bo.Handle, want...)
	ana.Reads(bo.Handle, want...)
	if p, err := phone.Client.Person(bo.account()); err != nil || p == nil || p.Nickname != "Bobo" || p.Standing != store.Contact {
		t.Errorf("%+v %v", p, err)
	}
	if s, _ := phone.Client.Settings(); s.Theme != "dark" {
		t.Errorf("%+v", s)
	}
	s, err := phone.Client.Shown(first.ID)
	if err != nil || s == nil || !s.Starred || len(s.Reactions) != 1 {
		t.Errorf("%+v %v", s, err)
	}
	if h, _ := phone.Client.History(); h.Got < 301 || h.Total < h.Got {
		t.Errorf("%+v", h)
	}
	if h, _ := ana.Client.History(); h != nil {
		t.Errorf("the first device takes a history: %+v", h)
	}
}

// fill gives a device a past of so many messages.
func (p *Person) fill(t testing.TB, messages int) {
	t.Helper()
	p.Away()
	st, err := store.Open(store.Options{Path: filepath.Join(p.Home, "sotto.db"), Key: sha256.Sum256([]byte(p.Name))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seed.Fill(st, seed.Plan{Rooms: 20, Messages: messages, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	p.Back()
}

// A long history survives ten cuts, at either end and in the middle, and nothing of it comes
// twice or out of its place.
func TestHistoryCut(t *testing.T) {
	n := 100_000
	if raceEnabled {
		n = 5_000
	}
	w := New(t)
	ana := w.Person("ana")
	ana.fill(t, n)
	begun := time.Now()
	phone := ana.device(t, "Phone")
	got := func() int64 {
		h, err := phone.Client.History()
		if err != nil || h == nil {
			t.Fatal(h, err)
		}
		return h.Got
	}
	for i := range 10 {
		before := got()
		phone.Eventually("goes on", func() bool { h, _ := phone.Client.History(); return h.Got > before || h.Done }, func() any { h, _ := phone.Client.History(); return h })
		switch i % 3 {
		case 0:
			phone.Away()
			phone.Back()
		case 1:
			ana.Away()
			ana.Back()
		case 2:
			w.Home.Stop()
			w.Home.Start()
		}
	}
	phone.Eventually("has the whole history", func() bool { h, _ := phone.Client.History(); return h.Done }, func() any { h, _ := phone.Client.History(); return h })
	t.Logf("%d messages in %v, with ten cuts", got(), time.Since(begun).Round(time.Millisecond))
	here, err := ana.Client.Messages(nil, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	there, err := phone.Client.Messages(nil, 0, 1<<20)
	if err != nil || len(there) != len(here) || len(here) < n {
		t.Fatalf("%d of %d messages: %v", len(there), len(here), err)
	}
	for i := range here {
		a, b := here[i], there[i]
		a.Local, b.Local = 0, 0
		if a.ID != b.ID || a.Text != b.Text || a.Pos != b.Pos || a.At != b.At || a.State != b.State || a.Flags != b.Flags {
			t.Fatalf("message %d is another one:\n%+v\n%+v", i, a, b)
		}
		// Of an edited one the seed keeps the content of before, as no device does.
		if a.Flags&store.FlagEdited == 0 && !bytes.Equal(a.Content, b.Content) {
			t.Fatalf("message %d says another thing", i)
		}
	}
}

// A code serves once, and who guesses it is noticed.
func TestLinkingGuessed(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	l, err := ana.Client.StartLinking(patient(t))
	if err != nil {
		t.Fatal(err)
	}
	wrong := "00000000"
	if l.Code.Digits == wrong {
		wrong = "00000001"
	}
	mallory := w.Nobody("mallory", w.Home)
	mallory.Open()
	if err := mallory.Client.Link(patient(t), ana.Handle, wrong, "Phone"); !errors.Is(err, linking.ErrCode) {
		t.Fatal(err)
	}
	ana.Eventually("notices the guess", func() bool { return ana.Client.Linking().Stage == client.LinkFailed }, func() any { return ana.Client.Linking() })
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := mallory.Client.Link(ctx, ana.Handle, l.Code.Digits, "Phone"); !errors.Is(err, wire.Refuse(wire.CodeNoMeeting, "")) {
		t.Fatal("the code served twice:", err)
	}
	if d, _ := ana.Client.Devices(ana.account()); len(d) != 1 {
		t.Fatal(d)
	}
}

// The code of a device is no invitation, and an invitation no code.
func TestLinkingQR(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Nobody("bo", w.Home)
	bo.Open()
	l, err := ana.Client.StartLinking(patient(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wire.ParseLink(l.Code.QR()); err == nil {
		t.Error("a code of linking is taken for an invitation")
	}
	if err := bo.Client.Link(patient(t), "", "https://"+w.Home.Name+"/i#x", ""); err == nil {
		t.Error("an invitation is taken for a code of linking")
	}
	if err := ana.Client.Link(patient(t), "", l.Code.QR(), ""); !errors.Is(err, client.ErrAccount) {
		t.Error("a device with an account was linked:", err)
	}
}
