package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"

	"sotto/internal/archive"
	"sotto/internal/identity"
	"sotto/internal/wire"
)

// magic begins a backup.
const magic = "sotto-backup"

// sumLen is how much of its hash stands behind a header: a mistake of the disk in it is told
// from wrong words.
const sumLen = 8

// Header says who can open a backup, and nothing else in the clear.
type Header struct {
	Words  []byte  `cbor:"1,keyasint,omitempty"` // the key, sealed to the recovery key of the account
	Locked *Locked `cbor:"2,keyasint,omitempty"`
}

// To is whom a backup is sealed to: at least one of the two.
type To struct {
	Words *identity.Recovery // as it stands in the account's chain
	Lock  *Lock
	Nonce [12]byte // with a lock: random
}

// header seals the key of a backup.
func (t To) header(key archive.Key) (h Header, err error) {
	if t.Words == nil && t.Lock == nil {
		return h, ErrNoWay
	}
	if t.Words != nil {
		if h.Words, err = identity.Seal(t.Words.Seal, []byte(wordsInfo), key[:]); err != nil {
			return h, err
		}
	}
	if t.Lock != nil {
		h.Locked, err = t.Lock.lock(t.Nonce, key)
	}
	return h, err
}

// encode is the header as it begins a file, and its hash.
func (h Header) encode() ([]byte, wire.Hash) {
	body := wire.Marshal(h)
	b := append([]byte(magic), Version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	b = append(b, body...)
	sum := wire.Hash(sha256.Sum256(b))
	return append(b, sum[:sumLen]...), sum
}

// readHeader reads what begins a file.
func readHeader(r io.Reader) (h Header, sum wire.Hash, err error) {
	cut := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return ErrCut
		}
		return err
	}
	b := make([]byte, len(magic)+1+2)
	if n, err := io.ReadFull(r, b); n < len(magic) || !bytes.Equal(b[:len(magic)], []byte(magic)) {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return h, sum, err
		}
		return h, sum, ErrNone
	} else if err != nil {
		return h, sum, cut(err)
	}
	switch v := b[len(magic)]; {
	case v == 0:
		return h, sum, ErrDamaged
	case v > Version:
		return h, sum, ErrNewer
	}
	n := int(binary.BigEndian.Uint16(b[len(magic)+1:]))
	if n > maxHeader {
		return h, sum, ErrDamaged
	}
	rest := make([]byte, n+sumLen)
	if _, err := io.ReadFull(r, rest); err != nil {
		return h, sum, cut(err)
	}
	sum = sha256.Sum256(append(b, rest[:n]...))
	if !bytes.Equal(sum[:sumLen], rest[n:]) {
		return h, sum, ErrDamaged
	}
	if err := wire.Unmarshal(rest[:n], &h); err != nil {
		return h, sum, ErrInvalid
	}
	if h.Words == nil && h.Locked == nil || h.Locked != nil && !h.Locked.sound() || h.Words != nil && len(h.Words) == 0 {
		return Header{}, sum, ErrInvalid
	}
	return h, sum, nil
}
