package play

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// Ear collects what a person's device tells.
type Ear struct {
	mu   sync.Mutex
	list []client.Event
}

// Listen begins to collect.
func (p *Person) Listen() *Ear {
	e := &Ear{}
	p.Client.Subscribe(func(x client.Event) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.list = append(e.list, x)
	})
	return e
}

// Count counts events of a kind about an account.
func (e *Ear) Count(kind client.EventKind, account identity.ID, on bool) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.list {
		if x.Kind == kind && x.Account == account && x.On == on {
			n++
		}
	}
	return n
}

// account is a person's identity.
func (p *Person) account() identity.ID {
	p.w.T.Helper()
	s, err := p.Client.Self()
	if err != nil {
		p.w.T.Fatal(err)
	}
	return s.Account
}

// Hears waits until an event came that often.
func (p *Person) Hears(e *Ear, kind client.EventKind, of *Person, on bool, times int) {
	p.w.T.Helper()
	p.Eventually("hears "+string(kind)+" of "+of.Name, func() bool { return e.Count(kind, of.account(), on) == times }, func() any { return e.Count(kind, of.account(), on) })
}

// friends are two people who write to each other.
func friends(t *testing.T, a, b *Person) {
	t.Helper()
	a.Send(b.Handle, "hello")
	accept(t, b, a.Handle)
	b.Reads(a.Handle, "hello")
	ready(a, b.Handle)
	ready(b, a.Handle)
}

// ready waits until nothing is under way, so that a signal has somebody to hear it.
func ready(p *Person, _ string) { p.w.T.Helper(); p.Sync() }

func (p *Person) types(to string, on bool) {
	p.w.T.Helper()
	if err := p.Client.SetTyping(p.Room(to).ID, on); err != nil {
		p.w.T.Fatal(err)
	}
}

func TestTyping(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	ear, own := bo.Listen(), ana.Listen()
	ana.types(bo.Handle, true)
	bo.Hears(ear, client.EventWriting, ana, true, 1)
	ana.types(bo.Handle, true) // too soon: nothing leaves
	w.Clock.Advance(7 * time.Second)
	bo.Hears(ear, client.EventWriting, ana, false, 1)

	// She writes on: it does not end in between, and ends with the message.
	ana.types(bo.Handle, true)
	bo.Hears(ear, client.EventWriting, ana, true, 2)
	ana.Send(bo.Handle, "there")
	bo.Reads(ana.Handle, "hello", "there")
	bo.Hears(ear, client.EventWriting, ana, false, 2)
	if n := own.Count(client.EventWriting, ana.account(), true); n != 0 {
		t.Errorf("ana hears of herself %d times", n)
	}

	// She stops.
	w.Clock.Advance(5 * time.Second)
	ana.types(bo.Handle, true)
	bo.Hears(ear, client.EventWriting, ana, true, 3)
	w.Clock.Advance(4 * time.Second)
	ana.types(bo.Handle, false)
	bo.Hears(ear, client.EventWriting, ana, false, 3)

	// Switched off, nothing leaves.
	w.Clock.Advance(10 * time.Second)
	if err := ana.Client.SetTells(client.Tells{}); err != nil {
		t.Fatal(err)
	}
	ana.types(bo.Handle, true)
	bo.Send(ana.Handle, "done") // a later entry of the same host
	ana.Send(bo.Handle, "me too")
	bo.Reads(ana.Handle, "hello", "there", "done", "me too")
	if n := ear.Count(client.EventWriting, ana.account(), true); n != 3 {
		t.Errorf("heard %d times", n)
	}
	ana.Away()
	ana.Back()
	if ana.Client.Tells().Typing {
		t.Error("the setting was forgotten")
	}

	// A blocked person's is not told.
	bo.types(ana.Handle, true)
	ears := ana.Listen()
	if err := ana.Client.SetBlocked(bo.account(), true); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(5 * time.Second)
	ana.Sync()
	bo.types(ana.Handle, true)
	bo.Send(ana.Handle, "blocked")
	ana.Sync()
	if n := ears.Count(client.EventWriting, bo.account(), true); n > 1 {
		t.Errorf("a blocked person's typing was told")
	}
}

