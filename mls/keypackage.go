package mls

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"slices"
	"time"
)

// KeyPackage is what a device publishes so that others can add it (RFC 9420
// section 10). Read only.
type KeyPackage struct {
	Suite      CipherSuite
	InitKey    []byte
	Leaf       LeafNode
	Extensions []Extension
	Signature  []byte

	version uint16
}

// MaxLifetime is the longest lifetime of a key package that is accepted unless
// Config.MaxLifetime says otherwise (RFC 9420 section 7.2 asks for a maximum).
const MaxLifetime = 366 * 24 * time.Hour

// ParseKeyPackage reads an MLSMessage that holds a key package. It checks the
// syntax only; see Validate.
func ParseKeyPackage(b []byte) (*KeyPackage, error) {
	d := decoder{b: bytes.Clone(b)}
	if err := d.messageHead(wireKeyPackage); err != nil {
		return nil, err
	}
	kp := new(KeyPackage)
	kp.decode(&d)
	if err := d.finish(); err != nil {
		return nil, err
	}
	if kp.version != mls10 {
		return nil, fail(ErrUnsupported, "key package of version %d", kp.version)
	}
	return kp, nil
}

// Marshal answers the MLSMessage that ParseKeyPackage reads.
func (kp *KeyPackage) Marshal() []byte {
	var e encoder
	e.u16(mls10)
	e.u16(wireKeyPackage)
	kp.encode(&e)
	return e.b
}

func (kp *KeyPackage) encodeUnsigned(e *encoder) {
	e.u16(kp.version)
	e.u16(uint16(kp.Suite))
	e.bytes(kp.InitKey)
	kp.Leaf.encode(e)
	encodeExtensions(e, kp.Extensions)
}

func (kp *KeyPackage) encode(e *encoder) {
	kp.encodeUnsigned(e)
	e.bytes(kp.Signature)
}

func (kp *KeyPackage) decode(d *decoder) {
	kp.version = d.u16()
	kp.Suite = CipherSuite(d.u16())
	kp.InitKey = d.bytes()
	kp.Leaf.decode(d)
	kp.Extensions = decodeExtensions(d)
	kp.Signature = d.bytes()
}

// Ref is the KeyPackageRef (RFC 9420 section 5.2).
func (kp *KeyPackage) Ref() [32]byte {
	var e encoder
	kp.encode(&e)
	return refHash("MLS 1.0 KeyPackage Reference", e.b)
}

// LeafNode is the leaf that an Add would put into the tree.
func (kp *KeyPackage) LeafNode() *LeafNode { return &kp.Leaf }

// Validate applies RFC 9420 section 10.1 as far as it needs no group: suite,
// keys, signatures, extensions, capabilities, and that now is within the
// lifetime and the lifetime is no longer than MaxLifetime.
func (kp *KeyPackage) Validate(now time.Time) error {
	if err := kp.validate(kp.Suite); err != nil {
		return err
	}
	if err := kp.Leaf.lifetime(now, MaxLifetime); err != nil {
		return fail(ErrInvalidKey, "%v", err)
	}
	return nil
}

func (kp *KeyPackage) validate(suite CipherSuite) error {
	switch {
	case kp.version != mls10:
		return fail(ErrInvalidKey, "version %d", kp.version)
	case kp.Suite != suite:
		return fail(ErrInvalidKey, "cipher suite %#04x instead of %#04x", uint16(kp.Suite), uint16(suite))
	case kp.Leaf.Source != sourceKeyPackage:
		return fail(ErrInvalidKey, "its leaf does not come from a key package")
	case bytes.Equal(kp.InitKey, kp.Leaf.EncryptionKey):
		return fail(ErrInvalidKey, "init key and encryption key are the same")
	}
	if _, err := suite.publicKey(kp.InitKey); err != nil {
		return fail(ErrInvalidKey, "init key: %v", err)
	}
	if err := kp.Leaf.validate(suite, nil, 0); err != nil {
		return fail(ErrInvalidKey, "%v", err)
	}
	for _, x := range kp.Extensions {
		if !kp.Leaf.Capabilities.supportsExtension(x.Type) {
			return fail(ErrInvalidKey, "its own extension %#04x is not among its capabilities", x.Type)
		}
	}
	if t, twice := repeated(kp.Extensions); twice {
		return fail(ErrInvalidKey, "extension %#04x twice", t)
	}
	var e encoder
	kp.encodeUnsigned(&e)
	if !verifyWithLabel(kp.Leaf.SignatureKey, "KeyPackageTBS", e.b, kp.Signature) {
		return fail(ErrInvalidKey, "its signature does not verify")
	}
	return nil
}

