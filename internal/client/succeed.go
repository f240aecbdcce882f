package client

import (
	"fmt"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// succeed ends the generation that a new one follows: it is read to the end that the move
// names, and what is not in it is sent again. next is the new generation's row.
func (c *Client) succeed(tx store.Tx, after *[]func(), row store.Invitation, r *store.Room, i room.Invitation, ctx room.Context, known room.Knowledge, next *store.Generation) (*gen, error) {
	old := c.gens[genKey{r.ID, r.Generation}]
	if i.Generation == r.Generation && old != nil && old.Log == i.At.Log { // let in again
		*after = append(*after, func() { c.giveUp(old.Generation) })
		return old, tx.Unseal(r.ID, 0, 0)
	}
	if err := c.samePeople(tx, after, row, old, r.Generation, i, ctx, known); err != nil {
		return nil, err
	}
	next.Orphan = old != nil && old.group != nil && (i.Generation == r.Generation && old.Orphan || i.Generation > r.Generation && !old.ctx.IsAdmin(row.Account))
	if err := tx.Unseal(r.ID, 0, 0); err != nil {
		return nil, err
	}
	for _, kind := range []uint8{wantMoveKind, wantRejoin, wantFarewell, wantReadd, wantAgain} {
		if err := tx.DropWantsOf(r.ID, kind); err != nil {
			return nil, err
		}
	}
	reason := ""
	if i.Move != nil {
		reason = i.Move.Reason
	}
	if err := c.notice(tx, after, &r.ID, NoticeMoved, movedBecause(reason)); err != nil {
		return nil, err
	}
	end := ending{rival: i.Generation == r.Generation, unknown: i.Generation > r.Generation}
	if ctx.Before != nil && old != nil && ctx.Before.Log == old.Log {
		end = ending{last: ctx.Before.Seq}
	}
	last := end.last
	if err := c.resend(tx, r.ID, r.Generation, end, known); err != nil {
		return nil, err
	}
	if old == nil || old.State == store.GenClosed {
		return nil, nil
	}
	over := last == 0 || last <= old.Seq && old.watching && old.caughtUp
	if i.Generation == r.Generation || old.State != store.GenLive || over {
		return old, c.closeRow(tx, after, old) // nothing is left to read there
	}
	return nil, old.end(tx, after, last)
}

// movedBecause says that a room moved, and why, if that is a reason that sotto knows: whoever
// moves a room may write what they like there.
func movedBecause(reason string) said.Said {
	if why := said.Reason(reason); why != "" {
		return said.Of("moved.why").Because(why)
	}
	return said.Of("moved")
}

// closeRow ends a generation; who was in it stays known, to judge a rival of the next by.
func (c *Client) closeRow(tx store.Tx, after *[]func(), g *gen) error {
	if err := tx.EraseGroup(g.Room, g.Number); err != nil {
		return err
	}
	row := g.Generation
	row.State, row.Since = store.GenClosed, c.nowMS()
	*after = append(*after, func() { c.giveUp(row) })
	return tx.PutGeneration(row)
}

// giveUp tells a host, if it can be reached, that this device needs its place no more.
func (c *Client) giveUp(g store.Generation) {
	if l := c.hosts[g.Host]; l != nil && l.up {
		ask(l, wire.OpDrop, wire.Drop{Secret: g.Secret}, func(wire.Done, error) {})
	}
}

// samePeople checks that a new generation holds nobody who was not in the room, and gives
// nobody more rights: its admins were admins, or are the one who made it when none of them
// is left. A device that lost its place and is let in again further on has nothing to judge
// by: it is told who is new. So it is for all when somebody who manages a group moves it:
// they may add people and name admins anyway, and who was removed, or made an admin, behind the
// end that they name was so for some and not for others.
func (c *Client) samePeople(tx store.Tx, after *[]func(), row store.Invitation, old *gen, from uint64, i room.Invitation, ctx room.Context, known room.Knowledge) error {
	had, err := tx.Known(i.Room, min(from, i.Generation-1))
	if err != nil {
		return err
	}
	lost := old == nil || old.group == nil || i.Move == nil && i.Generation > from
	free := !lost && old.ctx.Kind == room.Group && old.ctx.IsAdmin(row.Account)
	for _, q := range known.Proofs() {
		says := said.Of("newcomer", "name", known[q.Account].Handle(), "by", row.Handle)
		switch {
		case had[q.Account] != nil:
			continue
		case lost:
		case free:
			says = said.Of("newcomer.moved", "name", known[q.Account].Handle(), "by", row.Handle)
		default:
			return fmt.Errorf("%w: a move that brings in somebody new", room.ErrJunk)
		}
		if err := c.notice(tx, after, &i.Room, NoticeJoined, says); err != nil {
			return err
		}
	}
	if lost {
		return nil // the roles are gone with the group's state
	}
	if err := c.sameRoles(tx, after, row, old, i, ctx, known, free); err != nil {
		return err
	}
	if ctx.Kind != old.ctx.Kind {
		return fmt.Errorf("%w: a move that changes what the room is", room.ErrJunk)
	}
	return nil
}

// sameRoles checks who may manage a new generation; free: whoever moved it may decide that.
func (c *Client) sameRoles(tx store.Tx, after *[]func(), row store.Invitation, old *gen, i room.Invitation, ctx room.Context, known room.Knowledge, free bool) error {
	stays := false
	for id := range known {
		stays = stays || old.ctx.IsAdmin(id) && i.Generation > old.Number
	}
	for _, id := range ctx.Admins {
		switch {
		case old.ctx.IsAdmin(id) || !stays && id == row.Account:
		case !free:
			return fmt.Errorf("%w: a move that changes who may manage the room", room.ErrJunk)
		case known[id] != nil:
			says := said.Of(said.Act("admin.moved", false, id == c.chain.ID()), "name", known[id].Handle(), "by", row.Handle)
			if err := c.notice(tx, after, &i.Room, NoticeRenamed, says); err != nil {
				return err
			}
		}
	}
	return nil
}

// supersede takes a generation out of memory that another one follows.
func (g *gen) supersede(next store.Generation) {
	g.forget()
	g.c.dropGen(g)
}