// Mallory is in a group with Ana and Bo: what she signs as Ana is dropped, and so is what
// comes again.
func TestForgedSignals(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	for _, p := range []*Person{ana, bo, mal} {
		p.Sync()
	}
	m := mal.Turn("club")
	ear := bo.Listen()
	key, err := room.NewSignalKey(m.Group, m.Gen.Log, m.Group.Epoch())
	if err != nil {
		t.Fatal(err)
	}
	leaf := func(who identity.ID) uint32 {
		for i, n := range m.Group.Members() {
			if l, err := m.Known.LeafOf(i, n); err == nil && l.Account == who {
				return i
			}
		}
		t.Fatal("not there")
		return 0
	}
	send := func(as identity.ID, at time.Time) []byte {
		b := good(key.Seal(rnd, m.Keys.Signature, room.Signal{Leaf: leaf(as), Kind: room.SignalTyping, Body: room.Switch(true), TimeMS: uint64(at.UnixMilli())}))
		if _, err := m.Raw.Call(wire.OpSignal, wire.Signal{Log: m.Gen.Log, Token: m.Token(), Payload: b}); err != nil {
			t.Fatal(err)
		}
		return b
	}
	send(ana.account(), w.Clock.Now())
	for _, junk := range [][]byte{nil, {1}, bytes.Repeat([]byte{1}, wire.MaxSignal)} {
		if _, err := m.Raw.Call(wire.OpSignal, wire.Signal{Log: m.Gen.Log, Token: m.Token(), Payload: junk}); err != nil {
			t.Fatal(err)
		}
	}
	own := send(m.self(), w.Clock.Now())
	bo.Eventually("hears mallory", func() bool { return ear.Count(client.EventWriting, m.self(), true) == 1 }, func() any { return ear.list })
	if n := ear.Count(client.EventWriting, ana.account(), true); n != 0 {
		t.Error("mallory wrote as ana")
	}
	w.Clock.Advance(7 * time.Second)
	bo.Eventually("it ends", func() bool { return ear.Count(client.EventWriting, m.self(), false) == 1 }, func() any { return ear.list })
	if _, err := m.Raw.Call(wire.OpSignal, wire.Signal{Log: m.Gen.Log, Token: m.Token(), Payload: own}); err != nil {
		t.Fatal(err)
	}
	ana.Send("club", "after")
	bo.Reads("club", "after")
	if n := ear.Count(client.EventWriting, m.self(), true); n != 1 {
		t.Error("what was there before was taken again")
	}
}

func TestPresence(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	friends(t, ana, bo)
	ear, id := bo.Listen(), ana.account()
	active := func(on bool) {
		if err := ana.Client.SetActive(on); err != nil {
			t.Fatal(err)
		}
	}
	active(true) // it is off unless she allows it
	ana.Send(bo.Handle, "one")
	bo.Reads(ana.Handle, "hello", "one")
	if bo.Client.Here(ana.account()) || ear.Count(client.EventHere, ana.account(), true) != 0 {
		t.Fatal("told without leave")
	}
	cy.Send(ana.Handle, "let me in") // a stranger who waits learns nothing
	other := cy.Listen()
	if err := ana.Client.SetTells(client.Tells{Typing: true, Presence: true}); err != nil {
		t.Fatal(err)
	}
	bo.Hears(ear, client.EventHere, ana, true, 1)
	if !bo.Client.Here(ana.account()) {
		t.Error("not here")
	}
	said := []string{"hello", "one"}
	for i := range 15 { // she stays; in steps, each with a message behind its signal, so that no answer is late
		w.Clock.Advance(20 * time.Second)
		said = append(said, fmt.Sprint("still here ", i))
		ana.Send(bo.Handle, said[len(said)-1])
		bo.Reads(ana.Handle, said...)
	}
	if ear.Count(client.EventHere, ana.account(), false) != 0 {
		t.Error("it ended while she was here")
	}
	active(false)
	bo.Hears(ear, client.EventHere, ana, false, 1)
	w.Clock.Advance(time.Second)
	active(true)
	bo.Hears(ear, client.EventHere, ana, true, 2)
	ana.Away() // her device goes; it says so
	bo.Later("she is gone", 2*time.Second, func() bool { return !bo.Client.Here(id) }, func() any { return nil })
	if other.Count(client.EventHere, id, true) != 0 {
		t.Error("a stranger heard that ana is here")
	}
}

