package room

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

// ErrForbidden is a commit that is well made and that its author may not make.
var ErrForbidden = errors.New("room: this change is not allowed to its author")

// Knowledge is what the group knows of its members' chains: for each account the chain
// as far as commits and bundles have shown it. It is group state: every member holds
// the same.
type Knowledge map[identity.ID]*identity.Chain

// Extend is the knowledge after a commit's proofs. A proof begins where the group's
// knowledge ends, at genesis for an account that it does not know, or where a branch leaves it
// that counts instead, since the recovery key has spoken there.
func (k Knowledge) Extend(proofs []Proof) (Knowledge, error) {
	next := maps.Clone(k)
	if next == nil {
		next = Knowledge{}
	}
	for _, p := range proofs {
		known := next[p.Account]
		switch {
		case len(p.Statements) == 0:
			return nil, fmt.Errorf("%w: an empty proof", ErrJunk)
		case known == nil && p.From == 0:
			chain, err := identity.Verify(p.Statements)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrJunk, err)
			}
			if chain.ID() != p.Account {
				return nil, fmt.Errorf("%w: a proof of somebody else", ErrJunk)
			}
			next[p.Account] = chain
		case known != nil && int(p.From) == known.Len():
			longer := known.Clone()
			if _, err := longer.Extend(known.Len(), p.Statements); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrJunk, err)
			}
			next[p.Account] = longer
		case known != nil && p.From > 0 && int(p.From) < known.Len():
			branch, err := branchOf(known, p)
			if err != nil {
				return nil, err
			}
			next[p.Account] = branch
		default:
			return nil, fmt.Errorf("%w: a proof that does not follow what the group knows", ErrJunk)
		}
	}
	return next, nil
}

// branchOf is the branch of a known chain by which a proof replaces the rest of it.
func branchOf(known *identity.Chain, p Proof) (*identity.Chain, error) {
	at, err := known.At(int(p.From))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJunk, err)
	}
	branch := at.Clone()
	if _, err := branch.Extend(branch.Len(), p.Statements); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJunk, err)
	}
	if known.Common(branch) != int(p.From) || !known.Yields(branch) {
		return nil, fmt.Errorf("%w: a branch that does not count", ErrJunk)
	}
	return branch, nil
}

// Proofs is all that is known of the accounts, for a bundle, in order of identity.
func (k Knowledge) Proofs() []Proof {
	ids := slices.SortedFunc(maps.Keys(k), compareID)
	out := make([]Proof, 0, len(ids))
	for _, id := range ids {
		out = append(out, Proof{Account: id, Statements: k[id].Statements(0)})
	}
	return out
}

// Tree is a group's members at one moment: a group or a staged commit.
type Tree interface {
	Member(leaf uint32) *mls.LeafNode
}

// Leaf is what a leaf says, proven.
type Leaf struct {
	identity.Credential
	Index uint32
	Key   []byte // signature key
}

// LeafOf reads and proves one leaf.
func (k Knowledge) LeafOf(index uint32, n *mls.LeafNode) (Leaf, error) {
	if n == nil {
		return Leaf{}, fmt.Errorf("%w: no such leaf", ErrJunk)
	}
	cred, err := credentialOf(n)
	if err != nil {
		return Leaf{}, err
	}
	chain := k[cred.Account]
	if chain == nil {
		return Leaf{}, fmt.Errorf("%w: a leaf without a chain", ErrJunk)
	}
	if err := chain.Proves(cred, n.SignatureKey); err != nil {
		return Leaf{}, fmt.Errorf("%w: %w", ErrJunk, err)
	}
	return Leaf{Credential: cred, Index: index, Key: n.SignatureKey}, nil
}

func credentialOf(n *mls.LeafNode) (identity.Credential, error) {
	if n.Credential.Type != mls.CredentialBasic {
		return identity.Credential{}, fmt.Errorf("%w: a leaf with another credential", ErrJunk)
	}
	cred, err := identity.ParseCredential(n.Credential.Identity)
	if err != nil {
		return cred, fmt.Errorf("%w: %w", ErrJunk, err)
	}
	return cred, nil
}

// Owner names a leaf's device: a device's name counts within its account only.
type Owner struct {
	Account identity.ID     `cbor:"1,keyasint"`
	Device  wire.DeviceName `cbor:"2,keyasint"`
}

// Owner is who the leaf belongs to.
func (l Leaf) Owner() Owner { return Owner{l.Account, l.Device} }