// KeyPackageParams describes a key package to be made.
type KeyPackageParams struct {
	Suite          CipherSuite // 0 means XWing
	Signer         ed25519.PrivateKey
	Credential     Credential
	NotBefore      time.Time
	NotAfter       time.Time
	Extensions     []Extension // of the key package, e.g. ExtLastResort
	LeafExtensions []Extension
	Supported      []uint16 // extension types to list as supported, besides those in use above
}

// KeyPackageSecrets is a key package with the private keys that join with it.
type KeyPackageSecrets struct {
	Public   *KeyPackage
	initPriv []byte
	leafPriv []byte
}

// NewKeyPackage makes a key package and signs it.
func NewKeyPackage(rand io.Reader, p KeyPackageParams) (*KeyPackageSecrets, error) {
	suite := p.Suite.orDefault()
	if len(p.Signer) != ed25519.PrivateKeySize {
		return nil, fail(ErrArgument, "no signer")
	}
	s := new(KeyPackageSecrets)
	initPriv, initPub, err := suite.generateKeyPair(orSystem(rand))
	if err != nil {
		return nil, err
	}
	leafPriv, leafPub, err := suite.generateKeyPair(orSystem(rand))
	if err != nil {
		return nil, err
	}
	s.initPriv, s.leafPriv = initPriv, leafPriv
	kp := &KeyPackage{Suite: suite, InitKey: initPub, Extensions: cloneExtensions(p.Extensions), version: mls10}
	kp.Leaf = LeafNode{
		EncryptionKey: leafPub,
		Credential:    p.Credential,
		Capabilities:  ownCapabilities(slices.Concat(p.Supported, extensionTypes(p.Extensions, p.LeafExtensions))...),
		Source:        sourceKeyPackage,
		NotBefore:     uint64(p.NotBefore.Unix()),
		NotAfter:      uint64(p.NotAfter.Unix()),
		Extensions:    cloneExtensions(p.LeafExtensions),
	}
	kp.Leaf.sign(p.Signer, nil, 0)
	var e encoder
	kp.encodeUnsigned(&e)
	kp.Signature = signWithLabel(p.Signer, "KeyPackageTBS", e.b)
	s.Public = kp
	if err := kp.validate(suite); err != nil {
		s.Erase()
		return nil, fail(ErrArgument, "%w", err)
	}
	return s, nil
}

// Marshal encodes the package and its private keys for storage.
func (s *KeyPackageSecrets) Marshal() []byte {
	var e encoder
	e.bytes(s.Public.Marshal())
	e.bytes(s.initPriv)
	e.bytes(s.leafPriv)
	return e.b
}

// ParseKeyPackageSecrets reads what Marshal wrote.
func ParseKeyPackageSecrets(b []byte) (*KeyPackageSecrets, error) {
	d := decoder{b: bytes.Clone(b)}
	raw := d.bytes()
	s := &KeyPackageSecrets{initPriv: d.bytes(), leafPriv: d.bytes()}
	if err := d.finish(); err != nil {
		return nil, err
	}
	var err error
	if s.Public, err = ParseKeyPackage(raw); err != nil {
		return nil, err
	}
	if err := s.fits(); err != nil {
		return nil, err
	}
	return s, nil
}

// fits checks that the private keys belong to the public ones.
func (s *KeyPackageSecrets) fits() error {
	for _, pair := range [][2][]byte{{s.initPriv, s.Public.InitKey}, {s.leafPriv, s.Public.Leaf.EncryptionKey}} {
		k, err := s.Public.Suite.privateKey(pair[0])
		if err != nil {
			return err
		}
		if !bytes.Equal(k.PublicKey().Bytes(), pair[1]) {
			return fail(ErrInvalidKey, "private keys do not fit the key package")
		}
	}
	return nil
}

// Erase overwrites the private keys.
func (s *KeyPackageSecrets) Erase() {
	clear(s.initPriv)
	clear(s.leafPriv)
	s.initPriv, s.leafPriv = nil, nil
}
