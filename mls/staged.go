package mls

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"iter"
	"slices"
)

// StagedCommit is a valid commit, own or received, with the epoch it leads to.
// It belongs to the group it was staged in; Merge or Erase it.
type StagedCommit struct {
	message   []byte
	welcomes  [][]byte
	added     []uint32
	removed   []uint32
	updated   []uint32
	committer uint32
	external  bool
	hasPath   bool
	own       bool
	removes   bool // us
	aad       []byte
	proposals []PendingProposal

	base   []byte // interim transcript hash of the epoch it was staged in
	from   *tree  // of that epoch
	next   *epoch // without secrets when it removes us
	merged bool   // next belongs to the group
	signer ed25519.PrivateKey
}

// Message is the MLSMessage: to be sent, or as received.
func (s *StagedCommit) Message() []byte { return s.message }

// Welcomes holds one MLSMessage for each of Added, in the same order; own commits only.
func (s *StagedCommit) Welcomes() [][]byte { return s.welcomes }

// Added lists the new leaves in the order of the Add proposals.
func (s *StagedCommit) Added() []uint32 { return s.added }

// Removed lists the leaves that were removed, in the order of the proposals.
func (s *StagedCommit) Removed() []uint32 { return s.removed }

// Updated lists the leaves replaced by Update proposals and, last, by the path.
func (s *StagedCommit) Updated() []uint32 { return s.updated }

// Committer is the committer's leaf; for an external commit the one it takes.
func (s *StagedCommit) Committer() uint32 { return s.committer }

// External says that the committer joined by this commit.
func (s *StagedCommit) External() bool { return s.external }

// HasPath says that the committer's leaf and path have new keys.
func (s *StagedCommit) HasPath() bool { return s.hasPath }

// Own says that we made it.
func (s *StagedCommit) Own() bool { return s.own }

// RemovesSelf says that the commit removes us: the new epoch has no secrets.
func (s *StagedCommit) RemovesSelf() bool { return s.removes }

// Epoch is the number of the new epoch.
func (s *StagedCommit) Epoch() uint64 { return s.next.context.epoch }

// AAD is the authenticated data of the message.
func (s *StagedCommit) AAD() []byte { return s.aad }

// Proposals lists what is committed, in the order of the commit.
func (s *StagedCommit) Proposals() []PendingProposal { return s.proposals }

// ContextExtensions of the new epoch.
func (s *StagedCommit) ContextExtensions() []Extension { return s.next.context.extensions }

// Members of the new epoch.
func (s *StagedCommit) Members() iter.Seq2[uint32, *LeafNode] { return s.next.tree.members() }

// Member of the new epoch, nil when the leaf is blank.
func (s *StagedCommit) Member(leaf uint32) *LeafNode { return s.next.tree.leaf(leaf) }

// RatchetTree of the new epoch.
func (s *StagedCommit) RatchetTree() []byte { return s.next.tree.marshal() }

// TreeHash of the new epoch.
func (s *StagedCommit) TreeHash() []byte { return bytes.Clone(s.next.context.treeHash) }

// EpochAuthenticator of the new epoch; nil when the commit removes us.
func (s *StagedCommit) EpochAuthenticator() []byte {
	return bytes.Clone(s.next.secrets.authenticator)
}

// Export is Group.Export of the new epoch; ErrRemoved when the commit removes us.
func (s *StagedCommit) Export(label string, context []byte, n int) ([]byte, error) {
	return s.next.secrets.export(label, context, n)
}

// Erase discards the staged commit and overwrites its secrets. A merged one has
// none left and is not touched.
func (s *StagedCommit) Erase() {
	if s.next != nil && !s.merged {
		s.next.erase()
		s.next.keys = nil
	}
	s.welcomes, s.signer = nil, nil
}

// receiveCommit validates a commit whose message was authenticated and stages it
// (RFC 9420 section 12.4.2). Nothing in the group changes.
func (g *Group) receiveCommit(a *authContent, message []byte) (*StagedCommit, error) {
	c := a.content.commit
	by := author{leaf: a.content.sender.index, external: a.content.sender.kind == senderNewMemberCommit}
	list, err := g.resolve(c, by)
	if err != nil {
		return nil, err
	}
	ch, err := g.now.applyProposals(list, by, g.rules(false))
	if err != nil {
		return nil, err
	}
	if c.path == nil && (len(list) == 0 || ch.needsPath) {
		return nil, fail(ErrInvalidCommit, "needs a path and has none")
	}
	s := &StagedCommit{
		message: message, added: ch.added, removed: ch.removed, updated: ch.updated, committer: by.leaf,
		external: by.external, hasPath: c.path != nil, aad: a.content.aad, proposals: list,
		removes: slices.Contains(ch.removed, g.now.own), base: g.now.interim, from: g.now.tree,
	}
	in, err := g.receivePath(s, ch, c.path)
	if err != nil {
		return nil, err
	}
	defer in.erase()
	if err := g.finishReceived(s, ch, a, in); err != nil {
		s.Erase()
		return nil, err
	}
	if err := g.allow(s); err != nil {
		return nil, err
	}
	return s, nil
}

// resolve answers the proposals of a commit, looking up references.
func (g *Group) resolve(c *commit, by author) ([]PendingProposal, error) {
	list := make([]PendingProposal, 0, len(c.proposals))
	for i, p := range c.proposals {
		if p.proposal != nil {
			list = append(list, PendingProposal{Proposal: *p.proposal, Sender: by.leaf, External: by.external})
			continue
		}
		known := g.findPending(p.ref)
		if known == nil {
			return nil, fail(ErrInvalidCommit, "proposal %d was never received", i+1)
		}
		list = append(list, known.PendingProposal)
	}
	return list, nil
}

