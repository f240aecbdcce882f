package client

import (
	"cmp"
	"errors"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// hasMoved says whether this account began at another handle than the one it has.
func (c *Client) hasMoved() bool {
	for _, s := range c.chain.Record(0) {
		if s.Kind == identity.Move {
			return true
		}
	}
	return false
}

// moveHome makes the server that a longer chain of this account names the home server of this
// device, in the transaction that keeps the chain: it gets an inbox there, its rooms are told
// of both, and what is left at the old server is still read.
func (c *Client) moveHome(tx store.Tx, after *[]func(), own *identity.Chain) error {
	h, err := wire.ParseHandle(own.Handle())
	if err != nil {
		return err
	}
	homes, err := leftHomes(tx)
	if err != nil {
		return err
	}
	old, err := c.presentHome(tx)
	if err != nil {
		return err
	}
	next := leftHome{Handle: h.String()}
	rest := []leftHome{old}
	for _, x := range homes {
		if x.Handle == next.Handle {
			next = x // back to where something of it may still be
		} else if len(rest) < mostLeft {
			rest = append(rest, x)
		}
	}
	if next.Inbox == (wire.InboxName{}) {
		c.random(next.Inbox[:])
		next.Public = c.newSecret()
	}
	if err := putHome(tx, next, rest); err != nil {
		return err
	}
	if err := cmp.Or(c.leaveBackup(tx), c.tellMove(tx, next, own)); err != nil {
		return err
	}
	begun := c.going
	says := said.Of("own.moved", "handle", next.Handle)
	if begun != nil && begun.To == next.Handle {
		says = said.Of("own.moved.here", "handle", next.Handle)
		if begun.Rooms {
			if err := c.bringRooms(tx, c.self.Host); err != nil {
				return err
			}
		}
	}
	if err := tx.DropFacts(factGoing); err != nil {
		return err
	}
	*after = append(*after, func() { c.self, c.recorded, c.going, c.begun = h, 0, nil, begun })
	return c.notice(tx, after, nil, NoticeDevice, says)
}

// presentHome is what this device has at its home server.
func (c *Client) presentHome(tx store.Tx) (h leftHome, err error) {
	h = leftHome{Handle: c.self.String(), Until: c.nowMS() + letterTime}
	inbox, _, err := tx.Fact(factInbox)
	if err != nil {
		return h, err
	}
	public, _, err := tx.Fact(factPublic)
	if err != nil {
		return h, err
	}
	copy(h.Inbox[:], inbox)
	copy(h.Public[:], public)
	h.After, err = tx.FactUint(factAfter)
	return h, err
}

// putHome writes down where this device lives, and where it has lived.
func putHome(tx store.Tx, h leftHome, rest []leftHome) error {
	for _, f := range []struct {
		name  string
		value []byte
	}{{factHandle, []byte(h.Handle)}, {factInbox, h.Inbox[:]}, {factPublic, h.Public[:]}, {factLeft, wire.Marshal(rest)}} {
		if err := tx.SetFact(f.name, f.value); err != nil {
			return err
		}
	}
	if err := tx.SetFactUint(factAfter, h.After); err != nil {
		return err
	}
	if err := tx.DropFacts(factRecorded, factRecordedAt, factFresh, factPrivate); err != nil {
		return err
	}
	return tx.Untell()
}

// tellMove has every room told where this device takes letters from now on, and, unless another
// device of the account was faster, of the statement that moved it. What a device that was
// linked lately brought along leads to the old server, and is good for nothing now.
func (c *Client) tellMove(tx store.Tx, h leftHome, own *identity.Chain) error {
	for _, d := range own.ActiveDevices() {
		if err := tx.DropFacts(factArrival + string(d.Name[:])); err != nil {
			return err
		}
	}
	at, err := wire.ParseHandle(h.Handle)
	if err != nil {
		return err
	}
	rooms, err := tx.Rooms()
	for _, r := range rooms {
		if r.State != store.RoomActive {
			continue
		}
		if err := c.sayInbox(tx, r.ID, at.Host, h.Inbox); err != nil {
			return err
		}
		wait := int64(0)
		if c.going == nil {
			wait = newsWait.Milliseconds()
			if g, err := c.current(tx, r.ID); err != nil {
				return err
			} else if g != nil {
				wait += g.rank([]byte("news"))
			}
		}
		if err := c.oweNews(tx, r.ID, wait); err != nil {
			return err
		}
	}
	return err
}

// oweNews has a room told, in a while, where this account lives.
func (c *Client) oweNews(tx store.Tx, id room.ID, wait int64) error {
	if err := tx.DropWantsOf(id, wantNewsKind); err != nil {
		return err
	}
	return tx.AddWant(store.Want{Room: id, Kind: wantNewsKind, Body: wire.Marshal(wantGen{}), Due: c.nowMS() + wait})
}

// planNews shows the room what this account's chain has since: a commit of our own leaf.
func (g *gen) planNews(p *plan) error {
	known := g.known[g.c.chain.ID()]
	if known == nil {
		return errDone
	}
	p.prove(g, g.c.chain)
	if len(p.proofs) == 0 { // another device did it, or the group holds another chain
		return errDone
	}
	p.path, p.leaf = true, true
	return nil
}

// bringMissing brings devices of this account into a generation that were in the one before it
// and are not in this one: they had published nothing yet where the account lives now.
func (c *Client) bringMissing(tx store.Tx, old *gen, group *mls.Group, known room.Knowledge) error {
	if old == nil || old.group == nil {
		return nil
	}
	in := map[wire.DeviceName]bool{}
	for i, n := range group.Members() {
		if l, err := known.LeafOf(i, n); err == nil && l.Account == c.chain.ID() {
			in[l.Device] = true
		}
	}
	for _, d := range c.chain.ActiveDevices() {
		if in[d.Name] || d.Name == c.keys.Name || old.leafOf(room.Owner{Account: c.chain.ID(), Device: d.Name}) == nil {
			continue
		}
		if err := c.bringInto(tx, old.Room, d.Name); err != nil {
			return err
		}
	}
	return nil
}

// bringRooms has the conversations at the old server moved along, those that this person may
// move, one after the other.
func (c *Client) bringRooms(tx store.Tx, host string) error {
	due := c.nowMS() + alongWait.Milliseconds()
	for _, g := range c.sortedGens() {
		if g.Host != host || g.group == nil || !g.ctx.IsAdmin(c.chain.ID()) || !c.isCurrentIn(tx, g) {
			continue
		}
		w := wantMove{Generation: g.Number, Reason: said.Of("why.home").Text(), Whole: forGood}
		if err := tx.AddWant(store.Want{Room: g.Room, Kind: wantMoveKind, Body: wire.Marshal(w), Due: due}); err != nil {
			return err
		}
		due += alongEvery.Milliseconds()
	}
	return nil
}

// atHome connects to the home server that a move has made it.
func (c *Client) atHome() {
	if c.account != nil {
		c.registered(ErrElsewhere)
		c.account.link.fall(ErrElsewhere) // whoever waits for an answer is told
		c.account.link.close()
		c.account = nil
	}
	c.there = map[wire.DeviceName]bool{}
	begun := c.begun
	c.begun = nil
	c.closeLeft()
	c.openAccount()
	c.openLeft()
	c.arrivedFrom(begun)
	c.emit(Event{Kind: EventHome, Text: c.self.String()})
}

// enterHome brings the account to the home server that its chain names: whichever of its
// devices comes first.
func (c *Client) enterHome(then func()) {
	a := c.account
	ask(a.link, wire.OpEnter, wire.Enter{Signed: c.chain.Statements(0)}, func(_ wire.Done, err error) {
		if err == nil {
			a.enter = false
			then()
			return
		}
		if refused(err) {
			c.fail("moving to "+a.handle.Host, err)
		}
		a.link.fall(err)
	})
}

// rehost makes a room elsewhere whose log was to be made at a server that this device has left:
// nobody was invited to it yet.
func (g *gen) rehost() {
	err := g.c.update(func(tx store.Tx, _ *[]func()) error {
		if err := g.halt(tx); err != nil {
			return err
		}
		if err := tx.DropWantsOf(g.Room, wantInviteKind); err != nil {
			return err
		}
		w := wantMove{Generation: g.Number, Reason: said.Of("why.home").Text()}
		return tx.AddWant(store.Want{Room: g.Room, Kind: wantMoveKind, Body: wire.Marshal(w), Due: g.c.nowMS()})
	})
	if err != nil {
		g.trip(err)
	}
}

// whereIs is the handle of somebody of whom a room knows a chain: where they have moved since, if
// this device knows that.
func (c *Client) whereIs(chain *identity.Chain) string {
	if longer, err := c.chainOf(chain.ID()); err == nil && longer != nil && longer.Len() > chain.Len() {
		return longer.Handle()
	}
	return chain.Handle()
}

var errNoWay = errors.New("its server leads from handle to handle")

// follow goes on with a lookup whose answer says that the account has moved: to the handle that
// it names, if that is the same account.
func (c *Client) follow(h wire.Handle, f *found, hops int, done func(*found, error)) {
	if hops >= mostHops {
		done(nil, wire.Refuse(wire.CodeBadChain, "%s: %v", h, errNoWay))
		return
	}
	c.look(f.chain.Handle(), hops+1, func(next *found, err error) {
		if err == nil && next.chain.ID() != f.chain.ID() {
			err = c.update(func(tx store.Tx, after *[]func()) error {
				return c.notice(tx, after, nil, NoticeIdentity, said.Of("identity.moved", "name", h.String(), "handle", f.chain.Handle()))
			})
			err = errors.Join(wire.Refuse(wire.CodeBadChain, "%s has moved to %s, where the server names another account", h, f.chain.Handle()), err)
		}
		done(next, err)
	})
}

// mayFollow says whether a server may answer for a handle with an account that has moved on.
func mayFollow(h wire.Handle, chain *identity.Chain) bool {
	at, err := wire.ParseHandle(chain.Handle())
	return err == nil && at.Host != h.Host && chain.Lived(h.String())
}
