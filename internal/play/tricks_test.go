package play

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
	"sotto/mls"
)

// Tests of what a member may try with messages, and of old invitations.

// club is a room of ana, bo and mal in which everybody has read what ana wrote.
func club(t *testing.T, w *World, text string) (ana, bo, mal *Person, m store.Message) {
	ana, bo, mal = w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	m = ana.Send("club", text)
	for _, p := range []*Person{ana, bo, mal} {
		p.Reads("club", text)
		p.Sync()
	}
	return ana, bo, mal, m
}

func body(c *mimi.Content, err error) []byte { return good(good(c, err).Marshal()) }

// text is how a message stands at a person's.
func (p *Person) message(id messageID) store.Message {
	p.w.T.Helper()
	m := good(p.Client.Message(id))
	if m == nil {
		p.w.T.Fatalf("%s does not have the message", p.Name)
	}
	return *m
}

// Edits and deletions of another's message, and reactions to nothing, change nothing.
func TestOthersMessages(t *testing.T) {
	w := New(t)
	ana, bo, mal, mine := club(t, w, "mine")
	m := mal.Turn("club")
	unknown := messageID{1, 2, 3}
	for _, b := range [][]byte{
		body(mimi.NewEdit(rnd, mine.ID, "hers")), body(mimi.NewDelete(rnd, mine.ID)), body(mimi.NewUnreact(rnd, mine.ID, mine.ID)),
		body(mimi.NewEdit(rnd, unknown, "of nothing")), body(mimi.NewDelete(rnd, unknown)), body(mimi.NewReaction(rnd, unknown, "👍")),
		body(mimi.NewReply(rnd, unknown, "to nothing")), body(mimi.NewReaction(rnd, mine.ID, "👍")),
	} {
		m.Post(room.PayloadContent, b)
	}
	ana.Send("club", "the end")
	for _, p := range []*Person{ana, bo} {
		p.Eventually("has the end", func() bool { return slices.Contains(p.Texts("club"), "the end") }, func() any { return p.Texts("club") })
		got := p.message(mine.ID)
		if got.Text != "mine" || got.Flags&(store.FlagEdited|store.FlagDeleted) != 0 {
			t.Errorf("%s sees %q with flags %b", p.Name, got.Text, got.Flags)
		}
		p.notTold(client.NoticeJunk, client.NoticeFork)
	}
	// And the same by who may: so the test is not blind.
	ana.Compose("club", client.Edit(mine.ID, "mine, mended"))
	bo.Eventually("sees the edit", func() bool { return bo.message(mine.ID).Text == "mine, mended" }, func() any { return bo.message(mine.ID) })
	ana.Compose("club", client.Delete(mine.ID))
	bo.Eventually("sees the deletion", func() bool { return bo.message(mine.ID).Flags&store.FlagDeleted != 0 }, func() any { return bo.message(mine.ID) })
}

