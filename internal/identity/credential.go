package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"

	"sotto/internal/wire"
)

// Credential is what a leaf says of its owner: the identity of an MLS basic
// credential (RFC 9420 section 5.3), in deterministic CBOR.
type Credential struct {
	Version uint16          `cbor:"1,keyasint"`
	Account ID              `cbor:"2,keyasint"`
	Device  wire.DeviceName `cbor:"3,keyasint"`
	Head    wire.Hash       `cbor:"4,keyasint"` // of the chain, when the leaf was made
	Length  uint32          `cbor:"5,keyasint"`
	Handle  string          `cbor:"6,keyasint"` // a hint where to look; decides nothing
}

// CredentialOf is the credential of a device under a chain.
func CredentialOf(c *Chain, device wire.DeviceName) Credential {
	return Credential{Version: 1, Account: c.ID(), Device: device, Head: c.Head(), Length: uint32(c.Len()), Handle: c.Handle()}
}

// Marshal encodes the credential for a leaf.
func (c Credential) Marshal() []byte { return wire.Marshal(c) }

// ParseCredential reads a leaf's credential strictly.
func ParseCredential(b []byte) (Credential, error) {
	var c Credential
	if err := wire.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("credential: %w", err)
	}
	if c.Version != 1 || c.Length < 1 || c.Length > wire.MaxChain {
		return c, fmt.Errorf("credential: %w", wire.ErrMalformed)
	}
	// People read the handle, and a device may look there: it is in its normal form.
	if h, err := wire.ParseHandle(c.Handle); err != nil || h.String() != c.Handle {
		return c, fmt.Errorf("credential: its handle: %w", wire.ErrMalformed)
	}
	return c, nil
}

// Proves checks that the chain proves the leaf: the chain is the account's, had the
// credential's head at its length, and holds the device, active, with this key. All
// of it is judged at the end of the chain, so a device revoked later proves nothing.
func (c *Chain) Proves(cred Credential, leafKey ed25519.PublicKey) error {
	d, active := c.Device(cred.Device)
	switch {
	case c.ID() != cred.Account:
		return fmt.Errorf("%w: it is another account's", ErrChain)
	case !c.Includes(cred.Head, int(cred.Length)):
		return fmt.Errorf("%w: it does not hold what the leaf names", ErrChain)
	case !active:
		return fmt.Errorf("%w: it does not hold the leaf's device", ErrChain)
	case !bytes.Equal(d.Signature, leafKey):
		return fmt.Errorf("%w: the leaf's key is not the device's", ErrChain)
	}
	return nil
}

// SafetyNumber is what two people compare once: sixty digits in groups of five, thirty
// from each genesis statement, the smaller identity first. A group is five bytes of
// SHA-256("sotto safety number v1" || identity || group index) modulo 100,000.
func SafetyNumber(a, b ID) string {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	var groups []string
	for _, id := range []ID{a, b} {
		for i := range byte(6) {
			h := sha256.Sum256(append(append([]byte("sotto safety number v1"), id[:]...), i))
			n := uint64(h[0])<<32 | uint64(h[1])<<24 | uint64(h[2])<<16 | uint64(h[3])<<8 | uint64(h[4])
			groups = append(groups, fmt.Sprintf("%05d", n%100_000))
		}
	}
	return strings.Join(groups, " ")
}
