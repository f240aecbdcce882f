package client

import (
	"errors"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// wedge notes that this generation cannot go on and that the room is to move without the
// culprits: an admin sees to it at once, in order of rank, others after an hour.
func (g *gen) wedge(tx store.Tx, after *[]func(), culprits []room.Owner, reason said.Said) error {
	if g.over() {
		return g.shut(tx, after) // the room has moved on already
	}
	if g.State != store.GenLive {
		return nil
	}
	due := g.moveDue()
	if err := g.halt(tx); err != nil {
		return err
	}
	g.c.log.Info("a room cannot go on", "reason", reason.Key)
	if slices.Contains(culprits, g.c.owner()) {
		return nil
	}
	w := wantMove{Generation: g.Number, Culprits: culprits, Reason: reason.Text()}
	return tx.AddWant(store.Want{Room: g.Room, Kind: wantMoveKind, Body: wire.Marshal(w), Due: due})
}

// halt ends a generation here: nothing more is read or sent in it.
func (g *gen) halt(tx store.Tx) error {
	g.stirred = true
	g.State, g.Since, g.Last = store.GenWedged, g.c.nowMS(), g.Seq
	if err := tx.PutGeneration(g.Generation); err != nil {
		return err
	}
	if err := tx.DropStaged(g.Room, g.Number); err != nil {
		return err
	}
	g.staged, g.pushing = nil, false
	return tx.Unseal(g.Room, 0, 0)
}

// moveDue is when this device moves a room that cannot go on, unless somebody else does:
// an admin in order of rank, others an hour later.
func (g *gen) moveDue() int64 {
	now := g.c.nowMS()
	due := now + g.rank([]byte("move"))
	if !g.ctx.IsAdmin(g.c.chain.ID()) {
		due += moveWait.Milliseconds()
	}
	if now-g.Since < youngRoom.Milliseconds() { // a host that breaks whatever is put there must not keep everybody busy
		due += min(int64(1000)<<min(g.Number, 12), 3_600_000) - 2000
	}
	return due
}

// move makes the room anew on a fresh log at our home server, without the culprits.
func (c *Client) move(w store.Want) {
	var body wantMove
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		c.finish(w, err)
		return
	}
	g := c.gens[genKey{w.Room, body.Generation}]
	if g == nil || g.over() || g.State != store.GenWedged && g.State != store.GenLost && g.State != store.GenLive || c.gens[genKey{w.Room, body.Generation + 1}] != nil {
		c.finish(w, nil) // somebody else moved it
		return
	}
	if c.account == nil || !c.account.link.up {
		return
	}
	if body.Whole != 0 && body.Whole != forGood && g.State == store.GenLive && c.retiringOf(g.Host) == nil {
		c.finish(w, nil) // its host goes on after all
		return
	}
	if body.Whole != 0 && g.State == store.GenLive {
		if ok, err := g.mayGo(); !ok {
			if err != nil {
				if !body.Asked { // nobody waits for it
					err = nil
				}
				c.finish(w, err)
				return
			}
			g.stirred = true // looked at again when the room has been read on
			return
		}
	}
	ctx, known, err := g.remembered()
	if err != nil {
		c.finish(w, err)
		return
	}
	p := c.prepared[w.ID]
	if p != nil && p.ready && p.epoch != g.epoch() { // somebody came in, or went, meanwhile
		p = nil
		delete(c.prepared, w.ID)
	}
	if p == nil || !p.ready {
		c.gather(w, g, ctx, known, body.Culprits)
		return
	}
	if len(p.late) > 0 && g.State == store.GenLive && c.nowMS() < body.Whole {
		c.notWhole(w, body, p)
		return
	}
	alone := ctx.Kind == room.Pair && len(p.guests) == 0 // a room of two has no use without the other
	if len(p.late) > 0 && (alone || c.nowMS()-g.Since < lateWait.Milliseconds()) {
		p.ready = false // what was fetched for the others is kept
		c.putOff(w)
		return
	}
	if g.State == store.GenLive { // it went on here, and not for everybody, or somebody wants it elsewhere
		if err := c.write(g.halt); err != nil {
			g.trip(err)
			return
		}
	}
	if err := c.regroup(w, g, ctx, body, p); err != nil {
		c.fail("moving a room", err)
		delete(c.prepared, w.ID)
		c.putOff(w)
	}
}

// remembered is the room as this device last knew it: from the group, or, where that is
// lost, from what was kept of it.
func (g *gen) remembered() (ctx room.Context, known room.Knowledge, err error) {
	if g.group != nil {
		return g.ctx, g.known, nil
	}
	if err := wire.Unmarshal(g.Context, &ctx); err != nil {
		return ctx, nil, err
	}
	err = g.c.read(func(tx store.Tx) (err error) { known, err = tx.Known(g.Room, g.Number); return err })
	return ctx, known, err
}