// receivePath validates a path and merges it into the tree of ch; what we can
// decrypt waits until the new context is known.
func (g *Group) receivePath(s *StagedCommit, ch *change, p *updatePath) (*pathSecrets, error) {
	changed := slices.Concat(ch.added, ch.updated)
	var steps []pathStep
	if p != nil {
		var err error
		if steps, err = g.mergeReceived(s, ch, p); err != nil {
			return nil, err
		}
		changed = append(changed, s.committer)
		s.updated = append(slices.Clone(s.updated), s.committer)
	}
	if err := ch.tree.checkMembers(changed, ch.extensions, ch.replaced); err != nil {
		return nil, err
	}
	if p == nil || s.removes {
		return &pathSecrets{commit: make([]byte, hashSize)}, nil
	}
	context := g.now.provisional(ch)
	priv := g.now.carryKeys(ch.tree, g.updateKeys(ch))
	defer func() {
		for _, k := range priv {
			clear(k)
		}
	}()
	in, err := ch.tree.decryptPath(g.now.context.suite, p, steps, g.now.own, priv, ch.added, context.marshal())
	if err != nil { // its maker encrypts to each part of the tree alone: it may open for others
		return nil, fmt.Errorf("%w: %w", ErrPath, err)
	}
	return in, nil
}

func (g *Group) mergeReceived(s *StagedCommit, ch *change, p *updatePath) ([]pathStep, error) {
	suite, groupID := g.now.context.suite, g.now.context.groupID
	old := g.now.tree.leaf(s.committer)
	if s.external {
		old = nil
		if len(ch.removed) > 0 {
			old = g.now.tree.leaf(ch.removed[0])
		}
		leaf, err := ch.tree.vacant()
		if err != nil {
			return nil, err
		}
		s.committer = leaf
	}
	if p.leaf.Source != sourceCommit {
		return nil, fail(ErrInvalidCommit, "the leaf of its path does not say that it comes from a commit")
	}
	if err := p.leaf.validate(suite, groupID, s.committer); err != nil {
		return nil, fail(ErrInvalidCommit, "%w", err)
	}
	if err := ch.tree.checkPathKeys(p, old); err != nil {
		return nil, err
	}
	steps := ch.tree.filteredPath(s.committer)
	if err := ch.tree.checkPath(suite, p, steps, ch.added); err != nil {
		return nil, err
	}
	keys := make([][]byte, len(p.nodes))
	for i := range p.nodes {
		keys[i] = p.nodes[i].key
	}
	if !bytes.Equal(ch.tree.mergePath(s.committer, steps, keys), p.leaf.ParentHash) {
		return nil, fail(ErrInvalidCommit, "parent hash of the committer's leaf")
	}
	ch.tree.set(leafNode(s.committer), &treeNode{leaf: p.leaf})
	return steps, nil
}

// provisional is the group context that path secrets are encrypted under.
func (e *epoch) provisional(ch *change) groupContext {
	c := e.context
	c.epoch++
	c.treeHash = ch.tree.rootHash()
	c.extensions = ch.extensions
	return c
}

// updateKeys answers our own new leaf key when ch commits an update of ours.
func (g *Group) updateKeys(ch *change) map[uint32][]byte {
	if p := g.ownUpdate(ch.list); p != nil {
		return map[uint32][]byte{leafNode(g.now.own): bytes.Clone(p.leafPriv)}
	}
	return nil
}

// finishReceived derives the new epoch and checks the confirmation tag.
func (g *Group) finishReceived(s *StagedCommit, ch *change, a *authContent, in *pathSecrets) error {
	next := &epoch{context: g.now.provisional(ch), tree: ch.tree, own: g.now.own, confirmationTag: a.confirmationTag}
	confirmed := hash(g.now.interim, a.confirmedHashInput())
	next.context.confirmed = confirmed[:]
	s.next = next
	if s.removes {
		next.encoded = next.context.marshal()
		return nil
	}
	fresh := g.updateKeys(ch)
	if fresh == nil {
		fresh = map[uint32][]byte{}
	}
	for n, k := range in.priv {
		fresh[n] = bytes.Clone(k)
	}
	next.priv = g.now.carryKeys(ch.tree, fresh)
	if p := g.ownUpdate(ch.list); p != nil {
		s.signer = p.signer
	}
	joiner, member, err := g.derive(next, ch, in.commit)
	if err != nil {
		return err
	}
	clear(joiner)
	clear(member)
	if !tagFits(next, a.confirmationTag) {
		return fail(ErrInvalidCommit, "confirmation tag")
	}
	next.begin()
	return nil
}

// derive fills the secrets of the next epoch (RFC 9420 section 8).
func (g *Group) derive(next *epoch, ch *change, commitSecret []byte) (joiner, member []byte, err error) {
	psk, err := g.cfg.lookupPSKs(ch.psks, g.now)
	if err != nil {
		return nil, nil, err
	}
	defer clear(psk)
	init := bytes.Clone(g.now.secrets.init)
	if ch.kemOutput != nil {
		clear(init)
		if init, err = g.now.secrets.externalInit(g.now.context.suite, ch.kemOutput); err != nil {
			return nil, nil, err
		}
	}
	defer clear(init)
	context := next.context.marshal()
	joiner = joinerSecret(init, commitSecret, context)
	member = memberSecret(joiner, psk)
	next.secrets = deriveEpoch(member, context)
	return joiner, member, nil
}
