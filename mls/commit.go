package mls

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"fmt"
	"slices"
)

// CommitParams says what a commit shall hold.
type CommitParams struct {
	Proposals []Proposal // by value, in this order, after those by reference
	Pending   bool       // include every pending proposal that can be committed, by reference
	Refs      [][]byte   // include these pending proposals, by reference
	ForcePath bool       // a path even when the proposals do not need one
	NewLeaf   *NewLeaf   // changes in our own leaf; implies a path

	OmitTree bool   // the welcome does not carry the ratchet tree
	AAD      []byte // authenticated, not encrypted
	Public   bool   // send a PublicMessage (tests; needs Config.AllowPublic)
}

// Commit makes a commit and stages it (RFC 9420 section 12.4.1); the group stays
// in its epoch until Merge. A PrivateMessage uses up a generation of our
// handshake ratchet even when the commit is discarded: Flush before it leaves.
func (g *Group) Commit(c CommitParams) (*StagedCommit, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	if c.Public && !g.cfg.AllowPublic {
		return nil, fail(ErrUnsupported, "public messages are off")
	}
	list, err := g.collect(c)
	if err != nil {
		return nil, err
	}
	by := author{leaf: g.now.own, sending: true}
	ch, err := g.now.applyProposals(list, by, g.rules(true))
	if err != nil {
		return nil, err
	}
	m := &commitMaker{g: g, params: c, ch: ch, signer: g.signer}
	defer m.erase()
	s, err := m.make()
	if err != nil {
		return nil, err
	}
	return s, nil
}

// collect answers the proposals to commit.
func (g *Group) collect(c CommitParams) (list []PendingProposal, err error) {
	refs := c.Refs
	if c.Pending {
		refs = append(slices.Clone(refs), g.committable(refs, c.Proposals)...)
	}
	for _, ref := range refs {
		p := g.findPending(ref)
		if p == nil {
			return nil, fail(ErrArgument, "no such pending proposal")
		}
		list = append(list, p.PendingProposal)
	}
	for _, p := range c.Proposals {
		if p.renew != nil || p.Type == ProposalUpdate {
			return nil, fail(ErrArgument, "a committer renews its leaf with NewLeaf")
		}
		if p, err = g.withNonce(p); err != nil {
			return nil, err
		}
		list = append(list, PendingProposal{Proposal: p, Sender: g.now.own})
	}
	return list, nil
}

// committable lists pending proposals that fit together: what we may not commit
// is left out, a Remove wins over an Update, the latest Update over earlier ones
// (RFC 9420 section 12.2).
func (g *Group) committable(refs [][]byte, values []Proposal) (out [][]byte) {
	chosen := make([]PendingProposal, 0, len(values))
	for _, p := range values {
		chosen = append(chosen, PendingProposal{Proposal: p, Sender: g.now.own})
	}
	for _, ref := range refs {
		if p := g.findPending(ref); p != nil {
			chosen = append(chosen, p.PendingProposal)
		}
	}
	for _, updates := range []bool{false, true} {
		for i := len(g.pending) - 1; i >= 0; i-- {
			p := g.pending[i].PendingProposal
			if (p.Proposal.Type == ProposalUpdate) != updates || slices.ContainsFunc(refs, func(r []byte) bool { return bytes.Equal(r, p.Ref) }) {
				continue
			}
			try := append(slices.Clone(chosen), p)
			if g.fitsTogether(try) {
				chosen = try
				out = append(out, p.Ref)
			}
		}
	}
	slices.Reverse(out)
	return out
}

func (g *Group) fitsTogether(list []PendingProposal) bool {
	list = slices.Clone(list)
	for i := range list { // nonces are drawn later
		if id := list[i].Proposal.PSK; id != nil && id.Nonce == nil {
			withNonce := *id
			withNonce.Nonce = make([]byte, hashSize)
			list[i].Proposal.PSK = &withNonce
		}
	}
	ch, err := g.now.applyProposals(list, author{leaf: g.now.own, sending: true}, g.rules(true))
	return err == nil && ch.tree.checkMembers(slices.Concat(ch.added, ch.updated), ch.extensions, ch.replaced) == nil
}

// commitMaker holds what making one commit needs along the way.
type commitMaker struct {
	g      *Group
	params CommitParams
	ch     *change
	signer ed25519.PrivateKey // of the leaf in the new epoch

	path    *updatePath
	secrets *pathSecrets
	joiner  []byte
	member  []byte
	step    *ratchetStep
}

func (m *commitMaker) erase() {
	m.secrets.erase()
	clear(m.joiner)
	clear(m.member)
	m.step.erase()
}

