package room

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// EnvelopeKind says what an inbox entry is.
type EnvelopeKind uint8

// The kinds of inbox entries. Others are reserved.
const (
	EnvelopeInvitation EnvelopeKind = 1
	EnvelopeRejoin     EnvelopeKind = 2
	EnvelopeKnock      EnvelopeKind = 3
	EnvelopeDevices    EnvelopeKind = 4 // the sender's chain has grown, to its account's other devices
	EnvelopeHistory    EnvelopeKind = 5 // HistoryPart, to a device that this one has linked
	EnvelopeReturn     EnvelopeKind = 6 // Return, to the devices of a room's members
)

// Envelope is an inbox entry without its seal: who sends it, proven by the chain, and
// signed for one recipient.
type Envelope struct {
	Kind      EnvelopeKind    `cbor:"1,keyasint"`
	Body      []byte          `cbor:"2,keyasint"`
	Chain     [][]byte        `cbor:"3,keyasint"` // the sender's, whole
	Device    wire.DeviceName `cbor:"4,keyasint"`
	To        wire.DeviceName `cbor:"5,keyasint"`
	TimeMS    uint64          `cbor:"6,keyasint"`
	Signature []byte          `cbor:"7,keyasint"` // by Device over the others
}

const (
	envelopeContext = "sotto envelope v1\x00"
	envelopeInfo    = "sotto inbox v1"
)

func (e Envelope) signed() []byte {
	e.Signature = []byte{}
	return append([]byte(envelopeContext), wire.Marshal(e)...)
}

// SealEnvelope signs and seals a body for a device.
func SealEnvelope(k *identity.Keys, chain *identity.Chain, to identity.Device, kind EnvelopeKind, body []byte, timeMS uint64) ([]byte, error) {
	e := Envelope{Kind: kind, Body: body, Chain: chain.Statements(0), Device: k.Name, To: to.Name, TimeMS: timeMS}
	e.Signature = ed25519.Sign(k.Signature, e.signed())
	return identity.Seal(to.Inbox, []byte(envelopeInfo), Pad(wire.Marshal(e)))
}

// OpenEnvelope opens what was sealed to this device and verifies chain and signature.
func OpenEnvelope(k *identity.Keys, sealed []byte) (Envelope, *identity.Chain, error) {
	var e Envelope
	if len(sealed) > wire.MaxInboxEntry {
		return e, nil, fmt.Errorf("%w: %d bytes", ErrJunk, len(sealed))
	}
	plain, err := k.Open([]byte(envelopeInfo), sealed)
	if err != nil {
		return e, nil, fmt.Errorf("%w: it does not open", ErrJunk)
	}
	b, err := Unpad(plain)
	if err != nil {
		return e, nil, err
	}
	if err := wire.Unmarshal(b, &e); err != nil {
		return e, nil, fmt.Errorf("%w: envelope: %w", ErrJunk, err)
	}
	chain, err := identity.Verify(e.Chain)
	if err != nil {
		return e, nil, err
	}
	d, ok := chain.Device(e.Device)
	if !ok || e.To != k.Name || !ed25519.Verify(d.Signature, e.signed(), e.Signature) {
		return e, nil, fmt.Errorf("%w: the envelope is not signed by who it says", ErrJunk)
	}
	return e, chain, nil
}

// Invitation is the body of EnvelopeInvitation: everything a device needs to enter.
type Invitation struct {
	Room       ID           `cbor:"1,keyasint"`
	Generation uint64       `cbor:"2,keyasint"`
	Kind       Kind         `cbor:"3,keyasint"`
	Host       string       `cbor:"4,keyasint"`
	At         Place        `cbor:"5,keyasint"` // the commit that added the device; Seq 0: the room was made so
	Cursor     wire.Secret  `cbor:"6,keyasint"` // the first secret, for the device to replace
	Welcome    []byte       `cbor:"7,keyasint"`
	Bundle     []byte       `cbor:"8,keyasint,omitempty"` // encoded Bundle, or
	Blob       *BundleBlob  `cbor:"9,keyasint,omitempty"` // where it lies
	Title      string       `cbor:"10,keyasint,omitempty"`
	First      []byte       `cbor:"11,keyasint,omitempty"` // for a stranger: MIMI content of the first message
	Move       *Move        `cbor:"12,keyasint,omitempty"` // the room moved here
	Known      *wire.Secret `cbor:"13,keyasint,omitempty"` // reserved: a private capability of the inviter
	Name       string       `cbor:"14,keyasint,omitempty"` // the name that the inviter shows: their claim
	Link       *LinkID      `cbor:"15,keyasint,omitempty"` // the link by which the recipient has asked for it
}

