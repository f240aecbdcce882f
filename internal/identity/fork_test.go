package identity

import (
	"errors"
	"testing"
)

// Two lists of Ana's devices are signed for one place: hers, and that of whoever has her phone.
// The words decide, once, wherever they have spoken in one of the two alone.
func TestFork(t *testing.T) {
	p := newPlay(t)
	p.does(t, p.laptop.AddDevice(p.c, p.phone, now))
	p.does(t, p.laptop.SetRecovery(p.c, p.words, now))
	branch := func(makes ...func(c *Chain) []byte) *Chain {
		t.Helper()
		c := p.c.Clone()
		for _, m := range makes {
			if err := c.Append(m(c)); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	links := func(c *Chain) []byte { return p.laptop.AddDevice(c, p.tablet, now) }
	steals := func(c *Chain) []byte { return p.phone.AddDevice(c, p.mallory, now) }
	shuts := func(c *Chain) []byte { return p.phone.RevokeDevice(c, p.laptop.Name, now) }
	revokes := func(c *Chain) []byte { return p.words.RevokeDevice(c, p.phone.Name, now) }
	replaces := func(c *Chain) []byte { return p.words.Replace(c, p.others, now) }
	again := func(c *Chain) []byte { return p.others.RevokeDevice(c, p.phone.Name, now) }
	hers, theirs := branch(links), branch(steals, shuts)
	stranger := verify(t, [][]byte{p.mallory.Genesis(handle(t, "ana@example.org"), now)})

	early := branch() // before there were words
	short := verify(t, p.c.Statements(0)[:2])
	thief := short.Clone()
	for _, s := range [][]byte{p.phone.SetRecovery(short, p.others, now)} {
		if err := thief.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := thief.Append(p.others.RevokeDevice(thief, p.laptop.Name, now)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		a, b *Chain
		want *Chain // nil: ErrFork
	}{
		{"a longer view", p.c, hers, hers},
		{"the same", hers, hers.Clone(), hers},
		{"two lists of devices", hers, theirs, nil},
		{"the words in one of them", branch(links, revokes), theirs, branch(links, revokes)},
		{"the words at once", branch(revokes), branch(steals, shuts, func(c *Chain) []byte { return p.mallory.RevokeDevice(c, p.phone.Name, now) }), branch(revokes)},
		{"words that replace themselves", branch(replaces, again), theirs, branch(replaces, again)},
		{"the words in both", branch(links, revokes), branch(steals, replaces), nil},
		{"words that the thief has set", early, thief, nil},
	} {
		for _, swapped := range []bool{false, true} {
			a, b := c.a, c.b
			if swapped {
				a, b = b, a
			}
			got, err := a.Join(b)
			if c.want == nil {
				if !errors.Is(err, ErrFork) || a.Yields(b) {
					t.Errorf("%s: %v", c.name, err)
				}
			} else if err != nil || got.Head() != c.want.Head() {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
	if _, err := hers.Join(stranger); !errors.Is(err, ErrChain) || errors.Is(err, ErrFork) || hers.Yields(stranger) {
		t.Error(err)
	}

	settled := branch(links, revokes)
	for _, c := range []struct {
		name  string
		chain *Chain
		of    *Keys
		by    *Chain
		want  bool
	}{
		{"from before the fork", p.c, p.laptop, settled, true},
		{"from this branch", hers, p.tablet, settled, true},
		{"a device that the other branch added", theirs, p.mallory, settled, false},
		{"a device of both that named the other branch", theirs, p.phone, hers, false},
		{"a revoked device", p.c, p.phone, settled, false},
	} {
		if got := c.by.Holds(CredentialOf(c.chain, c.of.Name)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
