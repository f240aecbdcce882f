package room

import (
	"bytes"
	"cmp"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// What says what a register is of, and so what its Of and its value are.
type What uint8

// What is kept alike. Of is a room's ID, a message's, an account's, a device's name, or the name
// of a setting; the value is CBOR, and empty where it says nothing: not pinned, no draft. What
// is not known is of a later version: it is kept, said again, and changes nothing.
const (
	KeptPinned   What = 1  // a room: bool
	KeptArchived What = 2  // a room: bool
	KeptUnread   What = 3  // a room that the person wants to come back to: bool
	KeptMuted    What = 4  // a room: int, Unix milliseconds until when, -1 for ever
	KeptDraft    What = 5  // a room: text
	KeptRead     What = 6  // a room: bytes, the message through which all is read
	KeptStar     What = 7  // a message: bool
	KeptStanding What = 8  // an account: uint, 1 contact, 2 blocked
	KeptNickname What = 9  // an account: text
	KeptCompared What = 10 // an account: Compared
	KeptLater    What = 11 // an account whose requests were put off: int, Unix milliseconds through when
	KeptLabel    What = 12 // a device of the account: text
	KeptSetting  What = 13 // a setting: text, its value in JSON
)

// Compared says that numbers were compared, with a chain of this length and head.
type Compared struct {
	Time   int64     `cbor:"1,keyasint"` // Unix milliseconds
	Length uint32    `cbor:"2,keyasint"`
	Head   wire.Hash `cbor:"3,keyasint"`
}

// ComparedWith says that numbers were compared with a chain.
func ComparedWith(chain *identity.Chain, at int64) Compared {
	return Compared{Time: at, Length: uint32(chain.Len()), Head: chain.Head()}
}

// Covers says whether a chain goes on from what was compared, and says nothing behind it that
// makes it worth less: no device came, and none went. Of a chain that is not as long nobody knows.
func (v Compared) Covers(chain *identity.Chain) bool {
	if int64(v.Length) > int64(chain.Len()) {
		return true
	}
	if v.Length == 0 || !chain.Includes(v.Head, int(v.Length)) {
		return false
	}
	for _, s := range chain.Record(int(v.Length)) {
		if s.Kind == identity.AddDevice || s.Kind == identity.RevokeDevice {
			return false
		}
	}
	return true
}

// Limits of what is kept alike.
const (
	MaxKept      = 1 << 16    // registers of a person
	MaxDrafts    = 1 << 10    // of them drafts
	MaxEmpty     = 1 << 12    // of them without a value; the oldest are forgotten first
	MaxKeptOnce  = 256        // registers in one entry
	MaxOf        = 64         // bytes
	MaxValue     = 1 << 12    // bytes
	MaxDraft     = 1<<16 + 16 // bytes of a draft's value
	MaxKeptTime  = 1 << 52    // Unix milliseconds
	MaxKeptChain = 1 << 16    // bytes of a chain that goes along
)

// Register is one thing that is kept alike: the last word of all devices counts.
type Register struct {
	What   What             `cbor:"1,keyasint"`
	Of     []byte           `cbor:"2,keyasint"`
	Value  []byte           `cbor:"3,keyasint"`
	Time   uint64           `cbor:"4,keyasint"`           // of the change, Unix milliseconds
	Device *wire.DeviceName `cbor:"5,keyasint,omitempty"` // that said so; in what is said again
}

// Kept is the body of PayloadKept. Changes are the sender's own; what is said again may be
// anybody's, and is as it was when it was read. Chains are of accounts that the registers name, for
// devices that do not know these yet.
type Kept struct {
	Registers []Register `cbor:"1,keyasint"`
	Again     bool       `cbor:"2,keyasint,omitempty"`
	Chains    [][][]byte `cbor:"3,keyasint,omitempty"`
}

// ParseKept reads the body of PayloadKept: registers in order, none of them twice, each within its
// limits. Whose name they bear if not the sender's is said of all of them or of none.
func ParseKept(b []byte) (Kept, error) {
	var k Kept
	if err := wire.Unmarshal(b, &k); err != nil {
		return k, fmt.Errorf("%w: kept: %w", ErrJunk, err)
	}
	if len(k.Registers) == 0 || len(k.Registers) > MaxKeptOnce || len(k.Chains) > MaxKeptOnce {
		return k, fmt.Errorf("%w: %d registers", ErrJunk, len(k.Registers))
	}
	for i, r := range k.Registers {
		switch {
		case r.What == 0, len(r.Of) == 0, len(r.Of) > MaxOf, len(r.Value) > r.What.Longest(), r.Time == 0, r.Time > MaxKeptTime:
			return k, fmt.Errorf("%w: a register out of bounds", ErrJunk)
		case k.Again != (r.Device != nil):
			return k, fmt.Errorf("%w: a register of nobody, or of another", ErrJunk)
		case i > 0 && CompareKept(k.Registers[i-1].What, k.Registers[i-1].Of, r.What, r.Of) >= 0:
			return k, fmt.Errorf("%w: registers out of order", ErrJunk)
		}
	}
	return k, nil
}

// Longest is how many bytes a value has at most.
func (w What) Longest() int {
	if w == KeptDraft {
		return MaxDraft
	}
	return MaxValue
}

// CompareKept is the order of registers in an entry.
func CompareKept(a What, aOf []byte, b What, bOf []byte) int {
	return cmp.Or(cmp.Compare(a, b), bytes.Compare(aOf, bOf))
}

// CountsAt is the time at which a change counts that was read at a place: its own, unless that is
// ahead of the host's when it arrived. Then its clock is wrong, or the host's: it counts from
// when it arrived, or as the next after what it replaces, whichever is later. So it is the
// same for all who read it, a clock that is ahead outdoes nobody who changes the same later, and a
// host whose clock is behind loses no change.
func CountsAt(time, arrived, replaces uint64) uint64 {
	if time <= arrived {
		return time
	}
	return max(arrived, min(time, replaces+1))
}
