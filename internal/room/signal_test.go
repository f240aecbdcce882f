package room

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"testing"

	"sotto/internal/wire"
)

const signalNow = 1_750_000_000_000

func (m *member) signalKey() *SignalKey {
	m.t.Helper()
	k, err := NewSignalKey(m.group, m.context().Log, m.group.Epoch())
	if err != nil {
		m.t.Fatal(err)
	}
	return k
}

func (m *member) leafKey(i uint32) ed25519.PublicKey {
	if n := m.group.Member(i); n != nil {
		return n.SignatureKey
	}
	return nil
}

func (m *member) signal(kind SignalKind, body []byte, at uint64) []byte {
	m.t.Helper()
	b, err := m.signalKey().Seal(rand.Reader, m.keys.Signature, Signal{Leaf: m.group.OwnLeaf(), Kind: kind, Body: body, TimeMS: at})
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

func TestSignal(t *testing.T) {
	ana, bo := newAccount(t, "ana"), newAccount(t, "bo")
	people := found(t, context(Group, ana), ana, bo)
	from, to := people[0], people[1]
	key := to.signalKey()
	sealed := from.signal(SignalTyping, Switch(true), signalNow)
	if len(sealed) != 1+16+wire.PadMinimum+16 {
		t.Errorf("%d bytes", len(sealed))
	}
	s, err := key.Open(sealed, to.leafKey, signalNow)
	if err != nil || s.Kind != SignalTyping || s.Leaf != from.leaf(from.keys) || !bytes.Equal(s.Body, []byte{1}) {
		t.Fatal(s, err)
	}
	refuse := func(what string, k *SignalKey, b []byte, now int64) {
		t.Helper()
		if _, err := k.Open(b, to.leafKey, now); !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refuse("the same again", key, sealed, signalNow)
	refuse("one before it", key, from.signal(SignalTyping, Switch(false), signalNow-1), signalNow)
	refuse("yesterday's, to somebody who has just come", to.signalKey(), sealed, signalNow+SignalDrift+1)
	refuse("tomorrow's", to.signalKey(), sealed, signalNow-SignalDrift-1)
	for at := range sealed {
		refuse("changed", to.signalKey(), flip(sealed, at), signalNow)
	}
	for n := range sealed {
		refuse("cut short", to.signalKey(), sealed[:n], signalNow)
	}
	refuse("too long", to.signalKey(), make([]byte, wire.MaxSignal+1), signalNow)
	if _, err := key.Open(from.signal(SignalTyping, Switch(false), signalNow+1), to.leafKey, signalNow); err != nil {
		t.Error("the next one:", err)
	}
}

// A member cannot say a signal in another's name, nor show another's elsewhere.
func TestForgedSignal(t *testing.T) {
	ana, bo, mallory := newAccount(t, "ana"), newAccount(t, "bo"), newAccount(t, "mallory")
	people := found(t, context(Group, ana), ana, bo, mallory)
	from, to, mal := people[0], people[1], people[2]
	forged, err := mal.signalKey().Seal(rand.Reader, mal.keys.Signature, Signal{Leaf: from.group.OwnLeaf(), Kind: SignalHere, Body: Switch(true), TimeMS: signalNow})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.signalKey().Open(forged, to.leafKey, signalNow); !errors.Is(err, ErrJunk) {
		t.Error("in another's name:", err)
	}
	nobody, err := mal.signalKey().Seal(rand.Reader, mal.keys.Signature, Signal{Leaf: 99, Kind: SignalHere, TimeMS: signalNow})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.signalKey().Open(nobody, to.leafKey, signalNow); !errors.Is(err, ErrJunk) {
		t.Error("of a leaf that is not there:", err)
	}
	// Ana's own signature, sealed anew by Mallory under another salt.
	k := mal.signalKey()
	s := Signal{Leaf: from.group.OwnLeaf(), Kind: SignalTyping, Body: Switch(true), TimeMS: signalNow}
	p := signalPlain{s.Leaf, s.Kind, s.Body, s.TimeMS, ed25519.Sign(from.keys.Signature, k.signed([16]byte{1}, s))}
	salt := [16]byte{2}
	aead, nonce, err := k.aead(salt)
	if err != nil {
		t.Fatal(err)
	}
	front := append([]byte{signalVersion}, salt[:]...)
	log := to.context().Log
	again := aead.Seal(bytes.Clone(front), nonce, Pad(wire.Marshal(p)), append(log[:], front...))
	if _, err := to.signalKey().Open(again, to.leafKey, signalNow); !errors.Is(err, ErrJunk) {
		t.Error("under another salt:", err)
	}
	// Another epoch's key opens nothing of this one.
	other := found(t, context(Group, ana), ana, bo)
	if _, err := other[1].signalKey().Open(from.signal(SignalTyping, Switch(true), signalNow), to.leafKey, signalNow); !errors.Is(err, ErrJunk) {
		t.Error("of another room:", err)
	}
}

func TestSignalLimits(t *testing.T) {
	ana := newAccount(t, "ana")
	m := found(t, context(Self, ana), ana)[0]
	k := m.signalKey()
	if _, err := k.Seal(rand.Reader, m.keys.Signature, Signal{Body: make([]byte, MaxSignalBody+1)}); err == nil {
		t.Error("a long one was made")
	}
	b, err := k.Seal(rand.Reader, m.keys.Signature, Signal{Body: make([]byte, MaxSignalBody)})
	if err != nil || len(b) > wire.MaxSignal {
		t.Error(len(b), err)
	}
	for _, b := range [][]byte{nil, {2}, {1, 0}, {0xff}} {
		if _, err := ParseSwitch(b); !errors.Is(err, ErrJunk) {
			t.Errorf("%x: %v", b, err)
		}
	}
	for _, on := range []bool{true, false} {
		if got, err := ParseSwitch(Switch(on)); err != nil || got != on {
			t.Error(on, err)
		}
	}
	k.Erase()
	if !bytes.Equal(k.secret, make([]byte, 32)) {
		t.Error("the key is not erased")
	}
}

func FuzzSignal(f *testing.F) {
	ana, bo := newAccount(f, "ana"), newAccount(f, "bo")
	people := found(f, context(Group, ana), ana, bo)
	f.Add(people[0].signal(SignalHere, Switch(true), signalNow))
	f.Add([]byte{1})
	log := people[1].context().Log
	f.Fuzz(func(t *testing.T, b []byte) {
		people[1].t = t
		key := people[1].signalKey()
		if _, err := key.Open(b, people[1].leafKey, signalNow); err != nil && !errors.Is(err, ErrJunk) {
			t.Fatal(err)
		}
		// and what stands inside the seal
		salt := [16]byte{7}
		aead, nonce, err := key.aead(salt)
		if err != nil {
			t.Fatal(err)
		}
		front := append([]byte{signalVersion}, salt[:]...)
		sealed := aead.Seal(bytes.Clone(front), nonce, Pad(bytes.Clone(b)), append(log[:], front...))
		if len(sealed) > wire.MaxSignal {
			return
		}
		if _, err := key.Open(sealed, people[1].leafKey, signalNow); !errors.Is(err, ErrJunk) {
			t.Fatalf("what nobody has signed: %v", err)
		}
	})
}
