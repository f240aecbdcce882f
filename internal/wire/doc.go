// Package wire holds the nouns of the protocol: what crosses the network
// between a device and a server, the limits both sides enforce, and the codes a
// refusal carries. Clients and servers import it; it imports nothing of ours and
// knows no storage, no HTTP and no clock.
//
// Everything is deterministic CBOR (RFC 8949 section 4.2.1) in maps with small
// integer keys. docs/protocol.md is the same in CDDL.
package wire

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Version is the protocol version spoken here. A hello names the lowest and the
// highest version each side accepts.
const Version = 1

var (
	encMode   = mustEnc()
	decMode   = mustDec(cbor.ExtraDecErrorUnknownField)
	looseMode = mustDec(cbor.ExtraDecErrorNone)
)

func mustEnc() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty // an empty byte string, never null
	m, err := o.EncMode()
	if err != nil {
		panic(err) // constant options: cannot fail
	}
	return m
}

func mustDec(extra cbor.ExtraDecErrorCond) cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: extra,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxNestedLevels:   8,
		MaxArrayElements:  4096,
		MaxMapPairs:       64,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	}.DecMode()
	if err != nil {
		panic(err) // constant options: cannot fail
	}
	return m
}

// ErrMalformed is any input that is not the strict encoding of what was asked for.
var ErrMalformed = errors.New("malformed")

// Marshal encodes v as deterministic CBOR. v is one of this package's own nouns,
// so a failure is a bug of the caller and panics.
func Marshal(v any) []byte {
	b, err := encMode.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("wire: marshal %T: %v", v, err))
	}
	return b
}

// Unmarshal decodes strictly: b must be the one deterministic encoding of what it
// holds. So there are no unknown, doubled or missing keys, no names or hashes of
// another length, no indefinite lengths, no tags and no trailing bytes. Errors wrap
// ErrMalformed.
func Unmarshal(b []byte, v any) error {
	if err := decMode.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	again, err := encMode.Marshal(v)
	if err != nil || !bytes.Equal(again, b) {
		return fmt.Errorf("%w: not the deterministic encoding", ErrMalformed)
	}
	return nil
}

// UnmarshalLoose decodes without that and passes over keys that v does not name: for
// looking at a version before anything else.
func UnmarshalLoose(b []byte, v any) error {
	if err := looseMode.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return nil
}
