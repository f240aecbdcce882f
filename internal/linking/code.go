package linking

import (
	"fmt"
	"io"
	"math/big"
	"strings"

	"sotto/internal/wire"
)

// Digits is how many a code has. Who guesses gets one guess for each code that a person
// made by hand.
const Digits = 8

// scheme begins what a QR code of linking holds. It is no address that a browser opens and no
// link of an invitation.
const scheme = "sotto-device:"

// Code is what the old device shows.
type Code struct {
	Handle string // of the account, in its normal form
	Digits string
}

// NewCode makes a code for an account.
func NewCode(rand io.Reader, handle wire.Handle) (Code, error) {
	// 2^64 is a multiple of 10^8 but for one in 10^11: no digit is likelier than another.
	var raw [8]byte
	if _, err := io.ReadFull(rand, raw[:]); err != nil {
		return Code{}, fmt.Errorf("linking: randomness: %w", err)
	}
	n := new(big.Int).SetBytes(raw[:])
	n.Mod(n, big.NewInt(100_000_000))
	return Code{Handle: handle.String(), Digits: fmt.Sprintf("%0*d", Digits, n)}, nil
}

// QR is the code as a QR code holds it.
func (c Code) QR() string { return scheme + c.Handle + "/" + c.Digits }

// IsQR says whether a text is what a QR code of linking holds.
func IsQR(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), scheme) }

// ParseCode reads a code: what a QR code holds, or a handle and digits as people type them,
// with spaces and dashes. handle is not looked at when code is what a QR code holds.
func ParseCode(handle, code string) (Code, error) {
	code = strings.TrimSpace(code)
	if rest, ok := strings.CutPrefix(code, scheme); ok {
		if handle, code, ok = strings.Cut(rest, "/"); !ok {
			return Code{}, wire.Refuse(wire.CodeMalformed, "this is not the code of a device")
		}
	}
	h, err := wire.ParseHandle(strings.TrimSpace(handle))
	if err != nil {
		return Code{}, err
	}
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' || r == '\u202f' {
			return -1
		}
		return r
	}, code)
	if len(code) != Digits || strings.Trim(code, "0123456789") != "" {
		return Code{}, wire.Refuse(wire.CodeMalformed, "a code has %d digits", Digits)
	}
	return Code{Handle: h.String(), Digits: code}, nil
}
