package linking

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

var now = time.Unix(1_800_000_000, 0)

type play struct {
	rnd   *rand.ChaCha8
	ana   *identity.Keys
	chain *identity.Chain
	code  Code
	phone *identity.Keys
}

func newPlay(t testing.TB, seed byte) *play {
	t.Helper()
	p := &play{rnd: rand.NewChaCha8([32]byte{seed})}
	h, err := wire.ParseHandle("ana@example.org")
	if err != nil {
		t.Fatal(err)
	}
	p.ana, p.phone = p.keys(t), p.keys(t)
	if p.chain, err = identity.Verify([][]byte{p.ana.Genesis(h, now)}); err != nil {
		t.Fatal(err)
	}
	if p.code, err = NewCode(p.rnd, h); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *play) keys(t testing.TB) *identity.Keys {
	k, err := identity.NewKeys(p.rnd)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sides are both sides of a talk; the new one has been told some code.
func (p *play) sides(t testing.TB, told Code) (*Old, *New) {
	t.Helper()
	o, err := NewOld(p.rnd, p.code)
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewNew(p.rnd, told, p.phone, "Phone")
	if err != nil {
		t.Fatal(err)
	}
	return o, n
}

// talk lets both sides talk; between may change a message on its way, and counts from 1.
func (p *play) talk(t testing.TB, o *Old, n *New, between func(i int, m []byte) []byte) (*identity.Chain, error) {
	t.Helper()
	defer o.Erase()
	defer n.Erase()
	m, err := between(1, n.Open()), error(nil)
	for i, step := range []func([]byte) ([]byte, error){
		o.Answer, n.Prove,
		func(m []byte) ([]byte, error) {
			if err := o.Meet(m); err != nil {
				return nil, err
			}
			if o.Words() != n.Words() || o.Words()[0] == "" {
				t.Fatalf("the words differ: %v %v", o.Words(), n.Words())
			}
			return o.Offer(p.ana, p.chain, now)
		},
		possess(n),
		func(m []byte) ([]byte, error) {
			signed, err := o.Complete(p.ana, m)
			if err != nil {
				return nil, err
			}
			return o.Welcome(signed, 7)
		},
	} {
		if m, err = step(m); err != nil {
			return nil, err
		}
		m = between(i+2, m)
	}
	return n.Enter(m)
}

func possess(n *New) func([]byte) ([]byte, error) {
	return func(m []byte) ([]byte, error) {
		return n.Possess(m, func(c identity.Credential) (Arrival, error) {
			return Arrival{KeyPackage: c.Marshal(), Inbox: wire.InboxName{1}, Capability: wire.Secret{2}}, nil
		})
	}
}

func faithful(_ int, m []byte) []byte { return m }

func TestTalk(t *testing.T) {
	p := newPlay(t, 1)
	o, n := p.sides(t, p.code)
	chain, err := p.talk(t, o, n, faithful)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := identity.ParseCredential(o.Arrival.KeyPackage); err != nil || c != identity.CredentialOf(chain, p.phone.Name) || o.Arrival.Inbox != (wire.InboxName{1}) {
		t.Errorf("%+v, %v: not the credential of the device in the chain", o.Arrival, err)
	}
	if n.Base() != 7 || n.Linker() != p.ana.Name {
		t.Error(n.Base(), n.Linker())
	}
	if o.Newcomer.Label != "Phone" || chain.Len() != 2 {
		t.Errorf("%+v, %d statements", o.Newcomer, chain.Len())
	}
	if d, ok := chain.Device(p.phone.Name); !ok || !bytes.Equal(d.Inbox, p.phone.Device().Inbox) {
		t.Error("the new device is not in the chain")
	}
}

// Whoever has another code learns nothing but that, and both sides notice.
func TestWrongCode(t *testing.T) {
	p := newPlay(t, 2)
	wrong := p.code
	wrong.Digits = strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, wrong.Digits)
	o, n := p.sides(t, wrong)
	if _, err := p.talk(t, o, n, faithful); !errors.Is(err, ErrCode) {
		t.Fatal(err)
	}
	// The old side, alone with who does not know the code, says so too.
	o, n = p.sides(t, wrong)
	m2, err := o.Answer(n.Open())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Prove(m2); !errors.Is(err, ErrCode) {
		t.Error("the new side:", err)
	}
	if err := o.Meet(wire.Marshal(proof{Tag: make([]byte, 64), Sealed: make([]byte, 100)})); !errors.Is(err, ErrCode) {
		t.Error("the old side:", err)
	}
	// The same code at another account is another code.
	other := p.code
	other.Handle = "bo@example.org"
	o, n = p.sides(t, other)
	if _, err := p.talk(t, o, n, faithful); !errors.Is(err, ErrCode) {
		t.Error("the code of another account:", err)
	}
}

// A change of any byte of any message on its way ends the talk.
func TestTampered(t *testing.T) {
	p := newPlay(t, 3)
	for i := 1; i <= 6; i++ {
		for _, at := range []float64{0, 0.3, 0.5, 0.8, 0.999} {
			o, n := p.sides(t, p.code)
			_, err := p.talk(t, o, n, func(k int, m []byte) []byte {
				if k == i {
					m = slices.Clone(m)
					m[int(at*float64(len(m)))] ^= 1
				}
				return m
			})
			if err == nil {
				t.Errorf("message %d, changed at %.1f, was taken", i, at)
			}
		}
	}
}

