package room

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sotto/internal/wire"
)

// Limits of what people show of themselves and of rooms.
const (
	MaxName      = 64  // characters of a shown name
	MaxNameBytes = 256 // and bytes
	MaxStatus    = 140 // characters of a status
	maxStatusLen = 4 * MaxStatus
	MaxPicture   = 32 << 10 // bytes of a picture
	MaxSide      = 1024     // pixels of its longer side
	maxVersion   = 1 << 53  // of a profile or a room's picture
)

// Profile is the body of PayloadProfile: what an account shows of itself. The leaf that
// sends it proves whose it is.
type Profile struct {
	Version uint64 `cbor:"1,keyasint"` // Unix milliseconds of the change; an older one never replaces a newer
	Name    string `cbor:"2,keyasint,omitempty"`
	Status  string `cbor:"3,keyasint,omitempty"`
	// Hash is the SHA-256 of the picture, absent without one. Picture may be left out: in
	// large rooms it is.
	Hash    *wire.Hash `cbor:"4,keyasint,omitempty"`
	Picture []byte     `cbor:"5,keyasint,omitempty"`
}

// ParseProfile reads the body of PayloadProfile.
func ParseProfile(b []byte) (Profile, error) {
	var p Profile
	if err := wire.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%w: profile: %w", ErrJunk, err)
	}
	if p.Version == 0 || p.Version > maxVersion || CheckName(p.Name) != nil || CheckStatus(p.Status) != nil {
		return p, fmt.Errorf("%w: profile out of bounds", ErrJunk)
	}
	if p.Picture == nil {
		return p, nil
	}
	if p.Hash == nil || sha256.Sum256(p.Picture) != *p.Hash {
		return p, fmt.Errorf("%w: profile with another picture than it names", ErrJunk)
	}
	return p, CheckPicture(p.Picture)
}

// CheckName says whether a text can be a shown name: at most MaxName characters, nothing
// that is not shown or that turns the direction of what stands around it, no space at its
// ends. "" is no name, and good.
func CheckName(s string) error {
	if len(s) > MaxNameBytes || !plain(s, MaxName) || strings.TrimSpace(s) != s {
		return fmt.Errorf("%w: a name has at most %d characters, none of them invisible", ErrJunk, MaxName)
	}
	return nil
}

// CheckStatus says whether a text can be a status.
func CheckStatus(s string) error {
	if len(s) > maxStatusLen || !plain(s, MaxStatus) || strings.TrimSpace(s) != s {
		return fmt.Errorf("%w: a status has at most %d characters, none of them invisible", ErrJunk, MaxStatus)
	}
	return nil
}

// plain says whether a text has at most n characters and is shown as it stands: no control
// characters, no line ends, nothing of the category Cf (bidirectional controls, U+202E and
// the like, zero-width characters) but the joiner that holds emoji together and the one that
// Persian and Indic scripts need; and no run of combining marks that leaves its line.
func plain(s string, n int) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > n {
		return false
	}
	const joiner, nonJoiner, marks = '\u200d', '\u200c', 4
	run := 0
	for i, r := range s {
		switch {
		case r == joiner || r == nonJoiner:
			if i == 0 {
				return false
			}
		case r == utf8.RuneError, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
			return false
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if run++; run > marks {
				return false
			}
		} else {
			run = 0
		}
	}
	return true
}
