package client

import (
	"bytes"
	"fmt"
	"slices"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// entitled judges an invitation to a room that this device is in. nil and false: not yet.
func (c *Client) entitled(row store.Invitation, i room.Invitation) (ok bool, err error) {
	var r *store.Room
	var g *gen
	var known room.Knowledge
	var wants []store.Want
	if err := c.read(func(tx store.Tx) (err error) {
		if r, err = tx.Room(row.Room); err != nil || r == nil {
			return err
		}
		g = c.gens[genKey{row.Room, r.Generation}]
		if wants, err = tx.Wants(row.Room); err != nil {
			return err
		}
		known, err = tx.Known(row.Room, r.Generation)
		return err
	}); err != nil {
		c.fail("reading a room", err)
		return false, nil
	}
	stale := fmt.Errorf("%w: an invitation that is no longer of use", room.ErrJunk)
	if r == nil || !r.Live() || i.Generation < r.Generation {
		return false, stale
	}
	if i.Generation == r.Generation+1 && i.Move != nil && g != nil && g.group != nil && g.toRead(i.Move.From) {
		return false, nil // who is in the room, and who may move it, is as it was at its end
	}
	if known[row.Account] == nil {
		return false, stale
	}
	if g == nil || g.group == nil {
		// Nothing is left to judge by but who was in the room; back into it, or on to the next.
		if i.Generation > r.Generation || g != nil && i.At.Log == g.Log {
			return true, nil
		}
		return false, stale
	}
	leaf := g.leafOf(room.Owner{Account: row.Account, Device: row.Device})
	if leaf == nil {
		return false, stale
	}
	if i.Move == nil && i.Generation > r.Generation && g.State == store.GenWedged {
		return g.asksBack() // somebody lets us in where the room is now
	}
	if i.Generation == r.Generation && i.At.Log == g.Log && i.At.Seq > g.Seq {
		// Of a commit that this device has not read yet, or, when it was shut out and has
		// asked to be let in again, never will: who shut it out does not let it in.
		if g.State != store.GenWedged || !slices.ContainsFunc(wants, func(w store.Want) bool { return w.Kind == wantRejoin }) {
			return false, nil
		}
		for _, w := range wants {
			var body wantMove
			if w.Kind == wantMoveKind && wire.Unmarshal(w.Body, &body) == nil &&
				slices.ContainsFunc(body.Culprits, func(o room.Owner) bool { return o.Account == row.Account }) {
				return false, stale
			}
		}
		return true, nil
	}
	if i.Generation == r.Generation {
		return g.rival(leaf, i), stale
	}
	return g.mayMove(leaf), nil
}

// asksBack says whether a device whose log is gone asks to be let in elsewhere.
func (g *gen) asksBack() (asks bool, err error) {
	err = g.c.read(func(tx store.Tx) error {
		wants, err := tx.Wants(g.Room)
		for _, w := range wants {
			var body wantGen
			asks = asks || w.Kind == wantRejoin && wire.Unmarshal(w.Body, &body) == nil && body.Wedged && body.Generation == g.Number
		}
		return err
	})
	return asks, err
}

// mayMove says whether a member may move the room now: an admin always; others when it
// has been wedged, or its host out of reach, for an hour.
func (g *gen) mayMove(leaf *room.Leaf) bool {
	if g.ctx.IsAdmin(leaf.Account) {
		return true
	}
	now := g.c.nowMS()
	l := g.c.hosts[g.Host]
	wedged := g.State == store.GenWedged && now-g.Since >= moveWait.Milliseconds()
	away := l != nil && !l.up && l.since != 0 && now-l.since >= moveWait.Milliseconds()
	return wedged || away
}

// rival says whether an invitation to the generation that this device is in already is
// the one that counts: two entitled members moved the room from the same place at once. An
// admin's counts before another member's, and among equals the lower log does.
func (g *gen) rival(leaf *room.Leaf, i room.Invitation) bool {
	if g.ctx.Kind == room.Pair { // there is nobody else to agree with
		return bytes.Compare(i.At.Log[:], g.Log[:]) < 0
	}
	if i.Move == nil || g.ctx.Before == nil || i.Move.From.Log != g.ctx.Before.Log || g.c.nowMS()-g.Since >= rivalWait.Milliseconds() {
		return false
	}
	admin := g.ctx.IsAdmin(leaf.Account)
	lower := bytes.Compare(i.At.Log[:], g.Log[:]) < 0
	return admin && (g.Orphan || lower) || g.Orphan && lower
}

// appealed is the move of a member who may not move the room by itself: for them it could
// not go on. Only a host that shows members different things brings that about where it
// goes on for an admin. The admin moves it then, for all of them.
func (c *Client) appealed(row store.Invitation, i room.Invitation) {
	g := c.gens[genKey{row.Room, i.Generation - 1}]
	if g == nil || g.State != store.GenLive || g.over() || g.group == nil || i.Move == nil || i.Move.From.Log != g.Log ||
		g.leafOf(room.Owner{Account: row.Account, Device: row.Device}) == nil || !g.ctx.IsAdmin(c.chain.ID()) {
		return
	}
	err := c.write(func(tx store.Tx) error {
		wants, err := tx.Wants(g.Room)
		if err != nil || slices.ContainsFunc(wants, func(w store.Want) bool { return w.Kind == wantMoveKind }) {
			return err
		}
		w := wantMove{Generation: g.Number, Reason: said.Of("why.differs").Text()}
		return tx.AddWant(store.Want{Room: g.Room, Kind: wantMoveKind, Body: wire.Marshal(w), Due: g.moveDue()})
	})
	if err != nil {
		c.fail("keeping that a room is to move", err)
	}
}
