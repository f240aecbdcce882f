package backup

import (
	"crypto/aes"
	"crypto/cipher"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"sotto/internal/archive"
	"sotto/internal/identity"
	"sotto/internal/wire"
)

const (
	wordsInfo     = "sotto backup key v1"
	minPassphrase = 8
	maxPassphrase = 1024 // bytes
)

// cost is what it takes to try one passphrase (argon2id, RFC 9106): 64 MiB, three passes.
var cost = Cost{Memory: 64 << 10, Passes: 3, Threads: 4}

// Cost is what it takes to try a passphrase.
type Cost struct {
	Memory  uint32 `cbor:"1,keyasint"` // KiB
	Passes  uint32 `cbor:"2,keyasint"`
	Threads uint8  `cbor:"3,keyasint"`
}

// sound says whether a header may ask for this: less would be cheap to guess, more could
// exhaust the memory of whoever opens the file.
func (c Cost) sound() bool {
	return c.Memory >= 64<<10 && c.Memory <= 512<<10 && c.Passes >= 3 && c.Passes <= 8 && c.Threads >= 1 && c.Threads <= 8
}

// Locked is the key of a backup under a passphrase.
type Locked struct {
	Cost  Cost     `cbor:"1,keyasint"`
	Salt  [16]byte `cbor:"2,keyasint"`
	Nonce [12]byte `cbor:"3,keyasint"`
	Key   []byte   `cbor:"4,keyasint"` // AES-256-GCM
}

// Lock is what a passphrase became: a device keeps it, so that scheduled runs ask nobody.
type Lock struct {
	Cost Cost     `cbor:"1,keyasint"`
	Salt [16]byte `cbor:"2,keyasint"`
	Key  [32]byte `cbor:"3,keyasint"`
}

// NewLock makes a lock of a passphrase, with a salt that is random.
func NewLock(salt [16]byte, passphrase string) (*Lock, error) {
	l := &Lock{Cost: cost, Salt: salt}
	p, ok := normal(passphrase)
	if !ok || utf8.RuneCount(p) < minPassphrase {
		return nil, ErrShort
	}
	defer clear(p)
	l.Key = derive(p, l.Salt, l.Cost)
	return l, nil
}

// Erase overwrites the key.
func (l *Lock) Erase() { clear(l.Key[:]) }

func derive(passphrase []byte, salt [16]byte, c Cost) (out [32]byte) {
	k := argon2.IDKey(passphrase, salt[:], c.Passes, c.Memory, c.Threads, 32)
	defer clear(k)
	return [32]byte(k)
}

// normal is the form in which a passphrase counts (RFC 8265, section 4.2.2), as for the one
// that guards a device.
func normal(passphrase string) ([]byte, bool) {
	if !utf8.ValidString(passphrase) || len(passphrase) > maxPassphrase || strings.ContainsFunc(passphrase, unicode.IsControl) {
		return nil, false
	}
	s := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, passphrase)
	return norm.NFC.AppendString(nil, s), true
}

func gcm(key []byte) (cipher.AEAD, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(c)
}

// bound is what the seal of a key authenticates beside it.
func (l Locked) bound() []byte {
	l.Key = nil
	return append([]byte(wordsInfo+"\x00"), wire.Marshal(l)...)
}

// lock seals the key of a backup.
func (l *Lock) lock(nonce [12]byte, key archive.Key) (*Locked, error) {
	out := &Locked{Cost: l.Cost, Salt: l.Salt, Nonce: nonce}
	a, err := gcm(l.Key[:])
	if err != nil {
		return nil, err
	}
	out.Key = a.Seal(nil, out.Nonce[:], key[:], out.bound())
	return out, nil
}

func (l *Locked) sound() bool { return l.Cost.sound() && len(l.Key) == 48 }

// unlock opens the key of a backup.
func (l *Locked) unlock(passphrase string) (key archive.Key, err error) {
	p, ok := normal(passphrase)
	if !ok {
		return key, ErrPassphrase
	}
	defer clear(p)
	k := derive(p, l.Salt, l.Cost)
	defer clear(k[:])
	a, err := gcm(k[:])
	if err != nil {
		return key, err
	}
	b, err := a.Open(nil, l.Nonce[:], l.Key, l.bound())
	if err != nil {
		return key, ErrPassphrase
	}
	defer clear(b)
	return archive.Key(b), nil
}

// Secret opens a backup: one of the two.
type Secret struct {
	Words      *identity.RecoveryKeys
	Passphrase string
}

// open opens the key that a header holds.
func (s Secret) open(h Header) (key archive.Key, err error) {
	switch {
	case s.Words != nil && h.Words == nil:
		return key, ErrNotWords
	case s.Words != nil:
		b, err := s.Words.Open([]byte(wordsInfo), h.Words)
		if err != nil || len(b) != len(key) {
			return key, ErrWords
		}
		defer clear(b)
		return archive.Key(b), nil
	case h.Locked == nil:
		return key, ErrNotPassphrase
	}
	return h.Locked.unlock(s.Passphrase)
}
