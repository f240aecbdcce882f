package room

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"sotto/internal/wire"
)

// Calls are set up by entries, so that who calls, who answers and with which DTLS keys is as
// certain as a message (docs/protocol.md, section 33).

// CallID names a call. The caller's device draws it.
type CallID [16]byte

func (id CallID) String() string { return hex.EncodeToString(id[:]) }

// Limits of what an entry says about a call.
const (
	MaxSDP     = 32 << 10 // bytes of a description
	maxSDPLine = 4 << 10  // bytes of one of its lines
	MaxRound   = 1 << 16  // renewals of one call
)

// Offer calls the other person. Commitment is the SHA-256 of a nonce of which Taken tells.
type Offer struct {
	Call       CallID    `cbor:"1,keyasint"`
	SDP        string    `cbor:"2,keyasint"`
	Commitment wire.Hash `cbor:"3,keyasint"`
	Video      bool      `cbor:"4,keyasint,omitempty"`
	Relayed    bool      `cbor:"5,keyasint,omitempty"` // the caller takes relayed paths only
}

// Answer takes a call. Offer is the SHA-256 of the body of the offer that it answers.
type Answer struct {
	Call    CallID      `cbor:"1,keyasint"`
	SDP     string      `cbor:"2,keyasint"`
	Nonce   wire.Secret `cbor:"3,keyasint"`
	Offer   wire.Hash   `cbor:"4,keyasint"`
	Relayed bool        `cbor:"5,keyasint,omitempty"`
}

// Taken says which answer the caller's device goes on with: Answer is the SHA-256 of its body.
// Nonce opens the commitment of the offer.
type Taken struct {
	Call   CallID      `cbor:"1,keyasint"`
	Nonce  wire.Secret `cbor:"2,keyasint"`
	Answer wire.Hash   `cbor:"3,keyasint"`
}

// Renewal is another description of a side in the middle of a call: an ICE restart, RFC 8445
// section 2.4. Renewed answers it. Rounds count from 1; offer and answer are round 0.
type Renewal struct {
	Call  CallID `cbor:"1,keyasint"`
	Round uint64 `cbor:"2,keyasint"`
	SDP   string `cbor:"3,keyasint"`
}

// EndReason is why somebody ends a call.
type EndReason uint8

// The reasons.
const (
	EndHungUp       EndReason = 1
	EndDeclined     EndReason = 2
	EndBusy         EndReason = 3
	EndNobody       EndReason = 4 // nobody answered
	EndNoConnection EndReason = 5
)

// End ends a call.
type End struct {
	Call   CallID    `cbor:"1,keyasint"`
	Reason EndReason `cbor:"2,keyasint"`
}

// ParseOffer reads the body of PayloadOffer.
func ParseOffer(b []byte) (Offer, error) {
	var o Offer
	err := parseCall(b, &o, "offer", func() bool { return o.Call != CallID{} && goodSDP(o.SDP) })
	return o, err
}

// ParseAnswer reads the body of PayloadAnswer.
func ParseAnswer(b []byte) (Answer, error) {
	var a Answer
	err := parseCall(b, &a, "answer", func() bool { return a.Call != CallID{} && goodSDP(a.SDP) })
	return a, err
}

// ParseTaken reads the body of PayloadTaken.
func ParseTaken(b []byte) (Taken, error) {
	var t Taken
	err := parseCall(b, &t, "taken", func() bool { return t.Call != CallID{} })
	return t, err
}

// ParseRenewal reads the body of PayloadRenewal and of PayloadRenewed.
func ParseRenewal(b []byte) (Renewal, error) {
	var r Renewal
	err := parseCall(b, &r, "renewal", func() bool {
		return r.Call != CallID{} && r.Round > 0 && r.Round <= MaxRound && goodSDP(r.SDP)
	})
	return r, err
}

// ParseEnd reads the body of PayloadEnd.
func ParseEnd(b []byte) (End, error) {
	var e End
	err := parseCall(b, &e, "end", func() bool { return e.Call != CallID{} && e.Reason >= EndHungUp && e.Reason <= EndNoConnection })
	return e, err
}

func parseCall(b []byte, to any, what string, good func() bool) error {
	if err := wire.Unmarshal(b, to); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrJunk, what, err)
	}
	if !good() {
		return fmt.Errorf("%w: %s", ErrJunk, what)
	}
	return nil
}

func goodSDP(sdp string) bool {
	_, err := Fingerprint(sdp)
	return err == nil
}

// Fingerprint is the one DTLS fingerprint (RFC 8122, SHA-256) that a session description
// names, however often. A description that names none or several, or a hash that is not
// SHA-256, brings keys of its own (RFC 4568), or is none (RFC 8866), is ErrJunk.
func Fingerprint(sdp string) (print wire.Hash, err error) {
	junk := func(why string) error { return fmt.Errorf("%w: description: %s", ErrJunk, why) }
	if len(sdp) > MaxSDP || !utf8.ValidString(sdp) || !strings.HasPrefix(sdp, "v=0") || !strings.HasSuffix(sdp, "\n") {
		return print, junk("none")
	}
	found := false
	for line := range strings.Lines(sdp) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if len(line) < 2 || len(line) > maxSDPLine || line[0] < 'a' || line[0] > 'z' || line[1] != '=' || controls(line) {
			return print, junk("line")
		}
		name, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "a=crypto":
			return print, junk("keys in the clear")
		case "a=fingerprint":
			one, ok := parseFingerprint(value)
			if !ok || found && one != print {
				return print, junk("fingerprint")
			}
			print, found = one, true
		}
	}
	if !found {
		return print, junk("no fingerprint")
	}
	return print, nil
}

func parseFingerprint(value string) (print wire.Hash, ok bool) {
	hash, digits, ok := strings.Cut(value, " ")
	if !ok || !strings.EqualFold(hash, "sha-256") || len(digits) != 3*len(print)-1 {
		return print, false
	}
	for i := range print {
		if i > 0 && digits[3*i-1] != ':' {
			return print, false
		}
		if _, err := hex.Decode(print[i:i+1], []byte(digits[3*i:3*i+2])); err != nil {
			return print, false
		}
	}
	return print, true
}

// controls says whether a line holds control characters.
func controls(line string) bool {
	return bytes.ContainsFunc([]byte(line), func(r rune) bool { return r < ' ' || r == 0x7f })
}
