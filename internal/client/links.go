package client

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Limits of links to rooms.
const (
	maxLinkTime   = 30 * 24 * time.Hour
	roomLinks     = 32  // links of a room at once
	linkUses      = 500 // people who may come in by one link
	knocksWaiting = 100 // at a room; who comes then is passed over
	letInHourly   = 30  // without anybody's word, at a room; who comes then waits
	linkTries     = 12  // to reach the server of somebody who came by a link, over about two hours
	knockKept     = 30 * 24 * time.Hour
	knockWait     = 15 * time.Second // for the room behind a link that needs nobody's word
)

// RoomLink is an invitation link to a room that this device made. Other devices of the same
// account do not know it: knocks are answered where it was made.
type RoomLink struct {
	store.RoomLink
	Link wire.Link
}

// KnockInfo is somebody who came by a link and waits for somebody's word.
type KnockInfo struct {
	ID      int64
	Account identity.ID
	Handle  string // as their chain says; it is looked up before they are let in
	Name    string // that they show: their claim
	Time    int64
}

// NewRoomLink makes a link by which people can come into a room until a time; approve: after
// an admin has said yes.
func (c *Client) NewRoomLink(ctx context.Context, id room.ID, until time.Time, approve bool) (out RoomLink, err error) {
	err = c.wait(ctx, func(done func(error)) {
		now := c.now()
		if !until.After(now) || until.After(now.Add(maxLinkTime)) {
			done(wire.Refuse(wire.CodeMalformed, "a link lasts at most 30 days"))
			return
		}
		done(c.write(func(tx store.Tx) error {
			if err := c.mayInvite(tx, id); err != nil {
				return err
			}
			links, err := tx.RoomLinks(id)
			if err != nil {
				return err
			}
			if len(links) >= roomLinks {
				return wire.Refuse(wire.CodeTooLarge, "this room has %d links: drop one first", len(links))
			}
			l := store.RoomLink{Room: id, Secret: c.newSecret(), Until: until.UnixMilli(), Approve: approve, Created: c.nowMS()}
			c.random(l.ID[:])
			if err := tx.AddRoomLink(l); err != nil {
				return err
			}
			out, err = c.asLink(tx, l)
			return err
		}))
	})
	return out, err
}

// mayInvite says whether this person lets people into a group.
func (c *Client) mayInvite(tx store.Tx, id room.ID) error {
	r, err := tx.Room(id)
	switch {
	case err != nil:
		return err
	case r == nil:
		return ErrNoRoom
	case r.State != store.RoomActive:
		return ErrNotMember
	case r.Kind != room.Group:
		return wire.Refuse(wire.CodeMalformed, "only groups have links")
	}
	g := c.gens[genKey{id, r.Generation}]
	if g == nil || g.group == nil || !g.ctx.IsAdmin(c.chain.ID()) {
		return wire.Refuse(wire.CodeMalformed, "only people who manage this room may do that")
	}
	return nil
}

func (c *Client) asLink(tx store.Tx, l store.RoomLink) (RoomLink, error) {
	r, err := tx.Room(l.Room)
	if err != nil || r == nil {
		return RoomLink{}, err
	}
	name, err := c.ownName(tx)
	if err != nil {
		return RoomLink{}, err
	}
	pin, err := c.pinOf(tx, c.self.Host)
	return RoomLink{RoomLink: l, Link: wire.Link{
		Kind: wire.LinkRoom, Host: c.self.Host, Handle: c.self.String(), Account: wire.Hash(c.chain.ID()), Name: wire.LinkText(name), Pin: pin,
		Title: wire.LinkText(r.Title), ID: l.ID, Secret: l.Secret, Until: uint64(l.Until), Approve: l.Approve,
	}}, err
}

// ownName is the name that this person shows, "" for none.
func (c *Client) ownName(tx store.Tx) (string, error) {
	p, err := tx.Profile(c.chain.ID())
	if err != nil || p == nil {
		return "", err
	}
	return p.Name, nil
}

// RoomLinks are a room's links that this device made and that are not over, newest first.
func (c *Client) RoomLinks(id room.ID) (out []RoomLink, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			list, err := tx.RoomLinks(id)
			for _, l := range list {
				if l.Until <= c.nowMS() {
					continue
				}
				x, err := c.asLink(tx, l)
				if err != nil {
					return err
				}
				out = append(out, x)
			}
			return err
		})
	})
	return out, err
}

// DropRoomLink ends a link. Who waits goes on waiting for an answer.
func (c *Client) DropRoomLink(ctx context.Context, id room.ID, link room.LinkID) error {
	return c.wait(ctx, func(done func(error)) {
		done(c.write(func(tx store.Tx) error { return tx.DropRoomLink(id, link) }))
	})
}

