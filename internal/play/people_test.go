package play

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image/color"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// TextTold waits until somebody was told these words.
func (p *Person) TextTold(part string) {
	p.w.T.Helper()
	var got []string
	p.Eventually("told "+part, func() bool {
		list, err := p.Client.Notices(0)
		if err != nil {
			p.w.T.Fatal(err)
		}
		got = nil
		for _, n := range list {
			got = append(got, n.Text)
		}
		return slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, part) })
	}, func() any { return got })
}

// states adds a statement to a person's chain at their server.
func (p *Person) states(t *testing.T, statement func(k *identity.Keys, c *identity.Chain) []byte) {
	t.Helper()
	k := p.keysOf()
	chain := good(identity.Verify(fetch[wire.Lookup](p.w, p.Host.Name, "GET", "/v1/directory/"+p.Name, nil).Chain))
	if _, err := p.Greet(k).Call(wire.OpStatement, wire.Statement{Head: chain.Head(), Signed: statement(k, chain)}); err != nil {
		t.Fatal(err)
	}
}

// Numbers that were compared hold until a device comes or goes; then people are told.
func TestCompared(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	id := ana.account()
	mine, err := bo.Client.SafetyNumber(id)
	if err != nil {
		t.Fatal(err)
	}
	if hers, err := ana.Client.SafetyNumber(bo.account()); err != nil || hers != mine || len(strings.Fields(mine)) != 12 {
		t.Fatal(hers, mine, err)
	}
	if err := bo.Client.SetCompared(id, true); err != nil {
		t.Fatal(err)
	}
	if p, _ := bo.Client.Person(id); p.Compared == 0 || p.Changed != 0 {
		t.Fatalf("%+v", p)
	}
	other := good(identity.NewKeys(rnd))
	ana.Away()
	ana.states(t, func(k *identity.Keys, c *identity.Chain) []byte { return k.AddDevice(c, other, w.Clock.Now()) })
	if _, err := bo.Client.Find(patient(t), ana.Handle); err != nil {
		t.Fatal(err)
	}
	bo.TextTold("linked a new device. You compared numbers before that.")
	p, err := bo.Client.Person(id)
	if err != nil || p.Compared != 0 || p.Changed == 0 {
		t.Fatalf("%+v %v", p, err)
	}
	devices, err := bo.Client.Devices(id)
	if err != nil || len(devices) != 2 || devices[1].Device != other.Name || devices[1].Added == 0 || devices[0].Self {
		t.Fatal(devices, err)
	}
	if err := bo.Client.SetCompared(id, true); err != nil {
		t.Fatal(err)
	}
	ana.states(t, func(k *identity.Keys, c *identity.Chain) []byte { return k.RevokeDevice(c, other.Name, w.Clock.Now()) })
	if _, err := bo.Client.Find(patient(t), ana.Handle); err != nil {
		t.Fatal(err)
	}
	bo.TextTold("removed a device.")
	changes, err := bo.Client.Changes(id)
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, c := range changes {
		what = append(what, c.What)
	}
	if !slices.Equal(what, []string{"device-revoked", "compared", "device-added", "compared", "met"}) {
		t.Error(what)
	}
}

// Somebody else under Ana's name is not Ana: nothing is sent, and Bo is told.
func TestAnotherKey(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, b := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	k := good(identity.NewKeys(rnd))
	h := good(wire.ParseHandle(ana.Handle))
	b.HTTP(func(r client.Request, a *client.Answer) {
		if strings.HasSuffix(r.Path, "/directory/ana") {
			a.Body = wire.Marshal(wire.Lookup{Handle: ana.Handle, Chain: [][]byte{k.Genesis(h, w.Clock.Now())}})
		}
	})
	for range 2 {
		if _, err := bo.Client.Find(patient(t), ana.Handle); !errors.Is(err, client.ErrChanged) {
			t.Fatal(err)
		}
	}
	bo.TextTold("has a new key. It happens when someone starts over on a new computer. Compare numbers before you say more.")
	if p, _ := bo.Client.Person(ana.account()); p.Changed == 0 || p.Compared != 0 {
		t.Errorf("%+v", p)
	}
	list, _ := bo.Client.Notices(0)
	if n := len(slices.DeleteFunc(list, func(n store.Notice) bool { return n.Kind != client.NoticeKey })); n != 1 {
		t.Errorf("told %d times", n)
	}
	// A link says whose it is.
	link := wire.Link{Kind: wire.LinkContact, Host: w.Home.Name, Handle: ana.Handle, Account: wire.Hash(ana.account())}
	if err := bo.Client.SetContact(ana.account(), false); err != nil {
		t.Fatal(err)
	}
	if _, err := bo.Client.Find(patient(t), link.String()); err == nil || !strings.Contains(err.Error(), "another account") {
		t.Error(err)
	}
	b.Honest()
	if p, err := bo.Client.Find(patient(t), link.String()); err != nil || p.Account != ana.account() {
		t.Error(p, err)
	}
}

