package client

import (
	"slices"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// keepLater says in the self room what is to be said there, a moment from now.
func (c *Client) keepLater(wait time.Duration) {
	if len(c.selfRooms) == 0 {
		return
	}
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
