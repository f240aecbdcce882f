package room

import (
	"fmt"

	"sotto/internal/wire"
)

// Return is the body of EnvelopeReturn: somebody who lost every device asks, on the device
// that the recovery key has added, to be let in again. It needs a member's word.
type Return struct {
	Room       ID     `cbor:"1,keyasint"`
	Generation uint64 `cbor:"2,keyasint"` // the last that is known to have been
	KeyPackage []byte `cbor:"3,keyasint"`
	Joined     Joined `cbor:"4,keyasint"` // where to put the invitation
}

// ParseReturn reads the body of EnvelopeReturn.
func ParseReturn(b []byte) (Return, error) {
	var r Return
	if err := wire.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%w: return: %w", ErrJunk, err)
	}
	if host, err := wire.ParseHost(r.Joined.Host); err != nil || host != r.Joined.Host || r.Generation < 1 || len(r.KeyPackage) > wire.MaxKeyPackage {
		return r, fmt.Errorf("%w: return out of bounds", ErrJunk)
	}
	return r, nil
}