// Receipts by one who has not got a message, by one member for another, for messages of
// others and of other rooms: a message is delivered when everybody has said so.
func TestForgedReceipts(t *testing.T) {
	w := New(t)
	ana, bo, mal, first := club(t, w, "first")
	private := ana.Send(bo.Handle, "between us")
	bo.Reads(ana.Handle, "between us")
	bo.Send("club", "by bo")
	for _, p := range []*Person{ana, bo, mal} {
		p.Reads("club", "first", "by bo")
		p.Sync()
	}
	bo.Away()
	second := ana.Send("club", "second")
	others := ana.Send(bo.Handle, "between us, too")
	m := mal.Turn("club")
	report := func(ids ...messageID) {
		for _, s := range []mimi.Status{mimi.Delivered, mimi.Read, mimi.Status(99), mimi.Unread} {
			var r mimi.Report
			for _, id := range ids {
				r = append(r, mimi.Receipt{ID: id, Status: s})
			}
			m.Post(room.PayloadStatus, good(r.Marshal()))
		}
	}
	report(first.ID, second.ID, private.ID, others.ID, messageID{1, 9})
	m.Post(room.PayloadStatus, []byte("no report"))
	third := ana.Send("club", "third")
	ana.Eventually("has read on", func() bool { return ana.message(third.ID).Pos != 0 }, func() any { return nil })
	ana.dig(func(tx storeTx) error {
		r, err := tx.Receipts(second.Room, second.ID)
		if r[m.self()] != store.Read || len(r) != 1 {
			t.Errorf("receipts %v: the test is blind", r)
		}
		return err
	})
	for id, want := range map[messageID]store.MessageState{second.ID: store.Stored, others.ID: store.Stored} {
		if got := ana.message(id); got.State != want {
			t.Errorf("%q is %v", got.Text, got.State)
		}
	}
	if got := ana.message(private.ID).State; got > store.Delivered {
		t.Errorf("what bo has not read is %v", got)
	}
	if got := ana.message(first.ID).State; got > store.Delivered {
		t.Errorf("what bo has not read is %v", got)
	}
	bo.Back()
	for _, id := range []messageID{second.ID, others.ID} {
		ana.Eventually("is delivered", func() bool { return ana.message(id).State == store.Delivered }, func() any { return ana.message(id).State })
	}
}

// A newcomer's receipt for what was written before it came.
func TestNewcomersReceipt(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	group(t, "club", ana, bo)
	bo.Sync()
	bo.Away()
	old := ana.Send("club", "before mal came")
	mal := w.Person("mal")
	act(t, ana, "adds mal", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{mal.Handle}) })
	accept(t, mal, ana.Handle)
	mal.Sync()
	m := mal.Turn("club")
	m.Post(room.PayloadStatus, good(mimi.Report{{ID: old.ID, Status: mimi.Read}}.Marshal()))
	mark := ana.Send("club", "mark")
	ana.Eventually("has read on", func() bool { return ana.message(mark.ID).Pos != 0 }, func() any { return nil })
	if s := ana.message(old.ID).State; s != store.Stored {
		t.Errorf("the message is %v", s)
	}
}

// Content that is nested, oversized or not what it says is junk and harmless.
func TestJunkContent(t *testing.T) {
	w := New(t)
	ana, bo, mal, _ := club(t, w, "one")
	m := mal.Turn("club")
	expiring := func(at time.Time) []byte {
		c := good(mimi.NewText(rnd, "expires"))
		if err := c.ExpireAt(at); err != nil {
			t.Fatal(err)
		}
		return good(c.Marshal())
	}
	forever := good(mimi.NewText(rnd, "forever"))
	if err := forever.ExpireAfterRead(500 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	text := body(mimi.NewText(rnd, "hi"))
	content := map[string][]byte{
		"nothing": {}, "noise": bytes.Repeat([]byte{0xc3}, 300), "cut": text[:len(text)-1], "longer": append(slices.Clone(text), 0),
		"deep":                bytes.Repeat([]byte{0x81}, 100_000),
		"deep maps":           bytes.Repeat([]byte{0xa1, 0x01}, 50_000),
		"an endless array":    append([]byte{0x9b, 0x7f}, bytes.Repeat([]byte{0xff}, 7)...),
		"too long":            append(slices.Clone(text), make([]byte, 244_000)...),
		"expired long ago":    expiring(w.Clock.Now().Add(-400 * 24 * time.Hour)),
		"expires far away":    expiring(w.Clock.Now().Add(400 * 24 * time.Hour)),
		"expires far from it": good(forever.Marshal()),
	}
	n := 0
	for name, b := range content {
		m.Post(room.PayloadContent, b)
		n++
		for _, p := range []*Person{ana, bo} {
			p.Eventually("is told of "+name, func() bool { return p.count(client.NoticeJunk) == n }, func() any { return p.kinds() })
		}
	}
	for _, b := range [][]byte{nil, {1}, bytes.Repeat([]byte{0x81}, 1000), make([]byte, 200_000)} {
		m.PostRaw(b)
	}
	for kind := range room.PayloadKind(40) { // the kinds of later versions, and what is none of theirs
		if kind != room.PayloadContent {
			m.Post(kind, []byte("?"))
		}
	}
	m.Post(room.PayloadJoined, wire.Marshal(room.Joined{Host: "no host"}))
	bo.Send("club", "two")
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "one", "two")
		p.notTold(client.NoticeMoved, client.NoticeCopy)
	}
}

