package room

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"testing/iotest"

	"sotto/internal/wire"
	"sotto/mls"
)

// epoch is an exporter without a group: what it exports follows from its number.
type epoch byte

func (e epoch) Export(label string, context []byte, n int) ([]byte, error) {
	h := sha256.Sum256(slices.Concat([]byte{byte(e)}, []byte(label), context))
	return h[:n], nil
}

type noEpoch struct{}

func (noEpoch) Export(string, []byte, int) ([]byte, error) { return nil, mls.ErrRemoved }

func seal(t testing.TB, e Exporter, log wire.LogName, inner Inner) []byte {
	t.Helper()
	b, err := SealEntry(rand.Reader, e, log, inner)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealEntry(t *testing.T) {
	log := wire.LogName{1}
	ana := newAccount(t, "ana")
	for _, inner := range []Inner{
		{}, {Message: []byte("hi")}, {Message: make([]byte, 5000), Proofs: []Proof{ana.proof(0)}},
	} {
		entry := seal(t, epoch(1), log, inner)
		got, err := OpenEntry(epoch(1), log, entry)
		if err != nil || !bytes.Equal(wire.Marshal(got), wire.Marshal(inner)) {
			t.Fatalf("%v, %v", got, err)
		}
	}
}

// The server sees one of few sizes, and nothing twice.
func TestEntrySizes(t *testing.T) {
	sizes := map[int]bool{}
	for n := range 4000 {
		entry := seal(t, epoch(1), wire.LogName{}, Inner{Message: make([]byte, n)})
		plain := len(entry) - Overhead
		if plain != padme(plain) || plain < n+1 || plain > wire.PadMinimum && plain > n+n/8+32 {
			t.Fatalf("%d bytes became %d, which is no bucket", n, plain)
		}
		sizes[len(entry)] = true
	}
	if len(sizes) > 66 {
		t.Errorf("4,000 messages of different lengths have %d sizes", len(sizes))
	}
	a, b := seal(t, epoch(1), wire.LogName{}, Inner{}), seal(t, epoch(1), wire.LogName{}, Inner{})
	if bytes.Equal(a, b) || bytes.Equal(a[1:13], b[1:13]) {
		t.Error("two entries with one nonce")
	}
	if largest := seal(t, epoch(1), wire.LogName{}, Inner{Message: make([]byte, 245_000)}); len(largest) > wire.MaxEntry {
		t.Errorf("the largest message is an entry of %d bytes", len(largest))
	}
}

func TestOpenEntryRefuses(t *testing.T) {
	log := wire.LogName{1}
	entry := seal(t, epoch(1), log, Inner{Message: []byte("hi")})
	for name, c := range map[string]struct {
		e     Exporter
		log   wire.LogName
		entry []byte
	}{
		"another epoch":    {epoch(2), log, entry},
		"another log":      {epoch(1), wire.LogName{2}, entry},
		"another version":  {epoch(1), log, append([]byte{2}, entry[1:]...)},
		"nothing":          {epoch(1), log, nil},
		"a byte":           {epoch(1), log, []byte{wire.PlainEntry}},
		"only a seal":      {epoch(1), log, entry[:Overhead-1]},
		"cut":              {epoch(1), log, entry[:len(entry)-1]},
		"longer":           {epoch(1), log, append(slices.Clone(entry), 0)},
		"padding only":     {epoch(1), log, sealRaw(t, epoch(1), log, make([]byte, 256))},
		"no padding":       {epoch(1), log, sealRaw(t, epoch(1), log, bytes.Repeat([]byte{1}, 256))},
		"no inner":         {epoch(1), log, sealRaw(t, epoch(1), log, Pad(nil))},
		"no CBOR":          {epoch(1), log, sealRaw(t, epoch(1), log, Pad([]byte("no")))},
		"trailing":         {epoch(1), log, sealRaw(t, epoch(1), log, Pad(append(wire.Marshal(Inner{}), 0)))},
		"an unknown field": {epoch(1), log, sealRaw(t, epoch(1), log, Pad(wire.Marshal(map[uint64]any{1: []byte{}, 9: 1})))},
	} {
		if got, err := OpenEntry(c.e, c.log, c.entry); !errors.Is(err, ErrJunk) || len(got.Message) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for at := range entry {
		if _, err := OpenEntry(epoch(1), log, flip(entry, at)); !errors.Is(err, ErrJunk) {
			t.Fatalf("byte %d flipped: %v", at, err)
		}
	}
	// An epoch that has no keys is no fault of the entry.
	if _, err := OpenEntry(noEpoch{}, log, entry); !errors.Is(err, mls.ErrRemoved) || errors.Is(err, ErrJunk) {
		t.Errorf("without an epoch: %v", err)
	}
	if _, err := SealEntry(rand.Reader, noEpoch{}, log, Inner{}); !errors.Is(err, mls.ErrRemoved) {
		t.Errorf("without an epoch: %v", err)
	}
	if _, err := SealEntry(iotest.ErrReader(errors.New("dry")), epoch(1), log, Inner{}); err == nil {
		t.Error("sealed without randomness")
	}
}

// sealRaw is SealEntry with a plaintext of one's own.
func sealRaw(t testing.TB, e Exporter, log wire.LogName, plain []byte) []byte {
	t.Helper()
	aead, err := entryAEAD(e, log)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 1+nonceSize)
	out[0] = wire.PlainEntry
	return aead.Seal(out, out[1:], plain, log[:])
}

func TestPad(t *testing.T) {
	for n, want := range map[int]int{ // computed from the paper's formula by another program
		1: 256, 256: 256, 257: 272, 272: 272, 273: 288, 300: 304, 1000: 1024, 1024: 1024, 1025: 1088,
		4097: 4352, 65537: 67584, 245760: 245760, 262115: 262144,
	} {
		if got := padme(n); got != want {
			t.Errorf("%d is padded to %d, not %d", n, got, want)
		}
	}
	for n := range 3000 {
		b := bytes.Repeat([]byte{0x80}, n)
		p := Pad(slices.Clone(b))
		if len(p) != padme(n+1) || len(p) <= n {
			t.Fatalf("%d bytes became %d", n, len(p))
		}
		got, err := Unpad(p)
		if err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%d bytes came back as %d: %v", n, len(got), err)
		}
	}
	for _, bad := range [][]byte{nil, {}, {0}, {1}, make([]byte, 256), {0x80, 1, 0}, {0x81}} {
		if _, err := Unpad(bad); !errors.Is(err, ErrJunk) {
			t.Errorf("%x: %v", bad, err)
		}
	}
	zeros := append([]byte{5, 0, 0}, 0x80, 0)
	if got, err := Unpad(zeros); err != nil || !bytes.Equal(got, []byte{5, 0, 0}) {
		t.Errorf("%x, %v", got, err)
	}
}

// Names that every client must compute alike. The values were computed by another
// program (Python's hmac).
func TestGolden(t *testing.T) {
	var c Context
	for i := range c.Key {
		c.Key[i] = byte(i)
	}
	leaf := bytes.Repeat([]byte{0xaa}, 32)
	tag := c.Tag(leaf)
	if got := hex.EncodeToString(tag[:]); got != "43990e16779c4e9fd34d5e26ea42dc39" {
		t.Errorf("tag %s", got)
	}
	rank := c.Rank([]byte("move"), leaf)
	if got := hex.EncodeToString(rank[:]); got != "6cc56f2e18dc2a3157ec383321f462789c5b50e336851e237a61e2a6b4eac0c2" {
		t.Errorf("rank %s", got)
	}
	other := c
	other.Key[0]++
	if other.Tag(leaf) == tag || c.Tag(flip(leaf, 0)) == tag {
		t.Error("a tag does not depend on the room's key and the leaf's")
	}
	if other.Rank([]byte("move"), leaf) == rank || c.Rank([]byte("leave"), leaf) == rank || c.Rank([]byte("move"), flip(leaf, 0)) == rank {
		t.Error("a rank does not depend on key, event and leaf")
	}
}

func TestToken(t *testing.T) {
	ms := found(t, context(Group), newAccount(t, "ana"), newAccount(t, "bo"))
	a, err := Token(ms[0].group, wire.LogName{1})
	b, err2 := Token(ms[1].group, wire.LogName{1})
	if err != nil || err2 != nil || a != b || a == (wire.Secret{}) {
		t.Fatalf("two members hold %x and %x: %v, %v", a, b, err, err2)
	}
	if other, _ := Token(ms[0].group, wire.LogName{2}); other == a {
		t.Error("the token of another log is the same")
	}
	if _, err := Token(noEpoch{}, wire.LogName{}); !errors.Is(err, mls.ErrRemoved) {
		t.Error(err)
	}
}
