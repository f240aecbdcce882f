package client

import (
	"context"
	"math"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mimi"
)

// waiter is a condition that somebody waits for. It is looked at after every step that
// could have changed it.
type waiter struct {
	ready func() (bool, error)
	done  func(error)
}

// until calls done once when ready says so.
func (c *Client) until(ready func() (bool, error), done func(error)) {
	w := &waiter{ready: ready, done: done}
	if ok, err := ready(); ok || err != nil {
		done(err)
		return
	}
	c.waiters = append(c.waiters, w)
}

// settle looks at the conditions that are waited for.
func (c *Client) settle() {
	if len(c.waiters) == 0 || c.settling {
		return
	}
	c.settling = true
	c.post(func() {
		c.settling = false
		waiters := c.waiters
		c.waiters = nil
		for _, w := range waiters {
			if ok, err := w.ready(); ok || err != nil {
				w.done(err)
				continue
			}
			c.waiters = append(c.waiters, w)
		}
	})
}

// Sync waits until this device has read everything there is and sent everything it can.
// Hosts that cannot be reached are not waited for.
func (c *Client) Sync(ctx context.Context) error {
	return c.wait(ctx, func(done func(error)) {
		if c.account == nil {
			done(ErrNoAccount)
			return
		}
		if c.timers["receipts"] != nil { // receipts go along
			c.timers["receipts"]()
			delete(c.timers, "receipts")
			if err := c.sendReceipts(); err != nil {
				done(err)
				return
			}
			c.pump()
		}
		if c.timers["keep"] != nil { // and what the other devices are to hear
			c.stopTimer("keep")
			c.sayKept(math.MaxInt64)
			c.pump()
		}
		c.until(c.quiet, func(err error) {
			if err != nil {
				done(err)
				return
			}
			c.flushRecord(done)
		})
	})
}

// quiet says whether nothing is under way.
func (c *Client) quiet() (bool, error) {
	a := c.account
	if a.link.up && !a.read || !a.link.up && a.link.fails == 0 || c.pending > 0 || len(c.entering) > 0 || c.backing {
		return false, nil
	}
	if c.goingOn() || c.emptying() {
		return false, nil
	}
	busy := false
	err := c.read(func(tx store.Tx) error {
		for _, g := range c.sortedGens() {
			if b, err := c.genBusy(tx, g); err != nil || b {
				busy = busy || b
				return err
			}
		}
		letters, err := tx.Letters()
		if err != nil {
			return err
		}
		for _, m := range letters {
			l := c.hosts[m.Host]
			if m.Due <= c.nowMS() && (l == nil || l.up || l.fails == 0) {
				busy = true
			}
		}
		wants, err := tx.AllWants()
		for _, w := range wants {
			b, err := c.wantBusy(tx, w)
			if err != nil {
				return err
			}
			busy = busy || b
		}
		return err
	})
	return !busy, err
}

// wantBusy says whether a want is due that this device can bring about now, without
// waiting for somebody else.
func (c *Client) wantBusy(tx store.Tx, w store.Want) (bool, error) {
	if w.Due > c.nowMS() || w.Kind == wantLeave || w.Kind == wantRejoin || w.Kind == wantReturnedKind || !c.account.link.up {
		return false, nil
	}
	if absent, err := c.absent(tx, w); err != nil || absent {
		return false, err
	}
	g, err := c.current(tx, w.Room)
	if err != nil || g == nil {
		return false, err
	}
	return w.Kind == wantMoveKind || g.open(), nil
}

func (c *Client) genBusy(tx store.Tx, g *gen) (bool, error) {
	switch g.State {
	case store.GenCreating:
		return c.account.link.up, nil
	case store.GenLive:
	default:
		return false, nil
	}
	l := c.hosts[g.Host]
	if l == nil || !l.up {
		return l != nil && l.fails == 0, nil
	}
	if !g.caughtUp || len(g.queue) > 0 || g.planned || g.probing || g.acks > 0 || g.staged != nil {
		return true, nil
	}
	out, err := tx.Outbox(g.Room, 1)
	return len(out) > 0 && len(g.appending) == 0 || len(g.appending) > 0 && !g.heldBack(), err
}

// heldBack says whether the outbox waits for a time, not for an answer.
func (g *gen) heldBack() bool { return g.appending[0] }

// Settled waits until none of the messages is queued any more on its way to a host that
// can be reached, and answers them as they are then.
func (c *Client) Settled(ctx context.Context, id room.ID, messages []mimi.MessageID) ([]store.Message, error) {
	var out []store.Message
	err := c.wait(ctx, func(done func(error)) {
		c.until(func() (bool, error) {
			out = out[:0]
			all := true
			err := c.read(func(tx store.Tx) error {
				home, err := c.shownIn(tx, id)
				if err != nil {
					return err
				}
				for _, m := range messages {
					got, err := tx.Message(home, m)
					if err != nil {
						return err
					}
					if got == nil {
						continue
					}
					c.overlay(got)
					out = append(out, *got)
					all = all && got.State != store.Queued
				}
				return nil
			})
			return all, err
		}, done)
	})
	return out, err
}
