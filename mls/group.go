package mls

import (
	"bytes"
	"crypto/ed25519"
	"iter"
	"time"
)

// Group is one member's view of a group (RFC 9420 section 3). It belongs to one
// goroutine.
type Group struct {
	cfg    Config
	signer ed25519.PrivateKey
	now    *epoch // nil once inactive

	pending []*pendingProposal // of this epoch, oldest first
	serial  uint32             // of the next pending proposal

	groupID []byte // outlives the epoch
	number  uint64

	dirty   map[recordKey]struct{} // records to write or delete at the next Flush
	flushed []*treeNode            // the tree as the store has it
	erased  bool                   // nothing shall stay in the store
}

type pendingProposal struct {
	PendingProposal
	serial   uint32
	leafPriv []byte             // our own Update: its private key
	signer   ed25519.PrivateKey // our own Update: its signature key
}

// NewGroup makes a group of one member in epoch 0 (RFC 9420 section 11).
// Required capabilities are given as RequiredCapabilities.Extension. The types
// of the context extensions are listed as supported.
func NewGroup(cfg Config, groupID []byte, cred Credential, contextExtensions []Extension) (*Group, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if len(cfg.Signer) != ed25519.PrivateKeySize {
		return nil, fail(ErrArgument, "no signer")
	}
	exts := cloneExtensions(contextExtensions)
	if err := checkContextExtensions(exts); err != nil {
		return nil, fail(ErrArgument, "%v", err)
	}
	priv, pub, err := cfg.Suite.generateKeyPair(cfg.Rand)
	if err != nil {
		return nil, err
	}
	start := cfg.Now()
	leaf := &LeafNode{
		EncryptionKey: pub, Credential: cred, Source: sourceKeyPackage,
		Capabilities: ownCapabilities(append(extensionTypes(exts), cfg.Supported...)...),
		NotBefore:    uint64(start.Add(-time.Hour).Unix()), NotAfter: uint64(start.Add(cfg.Lifetime).Unix()),
	}
	leaf.sign(cfg.Signer, nil, 0)
	if err := leaf.validate(cfg.Suite, nil, 0); err != nil {
		return nil, err
	}
	t := newTree(1)
	t.set(0, &treeNode{leaf: leaf})
	if err := t.checkMembers(nil, exts, true); err != nil {
		return nil, fail(ErrArgument, "%v", err)
	}
	secret, err := random(cfg.Rand, hashSize)
	if err != nil {
		return nil, err
	}
	e := &epoch{tree: t, priv: map[uint32][]byte{0: priv}, secrets: secretsOf(secret)}
	clear(secret)
	e.context = groupContext{suite: cfg.Suite, groupID: bytes.Clone(groupID), treeHash: t.rootHash(), extensions: exts}
	e.confirmationTag = mac(e.secrets.confirmation, nil)
	e.begin()
	return newGroup(cfg, e)
}

// newGroup wraps an epoch that was never stored.
func newGroup(cfg Config, e *epoch) (*Group, error) {
	if len(cfg.Signer) != ed25519.PrivateKeySize || !bytes.Equal(cfg.Signer.Public().(ed25519.PublicKey), e.tree.leaf(e.own).SignatureKey) {
		return nil, fail(ErrArgument, "the signer is not that of our leaf")
	}
	g := &Group{
		cfg: cfg, signer: cfg.Signer, now: e, groupID: e.context.groupID, number: e.context.epoch,
		dirty: map[recordKey]struct{}{groupKey: {}},
	}
	for n := range e.priv {
		g.dirty[privateKeyKey(n)] = struct{}{}
	}
	return g, nil
}

// usable answers ErrRemoved for a group that has no secrets any more.
func (g *Group) usable() error {
	if g.now == nil {
		return ErrRemoved
	}
	return nil
}

// rules for applying proposals; what we send has to be within its lifetime.
func (g *Group) rules(sending bool) rules {
	r := rules{suite: g.now.context.suite, longest: g.cfg.MaxLifetime}
	if sending || g.cfg.StrictLifetime {
		r.now = g.cfg.Now()
	}
	return r
}

// Suite of the group.
func (g *Group) Suite() CipherSuite { return g.cfg.Suite }

// Epoch is the number of the present epoch, or of the last one when inactive.
func (g *Group) Epoch() uint64 { return g.number }

// GroupID is the id the group was made with.
func (g *Group) GroupID() []byte { return bytes.Clone(g.groupID) }