func TestFind(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Nobody("bo", w.Home)
	bo.Open()
	ctx := patient(t)
	if info, err := bo.Client.ServerInfo(ctx, w.Home.Name); err != nil || info.Host != w.Home.Name || !info.Open {
		t.Fatal(info, err)
	}
	if free, why, err := bo.Client.NameFree(ctx, "ANA@"+w.Home.Name); err != nil || free || !strings.Contains(why, "taken") {
		t.Error(free, why, err)
	}
	if free, _, err := bo.Client.NameFree(ctx, "bo@"+w.Home.Name); err != nil || !free {
		t.Error(free, err)
	}
	if free, why, err := bo.Client.NameFree(ctx, "b o@"+w.Home.Name); err != nil || free || why == "" {
		t.Error(free, why, err)
	}
	if _, err := bo.Client.Find(ctx, ana.Handle); !errors.Is(err, client.ErrNoAccount) {
		t.Error(err)
	}
	if err := bo.Client.CreateAccount(ctx, bo.Handle, ""); err != nil {
		t.Fatal(err)
	}
	ana.shows(t, "Ana", "", nil)
	link, err := ana.Client.NewContactLink(ctx, w.Clock.Now().Add(time.Hour))
	if err != nil || link.Name != "Ana" || link.Kind != wire.LinkAccount || link.Code == "" {
		t.Fatal(link, err)
	}
	cy := w.Nobody("cy", w.Home) // the link brings somebody in, once
	cy.Open()
	if err := cy.Client.CreateAccount(ctx, cy.Handle, link.Code); err != nil {
		t.Fatal(err)
	}
	for range 20 { // when she has given away what she may, her links still lead to her
		if link, err = ana.Client.NewContactLink(ctx, w.Clock.Now().Add(time.Hour)); err != nil || link.Kind == wire.LinkContact {
			break
		}
	}
	if err != nil || link.Kind != wire.LinkContact || link.Code != "" {
		t.Fatal(link, err)
	}
	for _, s := range []string{link.String(), link.Scheme(), ana.Handle, strings.ToUpper(ana.Handle)} {
		if p, err := bo.Client.Find(ctx, s); err != nil || p.Account != ana.account() || p.Standing != store.Stranger {
			t.Error(p, err)
		}
	}
	for _, s := range []string{bo.Handle, "di@" + w.Home.Name, "x", "https://x/i#zz", ""} {
		if p, err := bo.Client.Find(ctx, s); err == nil {
			t.Errorf("%q is %+v", s, p)
		}
	}
}

func TestRequestLaterAndBlock(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "hi")
	bo.Eventually("has a request", func() bool { r, _ := bo.Client.Requests(); return len(r) == 1 }, func() any { return nil })
	if err := bo.Client.Later(ana.account()); err != nil {
		t.Fatal(err)
	}
	if r, err := bo.Client.Requests(); err != nil || len(r) != 1 || !r[0].Later {
		t.Fatal(r, err)
	}
	if err := bo.Client.BlockRequest(ana.account()); err != nil {
		t.Fatal(err)
	}
	if r, err := bo.Client.Requests(); err != nil || len(r) != 0 {
		t.Fatal(r, err)
	}
	people, err := bo.Client.People()
	if err != nil || len(people) != 1 || people[0].Standing != store.Blocked {
		t.Fatal(people, err)
	}
	if err := bo.Client.SetBlocked(ana.account(), false); err != nil {
		t.Fatal(err)
	}
	if p, _ := bo.Client.Person(ana.account()); p.Standing != store.Stranger {
		t.Errorf("%+v", p)
	}
}

func TestRoomPictureAndPins(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo)
	id := ana.Room("club").ID
	red, blue := pngOf(t, color.RGBA{200, 0, 0, 255}), pngOf(t, color.RGBA{0, 0, 200, 255})
	sees := func(p *Person, want []byte) {
		t.Helper()
		p.Eventually("sees the picture", func() bool { b, err := p.Client.RoomPicture(id); return err == nil && bytes.Equal(b, want) }, func() any { return nil })
	}
	act(t, ana, "sets a picture", func(ctx context.Context) error { return ana.Client.SetRoomPicture(ctx, id, red) })
	sees(ana, red)
	sees(bo, red)
	bo.TextTold("changed the picture of this room.")
	if err := bo.Client.SetRoomPicture(patient(t), id, blue); err == nil {
		t.Error("a member set the picture")
	}
	act(t, ana, "adds cy", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{cy.Handle}) })
	accept(t, cy, ana.Handle)
	sees(cy, red)
	act(t, ana, "sets another", func(ctx context.Context) error { return ana.Client.SetRoomPicture(ctx, id, blue) })
	for _, p := range []*Person{ana, bo, cy} {
		sees(p, blue)
	}
	act(t, ana, "takes it away", func(ctx context.Context) error { return ana.Client.SetRoomPicture(ctx, id, nil) })
	sees(cy, nil)
	cy.Away()
	for _, b := range [][]byte{red, blue} {
		if cy.keepsPicture(t, b) {
			t.Error("a picture of before is still in a file")
		}
	}
	cy.Back()

	// Pins.
	m := ana.Send("club", "the key is under the mat")
	bo.Reads("club", "the key is under the mat")
	cy.Reads("club", "the key is under the mat")
	act(t, bo, "pins", func(ctx context.Context) error { return bo.Client.Pin(ctx, m.ID, true) })
	pinned := func(p *Person, want ...mimi.MessageID) {
		t.Helper()
		p.Eventually("pins", func() bool { got, err := p.Client.Pins(id); return err == nil && slices.Equal(got, want) }, func() any { return nil })
	}
	for _, p := range []*Person{ana, bo, cy} {
		pinned(p, m.ID)
	}
	act(t, cy, "unpins", func(ctx context.Context) error { return cy.Client.Pin(ctx, m.ID, false) })
	pinned(ana)
	act(t, ana, "pins", func(ctx context.Context) error { return ana.Client.Pin(ctx, m.ID, true) })
	pinned(cy, m.ID)
	ana.Compose("club", client.Delete(m.ID)) // what is taken back is pinned no more
	pinned(ana)
	pinned(cy)
	if err := ana.Client.Pin(patient(t), m.ID, true); !errors.Is(err, client.ErrGone) {
		t.Error(err)
	}
}

