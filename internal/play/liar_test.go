package play

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

// Tests of a home server that lies about people: what it says of a handle to somebody who
// asks.

// kinds are the kinds of notices that a person got.
func (p *Person) kinds() (out []string) {
	for _, n := range must(p.Client.Notices(0)) {
		out = append(out, n.Kind)
	}
	return out
}

// notTold fails when a person was told something of a kind.
func (p *Person) notTold(kinds ...string) {
	p.w.T.Helper()
	for _, n := range must(p.Client.Notices(0)) {
		if slices.Contains(kinds, n.Kind) {
			p.w.T.Errorf("%s was told (%s): %s", p.Name, n.Kind, n.Text)
		}
	}
}

// lie changes what the directory says of a name.
func lie(b *Between, name string, f func(*wire.Lookup)) {
	b.HTTP(func(r client.Request, a *client.Answer) {
		if r.Method != "GET" || r.Path != "/v1/directory/"+name {
			return
		}
		var l wire.Lookup
		if err := wire.Unmarshal(a.Body, &l); err != nil {
			panic(err)
		}
		f(&l)
		a.Body = wire.Marshal(l)
	})
}

// nothingSent holds that nobody was invited and no room made since a count was taken.
type sentSoFar struct{ creates, puts, claims int }

func soFar(b *Between) sentSoFar {
	return sentSoFar{b.Sent(wire.OpCreate), b.Sent(wire.OpPut), b.Requested("key-packages")}
}

// A key package of somebody else's in the answer to a claim: nobody is invited with it.
func TestSwappedKeyPackage(t *testing.T) {
	w := New(t)
	ana, between := w.Watched("ana", w.Home)
	bo, mal := w.Person("bo"), w.Person("mal")
	theirs, his := mal.keysOf(), bo.keysOf()
	pack := func(signer ed25519.PrivateKey, cred identity.Credential) []byte {
		kp, err := mls.NewKeyPackage(rnd, mls.KeyPackageParams{
			Suite: mls.XWing, Signer: signer, Credential: mls.BasicCredential(cred.Marshal()),
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), Supported: []uint16{0xF0A0},
		})
		if err != nil {
			t.Fatal(err)
		}
		return kp.Public.Marshal()
	}
	chain := must(identity.Verify([][]byte{theirs.Genesis(must(wire.ParseHandle(bo.Handle)), time.Now())}))
	hisChain := bo.chain()
	for name, swap := range map[string]func(*wire.ClaimedPackage){
		"hers in his name": func(p *wire.ClaimedPackage) {
			p.KeyPackage = pack(theirs.Signature, identity.CredentialOf(chain, his.Name))
		},
		"her key on his leaf": func(p *wire.ClaimedPackage) {
			p.KeyPackage = pack(theirs.Signature, identity.CredentialOf(hisChain, his.Name))
		},
		"her device in his place": func(p *wire.ClaimedPackage) {
			p.KeyPackage = pack(theirs.Signature, identity.CredentialOf(hisChain, theirs.Name))
		},
		"a flipped byte": func(p *wire.ClaimedPackage) { p.KeyPackage[len(p.KeyPackage)/2] ^= 1 },
		"nonsense":       func(p *wire.ClaimedPackage) { p.KeyPackage = []byte("no key") },
		"a device that he has not": func(p *wire.ClaimedPackage) {
			p.Device, p.KeyPackage = theirs.Name, pack(theirs.Signature, identity.CredentialOf(chain, theirs.Name))
		},
	} {
		between.HTTP(func(r client.Request, a *client.Answer) {
			if r.Method == "POST" {
				var c wire.ClaimedPackages
				if err := wire.Unmarshal(a.Body, &c); err != nil {
					panic(err)
				}
				swap(&c.Packages[0])
				a.Body = wire.Marshal(c)
			}
		})
		before := soFar(between)
		if _, err := ana.Client.Send(patient(t), bo.Handle, client.Text("for bo only")); err == nil {
			t.Errorf("%s: it was taken", name)
		}
		ana.Sync()
		if now := soFar(between); now.creates != before.creates || now.puts != before.puts {
			t.Errorf("%s: somebody was invited", name)
		}
	}
	between.Honest()
	ana.Send(bo.Handle, "for bo only")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "for bo only")
	mal.Sync()
	if n := len(must(mal.Client.Requests())); n != 0 {
		t.Errorf("mal has %d requests", n)
	}
}

