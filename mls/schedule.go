package mls

import (
	"bytes"
	"crypto/hpke"
)

// groupContext is RFC 9420 section 8.1.
type groupContext struct {
	suite      CipherSuite
	groupID    []byte
	epoch      uint64
	treeHash   []byte
	confirmed  []byte
	extensions []Extension
}

func (c *groupContext) encode(e *encoder) {
	e.u16(mls10)
	e.u16(uint16(c.suite))
	e.bytes(c.groupID)
	e.u64(c.epoch)
	e.bytes(c.treeHash)
	e.bytes(c.confirmed)
	encodeExtensions(e, c.extensions)
}

func (c *groupContext) decode(d *decoder) {
	if v := d.u16(); d.err == nil && v != mls10 {
		d.err, d.b = fail(ErrUnsupported, "protocol version %d", v), nil
	}
	c.suite = CipherSuite(d.u16())
	c.groupID, c.epoch, c.treeHash, c.confirmed = d.bytes(), d.u64(), d.bytes(), d.bytes()
	c.extensions = decodeExtensions(d)
}

func (c *groupContext) marshal() []byte {
	var e encoder
	c.encode(&e)
	return e.b
}

// epochSecrets are the secrets of RFC 9420 section 8 that live as long as their
// epoch. The encryption secret moves into the secret tree.
type epochSecrets struct {
	senderData, exporter, authenticator, external, confirmation, membership, resumption, init []byte

	encryption []byte // until the secret tree takes it
}

func (s *epochSecrets) all() []*[]byte {
	return []*[]byte{&s.senderData, &s.exporter, &s.authenticator, &s.external, &s.confirmation, &s.membership, &s.resumption, &s.init}
}

func (s *epochSecrets) erase() {
	for _, p := range append(s.all(), &s.encryption) {
		clear(*p)
		*p = nil
	}
}

// joinerSecret mixes the commit into the last epoch's init secret (section 8).
func joinerSecret(init, commitSecret, context []byte) []byte {
	pre := extract(init, commitSecret)
	defer clear(pre)
	return expandWithLabel(pre, "joiner", context, hashSize)
}

// memberSecret is what the welcome and the epoch derive from.
func memberSecret(joiner, psk []byte) []byte { return extract(joiner, psk) }

func welcomeKey(member []byte) (key, nonce []byte) {
	welcome := deriveSecret(member, "welcome")
	defer clear(welcome)
	return expandWithLabel(welcome, "key", nil, keySize), expandWithLabel(welcome, "nonce", nil, nonceSize)
}

func deriveEpoch(member, context []byte) epochSecrets {
	secret := expandWithLabel(member, "epoch", context, hashSize)
	defer clear(secret)
	return secretsOf(secret)
}

func secretsOf(epoch []byte) epochSecrets {
	return epochSecrets{
		senderData:    deriveSecret(epoch, "sender data"),
		encryption:    deriveSecret(epoch, "encryption"),
		exporter:      deriveSecret(epoch, "exporter"),
		external:      deriveSecret(epoch, "external"),
		confirmation:  deriveSecret(epoch, "confirm"),
		membership:    deriveSecret(epoch, "membership"),
		resumption:    deriveSecret(epoch, "resumption"),
		authenticator: deriveSecret(epoch, "authentication"),
		init:          deriveSecret(epoch, "init"),
	}
}

// export is RFC 9420 section 8.5.
func (s *epochSecrets) export(label string, context []byte, n int) ([]byte, error) {
	if s.exporter == nil {
		return nil, ErrRemoved
	}
	if n < 0 || n > 255*hashSize {
		return nil, fail(ErrArgument, "cannot export %d bytes", n)
	}
	secret := deriveSecret(s.exporter, label)
	defer clear(secret)
	sum := hash(context)
	return expandWithLabel(secret, "exported", sum[:], n), nil
}

// externalInit is the receiving side of RFC 9420 section 8.3.
func (s *epochSecrets) externalInit(suite CipherSuite, kemOutput []byte) ([]byte, error) {
	priv, _, err := suite.deriveKeyPair(s.external)
	if err != nil {
		return nil, err
	}
	defer clear(priv)
	k, err := suite.privateKey(priv)
	if err != nil {
		return nil, err
	}
	r, err := hpke.NewRecipient(kemOutput, k, hpke.HKDFSHA256(), hpke.AES128GCM(), nil)
	if err != nil {
		return nil, fail(ErrDecrypt, "external init: %v", err)
	}
	secret, err := r.Export("MLS 1.0 external init secret", hashSize)
	if err != nil {
		return nil, fail(ErrDecrypt, "external init: %v", err)
	}
	return secret, nil
}

// epoch is everything about a group that a commit replaces.
type epoch struct {
	context         groupContext
	encoded         []byte // context, encoded
	interim         []byte // interim transcript hash
	confirmationTag []byte
	secrets         epochSecrets
	tree            *tree
	keys            *secretTree
	own             uint32
	priv            map[uint32][]byte // HPKE private keys by node: our leaf and what we know of our direct path
}

// begin fills the encoded context and moves the encryption secret into the
// secret tree.
func (e *epoch) begin() {
	e.encoded = e.context.marshal()
	e.interim = interimHash(e.context.confirmed, e.confirmationTag)
	e.keys = newSecretTree(e.tree.leaves(), e.secrets.encryption)
	e.secrets.encryption = nil
}

func (e *epoch) erase() {
	if e == nil {
		return
	}
	e.secrets.erase()
	if e.keys != nil {
		e.keys.erase()
	}
	for _, k := range e.priv {
		clear(k)
	}
	e.priv = nil
}

func (e *epoch) sameKey(node uint32, priv []byte) bool {
	n := e.tree.at(node)
	if n == nil {
		return false
	}
	k, err := e.context.suite.privateKey(priv)
	return err == nil && bytes.Equal(k.PublicKey().Bytes(), n.encryptionKey())
}
