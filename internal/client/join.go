package client

import (
	"encoding/hex"
	"errors"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// pumpInvitations enters the rooms whose invitations are accepted, and those held whose
// time has come.
func (c *Client) pumpInvitations() {
	var some []store.Invitation
	err := c.read(func(tx store.Tx) error {
		for _, s := range []store.InvitationState{store.Accepted, store.Held} {
			list, err := tx.Invitations(s)
			if err != nil {
				return err
			}
			some = append(some, list...)
		}
		return nil
	})
	if err != nil {
		c.fail("reading invitations", err)
		return
	}
	for _, row := range some {
		if p := c.entering[row.ID]; p {
			continue
		}
		c.consider(row)
	}
}

// consider enters a room, unless the invitation's sender is not entitled to it (yet).
func (c *Client) consider(row store.Invitation) {
	i, err := room.ParseInvitation(row.Body)
	if err != nil {
		c.refuse(row, err)
		return
	}
	if row.State == store.Held {
		ok, err := c.entitled(row, i)
		if !ok && err != nil {
			c.refuse(row, err)
			return
		}
		if !ok {
			c.appealed(row, i)
			return // looked at again every minute
		}
	}
	c.entering[row.ID] = true
	if i.Bundle != nil {
		b, err := room.ParseBundle(i.Bundle)
		c.enter(row, i, b, err)
		return
	}
	r := Request{Host: i.Blob.Host, Method: "GET", Path: "/v1/blobs/" + hex.EncodeToString(i.Blob.Blob[:])}
	c.fetch(r, func(b []byte, err error) {
		if err != nil && !errors.Is(err, wire.Refuse(wire.CodeNoBlob, "")) {
			c.enterLater(row)
			return
		}
		var bundle room.Bundle
		if err == nil {
			bundle, err = room.OpenBundle(*i.Blob, b)
		}
		c.enter(row, i, bundle, err)
	})
}

// enterLater looks at an invitation again in a while: what is missing may come.
func (c *Client) enterLater(row store.Invitation) {
	c.entering[row.ID] = true
	c.timer(fmt.Sprintf("enter %d", row.ID), maxRetry, func() { delete(c.entering, row.ID); c.pump() })
}

// refuse drops an invitation that cannot be followed. Where a room that this device is in moved
// to rules that it does not know, it goes on in the old place with all who cannot follow either;
// those who could invite it again each day, and it follows once it is updated.
func (c *Client) refuse(row store.Invitation, why error) {
	delete(c.entering, row.ID)
	err := c.update(func(tx store.Tx, after *[]func()) error {
		if row.State == store.Held && errors.Is(why, room.ErrRules) {
			if err := c.notice(tx, after, &row.Room, NoticeUpdate, said.Of("update", "by", row.Handle)); err != nil {
				return err
			}
		}
		if row.State == store.Accepted {
			if err := c.notice(tx, after, nil, NoticeFailed, said.Of("failed.join", "name", row.Handle, "why", why.Error()).Because(codeOf(why))); err != nil {
				return err
			}
		}
		return tx.DropInvitation(row.ID)
	})
	if err != nil {
		c.fail("dropping an invitation", err)
	}
	c.log.Info("an invitation was not followed", "why", why)
}

// enter joins the group that an invitation leads to.
func (c *Client) enter(row store.Invitation, i room.Invitation, b room.Bundle, err error) {
	delete(c.entering, row.ID)
	if err != nil {
		c.refuse(row, err)
		return
	}
	known, err := room.Knowledge{}.Extend(b.Chains)
	if err != nil {
		c.refuse(row, err)
		return
	}
	kp, err := c.packageFor(i.Welcome)
	if err != nil && !errors.Is(err, room.ErrJunk) {
		c.fail("reading a key package", err)
		c.enterLater(row)
		return
	}
	var group *mls.Group
	if err == nil {
		group, err = c.joinGroup(i, b, kp)
	} else if c.missed(row, i) {
		return
	}
	if err != nil {
		c.refuse(row, err)
		return
	}
	ctx, err := c.checkGroup(row, i, group, known)
	if err != nil {
		group.Erase()
		c.refuse(row, err)
		return
	}
	if err := c.settleIn(row, i, group, kp, ctx, known); err != nil {
		group.Erase()
		if errors.Is(err, room.ErrJunk) {
			c.refuse(row, err)
			return
		}
		c.fail("entering a room", err)
		c.enterLater(row)
		return
	}
	c.pump()
}

// missed is an invitation to where a room of ours has moved, by somebody entitled to it, made
// for a key that is no more: a home server that went back gives keys out twice. The device
// asks to be let in with a new one.
func (c *Client) missed(row store.Invitation, i room.Invitation) bool {
	if row.State != store.Held {
		return false
	}
	var r *store.Room
	if err := c.read(func(tx store.Tx) (err error) { r, err = tx.Room(row.Room); return err }); err != nil || r == nil || i.Generation <= r.Generation {
		return false
	}
	g := c.gens[genKey{r.ID, r.Generation}]
	if g == nil || g.group == nil {
		return false // it asks already
	}
	if err := c.write(func(tx store.Tx) error { return tx.DropInvitation(row.ID) }); err != nil {
		c.fail("dropping an invitation", err)
		return false
	}
	g.c.told(g, NoticeFork, said.Of("fault.key"))
	g.lose("invited with a key that was used")
	return true
}

// packageFor finds the key package that a Welcome was made for.
func (c *Client) packageFor(welcome []byte) (*store.KeyPackage, error) {
	refs, err := mls.WelcomeRefs(welcome)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", room.ErrJunk, err)
	}
	var kp *store.KeyPackage
	err = c.read(func(tx store.Tx) (err error) {
		for _, ref := range refs {
			if len(ref) == 32 && kp == nil && err == nil {
				kp, err = tx.KeyPackage(wire.Hash(ref))
			}
		}
		return err
	})
	if err == nil && kp == nil {
		err = fmt.Errorf("%w: made for a key that this device has used or does not know", room.ErrJunk)
	}
	return kp, err
}

