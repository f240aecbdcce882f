package identity

import (
	"crypto/ed25519"
	"math/rand/v2"
	"testing"
	"time"

	"sotto/internal/wire"
)

var now = time.Unix(1_800_000_000, 0)

// device makes the same keys for the same number, always.
func device(t testing.TB, n byte) *Keys {
	t.Helper()
	k, err := NewKeys(rand.NewChaCha8([32]byte{n}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func recovery(t testing.TB, n byte) *RecoveryKeys {
	t.Helper()
	r, err := NewRecoveryKeys([32]byte{n})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func handle(t testing.TB, s string) wire.Handle {
	t.Helper()
	h, err := wire.ParseHandle(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func verify(t testing.TB, signed [][]byte) *Chain {
	t.Helper()
	c, err := Verify(signed)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// play is Ana's account: her laptop, her phone, and the words in her drawer.
type play struct {
	laptop, phone, tablet, mallory *Keys
	words, others                  *RecoveryKeys
	c                              *Chain
}

func newPlay(t testing.TB) *play {
	t.Helper()
	p := &play{
		laptop: device(t, 1), phone: device(t, 2), tablet: device(t, 3), mallory: device(t, 99),
		words: recovery(t, 1), others: recovery(t, 2),
	}
	p.c = verify(t, [][]byte{p.laptop.Genesis(handle(t, "ana@example.org"), now)})
	return p
}

// does adds statements that must be good.
func (p *play) does(t testing.TB, signed ...[]byte) *play {
	t.Helper()
	for _, s := range signed {
		if err := p.c.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// forge signs whatever edit makes of the laptop's next statement.
func (p *play) forge(signer, possession ed25519.PrivateKey, edit func(s *Statement)) []byte {
	s := p.laptop.next(p.c, AddDevice, now)
	edit(s)
	return sign(s, signer, possession)
}

// Ana moves; the words bring her back, and outrank whoever moved her.
func TestMoveAndBack(t *testing.T) {
	ana, words := device(t, 1), recovery(t, 2)
	home, away := handle(t, "ana@home.example"), handle(t, "ana@away.example")
	c, err := Verify([][]byte{ana.Genesis(home, now)})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Append(words.Move(c, away, now)); err == nil {
		t.Fatal("words that the account does not have moved it")
	}
	for _, s := range []func() []byte{
		func() []byte { return ana.SetRecovery(c, words, now) },
		func() []byte { return ana.Move(c, away, now) },
		func() []byte { return words.Move(c, home, now) },
	} {
		if err := c.Append(s()); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Append(words.Move(c, home, now)); err == nil {
		t.Error("it moved to where it is")
	}
	if c.Handle() != home.String() || !c.Lived(home.String()) || !c.Lived(away.String()) || c.Lived("bo@home.example") {
		t.Errorf("%s", c.Handle())
	}
}
