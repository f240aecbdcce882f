package recovery

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/wire"
)

// ErrRecord is a recovery record that does not open or says what it may not.
var ErrRecord = errors.New("the recovery record cannot be read")

// Record is what of an account outlives its devices: whom it knows and where it is, and
// nothing that was said.
type Record struct {
	Name   string    `cbor:"1,keyasint,omitempty"` // that the person shows
	Status string    `cbor:"2,keyasint,omitempty"`
	People []Contact `cbor:"3,keyasint,omitempty"`
	Rooms  []Room    `cbor:"4,keyasint,omitempty"`
}

// The standings of people in a record.
const (
	Known   uint8 = 1 // a contact
	Blocked uint8 = 2
)

// Contact is a contact, or somebody who is blocked. Length and Head are how far their chain
// was known: a server cannot show another one, or a part of it.
type Contact struct {
	Account  identity.ID `cbor:"1,keyasint"`
	Handle   string      `cbor:"2,keyasint"`
	Standing uint8       `cbor:"3,keyasint"`
	Nickname string      `cbor:"4,keyasint,omitempty"`
	Length   uint64      `cbor:"5,keyasint"`
	Head     wire.Hash   `cbor:"6,keyasint"`
}

// Room is a conversation that the account is in.
type Room struct {
	ID         room.ID      `cbor:"1,keyasint"`
	Kind       room.Kind    `cbor:"2,keyasint"`
	Title      string       `cbor:"3,keyasint,omitempty"`
	Host       string       `cbor:"4,keyasint"`
	Generation uint64       `cbor:"5,keyasint"`
	Log        wire.LogName `cbor:"6,keyasint"`
	Members    []Member     `cbor:"7,keyasint,omitempty"` // others, at most MaxMembers
}

// Member is somebody who is asked to let the account in again.
type Member struct {
	Account identity.ID `cbor:"1,keyasint"`
	Handle  string      `cbor:"2,keyasint"`
}

// MaxMembers is how many members of a room a record names: enough to be let in by one.
const MaxMembers = 32

// signed is the record and the device that vouches for it: the sealing key is public, so
// anybody could seal a record, and the home server could put it in the place of the true one.
type signed struct {
	Record    []byte          `cbor:"1,keyasint"`
	Device    wire.DeviceName `cbor:"2,keyasint"`
	Signature []byte          `cbor:"3,keyasint"`
}

const (
	recordContext = "sotto recovery record v1\x00"
	recordInfo    = "sotto recovery record v1"
	overhead      = 1120 + 16 // of HPKE: the encapsulated key, the tag
	smallest      = 4 << 10
)

func toSign(account identity.ID, device wire.DeviceName, record []byte) []byte {
	return append(append(append([]byte(recordContext), account[:]...), device[:]...), record...)
}

func signRecord(k *identity.Keys, chain *identity.Chain, record []byte) []byte {
	return ed25519.Sign(k.Signature, toSign(chain.ID(), k.Name, record))
}

// Seal signs a record as a device of the account, and seals it to the account's recovery key:
// its size is a power of two, at least 4 KiB. What is too much is left out, members of rooms
// first.
func Seal(k *identity.Keys, chain *identity.Chain, r Record) ([]byte, error) {
	to := chain.Recovery()
	if to == nil {
		return nil, fmt.Errorf("recovery: an account without a recovery key")
	}
	b := r.fit(wire.MaxRecord - overhead - 256)
	s := signed{Record: b, Device: k.Name, Signature: signRecord(k, chain, b)}
	plain := append(wire.Marshal(s), 0x80)
	size := smallest
	for size < len(plain)+overhead {
		size *= 2
	}
	return identity.Seal(to.Seal, []byte(recordInfo), append(plain, make([]byte, size-overhead-len(plain))...))
}

// fit is the record's encoding in at most so many bytes.
func (r Record) fit(limit int) []byte {
	r.Rooms = slices.Clone(r.Rooms)
	for most := MaxMembers; ; most /= 2 {
		for i := range r.Rooms {
			m := r.Rooms[i].Members
			r.Rooms[i].Members = m[:min(len(m), max(most, 1))]
		}
		b := wire.Marshal(r)
		if len(b) <= limit {
			return b
		}
		if most <= 1 { // who comes last goes
			r.Rooms, r.People = r.Rooms[:len(r.Rooms)*3/4], r.People[:len(r.People)*3/4]
		}
	}
}

// Open opens a record with the recovery key. A device that the chain has ever held must have
// signed it: the last that did may be one that was lost.
func Open(k *identity.RecoveryKeys, chain *identity.Chain, sealed []byte) (Record, error) {
	var r Record
	if len(sealed) > wire.MaxRecord {
		return r, fmt.Errorf("%w: %d bytes", ErrRecord, len(sealed))
	}
	plain, err := k.Open([]byte(recordInfo), sealed)
	if err != nil {
		return r, fmt.Errorf("%w: it does not open", ErrRecord)
	}
	defer clear(plain)
	b, err := room.Unpad(plain)
	if err != nil {
		return r, fmt.Errorf("%w: padding", ErrRecord)
	}
	var s signed
	if err := wire.Unmarshal(b, &s); err != nil {
		return r, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if !signedBy(chain, s) {
		return r, fmt.Errorf("%w: no device of the account has signed it", ErrRecord)
	}
	if err := wire.Unmarshal(s.Record, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if err := r.check(); err != nil {
		return Record{}, err
	}
	return r, nil
}

func signedBy(chain *identity.Chain, s signed) bool {
	for _, x := range chain.Record(0) {
		if x.Device != nil && x.Device.Name == s.Device {
			return ed25519.Verify(x.Device.Signature, toSign(chain.ID(), s.Device, s.Record), s.Signature)
		}
	}
	return false
}

func (r Record) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrRecord, what) }
	if room.CheckName(r.Name) != nil || room.CheckStatus(r.Status) != nil {
		return bad("what the person shows")
	}
	for _, p := range r.People {
		if !handle(p.Handle) || p.Standing != Known && p.Standing != Blocked || room.CheckName(p.Nickname) != nil || p.Length < 1 || p.Length > wire.MaxChain {
			return bad("a person")
		}
	}
	for _, x := range r.Rooms {
		host, err := wire.ParseHost(x.Host)
		if err != nil || host != x.Host || x.Kind < room.Pair || x.Kind > room.Self || len(x.Title) > room.MaxTitle || x.Generation < 1 || len(x.Members) > MaxMembers {
			return bad("a room")
		}
		for _, m := range x.Members {
			if !handle(m.Handle) {
				return bad("a member of a room")
			}
		}
	}
	return nil
}

func handle(s string) bool {
	h, err := wire.ParseHandle(s)
	return err == nil && h.String() == s
}
