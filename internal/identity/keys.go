package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"sotto/internal/wire"
)

// Keys are the private keys of one device.
type Keys struct {
	Name      wire.DeviceName
	Signature ed25519.PrivateKey
	seed      [32]byte // of the X-Wing inbox key
	inbox     hpke.PrivateKey
}

// NewKeys makes a device.
func NewKeys(rand io.Reader) (*Keys, error) {
	var raw [16 + 32 + 32]byte
	if _, err := io.ReadFull(rand, raw[:]); err != nil {
		return nil, fmt.Errorf("identity: randomness: %w", err)
	}
	defer clear(raw[:])
	return ParseKeys(raw[:])
}

// Marshal is the device's name and seeds, 80 bytes, for an encrypted store only.
func (k *Keys) Marshal() []byte {
	b := append([]byte(nil), k.Name[:]...)
	b = append(b, k.Signature.Seed()...)
	return append(b, k.seed[:]...)
}

// ParseKeys reads what Marshal wrote.
func ParseKeys(b []byte) (*Keys, error) {
	if len(b) != 80 {
		return nil, fmt.Errorf("identity: %d bytes are not the keys of a device", len(b))
	}
	k := &Keys{Name: wire.DeviceName(b[:16]), Signature: ed25519.NewKeyFromSeed(b[16:48]), seed: [32]byte(b[48:])}
	var err error
	if k.inbox, err = hpke.MLKEM768X25519().NewPrivateKey(k.seed[:]); err != nil {
		return nil, fmt.Errorf("identity: inbox key: %w", err)
	}
	return k, nil
}

// Device is the public half.
func (k *Keys) Device() Device {
	return Device{
		Name:      k.Name,
		Signature: k.Signature.Public().(ed25519.PublicKey),
		Inbox:     k.inbox.PublicKey().Bytes(),
	}
}

// Genesis opens an account with this device.
func (k *Keys) Genesis(h wire.Handle, now time.Time) []byte {
	d := k.Device()
	return sign(&Statement{Version: 1, Kind: Genesis, Time: uint64(now.Unix()), Signer: &k.Name, Handle: h.String(), Device: &d}, k.Signature, nil)
}

// next is a statement by this device at the end of the chain.
func (k *Keys) next(c *Chain, kind Kind, now time.Time) *Statement {
	return &Statement{Version: 1, Kind: kind, Position: uint64(c.Len()), Previous: c.Head(), Time: uint64(now.Unix()), Signer: &k.Name}
}

// AddDevice is the statement by which this device adds another.
func (k *Keys) AddDevice(c *Chain, other *Keys, now time.Time) []byte {
	s, d := k.next(c, AddDevice, now), other.Device()
	s.Device = &d
	return sign(s, k.Signature, other.Signature)
}

// ProposeDevice is the statement by which this device adds another of which it knows no more
// than the public half, before either has signed it: the other signs it first, with Possess,
// and AddProposed completes it.
func (k *Keys) ProposeDevice(c *Chain, d Device, now time.Time) []byte {
	s := k.next(c, AddDevice, now)
	s.Device = &d
	return wire.Marshal(s)
}

// AddProposed is the signed form of what ProposeDevice made and the added device possessed.
// The caller appends it to the chain, which verifies both signatures.
func (k *Keys) AddProposed(statement, possession []byte) []byte {
	return wire.Marshal(Signed{Statement: statement, Signature: ed25519.Sign(k.Signature, append([]byte(signContext), statement...)), Possession: possession})
}

// Possess signs, as the device that is added, a statement of ProposeDevice: it must be the
// next one of this chain, and add this device and no other.
func (k *Keys) Possess(c *Chain, statement []byte) ([]byte, error) {
	var s Statement
	if err := wire.Unmarshal(statement, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChain, err)
	}
	if err := s.form(); err != nil {
		return nil, err
	}
	d := k.Device()
	switch {
	case s.Kind != AddDevice, s.Position != uint64(c.Len()), s.Previous != c.Head(), s.Signer == nil, c.signerKey(&s) == nil:
		return nil, fmt.Errorf("%w: not the next statement that adds a device", ErrChain)
	case s.Device.Name != d.Name, !bytes.Equal(s.Device.Signature, d.Signature), !bytes.Equal(s.Device.Inbox, d.Inbox):
		return nil, fmt.Errorf("%w: it adds another device than this one", ErrChain)
	}
	return ed25519.Sign(k.Signature, append([]byte(possessionContext), statement...)), nil
}

// RevokeDevice is the statement by which this device revokes one.
func (k *Keys) RevokeDevice(c *Chain, name wire.DeviceName, now time.Time) []byte {
	s := k.next(c, RevokeDevice, now)
	s.Revoked = &name
	return sign(s, k.Signature, nil)
}

