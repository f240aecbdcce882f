package mls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"io"
)

// CipherSuite names the algorithms of a group (RFC 9420 section 5.1).
type CipherSuite uint16

// The suites that are built.
const (
	// X25519 is suite 1: DHKEM(X25519, HKDF-SHA256), AES-128-GCM, SHA-256, Ed25519.
	X25519 CipherSuite = 1
	// XWing is MLKEM768-X25519 (KEM 0x647a), AES-128-GCM, SHA-256, Ed25519 of
	// draft-ietf-mls-pq-ciphersuites, under a private-use code point. The default.
	XWing CipherSuite = 0xF001
)

// Both suites share everything but the KEM.
const (
	hashSize  = sha256.Size // KDF.Nh
	keySize   = 16          // AEAD.Nk
	nonceSize = 12          // AEAD.Nn
)

const mls10 uint16 = 1

func (s CipherSuite) orDefault() CipherSuite {
	if s == 0 {
		return XWing
	}
	return s
}

func (s CipherSuite) kem() (hpke.KEM, error) {
	switch s {
	case X25519:
		return hpke.DHKEM(ecdh.X25519()), nil
	case XWing:
		return hpke.MLKEM768X25519(), nil
	}
	return nil, fail(ErrUnsupported, "cipher suite %#04x", uint16(s))
}

func hash(parts ...[]byte) [hashSize]byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	var sum [hashSize]byte
	h.Sum(sum[:0])
	return sum
}

func mac(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

func extract(salt, ikm []byte) []byte {
	prk, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		panic(err) // only under a FIPS policy that forbids short keys
	}
	return prk
}

// expandWithLabel is RFC 9420 section 8.
func expandWithLabel(secret []byte, label string, context []byte, n int) []byte {
	e := encoder{make([]byte, 0, 64+len(context))}
	e.u16(uint16(n))
	e.text("MLS 1.0 " + label)
	e.bytes(context)
	out, err := hkdf.Expand(sha256.New, secret, string(e.b), n)
	if err != nil {
		panic(err) // n is over 255 hashes: callers bound it
	}
	return out
}

func deriveSecret(secret []byte, label string) []byte {
	return expandWithLabel(secret, label, nil, hashSize)
}

// deriveTreeSecret is RFC 9420 section 9.1.
func deriveTreeSecret(secret []byte, label string, generation uint32, n int) []byte {
	return expandWithLabel(secret, label,
		[]byte{byte(generation >> 24), byte(generation >> 16), byte(generation >> 8), byte(generation)}, n)
}

// refHash is RFC 9420 section 5.2.
func refHash(label string, value []byte) [hashSize]byte {
	var e encoder
	e.text(label)
	e.bytes(value)
	return hash(e.b)
}

// labeled is SignContent and EncryptContext (RFC 9420 sections 5.1.2 and 5.1.3).
func labeled(label string, content []byte) []byte {
	e := encoder{make([]byte, 0, len(content)+len(label)+16)}
	e.text("MLS 1.0 " + label)
	e.bytes(content)
	return e.b
}

func signWithLabel(key ed25519.PrivateKey, label string, content []byte) []byte {
	return ed25519.Sign(key, labeled(label, content))
}

func verifyWithLabel(key ed25519.PublicKey, label string, content, signature []byte) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, labeled(label, content), signature)
}

type hpkeCiphertext struct{ kem, ciphertext []byte }

func (c *hpkeCiphertext) encode(e *encoder) { e.bytes(c.kem); e.bytes(c.ciphertext) }

func (c *hpkeCiphertext) decode(d *decoder) { c.kem, c.ciphertext = d.bytes(), d.bytes() }

// encryptWithLabel is RFC 9420 section 5.1.3. crypto/hpke encapsulates with the
// system's randomness and takes no other.
func (s CipherSuite) encryptWithLabel(pub []byte, label string, context, plaintext []byte) (c hpkeCiphertext, err error) {
	k, err := s.publicKey(pub)
	if err != nil {
		return c, err
	}
	kem, sender, err := hpke.NewSender(k, hpke.HKDFSHA256(), hpke.AES128GCM(), labeled(label, context))
	if err != nil {
		return c, fail(ErrUnsupported, "encapsulate: %v", err)
	}
	ct, err := sender.Seal(nil, plaintext)
	if err != nil {
		return c, fail(ErrUnsupported, "seal: %v", err)
	}
	return hpkeCiphertext{kem, ct}, nil
}

func (s CipherSuite) decryptWithLabel(priv []byte, label string, context []byte, c hpkeCiphertext) ([]byte, error) {
	k, err := s.privateKey(priv)
	if err != nil {
		return nil, err
	}
	r, err := hpke.NewRecipient(c.kem, k, hpke.HKDFSHA256(), hpke.AES128GCM(), labeled(label, context))
	if err != nil {
		return nil, fail(ErrDecrypt, "decapsulate: %v", err)
	}
	pt, err := r.Open(nil, c.ciphertext)
	if err != nil {
		return nil, fail(ErrDecrypt, "%s: %v", label, err)
	}
	return pt, nil
}

func (s CipherSuite) publicKey(b []byte) (hpke.PublicKey, error) {
	kem, err := s.kem()
	if err != nil {
		return nil, err
	}
	k, err := kem.NewPublicKey(b)
	if err != nil {
		return nil, fail(ErrMalformed, "HPKE public key: %v", err)
	}
	return k, nil
}

func (s CipherSuite) privateKey(b []byte) (hpke.PrivateKey, error) {
	kem, err := s.kem()
	if err != nil {
		return nil, err
	}
	k, err := kem.NewPrivateKey(b)
	if err != nil {
		return nil, fail(ErrMalformed, "HPKE private key: %v", err)
	}
	return k, nil
}

// deriveKeyPair answers private and public key bytes.
func (s CipherSuite) deriveKeyPair(secret []byte) (priv, pub []byte, err error) {
	kem, err := s.kem()
	if err != nil {
		return nil, nil, err
	}
	k, err := kem.DeriveKeyPair(secret)
	if err != nil {
		return nil, nil, fail(ErrUnsupported, "derive key pair: %v", err)
	}
	if priv, err = k.Bytes(); err != nil {
		return nil, nil, fail(ErrUnsupported, "private key: %v", err)
	}
	return priv, k.PublicKey().Bytes(), nil
}

func (s CipherSuite) generateKeyPair(rand io.Reader) (priv, pub []byte, err error) {
	seed, err := random(rand, hashSize)
	if err != nil {
		return nil, nil, err
	}
	defer clear(seed)
	return s.deriveKeyPair(seed)
}

func random(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fail(ErrArgument, "randomness: %v", err)
	}
	return b, nil
}

func aead(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}
