package identity

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"sotto/internal/wire"
)

func TestLifeOfAnAccount(t *testing.T) {
	p := newPlay(t)
	p.does(t, p.laptop.AddDevice(p.c, p.phone, now))
	p.does(t, p.phone.SetRecovery(p.c, p.words, now))
	p.does(t, p.phone.RevokeDevice(p.c, p.laptop.Name, now))
	p.does(t, p.phone.Move(p.c, handle(t, "ana@elsewhere.example:7700"), now))
	p.does(t, p.words.RevokeDevice(p.c, p.phone.Name, now))
	if p.c.ActiveDevices() != nil {
		t.Error("devices are left")
	}
	p.does(t, p.words.AddDevice(p.c, p.tablet, now))
	p.does(t, p.words.Replace(p.c, p.others, now))

	c := verify(t, p.c.Statements(0))
	if c.Len() != 8 || c.Handle() != "ana@elsewhere.example:7700" || c.Head() != p.c.Head() || c.ID() != p.c.ID() {
		t.Error(c.Len(), c.Handle())
	}
	if !bytes.Equal(c.Recovery().Signature, p.others.Public().Signature) {
		t.Error("the old recovery key stands")
	}
	if d := c.ActiveDevices(); len(d) != 1 || d[0].Name != p.tablet.Name {
		t.Errorf("active: %v", d)
	}
	if c.Active(p.phone.Name) || !c.Active(p.tablet.Name) || c.Active(p.mallory.Name) {
		t.Error("Revoked")
	}
	if _, ok := c.Device(p.phone.Name); ok {
		t.Error("a revoked device is active")
	}
	// A device may revoke itself while another is left.
	q := newPlay(t)
	q.does(t, q.laptop.AddDevice(q.c, q.phone, now))
	q.does(t, q.laptop.RevokeDevice(q.c, q.laptop.Name, now))
}