// joinGroup opens the Welcome.
func (c *Client) joinGroup(i room.Invitation, b room.Bundle, kp *store.KeyPackage) (*mls.Group, error) {
	secrets, err := mls.ParseKeyPackageSecrets(kp.Secrets)
	if err != nil {
		return nil, err
	}
	defer secrets.Erase()
	return mls.JoinGroup(c.mlsConfig(secrets.Public.Suite), i.Welcome, secrets, b.Tree)
}

// checkGroup holds the group against the invitation, and every leaf against its chain.
func (c *Client) checkGroup(row store.Invitation, i room.Invitation, group *mls.Group, known room.Knowledge) (room.Context, error) {
	ctx, err := room.Welcome(group, known, room.Owner{Account: row.Account, Device: row.Device})
	if err != nil {
		return ctx, err
	}
	if ctx.Room != i.Room || ctx.Generation != i.Generation || ctx.Kind != i.Kind || ctx.Host != i.Host || ctx.Log != i.At.Log {
		return ctx, fmt.Errorf("%w: the room is another one than the invitation's", room.ErrJunk)
	}
	return ctx, nil
}

// settleIn makes the room this device's own: everything in one transaction, the key that
// opened it erased.
func (c *Client) settleIn(row store.Invitation, i room.Invitation, group *mls.Group, kp *store.KeyPackage, ctx room.Context, known room.Knowledge) error {
	next := c.newSecret()
	g := store.Generation{
		Room: i.Room, Number: i.Generation, Host: i.Host, Log: i.At.Log, Secret: i.Cursor, Next: &next,
		Seq: i.At.Seq, Chain: i.At.Chain, State: store.GenLive, Since: c.nowMS(), Seen: c.nowMS(), Updated: c.nowMS(), TTL: ctx.TTL, Suite: group.Suite(),
	}
	if kp.LastResort { // its keys stand in other rooms too: it has a leaf of its own before long
		g.Updated = 0
	}
	if i.At.Seq == 0 {
		g.Chain = wire.EmptyChain(i.At.Log)
	}
	var old *gen
	err := c.update(func(tx store.Tx, after *[]func()) error {
		r, err := tx.Room(i.Room)
		if err != nil {
			return err
		}
		if r != nil && r.Live() {
			before := c.gens[genKey{r.ID, r.Generation}]
			if old, err = c.succeed(tx, after, row, r, i, ctx, known, &g); err != nil {
				return err
			}
			if err := c.bringMissing(tx, before, group, known); err != nil {
				return err
			}
		}
		nr := store.Room{ID: i.Room, Kind: i.Kind, Title: ctx.Title, Peer: c.peerOf(ctx, known), Generation: i.Generation, State: store.RoomActive, Created: c.nowMS()}
		if r != nil {
			nr.Created, nr.Alias = r.Created, r.Alias
			if r.State == store.RoomMerged {
				nr.State = r.State
			}
		}
		if err := tx.PutRoom(nr); err != nil {
			return err
		}
		if err := c.selfRoomBegun(tx, after, nr); err != nil {
			return err
		}
		if err := c.install(tx, after, g, group, known); err != nil {
			return err
		}
		if !kp.LastResort {
			if err := tx.DropKeyPackage(kp.Ref); err != nil {
				return err
			}
		}
		if err := c.sayJoined(tx, i.Room); err != nil {
			return err
		}
		if err := tx.DropInvitation(row.ID); err != nil {
			return err
		}
		*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: i.Room}) })
		wait := profileDelay
		if r != nil && r.Live() {
			wait = profileLate
		}
		if err := c.oweProfile(tx, after, i.Room, wait.Milliseconds()); err != nil {
			return err
		}
		return c.mergePair(tx, after, nr)
	})
	if err != nil {
		return err
	}
	if old != nil {
		old.supersede(g)
	}
	group.Erase() // addGen reads it from the store, so that there is one way to make one
	c.addGen(g)
	c.tellCapabilities()
	c.replenish()
	return nil
}

