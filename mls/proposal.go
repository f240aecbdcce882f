package mls

import (
	"crypto/ed25519"
	"slices"
)

// ProposalType as in RFC 9420 section 17.4.
type ProposalType uint16

// Proposal types.
const (
	ProposalAdd                    ProposalType = 1
	ProposalUpdate                 ProposalType = 2
	ProposalRemove                 ProposalType = 3
	ProposalPSK                    ProposalType = 4
	ProposalReInit                 ProposalType = 5
	ProposalExternalInit           ProposalType = 6
	ProposalGroupContextExtensions ProposalType = 7
)

// Proposal is one change to a group (RFC 9420 section 12.1). Type says which
// of the other fields is set.
type Proposal struct {
	Type       ProposalType
	KeyPackage *KeyPackage // Add
	Leaf       *LeafNode   // Update, once signed
	Removed    uint32      // Remove
	PSK        *PSKID      // PSK
	Extensions []Extension // GroupContextExtensions
	ReInit     *ReInit     // ReInit
	KEMOutput  []byte      // ExternalInit

	renew *NewLeaf // Update to be made by Propose
}

// ReInit is the content of a ReInit proposal. Parsed, never committed.
type ReInit struct {
	GroupID    []byte
	Version    uint16
	Suite      CipherSuite
	Extensions []Extension
}

// NewLeaf says what changes in our own leaf beyond its encryption key. Nil
// fields stay as they are.
type NewLeaf struct {
	Credential *Credential
	Signer     ed25519.PrivateKey // the group signs with it after the merge; keep it for LoadGroup
	Extensions []Extension        // nil: unchanged; empty: none
	Supported  []uint16           // extension types to list as supported, besides those already listed
}

// AddProposal adds the device that made kp.
func AddProposal(kp *KeyPackage) Proposal { return Proposal{Type: ProposalAdd, KeyPackage: kp} }

// RemoveProposal removes a leaf.
func RemoveProposal(leaf uint32) Proposal { return Proposal{Type: ProposalRemove, Removed: leaf} }

// UpdateProposal renews our own leaf; only Propose takes it. Commit renews the
// committer's leaf with CommitParams.NewLeaf.
func UpdateProposal(n NewLeaf) Proposal { return Proposal{Type: ProposalUpdate, renew: &n} }

// GroupContextExtensionsProposal replaces the whole list of context extensions.
func GroupContextExtensionsProposal(exts []Extension) Proposal {
	return Proposal{Type: ProposalGroupContextExtensions, Extensions: cloneExtensions(exts)}
}

// PSKProposal injects an external key; the nonce is filled in by Propose or Commit.
func PSKProposal(id []byte) Proposal {
	return Proposal{Type: ProposalPSK, PSK: &PSKID{Type: PSKExternal, ID: slices.Clone(id)}}
}

// ResumptionPSKProposal injects the resumption secret of an epoch of a group.
func ResumptionPSKProposal(groupID []byte, epoch uint64) Proposal {
	return Proposal{Type: ProposalPSK, PSK: &PSKID{
		Type: PSKResumption, Usage: usageApplication, GroupID: slices.Clone(groupID), Epoch: epoch,
	}}
}

// complete checks that the field Type speaks of is set.
func (p *Proposal) complete() bool {
	switch p.Type {
	case ProposalAdd:
		return p.KeyPackage != nil
	case ProposalUpdate:
		return p.Leaf != nil
	case ProposalPSK:
		return p.PSK != nil
	case ProposalReInit:
		return p.ReInit != nil
	}
	return p.Type >= ProposalAdd && p.Type <= ProposalGroupContextExtensions
}

// needsPath is RFC 9420 section 12.4.
func (t ProposalType) needsPath() bool {
	switch t {
	case ProposalAdd, ProposalPSK, ProposalReInit:
		return false
	}
	return true
}

func (p *Proposal) encode(e *encoder) {
	e.u16(uint16(p.Type))
	p.encodeBody(e)
}

func (p *Proposal) encodeBody(e *encoder) {
	switch p.Type {
	case ProposalAdd:
		p.KeyPackage.encode(e)
	case ProposalUpdate:
		p.Leaf.encode(e)
	case ProposalRemove:
		e.u32(p.Removed)
	case ProposalPSK:
		p.PSK.encode(e)
	case ProposalReInit:
		e.bytes(p.ReInit.GroupID)
		e.u16(p.ReInit.Version)
		e.u16(uint16(p.ReInit.Suite))
		encodeExtensions(e, p.ReInit.Extensions)
	case ProposalExternalInit:
		e.bytes(p.KEMOutput)
	case ProposalGroupContextExtensions:
		encodeExtensions(e, p.Extensions)
	}
}

func (p *Proposal) decode(d *decoder) {
	p.Type = ProposalType(d.u16())
	p.decodeBody(d)
}

func (p *Proposal) decodeBody(d *decoder) {
	switch p.Type {
	case ProposalAdd:
		p.KeyPackage = new(KeyPackage)
		p.KeyPackage.decode(d)
	case ProposalUpdate:
		p.Leaf = new(LeafNode)
		p.Leaf.decode(d)
	case ProposalRemove:
		p.Removed = d.u32()
	case ProposalPSK:
		p.PSK = new(PSKID)
		p.PSK.decode(d)
	case ProposalReInit:
		p.ReInit = &ReInit{GroupID: d.bytes(), Version: d.u16(), Suite: CipherSuite(d.u16())}
		p.ReInit.Extensions = decodeExtensions(d)
	case ProposalExternalInit:
		p.KEMOutput = d.bytes()
	case ProposalGroupContextExtensions:
		p.Extensions = decodeExtensions(d)
	default:
		if d.err == nil {
			d.err, d.b = fail(ErrUnsupported, "proposal type %d", p.Type), nil
		}
	}
}

// PendingProposal is a proposal with who made it.
type PendingProposal struct {
	Proposal    Proposal
	Sender      uint32 // leaf index; meaningless when External
	External    bool   // made outside the group
	ByReference bool   // sent as a message of its own
	Ref         []byte // ProposalRef when ByReference
}

// proposalRef is RFC 9420 section 5.2 over an AuthenticatedContent.
func proposalRef(authenticated []byte) []byte {
	ref := refHash("MLS 1.0 Proposal Reference", authenticated)
	return ref[:]
}

// proposalOrRef is an entry of a commit (RFC 9420 section 12.4).
type proposalOrRef struct {
	proposal *Proposal
	ref      []byte
}

func (p *proposalOrRef) encode(e *encoder) {
	if p.proposal != nil {
		e.u8(1)
		p.proposal.encode(e)
		return
	}
	e.u8(2)
	e.bytes(p.ref)
}

func (p *proposalOrRef) decode(d *decoder) {
	switch d.u8() {
	case 1:
		p.proposal = new(Proposal)
		p.proposal.decode(d)
	case 2:
		p.ref = d.bytes()
	default:
		d.fail("proposal neither by value nor by reference")
	}
}

// commit is RFC 9420 section 12.4.
type commit struct {
	proposals []proposalOrRef
	path      *updatePath
}

func (c *commit) encode(e *encoder) {
	e.vec(func() {
		for i := range c.proposals {
			c.proposals[i].encode(e)
		}
	})
	e.bool(c.path != nil)
	if c.path != nil {
		c.path.encode(e)
	}
}

func (c *commit) decode(d *decoder) {
	v := d.vec()
	for v.more() {
		var p proposalOrRef
		p.decode(v)
		c.proposals = append(c.proposals, p)
	}
	d.end(v)
	if d.optional() {
		c.path = new(updatePath)
		c.path.decode(d)
	}
}
