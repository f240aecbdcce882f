package room

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"

	"sotto/internal/wire"
)

// Signals are what members say to each other only while they watch: nothing of them is
// stored, and they never touch the message ratchet. Each is sealed under a key of the epoch
// and signed by the leaf that sends it.

// SignalKind says what a signal is.
type SignalKind uint8

// The kinds of signals. 16 to 31 belong to calls. Unknown kinds are passed over.
const (
	SignalTyping SignalKind = 1  // Switch: the sender writes, or has stopped
	SignalHere   SignalKind = 2  // Switch: the sender is here, or has gone
	SignalRing   SignalKind = 16 // Ring: the sender's device rings
	SignalICE    SignalKind = 17 // Candidates
)

const (
	signalVersion byte = 1
	saltSize           = 16
	signalFront        = 1 + saltSize
	signalContext      = "sotto signal v1\x00"
	// MaxSignalBody is how many bytes a signal may say: with padding, signature and tag it
	// stays below wire.MaxSignal.
	MaxSignalBody = 12 << 10
	// SignalDrift is how far the clocks of a signal's sender and reader may be apart,
	// milliseconds.
	SignalDrift = 10 * 60_000
)

// Signal is what a signal says.
type Signal struct {
	Leaf   uint32 // who says it: an index in the group's tree
	Kind   SignalKind
	Body   []byte
	TimeMS uint64 // sender's clock, Unix milliseconds; grows with each signal of a leaf
}

// signalPlain is a signal inside its seal. Its signature covers epoch, log and salt too, so
// that no member can show another's signal again somewhere else.
type signalPlain struct {
	Leaf      uint32     `cbor:"1,keyasint"`
	Kind      SignalKind `cbor:"2,keyasint"`
	Body      []byte     `cbor:"3,keyasint"`
	TimeMS    uint64     `cbor:"4,keyasint"`
	Signature []byte     `cbor:"5,keyasint"` // Ed25519, by the leaf's key
}

// signalSigned is what the signature of a signal covers, after signalContext.
type signalSigned struct {
	Log    wire.LogName   `cbor:"1,keyasint"`
	Epoch  uint64         `cbor:"2,keyasint"`
	Salt   [saltSize]byte `cbor:"3,keyasint"`
	Leaf   uint32         `cbor:"4,keyasint"`
	Kind   SignalKind     `cbor:"5,keyasint"`
	Body   []byte         `cbor:"6,keyasint"`
	TimeMS uint64         `cbor:"7,keyasint"`
}

func (k *SignalKey) signed(salt [saltSize]byte, s Signal) []byte {
	return append([]byte(signalContext), wire.Marshal(signalSigned{k.log, k.Epoch, salt, s.Leaf, s.Kind, s.Body, s.TimeMS})...)
}

// SignalKey seals and opens the signals of one epoch, and remembers which were opened.
type SignalKey struct {
	Epoch  uint64
	log    wire.LogName
	secret []byte
	latest map[uint32]uint64 // by leaf: the time of its last signal
}

// NewSignalKey exports the key of the exporter's epoch, whose number is epoch.
func NewSignalKey(e Exporter, log wire.LogName, epoch uint64) (*SignalKey, error) {
	secret, err := e.Export(labelSignal, log[:], 32)
	if err != nil {
		return nil, err
	}
	return &SignalKey{Epoch: epoch, log: log, secret: secret, latest: map[uint32]uint64{}}, nil
}

// Erase overwrites the key.
func (k *SignalKey) Erase() { clear(k.secret) }

// aead derives the key and the nonce of one signal from its salt (HKDF-Expand, RFC 5869
// section 2.3): a salt is used once, so the nonce is too.
func (k *SignalKey) aead(salt [saltSize]byte) (cipher.AEAD, []byte, error) {
	okm, err := hkdf.Expand(sha256.New, k.secret, "sotto signal v1"+string(salt[:]), 16+nonceSize)
	if err != nil {
		return nil, nil, err
	}
	defer clear(okm[:16])
	block, err := aes.NewCipher(okm[:16])
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, okm[16:], err
}

// Seal signs and seals a signal of this device's leaf.
func (k *SignalKey) Seal(rand io.Reader, key ed25519.PrivateKey, s Signal) ([]byte, error) {
	if len(s.Body) > MaxSignalBody {
		return nil, fmt.Errorf("room: a signal of %d bytes", len(s.Body))
	}
	var salt [saltSize]byte
	if _, err := io.ReadFull(rand, salt[:]); err != nil {
		return nil, err
	}
	aead, nonce, err := k.aead(salt)
	if err != nil {
		return nil, err
	}
	p := signalPlain{s.Leaf, s.Kind, s.Body, s.TimeMS, ed25519.Sign(key, k.signed(salt, s))}
	front := append([]byte{signalVersion}, salt[:]...)
	return aead.Seal(front, nonce, Pad(wire.Marshal(p)), append(k.log[:], front...)), nil
}

// Open undoes Seal. leafKey answers the signature key of a leaf of the group as it is now,
// nil for none. What does not open, is signed by somebody else, was opened before, or is of
// another time than now is ErrJunk: a host may hand anything on, and again.
func (k *SignalKey) Open(sealed []byte, leafKey func(leaf uint32) ed25519.PublicKey, nowMS int64) (Signal, error) {
	var s Signal
	if len(sealed) < signalFront || len(sealed) > wire.MaxSignal || sealed[0] != signalVersion {
		return s, fmt.Errorf("%w: not a signal", ErrJunk)
	}
	salt := [saltSize]byte(sealed[1:signalFront])
	aead, nonce, err := k.aead(salt)
	if err != nil {
		return s, err
	}
	plain, err := aead.Open(nil, nonce, sealed[signalFront:], append(k.log[:], sealed[:signalFront]...))
	if err != nil {
		return s, fmt.Errorf("%w: a signal that does not open", ErrJunk)
	}
	b, err := Unpad(plain)
	if err != nil {
		return s, err
	}
	var p signalPlain
	if err := wire.Unmarshal(b, &p); err != nil {
		return s, fmt.Errorf("%w: signal: %w", ErrJunk, err)
	}
	s = Signal{p.Leaf, p.Kind, p.Body, p.TimeMS}
	key := leafKey(p.Leaf)
	if len(p.Body) > MaxSignalBody || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, k.signed(salt, s), p.Signature) {
		return s, fmt.Errorf("%w: a signal that its leaf has not signed", ErrJunk)
	}
	return s, k.fresh(s, nowMS)
}

// fresh takes each signal once. The times of a leaf's signals only grow, so that one number
// for each leaf is enough to know which were there; one whose time is far from now may have
// been there before this device began to look.
func (k *SignalKey) fresh(s Signal, nowMS int64) error {
	if s.TimeMS > 1<<53 || int64(s.TimeMS) > nowMS+SignalDrift || int64(s.TimeMS) < nowMS-SignalDrift {
		return fmt.Errorf("%w: a signal of another time", ErrJunk)
	}
	if s.TimeMS <= k.latest[s.Leaf] {
		return fmt.Errorf("%w: a signal that was there before", ErrJunk)
	}
	k.latest[s.Leaf] = s.TimeMS
	return nil
}

// Switch is the body of signals that say whether something is so: one byte.
func Switch(on bool) []byte {
	if on {
		return []byte{1}
	}
	return []byte{0}
}

// ParseSwitch reads the body of such a signal.
func ParseSwitch(b []byte) (on bool, err error) {
	if len(b) != 1 || b[0] > 1 {
		return false, fmt.Errorf("%w: neither on nor off", ErrJunk)
	}
	return b[0] == 1, nil
}
