package client

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
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

// Knocked says what became of a knock at once.
type Knocked struct {
	Room    *room.ID // entered
	Waiting bool     // for the word of who made the link, or for their device
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
	return c.notice(tx, after, &l.Room, NoticeKnock, fmt.Sprintf("%s came by a link and would like to come in.", c.called(tx, account, chain.Handle())))
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

// Knock asks to come into the room that a link leads to. The invitation that answers is
// followed by itself, since it was asked for.
func (c *Client) Knock(ctx context.Context, link string) (out Knocked, err error) {
	l, err := wire.ParseLink(link)
	if err != nil {
		return out, err
	}
	err = c.wait(ctx, func(done func(error)) {
		if err := c.mayKnock(l); err != nil {
			done(err)
			return
		}
		if id, err := c.cameIn(l.ID); err != nil || id != nil { // they are in already
			out = Knocked{Room: id}
			done(err)
			return
		}
		c.lookup(l.Handle, func(f *found, err error) {
			if err == nil {
				err = c.isLinks(l, f)
			}
			if err == nil {
				err = c.writeKnock(l, f)
			}
			if err != nil {
				done(err)
				return
			}
			end := c.nowMS() + knockWait.Milliseconds()
			if !l.Approve {
				c.timer("knocked "+hex.EncodeToString(l.ID[:]), knockWait, c.settle)
			}
			c.until(func() (bool, error) {
				id, err := c.cameIn(l.ID)
				out = Knocked{Room: id, Waiting: id == nil}
				return err != nil || id != nil || l.Approve || c.nowMS() >= end, err
			}, done)
			c.pump()
		})
	})
	return out, err
}

func (c *Client) mayKnock(l wire.Link) error {
	switch {
	case !c.opened:
		return ErrNoAccount
	case l.Kind != wire.LinkRoom || l.Handle == "" || l.Account == (wire.Hash{}):
		return wire.Refuse(wire.CodeMalformed, "this link does not lead to a room")
	case l.Until != 0 && int64(min(l.Until, 1<<60)) <= c.nowMS():
		return wire.Refuse(wire.CodeMalformed, "this link is over: ask for a new one")
	case identity.ID(l.Account) == c.chain.ID():
		return wire.Refuse(wire.CodeMalformed, "you made this link yourself")
	}
	return nil
}

// isLinks holds the account that a server names against the one that a link names.
func (c *Client) isLinks(l wire.Link, f *found) error {
	if l.Account != (wire.Hash{}) && identity.ID(l.Account) != f.chain.ID() {
		return wire.Refuse(wire.CodeBadChain, "this link is of another account than %s has now: somebody else may have taken the name. Ask by another way for a new link", l.Handle)
	}
	return nil
}

// writeKnock puts a knock into the inbox of each device of who made the link.
func (c *Client) writeKnock(l wire.Link, f *found) error {
	if len(f.inboxes) == 0 {
		return wire.Refuse(wire.CodeNoHandle, "%s has no device that can be asked now", l.Handle)
	}
	var salt [16]byte
	c.random(salt[:])
	return c.write(func(tx store.Tx) error {
		name, err := c.ownName(tx)
		if err != nil {
			return err
		}
		until := int64(min(l.Until, 1<<60))
		if end := c.nowMS() + maxLinkTime.Milliseconds(); until == 0 || until > end {
			until = end
		}
		if err := tx.PutAsked(store.Asked{Link: l.ID, Account: f.chain.ID(), Title: l.Title, Until: until}); err != nil {
			return err
		}
		body := wire.Marshal(room.NewKnock(l.ID, l.Secret, salt, c.chain.ID(), name))
		for _, d := range f.chain.ActiveDevices() {
			in, ok := f.inboxes[d.Name]
			if !ok {
				continue
			}
			to := room.Joined{Host: f.host, Inbox: in.Inbox, Capability: in.Capability}
			if err := c.letter(tx, d.Name, d.Inbox, to, room.EnvelopeKnock, body); err != nil {
				return err
			}
		}
		return nil
	})
}

// cameIn is the room that a link has led to, once it is entered.
func (c *Client) cameIn(link room.LinkID) (id *room.ID, err error) {
	err = c.read(func(tx store.Tx) error {
		a, err := tx.Asked(link)
		if err != nil || a == nil || a.Room == nil {
			return err
		}
		if r, err := tx.Room(*a.Room); err != nil || r == nil || r.State != store.RoomActive {
			return err
		}
		id = a.Room
		return nil
	})
	return id, err
}

// asked says whether an invitation answers a knock of this person's: of who made the link, to
// a group of that name, while the link lasts, and for the first time.
func (c *Client) asked(tx store.Tx, account identity.ID, i room.Invitation) (bool, error) {
	if i.Link == nil || i.Kind != room.Group {
		return false, nil
	}
	a, err := tx.Asked(*i.Link)
	if err != nil || a == nil || a.Account != account || a.Title != i.Title || a.Until <= c.nowMS() || a.Room != nil && *a.Room != i.Room {
		return false, err
	}
	a.Room = &i.Room
	return true, tx.PutAsked(*a)
}