// Change is what a valid commit does.
type Change struct {
	Committer Leaf
	Before    Context
	After     Context
	Known     Knowledge // after the commit
	shown     Knowledge // by the commit, of those who leave too
	Added     []Leaf
	Removed   []Leaf
	Own       bool // it removes this device
}

// Disowned says whether a removed leaf was of a device that its account does not hold any more.
func (c *Change) Disowned(l Leaf) bool {
	chain := c.shown[l.Account]
	return chain != nil && !chain.Holds(l.Credential)
}

// Judge decides whether a commit is valid in a room: a pure function of the group
// before it, the commit, its proofs and the group's knowledge. ErrForbidden and
// ErrJunk mean that the room moves on without whoever made it.
func Judge(g *mls.Group, known Knowledge, s *mls.StagedCommit, proofs []Proof) (*Change, error) {
	if s.External() {
		return nil, fmt.Errorf("%w: a commit from outside", ErrForbidden)
	}
	if !bytes.Equal(s.AAD(), ProofsHash(proofs)) {
		return nil, fmt.Errorf("%w: proofs that the commit does not name", ErrJunk)
	}
	before, err := ContextOf(g.ContextExtensions())
	if err != nil {
		return nil, err
	}
	after, err := ContextOf(s.ContextExtensions())
	if errors.Is(err, ErrRules) { // also to a program that knows them: who does not could only stop
		return nil, fmt.Errorf("%w: other rules within a generation", ErrForbidden)
	}
	if err != nil {
		return nil, err
	}
	if err := sameExtensions(s.ContextExtensions(), after); err != nil {
		return nil, err
	}
	next, err := known.Extend(proofs)
	if err != nil {
		return nil, err
	}
	c := &Change{Before: before, After: after, Known: next, shown: next, Own: s.RemovesSelf()}
	cred, err := credentialOf(g.Member(s.Committer()))
	if err != nil {
		return nil, err
	}
	c.Committer = Leaf{Credential: cred, Index: s.Committer(), Key: g.Member(s.Committer()).SignatureKey}
	if err := c.leaves(g, s); err != nil {
		return nil, err
	}
	if err := c.members(s, proofs); err != nil {
		return nil, err
	}
	if err := c.allowed(g, s); err != nil {
		return nil, err
	}
	return c, nil
}

// sameExtensions demands that a group context carries a room's extensions and no others.
func sameExtensions(have []mls.Extension, c Context) error {
	same := slices.EqualFunc(have, c.Extensions(), func(a, b mls.Extension) bool {
		return a.Type == b.Type && bytes.Equal(a.Data, b.Data)
	})
	if !same {
		return fmt.Errorf("%w: a group context with other extensions than a room's", ErrForbidden)
	}
	return nil
}

// leaves collects and proves what changes in the tree.
func (c *Change) leaves(g *mls.Group, s *mls.StagedCommit) error {
	for _, i := range s.Removed() {
		n := g.Member(i)
		cred, err := credentialOf(n)
		if err != nil {
			return err
		}
		c.Removed = append(c.Removed, Leaf{Credential: cred, Index: i, Key: n.SignatureKey})
	}
	for _, i := range s.Added() {
		l, err := c.Known.LeafOf(i, s.Member(i))
		if err != nil {
			return err
		}
		c.Added = append(c.Added, l)
	}
	if s.HasPath() { // the committer's leaf is new: same device, same key, a head no older
		n := s.Member(s.Committer())
		l, err := c.Known.LeafOf(s.Committer(), n)
		if err != nil {
			return err
		}
		if l.Account != c.Committer.Account || l.Device != c.Committer.Device ||
			!bytes.Equal(l.Key, c.Committer.Key) || l.Length < c.Committer.Length {
			return fmt.Errorf("%w: a leaf that becomes somebody else", ErrJunk)
		}
	}
	return nil
}

// members looks at the tree as a whole where it may have changed: no device twice, none
// that a proof takes out of its account, proofs of members only; and forgets the chains of
// those who left.
func (c *Change) members(s *mls.StagedCommit, proofs []Proof) error {
	if len(c.Added)+len(c.Removed)+len(proofs) == 0 {
		return nil
	}
	owners, stay := map[Owner]bool{}, map[identity.ID]bool{}
	for _, n := range s.Members() {
		cred, err := credentialOf(n)
		if err != nil {
			return err
		}
		o := Owner{cred.Account, cred.Device}
		if owners[o] {
			return fmt.Errorf("%w: a device twice", ErrJunk)
		}
		if chain := c.Known[cred.Account]; chain == nil || !chain.Holds(cred) {
			return fmt.Errorf("%w: a device that its account does not hold stays", ErrJunk)
		}
		owners[o], stay[cred.Account] = true, true
	}
	for _, p := range proofs {
		gone := slices.ContainsFunc(c.Removed, func(l Leaf) bool { return l.Account == p.Account })
		if !stay[p.Account] && !gone {
			return fmt.Errorf("%w: a proof of somebody who is not in the room", ErrJunk)
		}
	}
	c.Known = maps.Clone(c.Known)
	maps.DeleteFunc(c.Known, func(id identity.ID, _ *identity.Chain) bool { return !stay[id] })
	return nil
}