// knocked takes a knock. Who has no good link, or none that is still good, gets no answer and
// nothing happens.
func (c *Client) knocked(tx store.Tx, after *[]func(), chain *identity.Chain, k room.Knock) error {
	l, err := tx.RoomLink(k.Link)
	if err != nil || l == nil {
		return err
	}
	account, now := chain.ID(), c.nowMS()
	if !k.Proves(l.Secret, account) || l.Until <= now || l.Used >= linkUses || c.mayInvite(tx, l.Room) != nil {
		return fmt.Errorf("%w: a knock with a link that is not good", room.ErrJunk)
	}
	if standing, err := tx.Standing(account); err != nil || standing == store.Blocked {
		return err
	}
	g, err := c.current(tx, l.Room)
	if err != nil || slices.Contains(g.accounts(), account) {
		return err
	}
	if have, err := tx.KnockOf(l.Room, account); err != nil || have != nil && have.State != store.KnockLetIn {
		return err // they wait already, or were refused
	}
	if waiting, err := tx.CountKnocks(l.Room, store.KnockWaits, 0); err != nil || waiting >= knocksWaiting {
		return err
	}
	if err := c.keepPerson(tx, after, chain); err != nil {
		return err
	}
	row := store.Knock{Room: l.Room, Link: l.ID, Account: account, Handle: chain.Handle(), Name: k.Name, Time: now, State: store.KnockWaits}
	lately, err := tx.CountKnocks(l.Room, store.KnockLetIn, now-time.Hour.Milliseconds())
	if err != nil {
		return err
	}
	if !l.Approve && lately < letInHourly {
		row.State = store.KnockLetIn
		if err := c.letIn(tx, row); err != nil {
			return err
		}
		return tx.AddKnock(row)
	}
	if err := tx.AddKnock(row); err != nil {
		return err
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: l.Room}) })
	return c.notice(tx, after, &l.Room, NoticeKnock, said.Of("knock", "name", c.called(tx, account, chain.Handle())))
}

// letIn has the room take somebody in who knocked: the account that did, and no other that
// their server may name.
func (c *Client) letIn(tx store.Tx, k store.Knock) error {
	if err := tx.UseRoomLink(k.Link); err != nil {
		return err
	}
	body := wantHandles{Handles: []string{k.Handle}, Account: &k.Account, Link: &k.Link, Auto: true}
	return tx.AddWant(store.Want{Room: k.Room, Kind: wantAdd, Body: wire.Marshal(body), Due: c.nowMS()})
}

// shutOutOfLinks keeps somebody who was removed from coming back by a link of this device.
func (c *Client) shutOutOfLinks(tx store.Tx, id room.ID, account identity.ID) error {
	links, err := tx.RoomLinks(id)
	if err != nil || len(links) == 0 {
		return err
	}
	return tx.AddKnock(store.Knock{Room: id, Account: account, Time: c.nowMS(), State: store.KnockRefused})
}

// Knocks are who waits at a room, oldest first.
func (c *Client) Knocks(id room.ID) (out []KnockInfo, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			list, err := tx.Knocks(id, store.KnockWaits)
			for _, k := range list {
				out = append(out, KnockInfo{k.ID, k.Account, k.Handle, k.Name, k.Time})
			}
			return err
		})
	})
	return out, err
}

// AnswerKnock lets somebody in, or not: then they get no answer, and are not asked about again
// for a while. It waits until the room has taken them in.
func (c *Client) AnswerKnock(ctx context.Context, knock int64, accept bool) error {
	var k *store.Knock
	err := c.wait(ctx, func(done func(error)) {
		done(c.update(func(tx store.Tx, after *[]func()) (err error) {
			if k, err = tx.Knock(knock); err != nil {
				return err
			}
			if k == nil || k.State != store.KnockWaits {
				return wire.Refuse(wire.CodeMalformed, "nobody waits there any more")
			}
			*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: k.Room}) })
			if !accept {
				return tx.SetKnock(k.ID, store.KnockRefused)
			}
			if err := c.mayInvite(tx, k.Room); err != nil {
				return err
			}
			if err := tx.UseRoomLink(k.Link); err != nil {
				return err
			}
			return tx.SetKnock(k.ID, store.KnockLetIn)
		}))
	})
	if err != nil || !accept {
		return err
	}
	return c.want(ctx, hex.EncodeToString(k.Room[:]), wantAdd, func(store.Tx) (any, error) {
		return wantHandles{Handles: []string{k.Handle}, Account: &k.Account, Link: &k.Link}, nil
	})
}
