package room

import (
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/binary"

	"github.com/tyler-smith/go-bip39/wordlists"

	"sotto/internal/wire"
)

// CallWords are two words that both people see and may say to each other: they are alike where
// both devices hold the same offer and answer, whatever stands between. Whoever would want
// others to be alike would have to choose a nonce after it knows the other one: but the caller's
// is committed to before the answer's is seen, and the answer's is said before the caller's.
//
// offer and answer are the SHA-256 of the bodies; HKDF is RFC 5869 with SHA-512.
func CallWords(caller, answerer wire.Secret, offer, answer wire.Hash) (words [2]string, err error) {
	info := append(append([]byte("sotto call words"), offer[:]...), answer[:]...)
	b, err := hkdf.Key(sha512.New, append(caller[:], answerer[:]...), nil, string(info), 4)
	if err != nil {
		return words, err
	}
	list := wordlists.English // 2048 words
	return [2]string{list[binary.BigEndian.Uint16(b)%2048], list[binary.BigEndian.Uint16(b[2:])%2048]}, nil
}
