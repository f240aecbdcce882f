package client

import (
	"context"
	"strings"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// MoveRoom moves a conversation to another server, and answers when it has. Only who manages
// it may, in one of two both; and only to their own home server, since a log is opened there by
// somebody who lives there. host "" is that one.
func (c *Client) MoveRoom(ctx context.Context, to, host string) (err error) {
	if host != "" {
		if host, err = wire.ParseHost(strings.TrimSpace(host)); err != nil {
			return err
		}
	}
	var id room.ID
	c.on(func() { id, err = c.resolve(to) })
	if err != nil {
		return err
	}
	return c.want(ctx, to, wantMoveKind, func(tx store.Tx) (any, error) {
		g, err := c.current(tx, id)
		switch {
		case err != nil:
			return nil, err
		case g == nil || g.group == nil:
			return nil, ErrNotMember
		case host != "" && host != c.self.Host:
			return nil, g.notThere(tx, host)
		case g.Host == c.self.Host:
			return nil, wire.Refuse(wire.CodeMalformed, "this conversation is at %s already", g.Host)
		case !g.ctx.IsAdmin(c.chain.ID()):
			return nil, &Undone{said.Of("failed.forbidden")}
		}
		return wantMove{Generation: g.Number, Reason: said.Of("why.hand").Text(), Whole: forGood, Asked: true}, nil
	})
}

// notThere says why this person cannot move a room to a host, and who can.
func (g *gen) notThere(tx store.Tx, host string) error {
	var who []string
	for _, id := range g.accounts() {
		h, err := wire.ParseHandle(g.known[id].Handle())
		if err == nil && h.Host == host && g.ctx.IsAdmin(id) {
			who = append(who, g.c.called(tx, id, h.String()))
		}
	}
	if len(who) == 0 {
		return wire.Refuse(wire.CodeMalformed, "a conversation moves to the home server of somebody who manages it, and nobody who does lives at %s", host)
	}
	return wire.Refuse(wire.CodeMalformed, "only somebody who lives at %s opens a conversation there: ask %s", host, strings.Join(who, ", "))
}

// mayGo says whether a room that goes on can be moved from here now; an error: it cannot at all.
func (g *gen) mayGo() (bool, error) {
	switch {
	case g.Host == g.c.self.Host:
		return false, wire.Refuse(wire.CodeMalformed, "this conversation is at %s already", g.Host)
	case g.group != nil && !g.ctx.IsAdmin(g.c.chain.ID()):
		return false, room.ErrForbidden
	}
	return g.open() && g.staged == nil && len(g.appending) == 0, nil
}

// epoch is the group's, 0 where it is lost.
func (g *gen) epoch() uint64 {
	if g.group == nil {
		return 0
	}
	return g.group.Epoch()
}

// notWhole is a move of a room that goes on, and of which somebody's home cannot be reached: it
// is not done for as long as it need not be.
func (c *Client) notWhole(w store.Want, body wantMove, p *preparation) {
	if body.Asked {
		c.finish(w, wire.Refuse(wire.CodeNoHandle, "the home server of %s cannot be reached now, so nothing was moved: try again later", strings.Join(p.late, ", ")))
		return
	}
	p.ready = false // what was fetched for the others is kept
	c.putOff(w)
}