// allowed applies the roles.
func (c *Change) allowed(g *mls.Group, s *mls.StagedCommit) error {
	admin := c.Before.IsAdmin(c.Committer.Account)
	if len(c.Added) > wire.MaxAdds {
		return fmt.Errorf("%w: %d adds in one commit", ErrForbidden, len(c.Added))
	}
	for _, p := range s.Proposals() {
		if err := c.proposal(g, p, admin); err != nil {
			return err
		}
	}
	if admin && c.Before.Kind == Group {
		return c.contextWithin(c.After)
	}
	return c.contextOfMember(s, admin)
}

func (c *Change) proposal(g *mls.Group, p mls.PendingProposal, admin bool) error {
	switch p.Proposal.Type {
	case mls.ProposalAdd:
		if p.ByReference {
			return fmt.Errorf("%w: an add by proposal", ErrForbidden)
		}
		return c.mayAdd(g, p.Proposal.KeyPackage.LeafNode(), admin)
	case mls.ProposalRemove:
		if p.ByReference {
			if p.External || p.Sender != p.Proposal.Removed {
				return fmt.Errorf("%w: a proposal to remove another", ErrForbidden)
			}
			return nil // leaving
		}
		return c.mayRemove(p.Proposal.Removed, admin)
	case mls.ProposalGroupContextExtensions:
		if p.ByReference {
			return fmt.Errorf("%w: a context by proposal", ErrForbidden)
		}
		return nil // judged as a whole
	}
	return fmt.Errorf("%w: a proposal of type %d", ErrForbidden, p.Proposal.Type)
}

// mayAdd: admins of groups add anybody; everybody adds devices of accounts that are in
// the room already, since the chain proves them.
func (c *Change) mayAdd(g *mls.Group, n *mls.LeafNode, admin bool) error {
	if admin && c.Before.Kind == Group {
		return nil
	}
	cred, err := credentialOf(n)
	if err != nil {
		return err
	}
	for _, m := range g.Members() {
		if have, err := credentialOf(m); err == nil && have.Account == cred.Account {
			return nil
		}
	}
	return fmt.Errorf("%w: only admins invite people", ErrForbidden)
}

// mayRemove: admins of groups remove anybody; everybody removes devices of their own
// account, devices that the chain does not hold, and a device that the same commit adds
// again.
func (c *Change) mayRemove(leaf uint32, admin bool) error {
	if admin && c.Before.Kind == Group {
		return nil
	}
	i := slices.IndexFunc(c.Removed, func(l Leaf) bool { return l.Index == leaf })
	if i < 0 {
		return fmt.Errorf("%w: a removal of nobody", ErrJunk)
	}
	gone := c.Removed[i]
	switch {
	case gone.Account == c.Committer.Account:
	case c.Disowned(gone):
	case slices.ContainsFunc(c.Added, func(l Leaf) bool { return l.Owner() == gone.Owner() }):
	default:
		return fmt.Errorf("%w: only admins remove people", ErrForbidden)
	}
	return nil
}

// contextWithin checks what nobody may change.
func (c *Change) contextWithin(after Context) error {
	b := c.Before
	fixed := after
	fixed.Admins, fixed.Title, fixed.Picture, fixed.Disappear = b.Admins, b.Title, b.Picture, b.Disappear
	if !bytes.Equal(wire.Marshal(fixed), wire.Marshal(b)) {
		return fmt.Errorf("%w: what names a room never changes", ErrForbidden)
	}
	return nil
}

// contextOfMember checks a context that somebody without the right to change it leaves
// behind: as it was, but that a room without admins gets its longest member as its one, and
// that in a pair both set the title, the picture and the disappearing time.
func (c *Change) contextOfMember(s *mls.StagedCommit, admin bool) error {
	if err := c.contextWithin(c.After); err != nil {
		return err
	}
	want := c.Before
	if c.Before.Kind == Group {
		if heir, ok := c.heir(s); ok {
			want.Admins = []identity.ID{heir}
		}
	} else if admin {
		want.Title, want.Picture, want.Disappear = c.After.Title, c.After.Picture, c.After.Disappear
	}
	if !bytes.Equal(wire.Marshal(want), wire.Marshal(c.After)) {
		return fmt.Errorf("%w: only admins change the room", ErrForbidden)
	}
	return nil
}

