package custody

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/text/unicode/norm"

	"sotto/internal/wire"
)

const (
	magic    = "sotto key\n"
	version  = 1
	saltSize = 16 // RFC 9106 section 3.1
	maxFile  = 512
)

// The guards of a record.
const (
	guardPassphrase = 1
	guardKeyring    = 2
)

// record is HOME/key when something guards it: magic, then this in deterministic CBOR.
// It is longer than KeySize, so that it is never taken for a bare key.
type record struct {
	Version uint16     `cbor:"1,keyasint"`
	Guard   uint8      `cbor:"2,keyasint"`
	Argon   *argon     `cbor:"3,keyasint,omitempty"` // of a passphrase
	Entry   *entryName `cbor:"4,keyasint,omitempty"` // in the keyring
	Nonce   [24]byte   `cbor:"5,keyasint"`
	Sealed  [48]byte   `cbor:"6,keyasint"` // the key, by XChaCha20-Poly1305; everything before it is bound
}

type argon struct {
	Salt    [saltSize]byte `cbor:"1,keyasint"`
	Memory  uint32         `cbor:"2,keyasint"` // KiB
	Passes  uint32         `cbor:"3,keyasint"`
	Threads uint8          `cbor:"4,keyasint"`
}

func (a argon) cost() Cost { return Cost{a.Memory, a.Passes, a.Threads} }

// entryName names an entry of the keyring. Each change of custody takes a new one, so that
// the old file and the old entry belong together until both are gone.
type entryName [16]byte

func (r record) encode() []byte { return append([]byte(magic), wire.Marshal(r)...) }

// parse reads a key file: the bare key, or a record.
func parse(b []byte) (bare *[KeySize]byte, r record, err error) {
	if len(b) == KeySize {
		k := [KeySize]byte(b)
		return &k, r, nil
	}
	body, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok || len(b) > maxFile {
		return nil, r, ErrDamaged
	}
	var v struct {
		Version uint16 `cbor:"1,keyasint"`
	}
	if wire.UnmarshalLoose(body, &v) == nil && v.Version > version {
		return nil, r, ErrNewer
	}
	if wire.Unmarshal(body, &r) != nil || r.Version != version {
		return nil, record{}, ErrDamaged
	}
	switch {
	case r.Guard == guardPassphrase && r.Argon != nil && r.Entry == nil && r.Argon.cost().sound():
	case r.Guard == guardKeyring && r.Argon == nil && r.Entry != nil:
	default:
		return nil, record{}, ErrDamaged
	}
	return nil, r, nil
}

func (r record) kind() Kind {
	if r.Guard == guardPassphrase {
		return Passphrase
	}
	return Keyring
}

// bound is what the seal authenticates beside the key: everything else in the record.
func (r record) bound() []byte {
	r.Nonce, r.Sealed = [24]byte{}, [48]byte{}
	return append([]byte("sotto custody v1\x00"), wire.Marshal(r)...)
}

// seal seals key under a guard's secret, which it overwrites.
func (r *record) seal(secret, key []byte, random io.Reader) error {
	defer clear(secret)
	if _, err := io.ReadFull(random, r.Nonce[:]); err != nil {
		return err
	}
	aead, err := aeadOf(secret)
	if err != nil {
		return err
	}
	r.Sealed = [48]byte(aead.Seal(nil, r.Nonce[:], key, r.bound()))
	return nil
}

var errSealed = errors.New("the seal does not open")

// open opens the seal with a guard's secret, which it overwrites. The comparison of the
// tag takes the same time whichever of its bytes differs.
func (r record) open(secret []byte) (key [KeySize]byte, err error) {
	defer clear(secret)
	aead, err := aeadOf(secret)
	if err != nil {
		return key, err
	}
	b, err := aead.Open(nil, r.Nonce[:], r.Sealed[:], r.bound())
	if err != nil {
		return key, errSealed
	}
	defer clear(b)
	return [KeySize]byte(b), nil
}

func aeadOf(secret []byte) (cipher.AEAD, error) {
	aead, err := chacha20poly1305.NewX(secret)
	if err != nil {
		return nil, fmt.Errorf("custody: %w", err)
	}
	return aead, nil
}

// derive is argon2id of a passphrase. The library's own memory is not overwritten: it
// goes back to the runtime with what was computed in it.
func derive(passphrase, salt []byte, c Cost) []byte {
	return argon2.IDKey(passphrase, salt, c.Passes, c.Memory, c.Threads, chacha20poly1305.KeySize)
}

// normal is the form in which a passphrase counts (RFC 8265 section 4.2.2): spaces of all
// kinds are the one on the keyboard, and letters with marks are composed, since keyboards
// of different systems write them differently. Nothing else is changed.
func normal(passphrase []byte) ([]byte, error) {
	if !utf8.Valid(passphrase) || len(passphrase) > maxPassphrase {
		return nil, ErrBadText
	}
	s := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, string(passphrase))
	if strings.ContainsFunc(s, unicode.IsControl) {
		return nil, ErrBadText
	}
	return norm.NFC.AppendString(nil, s), nil
}

// longEnough refuses a new passphrase that is too short.
func longEnough(passphrase []byte) error {
	b, err := normal(passphrase)
	if err != nil {
		return err
	}
	defer clear(b)
	if utf8.RuneCount(b) < MinPassphrase {
		return ErrShort
	}
	return nil
}
