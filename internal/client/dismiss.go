package client

import (
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// dismiss notes that devices which a chain does not hold are to leave every room that they and
// this device are in. Any member sees to it. A room that knows a device of this account which
// never came is told of its revocation by the account itself.
func (c *Client) dismiss(tx store.Tx, chain *identity.Chain) error {
	own := chain.ID() == c.chain.ID()
	for _, g := range c.sortedGens() {
		if g.group == nil || !c.isCurrentIn(tx, g) {
			continue
		}
		wait := int64(0)
		gone := g.revokedLeaf(chain)
		switch {
		case gone != nil && !own:
			wait = g.rank(append([]byte("dismiss"), gone.Device[:]...))
		case gone == nil && !(own && g.unaware(chain)):
			continue
		}
		w := store.Want{Room: g.Room, Kind: wantDismissKind, Body: wire.Marshal(wantAccount{chain.ID()}), Due: c.nowMS() + wait}
		if err := tx.AddWant(w); err != nil {
			return err
		}
	}
	return nil
}

// dismissing says whether devices are about to leave a room, by this one's hand: until they
// have, they could read what is said there.
func (c *Client) dismissing(tx store.Tx, id room.ID) (bool, error) {
	wants, err := tx.Wants(id)
	now := c.nowMS()
	return slices.ContainsFunc(wants, func(w store.Want) bool { return w.Kind == wantDismissKind && w.Due <= now }), err
}

// revokedLeaf is the first leaf of a device that a chain does not hold; nil when there is none.
func (g *gen) revokedLeaf(chain *identity.Chain) *room.Leaf {
	for i, n := range g.group.Members() {
		if l, err := g.known.LeafOf(i, n); err == nil && l.Account == chain.ID() && !chain.Holds(l.Credential) {
			return &l
		}
	}
	return nil
}

// unaware says whether the room takes a device for one of an account that a chain has revoked.
func (g *gen) unaware(chain *identity.Chain) bool {
	known := g.known[chain.ID()]
	return known != nil && chain.Includes(known.Head(), known.Len()) &&
		slices.ContainsFunc(known.ActiveDevices(), func(d identity.Device) bool { return !chain.Active(d.Name) })
}

// planDismiss removes the devices that an account has revoked, with what proves it.
func (g *gen) planDismiss(w store.Want, p *plan) error {
	var body wantAccount
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	chain, err := g.c.chainOf(body.Account)
	if err != nil {
		g.c.fail("reading the chain of an account", err)
		return errLater
	}
	if chain == nil {
		return errDone
	}
	if known := g.known[body.Account]; known != nil {
		if counts, err := chain.Join(known); err == nil {
			chain = counts
		}
	}
	if !g.removeRevoked(p, chain) && (chain.ID() != g.c.chain.ID() || !g.unaware(chain)) {
		return errDone
	}
	p.prove(g, chain)
	return nil
}

// removeRevoked plans the removal of the leaves of devices that a chain does not hold, and says
// whether there are any.
func (g *gen) removeRevoked(p *plan, chain *identity.Chain) (any bool) {
	for i, n := range g.group.Members() {
		l, err := g.known.LeafOf(i, n)
		if err != nil || l.Account != chain.ID() || chain.Holds(l.Credential) || i == g.group.OwnLeaf() {
			continue
		}
		any = true
		if !p.removes(i) {
			p.proposals = append(p.proposals, mls.RemoveProposal(i))
		}
	}
	return any
}