// TestForgedChains: every one is refused, for its own reason, and changes nothing.
func TestForgedChains(t *testing.T) {
	type forgery struct {
		name, reason string
		make         func(p *play) []byte // what is appended to a good chain
	}
	add := func(p *play) []byte { return p.laptop.AddDevice(p.c, p.phone, now) }
	for _, f := range []forgery{
		{"signed by a stranger", "signed by nobody", func(p *play) []byte { return p.mallory.AddDevice(p.c, p.tablet, now) }},
		{"signed by a stranger in a device's name", "signature is wrong", func(p *play) []byte {
			return p.forge(p.mallory.Signature, p.mallory.Signature, func(s *Statement) { d := p.mallory.Device(); s.Device = &d })
		}},
		{"signed by a device in another's name", "signature is wrong", func(p *play) []byte {
			p.does(t, add(p))
			return p.forge(p.phone.Signature, nil, func(s *Statement) { s.Kind, s.Revoked = RevokeDevice, &p.phone.Name })
		}},
		{"signed by a revoked device", "signed by nobody", func(p *play) []byte {
			p.does(t, add(p))
			p.does(t, p.laptop.RevokeDevice(p.c, p.phone.Name, now))
			return p.phone.AddDevice(p.c, p.tablet, now)
		}},
		{"signed by a recovery key that there is not", "signed by nobody", func(p *play) []byte { return p.words.AddDevice(p.c, p.tablet, now) }},
		{"signed by another recovery key", "signature is wrong", func(p *play) []byte {
			p.does(t, p.laptop.SetRecovery(p.c, p.words, now))
			return p.others.RevokeDevice(p.c, p.laptop.Name, now)
		}},
		{"signed by the recovery key before", "signature is wrong", func(p *play) []byte {
			p.does(t, p.laptop.SetRecovery(p.c, p.words, now))
			p.does(t, p.words.Replace(p.c, p.others, now))
			return p.words.RevokeDevice(p.c, p.laptop.Name, now)
		}},
		{"one changed byte", "signature is wrong", func(p *play) []byte {
			b := p.laptop.Move(p.c, handle(t, "ana@elsewhere.example"), now)
			return bytes.Replace(b, []byte("elsewhere"), []byte("elsewhare"), 1)
		}},
		{"no signature", "signature is wrong", func(p *play) []byte {
			return wire.Marshal(Signed{Statement: unwrap(t, add(p)).Statement})
		}},
		{"the possession as signature", "signature is wrong", func(p *play) []byte {
			s := unwrap(t, add(p))
			s.Signature, s.Possession = s.Possession, s.Signature
			return wire.Marshal(s)
		}},
		{"possession missing", "did not sign", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { d := p.phone.Device(); s.Device = &d })
		}},
		{"possession of another key", "did not sign", func(p *play) []byte {
			return p.forge(p.laptop.Signature, p.mallory.Signature, func(s *Statement) { d := p.phone.Device(); s.Device = &d })
		}},
		{"possession of another statement", "did not sign", func(p *play) []byte {
			s, old := unwrap(t, p.laptop.AddDevice(p.c, p.tablet, now)), unwrap(t, add(p))
			s.Possession = old.Possession
			return wire.Marshal(s)
		}},
		{"recovery key without possession", "did not sign", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { r := p.words.Public(); s.Kind, s.Recovery = SetRecovery, &r })
		}},
		{"possession that nobody asked for", "nobody asked for", func(p *play) []byte {
			return p.forge(p.laptop.Signature, p.phone.Signature, func(s *Statement) { s.Kind, s.Handle = Move, "ana@elsewhere.example" })
		}},
		{"a gap", "not the next", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { s.Kind, s.Handle, s.Position = Move, "a@b.example", 2 })
		}},
		{"the same place again", "not the next", func(p *play) []byte {
			b := add(p)
			p.does(t, b)
			return b
		}},
		{"genesis twice", "not the next", func(p *play) []byte { return p.c.Statements(0)[0] }},
		{"position zero of another kind", "begins with genesis", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { s.Kind, s.Handle, s.Position = Move, "a@b.example", 0 })
		}},
		{"genesis in the middle", "elsewhere than at the beginning", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) {
				d := p.laptop.Device()
				s.Kind, s.Handle, s.Device = Genesis, "a@b.example", &d
			})
		}},
		{"after another statement", "follows another", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { s.Kind, s.Handle, s.Previous = Move, "a@b.example", wire.Hash{1} })
		}},
		{"a device's name again", "held before", func(p *play) []byte {
			twin := *p.phone
			twin.Name = p.laptop.Name
			return p.laptop.AddDevice(p.c, &twin, now)
		}},
		{"a device's key again", "held before", func(p *play) []byte {
			twin := *p.laptop
			twin.Name = p.phone.Name
			return p.laptop.AddDevice(p.c, &twin, now)
		}},
		{"a revoked device again", "held before", func(p *play) []byte {
			p.does(t, add(p))
			p.does(t, p.laptop.RevokeDevice(p.c, p.phone.Name, now))
			return p.laptop.AddDevice(p.c, p.phone, now)
		}},
		{"a device's key as recovery key", "held before", func(p *play) []byte {
			return p.laptop.SetRecovery(p.c, &RecoveryKeys{signature: p.laptop.Signature, seal: p.words.seal}, now)
		}},
		{"the recovery key as a device", "held before", func(p *play) []byte {
			p.does(t, p.laptop.SetRecovery(p.c, p.words, now))
			twin := *p.phone
			twin.Signature = p.words.signature
			return p.laptop.AddDevice(p.c, &twin, now)
		}},
		{"an old recovery key again", "held before", func(p *play) []byte {
			p.does(t, p.laptop.SetRecovery(p.c, p.words, now))
			p.does(t, p.words.Replace(p.c, p.others, now))
			return p.others.Replace(p.c, p.words, now)
		}},
		{"revokes a stranger", "not active", func(p *play) []byte { return p.laptop.RevokeDevice(p.c, p.mallory.Name, now) }},
		{"revokes twice", "not active", func(p *play) []byte {
			p.does(t, add(p))
			p.does(t, p.laptop.RevokeDevice(p.c, p.phone.Name, now))
			return p.laptop.RevokeDevice(p.c, p.phone.Name, now)
		}},
		{"revokes the last device", "last device", func(p *play) []byte { return p.laptop.RevokeDevice(p.c, p.laptop.Name, now) }},
		{"a device replaces the recovery key", "only the recovery key", func(p *play) []byte {
			p.does(t, p.laptop.SetRecovery(p.c, p.words, now))
			return p.laptop.SetRecovery(p.c, p.others, now)
		}},
		{"moves to where it is", "where the account is", func(p *play) []byte { return p.laptop.Move(p.c, handle(t, "ana@example.org"), now) }},
		{"a handle in capitals", "normal form", func(p *play) []byte {
			return p.laptop.Move(p.c, wire.Handle{Name: "Ana", Host: "example.org"}, now)
		}},
		{"a handle with port 443", "normal form", func(p *play) []byte {
			return p.laptop.Move(p.c, wire.Handle{Name: "ana", Host: "b.example:443"}, now)
		}},
		{"no handle", "fields of another kind", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { s.Kind = Move })
		}},
		{"two things at once", "fields of another kind", func(p *play) []byte {
			return p.forge(p.laptop.Signature, p.phone.Signature, func(s *Statement) {
				d := p.phone.Device()
				s.Device, s.Handle = &d, "a@b.example"
			})
		}},
		{"an unknown kind", "unknown kind", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { s.Kind = 77 })
		}},
		{"the reserved kind", "unknown kind", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { s.Kind = Settle })
		}},
		{"another version", "version", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { s.Version, s.Kind, s.Handle = 2, Move, "a@b.example" })
		}},
		{"a short key", "wrong size", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { d := p.phone.Device(); d.Signature = d.Signature[:31]; s.Device = &d })
		}},
		{"a long inbox key", "wrong size", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) { d := p.phone.Device(); d.Inbox = append(d.Inbox, 0); s.Device = &d })
		}},
		{"a short recovery key", "wrong size", func(p *play) []byte {
			return p.forge(p.laptop.Signature, nil, func(s *Statement) {
				r := p.words.Public()
				r.Seal = nil
				s.Kind, s.Recovery = SetRecovery, &r
			})
		}},
		{"trailing bytes", "malformed", func(p *play) []byte { return append(add(p), 0) }},
		{"not deterministic inside", "malformed", func(p *play) []byte {
			s := unwrap(t, add(p))
			s.Statement = append(s.Statement, 0)
			return wire.Marshal(s)
		}},
		{"nothing", "malformed", func(p *play) []byte { return nil }},
		{"too large", "a statement of", func(p *play) []byte { return make([]byte, wire.MaxStatement+1) }},
	} {
		t.Run(f.name, func(t *testing.T) {
			p := newPlay(t)
			forged := f.make(p)
			before, n := p.c.Head(), p.c.Len()
			err := p.c.Append(forged)
			if !errors.Is(err, ErrChain) || errors.Is(err, ErrFork) || !strings.Contains(err.Error(), f.reason) {
				t.Errorf("refused with %v, not %q", err, f.reason)
			}
			if p.c.Head() != before || p.c.Len() != n || len(verify(t, p.c.Statements(0)).ActiveDevices()) != len(p.c.ActiveDevices()) {
				t.Error("the chain has changed")
			}
			if _, err := Verify(append(bytesOf(p.c), forged)); !errors.Is(err, ErrChain) {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

func bytesOf(c *Chain) [][]byte { return append([][]byte(nil), c.Statements(0)...) }

func unwrap(t *testing.T, b []byte) Signed {
	t.Helper()
	var s Signed
	if err := wire.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestForgedGenesis(t *testing.T) {
	p := newPlay(t)
	genesis := func(edit func(s *Statement)) []byte {
		d := p.laptop.Device()
		s := &Statement{Version: 1, Kind: Genesis, Signer: &p.laptop.Name, Handle: "ana@example.org", Device: &d}
		edit(s)
		return sign(s, p.laptop.Signature, nil)
	}
	if _, err := Verify([][]byte{genesis(func(*Statement) {})}); err != nil {
		t.Fatal(err)
	}
	own := p.laptop.Device()
	for name, edit := range map[string]func(s *Statement){
		"no signer":               func(s *Statement) { s.Signer = nil },
		"another signer":          func(s *Statement) { s.Signer = &p.phone.Name },
		"a statement before":      func(s *Statement) { s.Previous = wire.Hash{1} },
		"not at the beginning":    func(s *Statement) { s.Position = 1 },
		"no device":               func(s *Statement) { s.Device = nil },
		"no handle":               func(s *Statement) { s.Handle = "" },
		"a revocation":            func(s *Statement) { s.Revoked = &p.phone.Name },
		"another's device":        func(s *Statement) { d := p.phone.Device(); s.Device, s.Signer = &d, &d.Name },
		"its own key as recovery": func(s *Statement) { s.Recovery = &Recovery{own.Signature, own.Inbox} },
	} {
		if _, err := Verify([][]byte{genesis(edit)}); !errors.Is(err, ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := p.words.Public()
	if c, err := Verify([][]byte{genesis(func(s *Statement) { s.Recovery = &r })}); err != nil || c.Recovery() == nil {
		t.Errorf("with a recovery key: %v", err)
	}
	if _, err := Verify(nil); !errors.Is(err, ErrChain) {
		t.Error(err)
	}
}

func TestOrderAndLength(t *testing.T) {
	p := newPlay(t)
	p.does(t, p.laptop.AddDevice(p.c, p.phone, now))
	p.does(t, p.laptop.AddDevice(p.c, p.tablet, now))
	s := bytesOf(p.c)
	for name, bad := range map[string][][]byte{
		"swapped": {s[0], s[2], s[1]}, "a gap": {s[0], s[2]}, "no beginning": s[1:], "doubled": {s[0], s[0]},
	} {
		if _, err := Verify(bad); !errors.Is(err, ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.does(t, p.laptop.SetRecovery(p.c, p.words, now))
	for i := 0; p.c.Len() < wire.MaxChain-wire.ChainReserve-len(p.c.ActiveDevices()); i++ {
		p.does(t, p.laptop.Move(p.c, handle(t, []string{"ana@a.example", "ana@b.example"}[i%2]), now))
	}
	// Whoever holds a device cannot fill the chain: the recovery key has its places.
	for name, s := range map[string][]byte{
		"moved":      p.laptop.Move(p.c, handle(t, "ana@c.example"), now),
		"with a new": p.laptop.AddDevice(p.c, p.mallory, now),
	} {
		if err := p.c.Append(s); !errors.Is(err, ErrChain) || !strings.Contains(err.Error(), "no place for the recovery key") {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.does(t, p.words.AddDevice(p.c, p.mallory, now))
	for _, d := range []*Keys{p.laptop, p.phone, p.tablet} {
		p.does(t, p.words.RevokeDevice(p.c, d.Name, now))
	}
	last := p.words
	for i := byte(0); p.c.Len() < wire.MaxChain; i++ {
		next, err := NewRecoveryKeys([32]byte{0xee, i})
		if err != nil {
			t.Fatal(err)
		}
		p.does(t, last.Replace(p.c, next, now))
		last = next
	}
	over := p.mallory.Move(p.c, handle(t, "ana@c.example"), now)
	if err := p.c.Append(over); !errors.Is(err, ErrChain) || !strings.Contains(err.Error(), "as long as") {
		t.Errorf("over-long: %v", err)
	}
	verify(t, p.c.Statements(0))
}

func TestExtend(t *testing.T) {
	p := newPlay(t)
	short := p.c.Clone()
	p.does(t, p.laptop.AddDevice(p.c, p.phone, now))
	middle := p.c.Clone()
	p.does(t, p.phone.Move(p.c, handle(t, "ana@b.example"), now))
	all := bytesOf(p.c)

	fork := middle.Clone()
	if err := fork.Append(p.laptop.Move(fork, handle(t, "ana@c.example"), now)); err != nil {
		t.Fatal(err)
	}
	stranger := verify(t, [][]byte{p.mallory.Genesis(handle(t, "ana@example.org"), now)})
	unsigned := bytesOf(fork)
	unsigned[2] = wire.Marshal(Signed{Statement: unwrap(t, unsigned[2]).Statement, Signature: make([]byte, 64)})

	for _, c := range []struct {
		name  string
		of    *Chain
		from  int
		with  [][]byte
		added int
		want  error
	}{
		{"all of it", short, 0, all, 2, nil},
		{"what is new", short, 1, all[1:], 2, nil},
		{"what is known", p.c, 0, all, 0, nil},
		{"an older view", p.c, 0, all[:1], 0, nil},
		{"nothing", p.c, 1, nil, 0, nil},
		{"nothing, at the end", p.c, 3, nil, 0, nil},
		{"known and new", middle, 1, all[1:], 1, nil},
		{"a gap", short, 2, all[2:], 0, ErrChain},
		{"before the beginning", short, -1, all, 0, ErrChain},
		{"somebody else's", p.c, 0, bytesOf(stranger), 0, ErrChain},
		{"shifted", p.c, 1, all, 0, ErrChain},
		{"a fork", p.c, 0, bytesOf(fork), 0, ErrFork},
		{"a fork, its last place", p.c, 2, bytesOf(fork)[2:], 0, ErrFork},
		{"a fork with a wrong signature", p.c, 0, unsigned, 0, ErrChain},
		{"junk at a known place", p.c, 1, [][]byte{{1, 2, 3}}, 0, ErrChain},
		{"junk at the end", short, 0, append(bytesOf(middle), []byte("junk")), 0, ErrChain},
	} {
		before := c.of.Clone()
		subject := c.of.Clone()
		added, err := subject.Extend(c.from, c.with)
		if added != c.added || !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %d, %v", c.name, added, err)
		}
		if c.want == ErrChain && errors.Is(err, ErrFork) {
			t.Errorf("%s: a fork: %v", c.name, err)
		}
		if err != nil && subject.Head() != before.Head() {
			t.Errorf("%s: the chain has changed", c.name)
		}
		if err == nil && subject.Len() != before.Len()+added {
			t.Errorf("%s: length %d", c.name, subject.Len())
		}
	}
}

func TestAtAndClone(t *testing.T) {
	p := newPlay(t)
	p.does(t, p.laptop.AddDevice(p.c, p.phone, now))
	head := p.c.Head()
	p.does(t, p.laptop.SetRecovery(p.c, p.words, now))
	p.does(t, p.words.RevokeDevice(p.c, p.phone.Name, now))
	was, err := p.c.At(2)
	if err != nil || was.Head() != head || len(was.ActiveDevices()) != 2 || was.Recovery() != nil {
		t.Error(was, err)
	}
	if same, err := p.c.At(4); err != nil || same.Head() != p.c.Head() {
		t.Error(err)
	}
	for _, n := range []int{-1, 0, 5} {
		if _, err := p.c.At(n); !errors.Is(err, ErrChain) {
			t.Errorf("at %d: %v", n, err)
		}
	}
	if !p.c.Includes(head, 2) || p.c.Includes(head, 1) || p.c.Includes(head, 0) || p.c.Includes(head, 5) {
		t.Error("Includes")
	}
	clone := was.Clone()
	if err := clone.Append(p.phone.RevokeDevice(clone, p.laptop.Name, now)); err != nil {
		t.Fatal(err)
	}
	if was.Len() != 2 || len(was.ActiveDevices()) != 2 {
		t.Error("a clone is not independent")
	}
	if p.c.Statements(4) != nil || p.c.Statements(-1) != nil || len(p.c.Statements(3)) != 1 {
		t.Error("Statements")
	}
}

func FuzzAppend(f *testing.F) {
	p := newPlay(f)
	f.Add(p.c.Statements(0)[0])
	f.Add(p.laptop.AddDevice(p.c, p.phone, now))
	f.Add(p.laptop.SetRecovery(p.c, p.words, now))
	f.Add(p.laptop.Move(p.c, handle(f, "ana@b.example"), now))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := p.c.Clone()
		if err := c.Append(b); err == nil {
			verify(t, c.Statements(0))
		} else if !errors.Is(err, ErrChain) || c.Len() != 1 {
			t.Errorf("%v, length %d", err, c.Len())
		}
		if n, err := p.c.Clone().Extend(0, [][]byte{b}); n != 0 || err == nil && !bytes.Equal(unwrap(t, b).Statement, unwrap(t, p.c.Statements(0)[0]).Statement) {
			t.Error(n, err)
		}
		if c, err := Verify([][]byte{b}); err == nil && c.Len() != 1 {
			t.Error(c.Len())
		}
	})
}
