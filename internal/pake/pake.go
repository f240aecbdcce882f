// Package pake is a password-authenticated key exchange: two sides that know the same
// short code come to a strong secret, and whoever stands between them has one guess.
// Linking a device uses it. It is CPace, draft-irtf-cfrg-cpace-21, in the suite
// CPACE-RISTR255-SHA512, with initiator and responder, and with the explicit key
// confirmation of its section "Key confirmation".
//
// It knows no network and no clock, and takes randomness from its caller. What a run
// remembers is erased as soon as it is of no more use; copies in the memory of libraries
// cannot be reached.
//
// The secret is handed out only against the other side's tag: there is no way to use one
// that the other side does not have.
package pake

import (
	"crypto/hmac"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"github.com/gtank/ristretto255"
)

// Sizes, in bytes.
const (
	ShareSize  = 32 // of what each side sends first
	TagSize    = 64 // of what each side confirms with
	SecretSize = 64 // of the secret
)

// Role says which side of the exchange this is. The two sides have different ones.
type Role uint8

// The roles.
const (
	Initiator Role = 1 + iota // A in the draft
	Responder                 // B in the draft
)

// Input is what goes into an exchange (draft, "CPace inputs"). The first three have to be the
// same on both sides, else the tags do not fit.
type Input struct {
	Password []byte // PRS: the code; not empty
	Channel  []byte // CI: who talks with whom, over what
	Session  []byte // sid: public, and another one for each run
	Data     []byte // ADa or ADb: this side's own, which it sends along with its share
}

// What can go wrong. None of them says more: a guess that failed has to tell nothing.
var (
	ErrInput = errors.New("pake: an exchange needs a role and a password")
	ErrShare = errors.New("pake: the other side's share is not one")
	ErrTag   = errors.New("pake: the other side does not have the same secret")
	ErrSpent = errors.New("pake: this exchange is over")
)

// Exchange is a run that waits for the other side's share. Not safe for concurrent use.
type Exchange struct {
	role   Role
	sid    []byte
	data   []byte
	share  []byte
	scalar *ristretto255.Scalar // nil: spent
}

// Start begins a run (draft, "CPace protocol instructions"). What it sends is Share, and Data of in.
func Start(role Role, in Input, rand io.Reader) (*Exchange, error) {
	if role != Initiator && role != Responder || len(in.Password) == 0 {
		return nil, ErrInput
	}
	y, err := sampleScalar(rand)
	if err != nil {
		return nil, err
	}
	g := calculateGenerator(in.Password, in.Channel, in.Session)
	share := ristretto255.NewElement().ScalarMult(y, g).Encode(nil)
	g.Zero()
	return &Exchange{role: role, sid: clone(in.Session), data: clone(in.Data), share: share, scalar: y}, nil
}

// Share is what the other side needs, ShareSize bytes.
func (x *Exchange) Share() []byte { return clone(x.share) }

// Finish takes the other side's share and data. It can be called once, whatever comes of
// it. ErrShare for anything but the encoding of an element that is neither the neutral one
// nor this side's own, come back (draft, "Party identifiers", on loopback).
func (x *Exchange) Finish(share, data []byte) (*Secret, error) {
	if x.scalar == nil {
		return nil, ErrSpent
	}
	defer x.Erase()
	if subtle.ConstantTimeCompare(share, x.share) == 1 {
		return nil, ErrShare
	}
	k, ok := scalarMultVerify(x.scalar, share)
	if !ok {
		return nil, ErrShare
	}
	defer clear(k)
	mine, theirs := lvCat(x.share, x.data), lvCat(share, data)
	a, b := mine, theirs
	if x.role == Responder {
		a, b = theirs, mine
	}
	isk := intermediateKey(x.sid, k, append(clone(a), b...))
	mac := macKey(x.sid, isk)
	defer clear(mac)
	return &Secret{isk: isk, mine: tag(mac, mine), theirs: tag(mac, theirs)}, nil
}

// Erase ends a run early. Finish does it by itself.
func (x *Exchange) Erase() {
	if x.scalar != nil {
		x.scalar.Zero()
		x.scalar = nil
	}
}

// Secret is what a run came to and nobody has confirmed yet.
type Secret struct {
	isk          []byte // nil: spent
	mine, theirs []byte
}

// Tag shows the other side that this one has the secret, TagSize bytes. A side may send
// it before it has seen the other's.
func (s *Secret) Tag() []byte { return clone(s.mine) }

// Confirm hands out the secret, ISK in the draft, against the other side's tag. It can be
// called once: whoever shows a wrong tag has had the guess. Keys are derived from the
// secret, with HKDF for instance; it is no key itself (draft, "Key derivation").
func (s *Secret) Confirm(tag []byte) ([]byte, error) {
	if s.isk == nil {
		return nil, ErrSpent
	}
	defer s.Erase()
	if subtle.ConstantTimeCompare(tag, s.theirs) != 1 {
		return nil, ErrTag
	}
	return clone(s.isk), nil
}

// Erase gives the secret up. Confirm does it by itself.
func (s *Secret) Erase() {
	clear(s.isk)
	clear(s.theirs)
	s.isk = nil
}

// sampleScalar is G.sample_scalar (draft, "Ristretto255 and Decaf448"): 252 random bits, which are below
// the order of the group. Zero would show the neutral element.
func sampleScalar(rand io.Reader) (*ristretto255.Scalar, error) {
	var b [32]byte
	defer clear(b[:])
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return nil, fmt.Errorf("pake: randomness: %w", err)
	}
	b[31] &= 1<<4 - 1
	y := ristretto255.NewScalar()
	if err := y.Decode(b[:]); err != nil {
		return nil, fmt.Errorf("pake: a scalar: %w", err)
	}
	if y.Equal(ristretto255.NewScalar()) == 1 {
		return nil, errors.New("pake: randomness: all zeros")
	}
	return y, nil
}

// scalarMultVerify is G.scalar_mult_vfy (draft, there too); not ok stands for G.I.
func scalarMultVerify(y *ristretto255.Scalar, share []byte) (k []byte, ok bool) {
	point := ristretto255.NewElement()
	if len(share) != ShareSize || point.Decode(share) != nil {
		return nil, false
	}
	point.ScalarMult(y, point)
	defer point.Zero()
	if point.Equal(ristretto255.NewElement()) == 1 {
		return nil, false
	}
	return point.Encode(nil), true
}

// intermediateKey is ISK (draft, "CPace protocol instructions") over a transcript.
func intermediateKey(sid, k, transcript []byte) []byte {
	b := lvCat([]byte(dsi+"_ISK"), sid, k)
	defer clear(b)
	h := sha512.New()
	h.Write(b)
	h.Write(transcript)
	return h.Sum(nil)
}

// macKey is the key of the tags (draft, "Key confirmation").
func macKey(sid, isk []byte) []byte {
	h := sha512.New()
	h.Write([]byte("CPaceMac"))
	h.Write(sid)
	h.Write(isk)
	return h.Sum(nil)
}

// tag confirms a message of the run, lv_cat(Y, AD), with HMAC-SHA512.
func tag(key, message []byte) []byte {
	m := hmac.New(sha512.New, key)
	m.Write(message)
	return m.Sum(nil)
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }
