package backup

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"sotto/internal/archive"
	"sotto/internal/identity"
	"sotto/internal/recovery"
	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mimi"
)

var update = flag.Bool("update", false, "write the fixture of the present version, which must not exist")

const passphrase = "correct horse"

// kit is an account with words.
type kit struct {
	keys  *identity.Keys
	words *identity.RecoveryKeys
	chain *identity.Chain
	lock  *Lock
}

func newKit(t testing.TB, n byte) kit {
	t.Helper()
	seed := bytes.Repeat([]byte{n}, 80)
	k := kit{keys: good(identity.ParseKeys(seed)), words: good(identity.NewRecoveryKeys([32]byte{n}))}
	at := time.Unix(1_750_000_000, 0)
	k.chain = good(identity.Verify([][]byte{k.keys.Genesis(wire.Handle{Name: "ana", Host: "example.org"}, at)}))
	if err := k.chain.Append(k.keys.SetRecovery(k.chain, k.words, at)); err != nil {
		t.Fatal(err)
	}
	k.lock = &Lock{Cost: cost, Salt: [16]byte{n}}
	p, _ := normal(passphrase)
	k.lock.Key = derive(p, k.lock.Salt, k.lock.Cost)
	return k
}

func good[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// past is some chunks, the last one marked.
func past(sizes ...int) (out []archive.Chunk) {
	for i, n := range sizes {
		c := archive.Chunk{Version: archive.Version, Index: uint64(i), Last: i == len(sizes)-1, Total: 3}
		if n > 0 {
			c.Messages = []archive.Message{{Room: room.ID{5}, ID: mimi.MessageID{1, byte(i)}, Pos: int64(i + 1), Account: identity.ID{7}, Text: "hello", Content: bytes.Repeat([]byte{9}, n)}}
		}
		out = append(out, c)
	}
	return out
}

var about = About{Handle: "ana@example.org", Time: 1_750_000_000_000}

func (k kit) write(t testing.TB, to To, chunks []archive.Chunk) []byte {
	t.Helper()
	var b bytes.Buffer
	a := about
	a.Account = k.chain.ID()
	w := good(NewWriter(&b, archive.Key{4, 2}, to, a, k.keys))
	for _, c := range chunks {
		if err := w.Chunk(c); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func (k kit) both() To { return To{Words: k.chain.Recovery(), Lock: k.lock} }

// read reads a backup whole.
func read(from io.Reader, s Secret, chain *identity.Chain) (out []archive.Chunk, a About, err error) {
	r, err := NewReader(from)
	if err != nil {
		return nil, a, err
	}
	key, err := r.Key(s)
	if err != nil {
		return nil, a, err
	}
	return readKey(r, key, chain)
}

func readKey(r *Reader, key archive.Key, chain *identity.Chain) (out []archive.Chunk, a About, err error) {
	if a, err = r.Open(key); err != nil {
		return nil, a, err
	}
	if err := r.By(chain); err != nil {
		return nil, a, err
	}
	for {
		c, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, a, nil
		}
		if err != nil {
			return nil, a, err
		}
		out = append(out, c)
	}
}

// Whatever its size, a backup opens with either secret and holds what was written, and its
// length tells little.
func TestRoundTrip(t *testing.T) {
	k := newKit(t, 1)
	rng := mrand.New(mrand.NewPCG(1, 2))
	lengths := map[int]bool{}
	for i := range 60 {
		var sizes []int
		for range rng.IntN(5) {
			sizes = append(sizes, rng.IntN(1<<(4+rng.IntN(18))))
		}
		chunks := past(append(sizes, 0)...)
		to := To{Words: k.chain.Recovery()}
		if i < 3 {
			to = k.both()
		}
		b := k.write(t, to, chunks)
		got, a, err := read(iotest.OneByteReader(bytes.NewReader(b)), Secret{Words: k.words}, k.chain)
		if err != nil || !reflect.DeepEqual(got, chunks) || a.Handle != about.Handle || a.Time != about.Time || a.Account != k.chain.ID() {
			t.Fatalf("%v: %v, %+v", sizes, err, a)
		}
		if to.Lock != nil {
			if got, _, err = read(bytes.NewReader(b), Secret{Passphrase: passphrase}, k.chain); err != nil || !reflect.DeepEqual(got, chunks) {
				t.Fatal(err)
			}
		}
		lengths[len(b)] = true
		if bytes.Contains(b, []byte("ana@")) || bytes.Contains(b, []byte("hello")) {
			t.Error("it shows whose it is, or what it holds")
		}
	}
	a, b := k.write(t, To{Words: k.chain.Recovery()}, past(100, 0)), k.write(t, To{Words: k.chain.Recovery()}, past(2000, 300, 0))
	if len(a) != len(b) || len(lengths) > 50 {
		t.Errorf("%d and %d bytes; %d lengths", len(a), len(b), len(lengths))
	}
}

// Each of what can be wrong has an error of its own.
func TestWrong(t *testing.T) {
	k, other := newKit(t, 1), newKit(t, 2)
	both := k.write(t, k.both(), past(3000, 70_000, 0))
	words := k.write(t, To{Words: k.chain.Recovery()}, past(0))
	locked := k.write(t, To{Lock: k.lock}, past(0))
	newer := bytes.Clone(both)
	newer[len(magic)] = Version + 1
	mine := Secret{Words: k.words}
	for name, c := range map[string]struct {
		b     []byte
		s     Secret
		chain *identity.Chain
		want  error
	}{
		"nothing":              {nil, mine, k.chain, ErrNone},
		"a letter":             {[]byte("Dear Bo, this is no backup at all."), mine, k.chain, ErrNone},
		"only its first bytes": {both[:14], mine, k.chain, ErrCut},
		"half a header":        {both[:200], mine, k.chain, ErrCut},
		"only a header":        {both[:1400], mine, k.chain, ErrCut},
		"newer":                {newer, mine, k.chain, ErrNewer},
		"other words":          {both, Secret{Words: other.words}, k.chain, ErrWords},
		"another passphrase":   {both, Secret{Passphrase: "correct house"}, k.chain, ErrPassphrase},
		"no passphrase at all": {both, Secret{}, k.chain, ErrPassphrase},
		"words for none":       {locked, mine, k.chain, ErrNotWords},
		"a passphrase to none": {words, Secret{Passphrase: passphrase}, k.chain, ErrNotPassphrase},
		"another account":      {both, mine, other.chain, ErrOther},
		"something behind it":  {append(bytes.Clone(both), 0), mine, k.chain, ErrCut},
	} {
		if got, _, err := read(bytes.NewReader(c.b), c.s, c.chain); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewWriter(io.Discard, archive.Key{}, To{}, about, k.keys); !errors.Is(err, ErrNoWay) {
		t.Error("sealed to nobody:", err)
	}
	for _, p := range []string{"", "short", "a line\nand another", strings.Repeat("x", 2000), "\xff12345678"} {
		if _, err := NewLock([16]byte{}, p); !errors.Is(err, ErrShort) {
			t.Errorf("the passphrase %q: %v", p, err)
		}
	}
	// Anybody can seal to the public key of an account, and nobody but its devices vouches.
	a := about
	a.Account = k.chain.ID()
	var b bytes.Buffer
	w := good(NewWriter(&b, archive.Key{1}, To{Words: k.chain.Recovery()}, a, other.keys))
	if err := w.Chunk(past(0)[0]); err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(&b, mine, k.chain); !errors.Is(err, ErrForged) {
		t.Error("made by another's device:", err)
	}
	if err := w.Chunk(past(0)[0]); err == nil {
		t.Error("a chunk behind the last one")
	}
}

// A file that ends anywhere before its end is not whole, and says so.
func TestCut(t *testing.T) {
	k := newKit(t, 1)
	b := k.write(t, To{Words: k.chain.Recovery()}, past(3000, 200_000, 0))
	for n := len(magic); n < len(b); n += 1 + n/50 {
		if _, _, err := read(bytes.NewReader(b[:n]), Secret{Words: k.words}, k.chain); !errors.Is(err, ErrCut) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
}

// A byte that changed anywhere is noticed, and says what it is.
func TestFlipped(t *testing.T) {
	k := newKit(t, 1)
	b := k.write(t, To{Words: k.chain.Recovery()}, past(100, 70_000, 0))
	r := good(NewReader(bytes.NewReader(b)))
	key := good(r.Key(Secret{Words: k.words}))
	for i := 0; i < len(b); i += 1 + i/200 {
		b[i] ^= 4
		var err error
		if r, e := NewReader(bytes.NewReader(b)); e != nil {
			err = e
		} else {
			_, _, err = readKey(r, key, k.chain)
		}
		switch {
		case i < len(magic) && errors.Is(err, ErrNone), i == len(magic) && errors.Is(err, ErrNewer),
			i > len(magic) && i < len(magic)+3 && (errors.Is(err, ErrCut) || errors.Is(err, ErrDamaged)), i >= len(magic)+3 && errors.Is(err, ErrDamaged):
		default:
			t.Fatalf("byte %d of %d: %v", i, len(b), err)
		}
		b[i] ^= 4
	}
}

// A header cannot ask for more memory than a machine has, nor make guessing cheap.
func TestCosts(t *testing.T) {
	k := newKit(t, 1)
	for _, c := range []Cost{{}, {64 << 10, 2, 1}, {1 << 10, 3, 1}, {1 << 30, 3, 1}, {64 << 10, 1 << 30, 1}, {64 << 10, 3, 0}, {64 << 10, 3, 200}} {
		l := *k.lock
		l.Cost = c
		b := k.write(t, To{Lock: &l}, past(0))
		if _, err := NewReader(bytes.NewReader(b)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestPointer(t *testing.T) {
	k, other := newKit(t, 1), newKit(t, 2)
	p := Pointer{Time: 5, Index: Part{Blob: [16]byte{1}, Hash: wire.Hash{2}, Key: archive.Key{3}, Erase: wire.Secret{4}}, Size: 1 << 40, Count: 1 << 40, Until: 1 << 50}
	b := good(SealPointer(k.keys, k.chain, p))
	p.By = k.chain.ID()
	if got, err := OpenPointer(k.words, k.chain, b); err != nil || got != p || len(b) != wire.MaxBackup {
		t.Fatalf("%+v, %v, %d bytes", got, err, len(b))
	}
	b[len(b)-1] ^= 1
	for name, c := range map[string]struct {
		got  []byte
		k    *identity.RecoveryKeys
		of   *identity.Chain
		want error
	}{
		"nothing":            {nil, k.words, k.chain, ErrDamaged},
		"a changed byte":     {b, k.words, k.chain, ErrWords},
		"other words":        {good(SealPointer(k.keys, k.chain, p)), other.words, k.chain, ErrWords},
		"by another account": {good(SealPointer(other.keys, k.chain, p)), k.words, k.chain, ErrForged},
		"for another":        {good(SealPointer(k.keys, k.chain, p)), k.words, other.chain, ErrForged},
	} {
		if got, err := OpenPointer(c.k, c.of, c.got); !errors.Is(err, c.want) || got != (Pointer{}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func openIndex(key archive.Key, b []byte) (Index, error) {
	plain, err := OpenBlob(key, b)
	if err != nil {
		return Index{}, err
	}
	return ParseIndex(plain)
}

func TestIndexAndBlobs(t *testing.T) {
	key := archive.Key{7}
	x := Index{Time: 1, Messages: 2}
	for i := range 300 {
		x.Parts = append(x.Parts, Part{Blob: [16]byte{byte(i), byte(i >> 8)}, Key: archive.Key{byte(i)}})
	}
	b := good(SealBlob(key, good(x.Marshal())))
	if got, err := openIndex(key, b); err != nil || !reflect.DeepEqual(got, x) {
		t.Fatal(err)
	}
	for i := 0; i < len(b); i += 97 {
		b[i] ^= 1
		if _, err := openIndex(key, b); err == nil {
			t.Fatalf("byte %d changed", i)
		}
		b[i] ^= 1
	}
	if _, err := openIndex(archive.Key{8}, b); !errors.Is(err, ErrDamaged) {
		t.Error("another key:", err)
	}
	if _, err := openIndex(key, good(SealBlob(key, good(Index{}.Marshal())))); !errors.Is(err, ErrInvalid) {
		t.Error("of nothing:", err)
	}
	for _, n := range []int{0, 1, 4091, 4092, 4093, segment - 4, segment, 3 << 20} {
		want := bytes.Repeat([]byte{0xa5}, n)
		sealed := good(SealBlob(key, want))
		if got, err := OpenBlob(key, sealed); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// TestFixtures opens what every version up to this one has written: yesterday's backups are
// read for ever. The words and the passphrase are those below.
func TestFixtures(t *testing.T) {
	k := newKit(t, 3)
	const fixed = "three spaces  then höre"
	p, ok := normal(fixed)
	if !ok {
		t.Fatal("no passphrase")
	}
	k.lock.Key = derive(p, k.lock.Salt, k.lock.Cost)
	fixture := func(n int) string { return filepath.Join("testdata", fmt.Sprintf("version-%d%s", n, Extension)) }
	path := fixture(Version)
	if *update {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(k.write(t, k.both(), past(100, 300, 0))); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "version-*"+Extension))
	if err != nil || len(files) != Version {
		t.Fatalf("%d fixtures of %d versions: %v", len(files), Version, err)
	}
	typed := good(recovery.Parse("adapt " + strings.Repeat("abandon ", 22) + "banana"))
	var b []byte
	for n := range Version {
		b = good(os.ReadFile(fixture(n + 1)))
		want := past(100, 300, 0)
		for i := range want {
			want[i].Version = uint16(n + 1)
		}
		for name, s := range map[string]Secret{"words": {Words: good(typed.Keys())}, "passphrase": {Passphrase: fixed}} {
			got, a, err := read(bytes.NewReader(b), s, k.chain)
			if err != nil || !reflect.DeepEqual(got, want) || a.Handle != about.Handle {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// What is sealed is the same to the byte: a change of the format is a change of its number.
	r := good(NewReader(bytes.NewReader(b)))
	key := good(r.Key(Secret{Words: k.words}))
	if key != (archive.Key{4, 2}) {
		t.Error("another key")
	}
	var again bytes.Buffer
	s := sealing{to: &again, aead: good(streamKey(key, r.sum))}
	a := about
	a.Account = k.chain.ID()
	w := Writer{stream: s}
	if err := w.record(wire.Marshal(vouch(aboutContext, k.keys, a.Account, r.sum, wire.Marshal(a)))); err != nil {
		t.Fatal(err)
	}
	for _, c := range past(100, 300, 0) {
		if err := w.Chunk(c); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.HasSuffix(b, again.Bytes()) {
		t.Error("the format has changed, and its version has not")
	}
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 27, 22, 0, 0, 0, time.UTC)
	for i := range 5 {
		touch(t, filepath.Join(dir, Name("ab12", at.Add(time.Duration(i)*time.Hour))))
	}
	theirs := Name("cd34", at)
	for _, n := range []string{theirs, Partial(Name("ab12", at)), Partial(theirs), "sotto-ab12-notes.txt", "ana.sotto-backup"} {
		touch(t, filepath.Join(dir, n))
	}
	if err := Prune(Disk{}, dir, "ab12", 2); err != nil {
		t.Fatal(err)
	}
	got := good(Disk{}.Names(dir))
	want := []string{"ana.sotto-backup", "sotto-ab12-20261128-010000" + Extension, "sotto-ab12-20261128-020000" + Extension, "sotto-ab12-notes.txt", theirs, Partial(theirs)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := (Disk{}).Open(dir); err == nil {
		t.Error("a directory opens")
	}
}

func touch(t *testing.T, path string) {
	t.Helper()
	f, err := Disk{}.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := (Disk{}).Create(path); err == nil {
		t.Error("made over what is there")
	}
}

func TestCheck(t *testing.T) {
	k := newKit(t, 1)
	b := k.write(t, To{Words: k.chain.Recovery()}, past(10, 20, 0))
	unlock := func(r *Reader) (archive.Key, error) {
		if !r.Words() || r.Passphrase() {
			t.Error("it says something else of who opens it")
		}
		return r.Key(Secret{Words: k.words})
	}
	mine := func(r *Reader) error { return r.By(k.chain) }
	got, err := Check(bytes.NewReader(b), unlock, mine)
	if err != nil || got.Messages != 2 || got.Handle != about.Handle || got.Size != int64(len(b)) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Check(bytes.NewReader(b[:len(b)-1]), unlock, mine); !errors.Is(err, ErrCut) {
		t.Error(err)
	}
	if _, err := Check(bytes.NewReader(b), unlock, func(r *Reader) error { return r.By(newKit(t, 2).chain) }); !errors.Is(err, ErrOther) {
		t.Error(err)
	}
}

func FuzzReader(f *testing.F) {
	k := newKit(f, 1)
	for _, c := range [][]archive.Chunk{past(0), past(10, 0), past(70_000, 0)} {
		f.Add(k.write(f, To{Words: k.chain.Recovery()}, c))
	}
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		if _, err := r.Open(archive.Key{4, 2}); err != nil {
			return
		}
		for {
			if _, err := r.Next(); err != nil {
				return
			}
		}
	})
}

// What is inside of the seal is read as strictly: what opens is what a writer writes.
func FuzzRecords(f *testing.F) {
	k := newKit(f, 1)
	for _, c := range [][]archive.Chunk{past(0), past(10, 0)} {
		var b []byte
		for _, x := range c {
			e := archive.Encode(x)
			b = append(append(b, 0, 0, byte(len(e)>>8), byte(len(e))), e...)
		}
		f.Add(append(b, 0, 0, 0, 0))
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	a := about
	a.Account = k.chain.ID()
	f.Fuzz(func(t *testing.T, records []byte) {
		var b bytes.Buffer
		w := good(NewWriter(&b, archive.Key{1}, To{Words: k.chain.Recovery()}, a, k.keys))
		if _, err := w.stream.Write(records); err != nil {
			t.Fatal(err)
		}
		if err := w.stream.close(); err != nil {
			t.Fatal(err)
		}
		r := good(NewReader(bytes.NewReader(b.Bytes())))
		chunks, _, err := readKey(r, archive.Key{1}, k.chain)
		if err != nil {
			return
		}
		var again []byte
		for _, x := range chunks {
			e := archive.Encode(x)
			again = append(append(again, 0, 0, byte(len(e)>>8), byte(len(e))), e...)
		}
		if again = append(again, 0, 0, 0, 0); !bytes.HasPrefix(records, again) || len(bytes.Trim(records[len(again):], "\x00")) != 0 {
			t.Fatal("it reads as something else than it is")
		}
	})
}

func ExampleName() {
	fmt.Println(Name("1f00", time.Date(2026, 11, 27, 22, 5, 0, 0, time.UTC)))
	// Output: sotto-1f00-20261127-220500.sotto-backup
}