// heir is who becomes admin when no admin is left: the account of the lowest leaf, which
// stands for the longest member.
func (c *Change) heir(s *mls.StagedCommit) (identity.ID, bool) {
	return Heir(c.Before, s.Members())
}

// Heir answers who must become admin of a group with these members, if no admin of the
// context is among them.
func Heir(c Context, members func(yield func(uint32, *mls.LeafNode) bool)) (heir identity.ID, need bool) {
	first := true
	for _, n := range members {
		cred, err := credentialOf(n)
		if err != nil {
			continue
		}
		if c.IsAdmin(cred.Account) {
			return identity.ID{}, false
		}
		if first {
			heir, first = cred.Account, false
		}
	}
	return heir, !first
}

// Swap is what a commit must make the server do: the next token's hash, a cursor for
// each added leaf (secrets by the committer), the end of each removed leaf's cursor.
func (c *Change) Swap(s *mls.StagedCommit, secrets []wire.Secret) (wire.Swap, error) {
	token, err := Token(s, c.After.Log)
	if errors.Is(err, mls.ErrRemoved) {
		return wire.Swap{}, err
	}
	if err != nil {
		return wire.Swap{}, err
	}
	w := wire.Swap{Next: token.Hash()}
	for i, l := range c.Added {
		w.Add = append(w.Add, wire.NewCursor{Tag: c.After.Tag(l.Key), Hash: secrets[i].Hash()})
	}
	w.End = c.ended()
	return w, nil
}

func (c *Change) ended() []wire.Tag {
	var out []wire.Tag
	for _, l := range c.Removed {
		out = append(out, c.Before.Tag(l.Key))
	}
	return out
}

// CheckDid compares what the server did with what the commit says it had to do. Whom
// the cursors' secrets were given to only their devices can tell.
func (c *Change) CheckDid(s *mls.StagedCommit, did *wire.Did) error {
	if did == nil {
		return fmt.Errorf("%w: a commit that did not swap the token", ErrJunk)
	}
	if !c.Own {
		token, err := Token(s, c.After.Log)
		if err != nil {
			return err
		}
		if token.Hash() != did.Next {
			return fmt.Errorf("%w: another token than the commit's", ErrJunk)
		}
	}
	added := make([]wire.Tag, 0, len(did.Added))
	for _, n := range did.Added {
		added = append(added, n.Tag)
	}
	want := make([]wire.Tag, 0, len(c.Added))
	for _, l := range c.Added {
		want = append(want, c.After.Tag(l.Key))
	}
	if !slices.Equal(added, want) || !slices.Equal(did.Ended, c.ended()) {
		return fmt.Errorf("%w: other cursors than the commit's", ErrJunk)
	}
	return nil
}

// Welcome judges a group that an invitation by this device leads to: the context is a
// room's, every leaf is proven, nobody stands twice, the inviter is a member, and the
// bundle holds the chains of members only.
func Welcome(g *mls.Group, known Knowledge, inviter Owner) (Context, error) {
	ctx, err := ContextOf(g.ContextExtensions())
	if err != nil {
		return ctx, err
	}
	if err := sameExtensions(g.ContextExtensions(), ctx); err != nil {
		return ctx, err
	}
	owners, people := map[Owner]bool{}, map[identity.ID]bool{}
	for i, n := range g.Members() {
		l, err := known.LeafOf(i, n)
		if err != nil {
			return ctx, err
		}
		if owners[l.Owner()] {
			return ctx, fmt.Errorf("%w: a device twice", ErrJunk)
		}
		owners[l.Owner()], people[l.Account] = true, true
	}
	switch {
	case !owners[inviter]:
		return ctx, fmt.Errorf("%w: the inviter is not in the room", ErrJunk)
	case ctx.Kind == Pair && len(people) > 2:
		return ctx, fmt.Errorf("%w: more than two people in a conversation of two", ErrJunk)
	case ctx.Kind == Alike && len(people) > 1:
		return ctx, fmt.Errorf("%w: somebody else in a self room", ErrJunk)
	case len(known) != len(people):
		return ctx, fmt.Errorf("%w: chains of people who are not in the room", ErrJunk)
	}
	return ctx, nil
}
