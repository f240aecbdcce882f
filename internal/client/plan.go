package client

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// plan is a commit before it is made.
type plan struct {
	proposals []mls.Proposal
	refs      [][]byte
	ctx       room.Context
	proofs    []room.Proof
	guests    []newcomer
	path      bool
	leaf      bool // our leaf names the chain as it is now
}

// removes says whether the plan takes a leaf out.
func (p *plan) removes(leaf uint32) bool {
	return slices.ContainsFunc(p.proposals, func(q mls.Proposal) bool { return q.Type == mls.ProposalRemove && q.Removed == leaf })
}

// newcomer is a device to be added.
type newcomer struct {
	chain   *identity.Chain
	device  identity.Device
	kp      *mls.KeyPackage
	address room.Joined
	first   []byte
	link    *room.LinkID // by which they asked to come in
}

// plan looks at what a want asks for as the room is now.
func (g *gen) plan(w store.Want) (*plan, error) {
	p := &plan{ctx: g.ctx}
	var err error
	switch w.Kind {
	case wantAdd:
		err = g.planAdd(w, p)
	case wantRemove:
		err = g.planRemove(w, p)
	case wantContext:
		err = g.planContext(w, p)
	case wantLeave:
		if len(g.accounts()) == 1 {
			return nil, g.leaveEmpty()
		}
		return nil, g.leave()
	case wantFarewell:
		err = g.planFarewell(w, p)
	case wantUpdate:
		err = g.planUpdate(p)
	case wantReadd:
		err = g.planReadd(w, p)
	case wantAgain:
		err = g.planAgain(w, p)
	case wantBringKind:
		err = g.planBring(w, p)
	case wantDismissKind:
		err = g.planDismiss(w, p)
	case wantReturnKind:
		err = g.planReturn(w, p)
	case wantNewsKind:
		err = g.planNews(p)
	default:
		err = errDone
	}
	return p, err
}

func (g *gen) planAdd(w store.Want, p *plan) error {
	var body wantHandles
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	if body.Auto && w.Tries > linkTries {
		return errDone // their server cannot be reached: whoever has the link chose it
	}
	have := g.accounts()
	prep := g.c.prepared[w.ID]
	if prep == nil || !prep.ready {
		g.c.prepare(w, body.Handles)
		return errLater
	}
	if prep.err != nil {
		return prep.err
	}
	for _, n := range prep.guests {
		if body.Account != nil && n.chain.ID() != *body.Account {
			return wire.Refuse(wire.CodeBadChain, "%s is another account than the one that came by a link", body.Handles[0])
		}
		if !slices.Contains(have, n.chain.ID()) {
			n.link = body.Link
			p.add(g, n)
		}
	}
	if len(p.guests) == 0 {
		return errDone
	}
	return nil
}

// add plans the adding of a device, with what proves it.
func (p *plan) add(g *gen, n newcomer) {
	p.guests = append(p.guests, n)
	p.proposals = append(p.proposals, mls.AddProposal(n.kp))
	p.prove(g, n.chain)
}

// prove plans the statements that the group does not know yet.
func (p *plan) prove(g *gen, chain *identity.Chain) {
	id := chain.ID()
	if slices.ContainsFunc(p.proofs, func(q room.Proof) bool { return q.Account == id }) {
		return
	}
	from := 0
	if k := g.known[id]; k != nil {
		from = k.Common(chain)
		if from < k.Len() && !k.Yields(chain) {
			return // the group knows more
		}
	}
	if s := chain.Statements(from); len(s) > 0 {
		p.proofs = append(p.proofs, room.Proof{Account: id, From: uint32(from), Statements: s})
	}
}

func (g *gen) planRemove(w store.Want, p *plan) error {
	var body wantAccount
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	for i, n := range g.group.Members() {
		if l, err := g.known.LeafOf(i, n); err == nil && l.Account == body.Account {
			p.proposals = append(p.proposals, mls.RemoveProposal(i))
		}
	}
	if len(p.proposals) == 0 {
		return errDone
	}
	p.ctx = p.ctx.WithAdmin(body.Account, false)
	return nil
}

