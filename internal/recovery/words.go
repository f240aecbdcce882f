package recovery

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"strings"

	"github.com/tyler-smith/go-bip39/wordlists"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// Count is how many words there are: 256 bits of entropy and 8 of checksum, 11 in a word
// (BIP 39).
const Count = 24

// short is how many letters tell every word of the list from all others.
const short = 4

// Words are 24 words in the hands of this program, until Erase.
type Words struct {
	entropy [32]byte
	erased  bool
}

// New makes words.
func New(rand io.Reader) (*Words, error) {
	w := new(Words)
	if _, err := io.ReadFull(rand, w.entropy[:]); err != nil {
		return nil, fmt.Errorf("recovery: randomness: %w", err)
	}
	return w, nil
}

// Parse reads words as people type them: in capitals, with any space or number between, and
// each as far as its first four letters. What it refuses it names by place and never repeats.
func Parse(text string) (*Words, error) {
	fields := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 'a' || r > 'z' })
	if len(fields) != Count {
		return nil, wire.Refuse(wire.CodeMalformed, "these are %d words, not %d", len(fields), Count)
	}
	var bits [33]byte
	for i, f := range fields {
		n, ok := number(f)
		if !ok {
			clear(bits[:])
			return nil, wire.Refuse(wire.CodeMalformed, "word %d is not one of the list: look at its first four letters", i+1)
		}
		for b := range 11 {
			if at := i*11 + b; n>>(10-b)&1 == 1 {
				bits[at/8] |= 0x80 >> (at % 8)
			}
		}
	}
	w := &Words{entropy: [32]byte(bits[:32])}
	sum := sha256.Sum256(w.entropy[:])
	good := subtle.ConstantTimeByteEq(sum[0], bits[32]) == 1
	clear(bits[:])
	clear(sum[:])
	if !good {
		w.Erase()
		return nil, wire.Refuse(wire.CodeMalformed, "each of these is one of the list, but they do not belong together: one is another word, or two have changed places")
	}
	return w, nil
}

// number is a word's place in the list.
func number(typed string) (n int, ok bool) {
	for i, w := range wordlists.English {
		if w == typed || len(typed) >= short && strings.HasPrefix(w, typed) {
			return i, true
		}
	}
	return 0, false
}

// List are the words in their order. Strings cannot be erased: it is for showing them.
func (w *Words) List() [Count]string {
	bits := append(w.entropy[:32:32], 0)
	sum := sha256.Sum256(w.entropy[:])
	bits[32] = sum[0]
	var out [Count]string
	for i := range out {
		n := 0
		for b := range 11 {
			at := i*11 + b
			n = n<<1 | int(bits[at/8]>>(7-at%8)&1)
		}
		out[i] = wordlists.English[n]
	}
	clear(bits)
	return out
}

// Is says whether a person has typed the word at a place, from 0, or its first four letters.
func (w *Words) Is(place int, typed string) bool {
	if place < 0 || place >= Count || w.erased {
		return false
	}
	n, ok := number(strings.ToLower(strings.TrimSpace(typed)))
	return ok && wordlists.English[n] == w.List()[place]
}

// Keys are the recovery key that the words stand for.
func (w *Words) Keys() (*identity.RecoveryKeys, error) {
	if w.erased {
		return nil, fmt.Errorf("recovery: words that were erased")
	}
	return identity.NewRecoveryKeys(w.entropy)
}

// Erase overwrites them.
func (w *Words) Erase() {
	clear(w.entropy[:])
	w.erased = true
}
