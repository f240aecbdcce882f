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
	"sotto/internal/recovery"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// writesDown makes 24 words and types back those that are asked for.
func (p *Person) writesDown(t testing.TB, old string) string {
	t.Helper()
	list := good(p.Client.MakeWords(patient(t), old))
	var typed []string
	for _, place := range good(p.Client.Recovery()).Places {
		typed = append(typed, list[place-1])
	}
	if err := p.Client.ConfirmWords(patient(t), typed); err != nil {
		t.Fatal(err)
	}
	return strings.Join(list[:], " ")
}

// recorded waits until the home server holds what this device knows.
func (p *Person) recorded() {
	p.w.T.Helper()
	p.Later("the record is written", 5*time.Second, func() bool {
		return good(p.Client.Recovery()).Record
	}, func() any { return good(p.Client.Recovery()) })
}

// recovers brings somebody's account back on a new device.
func (p *Person) recovers(t *testing.T, words string) *Person {
	t.Helper()
	fresh := p.w.Nobody(p.Name, p.Host)
	fresh.Open()
	if err := fresh.Client.Recover(patient(t), strings.ToUpper(p.Name)+"@"+p.Host.Name, words, "New"); err != nil {
		t.Fatal(err)
	}
	return fresh
}

// notices are what somebody was told of a kind.
func (p *Person) notices(kind string) (out []string) {
	for _, n := range good(p.Client.Notices(0)) {
		if n.Kind == kind {
			out = append(out, n.Text)
		}
	}
	return out
}

