package archive

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"sotto/internal/wire"
)

// Key opens the chunks of one archive. It is used for that archive alone.
type Key [32]byte

const sealInfo = "sotto archive v1"

// aead is AES-256-GCM under HKDF-SHA256 (RFC 5869) of the key.
func (k Key) aead() (cipher.AEAD, error) {
	b, err := hkdf.Key(sha256.New, k[:], nil, sealInfo, 32)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	c, err := aes.NewCipher(b)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(c)
}

// nonce says which chunk it is, and whether it is the last: as in STREAM (Hoang, Reyhanitabar,
// Rogaway, Vizár, 2015), chunks can be neither dropped, reordered nor cut off unnoticed.
func nonce(index uint64, last bool) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 3, 12), index)
	if last {
		return append(b, 1)
	}
	return append(b, 0)
}

// Seal encodes and seals a chunk.
func Seal(k Key, c Chunk) ([]byte, error) {
	a, err := k.aead()
	if err != nil {
		return nil, err
	}
	encoded := Encode(c)
	defer clear(encoded)
	sealed := a.Seal([]byte{Version}, nonce(c.Index, c.Last), encoded[1:], []byte(sealInfo))
	if len(sealed) > MaxChunk {
		return nil, fmt.Errorf("%w: a chunk of %d bytes", ErrInvalid, len(sealed))
	}
	return sealed, nil
}

// Open opens the chunk with a number. last is what Seal was told.
func Open(k Key, index uint64, last bool, sealed []byte) (c Chunk, err error) {
	if len(sealed) < 1 || len(sealed) > MaxChunk {
		return c, ErrSealed
	}
	if sealed[0] > Version {
		return c, ErrNewer
	}
	a, err := k.aead()
	if err != nil {
		return c, err
	}
	plain, err := a.Open(nil, nonce(index, last), sealed[1:], []byte(sealInfo))
	if err != nil || sealed[0] == 0 {
		return c, ErrSealed
	}
	defer clear(plain)
	if c, err = decode(plain, index); err == nil && c.Last != last {
		return c, ErrInvalid
	}
	return c, err
}

// Encode is a chunk for who seals it: the version, and the chunk.
func Encode(c Chunk) []byte {
	c.Version = Version
	return append([]byte{Version}, wire.Marshal(c)...)
}

// Decode reads what Encode made, as the chunk with a number.
func Decode(b []byte, index uint64) (c Chunk, err error) {
	switch {
	case len(b) < 1 || b[0] == 0:
		return c, ErrInvalid
	case b[0] > Version:
		return c, ErrNewer
	}
	return decode(b[1:], index)
}

func decode(plain []byte, index uint64) (c Chunk, err error) {
	if err := wire.Unmarshal(plain, &c); err != nil {
		return c, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if c.Version == 0 || c.Version > Version || c.Index != index {
		return c, ErrInvalid
	}
	return c, nil
}