func pngOf(t *testing.T, c color.Color) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, 16, 16), []color.Color{c})); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (p *Person) shows(t *testing.T, name, status string, picture []byte) {
	t.Helper()
	act(t, p, "shows", func(ctx context.Context) error {
		return p.Client.SetProfile(ctx, client.ProfileChange{Name: &name, Status: &status, Picture: &picture})
	})
}

// Sees waits until a person is shown so.
func (p *Person) Sees(of identity.ID, name, status string, picture []byte) {
	p.w.T.Helper()
	var got *client.Person
	p.Later("sees "+name, 100*time.Millisecond, func() bool {
		got, _ = p.Client.Person(of)
		b, err := p.Client.Picture(of)
		return got != nil && err == nil && got.Name == name && got.Status == status && bytes.Equal(b, picture)
	}, func() any { return got })
}

func TestProfile(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	red, blue := pngOf(t, color.RGBA{200, 0, 0, 255}), pngOf(t, color.RGBA{0, 0, 200, 255})
	ana.shows(t, "Ana Ruiz", "in the garden", red)
	ana.Send(bo.Handle, "hi")
	bo.Eventually("has a request", func() bool { r, _ := bo.Client.Requests(); return len(r) == 1 }, func() any { return nil })
	if r, _ := bo.Client.Requests(); r[0].Name != "Ana Ruiz" {
		t.Errorf("the invitation shows %q", r[0].Name)
	}
	accept(t, bo, ana.Handle)
	bo.Sees(ana.account(), "Ana Ruiz", "in the garden", red)

	// A newcomer gets it too, and shows theirs.
	act(t, ana, "makes a room", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "club", []string{bo.Handle})
		return err
	})
	bo.Eventually("is in club", func() bool { return bo.Room("club").State == store.RoomActive }, func() any { return nil })
	cy.shows(t, "Cy", "", nil)
	act(t, ana, "adds cy", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{cy.Handle}) })
	accept(t, cy, ana.Handle)
	cy.Sees(ana.account(), "Ana Ruiz", "in the garden", red)
	ana.Sees(cy.account(), "Cy", "", nil)
	bo.Sees(cy.account(), "Cy", "", nil)

	// It changes, and what changed is noted.
	ana.shows(t, "Ana", "", blue)
	for _, p := range []*Person{bo, cy} {
		p.Sees(ana.account(), "Ana", "", blue)
		changes, err := p.Client.Changes(ana.account())
		if err != nil {
			t.Fatal(err)
		}
		var what []string
		for _, c := range changes {
			what = append(what, c.What+"="+c.Text)
		}
		if !slices.Equal(what, []string{"picture=", "status=", "name=Ana", "met="}) {
			t.Errorf("%s: %v", p.Name, what)
		}
	}
	if err := bo.Client.SetNickname(ana.account(), "Anita"); err != nil {
		t.Fatal(err)
	}
	bo.Sees(ana.account(), "Anita", "", blue)
	people, err := bo.Client.People()
	if err != nil || len(people) != 1 || people[0].Name != "Anita" || people[0].Own != "Ana" || people[0].Room == nil {
		t.Fatal(people, err)
	}
	p, err := bo.Client.Person(ana.account())
	if err != nil || len(p.Rooms) != 2 || p.Since == 0 {
		t.Fatalf("%+v %v", p, err)
	}

	// Blocked, her changes are not told; unblocked, she is as she shows herself.
	if err := bo.Client.SetBlocked(ana.account(), true); err != nil {
		t.Fatal(err)
	}
	before, _ := bo.Client.Changes(ana.account())
	ear := bo.Listen()
	ana.shows(t, "A.", "secret", nil)
	cy.Sees(ana.account(), "A.", "secret", nil)
	ana.Send("club", "hidden")
	cy.Reads("club", "hidden")
	bo.Sync()
	if after, _ := bo.Client.Changes(ana.account()); len(after) != len(before) || ear.Count(client.EventPerson, ana.account(), false) != 0 {
		t.Error("a blocked person's change was told")
	}
	if err := bo.Client.SetBlocked(ana.account(), false); err != nil {
		t.Fatal(err)
	}
	if p, _ := bo.Client.Person(ana.account()); p.Own != "A." || p.Standing != store.Contact {
		t.Errorf("%+v", p)
	}
	ana.Send("club", "shown")
	bo.Reads("club", "shown")

	for _, bad := range []client.ProfileChange{{Name: ptr("a\u202eb")}, {Name: ptr(strings.Repeat("a", 65))}, {Status: ptr("a\nb")}, {Picture: &[]byte{1, 2, 3}}} {
		if err := ana.Client.SetProfile(patient(t), bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	if p, err := ana.Client.Profile(); err != nil || p.Name != "A." || p.Picture != "" {
		t.Error(p, err)
	}
}

func ptr[T any](v T) *T { return &v }

// Mallory cannot set Ana's name; what she says of herself is hers, and an older one of Ana's
// does not come back.
func TestForgedProfile(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	ana.shows(t, "Ana", "", nil)
	group(t, "club", ana, bo, mal)
	bo.Sees(ana.account(), "Ana", "", nil)
	m := mal.Turn("club")
	m.Post(room.PayloadProfile, wire.Marshal(room.Profile{Version: 1, Name: "Ana"}))
	for _, junk := range [][]byte{nil, {0xa0}, wire.Marshal(room.Profile{Version: 2, Name: "a\u202e"}), wire.Marshal(room.Profile{Version: 2, Picture: []byte("x")})} {
		m.Post(room.PayloadProfile, junk)
		m.Post(room.PayloadPicture, junk)
		m.Post(room.PayloadPin, junk)
	}
	m.Post(room.PayloadProfile, wire.Marshal(room.Profile{Version: 5, Name: "Mallory"}))
	m.Post(room.PayloadProfile, wire.Marshal(room.Profile{Version: 4, Name: "an older one"}))
	ana.Send("club", "after")
	bo.Reads("club", "after")
	bo.Sees(m.self(), "Mallory", "", nil)
	bo.Sees(ana.account(), "Ana", "", nil)
	list, err := bo.Client.Notices(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		if n.Kind == client.NoticeJunk {
			t.Error(n.Text)
		}
	}
	// In a notice, who is no contact is called by their handle.
	act(t, ana, "renames", func(ctx context.Context) error { return ana.Client.Rename(ctx, "club", "circle") })
	bo.Eventually("is told who", func() bool {
		list, _ := bo.Client.Notices(0)
		return slices.ContainsFunc(list, func(n store.Notice) bool { return n.Text == `Ana named this room "circle".` })
	}, func() any { return nil })
}

// A signal that was under way when the room changed still counts for a minute, and then not.
func TestSignalOfTheEpochBefore(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, b := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	ear := bo.Listen()
	var mu sync.Mutex
	var held [][]byte
	b.Down(func(p *Passing) {
		if p.event(wire.EventSignal) {
			mu.Lock()
			defer mu.Unlock()
			held = append(held, wire.Marshal(p.Frame))
			p.Drop = true
		}
	})
	for i := range 2 {
		ana.types(bo.Handle, true)
		bo.Eventually("it is held", func() bool { mu.Lock(); defer mu.Unlock(); return len(held) == i+1 }, func() any { return len(held) })
		w.Clock.Advance(5 * time.Second)
	}
	act(t, ana, "changes the room", func(ctx context.Context) error { return ana.Client.SetDisappear(ctx, bo.Handle, 7*24*time.Hour) })
	bo.Eventually("is told", func() bool {
		list, _ := bo.Client.Notices(0)
		return slices.ContainsFunc(list, func(n store.Notice) bool {
			return strings.HasSuffix(n.Text, " set messages here to vanish one week after they are read.")
		})
	}, func() any { return nil })
	b.Say("/v1/log", held[0])
	bo.Hears(ear, client.EventWriting, ana, true, 1)
	w.Clock.Advance(61 * time.Second)
	bo.Hears(ear, client.EventWriting, ana, false, 1)
	b.Say("/v1/log", held[1])
	ana.Send(bo.Handle, "after")
	bo.Reads(ana.Handle, "hello", "after")
	if n := ear.Count(client.EventWriting, ana.account(), true); n != 1 {
		t.Error("an old signal was taken")
	}
}

// Who added a newcomer cannot give them the picture: another admin does, a while later.
func TestPictureFromAnotherAdmin(t *testing.T) {
	w := New(t)
	ana, b := w.Watched("ana", w.Home)
	bo, cy := w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo)
	id := ana.Room("club").ID
	act(t, ana, "makes bo admin", func(ctx context.Context) error { return ana.Client.SetAdmin(ctx, "club", bo.Handle, true) })
	red := pngOf(t, color.RGBA{200, 0, 0, 255})
	act(t, ana, "sets a picture", func(ctx context.Context) error { return ana.Client.SetRoomPicture(ctx, id, red) })
	bo.Eventually("sees it", func() bool { got, _ := bo.Client.RoomPicture(id); return bytes.Equal(got, red) }, func() any { return nil })
	ana.Sync()
	b.Up(func(p *Passing) {
		if p.Op == wire.OpAppend {
			var a wire.Append
			if err := wire.Unmarshal(p.Frame.Body, &a); err == nil && a.Swap == nil {
				p.Drop = true // nothing but the change itself gets out
			}
		}
	})
	go ana.Client.AddPeople(patient(t), "club", []string{cy.Handle})
	accept(t, cy, ana.Handle)
	ana.Away()
	cy.Later("sees the picture", time.Second, func() bool {
		got, err := cy.Client.RoomPicture(id)
		return err == nil && bytes.Equal(got, red)
	}, func() any { return nil })
}

