package room

import (
	"bytes"
	"errors"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

func TestParseKept(t *testing.T) {
	device := wire.DeviceName{7}
	for _, c := range []struct {
		name   string
		change func(k *Kept)
		ok     bool
	}{
		{"as it is", func(*Kept) {}, true},
		{"of a later version", func(k *Kept) { k.Registers[1].What = 255 }, true},
		{"an empty value", func(k *Kept) { k.Registers[0].Value = []byte{} }, true},
		{"the longest value", func(k *Kept) { k.Registers[0].Value = make([]byte, MaxValue) }, true},
		{"too long a value", func(k *Kept) { k.Registers[0].Value = make([]byte, MaxValue+1) }, false},
		{"the longest draft", func(k *Kept) { k.Registers[1].What, k.Registers[1].Value = KeptDraft, make([]byte, MaxDraft) }, true},
		{"too long a draft", func(k *Kept) { k.Registers[1].What, k.Registers[1].Value = KeptDraft, make([]byte, MaxDraft+1) }, false},
		{"no value is an empty one", func(k *Kept) { k.Registers[0].Value = nil }, true},
		{"of nothing", func(k *Kept) { k.Registers[0].Of = nil }, false},
		{"of too much", func(k *Kept) { k.Registers[0].Of = make([]byte, MaxOf+1) }, false},
		{"nothing known", func(k *Kept) { k.Registers[0].What = 0 }, false},
		{"no time", func(k *Kept) { k.Registers[0].Time = 0 }, false},
		{"the last time", func(k *Kept) { k.Registers[0].Time = MaxKeptTime }, true},
		{"behind the last time", func(k *Kept) { k.Registers[0].Time = MaxKeptTime + 1 }, false},
		{"out of order", func(k *Kept) { k.Registers[0], k.Registers[1] = k.Registers[1], k.Registers[0] }, false},
		{"twice", func(k *Kept) { k.Registers[1] = k.Registers[0] }, false},
		{"none", func(k *Kept) { k.Registers = nil }, false},
		{"too many", func(k *Kept) {
			k.Registers = nil
			for i := range MaxKeptOnce + 1 {
				k.Registers = append(k.Registers, Register{What: KeptStar, Of: []byte{byte(i >> 8), byte(i)}, Value: []byte{}, Time: 1})
			}
		}, false},
		{"a change of another's", func(k *Kept) { k.Registers[0].Device = &device }, false},
		{"said again, of nobody", func(k *Kept) { k.Again = true }, false},
		{"said again", func(k *Kept) { k.Again, k.Registers[0].Device, k.Registers[1].Device = true, &device, &device }, true},
	} {
		k := Kept{Registers: []Register{
			{What: KeptPinned, Of: []byte{1}, Value: []byte{0xf5}, Time: 1}, {What: KeptStar, Of: []byte{1}, Value: []byte{0xf5}, Time: 2},
		}}
		c.change(&k)
		b := wire.Marshal(k)
		got, err := ParseKept(b)
		if c.ok != (err == nil) || err != nil && !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.ok && !bytes.Equal(wire.Marshal(got), b) {
			t.Errorf("%s became %+v", c.name, got)
		}
	}
}

// A clock that is ahead outdoes nobody who changes the same later; a host whose clock is behind
// loses no change.
func TestCountsAt(t *testing.T) {
	for _, c := range []struct{ time, arrived, replaces, want uint64 }{
		{100, 200, 0, 100},   // in time
		{100, 200, 300, 100}, // and outdone
		{900, 200, 0, 200},   // ahead of its arrival
		{900, 200, 150, 200},
		{500, 200, 499, 500}, // the host is behind: it still comes after what it replaces
		{500, 200, 400, 401},
		{500, 200, 500, 500}, // made without knowing of that
		{MaxKeptTime, 200, MaxKeptTime, MaxKeptTime},
	} {
		if got := CountsAt(c.time, c.arrived, c.replaces); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// What was compared counts until a device comes or goes.
func TestComparedCovers(t *testing.T) {
	ana := newAccount(t, "ana")
	first := ComparedWith(ana.chain, 1)
	if !first.Covers(ana.chain) || !(Compared{Length: 1<<32 - 1}).Covers(ana.chain) {
		t.Error("nothing came since")
	}
	if (Compared{}).Covers(ana.chain) || (Compared{Length: 1}).Covers(ana.chain) {
		t.Error("another chain was compared")
	}
	k := ana.link(t)
	second := ComparedWith(ana.chain, 1)
	if first.Covers(ana.chain) || !second.Covers(ana.chain) {
		t.Error("a device came")
	}
	ana.revoke(t, k)
	if second.Covers(ana.chain) {
		t.Error("a device went")
	}
}

// Nobody but one person is ever in a self room.
func TestSelfRoomRules(t *testing.T) {
	ana, bo := newAccount(t, "ana"), newAccount(t, "bo")
	m := found(t, context(Alike, ana), ana)[0]
	second := ana.link(t)
	grown := ana.proof(1)
	kp := ana.pack(t, second)
	params := mls.CommitParams{Proposals: []mls.Proposal{mls.AddProposal(kp.Public)}}
	s, err := m.commit(params, grown)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Judge(m.group, m.known, s, []Proof{grown}); err != nil {
		t.Errorf("a device of one's own: %v", err)
	}
	s.Erase()
	theirs := bo.proof(0)
	params.Proposals = []mls.Proposal{mls.AddProposal(bo.pack(t, bo.keys[0]).Public)}
	if s, err = m.commit(params, theirs); err != nil {
		t.Fatal(err)
	}
	if _, err := Judge(m.group, m.known, s, []Proof{theirs}); !errors.Is(err, ErrForbidden) {
		t.Errorf("somebody else: %v", err)
	}
	s.Erase()
	two := found(t, context(Alike, ana), ana, bo)[1]
	if _, err := Welcome(two.group, two.known, Owner{ana.chain.ID(), ana.keys[0].Name}); !errors.Is(err, ErrJunk) {
		t.Errorf("a self room of two people: %v", err)
	}
	one := found(t, context(Alike, bo), bo)[0]
	if _, err := Welcome(one.group, one.known, Owner{bo.chain.ID(), bo.keys[0].Name}); err != nil {
		t.Errorf("one's own: %v", err)
	}
	if _, err := Welcome(one.group, one.known, Owner{identity.ID{1}, bo.keys[0].Name}); !errors.Is(err, ErrJunk) {
		t.Errorf("by somebody who is not there: %v", err)
	}
}