// install keeps a group with what it knows.
func (c *Client) install(tx store.Tx, after *[]func(), g store.Generation, group *mls.Group, known room.Knowledge) error {
	if err := tx.EraseGeneration(g.Room, g.Number); err != nil {
		return err
	}
	if err := tx.PutGeneration(g); err != nil {
		return err
	}
	if err := tx.Flush(group, g.Room, g.Number); err != nil {
		return err
	}
	if err := tx.PutKnown(g.Room, g.Number, nil, known); err != nil {
		return err
	}
	for _, chain := range sortedChains(known) {
		if err := c.keepPerson(tx, after, chain); err != nil {
			return err
		}
	}
	if own := known[c.chain.ID()]; own != nil && own.Len() < c.chain.Len() && own.Handle() != c.chain.Handle() {
		return c.oweNews(tx, g.Room, newsWait.Milliseconds()) // it was told where the room was before, or not yet
	}
	return nil
}

// peerOf is a pair's other account.
func (c *Client) peerOf(ctx room.Context, known room.Knowledge) *identity.ID {
	if ctx.Kind != room.Pair {
		return nil
	}
	for _, p := range known.Proofs() {
		if p.Account != c.chain.ID() {
			return &p.Account
		}
	}
	return nil
}

// sayJoined puts a device's first act in a room into its outbox: where it takes private
// invitations.
func (c *Client) sayJoined(tx store.Tx, id room.ID) error {
	return c.sayInbox(tx, id, c.self.Host, c.account.inbox)
}

// sayInbox is sayJoined for an inbox at a host.
func (c *Client) sayInbox(tx store.Tx, id room.ID, host string, inbox wire.InboxName) error {
	secret, _, ok, err := tx.Capability(id)
	if err != nil {
		return err
	}
	if !ok {
		secret = c.newSecret()
		if err := tx.PutCapability(id, secret, false); err != nil {
			return err
		}
	}
	body := room.Joined{Host: host, Inbox: inbox, Capability: secret}
	_, err = tx.Enqueue(store.Outgoing{Room: id, Kind: room.PayloadJoined, Body: wire.Marshal(body)})
	return err
}

// replenish publishes new key packages after some were used.
func (c *Client) replenish() {
	if c.account == nil || !c.account.link.up {
		return
	}
	ask(c.account.link, wire.OpCount, wire.Done{}, func(n wire.KeyPackageCount, err error) {
		if err == nil {
			c.publish(n)
		}
	})
}