// grow publishes one more statement of a person's chain, and answers both heads of a fork
// of it: the published and another one for the same place.
func (p *Person) grow() (published, other []byte) {
	t := p.w.T
	t.Helper()
	k, chain := p.keysOf(), p.chain()
	one, two := must(identity.NewKeys(rnd)), must(identity.NewKeys(rnd))
	published, other = k.AddDevice(chain, one, time.Now()), k.AddDevice(chain, two, time.Now())
	if _, err := p.Greet(k).Call(wire.OpStatement, wire.Statement{Head: chain.Head(), Signed: published}); err != nil {
		t.Fatal(err)
	}
	return published, other
}

// A server that hides a later statement from somebody who knows it: told, and what is
// known goes on to count.
func TestShortenedChain(t *testing.T) {
	w := New(t)
	ana, between := w.Watched("ana", w.Home)
	bo := w.Person("bo")
	ana.Send(bo.Handle, "one")
	accept(t, bo, ana.Handle)
	bo.grow()
	bo.Sync()
	act(t, ana, "looks bo up", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "first", []string{bo.Handle})
		return err
	})
	ana.notTold(client.NoticeIdentity)
	lie(between, "bo", func(l *wire.Lookup) {
		if len(l.Chain) != 2 {
			t.Errorf("a chain of %d", len(l.Chain))
		}
		l.Chain = l.Chain[:1]
	})
	act(t, ana, "looks bo up", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "second", []string{bo.Handle})
		return err
	})
	ana.Told(client.NoticeIdentity)
	between.Honest()
	for _, title := range []string{"first", "second"} {
		bo.Eventually("is in "+title, func() bool { return bo.Room(title).Title == title }, func() any { return nil })
		ana.Send(title, "in "+title)
		bo.Reads(title, "in "+title)
	}
}

// Another account under a handle that is known: a different person, to whom nothing is
// sent.
func TestChangedGenesis(t *testing.T) {
	w := New(t)
	ana, between := w.Watched("ana", w.Home)
	bo := w.Person("bo")
	ana.Send(bo.Handle, "one")
	accept(t, bo, ana.Handle)
	group(t, "club", ana, w.Person("cy"))
	k := must(identity.NewKeys(rnd))
	genesis := k.Genesis(must(wire.ParseHandle(bo.Handle)), time.Now())
	lie(between, "bo", func(l *wire.Lookup) {
		l.Chain = [][]byte{genesis}
		l.Devices = []wire.Inbox{{Device: k.Name}}
	})
	ana.Sync()
	before := soFar(between)
	if _, err := ana.Client.CreateRoom(patient(t), "den", []string{bo.Handle}); !errors.Is(err, client.ErrChanged) {
		t.Errorf("a room with a changed account: %v", err)
	}
	if err := ana.Client.AddPeople(patient(t), "club", []string{bo.Handle}); err == nil || !strings.Contains(err.Error(), "different account") {
		t.Errorf("adding a changed account: %v", err)
	}
	ana.Sync()
	if now := soFar(between); now != before {
		t.Errorf("sent: %+v, before: %+v", now, before)
	}
	ana.Send(bo.Handle, "two") // the room of before is bo's
	bo.Reads(ana.Handle, "one", "two")
	between.Honest()
	act(t, ana, "makes a room", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "den", []string{bo.Handle})
		return err
	})
	ana.Send("den", "three")
	bo.Reads("den", "three")
}

// Two signed statements for one place of a chain: nothing is sent, and the person is told.
func TestForkedChain(t *testing.T) {
	w := New(t)
	ana, between := w.Watched("ana", w.Home)
	bo := w.Person("bo")
	ana.Send(bo.Handle, "one")
	accept(t, bo, ana.Handle)
	_, other := bo.grow()
	act(t, ana, "looks bo up", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "first", []string{bo.Handle})
		return err
	})
	lie(between, "bo", func(l *wire.Lookup) { l.Chain = [][]byte{l.Chain[0], other} })
	ana.Sync()
	before := soFar(between)
	if _, err := ana.Client.CreateRoom(patient(t), "den", []string{bo.Handle}); !errors.Is(err, identity.ErrFork) {
		t.Errorf("a room with a forked account: %v", err)
	}
	if now := soFar(between); now != before {
		t.Errorf("sent: %+v, before: %+v", now, before)
	}
	ana.Told(client.NoticeIdentity)
	between.Honest()
	act(t, ana, "makes a room", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "den", []string{bo.Handle})
		return err
	})
	ana.Send("den", "three")
	bo.Reads("den", "three")
}
