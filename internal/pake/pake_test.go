package pake

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"
)

func input(code, data string) Input {
	return Input{Password: []byte(code), Channel: []byte("ana@example.org"), Session: []byte("session"), Data: []byte(data)}
}

func begin(t testing.TB, role Role, in Input) *Exchange {
	t.Helper()
	x, err := Start(role, in, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// refusesShare: whoever gets it stops, in both roles, and the run is over.
func refusesShare(t testing.TB, name string, share []byte) {
	t.Helper()
	for _, role := range []Role{Initiator, Responder} {
		x := begin(t, role, input("code", ""))
		if s, err := x.Finish(share, nil); s != nil || !errors.Is(err, ErrShare) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := x.Finish(begin(t, role, input("code", "")).Share(), nil); !errors.Is(err, ErrSpent) {
			t.Errorf("%s: a second share: %v", name, err)
		}
	}
}

// run is an exchange of two sides.
func run(t testing.TB, a, b Input) (*Secret, *Secret) {
	t.Helper()
	x, y := begin(t, Initiator, a), begin(t, Responder, b)
	p, err := x.Finish(y.Share(), b.Data)
	if err != nil {
		t.Fatal(err)
	}
	q, err := y.Finish(x.Share(), a.Data)
	if err != nil {
		t.Fatal(err)
	}
	return p, q
}

func TestAgree(t *testing.T) {
	seen := map[string]bool{}
	for range 5 {
		p, q := run(t, input("code", "a"), input("code", "b"))
		s, err := p.Confirm(q.Tag())
		if err != nil || len(s) != SecretSize || len(p.Tag()) != TagSize {
			t.Fatal(err, len(s), len(p.Tag()))
		}
		r, err := q.Confirm(p.Tag())
		if err != nil || !bytes.Equal(s, r) {
			t.Fatal("two secrets", err)
		}
		if seen[string(s)] {
			t.Fatal("the same secret again")
		}
		seen[string(s)] = true
		if _, err := p.Confirm(q.Tag()); !errors.Is(err, ErrSpent) {
			t.Error("confirmed twice:", err)
		}
	}
}

// Whatever differs between the two sides, neither gets a secret, and the guess is spent.
func TestDisagree(t *testing.T) {
	for name, change := range map[string]func(*Input){
		"password": func(in *Input) { in.Password = []byte("Code") },
		"longer":   func(in *Input) { in.Password = append(clone(in.Password), 0) },
		"channel":  func(in *Input) { in.Channel = []byte("bo@example.org") },
		"session":  func(in *Input) { in.Session = nil },
		"moved":    func(in *Input) { in.Channel, in.Session = append(clone(in.Channel), in.Session...), nil },
	} {
		other := input("code", "b")
		change(&other)
		p, q := run(t, input("code", "a"), other)
		for _, c := range []struct{ s, of *Secret }{{p, q}, {q, p}} {
			if s, err := c.s.Confirm(c.of.Tag()); s != nil || !errors.Is(err, ErrTag) {
				t.Errorf("%s: %v", name, err)
			}
			if s, err := c.s.Confirm(c.s.theirs); s != nil || !errors.Is(err, ErrSpent) {
				t.Errorf("%s: a second guess: %v", name, err)
			}
		}
	}
}

// Data that was changed on the way, also from one field into the other; two sides of one role.
func TestTranscript(t *testing.T) {
	for name, data := range map[string]string{"changed": "c", "cut": "", "longer": "bb"} {
		x, y := begin(t, Initiator, input("code", "a")), begin(t, Responder, input("code", "b"))
		p, err := x.Finish(y.Share(), []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		q, err := y.Finish(x.Share(), []byte("a"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Confirm(q.Tag()); !errors.Is(err, ErrTag) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := q.Confirm(p.Tag()); !errors.Is(err, ErrTag) {
			t.Errorf("%s: %v", name, err)
		}
	}
	x, y := begin(t, Initiator, input("code", "a")), begin(t, Initiator, input("code", "b"))
	p, _ := x.Finish(y.Share(), []byte("b"))
	q, _ := y.Finish(x.Share(), []byte("a"))
	if _, err := p.Confirm(q.Tag()); !errors.Is(err, ErrTag) {
		t.Error("two initiators:", err)
	}
}

// A side that is shown itself stops; nor does it take its own tag for another's.
func TestLoopback(t *testing.T) {
	x := begin(t, Initiator, input("code", "a"))
	if _, err := x.Finish(x.Share(), []byte("b")); !errors.Is(err, ErrShare) {
		t.Error(err)
	}
	p, _ := run(t, input("code", ""), input("code", ""))
	if _, err := p.Confirm(p.Tag()); !errors.Is(err, ErrTag) {
		t.Error(err)
	}
}

func TestBadShares(t *testing.T) {
	good := begin(t, Responder, input("code", "")).Share()
	for name, share := range map[string][]byte{
		"none": nil, "short": good[:31], "long": append(clone(good), 0), "the neutral element": make([]byte, 32),
		"bit 255": append(clone(good[:31]), good[31]|0x80), "twice": append(clone(good), good...),
	} {
		refusesShare(t, name, share)
	}
}

func TestBadTags(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"none": func([]byte) []byte { return nil }, "short": func(b []byte) []byte { return b[:TagSize-1] },
		"long": func(b []byte) []byte { return append(b, 0) }, "a bit": func(b []byte) []byte { b[63] ^= 1; return b },
		"zeros": func([]byte) []byte { return make([]byte, TagSize) },
	} {
		p, q := run(t, input("code", ""), input("code", ""))
		if s, err := p.Confirm(spoil(q.Tag())); s != nil || !errors.Is(err, ErrTag) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadInputs(t *testing.T) {
	for name, f := range map[string]func() (*Exchange, error){
		"no password": func() (*Exchange, error) { return Start(Initiator, input("", "a"), rand.Reader) },
		"no role":     func() (*Exchange, error) { return Start(0, input("code", "a"), rand.Reader) },
		"third role":  func() (*Exchange, error) { return Start(3, input("code", "a"), rand.Reader) },
	} {
		if x, err := f(); x != nil || !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, r := range map[string]io.Reader{
		"short": bytes.NewReader(make([]byte, 31)), "zeros": bytes.NewReader(make([]byte, 32)),
		"zeros below bit 252": bytes.NewReader(append(make([]byte, 31), 0xf0)),
	} {
		if x, err := Start(Initiator, input("code", "a"), r); x != nil || err == nil {
			t.Errorf("randomness, %s: %v", name, err)
		}
	}
	// All ones are the largest scalar.
	if _, err := Start(Initiator, input("code", ""), bytes.NewReader(bytes.Repeat([]byte{0xff}, 32))); err != nil {
		t.Error(err)
	}
	// A long password fills more than the first block.
	long := input(string(make([]byte, 1000)), "")
	p, q := run(t, long, long)
	if _, err := p.Confirm(q.Tag()); err != nil {
		t.Error(err)
	}
}

// What a run remembers is overwritten, and its callers' bytes are not.
func TestErase(t *testing.T) {
	x, y := begin(t, Initiator, input("code", "a")), begin(t, Responder, input("code", "b"))
	scalar := x.scalar
	zero := make([]byte, 32)
	p, err := x.Finish(y.Share(), []byte("b"))
	if err != nil || x.scalar != nil || !bytes.Equal(scalar.Encode(nil), zero) {
		t.Error("the scalar stays", err)
	}
	scalar = y.scalar
	y.Erase()
	y.Erase()
	if _, err := y.Finish(x.Share(), nil); !errors.Is(err, ErrSpent) || !bytes.Equal(scalar.Encode(nil), zero) {
		t.Error("the scalar stays", err)
	}
	isk, theirs := p.isk, p.theirs
	s, err := p.Confirm(clone(theirs))
	if err != nil || !bytes.Equal(isk, make([]byte, SecretSize)) || !bytes.Equal(theirs, make([]byte, TagSize)) {
		t.Error("the secret stays", err)
	}
	if bytes.Equal(s, make([]byte, SecretSize)) {
		t.Error("the caller's copy is gone")
	}
	in := input("code", "a")
	begin(t, Initiator, in)
	if string(in.Password) != "code" || string(in.Session) != "session" {
		t.Error("the caller's input is changed")
	}
}

// FuzzFinish: nothing that the other side sends makes a run panic, or confirm.
func FuzzFinish(f *testing.F) {
	good := begin(f, Responder, input("code", "b"))
	f.Add(good.Share(), []byte("b"), make([]byte, TagSize))
	f.Add(make([]byte, ShareSize), []byte{}, []byte{})
	f.Add([]byte{}, bytes.Repeat([]byte("d"), 300), []byte{1})
	f.Add(bytes.Repeat([]byte{0xff}, ShareSize), []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, share, data, tag []byte) {
		for _, role := range []Role{Initiator, Responder} {
			x := begin(t, role, input("code", "a"))
			s, err := x.Finish(share, data)
			if err != nil {
				if s != nil || !errors.Is(err, ErrShare) {
					t.Fatal(err)
				}
				continue
			}
			if len(share) != ShareSize || bytes.Equal(share, make([]byte, ShareSize)) {
				t.Fatalf("%x is taken", share)
			}
			if isk, err := s.Confirm(tag); isk != nil || !errors.Is(err, ErrTag) {
				t.Fatal(err)
			}
		}
	})
}