// count is how many notices of a kind a person got.
func (p *Person) count(kind string) (n int) {
	for _, k := range p.kinds() {
		if k == kind {
			n++
		}
	}
	return n
}

// What had expired before it came goes within a minute.
func TestExpiredOnArrival(t *testing.T) {
	w := New(t)
	ana, bo, mal, _ := club(t, w, "one")
	m := mal.Turn("club")
	c := good(mimi.NewText(rnd, "too late"))
	if err := c.ExpireAt(w.Clock.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	m.Post(room.PayloadContent, good(c.Marshal()))
	ana.Send("club", "two")
	bo.Eventually("has two", func() bool { return slices.Contains(bo.Texts("club"), "two") }, func() any { return bo.Texts("club") })
	w.Clock.Advance(time.Minute + time.Second)
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "one", "two")
		p.notTold(client.NoticeJunk)
	}
}

// Ten thousand reactions do not stop anybody.
func TestManyReactions(t *testing.T) {
	n := 10_000
	if raceEnabled || testing.Short() {
		n = 500
	}
	w := New(t)
	ana, bo, mal, one := club(t, w, "one")
	bo.Away()
	m := mal.Turn("club")
	for i := range n {
		m.Post(room.PayloadContent, body(mimi.NewReaction(rnd, one.ID, fmt.Sprintf("%c", 0x1F600+i%64))))
	}
	ana.Send("club", "two")
	bo.Back()
	bo.Send("club", "three")
	for _, p := range []*Person{ana, bo} {
		p.Eventually("has read on", func() bool {
			got := p.Texts("club")
			return len(got) == n+3 && slices.Contains(got, "two") && slices.Contains(got, "three")
		}, func() any { return len(p.Texts("club")) })
		p.notTold(client.NoticeJunk, client.NoticeFork)
	}
}

// A commit that adds a leaf that no chain proves: the room moves on without its author.
func TestUnprovenLeaf(t *testing.T) {
	pack := func(k *identity.Keys, cred identity.Credential) *mls.KeyPackage {
		return good(mls.NewKeyPackage(rnd, mls.KeyPackageParams{
			Suite: mls.XWing, Signer: k.Signature, Credential: mls.BasicCredential(cred.Marshal()),
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), Supported: []uint16{room.ExtContext},
		})).Public
	}
	for name, make := range map[string]func(m *Mallory) (*mls.KeyPackage, []room.Proof){
		"a device of hers that her account does not hold": func(m *Mallory) (*mls.KeyPackage, []room.Proof) {
			k := good(identity.NewKeys(rnd))
			return pack(k, identity.CredentialOf(m.Known[m.self()], k.Name)), nil
		},
		"a device of ana's that she has not": func(m *Mallory) (*mls.KeyPackage, []room.Proof) {
			k := good(identity.NewKeys(rnd))
			return pack(k, identity.CredentialOf(m.Known[m.Ctx.Admins[0]], k.Name)), nil
		},
		"a device of ana's, by a chain of her own making": func(m *Mallory) (*mls.KeyPackage, []room.Proof) {
			k, chain := good(identity.NewKeys(rnd)), m.Known[m.Ctx.Admins[0]]
			s := m.Keys.AddDevice(chain, k, time.Now())
			return pack(k, identity.CredentialOf(chain, k.Name)), []room.Proof{{Account: chain.ID(), From: uint32(chain.Len()), Statements: [][]byte{s}}}
		},
		"somebody of her own, proven": func(*Mallory) (*mls.KeyPackage, []room.Proof) {
			k := good(identity.NewKeys(rnd))
			chain := good(identity.Verify([][]byte{k.Genesis(wire.Handle{Name: "eve", Host: "example.org"}, time.Now())}))
			return pack(k, identity.CredentialOf(chain, k.Name)), []room.Proof{{Account: chain.ID(), Statements: chain.Statements(0)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			ana, bo, mal, _ := club(t, w, "before")
			m := mal.Turn("club")
			kp, proofs := make(m)
			m.commit(mls.CommitParams{Proposals: []mls.Proposal{mls.AddProposal(kp)}, AAD: room.ProofsHash(proofs)}, proofs...)
			w.Clock.Advance(3 * time.Second)
			moved(ana, "club", 2)
			moved(bo, "club", 2)
			bo.Send("club", "on we go")
			ana.Reads("club", "before", "on we go")
		})
	}
}

