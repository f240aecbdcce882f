package client

import (
	"context"
	"errors"
	"time"

	"sotto/internal/store"
	"sotto/internal/wire"
)

// ErrOtherDevices is an account that other devices have too: they would stay in its rooms.
var ErrOtherDevices = errors.New("unlink your other devices first: they would stay in your conversations")

// leaveTime is how long the rooms are given to learn that this person leaves, before the
// account goes.
const leaveTime = 10 * time.Second

// DeleteAccount leaves every room, as far as their servers answer within a moment, deletes
// the account at its home server, and closes the store. Afterwards the client is closed, and
// the caller removes its files. When the home server does not delete the account, it is as
// before, but for the rooms that were left.
func (c *Client) DeleteAccount(ctx context.Context) error {
	err := c.wait(ctx, func(done func(error)) {
		switch {
		case !c.opened:
			done(ErrNoAccount)
			return
		case len(c.chain.ActiveDevices()) > 1:
			done(ErrOtherDevices)
			return
		case c.account == nil || !c.account.link.up:
			done(ErrUnreachable)
			return
		}
		c.leaveAll(func(err error) {
			if err != nil {
				done(err)
				return
			}
			c.endAccount(done)
		})
	})
	if err != nil {
		return err
	}
	return c.Close()
}

// leaveAll proposes to leave in every room, and waits until the hosts have it, or a while.
func (c *Client) leaveAll(done func(error)) {
	err := c.write(func(tx store.Tx) error {
		rooms, err := tx.Rooms()
		if err != nil {
			return err
		}
		for _, r := range rooms {
			if !r.Live() {
				continue
			}
			if err := tx.AddWant(store.Want{Room: r.ID, Kind: wantLeave, Body: wire.Marshal(wantGen{}), Due: c.nowMS()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		done(err)
		return
	}
	end := c.nowMS() + leaveTime.Milliseconds()
	c.timer("leaving", leaveTime, c.settle)
	c.until(func() (bool, error) {
		if c.nowMS() >= end {
			return true, nil
		}
		busy := false
		for _, g := range c.sortedGens() {
			l := c.hosts[g.Host]
			if g.State == store.GenLive && g.group != nil && !g.over() && l != nil && l.up && !g.leaving() {
				busy = true
			}
		}
		return !busy, nil
	}, done)
	c.pump()
}

// leaving says whether the host has this device's wish to leave.
func (g *gen) leaving() bool {
	proposed := false
	for _, p := range g.group.Pending() {
		proposed = proposed || p.ByReference && p.Sender == g.group.OwnLeaf()
	}
	waits := false
	err := g.c.read(func(tx store.Tx) (err error) { waits, err = tx.OutboxWaits(g.Room); return err })
	return proposed && !waits && err == nil
}

// endAccount deletes the account at its home server.
func (c *Client) endAccount(done func(error)) {
	if c.account == nil || !c.account.link.up {
		done(ErrUnreachable)
		return
	}
	for _, g := range c.sortedGens() { // what only this device still needs is erased
		c.giveUp(g.Generation)
	}
	ask(c.account.link, wire.OpDelete, wire.Done{}, func(_ wire.Done, err error) {
		if errors.Is(err, wire.Refuse(wire.CodeNoHandle, "")) {
			err = nil // it is gone already
		}
		done(err)
	})
}