func (g *gen) planContext(w store.Want, p *plan) error {
	var body wantChange
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	if body.Title != nil {
		p.ctx.Title = *body.Title
	}
	if body.Role != nil {
		p.ctx = p.ctx.WithAdmin(*body.Role, body.Admin)
	}
	if body.Disappear != nil {
		p.ctx.Disappear = *body.Disappear
	}
	if body.Picture != nil {
		p.ctx.Picture = *body.Picture
	}
	if string(wire.Marshal(p.ctx)) == string(wire.Marshal(g.ctx)) {
		return errDone
	}
	return nil
}

// leave proposes the removal of our own leaf, once in each epoch.
func (g *gen) leave() error {
	own := g.group.OwnLeaf()
	for _, p := range g.group.Pending() {
		if p.ByReference && p.Sender == own && p.Proposal.Type == mls.ProposalRemove {
			return errLater
		}
	}
	err := g.c.update(func(tx store.Tx, _ *[]func()) error {
		msg, err := g.group.Propose(mls.RemoveProposal(own))
		if err != nil {
			return err
		}
		entry, err := room.SealEntry(g.c.o.Rand, g.group, g.Log, room.Inner{Message: msg})
		if err != nil {
			return err
		}
		if err := tx.EnqueueProposal(g.Room, g.Number, g.group.Epoch(), entry, hashOf(entry)); err != nil {
			return err
		}
		return tx.Flush(g.group, g.Room, g.Number)
	})
	if err != nil {
		g.trip(err)
	}
	return errLater
}

// leaveEmpty leaves a room in which nobody else is left to commit it.
func (g *gen) leaveEmpty() error {
	return cmp.Or(g.c.update(func(tx store.Tx, after *[]func()) error {
		r, err := tx.Room(g.Room)
		if err != nil || r == nil {
			return err
		}
		if r.State == store.RoomActive { // a pair's that was merged stays so
			r.State = store.RoomLeft
		}
		if err := tx.PutRoom(*r); err != nil {
			return err
		}
		if err := tx.DropOutbox(g.Room); err != nil {
			return err
		}
		*after = append(*after, func() { g.forget(); g.c.dropGen(g) })
		return g.c.closeRow(tx, after, g)
	}), errDone)
}

func (g *gen) planFarewell(w store.Want, p *plan) error {
	var body wantDevice
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	if body.Generation != g.Number {
		return errDone
	}
	g.planPending(p)
	if len(p.refs) == 0 {
		return errDone // somebody else did it, or the epoch went on and they propose again
	}
	return nil
}

// planPending takes in everybody who wants to leave.
func (g *gen) planPending(p *plan) {
	for _, q := range g.group.Pending() {
		if q.ByReference && !q.External && q.Proposal.Type == mls.ProposalRemove && q.Proposal.Removed == q.Sender && q.Sender != g.group.OwnLeaf() {
			p.refs = append(p.refs, q.Ref)
		}
	}
}

func (g *gen) planUpdate(p *plan) error {
	if g.c.nowMS()-g.Updated <= int64(g.TTL)*1000/4 {
		return errDone
	}
	p.path = true
	return nil
}

func (g *gen) planReadd(w store.Want, p *plan) error {
	var body wantReaddBody
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	kp, err := mls.ParseKeyPackage(body.KeyPackage)
	if err != nil {
		return err
	}
	leaf := g.leafOf(room.Owner{Account: body.Account, Device: body.Device})
	if leaf == nil {
		return errDone // removed meanwhile: nothing to be let into
	}
	// Another leaf than the one that was lost: the device is back, and may have renewed it.
	if string(g.group.Member(leaf.Index).EncryptionKey) != string(body.Leaf) && body.Leaf != nil {
		return errDone
	}
	prep := g.c.prepared[w.ID]
	if prep == nil || !prep.ready {
		g.c.prepareChain(w, g.c.whereIs(g.known[leaf.Account]))
		return errLater
	}
	if prep.err != nil {
		return prep.err
	}
	chain := prep.known[0]
	device, ok := chain.Device(body.Device)
	if !ok || chain.ID() != body.Account {
		return fmt.Errorf("a device asked to be let in again that its account no longer holds")
	}
	p.proposals = append(p.proposals, mls.RemoveProposal(leaf.Index))
	p.add(g, newcomer{chain: chain, device: device, kp: kp, address: body.Address})
	return nil
}

