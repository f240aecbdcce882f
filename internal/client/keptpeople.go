package client

import (
	"cmp"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// setStanding makes an account something, here and on the other devices.
func (c *Client) setStanding(tx store.Tx, after *[]func(), account identity.ID, s store.Standing) error {
	if err := c.keep(tx, after, room.KeptStanding, account[:], valued(uint8(s))); err != nil {
		return err
	}
	return tx.SetStanding(account, s)
}

// applyStanding takes what another device has made an account: the answer to its requests with it.
func (c *Client) applyStanding(tx store.Tx, after *[]func(), x store.Register) error {
	v, ok := valueOf[uint8](x)
	p, err := c.personOf(tx, x)
	s := store.Standing(v)
	if err != nil || p == nil || !ok || s > store.Blocked || p.Standing == s {
		return err
	}
	c.tellPerson(after, p.Account)
	if s == store.Blocked {
		return c.block(tx, after, p.Account)
	}
	if p.Standing == store.Blocked {
		if err := tx.Unblock(p.Account); err != nil {
			return err
		}
	}
	if err := tx.SetStanding(p.Account, s); err != nil {
		return err
	}
	if s == store.Stranger {
		*after = append(*after, func() { c.unseen(p.Account) })
		return nil
	}
	return c.acceptAll(tx, after, p.Account)
}

// acceptAll follows the invitations of an account that was accepted.
func (c *Client) acceptAll(tx store.Tx, after *[]func(), account identity.ID) error {
	list, err := tx.Invitations(store.Request)
	if err != nil {
		return err
	}
	for _, i := range list {
		if i.Account != account {
			continue
		}
		if err := tx.SetInvitation(i.ID, store.Accepted); err != nil {
			return err
		}
		*after = append(*after, func() { c.emit(Event{Kind: EventRequest}); c.post(c.pump) })
	}
	return nil
}

func (c *Client) applyNickname(tx store.Tx, after *[]func(), x store.Register) error {
	name, ok := valueOf[string](x)
	p, err := c.personOf(tx, x)
	if err != nil || p == nil || !ok || room.CheckName(name) != nil || name == p.Nickname {
		return err
	}
	c.tellPerson(after, p.Account)
	return tx.SetNickname(p.Account, name)
}

func (c *Client) applyLater(tx store.Tx, after *[]func(), x store.Register) error {
	through, ok := valueOf[int64](x)
	p, err := c.personOf(tx, x)
	if err != nil || p == nil || !ok || through == 0 {
		return err
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventRequest}) })
	return tx.PutOffRequests(p.Account, through)
}

// keepCompared tells the other devices when numbers were compared, with the chain as it is known
// here; 0 for never.
func (c *Client) keepCompared(tx store.Tx, after *[]func(), p *store.Person, at int64) error {
	var value []byte
	if at != 0 {
		value = wire.Marshal(room.ComparedWith(p.Chain, at))
	}
	return c.keep(tx, after, room.KeptCompared, p.Account[:], value)
}

// applyCompared takes what was compared on another device. Each device sees for itself whether
// the account's chain says something since that has to be compared again.
func (c *Client) applyCompared(tx store.Tx, after *[]func(), x store.Register) error {
	v, ok := valueOf[room.Compared](x)
	p, err := c.personOf(tx, x)
	if err != nil || p == nil || !ok || v.Time < 0 || v.Time > room.MaxKeptTime {
		return err
	}
	if v.Time != 0 && !v.Covers(p.Chain) {
		v.Time = 0
	}
	if v.Time == p.Compared {
		return nil
	}
	c.tellPerson(after, p.Account)
	if v.Time == 0 {
		return tx.SetCompared(p.Account, 0, p.Changed)
	}
	if err := cmp.Or(tx.SetCompared(p.Account, v.Time, 0), c.resume(tx, after, p.Account)); err != nil {
		return err
	}
	return tx.AddPersonChange(p.Account, store.PersonChange{Time: v.Time, What: ChangedCompared})
}

// comparedSince says whether this person has compared numbers on one of their devices with all
// that a chain says, and when.
func (c *Client) comparedSince(tx store.Tx, chain *identity.Chain) (at int64, err error) {
	id := chain.ID()
	x, err := c.word(tx, room.KeptCompared, id[:])
	if err != nil || x == nil {
		return 0, err
	}
	if v, ok := valueOf[room.Compared](*x); ok && v.Covers(chain) {
		at = v.Time
	}
	return at, nil
}

// keptOfPeople are the registers about an account.
var keptOfPeople = []room.What{room.KeptStanding, room.KeptNickname, room.KeptCompared, room.KeptLater}

// keptPerson lets count what other devices have said of an account that is known here now.
func (c *Client) keptPerson(tx store.Tx, after *[]func(), account identity.ID) error {
	for _, what := range keptOfPeople {
		if err := c.applyAgain(tx, after, what, account[:]); err != nil {
			return err
		}
	}
	return nil
}
