package client

import (
	"context"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Requests are strangers' invitations that wait for the person's word.
func (c *Client) Requests() (out []store.Invitation, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) (err error) { out, err = tx.Invitations(store.Request); return err })
	})
	return out, err
}

// Accept accepts a stranger's invitation and waits until the room is entered.
func (c *Client) Accept(ctx context.Context, handle string) error {
	return c.wait(ctx, func(done func(error)) {
		h, err := wire.ParseHandle(handle)
		if err != nil {
			done(err)
			return
		}
		c.lookup(h.String(), func(f *found, err error) {
			if err != nil {
				done(err)
				return
			}
			accepted, err := c.acceptFrom(h.String(), f.chain.ID())
			if err == nil && !accepted {
				err = ErrNoRoom
			}
			if err != nil {
				done(err)
				return
			}
			c.until(func() (bool, error) {
				var waiting []store.Invitation
				err := c.read(func(tx store.Tx) (err error) { waiting, err = tx.Invitations(store.Accepted); return err })
				return len(waiting) == 0, err
			}, done)
			c.pump()
		})
	})
}

// acceptFrom accepts what the account behind a handle sent, as its server names it. What
// others sent under the same handle is dropped, and told.
func (c *Client) acceptFrom(handle string, account identity.ID) (found bool, err error) {
	err = c.update(func(tx store.Tx, after *[]func()) error {
		list, err := tx.Invitations(store.Request)
		if err != nil {
			return err
		}
		for _, i := range list {
			if i.Handle != handle {
				continue
			}
			if i.Account != account {
				says := said.Of("identity.other", "name", handle)
				if err := c.notice(tx, after, nil, NoticeIdentity, says); err != nil {
					return err
				}
				if err := tx.DropInvitation(i.ID); err != nil {
					return err
				}
				continue
			}
			found = true
			if err := c.setStanding(tx, after, i.Account, store.Contact); err != nil {
				return err
			}
			if err := tx.SetInvitation(i.ID, store.Accepted); err != nil {
				return err
			}
		}
		*after = append(*after, func() { c.emit(Event{Kind: EventRequest}) }) // they wait no more
		return nil
	})
	return found, err
}

// Block blocks a person: what they send is not shown, their invitations are dropped.
func (c *Client) Block(handle string) error {
	var err error
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			p, err := c.person(tx, handle)
			if err != nil {
				return err
			}
			return c.block(tx, after, p.Account)
		})
	})
	return err
}

// Later puts an account's requests off: they stay, and ask for nothing.
func (c *Client) Later(account identity.ID) error {
	return c.changePerson(account, func(tx store.Tx, after *[]func(), _ *store.Person) error {
		*after = append(*after, func() { c.emit(Event{Kind: EventRequest}) })
		list, err := tx.Invitations(store.Request)
		if err != nil {
			return err
		}
		through := int64(0)
		for _, i := range list {
			if i.Account == account {
				through = max(through, i.Arrived)
			}
		}
		if err := c.keep(tx, after, room.KeptLater, account[:], valued(through)); err != nil {
			return err
		}
		return tx.PutOffRequests(account, through)
	})
}

// BlockRequest blocks who sent a request; it is gone, and they do not learn that it came.
func (c *Client) BlockRequest(account identity.ID) error { return c.SetBlocked(account, true) }