// keepsPicture says whether a room picture stands in the person's database.
func (p *Person) keepsPicture(t *testing.T, b []byte) (found bool) {
	t.Helper()
	hash := wire.Hash(sha256.Sum256(b))
	p.dig(func(tx storeTx) error {
		for _, r := range good(tx.Rooms()) {
			found = found || good(tx.RoomPicture(r.ID, hash)) != nil
		}
		return nil
	})
	return found
}

func TestNotes(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	id := good(ana.Client.Notes(patient(t)))
	if again := good(ana.Client.Notes(patient(t))); again != id {
		t.Fatal("two rooms")
	}
	hex := roomHex(id)
	m := ana.Send(hex, "buy milk")
	ana.Eventually("is kept", func() bool { got, err := ana.Client.Message(m.ID); return err == nil && got.State == store.Read }, func() any { return nil })
	w.Clock.Advance(40 * 24 * time.Hour) // longer than the host keeps anything
	ana.Sync()
	ana.Send(hex, "and bread")
	ana.Away()
	ana.Back()
	if again := good(ana.Client.Notes(patient(t))); again != id {
		t.Fatal("not found again")
	}
	if got := ana.TextsIn(id); !slices.Equal(got, []string{"buy milk", "and bread"}) {
		t.Fatal(got)
	}
	if got, _ := ana.Client.Message(m.ID); got.State != store.Read {
		t.Errorf("the old note is %v", got.State)
	}
	// its host forgets everything: the notes stay, and the room goes on
	act(t, ana, "vanishing", func(ctx context.Context) error { return ana.Client.SetDisappear(ctx, hex, time.Hour) })
	ana.TextTold("You set messages here to vanish one hour after they are read.")
}

func roomHex(id room.ID) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, x := range id {
		b.WriteByte(digits[x>>4])
		b.WriteByte(digits[x&15])
	}
	return b.String()
}

func TestForwarded(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Compose(bo.Handle, ana.Client.Forwarded(client.Text("as cy says")))
	ana.Compose(bo.Handle, client.Text("own words"))
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "as cy says", "own words")
	list := good(bo.Client.Messages(nil, 0, 10))
	for i, want := range []bool{true, false} {
		if c := good(mimi.Parse(list[i].Content)); c.Forwarded() != want {
			t.Errorf("message %d", i)
		}
	}
}

// A deleted account cannot be written to, and leaves nothing behind.
func TestDeleteAccount(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo, cy)
	ana.Send(bo.Handle, "hello") // of a contact: accepted by itself
	bo.Reads(ana.Handle, "hello")
	act(t, ana, "deletes the account", func(ctx context.Context) error { return ana.Client.DeleteAccount(ctx) })
	if err := ana.Client.Sync(patient(t)); !errors.Is(err, client.ErrClosed) {
		t.Error("the client is still there:", err)
	}
	ana.Away()
	if err := os.RemoveAll(ana.Home); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Person{bo, cy} {
		p.Later("sees that she left", time.Second, func() bool {
			return len(p.Room("club").Members) == 2
		}, func() any { return p.Room("club").Members })
		p.TextTold(" left.")
	}
	bo.Eventually("their conversation is over", func() bool { return bo.Room(ana.Handle).State == store.RoomLeft }, func() any { return bo.Room(ana.Handle).State })
	if _, err := bo.Client.Send(patient(t), ana.Handle, client.Text("are you there")); !errors.Is(err, wire.Refuse(wire.CodeNoHandle, "")) {
		t.Error(err)
	}
	cy.Send("club", "on without her")
	bo.Reads("club", "on without her")
	if got := bo.TextsIn(bo.Room(ana.Handle).ID); !slices.Equal(got, []string{"hello"}) {
		t.Error("the history is gone:", got)
	}
}
