package room

import (
	"crypto/sha256"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// Inner is an entry without its seal.
type Inner struct {
	Message []byte  `cbor:"1,keyasint"`           // MLSMessage with a PrivateMessage
	Proofs  []Proof `cbor:"2,keyasint,omitempty"` // with a commit: what proves its leaves
}

// Proof is a run of an account's chain statements, from the head that the group knows
// on, or all of it.
type Proof struct {
	Account    identity.ID `cbor:"1,keyasint"`
	From       uint32      `cbor:"2,keyasint"` // position of the first one
	Statements [][]byte    `cbor:"3,keyasint"`
}

// ProofsHash is the authenticated data of a commit: the hash of its proofs, nil when it
// has none, so that the host cannot exchange them.
func ProofsHash(p []Proof) []byte {
	if len(p) == 0 {
		return nil
	}
	h := sha256.Sum256(append([]byte("sotto proofs v1"), wire.Marshal(p)...))
	return h[:]
}

// PayloadKind says what an application message is.
type PayloadKind uint8

// The kinds of application messages. 11 to 15 are reserved for calls.
const (
	PayloadContent PayloadKind = 1  // MIMI content
	PayloadStatus  PayloadKind = 2  // MIMI message status: receipts
	PayloadJoined  PayloadKind = 3  // Joined: a device's first act in a room
	PayloadClosed  PayloadKind = 4  // a pair's other room is the one; nothing follows here
	PayloadOffer   PayloadKind = 5  // Offer: a call begins
	PayloadAnswer  PayloadKind = 6  // Answer
	PayloadTaken   PayloadKind = 7  // Taken: which answer counts
	PayloadRenewal PayloadKind = 8  // Renewal, in the middle of a call
	PayloadRenewed PayloadKind = 9  // Renewal: the answer to one
	PayloadEnd     PayloadKind = 10 // End of a call
	PayloadNews    PayloadKind = 16 // reserved: chain statements and checkpoints
	PayloadProfile PayloadKind = 17 // Profile: what the sender's account shows of itself
	PayloadPicture PayloadKind = 18 // the picture that the room's context names
	PayloadPin     PayloadKind = 19 // Pin
	PayloadAgain   PayloadKind = 20 // MIMI content once more, which may have been read where it does not count
	PayloadKept    PayloadKind = 21 // Kept, in the self room only: what one person's devices keep alike
)

// Payload is the plaintext of an application message. Seq and Chain name the last
// entry that the sender had read: forks and drops show.
type Payload struct {
	Kind   PayloadKind `cbor:"1,keyasint"`
	Body   []byte      `cbor:"2,keyasint"`
	Seq    uint64      `cbor:"3,keyasint"`
	Chain  wire.Hash   `cbor:"4,keyasint"`
	TimeMS uint64      `cbor:"5,keyasint"` // sender's clock, Unix milliseconds
}

// ParsePayload reads an application message's plaintext.
func ParsePayload(b []byte) (Payload, error) {
	var p Payload
	if err := wire.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%w: payload: %w", ErrJunk, err)
	}
	return p, nil
}

// Joined tells the members where to put private invitations for this device: its
// inbox and a capability of this room's own.
type Joined struct {
	Host       string         `cbor:"1,keyasint"`
	Inbox      wire.InboxName `cbor:"2,keyasint"`
	Capability wire.Secret    `cbor:"3,keyasint"`
}

// ParseJoined reads the body of PayloadJoined.
func ParseJoined(b []byte) (Joined, error) {
	var j Joined
	if err := wire.Unmarshal(b, &j); err != nil {
		return j, fmt.Errorf("%w: joined: %w", ErrJunk, err)
	}
	host, err := wire.ParseHost(j.Host)
	if err != nil || host != j.Host {
		return j, fmt.Errorf("%w: joined: host", ErrJunk)
	}
	return j, nil
}