// A message that comes twice, or back to who sent it, ends the talk.
func TestReflected(t *testing.T) {
	p := newPlay(t, 4)
	_, n := p.sides(t, p.code)
	if _, err := n.Prove(wire.Marshal(answer{Share: n.x.share, Tag: make([]byte, 64)})); err == nil {
		t.Error("its own share came back and was taken")
	}
	o, n := p.sides(t, p.code)
	var second []byte
	if _, err := p.talk(t, o, n, func(k int, m []byte) []byte {
		if k == 4 {
			second = m
		}
		if k == 6 {
			return second
		}
		return m
	}); !errors.Is(err, ErrTalk) {
		t.Error("a message that came twice:", err)
	}
	if _, err := o.Answer(n.Open()); err == nil {
		t.Error("a code served twice")
	}
}

// An old device can bring a new one into the account that was typed, and no other.
func TestOtherAccount(t *testing.T) {
	p := newPlay(t, 5)
	h, _ := wire.ParseHandle("mallory@example.org")
	k := p.keys(t)
	chain, err := identity.Verify([][]byte{k.Genesis(h, now)})
	if err != nil {
		t.Fatal(err)
	}
	p.ana, p.chain = k, chain
	o, n := p.sides(t, p.code)
	if _, err := p.talk(t, o, n, faithful); !errors.Is(err, ErrHandle) {
		t.Error(err)
	}
}

// What the new device signs adds itself to the chain that it was shown, and nothing else.
func TestPossessOnlySelf(t *testing.T) {
	p := newPlay(t, 6)
	other := p.keys(t)
	revoke := wire.Marshal(identity.Statement{Version: 1, Kind: identity.RevokeDevice, Position: 1, Previous: p.chain.Head(), Signer: &p.ana.Name, Revoked: &p.ana.Name})
	for name, statement := range map[string][]byte{
		"another device": p.ana.ProposeDevice(p.chain, other.Device(), now),
		"a revocation":   revoke,
		"junk":           []byte("junk"),
	} {
		if _, err := p.phone.Possess(p.chain, statement); err == nil {
			t.Errorf("it signed %s", name)
		}
	}
	longer := p.chain.Clone()
	if err := longer.Append(p.ana.AddDevice(longer, other, now)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.phone.Possess(p.chain, p.ana.ProposeDevice(longer, p.phone.Device(), now)); err == nil {
		t.Error("it signed a statement for another place")
	}
}

// The last message may be lost after the statement was taken: the directory has it.
func TestFind(t *testing.T) {
	p := newPlay(t, 7)
	o, n := p.sides(t, p.code)
	if _, err := n.Find(p.chain.Statements(0)); err == nil {
		t.Error("found before anything was signed")
	}
	var signed []byte
	m2, _ := o.Answer(n.Open())
	m3, _ := n.Prove(m2)
	if err := o.Meet(m3); err != nil {
		t.Fatal(err)
	}
	m4, _ := o.Offer(p.ana, p.chain, now)
	m5, err := possess(n)(m4)
	if err != nil {
		t.Fatal(err)
	}
	if signed, err = o.Complete(p.ana, m5); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Find(p.chain.Statements(0)); err == nil {
		t.Error("found in a chain that does not hold it")
	}
	if chain, err := n.Find([][]byte{p.chain.Statements(0)[0], signed}); err != nil || chain.Len() != 2 {
		t.Error(err)
	}
}

func TestCodes(t *testing.T) {
	p := newPlay(t, 8)
	for _, in := range [][2]string{
		{"ana@example.org", p.code.Digits}, {" Ana@Example.org ", p.code.Digits[:4] + " " + p.code.Digits[4:]},
		{"ana@example.org", p.code.Digits[:4] + "-" + p.code.Digits[4:]}, {"", p.code.QR()}, {"bo@example.org", " " + p.code.QR() + "\n"},
	} {
		if c, err := ParseCode(in[0], in[1]); err != nil || c != p.code {
			t.Errorf("%q: %v, %v", in, c, err)
		}
	}
	for _, in := range [][2]string{
		{"", p.code.Digits}, {"ana@example.org", "1234567"}, {"ana@example.org", "123456789"}, {"ana@example.org", "1234567a"},
		{"ana@example.org", "١٢٣٤٥٦٧٨"}, {"", scheme}, {"", scheme + "ana@example.org"}, {"ana@example.org", "https://example.org/i#x"},
	} {
		if c, err := ParseCode(in[0], in[1]); err == nil {
			t.Errorf("%q is %v", in, c)
		}
	}
	if _, err := wire.ParseLink(p.code.QR()); err == nil {
		t.Error("a code is taken for an invitation")
	}
}

// FuzzOld and FuzzNew put anything into each step of a talk.
func FuzzOld(f *testing.F) {
	p := newPlay(f, 9)
	n, err := NewNew(p.rnd, p.code, p.phone, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(n.Open(), []byte{}, []byte{})
	f.Add([]byte{0xa0}, wire.Marshal(proof{}), wire.Marshal(sealed{}))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		o, err := NewOld(p.rnd, p.code)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = o.Answer(a)
		if o.Meet(b) == nil {
			t.Fatal("met somebody without the code")
		}
		if _, err := o.Complete(p.ana, c); err == nil {
			t.Fatal("completed with nobody")
		}
	})
}

func FuzzNew(f *testing.F) {
	p := newPlay(f, 10)
	o, err := NewOld(p.rnd, p.code)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire.Marshal(answer{Share: o.x.share, Tag: make([]byte, 64)}), wire.Marshal(sealed{}), []byte{0xa0})
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		n, err := NewNew(p.rnd, p.code, p.phone, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Prove(a); err == nil {
			t.Fatal("proved itself to somebody without the code")
		}
		if _, err := possess(n)(b); err == nil {
			t.Fatal("possessed for nobody")
		}
		if _, err := n.Enter(c); err == nil {
			t.Fatal("entered nothing")
		}
	})
}
