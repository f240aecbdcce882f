package mls

import (
	"bytes"
	"slices"
)

// maxPending bounds the proposals kept in an epoch, for each sender.
const maxPending = 64

// receiveProposal checks what can be known before a commit and keeps it.
func (g *Group) receiveProposal(a *authContent) (*PendingProposal, error) {
	p := PendingProposal{
		Proposal: *a.content.proposal, Sender: a.content.sender.index,
		External: a.content.sender.kind != senderMember, ByReference: true, Ref: proposalRef(a.marshal()),
	}
	if g.findPending(p.Ref) != nil {
		return nil, fail(ErrGeneration, "the proposal was received before")
	}
	var same int
	for _, q := range g.pending {
		if q.External == p.External && (p.External || q.Sender == p.Sender) {
			same++
		}
	}
	if same >= maxPending {
		return nil, fail(ErrUnsupported, "more than %d proposals of a sender in one epoch", maxPending)
	}
	// A committer that is no member: the rules about the committer do not apply yet.
	by := author{leaf: 1<<32 - 1}
	if _, err := g.now.applyProposals([]PendingProposal{p}, by, g.rules(false)); err != nil {
		return nil, err
	}
	g.keep(&pendingProposal{PendingProposal: p})
	return &p, nil
}

func (g *Group) keep(p *pendingProposal) {
	p.serial = g.serial
	g.serial++
	g.pending = append(g.pending, p)
	g.dirty[pendingKey(p.serial)] = struct{}{}
}

func (g *Group) findPending(ref []byte) *pendingProposal {
	i := slices.IndexFunc(g.pending, func(p *pendingProposal) bool { return bytes.Equal(p.Ref, ref) })
	if i < 0 {
		return nil
	}
	return g.pending[i]
}

// ownUpdate answers our pending update among the proposals of a commit.
func (g *Group) ownUpdate(list []PendingProposal) *pendingProposal {
	for _, p := range list {
		if p.Proposal.Type == ProposalUpdate && p.Sender == g.now.own && p.ByReference {
			return g.findPending(p.Ref)
		}
	}
	return nil
}

// Pending lists the proposals received or made in this epoch, oldest first.
func (g *Group) Pending() []PendingProposal {
	list := make([]PendingProposal, len(g.pending))
	for i, p := range g.pending {
		list[i] = p.PendingProposal
	}
	return list
}

// Propose makes a PrivateMessage with a proposal and keeps the proposal to be
// committed by reference. Flush before it leaves.
func (g *Group) Propose(p Proposal) (message []byte, err error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	keep := &pendingProposal{}
	if p.renew != nil {
		if err := g.makeUpdate(&p, keep); err != nil {
			return nil, err
		}
	}
	if p, err = g.withNonce(p); err != nil {
		return nil, err
	}
	keep.PendingProposal = PendingProposal{Proposal: p, Sender: g.now.own, ByReference: true}
	by := author{leaf: 1<<32 - 1}
	if _, err := g.now.applyProposals([]PendingProposal{keep.PendingProposal}, by, g.rules(true)); err != nil {
		return nil, err
	}
	a := g.authored(contentProposal, nil)
	a.content.proposal = &p
	a.sign(g.signer, g.now.encoded)
	message, step, err := g.framePrivate(a, ratchetHandshake)
	if err != nil {
		return nil, err
	}
	keep.Ref = proposalRef(a.marshal())
	g.now.keys.take(step, g.cfg.MaxForward)
	g.keep(keep)
	return message, nil
}

// makeUpdate signs a new leaf for an Update proposal (RFC 9420 section 12.1.2).
func (g *Group) makeUpdate(p *Proposal, keep *pendingProposal) error {
	leaf, signer := g.renewed(p.renew)
	priv, pub, err := g.now.context.suite.generateKeyPair(g.cfg.Rand)
	if err != nil {
		return err
	}
	leaf.EncryptionKey, leaf.Source, leaf.NotBefore, leaf.NotAfter, leaf.ParentHash = pub, sourceUpdate, 0, 0, nil
	leaf.sign(signer, g.now.context.groupID, g.now.own)
	p.Leaf, p.renew = &leaf, nil
	keep.leafPriv = priv
	if !bytes.Equal(signer, g.signer) {
		keep.signer = signer
	}
	return nil
}

// withNonce gives a PSK proposal its fresh nonce (RFC 9420 section 8.4).
func (g *Group) withNonce(p Proposal) (Proposal, error) {
	if p.PSK == nil || p.PSK.Nonce != nil {
		return p, nil
	}
	id := *p.PSK
	nonce, err := random(g.cfg.Rand, hashSize)
	id.Nonce = nonce
	p.PSK = &id
	return p, err
}
