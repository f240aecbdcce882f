package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"sotto/internal/wire"
)

func TestKeysRoundTrip(t *testing.T) {
	k := device(t, 1)
	again, err := ParseKeys(k.Marshal())
	if err != nil || !bytes.Equal(again.Marshal(), k.Marshal()) || again.Name != k.Name || !bytes.Equal(again.Device().Inbox, k.Device().Inbox) {
		t.Error(err)
	}
	for _, b := range [][]byte{nil, make([]byte, 79), make([]byte, 81)} {
		if _, err := ParseKeys(b); err == nil {
			t.Errorf("%d bytes are keys", len(b))
		}
	}
	if _, err := NewKeys(iotest.ErrReader(errors.New("no randomness"))); err == nil {
		t.Error("keys without randomness")
	}
}

func TestSeal(t *testing.T) {
	ana, mallory := device(t, 1), device(t, 99)
	inbox, info, text := ana.Device().Inbox, []byte("invitation v1"), []byte("come in")
	sealed, err := Seal(inbox, info, text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ana.Open(info, sealed); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%q, %v", got, err)
	}
	if again, _ := Seal(inbox, info, text); bytes.Equal(again, sealed) {
		t.Error("sealed twice alike")
	}
	if _, err := mallory.Open(info, sealed); err == nil {
		t.Error("another key opens it")
	}
	for _, other := range []string{"", "invitation v2"} {
		if _, err := ana.Open([]byte(other), sealed); err == nil {
			t.Errorf("info %q opens it", other)
		}
	}
	for at := range sealed {
		bad := bytes.Clone(sealed)
		bad[at] ^= 0x80
		if _, err := ana.Open(info, bad); err == nil {
			t.Errorf("byte %d may be changed", at)
		}
	}
	for _, n := range []int{0, 1, 100, len(sealed) - 1} {
		if _, err := ana.Open(info, sealed[:n]); err == nil {
			t.Errorf("%d bytes open", n)
		}
	}
	if _, err := Seal(inbox[:len(inbox)-1], info, text); err == nil {
		t.Error("a short key")
	}
}

// TestRecoveryKeys: the 24 words give the same keys on every device, for ever.
func TestRecoveryKeys(t *testing.T) {
	a, b, other := recovery(t, 7).Public(), recovery(t, 7).Public(), recovery(t, 8).Public()
	if !bytes.Equal(a.Signature, b.Signature) || !bytes.Equal(a.Seal, b.Seal) {
		t.Error("not a function of the words")
	}
	if bytes.Equal(a.Signature, other.Signature) || bytes.Equal(a.Seal, other.Seal) {
		t.Error("other words, the same keys")
	}
	if got := hex.EncodeToString(a.Signature); got != goldenRecovery {
		t.Errorf("the signature key is %s", got)
	}
	if got := hex.EncodeToString(a.Seal[1184:]); got != goldenSeal {
		t.Errorf("the end of the seal key is %s", got)
	}
}

const (
	goldenRecovery = "12fa2cafafe3f9758252e7b2dcf57f89dc84ebd256893b9d84a5ee9cd31608ab"
	goldenSeal     = "d72ebbab39bf3f986fb04ee4fc8a3d178e90bd75ba0ff1ead395259051d9bf7d" // its X25519 half
)

func TestSafetyNumber(t *testing.T) {
	a, b := ID{1}, ID{2}
	n := SafetyNumber(a, b)
	if n != SafetyNumber(b, a) {
		t.Error("not symmetric")
	}
	if n != goldenSafety {
		t.Errorf("it is %s", n)
	}
	groups := strings.Split(n, " ")
	if len(groups) != 12 {
		t.Error(len(groups))
	}
	for _, g := range groups {
		if len(g) != 5 || strings.Trim(g, "0123456789") != "" {
			t.Errorf("group %q", g)
		}
	}
	for _, other := range []string{SafetyNumber(a, ID{3}), SafetyNumber(ID{3}, b), SafetyNumber(a, a)} {
		if other == n {
			t.Error("two pairs, one number")
		}
	}
}

const goldenSafety = "58246 16442 91343 35827 83348 94150 57671 29865 05482 74318 93168 50302"

