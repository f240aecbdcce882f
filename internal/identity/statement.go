package identity

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"sotto/internal/wire"
)

// Kind says what a statement does.
type Kind uint8

// The kinds of statements.
const (
	Genesis      Kind = 1 // the handle, the first device, perhaps the recovery key
	AddDevice    Kind = 2
	RevokeDevice Kind = 3
	SetRecovery  Kind = 4 // the first one by any device, later ones only by the one before
	Move         Kind = 5 // the account lives at another handle now
	Settle       Kind = 6 // reserved: the recovery key decides between two statements for one place
)

// Device is one installation of sotto as the chain holds it.
type Device struct {
	Name      wire.DeviceName `cbor:"1,keyasint"`
	Signature []byte          `cbor:"2,keyasint"` // Ed25519 public key, 32 bytes
	Inbox     []byte          `cbor:"3,keyasint"` // X-Wing public key, 1216 bytes: invitations are sealed to it
}

// Recovery is the recovery key as the chain holds it.
type Recovery struct {
	Signature []byte `cbor:"1,keyasint"` // Ed25519 public key, 32 bytes
	Seal      []byte `cbor:"2,keyasint"` // X-Wing public key, 1216 bytes: the recovery record is sealed to it
}

// Statement is one place of a chain.
type Statement struct {
	Version  uint16           `cbor:"1,keyasint"`
	Kind     Kind             `cbor:"2,keyasint"`
	Position uint64           `cbor:"3,keyasint"`            // 0 for genesis
	Previous wire.Hash        `cbor:"4,keyasint"`            // hash of the statement before; zero for genesis
	Time     uint64           `cbor:"5,keyasint"`            // Unix seconds by the signer's clock; for people, decides nothing
	Signer   *wire.DeviceName `cbor:"6,keyasint,omitempty"`  // absent: the recovery key
	Handle   string           `cbor:"7,keyasint,omitempty"`  // Genesis, Move
	Device   *Device          `cbor:"8,keyasint,omitempty"`  // Genesis, AddDevice
	Revoked  *wire.DeviceName `cbor:"9,keyasint,omitempty"`  // RevokeDevice
	Recovery *Recovery        `cbor:"10,keyasint,omitempty"` // Genesis (optional), SetRecovery
}

// Signed is a statement with its signatures, as it crosses the network.
type Signed struct {
	Statement []byte `cbor:"1,keyasint"` // deterministic CBOR of Statement
	Signature []byte `cbor:"2,keyasint"` // by the signer
	// Possession is a signature by the key that an AddDevice or SetRecovery statement
	// brings into the chain: nobody can claim another's key.
	Possession []byte `cbor:"3,keyasint,omitempty"`
}

const (
	signContext       = "sotto chain v1\x00"
	possessionContext = "sotto chain possession v1\x00"
	keySize           = 1216 // X-Wing public key
)

// HashStatement names a statement: SHA-256 over its encoding, without signatures,
// which a signer could make again.
func HashStatement(statement []byte) wire.Hash {
	return sha256.Sum256(append([]byte(signContext), statement...))
}

// sign makes the signed form. possession is nil when the statement brings no key but
// the signer's own.
func sign(s *Statement, signer, possession ed25519.PrivateKey) []byte {
	b := wire.Marshal(s)
	out := Signed{Statement: b, Signature: ed25519.Sign(signer, append([]byte(signContext), b...))}
	if possession != nil {
		out.Possession = ed25519.Sign(possession, append([]byte(possessionContext), b...))
	}
	return wire.Marshal(out)
}

// parse takes a signed statement apart and checks its form, not its signatures.
func parse(b []byte) (*Statement, *Signed, error) {
	if len(b) > wire.MaxStatement {
		return nil, nil, fmt.Errorf("%w: a statement of %d bytes", ErrChain, len(b))
	}
	var signed Signed
	if err := wire.Unmarshal(b, &signed); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrChain, err)
	}
	var s Statement
	if err := wire.Unmarshal(signed.Statement, &s); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrChain, err)
	}
	if err := s.form(); err != nil {
		return nil, nil, err
	}
	return &s, &signed, nil
}

// ReadStatement reads a signed statement and checks its form. Whether it is true, a Chain
// says.
func ReadStatement(signed []byte) (Statement, error) {
	s, _, err := parse(signed)
	if err != nil {
		return Statement{}, err
	}
	return *s, nil
}

// form checks that exactly the fields of the kind are there, each of its size.
func (s *Statement) form() error {
	bad := func(what string) error {
		return fmt.Errorf("%w: statement %d: %s", ErrChain, s.Position, what)
	}
	if s.Version != 1 {
		return bad("written in a version this program does not know")
	}
	type fields struct{ handle, device, revoked, recovery bool }
	have := fields{s.Handle != "", s.Device != nil, s.Revoked != nil, s.Recovery != nil}
	var want fields
	switch s.Kind {
	case Genesis:
		want = fields{handle: true, device: true, recovery: have.recovery}
		if s.Position != 0 || s.Previous != (wire.Hash{}) || s.Signer == nil {
			return bad("a genesis statement elsewhere than at the beginning")
		}
	case AddDevice:
		want = fields{device: true}
	case RevokeDevice:
		want = fields{revoked: true}
	case SetRecovery:
		want = fields{recovery: true}
	case Move:
		want = fields{handle: true}
	default:
		return bad("of an unknown kind")
	}
	switch {
	case have != want:
		return bad("with fields of another kind")
	case s.Kind != Genesis && s.Position == 0:
		return bad("a chain begins with genesis")
	case s.Device != nil && (len(s.Device.Signature) != ed25519.PublicKeySize || len(s.Device.Inbox) != keySize):
		return bad("a device key of the wrong size")
	case s.Recovery != nil && (len(s.Recovery.Signature) != ed25519.PublicKeySize || len(s.Recovery.Seal) != keySize):
		return bad("a recovery key of the wrong size")
	}
	if s.Handle != "" {
		if h, err := wire.ParseHandle(s.Handle); err != nil || h.String() != s.Handle {
			return bad("a handle that is not in its normal form")
		}
	}
	return nil
}