// In a large room a profile goes along with the next message, without its picture.
func TestProfileInALargeRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("33 devices")
	}
	w := New(t)
	w.Suite = mls.X25519
	ana, bo := w.Person("ana"), w.Person("bo")
	var handles []string
	for i := range 31 {
		if i == 15 { // a server takes so many registrations from one address in a while
			w.Clock.Advance(time.Hour)
		}
		p := w.Person("p" + string(rune('a'+i/10)) + string(rune('0'+i%10)))
		handles = append(handles, p.Handle)
		p.Away()
	}
	group(t, "club", ana, bo)
	ana.Sync()
	for len(handles) > 0 {
		n := min(len(handles), 16)
		act(t, ana, "adds many", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", handles[:n]) })
		handles = handles[n:]
	}
	bo.Eventually("sees 33", func() bool { return len(bo.Room("club").Members) == 33 }, func() any { return len(bo.Room("club").Members) })
	ana.shows(t, "Ana", "", pngOf(t, color.White))
	w.Clock.Advance(2 * time.Minute)
	ana.Sync()
	bo.Sync()
	if p, _ := bo.Client.Person(ana.account()); p.Own != "" {
		t.Error("it was sent by itself")
	}
	ana.Send("club", "hi")
	bo.Reads("club", "hi")
	bo.Sees(ana.account(), "Ana", "", nil)
}
