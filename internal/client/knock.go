package client

import (
	"context"
	"encoding/hex"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Knocked says what became of a knock at once.
type Knocked struct {
	Room    *room.ID // entered
	Waiting bool     // for the word of who made the link, or for their device
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
	if err != nil || a == nil || a.Account != account || a.Title != wire.LinkText(i.Title) || a.Until <= c.nowMS() || a.Room != nil && *a.Room != i.Room {
		return false, err
	}
	a.Room = &i.Room
	return true, tx.PutAsked(*a)
}
