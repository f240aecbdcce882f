package logs

import (
	"encoding/binary"
	"fmt"

	"sotto/internal/wire"
)

// record is what stands under a log's record key. Appends that change no more than
// the head do not write it: head, chain, time and size then follow from the last
// entry (state.go, load).
type record struct {
	Create  wire.Hash `cbor:"1,keyasint"` // of the request that made the log
	TTL     uint64    `cbor:"2,keyasint"` // milliseconds
	Token   wire.Hash `cbor:"3,keyasint"`
	Head    uint64    `cbor:"4,keyasint"`
	Chain   wire.Hash `cbor:"5,keyasint"` // at Head
	Time    uint64    `cbor:"6,keyasint"` // of the entry at Head, Unix milliseconds
	Size    uint64    `cbor:"7,keyasint"` // bytes of all entries through Head
	Erased  uint64    `cbor:"8,keyasint"` // bytes of those that are erased
	Held    []span    `cbor:"9,keyasint,omitempty"`
	Tail    uint64    `cbor:"10,keyasint"` // entries from here to the head stand
	Floor   uint64    `cbor:"11,keyasint"` // entries through here outlived their lifetime
	Swapped uint64    `cbor:"12,keyasint"` // time of the last swap, Unix milliseconds
	NextID  uint32    `cbor:"13,keyasint"` // of a cursor
	Due     uint64    `cbor:"14,keyasint"` // the log's due key, Unix milliseconds; 0: none
}

// span is a run of entries, both ends included.
type span struct {
	_        struct{} `cbor:",toarray"`
	From, To uint64
}

// place is what stands under a cursor's key.
type place struct {
	Tag     wire.Tag  `cbor:"1,keyasint"`
	Hash    wire.Hash `cbor:"2,keyasint"` // of its secret
	From    uint64    `cbor:"3,keyasint"` // it was added at this entry and reads what follows
	Acked   uint64    `cbor:"4,keyasint"`
	Added   uint64    `cbor:"5,keyasint"` // Unix milliseconds
	Claimed bool      `cbor:"6,keyasint,omitempty"`
	End     *ending   `cbor:"7,keyasint,omitempty"`
	Used    uint32    `cbor:"8,keyasint,omitempty"` // the week since 1970 of the last use; 0: not used since it was added
}

// week is the week since 1970 that a time lies in: how coarsely a use is remembered.
func week(ms uint64) uint32 { return uint32(ms / weekMillis) }

const weekMillis = 7 * 24 * 3600 * 1000

// abandoned is when a claimed cursor is dropped, Unix milliseconds.
func (p place) abandoned() uint64 {
	last := p.Added
	if p.Used != 0 {
		last = (uint64(p.Used) + 1) * weekMillis // the end of that week: never too early
	}
	return last + uint64(wire.CursorAbandoned.Milliseconds())
}

// ending is the entry that ended a cursor.
type ending struct {
	Seq   uint64    `cbor:"1,keyasint"`
	Chain wire.Hash `cbor:"2,keyasint"`
}

// stored is an entry as it stands under its key: a head of fixed length, then what
// the server did (CBOR, empty for an entry without swap), then the ciphertext.
type stored struct {
	time  uint64
	size  uint64 // of all entries through this one
	chain wire.Hash
	token wire.Hash // of the token it was appended with
	hash  wire.Hash // of the ciphertext
	did   []byte
	bytes []byte
}

const storedHead = 1 + 8 + 8 + 3*32 + 4 // format, time, size, three hashes, length of did

func (s stored) length() int { return storedHead + len(s.did) + len(s.bytes) }

// append appends the encoding, which has that length.
func (s stored) append(b []byte) []byte {
	b = append(b, 1)
	b = binary.BigEndian.AppendUint64(b, s.time)
	b = binary.BigEndian.AppendUint64(b, s.size)
	b = append(b, s.chain[:]...)
	b = append(b, s.token[:]...)
	b = append(b, s.hash[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.did)))
	b = append(b, s.did...)
	return append(b, s.bytes...)
}

// decodeStored takes a stored entry apart without copying.
func decodeStored(b []byte) (stored, error) {
	var s stored
	if len(b) < storedHead || b[0] != 1 {
		return s, fmt.Errorf("%w: stored entry", wire.ErrMalformed)
	}
	s.time = binary.BigEndian.Uint64(b[1:])
	s.size = binary.BigEndian.Uint64(b[9:])
	s.chain = wire.Hash(b[17:49])
	s.token = wire.Hash(b[49:81])
	s.hash = wire.Hash(b[81:113])
	n := binary.BigEndian.Uint32(b[113:])
	rest := b[storedHead:]
	if uint64(n) > uint64(len(rest)) {
		return s, fmt.Errorf("%w: stored entry", wire.ErrMalformed)
	}
	s.did, s.bytes = rest[:n], rest[n:]
	return s, nil
}

// entry copies a stored entry into what readers get.
func (s stored) entry(seq uint64) (wire.Entry, error) {
	e := wire.Entry{Seq: seq, TimeMS: s.time, Chain: s.chain, Bytes: append([]byte{}, s.bytes...)}
	if len(s.did) > 0 {
		e.Did = new(wire.Did)
		if err := wire.Unmarshal(s.did, e.Did); err != nil {
			return e, err
		}
	}
	return e, nil
}
