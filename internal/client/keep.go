package client

import (
	"bytes"
	"cmp"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// What a person's devices keep alike are registers, of each of which the last word counts: by
// time, then by the device's name, so that it is the same whatever order the words are read in.
// What this device says is a change until it is read in the self room, like the others' words;
// it is kept in the transaction in which the thing itself changes. Whoever comes into the room is
// told everything again; of several that could do so each says what nobody has said before it.

const (
	factAgain = "keep again" // when registers are to be said again, Unix milliseconds

	keepSoon  = 300 * time.Millisecond // a change seldom comes alone
	keepRead  = time.Second            // what was read goes on being read
	keepDraft = 2 * time.Second        // not every key stroke
	againLate = 20 * time.Second       // who comes into the room lets the others speak first

	keptBytes = 64 << 10             // of registers and chains in one entry, about
	keptAhead = 365 * 24 * 3_600_000 // milliseconds that what is said again may be ahead of the host
)

// keep notes that this device says something of a register, at the time of the change or, where
// that is given, of what it is about.
func (c *Client) keep(tx store.Tx, after *[]func(), what room.What, of, value []byte) error {
	return c.keepAt(tx, after, what, of, value, 0)
}

func (c *Client) keepAt(tx store.Tx, after *[]func(), what room.What, of, value []byte, at int64) error {
	if !c.several() {
		return nil // it is told when there is somebody to tell
	}
	have, err := tx.Register(what, of)
	if err != nil {
		return err
	}
	change, err := tx.Change(what, of)
	if err != nil {
		return err
	}
	x := store.Change{What: what, Of: of, Value: value, Time: uint64(c.nowMS())}
	last, known := uint64(0), []byte(nil)
	switch {
	case change != nil:
		last, known = change.Time, change.Value
	case have != nil:
		last, known = have.Time, have.Value
	}
	if last >= room.MaxKeptTime || len(value) > what.Longest() || (change != nil || have != nil) && bytes.Equal(known, value) {
		return nil
	}
	if at != 0 {
		if x.Time = uint64(at); x.Time <= last {
			return nil
		}
	}
	x.Time = max(x.Time, last+1)
	if change == nil && have == nil {
		if left, err := keptLeft(tx); err != nil || !left.take(what) {
			return err
		}
	}
	wait := keepSoon
	switch what {
	case room.KeptRead:
		wait = keepRead
	case room.KeptDraft:
		wait = keepDraft
	}
	x.Due = c.nowMS() + wait.Milliseconds()
	*after = append(*after, func() { c.keepLater(wait) })
	return tx.PutChange(x)
}

// keptSpace is how many registers may still be added.
type keptSpace struct{ all, drafts int64 }

func keptLeft(tx store.Tx) (*keptSpace, error) {
	all, drafts, err := tx.CountRegisters(room.KeptDraft)
	return &keptSpace{room.MaxKept - all, room.MaxDrafts - drafts}, err
}

// take says whether there is place for one more, and takes it.
func (s *keptSpace) take(what room.What) bool {
	if s.all <= 0 || what == room.KeptDraft && s.drafts <= 0 {
		return false
	}
	s.all--
	if what == room.KeptDraft {
		s.drafts--
	}
	return true
}

// takeKept takes an entry of the self room, another device's or an own one, at its place in the
// log.
func (g *gen) takeKept(tx store.Tx, after *[]func(), from wire.DeviceName, arrived int64, body []byte) error {
	if g.ctx.Kind != room.Alike {
		return nil
	}
	c := g.c
	r, err := tx.Room(g.Room)
	if err != nil || r == nil {
		return err
	}
	counts := r.State == store.RoomActive
	if from == c.keys.Name && !counts {
		return nil // it is said again in the room that counts
	}
	*after = append(*after, func() { c.keepLater(0) }) // what comes next
	k, err := room.ParseKept(body)
	if err != nil {
		c.log.Info("what a device of this account says that cannot be read", "error", err)
		return nil
	}
	for _, signed := range k.Chains {
		chain, err := identity.Verify(signed)
		if err != nil || chain.ID() == c.chain.ID() {
			continue // a device that is broken, or not this person's any more
		}
		if err := c.keepPerson(tx, after, chain); err != nil {
			return err
		}
	}
	left, err := keptLeft(tx)
	if err != nil {
		return err
	}
	for _, r := range k.Registers {
		x := store.Register{What: r.What, Of: r.Of, Value: r.Value, Time: r.Time, Device: from}
		if k.Again {
			x.Device = *r.Device
		}
		if err := c.takeRegister(tx, after, x, keptHow{again: k.Again, own: from == c.keys.Name, arrived: uint64(max(arrived, 1)), left: left}); err != nil {
			return err
		}
	}
	if !counts { // not everybody may be there
		if err := c.sayAgain(tx, after, keepSoon.Milliseconds()); err != nil {
			return err
		}
	}
	return tx.PruneRegisters(room.MaxEmpty)
}

// keptHow is how a word is read.
type keptHow struct {
	again, own bool
	arrived    uint64 // at the host, Unix milliseconds
	left       *keptSpace
}

// takeRegister takes one word. A change of this device's own stays what is shown until it is
// read, unless a later word is read before it.
func (c *Client) takeRegister(tx store.Tx, after *[]func(), x store.Register, how keptHow) error {
	have, err := tx.Register(x.What, x.Of)
	if err != nil {
		return err
	}
	change, err := tx.Change(x.What, x.Of)
	if err != nil {
		return err
	}
	read := change != nil && how.own && !how.again && change.Time == x.Time // the change itself
	if how.again {
		x.Time = min(x.Time, how.arrived+keptAhead)
		if how.own {
			if err := tx.SetSaid(x.What, x.Of); err != nil {
				return err
			}
		}
	} else {
		replaces := uint64(0)
		if have != nil {
			replaces = have.Time
		}
		x.Time = room.CountsAt(x.Time, how.arrived, replaces)
	}
	if read || change != nil && compareWords(x, store.Register{Value: change.Value, Time: change.Time, Device: c.keys.Name}) > 0 {
		if err := tx.DropChange(x.What, x.Of); err != nil {
			return err
		}
		change = nil
	}
	order := 1
	if have != nil {
		order = compareWords(x, *have)
	} else if !how.left.take(x.What) {
		return nil
	}
	switch {
	case order == 0:
		return tx.SetSaid(x.What, x.Of)
	case order > 0:
		if err := tx.PutRegister(x, true); err != nil || read { // what is read is shown already
			return err
		}
		have = &x
	case !read:
		return nil
	}
	if change != nil {
		return nil
	}
	return c.applyKept(tx, after, *have)
}

// compareWords is the order of two words about one thing: the higher one counts.
func compareWords(a, b store.Register) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), bytes.Compare(a.Device[:], b.Device[:]), bytes.Compare(a.Value, b.Value))
}

// word is what counts of a register on this device: what it said itself and has not read yet, or
// what it has read; nil when nobody has said anything.
func (c *Client) word(tx store.Tx, what room.What, of []byte) (*store.Register, error) {
	change, err := tx.Change(what, of)
	if err != nil {
		return nil, err
	}
	if change != nil {
		return &store.Register{What: what, Of: of, Value: change.Value, Time: change.Time, Device: c.keys.Name}, nil
	}
	return tx.Register(what, of)
}

// applyAgain lets what counts of a register count again: what it is about may have come since.
func (c *Client) applyAgain(tx store.Tx, after *[]func(), what room.What, of []byte) error {
	if len(c.selfRooms) == 0 {
		return nil
	}
	x, err := c.word(tx, what, of)
	if err != nil || x == nil {
		return err
	}
	return c.applyKept(tx, after, *x)
}

// applyKeptAll does so with all registers.
func (c *Client) applyKeptAll(tx store.Tx, after *[]func()) error {
	all, err := tx.Registers()
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := c.applyAgain(tx, after, x.What, x.Of); err != nil {
			return err
		}
	}
	return nil
}