// Ana loses every device; a thief has one of them. The words bring back her name, contacts and
// rooms; the thief is out; her contacts are told once.
func TestRecovery(t *testing.T) {
	w := New(t)
	ana, bo, cy, mal := w.Person("ana"), w.Person("bo"), w.Person("cy"), w.Person("mal")
	friends(t, ana, bo)
	group(t, "club", cy, ana, bo)
	ana.shows(t, "Ana A.", "", nil)
	if err := ana.Client.SetNickname(bo.account(), "Bobo"); err != nil {
		t.Fatal(err)
	}
	if _, err := ana.Client.Find(patient(t), mal.Handle); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.SetBlocked(mal.account(), true); err != nil {
		t.Fatal(err)
	}
	if err := bo.Client.SetCompared(ana.account(), true); err != nil {
		t.Fatal(err)
	}
	ana.Send(bo.Handle, "before")
	bo.Eventually("reads", func() bool { return slices.Contains(bo.Texts(ana.Handle), "before") }, func() any { return bo.Texts(ana.Handle) })
	before := bo.Texts(ana.Handle)
	thief := ana.device(t, "Phone")
	thief.Eventually("is in", func() bool { return thief.Room("club").State == store.RoomActive && len(thief.Texts(bo.Handle)) > 0 }, func() any { return nil })
	words := ana.writesDown(t, "")
	if s := good(ana.Client.Recovery()); !s.Set || s.At == 0 || s.Making {
		t.Errorf("%+v", s)
	}
	thief.TextTold("Your 24 words were set.")
	ana.recorded()
	account := ana.account()
	ana.Away()

	fresh := ana.recovers(t, words)
	if fresh.account() != account {
		t.Fatal("another account came back")
	}
	thief.TextTold("This device was unlinked from your account.")
	fresh.Eventually("knows its people", func() bool { l, _ := fresh.Client.People(); return len(l) == 3 }, func() any { l, _ := fresh.Client.People(); return l })
	if p := good(fresh.Client.Person(bo.account())); p.Nickname != "Bobo" || p.Standing != store.Contact || p.Compared != 0 {
		t.Errorf("%+v", p)
	}
	if p := good(fresh.Client.Person(mal.account())); p.Standing != store.Blocked {
		t.Errorf("%+v", p)
	}
	if p := good(fresh.Client.Profile()); p.Name != "Ana A." {
		t.Errorf("%+v", p)
	}
	if d := good(fresh.Client.Devices(account)); len(d) != 1 || !d[0].Self || d[0].Name != "New" {
		t.Errorf("%+v", d)
	}

	// The conversation of two goes on where it was, and Bo was told once.
	bo.Eventually("the new conversation", func() bool {
		return bo.devicesIn(ana.Handle, account) == 1 && slices.Equal(bo.Texts(ana.Handle), before)
	}, func() any { return bo.Texts(ana.Handle) })
	// What Bo writes to the new key waits for his word, since he had compared numbers.
	if _, err := bo.Client.Send(patient(t), ana.Handle, client.Text("is that you?")); err != nil {
		t.Fatal(err)
	}
	fresh.Send(bo.Handle, "here I am")
	bo.Eventually("reads Ana", func() bool { return slices.Contains(bo.Texts(ana.Handle), "here I am") }, func() any { return bo.Texts(ana.Handle) })
	if s := bo.lastState(ana.Handle); s != store.Queued || slices.Contains(fresh.Texts(bo.Handle), "is that you?") {
		t.Errorf("it went to a key that Bo has not compared: %v", s)
	}
	if err := bo.Client.SendAnyway(account); err != nil {
		t.Fatal(err)
	}
	fresh.Eventually("reads Bo", func() bool { return slices.Contains(fresh.Texts(bo.Handle), "is that you?") }, func() any { return fresh.Texts(bo.Handle) })
	fresh.Send(bo.Handle, "yes")
	bo.Reads(ana.Handle, append(slices.Clone(before), "here I am", "is that you?", "yes")...)
	if n := bo.notices(client.NoticeKey); len(n) != 1 {
		t.Errorf("Bo was told %q", n)
	}
	if n := bo.notices(client.NoticeDevice); slices.ContainsFunc(n, func(s string) bool { return strings.Contains(s, "removed a device") }) {
		t.Errorf("Bo was told %q", n)
	}
	if p := good(bo.Client.Person(account)); p.Compared != 0 || p.Changed == 0 {
		t.Errorf("what was compared counts on: %+v", p)
	}

	// A member's word brings her back into the room; before that she is not in it.
	var waiting []client.ReturnInfo
	cy.Eventually("is asked", func() bool {
		var err error
		waiting, err = cy.Client.Returns(cy.Room("club").ID)
		return err == nil && len(waiting) == 1
	}, func() any { return waiting })
	if waiting[0].Account != account || fresh.Room("club").State == store.RoomActive {
		t.Fatalf("%+v", waiting)
	}
	if back := good(fresh.Client.Recovery()).Back; back == nil || !slices.Equal(back.Rooms, []string{"club"}) {
		t.Errorf("%+v", back)
	}
	act(t, cy, "lets Ana in", func(ctx context.Context) error {
		return cy.Client.AnswerReturn(ctx, cy.Room("club").ID, waiting[0].ID, true)
	})
	fresh.isIn("club", true)
	fresh.Send("club", "I am back")
	for _, p := range []*Person{bo, cy} {
		p.Reads("club", "I am back")
		if n := p.devicesIn("club", account); n != 1 {
			t.Errorf("%s sees %d devices of Ana", p.Name, n)
		}
	}
	if got := thief.Texts("club"); slices.Contains(got, "I am back") {
		t.Error("the thief reads on")
	}
	if n := len(good(cy.Client.Returns(cy.Room("club").ID))); n != 0 {
		t.Errorf("%d wait on", n)
	}

	// It holds: the device opens again, and its record is written by it.
	fresh.Away()
	fresh.Back()
	fresh.Later("nothing is left to come back", time.Minute, func() bool { return good(fresh.Client.Recovery()).Back == nil }, func() any { return good(fresh.Client.Recovery()).Back })
	fresh.recorded()
	chain := good(identity.Verify(fetch[wire.Lookup](w, w.Home.Name, "GET", "/v1/directory/ana", nil).Chain))
	if len(chain.ActiveDevices()) != 1 {
		t.Error("more than one device is active")
	}
}

