package room

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

func post(t testing.TB, from *account, to identity.Device, body []byte) []byte {
	t.Helper()
	b, err := SealEnvelope(from.keys[0], from.chain, to, EnvelopeInvitation, body, 12)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEnvelope(t *testing.T) {
	ana, bo := newAccount(t, "ana"), newAccount(t, "bo")
	ana.link(t)
	sealed := post(t, ana, bo.keys[0].Device(), []byte("come in"))
	e, chain, err := OpenEnvelope(bo.keys[0], sealed)
	if err != nil || string(e.Body) != "come in" || e.Kind != EnvelopeInvitation || e.TimeMS != 12 ||
		e.Device != ana.keys[0].Name || chain.ID() != ana.chain.ID() || chain.Len() != 2 {
		t.Fatalf("%+v, %v", e, err)
	}
	if bytes.Contains(sealed, []byte("come in")) || bytes.Contains(sealed, []byte("ana@")) {
		t.Error("an envelope that shows what it says, or whose it is")
	}
	seen := map[int]bool{}
	for n := range 300 {
		seen[len(post(t, ana, bo.keys[0].Device(), make([]byte, n)))] = true
	}
	if len(seen) > 6 {
		t.Errorf("300 lengths of a body have %d sizes", len(seen))
	}
}

// forge seals an envelope that its maker has changed, signed anew by k unless that is nil.
func forge(t testing.TB, from *account, to identity.Device, k ed25519.PrivateKey, change func(*Envelope)) []byte {
	t.Helper()
	e := Envelope{Kind: EnvelopeInvitation, Body: []byte("come in"), Chain: from.chain.Statements(0), Device: from.keys[0].Name, To: to.Name}
	e.Signature = ed25519.Sign(from.keys[0].Signature, e.signed())
	change(&e)
	if k != nil {
		e.Signature = ed25519.Sign(k, e.signed())
	}
	return sealPlain(t, to, Pad(wire.Marshal(e)))
}

func sealPlain(t testing.TB, to identity.Device, plain []byte) []byte {
	t.Helper()
	b, err := identity.Seal(to.Inbox, []byte(envelopeInfo), plain)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEnvelopeRefuses(t *testing.T) {
	ana, bo, mal := newAccount(t, "ana"), newAccount(t, "bo"), newAccount(t, "mal")
	bo2 := bo.link(t)
	old := ana.link(t)
	ana.revoke(t, old)
	to := bo.keys[0].Device()
	whole := forge(t, ana, to, nil, func(*Envelope) {})
	if _, _, err := OpenEnvelope(bo.keys[0], whole); err != nil {
		t.Fatalf("the forger cannot make a good one: %v", err)
	}
	forwarded := bo.keys[0].Device() // bo seals on to his other device what ana signed for him
	forwarded.Inbox = bo2.Device().Inbox
	elsewhere := bo2.Device()
	elsewhere.Inbox = to.Inbox
	key, malKey := ana.keys[0].Signature, mal.keys[0].Signature
	for name, sealed := range map[string][]byte{
		"nothing":                       nil,
		"not sealed":                    bytes.Repeat([]byte{1}, 2000),
		"cut":                           whole[:len(whole)-1],
		"longer":                        append(slices.Clone(whole), 0),
		"for another person":            post(t, ana, mal.keys[0].Device(), nil),
		"for another device":            post(t, ana, bo2.Device(), nil),
		"signed for another device":     forge(t, ana, elsewhere, nil, func(*Envelope) {}),
		"passed on to another":          forge(t, ana, to, nil, func(e *Envelope) { e.To = bo2.Name }),
		"another body":                  forge(t, ana, to, nil, func(e *Envelope) { e.Body = []byte("go away") }),
		"another kind":                  forge(t, ana, to, nil, func(e *Envelope) { e.Kind = EnvelopeRejoin }),
		"another time":                  forge(t, ana, to, nil, func(e *Envelope) { e.TimeMS++ }),
		"another's name":                forge(t, ana, to, malKey, func(*Envelope) {}),
		"another's chain":               forge(t, mal, to, nil, func(e *Envelope) { e.Chain, e.Device = ana.chain.Statements(0), ana.keys[0].Name }),
		"another's chain, signed by it": forge(t, ana, to, key, func(e *Envelope) { e.Chain = mal.chain.Statements(0) }),
		"a shorter chain":               forge(t, ana, to, nil, func(e *Envelope) { e.Chain = e.Chain[:1] }),
		"a revoked device":              forge(t, ana, to, old.Signature, func(e *Envelope) { e.Device = old.Name }),
		"no such device":                forge(t, ana, to, key, func(e *Envelope) { e.Device[0] ^= 1 }),
		"no chain":                      forge(t, ana, to, key, func(e *Envelope) { e.Chain = nil }),
		"a forged chain":                forge(t, ana, to, key, func(e *Envelope) { e.Chain = [][]byte{flip(e.Chain[0], 50)} }),
		"no signature":                  forge(t, ana, to, nil, func(e *Envelope) { e.Signature = nil }),
		"half a signature":              forge(t, ana, to, nil, func(e *Envelope) { e.Signature = e.Signature[:32] }),
		"no padding":                    sealPlain(t, to, bytes.Repeat([]byte{1}, 300)),
		"no envelope":                   sealPlain(t, to, Pad([]byte("x"))),
		"too large":                     make([]byte, wire.MaxInboxEntry+1),
		"too large although good":       forge(t, ana, to, key, func(e *Envelope) { e.Body = make([]byte, wire.MaxInboxEntry) }),
	} {
		_, _, err := OpenEnvelope(bo.keys[0], sealed)
		if !errors.Is(err, ErrJunk) && !errors.Is(err, identity.ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := OpenEnvelope(bo2, forge(t, ana, forwarded, nil, func(*Envelope) {})); !errors.Is(err, ErrJunk) {
		t.Errorf("forwarded: %v", err)
	}
	for at := 0; at < len(whole); at += 37 {
		if _, _, err := OpenEnvelope(bo.keys[0], flip(whole, at)); !errors.Is(err, ErrJunk) {
			t.Fatalf("byte %d flipped: %v", at, err)
		}
	}
	if _, err := SealEnvelope(ana.keys[0], ana.chain, identity.Device{Inbox: []byte("no key")}, EnvelopeInvitation, nil, 0); err == nil {
		t.Error("sealed to what is no key")
	}
}

// An envelope and a chain are signed in contexts of their own.
func TestEnvelopeContext(t *testing.T) {
	if !strings.HasPrefix(string(Envelope{}.signed()), "sotto envelope v1\x00") {
		t.Error("the context is gone")
	}
	a := Envelope{Signature: []byte("x")}
	if !bytes.Equal(a.signed(), Envelope{}.signed()) {
		t.Error("a signature that signs itself")
	}
}

func invitation() Invitation {
	return Invitation{Generation: 1, Kind: Group, Host: "example.org", Bundle: []byte{1}, Title: "club", At: Place{Seq: 3}, Welcome: []byte{2}}
}

func TestParseInvitation(t *testing.T) {
	blob := &BundleBlob{Host: "example.org:7700"}
	for _, c := range []struct {
		name   string
		change func(*Invitation)
		ok     bool
	}{
		{"as it is", func(*Invitation) {}, true},
		{"by blob", func(i *Invitation) { i.Bundle, i.Blob = nil, blob }, true},
		{"a move", func(i *Invitation) { i.Move = &Move{Culprits: []Owner{{}}, Reason: "junk"} }, true},
		{"the longest title", func(i *Invitation) { i.Title = strings.Repeat("x", MaxTitle) }, true},
		{"too long a title", func(i *Invitation) { i.Title = strings.Repeat("x", MaxTitle+1) }, false},
		{"no bundle", func(i *Invitation) { i.Bundle = nil }, false},
		{"both", func(i *Invitation) { i.Blob = blob }, false},
		{"generation 0", func(i *Invitation) { i.Generation = 0 }, false},
		{"kind 0", func(i *Invitation) { i.Kind = 0 }, false},
		{"a self room", func(i *Invitation) { i.Kind = Alike }, true},
		{"kind 5", func(i *Invitation) { i.Kind = 5 }, false},
		{"no host", func(i *Invitation) { i.Host = "" }, false},
		{"a host in capitals", func(i *Invitation) { i.Host = "EXAMPLE.org" }, false},
		{"a blob at no host", func(i *Invitation) { i.Bundle, i.Blob = nil, &BundleBlob{} }, false},
		{"a blob at a host in capitals", func(i *Invitation) { i.Bundle, i.Blob = nil, &BundleBlob{Host: "A.b"} }, false},
	} {
		i := invitation()
		c.change(&i)
		got, err := ParseInvitation(wire.Marshal(i))
		if c.ok != (err == nil) || err != nil && !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.ok && !bytes.Equal(wire.Marshal(got), wire.Marshal(i)) {
			t.Errorf("%s became %+v", c.name, got)
		}
	}
}

func joined() Joined { return Joined{Host: "example.org", Capability: wire.Secret{1}} }

func TestParseSmall(t *testing.T) {
	parse := map[string]func([]byte) error{
		"payload":    func(b []byte) error { _, err := ParsePayload(b); return err },
		"joined":     func(b []byte) error { _, err := ParseJoined(b); return err },
		"rejoin":     func(b []byte) error { _, err := ParseRejoin(b); return err },
		"bundle":     func(b []byte) error { _, err := ParseBundle(b); return err },
		"invitation": func(b []byte) error { _, err := ParseInvitation(b); return err },
	}
	good := map[string][]byte{
		"payload":    wire.Marshal(Payload{Kind: PayloadContent, Body: []byte("x"), Seq: 1, TimeMS: 2}),
		"joined":     wire.Marshal(joined()),
		"rejoin":     wire.Marshal(Rejoin{Generation: 1, KeyPackage: []byte{1}, Joined: joined()}),
		"bundle":     wire.Marshal(Bundle{Tree: []byte{1}, Chains: []Proof{newAccount(t, "ana").proof(0)}}),
		"invitation": wire.Marshal(invitation()),
	}
	for name, p := range parse {
		b := good[name]
		if err := p(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, bad := range [][]byte{nil, {}, {0xa0}, b[:len(b)-1], append(slices.Clone(b), 0), {0xff}, bytes.Repeat([]byte{0x81}, 1000)} {
			if err := p(bad); !errors.Is(err, ErrJunk) {
				t.Errorf("%s, bad %d: %v", name, i, err)
			}
		}
	}
	for name, h := range map[string]string{"no host": "", "capitals": "A.example", "default port": "a.example:443"} {
		if _, err := ParseJoined(wire.Marshal(Joined{Host: h})); !errors.Is(err, ErrJunk) {
			t.Errorf("joined, %s: %v", name, err)
		}
		if _, err := ParseRejoin(wire.Marshal(Rejoin{Generation: 1, Joined: Joined{Host: h}})); !errors.Is(err, ErrJunk) {
			t.Errorf("rejoin, %s: %v", name, err)
		}
	}
}

func TestBundleBlob(t *testing.T) {
	key := [16]byte{1}
	b := Bundle{Tree: []byte("tree"), Chains: []Proof{newAccount(t, "ana").proof(0)}}
	blob := SealBundle(key, b)
	where := BundleBlob{Host: "example.org", Key: key, Hash: sha256.Sum256(blob)}
	got, err := OpenBundle(where, blob)
	if err != nil || !bytes.Equal(wire.Marshal(got), wire.Marshal(b)) {
		t.Fatal(err)
	}
	if string(MustBundle(wire.Marshal(b)).Tree) != "tree" {
		t.Error("MustBundle")
	}
	other := where
	other.Key[0] ^= 1
	named := func(b []byte) BundleBlob {
		w := where
		w.Hash = sha256.Sum256(b)
		return w
	}
	junk := bundleAEAD(key).Seal(nil, make([]byte, nonceSize), []byte("no bundle"), []byte("sotto bundle v1"))
	for name, c := range map[string]struct {
		where BundleBlob
		blob  []byte
	}{
		"another blob":       {where, flip(blob, 0)},
		"another key":        {other, blob},
		"flipped, and named": {named(flip(blob, 0)), flip(blob, 0)},
		"cut, and named":     {named(blob[:4]), blob[:4]},
		"empty, and named":   {named(nil), nil},
		"no bundle":          {named(junk), junk},
	} {
		if _, err := OpenBundle(c.where, c.blob); !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", name, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustBundle takes what is none")
		}
	}()
	MustBundle(nil)
}

// A rejoin that is sent on by somebody else is not the device's.
func TestRejoinIsSigned(t *testing.T) {
	ana, bo := newAccount(t, "ana"), newAccount(t, "bo")
	body := wire.Marshal(Rejoin{Generation: 1, KeyPackage: []byte{1}, Joined: joined()})
	sealed, err := SealEnvelope(ana.keys[0], ana.chain, bo.keys[0].Device(), EnvelopeRejoin, body, uint64(time.Now().UnixMilli()))
	if err != nil {
		t.Fatal(err)
	}
	e, chain, err := OpenEnvelope(bo.keys[0], sealed)
	if err != nil || e.Kind != EnvelopeRejoin || chain.ID() != ana.chain.ID() {
		t.Fatal(err)
	}
	if _, err := ParseRejoin(e.Body); err != nil {
		t.Error(err)
	}
}