// gather fetches key packages of everybody who comes along. Whose home cannot be reached is
// waited for, since what is written without them they never read; after lateWait they are
// added later. In a conversation of two there is nobody to go on with but the other.
func (c *Client) gather(w store.Want, g *gen, ctx room.Context, known room.Knowledge, culprits []room.Owner) {
	p := c.prepared[w.ID]
	if p == nil {
		p = &preparation{epoch: g.epoch()}
		c.prepared[w.ID] = p
		for _, q := range known.Proofs() {
			out := slices.ContainsFunc(culprits, func(o room.Owner) bool { return o.Account == q.Account })
			if out && ctx.Kind == room.Group && q.Account != c.chain.ID() {
				continue
			}
			p.late = append(p.late, c.whereIs(known[q.Account]))
		}
	}
	handles := p.late
	p.late, p.busy = nil, true
	keep := func(o room.Owner) bool {
		return o != c.owner() && known[o.Account] != nil && (g.group == nil || g.leafOf(o) != nil)
	}
	var next func(i int)
	next = func(i int) {
		if i == len(handles) {
			p.busy, p.ready = false, true
			c.pump()
			return
		}
		c.invitee(handles[i], nil, func(some []newcomer, err error) {
			if err != nil && handles[i] != c.self.String() {
				if refused(err) && (g.State != store.GenLive || !errors.Is(err, wire.Refuse(wire.CodeSlowDown, ""))) {
					p.more = append(p.more, handles[i])
				} else {
					p.late = append(p.late, handles[i])
				}
			}
			for _, n := range some {
				if !keep(room.Owner{Account: n.chain.ID(), Device: n.device.Name}) {
					continue
				}
				if len(p.guests) == wire.MaxAdds {
					p.more = append(p.more, handles[i])
					break
				}
				p.guests = append(p.guests, n)
			}
			next(i + 1)
		})
	}
	next(0)
}

// regroup makes the next generation.
func (c *Client) regroup(w store.Want, g *gen, ctx room.Context, body wantMove, p *preparation) error {
	last := g.Last
	if g.State == store.GenLost {
		last = g.Seq
	}
	orphan := !ctx.IsAdmin(c.chain.ID())
	ctx.Generation++
	ctx.Host = c.self.Host
	ctx.Before = &room.Place{Log: g.Log, Seq: last, Chain: g.Chain}
	ctx.Key = c.newSecret()
	c.random(ctx.Log[:])
	ctx.Admins = slices.DeleteFunc(slices.Clone(ctx.Admins), func(id identity.ID) bool {
		return id != c.chain.ID() && !slices.ContainsFunc(p.guests, func(n newcomer) bool { return n.chain.ID() == id })
	})
	if len(ctx.Admins) == 0 {
		ctx = ctx.WithAdmin(c.chain.ID(), true)
	}
	move := &room.Move{From: *ctx.Before, Culprits: body.Culprits, Reason: body.Reason}
	if err := c.useAddresses(g.Room, p.guests); err != nil {
		return err
	}
	next, err := c.makeGroup(ctx, p.guests)
	if err != nil {
		return err
	}
	next.orphan = orphan
	return c.establish(next, move, func(tx store.Tx, after *[]func()) error {
		if err := tx.DropWant(w.ID); err != nil {
			return err
		}
		if err := tx.DropWantsOf(g.Room, wantRejoin); err != nil {
			return err
		}
		if err := tx.Unseal(g.Room, 0, 0); err != nil {
			return err
		}
		if err := c.resend(tx, g.Room, g.Number, ending{last: last}, next.known); err != nil {
			return err
		}
		if err := c.bringMissing(tx, g, next.group, next.known); err != nil {
			return err
		}
		if err := c.closeRow(tx, after, g); err != nil {
			return err
		}
		if left := slices.Concat(p.late, p.more); len(left) > 0 {
			if err := tx.AddWant(store.Want{Room: g.Room, Kind: wantAdd, Body: wire.Marshal(wantHandles{Handles: left}), Due: c.nowMS() + 60_000}); err != nil {
				return err
			}
		}
		if err := c.notice(tx, after, &g.Room, NoticeMoved, movedBecause(body.Reason)); err != nil {
			return err
		}
		delete(c.prepared, w.ID)
		*after = append(*after, func() { g.forget(); c.dropGen(g) })
		return nil
	})
}

// useAddresses puts the private addresses that members have told in a room in the place of
// the public ones, which strangers can crowd.
func (c *Client) useAddresses(id room.ID, some []newcomer) error {
	return c.read(func(tx store.Tx) error {
		told, err := tx.Addresses(id)
		if err != nil {
			return err
		}
		for i, n := range some {
			for _, a := range told {
				if a.Account == n.chain.ID() && a.Device == n.device.Name && a.Host == n.address.Host && a.Inbox == n.address.Inbox {
					some[i].address.Capability = a.Capability
				}
			}
		}
		return nil
	})
}