// SetRecovery is the statement by which this device sets the first recovery key.
func (k *Keys) SetRecovery(c *Chain, r *RecoveryKeys, now time.Time) []byte {
	s, pub := k.next(c, SetRecovery, now), r.Public()
	s.Recovery = &pub
	return sign(s, k.Signature, r.signature)
}

// Move is the statement by which this device moves the account to another handle.
func (k *Keys) Move(c *Chain, h wire.Handle, now time.Time) []byte {
	s := k.next(c, Move, now)
	s.Handle = h.String()
	return sign(s, k.Signature, nil)
}

// Open opens what Seal sealed to this device.
func (k *Keys) Open(info, sealed []byte) ([]byte, error) { return open(k.inbox, info, sealed) }

// RecoveryKeys are the private halves of a recovery key.
type RecoveryKeys struct {
	signature ed25519.PrivateKey
	seal      hpke.PrivateKey
}

// NewRecoveryKeys derives them from 32 bytes of entropy, the 24 words: the Ed25519
// seed and the X-Wing seed are HKDF-SHA256 (RFC 5869) of the entropy without salt,
// 32 bytes each, under an info of their own.
func NewRecoveryKeys(entropy [32]byte) (*RecoveryKeys, error) {
	derive := func(info string) ([]byte, error) { return hkdf.Key(sha256.New, entropy[:], nil, info, 32) }
	signature, err := derive("sotto recovery signature v1")
	if err != nil {
		return nil, fmt.Errorf("identity: recovery key: %w", err)
	}
	seed, err := derive("sotto recovery seal v1")
	if err != nil {
		return nil, fmt.Errorf("identity: recovery key: %w", err)
	}
	seal, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, fmt.Errorf("identity: recovery key: %w", err)
	}
	return &RecoveryKeys{signature: ed25519.NewKeyFromSeed(signature), seal: seal}, nil
}

// Public is the public half.
func (r *RecoveryKeys) Public() Recovery {
	return Recovery{Signature: r.signature.Public().(ed25519.PublicKey), Seal: r.seal.PublicKey().Bytes()}
}

// RevokeDevice is the statement by which the recovery key revokes a device.
func (r *RecoveryKeys) RevokeDevice(c *Chain, name wire.DeviceName, now time.Time) []byte {
	s := &Statement{Version: 1, Kind: RevokeDevice, Position: uint64(c.Len()), Previous: c.Head(), Time: uint64(now.Unix()), Revoked: &name}
	return sign(s, r.signature, nil)
}

// AddDevice is the statement by which the recovery key adds a device.
func (r *RecoveryKeys) AddDevice(c *Chain, device *Keys, now time.Time) []byte {
	d := device.Device()
	s := &Statement{Version: 1, Kind: AddDevice, Position: uint64(c.Len()), Previous: c.Head(), Time: uint64(now.Unix()), Device: &d}
	return sign(s, r.signature, device.Signature)
}

// Replace is the statement by which the recovery key puts another in its place.
func (r *RecoveryKeys) Replace(c *Chain, next *RecoveryKeys, now time.Time) []byte {
	pub := next.Public()
	s := &Statement{Version: 1, Kind: SetRecovery, Position: uint64(c.Len()), Previous: c.Head(), Time: uint64(now.Unix()), Recovery: &pub}
	return sign(s, r.signature, next.signature)
}

// Move is the statement by which the recovery key moves the account to another handle: back
// to where somebody with a device has moved it away from.
func (r *RecoveryKeys) Move(c *Chain, h wire.Handle, now time.Time) []byte {
	s := &Statement{Version: 1, Kind: Move, Position: uint64(c.Len()), Previous: c.Head(), Time: uint64(now.Unix()), Handle: h.String()}
	return sign(s, r.signature, nil)
}

// Open opens what Seal sealed to the recovery key.
func (r *RecoveryKeys) Open(info, sealed []byte) ([]byte, error) { return open(r.seal, info, sealed) }

// Seal encrypts to a device's inbox key, or to the recovery key: HPKE (RFC 9180) base mode with X-Wing,
// HKDF-SHA256 and AES-128-GCM; the encapsulated key stands in front.
func Seal(inbox, info, plaintext []byte) ([]byte, error) {
	pub, err := hpke.MLKEM768X25519().NewPublicKey(inbox)
	if err != nil {
		return nil, fmt.Errorf("identity: inbox key: %w", err)
	}
	return hpke.Seal(pub, hpke.HKDFSHA256(), hpke.AES128GCM(), info, plaintext)
}

func open(k hpke.PrivateKey, info, sealed []byte) ([]byte, error) {
	return hpke.Open(k, hpke.HKDFSHA256(), hpke.AES128GCM(), info, sealed)
}
