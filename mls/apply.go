package mls

import (
	"bytes"
	"slices"
	"time"
)

// change is a list of proposals applied to an epoch (RFC 9420 section 12.3).
type change struct {
	list       []PendingProposal
	tree       *tree
	extensions []Extension
	replaced   bool // the extensions
	added      []uint32
	joiners    []*KeyPackage // of added
	removed    []uint32
	updated    []uint32
	psks       []PSKID
	kemOutput  []byte
	needsPath  bool
}

// author of a commit whose proposals are applied.
type author struct {
	leaf     uint32
	external bool // joins by this commit; leaf does not count
	sending  bool // it is us
}

// rules is what applying needs to know of the configuration.
type rules struct {
	suite   CipherSuite
	longest time.Duration
	now     time.Time // zero: lifetimes are not compared with the clock
}

// applyProposals validates the list (RFC 9420 section 12.2) and applies it to a
// copy of the tree.
func (e *epoch) applyProposals(list []PendingProposal, by author, r rules) (*change, error) {
	c := &change{list: list, tree: e.tree.clone(), extensions: e.context.extensions}
	if by.external {
		if err := externalList(list); err != nil {
			return nil, err
		}
	}
	touched := map[uint32]bool{}
	for i := range list {
		p := &list[i]
		c.needsPath = c.needsPath || p.Proposal.Type.needsPath()
		if err := e.checkProposal(c, p, by, r, touched); err != nil {
			return nil, fail(ErrInvalidCommit, "proposal %d: %w", i+1, err)
		}
	}
	for _, p := range list {
		if p.Proposal.Type == ProposalUpdate {
			c.tree.update(p.Sender, p.Proposal.Leaf)
		}
	}
	for _, leaf := range c.removed {
		c.tree.remove(leaf)
	}
	for _, kp := range c.joiners {
		leaf, err := c.tree.add(&kp.Leaf)
		if err != nil {
			return nil, err
		}
		c.added = append(c.added, leaf)
	}
	return c, nil
}

// externalList is the second half of RFC 9420 section 12.2.
func externalList(list []PendingProposal) error {
	var inits, removes int
	for _, p := range list {
		switch {
		case p.ByReference:
			return fail(ErrInvalidCommit, "an external commit refers to a proposal")
		case p.Proposal.Type == ProposalExternalInit:
			inits++
		case p.Proposal.Type == ProposalRemove:
			removes++
		case p.Proposal.Type != ProposalPSK:
			return fail(ErrInvalidCommit, "an external commit holds a proposal of type %d", p.Proposal.Type)
		}
	}
	if inits != 1 || removes > 1 {
		return fail(ErrInvalidCommit, "an external commit has %d external inits and %d removes", inits, removes)
	}
	return nil
}

// proposalChecks is the dispatch on the proposal type; each entry validates one
// proposal (RFC 9420 section 12.1) and notes it in the change.
var proposalChecks = map[ProposalType]func(e *epoch, c *change, p *PendingProposal, by author, r rules) error{
	ProposalAdd:                    (*epoch).checkAdd,
	ProposalUpdate:                 (*epoch).checkUpdate,
	ProposalRemove:                 (*epoch).checkRemove,
	ProposalPSK:                    (*epoch).checkPSK,
	ProposalReInit:                 (*epoch).checkReInit,
	ProposalExternalInit:           (*epoch).checkExternalInit,
	ProposalGroupContextExtensions: (*epoch).checkExtensions,
}

func (e *epoch) checkProposal(c *change, p *PendingProposal, by author, r rules, touched map[uint32]bool) error {
	check := proposalChecks[p.Proposal.Type]
	if check == nil || !p.Proposal.complete() {
		return fail(ErrUnsupported, "proposal type %d", p.Proposal.Type)
	}
	var leaf uint32
	switch p.Proposal.Type {
	case ProposalUpdate:
		leaf = p.Sender
	case ProposalRemove:
		leaf = p.Proposal.Removed
	default:
		return check(e, c, p, by, r)
	}
	if touched[leaf] {
		return fail(ErrInvalidCommit, "leaf %d is updated or removed twice", leaf)
	}
	touched[leaf] = true
	return check(e, c, p, by, r)
}

func (e *epoch) checkAdd(c *change, p *PendingProposal, _ author, r rules) error {
	kp := p.Proposal.KeyPackage
	if err := kp.validate(r.suite); err != nil {
		return err
	}
	if err := kp.Leaf.lifetime(r.now, r.longest); err != nil {
		return err
	}
	c.joiners = append(c.joiners, kp)
	return nil
}

func (e *epoch) checkUpdate(c *change, p *PendingProposal, by author, r rules) error {
	old, leaf := e.tree.leaf(p.Sender), p.Proposal.Leaf
	switch {
	case p.External || old == nil:
		return fail(ErrInvalidCommit, "an update by someone who is not a member")
	case p.Sender == by.leaf && !by.external:
		return fail(ErrInvalidCommit, "an update by the committer")
	case leaf.Source != sourceUpdate:
		return fail(ErrInvalidLeaf, "the leaf of an update does not say so")
	case bytes.Equal(old.EncryptionKey, leaf.EncryptionKey):
		return fail(ErrInvalidLeaf, "an update that keeps its encryption key")
	}
	c.updated = append(c.updated, p.Sender)
	return leaf.validate(r.suite, e.context.groupID, p.Sender)
}

