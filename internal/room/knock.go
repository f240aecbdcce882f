package room

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// LinkID names an invitation link among those of the device that made it.
type LinkID [16]byte

// Knock is the body of EnvelopeKnock: somebody who has a link asks to come into its room.
type Knock struct {
	Link  LinkID    `cbor:"1,keyasint"`
	Salt  [16]byte  `cbor:"2,keyasint"` // fresh: a knock is acted on once
	Proof wire.Hash `cbor:"3,keyasint"`
	Name  string    `cbor:"4,keyasint,omitempty"` // shown name
}

// ParseKnock reads the body of EnvelopeKnock.
func ParseKnock(b []byte) (Knock, error) {
	var k Knock
	if err := wire.Unmarshal(b, &k); err != nil {
		return k, fmt.Errorf("%w: knock: %w", ErrJunk, err)
	}
	if CheckName(k.Name) != nil {
		return k, fmt.Errorf("%w: knock: name", ErrJunk)
	}
	return k, nil
}

// NewKnock is a knock of an account at a link whose secret it has.
func NewKnock(link LinkID, secret wire.Secret, salt [16]byte, account identity.ID, name string) Knock {
	return Knock{Link: link, Salt: salt, Proof: knockProof(secret, link, salt, account), Name: name}
}

// Proves says whether whoever knocks has the link's secret. It is bound to the account that
// the envelope proves: what one has shown is of no use to another.
func (k Knock) Proves(secret wire.Secret, account identity.ID) bool {
	want := knockProof(secret, k.Link, k.Salt, account)
	return hmac.Equal(want[:], k.Proof[:])
}

// knockProof is HMAC-SHA256(secret, "sotto knock v1" || link || salt || account).
func knockProof(secret wire.Secret, link LinkID, salt [16]byte, account identity.ID) wire.Hash {
	m := hmac.New(sha256.New, secret[:])
	m.Write([]byte("sotto knock v1"))
	m.Write(link[:])
	m.Write(salt[:])
	m.Write(account[:])
	return wire.Hash(m.Sum(nil))
}