// What does not recover: other words, words that are none, an account that has none, a handle
// that is none, a device that has an account.
func TestRecoveryRefused(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	words := ana.writesDown(t, "")
	other := bo.writesDown(t, "")
	fresh := w.Nobody("new", w.Home)
	fresh.Open()
	di := w.Person("di")
	for _, c := range []struct {
		name, handle, words string
		want                error
	}{
		{"another's words", ana.Handle, other, client.ErrWords},
		{"no words", ana.Handle, "abandon", wire.Refuse(wire.CodeMalformed, "")},
		{"no account", "nobody@" + w.Home.Name, words, wire.Refuse(wire.CodeNoHandle, "")},
		{"none written down", di.Handle, words, client.ErrNoWords},
		{"no handle", "x", words, nil},
	} {
		if err := fresh.Client.Recover(patient(t), c.handle, c.words, ""); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := bo.Client.Recover(patient(t), ana.Handle, words, ""); !errors.Is(err, client.ErrAccount) {
		t.Error(err)
	}
	// None of it has changed anything, and the right words still serve.
	if d := good(ana.Client.Devices(ana.account())); len(d) != 1 {
		t.Errorf("%+v", d)
	}
	if err := fresh.Client.Recover(patient(t), ana.Handle, words, ""); err != nil {
		t.Fatal(err)
	}
	ana.TextTold("This device was unlinked from your account.")
}

// A thief with an unlocked device replaces no words, and what they state is shown on the
// owner's other devices; the words end it.
func TestThiefWithDevice(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	thief := ana.device(t, "Phone")
	words := ana.writesDown(t, "")
	thief.TextTold("Your 24 words were set.")
	ana.recorded()

	if _, err := thief.Client.MakeWords(patient(t), ""); !errors.Is(err, client.ErrOldWords) {
		t.Errorf("a thief makes other words: %v", err)
	}
	mine := good(recovery.New(rnd)).List()
	if _, err := thief.Client.MakeWords(patient(t), strings.Join(mine[:], " ")); !errors.Is(err, client.ErrWords) {
		t.Errorf("a thief replaces the words with words of their own: %v", err)
	}
	second := thief.device(t, "Secret")
	ana.TextTold("A new device was linked to your account")
	own := good(ana.Client.Self()).Device
	if err := thief.Client.Unlink(patient(t), own); err != nil {
		t.Fatal(err)
	}
	ana.TextTold("This device was unlinked from your account.")
	account := ana.account()
	ana.Away()

	fresh := ana.recovers(t, words)
	for _, p := range []*Person{thief, second} {
		p.TextTold("This device was unlinked from your account.")
	}
	bo.Eventually("speaks with Ana", func() bool { return bo.devicesIn(ana.Handle, account) == 1 }, func() any { return nil })
	fresh.Eventually("has Bo", func() bool { return fresh.Room(bo.Handle).State == store.RoomActive }, func() any { return nil })
	fresh.Send(bo.Handle, "it is me")
	bo.Eventually("reads Ana", func() bool { return slices.Contains(bo.Texts(ana.Handle), "it is me") }, func() any { return bo.Texts(ana.Handle) })
	if err := thief.Client.Unlink(patient(t), good(fresh.Client.Self()).Device); err == nil {
		t.Error("a thief who is out unlinks the owner")
	}
	if d := good(fresh.Client.Devices(account)); len(d) != 1 {
		t.Errorf("%+v", d)
	}
}

// Words that were stolen are replaced by who has them and a device: they are good for nothing
// then.
func TestStolenWords(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	stolen := ana.writesDown(t, "")
	words := ana.writesDown(t, stolen)
	ana.TextTold("Your 24 words were replaced.")
	thief := w.Nobody("thief", w.Home)
	thief.Open()
	if err := thief.Client.Recover(patient(t), ana.Handle, stolen, ""); !errors.Is(err, client.ErrWords) {
		t.Fatal(err)
	}
	if _, err := ana.Client.MakeWords(patient(t), stolen); !errors.Is(err, client.ErrWords) {
		t.Fatal(err)
	}
	ana.recovers(t, words)
	ana.TextTold("A device came into your account by your 24 words")
}

// Words are the account's when three of them were typed back, and not before.
func TestConfirmWords(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	if err := ana.Client.ConfirmWords(patient(t), []string{"a", "b", "c"}); !errors.Is(err, client.ErrNoMaking) {
		t.Fatal(err)
	}
	list := good(ana.Client.MakeWords(patient(t), ""))
	s := good(ana.Client.Recovery())
	if s.Set || !s.Making || len(s.Places) != 3 || s.Places[0] < 1 || s.Places[2] > 24 || s.Places[0] >= s.Places[1] || s.Places[1] >= s.Places[2] {
		t.Fatalf("%+v", s)
	}
	right := []string{list[s.Places[0]-1], list[s.Places[1]-1], list[s.Places[2]-1]}
	for _, typed := range [][]string{nil, right[:2], {right[0], right[1], "zzzz"}, {"", "", ""}} {
		if err := ana.Client.ConfirmWords(patient(t), typed); wire.CodeOf(err) != wire.CodeMalformed {
			t.Errorf("%q: %v", typed, err)
		}
	}
	if good(ana.Client.Recovery()).Set {
		t.Fatal("set without the right words")
	}
	ana.Client.DropWords()
	if err := ana.Client.ConfirmWords(patient(t), right); !errors.Is(err, client.ErrNoMaking) {
		t.Error("words that were dropped:", err)
	}
	ana.writesDown(t, "")
	ana.Away()
	ana.Back()
	if s := good(ana.Client.Recovery()); !s.Set || s.Making {
		t.Errorf("%+v", s)
	}
}

// What is no return of somebody who lost every device: of a device that another device has
// added, with another's key, to be answered elsewhere, of somebody nobody knows, of who was
// refused. Nobody is asked.
func TestBadReturns(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	id := ana.Room("club").ID
	l := fetch[wire.Lookup](w, w.Home.Name, "GET", "/v1/directory/ana", nil)
	to := good(identity.Verify(l.Chain)).ActiveDevices()[0]
	raw := w.Dial(w.Home.Name, "/v1/log")
	put := func(k *identity.Keys, c *identity.Chain, r room.Return) {
		t.Helper()
		sealed := good(room.SealEnvelope(k, c, to, room.EnvelopeReturn, wire.Marshal(r), uint64(w.Clock.Now().UnixMilli())))
		if _, err := raw.Call(wire.OpPut, wire.Put{Inbox: l.Devices[0].Inbox, Capability: l.Devices[0].Capability, Entry: sealed}); err != nil {
			t.Fatal(err)
		}
	}
	asked := func(want int) []client.ReturnInfo {
		t.Helper()
		bo.Send("club", "what is said meanwhile")
		ana.Sync()
		var list []client.ReturnInfo
		ana.Eventually("who waits", func() bool { list = good(ana.Client.Returns(id)); return len(list) == want }, func() any { return list })
		return list
	}
	malice := mal.account()
	mal.Away()
	old := mal.keysOf()
	chain := good(identity.Verify(fetch[wire.Lookup](w, w.Home.Name, "GET", "/v1/directory/mal", nil).Chain))
	words := good(identity.NewRecoveryKeys([32]byte{1}))
	fresh, linked := good(identity.NewKeys(rnd)), good(identity.NewKeys(rnd))
	for _, s := range []func() []byte{
		func() []byte { return old.SetRecovery(chain, words, w.Clock.Now()) },
		func() []byte { return old.AddDevice(chain, linked, w.Clock.Now()) },
		func() []byte { return words.AddDevice(chain, fresh, w.Clock.Now()) },
	} {
		if err := chain.Append(s()); err != nil {
			t.Fatal(err)
		}
	}
	request := func(k *identity.Keys, c *identity.Chain) room.Return {
		kp := good(mls.NewKeyPackage(rnd, mls.KeyPackageParams{
			Suite: w.Suite, Signer: k.Signature, Credential: mls.BasicCredential(identity.CredentialOf(c, k.Name).Marshal()),
			NotBefore: w.Clock.Now().Add(-time.Hour), NotAfter: w.Clock.Now().Add(24 * time.Hour), Supported: []uint16{room.ExtContext},
		}))
		return room.Return{Room: id, Generation: 1, KeyPackage: kp.Public.Marshal(), Joined: room.Joined{Host: w.Home.Name}}
	}
	put(linked, chain, request(linked, chain))
	put(fresh, chain, request(linked, chain))
	elsewhere := request(fresh, chain)
	elsewhere.Joined.Host = "elsewhere.example"
	put(fresh, chain, elsewhere)
	broken := request(fresh, chain)
	broken.KeyPackage = broken.KeyPackage[:100]
	put(fresh, chain, broken)
	other := request(fresh, chain)
	other.Room[0] ^= 1
	put(fresh, chain, other)
	stranger := good(identity.NewKeys(rnd))
	theirs := good(identity.Verify([][]byte{stranger.Genesis(good(wire.ParseHandle("cy@"+w.Home.Name)), w.Clock.Now())}))
	came := good(identity.NewKeys(rnd))
	for _, s := range []func() []byte{
		func() []byte { return stranger.SetRecovery(theirs, words, w.Clock.Now()) },
		func() []byte { return words.AddDevice(theirs, came, w.Clock.Now()) },
	} {
		if err := theirs.Append(s()); err != nil {
			t.Fatal(err)
		}
	}
	put(came, theirs, request(came, theirs))
	asked(0)

	// The right one is asked about once. What the server does not confirm lets nobody in.
	put(fresh, chain, request(fresh, chain))
	put(fresh, chain, request(fresh, chain))
	list := asked(1)
	if list[0].Account != malice {
		t.Fatalf("%+v", list)
	}
	if err := ana.Client.AnswerReturn(patient(t), id, list[0].ID+1, true); err == nil {
		t.Error("somebody was let in who does not wait")
	}
	if err := ana.Client.AnswerReturn(patient(t), id, list[0].ID, true); err == nil {
		t.Error("a device was let in that the directory does not know")
	}
	put(fresh, chain, request(fresh, chain))
	list = asked(1)
	if err := ana.Client.AnswerReturn(patient(t), id, list[0].ID, false); err != nil {
		t.Fatal(err)
	}
	put(fresh, chain, request(fresh, chain))
	asked(0)
	if n := ana.devicesIn("club", malice); n != 1 {
		t.Errorf("%d devices of mallory are in", n)
	}
}
