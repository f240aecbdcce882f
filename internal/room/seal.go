package room

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"math/bits"

	"sotto/internal/wire"
)

// Exporter is an epoch's exporter (RFC 9420 section 8.5): a group or a staged commit.
type Exporter interface {
	Export(label string, context []byte, n int) ([]byte, error)
}

// Labels of what a room exports from an epoch. The context is the log's name.
const (
	labelToken  = "sotto token"
	labelEntry  = "sotto entry"
	labelSignal = "sotto signal"
)

// Token is the epoch's write token.
func Token(e Exporter, log wire.LogName) (wire.Secret, error) {
	b, err := e.Export(labelToken, log[:], 32)
	if err != nil {
		return wire.Secret{}, err
	}
	return wire.Secret(b), nil
}

// Tag names the cursor of a leaf: the first 16 bytes of HMAC-SHA256(room key, leaf
// signature key).
func (c Context) Tag(leafKey []byte) wire.Tag {
	m := hmac.New(sha256.New, c.Key[:])
	m.Write(leafKey)
	return wire.Tag(m.Sum(nil)[:16])
}

const (
	nonceSize = 12
	// Overhead is what SealEntry adds to a padded entry, bytes.
	Overhead = 1 + nonceSize + 16
)

func entryAEAD(e Exporter, log wire.LogName) (cipher.AEAD, error) {
	key, err := e.Export(labelEntry, log[:], 16)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// SealEntry pads and encrypts what an entry says under its epoch: a version byte, a
// nonce, AES-128-GCM with the log's name as associated data. The server sees a padded
// blob.
func SealEntry(rand io.Reader, e Exporter, log wire.LogName, inner Inner) ([]byte, error) {
	return sealFront(rand, e, log, []byte{wire.PlainEntry}, inner)
}

// SealSwap is SealEntry for a commit: it names the swap that it comes with, and the name is
// authenticated with the log's.
func SealSwap(rand io.Reader, e Exporter, log wire.LogName, inner Inner, swap wire.Swap) ([]byte, error) {
	claim := swap.Claim()
	return sealFront(rand, e, log, append([]byte{wire.SwapEntry}, claim[:]...), inner)
}

// front is how many bytes an entry has before its nonce; 0 for what is none.
func front(entry []byte) int {
	switch {
	case len(entry) >= Overhead && entry[0] == wire.PlainEntry:
		return 1
	case len(entry) >= Overhead+len(wire.Hash{}) && entry[0] == wire.SwapEntry:
		return 1 + len(wire.Hash{})
	}
	return 0
}

func sealFront(rand io.Reader, e Exporter, log wire.LogName, front []byte, inner Inner) ([]byte, error) {
	aead, err := entryAEAD(e, log)
	if err != nil {
		return nil, err
	}
	plain := Pad(wire.Marshal(inner))
	n := len(front)
	out := append(make([]byte, 0, n+nonceSize+len(plain)+aead.Overhead()), front...)
	out = out[:n+nonceSize]
	if _, err := io.ReadFull(rand, out[n:]); err != nil {
		return nil, err
	}
	return aead.Seal(out, out[n:], plain, append(log[:], front[1:]...)), nil
}

// OpenEntry undoes SealEntry and SealSwap. What does not open is ErrJunk.
func OpenEntry(e Exporter, log wire.LogName, entry []byte) (Inner, error) {
	var inner Inner
	n := front(entry)
	if n == 0 {
		return inner, fmt.Errorf("%w: not an entry", ErrJunk)
	}
	aead, err := entryAEAD(e, log)
	if err != nil {
		return inner, err
	}
	plain, err := aead.Open(nil, entry[n:n+nonceSize], entry[n+nonceSize:], append(log[:], entry[1:n]...))
	if err != nil {
		return inner, fmt.Errorf("%w: it does not open", ErrJunk)
	}
	b, err := Unpad(plain)
	if err != nil {
		return inner, err
	}
	if err := wire.Unmarshal(b, &inner); err != nil {
		return inner, fmt.Errorf("%w: %w", ErrJunk, err)
	}
	return inner, nil
}

// Pad appends 0x80 and zeros (ISO/IEC 7816-4) up to the next Padmé length, at least
// wire.PadMinimum.
func Pad(b []byte) []byte {
	return append(append(b, 0x80), make([]byte, padme(len(b)+1)-len(b)-1)...)
}

// Unpad undoes Pad.
func Unpad(b []byte) ([]byte, error) {
	for i := len(b) - 1; i >= 0; i-- {
		switch b[i] {
		case 0:
		case 0x80:
			return b[:i], nil
		default:
			return nil, fmt.Errorf("%w: bad padding", ErrJunk)
		}
	}
	return nil, fmt.Errorf("%w: bad padding", ErrJunk)
}

// padme rounds a length up so that it tells O(log log n) bits (Nikitin et al., PURBs,
// PoPETs 2019, section 4).
func padme(n int) int {
	if n <= wire.PadMinimum {
		return wire.PadMinimum
	}
	e := bits.Len(uint(n)) - 1
	s := bits.Len(uint(e))
	mask := 1<<(e-s) - 1
	return (n + mask) &^ mask
}

// Rank orders the members for what any of them may do: the hash of the event and the
// leaf's signature key under the room's key. The lowest acts first.
func (c Context) Rank(event, leafKey []byte) [32]byte {
	m := hmac.New(sha256.New, c.Key[:])
	m.Write([]byte("sotto rank"))
	m.Write(event)
	m.Write(leafKey)
	return [32]byte(m.Sum(nil))
}