func (m *commitMaker) make() (*StagedCommit, error) {
	g, ch := m.g, m.ch
	withPath := ch.needsPath || len(ch.list) == 0 || m.params.ForcePath || m.params.NewLeaf != nil
	changed := slices.Concat(ch.added, ch.updated)
	if withPath {
		if err := m.renew(); err != nil {
			return nil, err
		}
		changed = append(changed, g.now.own)
	}
	if err := ch.tree.checkMembers(changed, ch.extensions, ch.replaced); err != nil {
		return nil, err
	}
	commitSecret := make([]byte, hashSize)
	if withPath {
		context := g.now.provisional(ch)
		if err := ch.tree.encryptPath(g.now.context.suite, m.path, m.secrets, g.now.own, ch.added, context.marshal()); err != nil {
			return nil, err
		}
		commitSecret = m.secrets.commit
	}
	s := &StagedCommit{
		added: ch.added, removed: ch.removed, updated: ch.updated, committer: g.now.own, hasPath: withPath,
		own: true, aad: bytes.Clone(m.params.AAD), proposals: ch.list, base: g.now.interim, from: g.now.tree,
	}
	if withPath {
		s.updated = append(slices.Clone(s.updated), g.now.own)
		s.signer = m.signer
	}
	if err := m.finish(s, commitSecret); err != nil {
		s.Erase()
		return nil, err
	}
	return s, nil
}

// renew makes our new leaf and path.
func (m *commitMaker) renew() error {
	g := m.g
	leaf, signer := g.renewed(m.params.NewLeaf)
	m.signer = signer
	var err error
	m.path, m.secrets, err = m.ch.tree.renewPath(g.now.context.suite, g.cfg.Rand, g.now.own, leaf, signer, g.now.context.groupID)
	if err != nil {
		return err
	}
	return m.path.leaf.validate(g.now.context.suite, g.now.context.groupID, g.now.own)
}

// renewed is our leaf with changes, still unsigned.
func (g *Group) renewed(n *NewLeaf) (LeafNode, ed25519.PrivateKey) {
	leaf, signer := *g.now.tree.leaf(g.now.own), g.signer
	if n == nil {
		return leaf, signer
	}
	if n.Credential != nil {
		leaf.Credential = Credential{n.Credential.Type, bytes.Clone(n.Credential.Identity)}
	}
	if n.Extensions != nil {
		leaf.Extensions = cloneExtensions(n.Extensions)
	}
	leaf.Capabilities = leaf.Capabilities.with(slices.Concat(n.Supported, extensionTypes(leaf.Extensions)))
	if n.Signer != nil {
		signer = slices.Clone(n.Signer)
	}
	return leaf, signer
}

// finish frames and signs the commit, derives the new epoch, asks the policy and
// encrypts message and welcomes. The ratchet moves only when all went well.
func (m *commitMaker) finish(s *StagedCommit, commitSecret []byte) error {
	g, ch := m.g, m.ch
	a := &authContent{wire: wirePrivate, content: framedContent{
		groupID: g.now.context.groupID, epoch: g.now.context.epoch, sender: sender{senderMember, g.now.own},
		aad: s.aad, contentType: contentCommit, commit: &commit{path: m.path},
	}}
	if m.params.Public {
		a.wire = wirePublic
	}
	for i := range ch.list {
		if p := &ch.list[i]; p.ByReference {
			a.content.commit.proposals = append(a.content.commit.proposals, proposalOrRef{ref: p.Ref})
		} else {
			a.content.commit.proposals = append(a.content.commit.proposals, proposalOrRef{proposal: &p.Proposal})
		}
	}
	a.sign(g.signer, g.now.encoded)
	next := &epoch{context: g.now.provisional(ch), tree: ch.tree, own: g.now.own}
	confirmed := hash(g.now.interim, a.confirmedHashInput())
	next.context.confirmed = confirmed[:]
	fresh := map[uint32][]byte{}
	if m.secrets != nil {
		for n, k := range m.secrets.priv {
			fresh[n] = bytes.Clone(k)
		}
	}
	next.priv = g.now.carryKeys(ch.tree, fresh)
	s.next = next
	var err error
	if m.joiner, m.member, err = g.derive(next, ch, commitSecret); err != nil {
		return err
	}
	a.confirmationTag = mac(next.secrets.confirmation, next.context.confirmed)
	next.confirmationTag = a.confirmationTag
	next.begin()
	if s.message, err = m.frame(a); err != nil {
		return err
	}
	if s.welcomes, err = m.welcome(s); err != nil {
		return err
	}
	if err := g.allow(s); err != nil {
		return err
	}
	if m.step != nil {
		g.now.keys.take(m.step, g.cfg.MaxForward)
		m.step = nil
	}
	return nil
}

// frame encodes the commit; the step of the ratchet it uses is not taken yet.
func (m *commitMaker) frame(a *authContent) (message []byte, err error) {
	if a.wire == wirePublic {
		return m.g.framePublic(a), nil
	}
	message, m.step, err = m.g.framePrivate(a, ratchetHandshake)
	return message, err
}

// allow asks the policy; a refused commit is erased.
func (g *Group) allow(s *StagedCommit) error {
	if g.cfg.Policy == nil {
		return nil
	}
	if err := g.cfg.Policy(g, s); err != nil {
		s.Erase()
		return fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	return nil
}

// tagFits compares a confirmation tag in constant time (RFC 9420 section 6.1).
func tagFits(e *epoch, tag []byte) bool {
	return hmac.Equal(mac(e.secrets.confirmation, e.context.confirmed), tag)
}