// Active is false once we were removed or the group was erased. Then only
// Epoch, GroupID, Suite, Flush and Erase do something; other accessors answer
// zero values and operations ErrRemoved.
func (g *Group) Active() bool { return g.now != nil }

// OwnLeaf is the index of our leaf; it never changes.
func (g *Group) OwnLeaf() uint32 {
	if g.now == nil {
		return 0
	}
	return g.now.own
}

// ContextExtensions of the present epoch.
func (g *Group) ContextExtensions() []Extension {
	if g.now == nil {
		return nil
	}
	return g.now.context.extensions
}

// Members in order of leaf index.
func (g *Group) Members() iter.Seq2[uint32, *LeafNode] {
	if g.now == nil {
		return func(func(uint32, *LeafNode) bool) {}
	}
	return g.now.tree.members()
}

// Member is the leaf with this index, nil when it is blank.
func (g *Group) Member(leaf uint32) *LeafNode {
	if g.now == nil {
		return nil
	}
	return g.now.tree.leaf(leaf)
}

// MemberCount counts the members.
func (g *Group) MemberCount() (n int) {
	for range g.Members() {
		n++
	}
	return n
}

// LeafCount counts the leaves of the tree, blank ones too.
func (g *Group) LeafCount() uint32 {
	if g.now == nil {
		return 0
	}
	return g.now.tree.leaves()
}

// EpochAuthenticator is equal among members who agree (RFC 9420 section 8.7).
func (g *Group) EpochAuthenticator() []byte {
	if g.now == nil {
		return nil
	}
	return bytes.Clone(g.now.secrets.authenticator)
}

// ConfirmedTranscriptHash is the hash of every commit so far (RFC 9420 section 8.2).
func (g *Group) ConfirmedTranscriptHash() []byte {
	if g.now == nil {
		return nil
	}
	return bytes.Clone(g.now.context.confirmed)
}

// ResumptionPSK of this epoch (RFC 9420 section 8.6). Past ones are not kept:
// who needs them answers for them in Config.PSK.
func (g *Group) ResumptionPSK() []byte {
	if g.now == nil {
		return nil
	}
	return bytes.Clone(g.now.secrets.resumption)
}

// TreeHash of the present epoch.
func (g *Group) TreeHash() []byte {
	if g.now == nil {
		return nil
	}
	return bytes.Clone(g.now.context.treeHash)
}

// RatchetTree is the tree for a joiner whose welcome does not carry it (RFC
// 9420 section 12.4.3.3).
func (g *Group) RatchetTree() []byte {
	if g.now == nil {
		return nil
	}
	return g.now.tree.marshal()
}

// Export derives a secret of n bytes for the application from this epoch (RFC
// 9420 section 8.5).
func (g *Group) Export(label string, context []byte, n int) ([]byte, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	return g.now.secrets.export(label, context, n)
}

// Merge moves the group to the epoch of s; the secrets of the old epoch are
// overwritten at once. A commit that removes us leaves the group inactive and
// empty. s must have been staged in the present epoch of this group.
func (g *Group) Merge(s *StagedCommit) error {
	if err := g.usable(); err != nil {
		return err
	}
	if s.merged || s.next == nil || !bytes.Equal(s.base, g.now.interim) || !s.removes && s.next.keys == nil {
		return ErrStale
	}
	s.merged = true
	g.drop()
	g.number = s.next.context.epoch
	if s.removes {
		g.now, g.signer, g.cfg.Signer = nil, nil, nil
		return nil
	}
	g.now = s.next
	if s.signer != nil {
		g.signer = s.signer
	}
	for n := range g.now.priv {
		g.dirty[privateKeyKey(n)] = struct{}{}
	}
	return nil
}

// drop overwrites the present epoch and what belongs to it, and notes its
// records as changed.
func (g *Group) drop() {
	for n := range g.now.priv {
		g.dirty[privateKeyKey(n)] = struct{}{}
	}
	for _, p := range g.pending {
		g.dirty[pendingKey(p.serial)] = struct{}{}
		clear(p.leafPriv)
	}
	g.now.erase()
	for k := range g.now.keys.dirty {
		g.dirty[k] = struct{}{}
	}
	g.dirty[groupKey] = struct{}{}
	g.pending = nil
}

// Erase overwrites every secret; the next Flush deletes every record.
func (g *Group) Erase() {
	if g.now != nil {
		g.drop()
	}
	g.now, g.signer, g.cfg.Signer, g.erased = nil, nil, nil, true
	g.dirty[groupKey] = struct{}{}
}