// A device of her own account that she names as bo's device is named: it counts within her
// account only, and bo is none the worse for it.
func TestDeviceNameOfAnother(t *testing.T) {
	w := New(t)
	ana, bo, mal, _ := club(t, w, "before")
	his := bo.keysOf()
	bo.Sync()
	m := mal.Turn("club")
	raw := good(identity.NewKeys(rnd)).Marshal()
	copy(raw, his.Name[:])
	k := good(identity.ParseKeys(raw))
	chain := m.Known[m.self()].Clone()
	s := m.Keys.AddDevice(chain, k, time.Now())
	if err := chain.Append(s); err != nil {
		t.Fatal(err)
	}
	kp := good(mls.NewKeyPackage(rnd, mls.KeyPackageParams{
		Suite: mls.XWing, Signer: k.Signature, Credential: mls.BasicCredential(identity.CredentialOf(chain, k.Name).Marshal()),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), Supported: []uint16{room.ExtContext},
	}))
	proofs := []room.Proof{{Account: chain.ID(), From: 1, Statements: [][]byte{s}}}
	staged := good(m.Group.Commit(mls.CommitParams{Proposals: []mls.Proposal{mls.AddProposal(kp.Public)}, AAD: room.ProofsHash(proofs), OmitTree: true}))
	token := good(room.Token(staged, m.Ctx.Log))
	swap := &wire.Swap{Next: token.Hash(), Add: []wire.NewCursor{{Tag: m.Ctx.Tag(k.Device().Signature), Hash: wire.Hash{1}}}}
	if err := m.Append(m.Seal(room.Inner{Message: staged.Message(), Proofs: proofs}), swap); err != nil {
		t.Fatal(err)
	}
	bo.Send("club", "still here")
	ana.Reads("club", "before", "still here")
	w.Clock.Advance(2 * time.Second)
	act(t, ana, "removes bo", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "club", bo.Handle) })
	bo.Told(client.NoticeRemoved)
	w.Clock.Advance(2 * time.Second)
	act(t, ana, "adds bo", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{bo.Handle}) })
	bo.Eventually("is back", func() bool { return bo.Room("club").State == store.RoomActive }, func() any { return bo.Room("club").State })
	ana.Send("club", "welcome back")
	bo.Reads("club", "before", "still here", "welcome back")
	if n := ana.Room("club").Number; n != 1 {
		t.Errorf("generation %d", n)
	}
}

// replayer keeps what comes into a person's inbox, to give it again.
type replayer struct {
	*Between
	events []wire.InboxEvent
}

func replay(b *Between) *replayer {
	r := &replayer{Between: b}
	b.Down(func(p *Passing) {
		if p.event(wire.EventInbox) {
			change(p, func(e *wire.InboxEvent) { r.events = append(r.events, *e) })
		}
	})
	return r
}

// again gives all of it once more, as if it had just come.
func (r *replayer) again() (n int) {
	var events []wire.InboxEvent
	r.with(func() { events = slices.Clone(r.events) })
	last := events[len(events)-1].Seq
	for i, e := range events {
		e.Seq = last + uint64(i) + 1
		r.Say("/v1/account", wire.EncodeFrame(0, uint16(wire.EventInbox), e))
	}
	return len(events)
}

