package room

import (
	"strings"
	"unicode/utf8"

	"sotto/internal/wire"
)

// Limits of the signals of calls.
const (
	MaxCandidates = 64      // of a side in a round
	maxCandidate  = 1 << 10 // bytes of one
	maxMid        = 64      // bytes of the name of its part of the description
	maxLine       = 63
)

// Ring says that the sender's device rings.
type Ring struct {
	Call CallID `cbor:"1,keyasint"`
}

// Candidate is an ICE candidate (RFC 8839 section 5.1) of one part of a description.
type Candidate struct {
	Mid       string `cbor:"1,keyasint"`
	Line      uint64 `cbor:"2,keyasint"`
	Candidate string `cbor:"3,keyasint"`
}

// Candidates are candidates of the sender's side in a round (RFC 8838). End says that these
// are the last ones. What is too long for one signal goes in several.
type Candidates struct {
	Call       CallID      `cbor:"1,keyasint"`
	Round      uint64      `cbor:"2,keyasint"`
	Candidates []Candidate `cbor:"3,keyasint"`
	End        bool        `cbor:"4,keyasint,omitempty"`
}

// ParseRing reads the body of SignalRing.
func ParseRing(b []byte) (Ring, error) {
	var r Ring
	err := parseCall(b, &r, "ring", func() bool { return r.Call != CallID{} })
	return r, err
}

// ParseCandidates reads the body of SignalICE.
func ParseCandidates(b []byte) (Candidates, error) {
	var c Candidates
	err := parseCall(b, &c, "candidates", func() bool {
		if c.Call == (CallID{}) || c.Round > MaxRound || c.Candidates == nil || len(c.Candidates) > MaxCandidates {
			return false
		}
		for _, x := range c.Candidates {
			if !x.Good() {
				return false
			}
		}
		return true
	})
	return c, err
}

// Good says whether a candidate is one.
func (c Candidate) Good() bool {
	return len(c.Mid) <= maxMid && utf8.ValidString(c.Mid) && !controls(c.Mid) && c.Line <= maxLine &&
		len(c.Candidate) <= maxCandidate && strings.HasPrefix(c.Candidate, "candidate:") && utf8.ValidString(c.Candidate) && !controls(c.Candidate)
}

// Split are the bodies of the signals that say all of c: none is longer than a signal may be.
func (c Candidates) Split() (out [][]byte) {
	part := Candidates{Call: c.Call, Round: c.Round, Candidates: []Candidate{}}
	for _, x := range c.Candidates {
		next := part
		next.Candidates = append(part.Candidates[:len(part.Candidates):len(part.Candidates)], x)
		if len(wire.Marshal(next)) > MaxSignalBody-8 { // End takes some
			out = append(out, wire.Marshal(part))
			next.Candidates = []Candidate{x}
		}
		part = next
	}
	part.End = c.End
	if len(part.Candidates) == 0 && !part.End {
		return out
	}
	return append(out, wire.Marshal(part))
}