// Bundle is the ratchet tree and the chains that prove its leaves, each as far as the
// group knows it.
type Bundle struct {
	Tree   []byte  `cbor:"1,keyasint"`
	Chains []Proof `cbor:"2,keyasint"`
}

// BundleBlob names a bundle that was too large for the inbox: a blob at a host,
// encrypted with AES-128-GCM under a key of its own and a zero nonce.
type BundleBlob struct {
	Host string    `cbor:"1,keyasint"`
	Blob [16]byte  `cbor:"2,keyasint"`
	Key  [16]byte  `cbor:"3,keyasint"`
	Hash wire.Hash `cbor:"4,keyasint"` // of the blob
}

// Move says why and from where a room moved. The envelope's sender must be entitled
// to it in the epoch that the recipient holds.
type Move struct {
	From     Place   `cbor:"1,keyasint"` // the last valid entry of the generation before
	Culprits []Owner `cbor:"2,keyasint,omitempty"`
	Reason   string  `cbor:"3,keyasint,omitempty"`
}

// Rejoin is the body of EnvelopeRejoin: a device that lost its place asks to be
// removed and added again.
type Rejoin struct {
	Room       ID        `cbor:"1,keyasint"`
	Generation uint64    `cbor:"2,keyasint"`
	Seq        uint64    `cbor:"3,keyasint"` // the last entry it has
	Chain      wire.Hash `cbor:"4,keyasint"`
	KeyPackage []byte    `cbor:"5,keyasint"`
	Joined     Joined    `cbor:"6,keyasint"` // where to put the invitation
}

// ParseInvitation reads the body of EnvelopeInvitation.
func ParseInvitation(b []byte) (Invitation, error) {
	var i Invitation
	if err := wire.Unmarshal(b, &i); err != nil {
		return i, fmt.Errorf("%w: invitation: %w", ErrJunk, err)
	}
	host, err := wire.ParseHost(i.Host)
	switch {
	case err != nil || host != i.Host, i.Generation < 1, i.Kind < Pair || i.Kind > Alike,
		len(i.Title) > MaxTitle, (i.Bundle == nil) == (i.Blob == nil), CheckName(i.Name) != nil:
		return i, fmt.Errorf("%w: invitation out of bounds", ErrJunk)
	}
	if i.Blob != nil {
		if host, err := wire.ParseHost(i.Blob.Host); err != nil || host != i.Blob.Host {
			return i, fmt.Errorf("%w: invitation: blob host", ErrJunk)
		}
	}
	return i, nil
}

// ParseRejoin reads the body of EnvelopeRejoin.
func ParseRejoin(b []byte) (Rejoin, error) {
	var r Rejoin
	if err := wire.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%w: rejoin: %w", ErrJunk, err)
	}
	if host, err := wire.ParseHost(r.Joined.Host); err != nil || host != r.Joined.Host {
		return r, fmt.Errorf("%w: rejoin: host", ErrJunk)
	}
	return r, nil
}

// SealBundle encrypts a bundle for a blob under a fresh key, used once.
func SealBundle(key [16]byte, b Bundle) []byte {
	return bundleAEAD(key).Seal(nil, make([]byte, nonceSize), wire.Marshal(b), []byte("sotto bundle v1"))
}

// OpenBundle undoes SealBundle after checking the blob against its hash.
func OpenBundle(where BundleBlob, blob []byte) (Bundle, error) {
	if wire.Hash(sha256.Sum256(blob)) != where.Hash {
		return Bundle{}, fmt.Errorf("%w: another blob than the one named", ErrJunk)
	}
	plain, err := bundleAEAD(where.Key).Open(nil, make([]byte, nonceSize), blob, []byte("sotto bundle v1"))
	if err != nil {
		return Bundle{}, fmt.Errorf("%w: bundle does not open", ErrJunk)
	}
	return ParseBundle(plain)
}

// ParseBundle reads a bundle.
func ParseBundle(b []byte) (Bundle, error) {
	var out Bundle
	if err := wire.Unmarshal(b, &out); err != nil {
		return out, fmt.Errorf("%w: bundle: %w", ErrJunk, err)
	}
	return out, nil
}

func bundleAEAD(key [16]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 16 bytes are an AES key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// MustBundle reads a bundle that this program has written itself.
func MustBundle(b []byte) Bundle {
	out, err := ParseBundle(b)
	if err != nil {
		panic(err)
	}
	return out
}
