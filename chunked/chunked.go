package chunked

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
)

// Sizes, in bytes.
const (
	ChunkSize  = 16 << 10             // of plaintext; the last chunk is shorter
	TagSize    = 16                   // that each chunk grows by
	HeaderSize = saltSize + commitLen // before the first chunk
	MaxSize    = 1 << 46              // of plaintext: 2^32 chunks, the least that section "Message chunking" allows as a limit

	sealedChunk = ChunkSize + TagSize
	saltSize    = 24
	commitLen   = 32
	nonceSize   = 12
)

// Errors of opening; test with errors.Is.
var (
	// ErrKey: the key, the salt or the context is another one than that of the file.
	ErrKey = errors.New("chunked: this is not the key of this file")
	// ErrChunk: a chunk was changed, or stands where another belongs.
	ErrChunk = errors.New("chunked: a part of this file was changed")
	// ErrLength: the file was cut, or is longer than it may be.
	ErrLength = errors.New("chunked: this file was cut or is too long")
)

// Key is the input key of one file: 16 bytes from a good random source, never used for another.
type Key [16]byte

// Salt is sealed with a file and stands at its beginning. It must not repeat under a key.
type Salt [saltSize]byte

// Cipher seals or opens the chunks of one file. It is safe for concurrent use.
type Cipher struct {
	header [HeaderSize]byte
	aead   cipher.AEAD
	nonce  [nonceSize]byte
}

// New derives what seals a file, section "Key derivation". context is bound to it and may be
// empty: who opens the file needs the same.
func New(key Key, salt Salt, context []byte) *Cipher {
	info := append([]byte("c2sp.org/chunked-encryption@v1+AEAD_AES_128_GCM\x00"), salt[:]...)
	out, err := hkdf.Expand(sha512.New, key[:], string(append(info, context...)), len(key)+nonceSize+commitLen)
	if err != nil { // of a length that is constant
		panic(err)
	}
	defer clear(out)
	block, err := aes.NewCipher(out[:len(key)])
	if err != nil {
		panic(err)
	}
	c := &Cipher{nonce: [nonceSize]byte(out[len(key):])}
	if c.aead, err = cipher.NewGCM(block); err != nil {
		panic(err)
	}
	copy(c.header[:], salt[:])
	copy(c.header[saltSize:], out[len(key)+nonceSize:])
	return c
}

// Open derives what opens the file that begins with header, and checks that the key is its
// own: else ErrKey.
func Open(key Key, header [HeaderSize]byte, context []byte) (*Cipher, error) {
	c := New(key, Salt(header[:saltSize]), context)
	if subtle.ConstantTimeCompare(c.header[:], header[:]) != 1 {
		return nil, ErrKey
	}
	return c, nil
}

// Header is what stands before the first chunk: salt and commitment.
func (c *Cipher) Header() [HeaderSize]byte { return c.header }

// at is the nonce of a chunk, section "AEAD usage".
func (c *Cipher) at(chunk int64) (n [nonceSize]byte) {
	n = c.nonce
	for i := range 8 {
		n[nonceSize-1-i] ^= byte(uint64(chunk) >> (8 * i))
	}
	return n
}

// Seal appends a sealed chunk to dst. plain is a whole chunk, or the shorter last one. A chunk
// must never be sealed twice with different content: that would give its key away.
func (c *Cipher) Seal(dst []byte, chunk int64, plain []byte) []byte {
	n := c.at(chunk)
	return c.aead.Seal(dst, n[:], plain, nil)
}

// Unseal appends what a sealed chunk holds to dst. sealed may lie where it goes to.
func (c *Cipher) Unseal(dst []byte, chunk int64, sealed []byte) ([]byte, error) {
	n := c.at(chunk)
	out, err := c.aead.Open(dst, n[:], sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w (%d)", ErrChunk, chunk)
	}
	return out, nil
}

// SealedSize is how many bytes a file of plain bytes has when it is sealed. There is one short
// chunk at its end, which may be empty.
func SealedSize(plain int64) int64 {
	return HeaderSize + plain + (plain/ChunkSize+1)*TagSize
}

// PlainSize is how many bytes a sealed file holds; ErrLength when no file has that length.
func PlainSize(sealed int64) (int64, error) {
	body := sealed - HeaderSize
	last := body % sealedChunk
	plain := body - (body/sealedChunk+1)*TagSize
	if body < 0 || last < TagSize || plain > MaxSize {
		return 0, ErrLength
	}
	return plain, nil
}
