package mls

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"time"
)

// Sources of a leaf (RFC 9420 section 7.2).
const (
	sourceKeyPackage uint8 = 1
	sourceUpdate     uint8 = 2
	sourceCommit     uint8 = 3
)

// Capabilities is what a member supports beyond the defaults (RFC 9420 section 7.2).
type Capabilities struct {
	Versions    []uint16
	Suites      []uint16
	Extensions  []uint16
	Proposals   []uint16
	Credentials []uint16
}

// LeafNode is a member as the tree shows it (RFC 9420 section 7.2). Read only.
type LeafNode struct {
	EncryptionKey []byte
	SignatureKey  ed25519.PublicKey
	Credential    Credential
	Capabilities  Capabilities
	Source        uint8  // 1 from a key package, 2 from an Update, 3 from a commit
	NotBefore     uint64 // seconds since 1970; only a leaf from a key package has a lifetime
	NotAfter      uint64
	ParentHash    []byte // only a leaf from a commit has one
	Extensions    []Extension
	Signature     []byte
}

// Extension answers the data of one of the leaf's extensions.
func (l *LeafNode) Extension(t uint16) ([]byte, bool) { return findExtension(l.Extensions, t) }

// ownCapabilities lists what this package can do, and the extensions the
// application understands.
func ownCapabilities(extensions ...uint16) Capabilities {
	c := Capabilities{
		Versions:    []uint16{mls10},
		Suites:      []uint16{uint16(XWing), uint16(X25519)},
		Credentials: []uint16{CredentialBasic},
	}
	return c.with(extensions)
}

// with answers c with more extension types; the defaults are never listed.
func (c Capabilities) with(extensions []uint16) Capabilities {
	c.Extensions = slices.Clone(c.Extensions)
	for _, t := range extensions {
		if !defaultExtension(t) && !slices.Contains(c.Extensions, t) {
			c.Extensions = append(c.Extensions, t)
		}
	}
	return c
}

func extensionTypes(lists ...[]Extension) (types []uint16) {
	for _, list := range lists {
		for _, x := range list {
			types = append(types, x.Type)
		}
	}
	return types
}

func (c *Capabilities) supportsExtension(t uint16) bool {
	return defaultExtension(t) || slices.Contains(c.Extensions, t)
}

func (l *LeafNode) encodeUnsigned(e *encoder) {
	e.bytes(l.EncryptionKey)
	e.bytes(l.SignatureKey)
	l.Credential.encode(e)
	e.u16s(l.Capabilities.Versions)
	e.u16s(l.Capabilities.Suites)
	e.u16s(l.Capabilities.Extensions)
	e.u16s(l.Capabilities.Proposals)
	e.u16s(l.Capabilities.Credentials)
	e.u8(l.Source)
	switch l.Source {
	case sourceKeyPackage:
		e.u64(l.NotBefore)
		e.u64(l.NotAfter)
	case sourceCommit:
		e.bytes(l.ParentHash)
	}
	encodeExtensions(e, l.Extensions)
}

func (l *LeafNode) encode(e *encoder) {
	l.encodeUnsigned(e)
	e.bytes(l.Signature)
}

func (l *LeafNode) marshal() []byte {
	e := encoder{make([]byte, 0, 256+len(l.EncryptionKey))}
	l.encode(&e)
	return e.b
}

func (l *LeafNode) decode(d *decoder) {
	l.EncryptionKey = d.bytes()
	l.SignatureKey = d.bytes()
	l.Credential.decode(d)
	c := &l.Capabilities
	c.Versions, c.Suites, c.Extensions, c.Proposals, c.Credentials = d.u16s(), d.u16s(), d.u16s(), d.u16s(), d.u16s()
	l.Source = d.u8()
	switch l.Source {
	case sourceKeyPackage:
		l.NotBefore, l.NotAfter = d.u64(), d.u64()
	case sourceUpdate:
	case sourceCommit:
		l.ParentHash = d.bytes()
	default:
		d.fail("leaf node source %d", l.Source)
	}
	l.Extensions = decodeExtensions(d)
	l.Signature = d.bytes()
}

// tbs is LeafNodeTBS; groupID and leaf count for leaves made inside a group.
func (l *LeafNode) tbs(groupID []byte, leaf uint32) []byte {
	var e encoder
	l.encodeUnsigned(&e)
	if l.Source != sourceKeyPackage {
		e.bytes(groupID)
		e.u32(leaf)
	}
	return e.b
}