func (g *gen) planAgain(w store.Want, p *plan) error {
	var body wantDevice
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	leaf := g.leafOf(room.Owner{Account: body.Account, Device: body.Device})
	if body.Generation != g.Number || leaf == nil {
		return errDone
	}
	prep := g.c.prepared[w.ID]
	if prep == nil || !prep.ready {
		g.c.prepare(w, []string{g.c.whereIs(g.known[leaf.Account])})
		return errLater
	}
	if prep.err != nil {
		return prep.err
	}
	for _, n := range prep.guests {
		if n.device.Name == body.Device {
			if string(g.group.Member(leaf.Index).EncryptionKey) == string(n.kp.LeafNode().EncryptionKey) {
				return errDone // this is the leaf that was to be put there
			}
			p.proposals = append(p.proposals, mls.RemoveProposal(leaf.Index))
			p.add(g, n)
			return nil
		}
	}
	return errDone
}

// commitPlan makes and keeps the commit.
func (c *Client) commitPlan(g *gen, w store.Want, p *plan) error {
	if err := c.useAddresses(g.Room, p.guests); err != nil {
		return err
	}
	return c.update(func(tx store.Tx, _ *[]func()) error {
		if w.Kind != wantFarewell {
			g.planPending(p)
		}
		// What proves a revocation takes the revoked device out with it: room.Judge.
		known, err := g.known.Extend(p.proofs)
		if err != nil {
			return err
		}
		for _, q := range p.proofs {
			g.removeRevoked(p, known[q.Account])
		}
		gone := map[uint32]bool{}
		for _, q := range p.proposals {
			if q.Type == mls.ProposalRemove {
				gone[q.Removed] = true
			}
		}
		for _, q := range g.group.Pending() {
			if slices.ContainsFunc(p.refs, func(r []byte) bool { return string(r) == string(q.Ref) }) {
				if gone[q.Proposal.Removed] {
					p.refs = slices.DeleteFunc(p.refs, func(r []byte) bool { return string(r) == string(q.Ref) })
				}
				gone[q.Proposal.Removed] = true
			}
		}
		g.inherit(p, gone)
		if string(wire.Marshal(p.ctx)) != string(wire.Marshal(g.ctx)) {
			p.proposals = append(p.proposals, mls.GroupContextExtensionsProposal(p.ctx.Extensions()))
		}
		params := mls.CommitParams{Proposals: p.proposals, Refs: p.refs, OmitTree: true, AAD: room.ProofsHash(p.proofs)}
		// A path costs 1.2 kB for each leaf: small rooms always renew their secrets, large
		// ones after so many adds.
		params.ForcePath = p.path || len(p.proposals)+len(p.refs) == 0 ||
			g.group.MemberCount() <= pathAlways || g.Adds+uint64(len(p.guests)) > pathAdds
		if p.leaf {
			cred := c.credential()
			params.NewLeaf = &mls.NewLeaf{Credential: &cred}
		}
		s, err := g.group.Commit(params)
		if err != nil {
			return err
		}
		defer s.Erase()
		return g.stage(tx, s, p.proofs, c.guests(p.guests, s.Welcomes()))
	})
}

// guests pairs newcomers with their Welcomes and gives each a first cursor.
func (c *Client) guests(in []newcomer, welcomes [][]byte) []guest {
	out := make([]guest, len(in))
	for i, n := range in {
		out[i] = guest{
			Account: n.chain.ID(), Device: n.device.Name, Seal: n.device.Inbox, Address: n.address,
			Cursor: c.newSecret(), Welcome: welcomes[i], First: n.first, Link: n.link,
		}
	}
	return out
}

// inherit names the account of the lowest leaf admin when the plan leaves no admin. A
// newcomer's leaf is the lowest that is free (RFC 9420 section 7.7).
func (g *gen) inherit(p *plan, gone map[uint32]bool) {
	if g.ctx.Kind != room.Group {
		return
	}
	leaves := map[uint32]*mls.LeafNode{}
	for i, n := range g.group.Members() {
		if !gone[i] {
			leaves[i] = n
		}
	}
	free := uint32(0)
	for _, n := range p.guests {
		for leaves[free] != nil {
			free++
		}
		leaves[free] = n.kp.LeafNode()
	}
	after := func(yield func(uint32, *mls.LeafNode) bool) {
		for _, i := range slices.Sorted(maps.Keys(leaves)) {
			if !yield(i, leaves[i]) {
				return
			}
		}
	}
	if heir, need := room.Heir(p.ctx, after); need {
		p.ctx.Admins = []identity.ID{heir}
	}
}