func (e *epoch) checkRemove(c *change, p *PendingProposal, by author, _ rules) error {
	leaf := p.Proposal.Removed
	switch {
	case e.tree.leaf(leaf) == nil:
		return fail(ErrInvalidCommit, "removes leaf %d, which is blank", leaf)
	case leaf == by.leaf && !by.external:
		return fail(ErrInvalidCommit, "removes the committer")
	}
	c.removed = append(c.removed, leaf)
	return nil
}

func (e *epoch) checkPSK(c *change, p *PendingProposal, _ author, _ rules) error {
	id := p.Proposal.PSK
	switch {
	case id.Type != PSKExternal && id.Type != PSKResumption:
		return fail(ErrUnsupported, "PSK type %d", id.Type)
	case len(id.Nonce) != hashSize:
		return fail(ErrInvalidCommit, "PSK nonce of %d bytes", len(id.Nonce))
	case id.Type == PSKResumption && id.Usage != usageApplication:
		return fail(ErrInvalidCommit, "PSK for a re-initialisation or a branch")
	case slices.ContainsFunc(c.psks, func(o PSKID) bool { return o.equal(id) }):
		return fail(ErrInvalidCommit, "a PSK twice")
	}
	c.psks = append(c.psks, *id)
	return nil
}

func (e *epoch) checkReInit(*change, *PendingProposal, author, rules) error {
	return fail(ErrUnsupported, "re-initialisation; make a new group instead")
}

func (e *epoch) checkExternalInit(c *change, p *PendingProposal, by author, _ rules) error {
	if !by.external {
		return fail(ErrInvalidCommit, "external init in the commit of a member")
	}
	c.kemOutput = p.Proposal.KEMOutput
	return nil
}

func (e *epoch) checkExtensions(c *change, p *PendingProposal, _ author, _ rules) error {
	if c.replaced {
		return fail(ErrInvalidCommit, "group context extensions twice")
	}
	c.replaced, c.extensions = true, p.Proposal.Extensions
	return checkContextExtensions(c.extensions)
}

// checkContextExtensions checks what this package knows about the extensions of
// a group context.
func checkContextExtensions(list []Extension) error {
	if t, twice := repeated(list); twice {
		return fail(ErrInvalidCommit, "group context extension %#04x twice", t)
	}
	if raw, ok := findExtension(list, ExtRequiredCapabilities); ok {
		if _, err := parseRequiredCapabilities(raw); err != nil {
			return err
		}
	}
	if raw, ok := findExtension(list, ExtExternalSenders); ok {
		if _, err := parseExternalSenders(raw); err != nil {
			return err
		}
	}
	return nil
}

// checkMembers applies the rules about leaves that look at other members (RFC
// 9420 section 7.3) to the leaves that changed; all of them when everyone is set.
func (t *tree) checkMembers(changed []uint32, context []Extension, everyone bool) error {
	inUse := map[uint16]bool{}
	for i, l := range t.members() {
		inUse[l.Credential.Type] = true
		if everyone || slices.Contains(changed, i) {
			if err := l.supports(context); err != nil {
				return fail(ErrInvalidCommit, "leaf %d: %w", i, err)
			}
		}
	}
	for i, l := range t.members() {
		for c := range inUse {
			if !slices.Contains(l.Capabilities.Credentials, c) {
				return fail(ErrInvalidCommit, "leaf %d does not support credential type %d", i, c)
			}
		}
	}
	if everyone {
		return t.checkUnique(nil, true)
	}
	return t.checkUnique(changed, false)
}

// checkUnique verifies that signature keys of leaves and encryption keys of all
// nodes stand in the tree once; only those of the changed leaves when not all.
func (t *tree) checkUnique(changed []uint32, all bool) error {
	signature, encryption := map[string]int{}, map[string]int{}
	for _, i := range changed {
		if l := t.leaf(i); l != nil {
			signature[string(l.SignatureKey)], encryption[string(l.EncryptionKey)] = 0, 0
		}
	}
	for i, n := range t.nodes {
		if n == nil {
			continue
		}
		if seen, ok := encryption[string(n.encryptionKey())]; ok || all {
			if seen > 0 {
				return fail(ErrInvalidCommit, "encryption key of node %d stands in the tree twice", i)
			}
			encryption[string(n.encryptionKey())] = 1
		}
		if n.leaf == nil {
			continue
		}
		if seen, ok := signature[string(n.leaf.SignatureKey)]; ok || all {
			if seen > 0 {
				return fail(ErrInvalidCommit, "signature key of leaf %d stands in the tree twice", i/2)
			}
			signature[string(n.leaf.SignatureKey)] = 1
		}
	}
	return nil
}

// checkPathKeys verifies that the keys of a path are new: they differ from each
// other and from every key in the tree before the path is merged.
func (t *tree) checkPathKeys(p *updatePath, old *LeafNode) error {
	keys := map[string]bool{string(p.leaf.EncryptionKey): true}
	for _, n := range p.nodes {
		if keys[string(n.key)] {
			return fail(ErrInvalidCommit, "a key stands in the path twice")
		}
		keys[string(n.key)] = true
	}
	if old != nil && keys[string(old.EncryptionKey)] {
		return fail(ErrInvalidCommit, "a path that keeps the committer's encryption key")
	}
	for i, n := range t.nodes {
		if n != nil && keys[string(n.encryptionKey())] {
			return fail(ErrInvalidCommit, "a key of the path stands in node %d already", i)
		}
	}
	return nil
}
