package inbox

import (
	"encoding/binary"
	"fmt"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// Keys. Everything of one inbox stands under "Ib" and its name:
//
//	Ib <name 16> 0                 the inbox's record
//	Ib <name 16> c <SHA-256 32>    a private capability, and how many entries it holds
//	Ib <name 16> e <seq 8>         an entry
//	Ib <name 16> h <SHA-256 32>    where the entry with this hash stands
//	Io <owner>                     the owner's inbox
//	Ix <milliseconds 8> <name 16>  when to look after an inbox
const (
	boxPrefix   = "Ib"
	ownerPrefix = "Io"
	duePrefix   = "Ix"

	kindRecord     = "0"
	kindCapability = "c"
	kindEntry      = "e"
	kindHash       = "h"
)

// Rows declares what this package keeps.
var Rows = engine.Inventory{
	{Prefix: boxPrefix, Name: 16, Kind: kindRecord, Holds: "an inbox: its owner's key, hash of its public capability, how far it was read", Until: "its owner drops it"},
	{Prefix: boxPrefix, Name: 16, Kind: kindCapability, Holds: "the hash of a private capability, and how many entries came by it and stand", Until: "its owner drops it"},
	{Prefix: boxPrefix, Name: 16, Kind: kindEntry, Holds: "an entry: ciphertext, time of arrival, and by which private capability it came", Until: "its owner has read it; 14 days from strangers, 30 days from contacts"},
	{Prefix: boxPrefix, Name: 16, Kind: kindHash, Holds: "the SHA-256 of an entry's ciphertext", Until: "the entry is erased"},
	{Prefix: ownerPrefix, Holds: "which inbox an owner has", Until: "its owner drops it"},
	{Prefix: duePrefix, Holds: "when an inbox is looked after next", Until: "then"},
}

func boxKey(name wire.InboxName, kind string, more ...byte) []byte {
	k := append(append([]byte(boxPrefix), name[:]...), kind...)
	return append(k, more...)
}

func entryKey(name wire.InboxName, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(boxKey(name, kindEntry), seq)
}

func ownerKey(owner []byte) []byte { return append([]byte(ownerPrefix), owner...) }

func dueKey(ms uint64, name wire.InboxName) []byte {
	return append(binary.BigEndian.AppendUint64([]byte(duePrefix), ms), name[:]...)
}

func seqOf(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b[len(b)-8:])
}

// record is what stands under an inbox's record key.
type record struct {
	Owner     []byte    `cbor:"1,keyasint"`
	Public    wire.Hash `cbor:"2,keyasint"`
	Head      uint64    `cbor:"3,keyasint"`
	Acked     uint64    `cbor:"4,keyasint"`
	Strangers uint64    `cbor:"5,keyasint"` // entries that stand and came by a public capability
	Private   uint64    `cbor:"6,keyasint"` // private capabilities
	Due       uint64    `cbor:"7,keyasint"` // Unix milliseconds, 0: none
	Time      uint64    `cbor:"8,keyasint"` // of the entry at Head
}

// stored is an entry as it stands under its key: a head of fixed length, then the
// ciphertext.
type stored struct {
	time, until uint64    // Unix milliseconds
	by          wire.Hash // of the private capability; zero: public
	bytes       []byte
}

const storedHead = 1 + 8 + 8 + 32

func (s stored) encode() []byte {
	b := make([]byte, 0, storedHead+len(s.bytes))
	b = append(b, 1)
	b = binary.BigEndian.AppendUint64(b, s.time)
	b = binary.BigEndian.AppendUint64(b, s.until)
	b = append(b, s.by[:]...)
	return append(b, s.bytes...)
}

// decodeStored takes a stored entry apart without copying.
func decodeStored(b []byte) (stored, error) {
	if len(b) < storedHead || b[0] != 1 {
		return stored{}, fmt.Errorf("%w: stored inbox entry", wire.ErrMalformed)
	}
	return stored{
		time:  binary.BigEndian.Uint64(b[1:]),
		until: binary.BigEndian.Uint64(b[9:]),
		by:    wire.Hash(b[17:49]),
		bytes: b[storedHead:],
	}, nil
}