// An invitation of before, put into the inbox again after its device was removed or left:
// nobody gets in.
func TestOldInvitation(t *testing.T) {
	for _, name := range []string{"removed", "left", "still in"} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			ana, cy := w.Person("ana"), w.Person("cy")
			bo, between := w.Watched("bo", w.Home)
			r := replay(between)
			group(t, "club", ana, bo, cy)
			ana.Send("club", "one")
			for _, p := range []*Person{bo, cy} {
				p.Reads("club", "one")
				p.Sync()
			}
			want, members := []string{"one"}, 2
			switch name {
			case "removed":
				act(t, ana, "removes bo", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "club", bo.Handle) })
				bo.Told(client.NoticeRemoved)
			case "left":
				act(t, bo, "leaves", func(ctx context.Context) error { return bo.Client.Leave(ctx, "club") })
			default:
				want, members = append(want, "two"), 3
			}
			bo.Sync()
			if r.again() == 0 {
				t.Fatal("no invitation came")
			}
			ana.Send("club", "two")
			cy.Reads("club", "one", "two")
			bo.Sync()
			bo.Reads("club", want...)
			if got := len(ana.Room("club").Members); got != members {
				t.Errorf("%d members", got)
			}
			if s := bo.Room("club").State; (s == store.RoomActive) != (name == "still in") {
				t.Errorf("bo's room is %v", s)
			}
		})
	}
}

// The directory gives bo's key package twice: the second Welcome finds no private key, and
// is refused. Who was kept out so is invited again a day later.
func TestKeyPackageTwice(t *testing.T) {
	w := New(t)
	ana, anas := w.Watched("ana", w.Home)
	cy, cys := w.Watched("cy", w.Home)
	bo := w.Person("bo")
	var first []byte
	claim := func(r client.Request, a *client.Answer) (is bool) { return r.Method == "POST" && a.Status == 200 }
	anas.HTTP(func(r client.Request, a *client.Answer) {
		if claim(r, a) {
			first = slices.Clone(a.Body)
		}
	})
	group(t, "hers", ana, bo)
	ana.Send("hers", "one")
	bo.Reads("hers", "one")
	cys.HTTP(func(r client.Request, a *client.Answer) {
		if claim(r, a) {
			a.Body = slices.Clone(first)
		}
	})
	act(t, cy, "makes a room", func(ctx context.Context) error {
		_, err := cy.Client.CreateRoom(ctx, "his", []string{bo.Handle})
		return err
	})
	accept(t, bo, cy.Handle)
	bo.Told(client.NoticeFailed)
	if bo.Room("his").Title != "" {
		t.Error("bo is in the room")
	}
	cy.Send("his", "is nobody here?")
	cys.Honest()
	w.Clock.Advance(25 * time.Hour)
	cy.Later("bo is let in", time.Second, func() bool {
		return bo.Room("his").State == store.RoomActive
	}, func() any { return nil })
	cy.Send("his", "there you are")
	bo.Reads("his", "there you are")
	bo.Reads("hers", "one")
}

// Somebody whom ana has not met names bo's handle in a chain of her own, and invites her.
// When ana accepts, or writes to bo, her device asks bo's server: the invitation is dropped
// and told, and what ana writes goes to bo.
func TestImpostor(t *testing.T) {
	for _, accepts := range []bool{true, false} {
		t.Run(fmt.Sprint(accepts), func(t *testing.T) {
			w := New(t)
			ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
			mal.Impostor(bo.Handle, ana)
			ana.Eventually("has a request", func() bool { return len(good(ana.Client.Requests())) == 1 }, func() any { return nil })
			if accepts {
				if err := ana.Client.Accept(patient(t), bo.Handle); err == nil {
					t.Fatal("an impostor was accepted")
				}
			}
			ana.Send(bo.Handle, "for bo's eyes only")
			ana.Told(client.NoticeIdentity)
			accept(t, bo, ana.Handle)
			bo.Reads(ana.Handle, "for bo's eyes only")
		})
	}
}
