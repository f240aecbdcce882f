package client

import (
	"errors"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// askBack asks the members to let this device in again, and after a day moves the room
// itself.
func (c *Client) askBack(w store.Want) {
	var body wantGen
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		c.finish(w, err)
		return
	}
	g := c.gens[genKey{w.Room, body.Generation}]
	if g == nil || g.State != store.GenLost && g.State != store.GenWedged {
		c.finish(w, nil)
		return
	}
	if c.account == nil || !c.account.link.up {
		return
	}
	if g.State == store.GenLost && c.nowMS()-g.Since > rejoinWait.Milliseconds() && g.Context != nil {
		c.moveOn(w, g)
		return
	}
	p := c.prepared[w.ID]
	if p == nil || !p.ready {
		c.addresses(w, g)
		return
	}
	delete(c.prepared, w.ID)
	if err := c.useAddresses(w.Room, p.guests); err != nil {
		c.fail("reading addresses", err)
		return
	}
	err := c.update(func(tx store.Tx, _ *[]func()) error {
		kp, err := c.newPackage(tx, false)
		if err != nil {
			return err
		}
		if err := c.sayJoinedLater(tx, w.Room); err != nil {
			return err
		}
		secret, _, _, err := tx.Capability(w.Room)
		if err != nil {
			return err
		}
		ask := room.Rejoin{Room: w.Room, Generation: g.Number, Seq: g.Seq, Chain: g.Chain, KeyPackage: kp,
			Joined: room.Joined{Host: c.self.Host, Inbox: c.account.inbox, Capability: secret}}
		for _, n := range p.guests {
			if err := c.letter(tx, n.device.Name, n.device.Inbox, n.address, room.EnvelopeRejoin, wire.Marshal(ask)); err != nil {
				return err
			}
		}
		w.Tries++
		w.Due = c.nowMS() + min(int64(30_000)<<min(w.Tries-1, 12), 3_600_000)
		return tx.SetWant(w)
	})
	if err != nil {
		c.fail("asking to be let in again", err)
		c.putOff(w)
		return
	}
	c.tellCapabilities()
	c.pump()
}

// shutOut is a commit by a member whose path does not open on this device. Others may
// have followed it, and then this device is alone: it asks to be let in again. If nobody
// could follow it, nobody can let it in, and the room moves without its author, as from
// any other commit that is no good.
func (g *gen) shutOut(tx store.Tx, after *[]func(), leaf uint32) error {
	var culprits []room.Owner
	says := said.Of("shut-out.unknown")
	if l, err := g.known.LeafOf(leaf, g.group.Member(leaf)); err == nil {
		culprits, says = append(culprits, l.Owner()), said.Of("shut-out", "name", g.c.nameOf(tx, g.known, l))
	}
	if err := g.c.notice(tx, after, &g.Room, NoticeJunk, says); err != nil {
		return err
	}
	if err := g.wedge(tx, after, culprits, said.Of("why.follow")); err != nil {
		return err
	}
	wants, err := tx.Wants(g.Room)
	if err != nil {
		return err
	}
	wait := rejoinWait // as for any other device that asks: nobody follows it away from a room that goes on
	if g.ctx.IsAdmin(g.c.chain.ID()) {
		wait = replacedWait
	}
	for _, w := range wants {
		if w.Kind == wantMoveKind {
			w.Due += wait.Milliseconds()
			if err := tx.SetWant(w); err != nil {
				return err
			}
		}
	}
	if err := tx.AddWant(store.Want{Room: g.Room, Kind: wantRejoin, Body: wire.Marshal(wantGen{Generation: g.Number}), Due: g.c.nowMS()}); err != nil {
		return err
	}
	return errWedged
}

// moveOn turns the wish to be let in again into the making of the next generation.
func (c *Client) moveOn(w store.Want, g *gen) {
	delete(c.prepared, w.ID)
	err := c.write(func(tx store.Tx) error {
		if err := tx.DropWant(w.ID); err != nil {
			return err
		}
		body := wantMove{Generation: g.Number, Reason: said.Of("why.alone").Text()}
		return tx.AddWant(store.Want{Room: w.Room, Kind: wantMoveKind, Body: wire.Marshal(body), Due: c.nowMS()})
	})
	if err != nil {
		c.fail("moving a room", err)
	}
	c.pump()
}

