package backup

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"sotto/internal/archive"
	"sotto/internal/identity"
	"sotto/internal/wire"
)

// Limits of what stands at a home server.
const (
	maxParts  = 100_000
	MaxIndex  = 14 << 20 // bytes of an index before it is sealed
	pointSize = 4 << 10  // bytes of a sealed pointer, always
	overhead  = 1120 + 16
)

const pointerInfo = "sotto backup pointer v1"

// Index lists the blobs of a backup at the home server, in the order of what they hold.
type Index struct {
	Time     int64  `cbor:"1,keyasint"` // when it was begun, Unix milliseconds
	Messages uint64 `cbor:"2,keyasint,omitempty"`
	Parts    []Part `cbor:"3,keyasint"`
}

// Part is one blob: a chunk, sealed under a key of its own, so that a chunk that is the same
// as in the last backup is not put again.
type Part struct {
	Blob  [16]byte    `cbor:"1,keyasint"`
	Hash  wire.Hash   `cbor:"2,keyasint"` // of the blob
	Key   archive.Key `cbor:"3,keyasint"`
	Erase wire.Secret `cbor:"4,keyasint"`
}

// Pointer leads from the 24 words to the index.
type Pointer struct {
	Time  int64       `cbor:"1,keyasint"`
	Index Part        `cbor:"2,keyasint"`
	Size  uint64      `cbor:"3,keyasint,omitempty"` // bytes of all blobs
	Count uint64      `cbor:"4,keyasint,omitempty"` // messages
	Until int64       `cbor:"5,keyasint"`           // when the first of the blobs ends, Unix milliseconds
	By    identity.ID `cbor:"6,keyasint"`           // the account
}

// SealBlob seals bytes as a blob under a key that is used for it alone. Its size tells little.
func SealBlob(key archive.Key, b []byte) ([]byte, error) {
	aead, err := streamKey(key, wire.Hash{})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteByte(Version)
	s := sealing{to: &out, aead: aead, buf: make([]byte, 0, segment)}
	if _, err := s.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b)))); err != nil {
		return nil, err
	}
	if _, err := s.Write(b); err != nil {
		return nil, err
	}
	err = s.close()
	return out.Bytes(), err
}

// OpenBlob opens what SealBlob sealed.
func OpenBlob(key archive.Key, b []byte) ([]byte, error) {
	switch {
	case len(b) < 1 || b[0] == 0:
		return nil, ErrDamaged
	case b[0] > Version:
		return nil, ErrNewer
	}
	aead, err := streamKey(key, wire.Hash{})
	if err != nil {
		return nil, err
	}
	o := opening{from: bufio.NewReaderSize(bytes.NewReader(b[1:]), segment+tag+1), aead: aead}
	plain, err := io.ReadAll(&o)
	if err != nil {
		return nil, err
	}
	n := uint64(binary.BigEndian.Uint32(plain)) // padding leaves no less than 4 KiB
	if 4+n > uint64(len(plain)) || uint64(len(plain)) != padded(4+n) || len(bytes.Trim(plain[4+n:], "\x00")) != 0 {
		return nil, ErrInvalid
	}
	return plain[4 : 4+n], nil
}

// Marshal is the index, to be sealed as a blob.
func (x Index) Marshal() ([]byte, error) {
	b := wire.Marshal(x)
	if len(b) > MaxIndex || len(x.Parts) > maxParts {
		return nil, ErrInvalid
	}
	return b, nil
}

// ParseIndex reads an index that was opened.
func ParseIndex(plain []byte) (x Index, err error) {
	defer clear(plain)
	if len(plain) > MaxIndex || wire.Unmarshal(plain, &x) != nil || len(x.Parts) == 0 || len(x.Parts) > maxParts {
		return Index{}, ErrInvalid
	}
	return x, nil
}

// SealPointer seals a pointer to the recovery key of an account, as a device of it.
func SealPointer(k *identity.Keys, chain *identity.Chain, p Pointer) ([]byte, error) {
	to := chain.Recovery()
	if to == nil {
		return nil, ErrNoWay
	}
	p.By = chain.ID()
	plain := append(wire.Marshal(vouch(pointerContext, k, chain.ID(), wire.Hash{}, wire.Marshal(p))), 0x80)
	if len(plain) > pointSize-overhead {
		return nil, ErrInvalid
	}
	return identity.Seal(to.Seal, []byte(pointerInfo), append(plain, make([]byte, pointSize-overhead-len(plain))...))
}

// OpenPointer opens a pointer with the recovery key. A device that the chain has ever held
// must have made it.
func OpenPointer(k *identity.RecoveryKeys, chain *identity.Chain, sealed []byte) (p Pointer, err error) {
	if len(sealed) != pointSize {
		return p, ErrDamaged
	}
	plain, err := k.Open([]byte(pointerInfo), sealed)
	if err != nil {
		return p, ErrWords
	}
	defer clear(plain)
	end := bytes.LastIndexByte(plain, 0x80)
	if end < 0 || len(bytes.Trim(plain[end+1:], "\x00")) != 0 {
		return p, ErrInvalid
	}
	var v vouched
	if err := wire.Unmarshal(plain[:end], &v); err != nil {
		return p, errors.Join(ErrInvalid, err)
	}
	if !v.by(pointerContext, chain, wire.Hash{}) {
		return p, ErrForged
	}
	if err := wire.Unmarshal(v.Body, &p); err != nil || p.By != chain.ID() {
		return Pointer{}, ErrInvalid
	}
	return p, nil
}
