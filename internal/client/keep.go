package client

import (
	"bytes"
	"cmp"
	"slices"
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
		if full, err := fullOf(tx, what); err != nil || full {
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

// fullOf says whether no more registers of a kind are kept.
func fullOf(tx store.Tx, what room.What) (bool, error) {
	all, of, err := tx.CountRegisters(what)
	return all >= room.MaxKept || what == room.KeptDraft && of >= room.MaxDrafts, err
}

// keepLater says in the self room what is to be said there, a moment from now.
func (c *Client) keepLater(wait time.Duration) {
	at := c.nowMS() + wait.Milliseconds()
	if c.timers["keep"] != nil && c.keepDue <= at {
		return
	}
	c.keepDue = at
	c.timer("keep", wait, func() {
		c.sayKept(c.nowMS())
		c.pump()
	})
}

// sayKept says what is due through a time.
func (c *Client) sayKept(through int64) {
	if err := c.enqueueKept(through); err != nil {
		c.fail("telling your other devices", err)
	}
}

// enqueueKept puts one entry's worth of what is due into the outbox of the self room, when nothing
// waits there: what changes again before that is said once.
func (c *Client) enqueueKept(through int64) error {
	return c.update(func(tx store.Tx, after *[]func()) error {
		r, err := c.selfRoom(tx)
		if err != nil || r == nil {
			return err
		}
		g, err := c.current(tx, r.ID)
		if err != nil || g == nil || g.group == nil {
			return err
		}
		if waits, err := tx.OutboxWaits(r.ID); err != nil || waits {
			return err // its place in the log comes, and this again with it
		}
		body, next, err := c.changesToSay(tx, through, g.group.MemberCount() == 1)
		if err != nil {
			return err
		}
		if body == nil && g.group.MemberCount() > 1 {
			var later int64
			if body, later, err = c.againToSay(tx); err != nil {
				return err
			}
			next = soonest(next, later)
		}
		if next != 0 {
			*after = append(*after, func() { c.keepLater(max(0, msDuration(next-c.nowMS()))) })
		}
		if body == nil {
			return nil
		}
		b := wire.Marshal(*body)
		if _, err := room.ParseKept(b); err != nil { // it would be said for ever and never be read
			return err
		}
		_, err = tx.Enqueue(store.Outgoing{Room: r.ID, Kind: room.PayloadKept, Body: b})
		return err
	})
}

// soonest is the lesser of two times of which 0 stands for never.
func soonest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// changesToSay gathers changes that are due; next is when the others are. A device that is alone in
// the room has nobody to tell: they count at once.
func (c *Client) changesToSay(tx store.Tx, through int64, alone bool) (body *room.Kept, next int64, err error) {
	list, err := tx.UnsentChanges()
	if err != nil {
		return nil, 0, err
	}
	k := keptEntry{c: c, tx: tx}
	for _, x := range list {
		switch {
		case alone:
			r := store.Register{What: x.What, Of: x.Of, Value: x.Value, Time: x.Time, Device: c.keys.Name}
			if err := tx.DropChange(x.What, x.Of); err != nil {
				return nil, 0, err
			}
			if err := tx.PutRegister(r, false); err != nil {
				return nil, 0, err
			}
		case x.Due > through:
			next = soonest(next, x.Due)
		case k.full():
			next = c.nowMS()
		default:
			if err := k.add(room.Register{What: x.What, Of: x.Of, Value: x.Value, Time: x.Time}); err != nil {
				return nil, 0, err
			}
			x.Sent = true
			if err := tx.PutChange(x); err != nil {
				return nil, 0, err
			}
		}
	}
	return k.body(), next, nil
}

// againToSay gathers registers that are to be said again, when it is time for that.
func (c *Client) againToSay(tx store.Tx) (body *room.Kept, next int64, err error) {
	due, err := tx.FactUint(factAgain)
	if err != nil || due == 0 || int64(due) > c.nowMS() {
		return nil, int64(due), err
	}
	list, err := tx.Unsaid(room.MaxKeptOnce)
	if err != nil {
		return nil, 0, err
	}
	if len(list) == 0 {
		return nil, 0, tx.DropFacts(factAgain)
	}
	k := keptEntry{c: c, tx: tx, kept: room.Kept{Again: true}}
	for _, x := range list {
		if k.full() {
			break
		}
		if err := k.add(room.Register{What: x.What, Of: x.Of, Value: x.Value, Time: x.Time, Device: &x.Device}); err != nil {
			return nil, 0, err
		}
	}
	return k.body(), c.nowMS(), nil
}

// keptEntry is an entry of the self room that is being filled.
type keptEntry struct {
	c    *Client
	tx   store.Tx
	kept room.Kept
	size int
	with []identity.ID // whose chains go along
}

func (k *keptEntry) full() bool {
	return len(k.kept.Registers) == room.MaxKeptOnce || k.size > keptBytes
}

// body is what was gathered; nil for nothing.
func (k *keptEntry) body() *room.Kept {
	if len(k.kept.Registers) == 0 {
		return nil
	}
	return &k.kept
}

// add adds a register, and the chain of whom it is about.
func (k *keptEntry) add(r room.Register) error {
	k.kept.Registers = append(k.kept.Registers, r)
	k.size += len(r.Of) + len(r.Value) + 40
	if !slices.Contains(keptOfPeople, r.What) || len(r.Of) != len(identity.ID{}) || slices.Contains(k.with, identity.ID(r.Of)) {
		return nil
	}
	p, err := k.tx.Person(identity.ID(r.Of))
	if err != nil || p == nil {
		return err
	}
	size := 0
	chain := p.Chain.Statements(0)
	for _, s := range chain {
		size += len(s)
	}
	if size <= room.MaxKeptChain {
		k.kept.Chains, k.with, k.size = append(k.kept.Chains, chain), append(k.with, p.Account), k.size+size
	}
	return nil
}

// sayAgain has everything said again after a while, but for what somebody else says before
// that.
func (c *Client) sayAgain(tx store.Tx, after *[]func(), in int64) error {
	due, err := tx.FactUint(factAgain)
	if err != nil {
		return err
	}
	if at := uint64(c.nowMS() + in); due == 0 || at < due {
		due = at
	}
	if err := tx.SetFactUint(factAgain, due); err != nil {
		return err
	}
	*after = append(*after, func() { c.keepLater(max(0, msDuration(int64(due)-c.nowMS()))) })
	return tx.UnsayRegisters()
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
	if own := from == c.keys.Name; own && !counts {
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
	for _, r := range k.Registers {
		x := store.Register{What: r.What, Of: r.Of, Value: r.Value, Time: r.Time, Device: from}
		if k.Again {
			x.Device = *r.Device
		}
		if err := c.takeRegister(tx, after, x, k.Again, from == c.keys.Name, uint64(max(arrived, 1))); err != nil {
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

// takeRegister takes one word. A change of this device's own stays what is shown until it is
// read, unless a later word is read before it.
func (c *Client) takeRegister(tx store.Tx, after *[]func(), x store.Register, again, own bool, arrived uint64) error {
	have, err := tx.Register(x.What, x.Of)
	if err != nil {
		return err
	}
	change, err := tx.Change(x.What, x.Of)
	if err != nil {
		return err
	}
	read := change != nil && own && !again && change.Time == x.Time // the change itself
	if again {
		x.Time = min(x.Time, arrived+keptAhead)
		if own {
			if err := tx.SetSaid(x.What, x.Of); err != nil {
				return err
			}
		}
	} else {
		replaces := uint64(0)
		if have != nil {
			replaces = have.Time
		}
		x.Time = room.CountsAt(x.Time, arrived, replaces)
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
	} else if full, err := fullOf(tx, x.What); err != nil || full {
		return err
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