// sayJoinedLater makes sure that the room has a capability of our inbox.
func (c *Client) sayJoinedLater(tx store.Tx, id room.ID) error {
	if _, _, ok, err := tx.Capability(id); err != nil || ok {
		return err
	}
	return tx.PutCapability(id, c.newSecret(), false)
}

// addresses finds out where the other members' devices take letters.
func (c *Client) addresses(w store.Want, g *gen) {
	p := &preparation{busy: true}
	c.prepared[w.ID] = p
	var people []*identity.Chain
	err := c.read(func(tx store.Tx) error {
		known, err := tx.Known(g.Room, g.Number)
		for _, q := range known.Proofs() {
			people = append(people, known[q.Account])
		}
		return err
	})
	if err != nil {
		c.fail("reading a room's members", err)
	}
	var next func(i int)
	next = func(i int) {
		if i == len(people) {
			p.busy, p.ready = false, true
			c.pump()
			return
		}
		c.lookup(c.whereIs(people[i]), func(f *found, err error) {
			if err == nil && f.chain.ID() == people[i].ID() {
				for _, d := range f.chain.ActiveDevices() {
					if in, ok := f.inboxes[d.Name]; ok && d.Name != c.keys.Name {
						p.guests = append(p.guests, newcomer{chain: f.chain, device: d, address: room.Joined{Host: f.host, Inbox: in.Inbox, Capability: in.Capability}})
					}
				}
			} else if err != nil && !errors.Is(err, ErrUnreachable) {
				c.log.Info("looking up a member", "error", err)
			}
			next(i + 1)
		})
	}
	next(0)
}

// askedBack takes the request of a device that lost its place.
func (c *Client) askedBack(tx store.Tx, chain *identity.Chain, device wire.DeviceName, r room.Rejoin) error {
	x, err := tx.Room(r.Room)
	if err != nil || x == nil || r.Generation > x.Generation {
		return err
	}
	g := c.gens[genKey{r.Room, x.Generation}] // the room may have moved on without that device
	if g == nil || g.group == nil {
		return nil
	}
	leaf := g.leafOf(room.Owner{Account: chain.ID(), Device: device})
	if leaf == nil {
		return fmt.Errorf("%w: a request of somebody who is not in the room", room.ErrJunk)
	}
	kp, err := mls.ParseKeyPackage(r.KeyPackage)
	if err != nil {
		return fmt.Errorf("%w: %w", room.ErrJunk, err)
	}
	if err := kp.Validate(c.now()); err != nil || kp.Suite != g.group.Suite() {
		return fmt.Errorf("%w: a request with a key that is not valid", room.ErrJunk)
	}
	// A device's inbox is at its home server: a member cannot have others contact a host of
	// its choice.
	if h, err := wire.ParseHandle(chain.Handle()); err != nil || h.Host != r.Joined.Host {
		return fmt.Errorf("%w: a request to answer elsewhere than at home", room.ErrJunk)
	}
	body := wantReaddBody{Generation: g.Number, Account: chain.ID(), Device: device, KeyPackage: r.KeyPackage, Address: r.Joined, Leaf: g.group.Member(leaf.Index).EncryptionKey}
	due := c.nowMS() + g.rank(append([]byte("rejoin"), device[:]...))
	wants, err := tx.Wants(r.Room)
	if err != nil {
		return err
	}
	for _, w := range wants { // a newer request takes the place of an older one
		var b wantReaddBody
		if w.Kind == wantReadd && wire.Unmarshal(w.Body, &b) == nil && b.Device == device && b.Account == chain.ID() {
			if err := tx.DropWant(w.ID); err != nil {
				return err
			}
		}
	}
	return tx.AddWant(store.Want{Room: r.Room, Kind: wantReadd, Body: wire.Marshal(body), Due: due})
}
