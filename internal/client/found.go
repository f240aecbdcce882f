package client

import (
	"fmt"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// made is a group that exists on this device only, with the devices it invites.
type made struct {
	ctx    room.Context
	group  *mls.Group
	known  room.Knowledge
	guests []guest
	create wire.Create
	secret wire.Secret // of our own cursor
	orphan bool
}

// makeGroup makes a group with everybody in it before its log exists: nobody else is in
// its first epochs, so they need no place in the log.
func (c *Client) makeGroup(ctx room.Context, guests []newcomer) (*made, error) {
	m := &made{ctx: ctx, known: room.Knowledge{c.chain.ID(): c.chain.Clone()}, secret: c.newSecret()}
	if _, err := room.ContextOf(ctx.Extensions()); err != nil {
		return nil, err
	}
	if len(guests) > wire.MaxAdds {
		return nil, wire.Refuse(wire.CodeTooLarge, "a room begins with at most %d devices; add the others afterwards", wire.MaxAdds)
	}
	groupID := make([]byte, 32)
	c.random(groupID)
	cfg := c.mlsConfig(c.o.Suite)
	group, err := mls.NewGroup(cfg, groupID, c.credential(), ctx.Extensions())
	if err != nil {
		return nil, err
	}
	m.group = group
	if len(guests) > 0 {
		var adds []mls.Proposal
		for _, n := range guests {
			adds = append(adds, mls.AddProposal(n.kp))
			m.known[n.chain.ID()] = n.chain
		}
		s, err := group.Commit(mls.CommitParams{Proposals: adds, ForcePath: true, OmitTree: true})
		if err != nil {
			return nil, err
		}
		m.guests = c.guests(guests, s.Welcomes())
		if err := group.Merge(s); err != nil {
			return nil, err
		}
	}
	token, err := room.Token(group, ctx.Log)
	if err != nil {
		return nil, err
	}
	m.create = wire.Create{Log: ctx.Log, Token: token.Hash(), TTL: ctx.TTL,
		Cursors: []wire.NewCursor{{Tag: ctx.Tag(c.keys.Device().Signature), Hash: m.secret.Hash()}}}
	for i, x := range m.guests {
		m.create.Cursors = append(m.create.Cursors, wire.NewCursor{Tag: ctx.Tag(guests[i].device.Signature), Hash: x.Cursor.Hash()})
	}
	return m, nil
}

// establish keeps a group that was made and has its log created. also runs in the same
// transaction.
func (c *Client) establish(m *made, move *room.Move, also func(tx store.Tx, after *[]func()) error) error {
	next := c.newSecret()
	g := store.Generation{
		Room: m.ctx.Room, Number: m.ctx.Generation, Host: m.ctx.Host, Log: m.ctx.Log, Secret: m.secret, Next: &next,
		Chain: wire.EmptyChain(m.ctx.Log), State: store.GenCreating, Since: c.nowMS(), Seen: c.nowMS(), Updated: c.nowMS(),
		Created: wire.Marshal(m.create), TTL: m.ctx.TTL, Suite: m.group.Suite(), Orphan: m.orphan,
	}
	err := c.update(func(tx store.Tx, after *[]func()) error {
		r, err := tx.Room(m.ctx.Room)
		if err != nil {
			return err
		}
		nr := store.Room{ID: m.ctx.Room, Kind: m.ctx.Kind, Title: m.ctx.Title, Peer: c.peerOf(m.ctx, m.known), Generation: m.ctx.Generation, State: store.RoomActive, Created: c.nowMS()}
		if r != nil {
			nr.Created, nr.Alias, nr.State = r.Created, r.Alias, r.State
			if nr.Peer == nil {
				nr.Peer = r.Peer
			}
		}
		if err := tx.PutRoom(nr); err != nil {
			return err
		}
		if err := c.selfRoomBegun(tx, after, nr); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx, after); err != nil {
				return err
			}
		}
		if err := c.install(tx, after, g, m.group, m.known); err != nil {
			return err
		}
		if err := c.sayJoined(tx, m.ctx.Room); err != nil {
			return err
		}
		if len(m.guests) > 0 {
			for _, x := range m.guests {
				if err := tx.AddJoin(store.Join{Room: g.Room, Generation: g.Number, Device: x.Device, Account: x.Account, Since: c.nowMS()}); err != nil {
					return err
				}
			}
			bundle := wire.Marshal(room.Bundle{Tree: m.group.RatchetTree(), Chains: m.known.Proofs()})
			w := wantInvite{Generation: g.Number, At: room.Place{Log: g.Log, Chain: g.Chain}, Guests: m.guests, Bundle: bundle, Move: move}
			if err := tx.AddWant(store.Want{Room: g.Room, Kind: wantInviteKind, Body: wire.Marshal(w), Due: c.nowMS()}); err != nil {
				return err
			}
		}
		*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: g.Room}) })
		wait := profileDelay
		if g.Number > 1 {
			wait = profileLate
		}
		if err := c.oweProfile(tx, after, g.Room, wait.Milliseconds()); err != nil {
			return err
		}
		return c.mergePair(tx, after, nr)
	})
	m.group.Erase()
	if err != nil {
		return err
	}
	c.addGen(g)
	c.createLogs()
	c.tellCapabilities()
	return nil
}

// createLogs has the logs made that the home server has not acknowledged yet.
func (c *Client) createLogs() {
	if c.account == nil || !c.account.link.up {
		return
	}
	for _, g := range c.sortedGens() {
		if g.State != store.GenCreating || g.asking {
			continue
		}
		if g.Host != c.self.Host {
			g.rehost()
			continue
		}
		var frame wire.Create
		if err := wire.Unmarshal(g.Created, &frame); err != nil {
			c.fail("reading a room to be made", err)
			continue
		}
		g.asking = true
		ask(c.account.link, wire.OpCreate, frame, func(log wire.Created, err error) {
			g.asking = false
			if err == nil && log.Chain != g.Chain {
				err = wire.Refuse(wire.CodeMalformed, "the home server made another log than asked for")
			}
			if err != nil {
				if refused(err) {
					c.fail("making a room", err)
					c.timer(fmt.Sprintf("create %d", g.ref), retryAfter(err), c.createLogs)
				}
				return
			}
			row := g.Generation
			row.State, row.Created = store.GenLive, nil
			if err := c.write(func(tx store.Tx) error { return tx.PutGeneration(row) }); err != nil {
				c.fail("keeping a room", err)
				c.timer(fmt.Sprintf("create %d", g.ref), minRetry, c.createLogs)
				return
			}
			g.Generation = row
			g.watch()
			c.goOn()
			c.pump()
		})
	}
}
