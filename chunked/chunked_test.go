package chunked

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

var (
	testKey  = Key([]byte("0123456789abcdef"))
	testSalt = Salt([]byte("a salt of twenty-four by"))
)

func file(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

func seal(t testing.TB, plain []byte, context string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, New(testKey, testSalt, []byte(context)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(plain))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(key Key, context string, sealed []byte) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(sealed), key, []byte(context))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

var lengths = []int{0, 1, 15, 16, 1024, ChunkSize - 1, ChunkSize, ChunkSize + 1, 20 << 10, 3*ChunkSize - 16, 3 * ChunkSize, 5*ChunkSize + 7}

// Stream and random access agree, on every length at which the chunking turns.
func TestLengths(t *testing.T) {
	for _, n := range lengths {
		plain := file(n)
		sealed := seal(t, plain, "about")
		if int64(len(sealed)) != SealedSize(int64(n)) {
			t.Errorf("%d: %d bytes sealed, SealedSize says %d", n, len(sealed), SealedSize(int64(n)))
		}
		if p, err := PlainSize(int64(len(sealed))); err != nil || p != int64(n) {
			t.Errorf("%d: PlainSize %d, %v", n, p, err)
		}
		if got, err := open(testKey, "about", sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d: %v", n, err)
		}
		at := NewSealing(New(testKey, testSalt, []byte("about")), bytes.NewReader(plain), int64(n), int64(n))
		got, err := io.ReadAll(io.NewSectionReader(at, 0, at.Size()))
		if err != nil || !bytes.Equal(got, sealed) {
			t.Errorf("%d: sealed at places: %v", n, err)
		}
		o, err := NewOpening(testKey, []byte("about"), bytes.NewReader(sealed), int64(len(sealed)))
		if err != nil {
			t.Fatal(n, err)
		}
		if got, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size())); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d: opened at places: %v", n, err)
		}
	}
}

// Any place, any length, on both sides.
func TestRandomAccess(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	plain := file(3*ChunkSize + 100)
	padded := int64(4*ChunkSize + 3)
	whole := append(bytes.Clone(plain), make([]byte, padded-int64(len(plain)))...)
	sealed := seal(t, whole, "")
	s := NewSealing(New(testKey, testSalt, nil), bytes.NewReader(plain), int64(len(plain)), padded)
	o, err := NewOpening(testKey, nil, bytes.NewReader(sealed), int64(len(sealed)))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		r    io.ReaderAt
		want []byte
	}{"sealing": {s, sealed}, "opening": {o, whole}} {
		for range 400 {
			from := rng.IntN(len(c.want) + 40)
			b := make([]byte, rng.IntN(2*ChunkSize))
			n, err := c.r.ReadAt(b, int64(from))
			want := c.want[min(from, len(c.want)):min(from+len(b), len(c.want))]
			if !bytes.Equal(b[:n], want) || (n < len(b)) != errors.Is(err, io.EOF) {
				t.Fatalf("%s: %d bytes at %d: %d, %v", name, len(b), from, n, err)
			}
		}
	}
}

// TestVectors are bytes that another implementation must make as well: C2SP has published none.
// They were computed by a separate program over Python's hmac and OpenSSL's AES-GCM; the inputs
// stand in docs/protocol.md, appendix B.
func TestVectors(t *testing.T) {
	const header = "612073616c74206f66207477656e74792d666f7572206279" + "0727ca2b5e2e6a0cce3c027c3c6a4d88fafa108513edd0313215b172c217ed07"
	for _, v := range []struct {
		n      int
		header string
		sum    string // SHA-256 of all
	}{
		{0, header, "a7c5b85cb9e0d464bac2673cfa0f5beb9b7445651b7237f11b887be9652af518"},
		{ChunkSize, header, "ae91287aca804a80f2827f699f9ced18f430426cfbaca127746c5b5129007834"},
		{40000, header, "93ec9b473c5eac19e2033eb90bd50df8011de66fd6e3e8a7e0eb8572e4062027"},
	} {
		plain := make([]byte, v.n)
		for i := range plain {
			plain[i] = byte(i)
		}
		sealed := seal(t, plain, "context")
		if got := hex.EncodeToString(sealed[:HeaderSize]); got != v.header {
			t.Errorf("%d: header %s", v.n, got)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(sealed)); got != v.sum {
			t.Errorf("%d: SHA-256 %s", v.n, got)
		}
	}
}

