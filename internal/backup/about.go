package backup

import (
	"crypto/ed25519"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// About says whose past a backup holds, and since when.
type About struct {
	Account identity.ID `cbor:"1,keyasint"`
	Handle  string      `cbor:"2,keyasint"`
	Time    int64       `cbor:"3,keyasint"` // when it was begun, Unix milliseconds
}

// vouched is something of this package that a device of the account stands for: whoever knows
// the account's public keys could seal a backup, and the home server could put it in the
// place of the true one.
type vouched struct {
	Body      []byte          `cbor:"1,keyasint"`
	Device    wire.DeviceName `cbor:"2,keyasint"`
	Signature []byte          `cbor:"3,keyasint"`
}

// What is vouched for.
const (
	aboutContext   = "sotto backup v1\x00"
	pointerContext = "sotto backup pointer v1\x00"
)

func toSign(context string, account identity.ID, device wire.DeviceName, header wire.Hash, body []byte) []byte {
	b := append([]byte(context), account[:]...)
	b = append(append(b, device[:]...), header[:]...)
	return append(b, body...)
}

func vouch(context string, k *identity.Keys, account identity.ID, header wire.Hash, body []byte) vouched {
	return vouched{Body: body, Device: k.Name, Signature: ed25519.Sign(k.Signature, toSign(context, account, k.Name, header, body))}
}

// by says whether a device that the chain has ever held vouches: the last that did may be one
// that was lost.
func (v vouched) by(context string, chain *identity.Chain, header wire.Hash) bool {
	for _, x := range chain.Record(0) {
		if x.Device != nil && x.Device.Name == v.Device {
			return ed25519.Verify(x.Device.Signature, toSign(context, chain.ID(), v.Device, header, v.Body), v.Signature)
		}
	}
	return false
}
