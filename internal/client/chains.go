package client

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sotto/internal/archive"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
)

// keepPerson remembers an account's chain, unless a longer one is known. One that forks from
// the known one is told, and the known one stays, unless the recovery key has decided.
func (c *Client) keepPerson(tx store.Tx, after *[]func(), chain *identity.Chain) error {
	if chain.ID() == c.chain.ID() {
		return c.growOwn(tx, after, chain)
	}
	p, err := tx.Person(chain.ID())
	if err != nil {
		return err
	}
	if p == nil {
		return c.putPerson(tx, after, nil, chain, chain.Handle())
	}
	counts, err := p.Chain.Join(chain)
	if errors.Is(err, identity.ErrFork) {
		return c.notice(tx, after, nil, NoticeIdentity, said.Of("identity.fork", "name", p.Handle))
	}
	if err != nil || counts == p.Chain {
		return err
	}
	return c.putPerson(tx, after, p, counts, counts.Handle())
}

// putPerson keeps an account's chain, and tells what is new in it. before is what was known.
func (c *Client) putPerson(tx store.Tx, after *[]func(), before *store.Person, chain *identity.Chain, handle string) error {
	if err := tx.PutPerson(chain.ID(), handle, chain, c.nowMS()); err != nil {
		return err
	}
	if before == nil { // a room brings a thousand: whoever shows them loads the room
		if err := tx.AddPersonChange(chain.ID(), store.PersonChange{Time: c.nowMS(), What: ChangedMet}); err != nil {
			return err
		}
		return c.keptPerson(tx, after, chain.ID())
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventPerson, Account: chain.ID()}) })
	return c.chainGrew(tx, after, *before, chain)
}

// chainGrew tells what an account's newer statements say: whose devices may speak for it. What
// was compared has to be looked at again then.
func (c *Client) chainGrew(tx store.Tx, after *[]func(), p store.Person, chain *identity.Chain) error {
	name := c.called(tx, p.Account, p.Handle)
	// On another device of this person's they may have compared it all already.
	again, err := c.comparedSince(tx, chain)
	if err != nil {
		return err
	}
	compared, key, devices := p.Compared != 0 && again == 0, false, false
	known := p.Chain.Common(chain)
	if known < p.Chain.Len() {
		if err := c.settled(tx, after, p, chain); err != nil {
			return err
		}
		key = true
	}
	for _, s := range chain.Record(known) {
		what := ""
		var says said.Said
		switch {
		case s.Kind == identity.AddDevice && s.Signer == nil: // by the words that are left when every device is lost
			what, key = ChangedKey, true
			says = said.Of("key", "name", name)
		case s.Kind == identity.AddDevice:
			what, devices = ChangedDevice, true
			says = since(compared, said.Of("device", "name", name), said.Of("device.compared", "name", name))
		case s.Kind == identity.RevokeDevice:
			what, devices = ChangedRevoked, true
			says = since(compared, said.Of("revoked", "name", name), said.Of("revoked.compared", "name", name))
			if err := c.dismiss(tx, chain); err != nil {
				return err
			}
		case s.Kind == identity.Move:
			what = ChangedHandle
			if name == chain.Handle() { // who has no other name is called as before
				name = p.Handle
			}
			says = said.Of("handle", "name", name, "handle", s.Handle)
		default:
			continue
		}
		at := store.PersonChange{Time: c.nowMS(), What: what}
		if what == ChangedHandle {
			at.Text = s.Handle
		}
		if err := tx.AddPersonChange(p.Account, at); err != nil {
			return err
		}
		if p.Standing != store.Contact || s.Kind == identity.RevokeDevice && s.Signer == nil { // the new key is told once
			continue
		}
		if err := c.tellOf(tx, after, p.Account, what, says); err != nil {
			return err
		}
	}
	if key && again == 0 {
		if err := tx.Pause(p.Account, c.nowMS()); err != nil {
			return err
		}
	}
	switch {
	case again != 0:
		return cmp.Or(tx.SetCompared(p.Account, again, 0), c.resume(tx, after, p.Account))
	case key || compared && devices:
		return tx.SetCompared(p.Account, 0, c.nowMS())
	}
	return nil
}

// settled takes what an account's recovery key has decided between two lists of its devices:
// those of the other list leave the rooms.
func (c *Client) settled(tx store.Tx, after *[]func(), p store.Person, chain *identity.Chain) error {
	if err := c.dismiss(tx, chain); err != nil || p.Standing != store.Contact {
		return err
	}
	return c.tellOf(tx, after, p.Account, ChangedKey, said.Of("settled", "name", c.called(tx, p.Account, p.Handle)))
}

// since is what is said where numbers were compared before, or else.
func since(compared bool, plain, after said.Said) said.Said {
	if compared {
		return after
	}
	return plain
}

// tellOf tells something of a contact in the conversation with them.
func (c *Client) tellOf(tx store.Tx, after *[]func(), account identity.ID, what string, says said.Said) error {
	id, err := activePair(tx, account)
	if err != nil {
		return err
	}
	kind := NoticeDevice
	if what == ChangedKey {
		kind = NoticeKey
	}
	return c.notice(tx, after, id, kind, says)
}

// replacedKey is another account under a contact's handle: whoever started over, or somebody
// else. Nothing carries over; the person is told, once for each such account.
func (c *Client) replacedKey(tx store.Tx, after *[]func(), handle string) error {
	p, err := tx.PersonByHandle(handle)
	if err != nil || p == nil || p.Standing != store.Contact {
		return err
	}
	if p.Changed != 0 {
		return nil // told
	}
	if err := c.keepCompared(tx, after, p, 0); err != nil {
		return err
	}
	if err := tx.SetCompared(p.Account, 0, c.nowMS()); err != nil {
		return err
	}
	if err := tx.AddPersonChange(p.Account, store.PersonChange{Time: c.nowMS(), What: ChangedKey}); err != nil {
		return err
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventPerson, Account: p.Account}) })
	return c.tellOf(tx, after, p.Account, ChangedKey, said.Of("key", "name", c.called(tx, p.Account, p.Handle)))
}

// sortedChains are the accounts of a group's knowledge, in order.
func sortedChains(k room.Knowledge) []*identity.Chain {
	ids := slices.SortedFunc(maps.Keys(k), func(a, b identity.ID) int { return slices.Compare(a[:], b[:]) })
	out := make([]*identity.Chain, 0, len(ids))
	for _, id := range ids {
		out = append(out, k[id])
	}
	return out
}

// verifyChain reads and verifies a chain as it is written down.
func verifyChain(signed [][]byte) (*identity.Chain, error) {
	chain, err := identity.Verify(signed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", archive.ErrInvalid, err)
	}
	return chain, nil
}
