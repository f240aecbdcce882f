// Package room holds the rules of a room: what stands in its group context, what an
// entry and an invitation look like inside their encryption, and which commits are
// valid. Everything here is a pure function of group state and bytes, so that honest
// members cannot disagree. The client uses it; no server does.
package room

import (
	"errors"
	"fmt"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

// Errors of this package.
var (
	// ErrJunk is an entry that no honest member makes.
	ErrJunk = errors.New("room: junk")
	// ErrRules is a room whose rules this program does not know.
	ErrRules = errors.New("this room follows newer rules: update sotto to take part")
)

// ExtContext is the private-use extension type (RFC 9420 section 17.3) under which a
// group context carries Context.
const ExtContext = 0xF0A0

// Rules is the version of the rules in this package.
const Rules = 1

// ID is a room's identity: random, the same in every generation.
type ID [32]byte

// Kind says what sort of room it is.
type Kind uint8

// The kinds.
const (
	Pair  Kind = 1 // two people
	Group Kind = 2
	Self  Kind = 3 // one person's notes
	Alike Kind = 4 // the self room: what one person's devices keep alike, never shown
)

// OfOne says whether only one person's devices are in a room of this kind.
func (k Kind) OfOne() bool { return k == Self || k == Alike }

// Limits of a context.
const (
	MaxTitle  = 256 // bytes
	MaxAdmins = 64  // named by people; the heir of a room without admins is one more
)

// Place is a place in a log: the entry's sequence number and the running hash after it.
type Place struct {
	Log   wire.LogName `cbor:"1,keyasint"`
	Seq   uint64       `cbor:"2,keyasint"`
	Chain wire.Hash    `cbor:"3,keyasint"`
}

// Context is what the members of a room agree on besides who they are.
type Context struct {
	Rules      uint16        `cbor:"1,keyasint"`
	Room       ID            `cbor:"2,keyasint"`
	Generation uint64        `cbor:"3,keyasint"` // from 1
	Key        wire.Secret   `cbor:"4,keyasint"` // names cursors, see Tag
	Host       string        `cbor:"5,keyasint"` // where the log lives
	Log        wire.LogName  `cbor:"6,keyasint"`
	Kind       Kind          `cbor:"7,keyasint"`
	TTL        uint64        `cbor:"8,keyasint"` // lifetime of an entry, seconds
	Admins     []identity.ID `cbor:"9,keyasint,omitempty"`
	Title      string        `cbor:"10,keyasint,omitempty"`
	Picture    []byte        `cbor:"11,keyasint,omitempty"` // PictureRef
	Disappear  uint64        `cbor:"12,keyasint,omitempty"` // seconds after reading; 0 never
	Before     *Place        `cbor:"13,keyasint,omitempty"` // where the generation before ended
}

// Extensions are the group context's extensions for c: the context itself and the
// demand that every member understands it.
func (c Context) Extensions() []mls.Extension {
	return []mls.Extension{
		mls.RequiredCapabilities{Extensions: []uint16{ExtContext}}.Extension(),
		{Type: ExtContext, Data: wire.Marshal(c)},
	}
}

// ContextOf reads the context out of a group's extensions.
func ContextOf(exts []mls.Extension) (Context, error) {
	var c Context
	i := slices.IndexFunc(exts, func(e mls.Extension) bool { return e.Type == ExtContext })
	if i < 0 {
		return c, fmt.Errorf("%w: a group without a room", ErrJunk)
	}
	var version struct {
		Rules uint16 `cbor:"1,keyasint"`
	}
	if err := wire.UnmarshalLoose(exts[i].Data, &version); err == nil && version.Rules > Rules {
		return c, ErrRules
	}
	if err := wire.Unmarshal(exts[i].Data, &c); err != nil {
		return c, fmt.Errorf("%w: context: %w", ErrJunk, err)
	}
	host, err := wire.ParseHost(c.Host)
	switch {
	case c.Rules != Rules, c.Generation < 1, c.Kind < Pair || c.Kind > Alike,
		len(c.Title) > MaxTitle, len(c.Admins) > MaxAdmins, err != nil || host != c.Host,
		c.TTL < uint64(wire.MinEntryLifetime.Seconds()), c.TTL > uint64(wire.MaxEntryLifetime.Seconds()),
		len(c.Picture) > 1024, !slices.IsSortedFunc(c.Admins, compareID), len(slices.Compact(slices.Clone(c.Admins))) != len(c.Admins):
		return c, fmt.Errorf("%w: context out of bounds", ErrJunk)
	}
	return c, nil
}

func compareID(a, b identity.ID) int { return slices.Compare(a[:], b[:]) }

// IsAdmin says whether the account may do what only admins may.
func (c Context) IsAdmin(id identity.ID) bool { return slices.Contains(c.Admins, id) }

// WithAdmin is the context with one account's role changed.
func (c Context) WithAdmin(id identity.ID, admin bool) Context {
	c.Admins = slices.DeleteFunc(slices.Clone(c.Admins), func(a identity.ID) bool { return a == id })
	if admin {
		c.Admins = append(c.Admins, id)
	}
	slices.SortFunc(c.Admins, compareID)
	return c
}