func TestCredential(t *testing.T) {
	p := newPlay(t)
	p.does(t, p.laptop.AddDevice(p.c, p.phone, now))
	cred := CredentialOf(p.c, p.phone.Name)
	if got, err := ParseCredential(cred.Marshal()); err != nil || got != cred {
		t.Errorf("%+v, %v", got, err)
	}
	for name, edit := range map[string]func(c *Credential){
		"version": func(c *Credential) { c.Version = 2 }, "length 0": func(c *Credential) { c.Length = 0 },
		"over-long": func(c *Credential) { c.Length = wire.MaxChain + 1 }, "no handle": func(c *Credential) { c.Handle = "" },
		"capitals": func(c *Credential) { c.Handle = "Ana@example.org" }, "a line": func(c *Credential) { c.Handle = "ana@example.org\n" },
		"a long handle": func(c *Credential) { c.Handle = strings.Repeat("a", 400) },
	} {
		bad := cred
		edit(&bad)
		if _, err := ParseCredential(bad.Marshal()); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range [][]byte{nil, append(cred.Marshal(), 0), cred.Marshal()[:40], {0xf6}} {
		if _, err := ParseCredential(bad); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%x: %v", bad, err)
		}
	}
}

func TestProves(t *testing.T) {
	p := newPlay(t)
	early := CredentialOf(p.c, p.laptop.Name)
	p.does(t, p.laptop.AddDevice(p.c, p.phone, now))
	phone := CredentialOf(p.c, p.phone.Name)
	p.does(t, p.laptop.AddDevice(p.c, p.tablet, now))
	after := p.c.Clone()
	if err := after.Append(p.laptop.RevokeDevice(after, p.phone.Name, now)); err != nil {
		t.Fatal(err)
	}
	key := func(k *Keys) ed25519.PublicKey { return k.Device().Signature }
	with := func(edit func(c *Credential)) Credential { c := phone; edit(&c); return c }
	for _, c := range []struct {
		name string
		c    *Chain
		cred Credential
		key  ed25519.PublicKey
		ok   bool
	}{
		{"the phone", p.c, phone, key(p.phone), true},
		{"the laptop, from before", p.c, early, key(p.laptop), true},
		{"the laptop, after a revocation", after, early, key(p.laptop), true},
		{"the phone after its revocation", after, phone, key(p.phone), false},
		{"the phone with the laptop's key", p.c, phone, key(p.laptop), false},
		{"no key", p.c, phone, nil, false},
		{"another account", p.c, with(func(c *Credential) { c.Account = ID{1} }), key(p.phone), false},
		{"another head", p.c, with(func(c *Credential) { c.Head = wire.Hash{1} }), key(p.phone), false},
		{"another length", p.c, with(func(c *Credential) { c.Length = 1 }), key(p.phone), false},
		{"a length beyond", p.c, with(func(c *Credential) { c.Length = 200 }), key(p.phone), false},
		{"no length", p.c, with(func(c *Credential) { c.Length = 0 }), key(p.phone), false},
		{"an unknown device", p.c, with(func(c *Credential) { c.Device = p.mallory.Name }), key(p.mallory), false},
		{"another handle decides nothing", p.c, with(func(c *Credential) { c.Handle = "bo@b.example" }), key(p.phone), true},
	} {
		if err := c.c.Proves(c.cred, c.key); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrChain) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzParseCredential(f *testing.F) {
	p := newPlay(f)
	f.Add(CredentialOf(p.c, p.laptop.Name).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCredential(b)
		if err == nil && !bytes.Equal(c.Marshal(), b) {
			t.Errorf("%x is taken", b)
		}
		if err == nil && p.c.Proves(c, p.laptop.Device().Signature) == nil && c.Device != p.laptop.Name {
			t.Error("proved")
		}
	})
}

func FuzzOpen(f *testing.F) {
	k := device(f, 1)
	sealed, err := Seal(k.Device().Inbox, nil, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if text, err := k.Open(nil, b); err == nil && string(text) != "x" {
			t.Errorf("%q was never sealed", text)
		}
	})
}