// What Mallory may do to a file, and what is said to it. Nothing of a bad chunk comes out.
func TestTampered(t *testing.T) {
	plain := file(3*ChunkSize + 500)
	sealed := seal(t, plain, "about")
	other := seal(t, file(3*ChunkSize+501), "of another file")
	chunk := func(i int) (int, int) { return HeaderSize + i*sealedChunk, HeaderSize + (i+1)*sealedChunk }
	a0, a1 := chunk(0)
	b0, b1 := chunk(1)
	cases := map[string]struct {
		do   func(b []byte) []byte
		want error
		good int // bytes that may come out
	}{
		"a flipped salt":        {func(b []byte) []byte { b[3] ^= 1; return b }, ErrKey, 0},
		"a flipped commitment":  {func(b []byte) []byte { b[40] ^= 1; return b }, ErrKey, 0},
		"a flipped chunk":       {func(b []byte) []byte { b[b0+5] ^= 0x80; return b }, ErrChunk, ChunkSize},
		"a flipped tag":         {func(b []byte) []byte { b[b1-1] ^= 1; return b }, ErrChunk, ChunkSize},
		"a flipped last chunk":  {func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, ErrChunk, 3 * ChunkSize},
		"swapped chunks":        {func(b []byte) []byte { x := bytes.Clone(b[a0:a1]); copy(b[a0:], b[b0:b1]); copy(b[b0:], x); return b }, ErrChunk, 0},
		"a chunk left out":      {func(b []byte) []byte { return append(b[:b0], b[b1:]...) }, ErrChunk, ChunkSize},
		"a chunk twice":         {func(b []byte) []byte { return append(b[:b1:b1], b[b0:]...) }, ErrChunk, 2 * ChunkSize},
		"a chunk of another":    {func(b []byte) []byte { copy(b[b0:b1], other[b0:b1]); return b }, ErrChunk, ChunkSize},
		"cut at a chunk":        {func(b []byte) []byte { return b[:b1] }, ErrLength, 2 * ChunkSize},
		"cut in a chunk":        {func(b []byte) []byte { return b[:b1-40] }, ErrChunk, ChunkSize},
		"cut in a tag":          {func(b []byte) []byte { return b[:b1+7] }, ErrLength, 2 * ChunkSize},
		"cut in the header":     {func(b []byte) []byte { return b[:50] }, ErrLength, 0},
		"nothing":               {func(b []byte) []byte { return nil }, ErrLength, 0},
		"bytes after the end":   {func(b []byte) []byte { return append(b, 1, 2, 3) }, ErrChunk, 3 * ChunkSize},
		"another file's header": {func(b []byte) []byte { return append(seal(t, nil, "else")[:HeaderSize:HeaderSize], b[HeaderSize:]...) }, ErrKey, 0},
	}
	for name, c := range cases {
		bad := c.do(bytes.Clone(sealed))
		got, err := open(testKey, "about", bad)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if len(got) > c.good || !bytes.Equal(got, plain[:len(got)]) {
			t.Errorf("%s: %d bytes came out", name, len(got))
		}
		o, err := NewOpening(testKey, []byte("about"), bytes.NewReader(bad), int64(len(bad)))
		if err == nil {
			_, err = io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
		}
		if err == nil {
			t.Errorf("%s: opened at places", name)
		}
	}
	if _, err := open(Key{1}, "about", sealed); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
	if _, err := open(testKey, "abouu", sealed); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
}

// A source that breaks is no end.
func TestBrokenSource(t *testing.T) {
	sealed := seal(t, file(2*ChunkSize), "")
	broken := errors.New("broken")
	r, err := NewReader(io.MultiReader(bytes.NewReader(sealed[:ChunkSize+100]), iotest.ErrReader(broken)), testKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, broken) {
		t.Error(err)
	}
	short := NewSealing(New(testKey, testSalt, nil), bytes.NewReader(file(100)), 200, 1024)
	if _, err := short.ReadAt(make([]byte, 1000), 0); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// Padmé: never less, at most 12 percent more, few classes, and one step is a fixed point.
func TestPadded(t *testing.T) {
	for in, want := range map[int64]int64{0: 1024, 1: 1024, 1024: 1024, 1025: 1088, 10_000: 10_240, 1_000_000: 1_015_808, 1 << 30: 1 << 30, 1<<30 + 1: 1<<30 + 1<<25} {
		if got := Padded(in); got != want {
			t.Errorf("Padded(%d) = %d, want %d", in, got, want)
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		n := rng.Int64N(1 << (11 + rng.IntN(34)))
		p := Padded(n)
		if p < n || n > 1024 && float64(p) > 1.12*float64(n) || Padded(p) != p {
			t.Fatal(n, p)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(seal(f, file(20<<10), ""))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := open(testKey, "", b)
		o, errAt := NewOpening(testKey, nil, bytes.NewReader(b), int64(len(b)))
		var at []byte
		if errAt == nil {
			at, errAt = io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
		}
		if (err == nil) != (errAt == nil) {
			t.Fatal(err, errAt)
		}
		if err == nil && (!bytes.Equal(plain, at) || int64(len(b)) != SealedSize(int64(len(plain)))) {
			t.Fatal("stream and places differ")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	plain := file(1 << 20)
	c := New(testKey, testSalt, nil)
	s := NewSealing(c, bytes.NewReader(plain), 1<<20, 1<<20)
	out := make([]byte, s.Size())
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.ReadAt(out, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	sealed := seal(b, file(1<<20), "")
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(sealed), testKey, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
