package room

import (
	"fmt"

	"sotto/internal/wire"
)

// HistoryPart is the body of EnvelopeHistory: where a chunk of this person's history lies
// (package archive), from one of their devices to another.
type HistoryPart struct {
	Index uint64      `cbor:"1,keyasint"`
	Last  bool        `cbor:"2,keyasint,omitempty"`
	Total uint64      `cbor:"3,keyasint,omitempty"` // messages in all
	Host  string      `cbor:"4,keyasint"`
	Blob  [16]byte    `cbor:"5,keyasint"`
	Hash  wire.Hash   `cbor:"6,keyasint"` // SHA-256 of the blob
	Erase wire.Secret `cbor:"7,keyasint"` // ends the blob once it is taken
	Key   [32]byte    `cbor:"8,keyasint"` // of the archive
}

// ParseHistoryPart reads the body of EnvelopeHistory.
func ParseHistoryPart(b []byte) (p HistoryPart, err error) {
	if err := wire.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%w: %w", ErrJunk, err)
	}
	if h, err := wire.ParseHost(p.Host); err != nil || h != p.Host {
		return p, fmt.Errorf("%w: its host", ErrJunk)
	}
	return p, nil
}