func (l *LeafNode) sign(key ed25519.PrivateKey, groupID []byte, leaf uint32) {
	l.SignatureKey = slices.Clone(key.Public().(ed25519.PublicKey))
	l.Signature = signWithLabel(key, "LeafNodeTBS", l.tbs(groupID, leaf))
}

func (l *LeafNode) verify(groupID []byte, leaf uint32) bool {
	return verifyWithLabel(l.SignatureKey, "LeafNodeTBS", l.tbs(groupID, leaf), l.Signature)
}

// validate applies the rules of RFC 9420 section 7.3 that need no other member.
func (l *LeafNode) validate(suite CipherSuite, groupID []byte, leaf uint32) error {
	c := &l.Capabilities
	switch {
	case len(l.SignatureKey) != ed25519.PublicKeySize:
		return fail(ErrInvalidLeaf, "signature key of %d bytes", len(l.SignatureKey))
	case !slices.Contains(c.Versions, mls10):
		return fail(ErrInvalidLeaf, "MLS 1.0 is not among its versions")
	case !slices.Contains(c.Suites, uint16(suite)):
		return fail(ErrInvalidLeaf, "the group's cipher suite is not among its suites")
	case !slices.Contains(c.Credentials, l.Credential.Type):
		return fail(ErrInvalidLeaf, "its own credential type is not among its capabilities")
	}
	for _, x := range l.Extensions {
		if !c.supportsExtension(x.Type) {
			return fail(ErrInvalidLeaf, "its own extension %#04x is not among its capabilities", x.Type)
		}
	}
	if t, twice := repeated(l.Extensions); twice {
		return fail(ErrInvalidLeaf, "extension %#04x twice", t)
	}
	if _, err := suite.publicKey(l.EncryptionKey); err != nil {
		return fail(ErrInvalidLeaf, "encryption key: %v", err)
	}
	if !l.verify(groupID, leaf) {
		return fail(ErrInvalidLeaf, "its signature does not verify")
	}
	return nil
}

// lifetime is the rule about not_before and not_after; leaves that were made
// inside a group have none. A zero now asks for the
// length only, a negative longest not even for that.
func (l *LeafNode) lifetime(now time.Time, longest time.Duration) error {
	if l.Source != sourceKeyPackage {
		return nil
	}
	switch {
	case l.NotAfter < l.NotBefore:
		return fail(ErrInvalidLeaf, "its lifetime ends before it begins")
	case longest >= 0 && l.NotAfter-l.NotBefore > uint64(longest/time.Second):
		return fail(ErrInvalidLeaf, "its lifetime is longer than %v", longest)
	case now.IsZero():
		return nil
	case uint64(now.Unix()) < l.NotBefore:
		return fail(ErrInvalidLeaf, "its lifetime has not begun")
	case uint64(now.Unix()) > l.NotAfter:
		return fail(ErrInvalidLeaf, "its lifetime is over")
	}
	return nil
}

// supports checks the leaf against a group context: required capabilities
// (RFC 9420 section 11.1) and the extensions in use.
func (l *LeafNode) supports(context []Extension) error {
	c := &l.Capabilities
	for _, x := range context {
		if !c.supportsExtension(x.Type) {
			return fail(ErrInvalidLeaf, "group context extension %#04x is not among its capabilities", x.Type)
		}
	}
	raw, ok := findExtension(context, ExtRequiredCapabilities)
	if !ok {
		return nil
	}
	r, err := parseRequiredCapabilities(raw)
	if err != nil {
		return err
	}
	for _, t := range r.Extensions {
		if !c.supportsExtension(t) {
			return fail(ErrInvalidLeaf, "required extension %#04x is not among its capabilities", t)
		}
	}
	for _, t := range r.Proposals {
		if !defaultProposal(t) && !slices.Contains(c.Proposals, t) {
			return fail(ErrInvalidLeaf, "required proposal %#04x is not among its capabilities", t)
		}
	}
	for _, t := range r.Credentials {
		if !slices.Contains(c.Credentials, t) {
			return fail(ErrInvalidLeaf, "required credential type %d is not among its capabilities", t)
		}
	}
	return nil
}

// equal compares everything, signature included.
func (l *LeafNode) equal(o *LeafNode) bool { return bytes.Equal(l.marshal(), o.marshal()) }
