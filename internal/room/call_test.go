package room

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"sotto/internal/wire"
)

// Which descriptions are taken, and which key they name.
func TestFingerprint(t *testing.T) {
	line := callSDP[len("v=0\r\n"):]
	other := strings.Replace(line, "00:11", "00:12", 1)
	print, err := Fingerprint(callSDP)
	if err != nil || print[1] != 0x11 || print[31] != 0xff {
		t.Fatalf("%x %v", print, err)
	}
	for name, sdp := range map[string]string{
		"twice the same":          callSDP + line,
		"in small letters":        "v=0\r\n" + strings.ToLower(line),
		"lines as Unix ends them": strings.ReplaceAll(callSDP, "\r", ""),
		"with what is not known":  callSDP + "z=ü\r\n",
	} {
		if got, err := Fingerprint(sdp); err != nil || got != print {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, sdp := range map[string]string{
		"nothing":             "",
		"no fingerprint":      "v=0\r\n",
		"two":                 callSDP + other,
		"another hash":        strings.Replace(callSDP, "sha-256", "sha-1", 1),
		"a hash beside it":    callSDP + "a=fingerprint:sha-512 " + strings.Repeat("00:", 63) + "00\r\n",
		"cut":                 callSDP[:len(callSDP)-4] + "\r\n",
		"no colons":           strings.Replace(callSDP, "00:11", "00-11", 1),
		"no digits":           strings.Replace(callSDP, "00:11", "00:1g", 1),
		"in other words":      "v=0\r\nA=fingerprint" + line[len("a=fingerprint"):],
		"keys in the clear":   callSDP + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
		"no lines":            strings.TrimSuffix(callSDP, "\r\n"),
		"another beginning":   "o=-\r\n" + line,
		"a control character": callSDP + "a=x\x00\r\n",
		"a return inside":     callSDP + "a=x\ry\r\n",
		"an empty line":       callSDP + "\r\n",
		"not UTF-8":           callSDP + "a=\xff\r\n",
		"a long line":         callSDP + "a=" + strings.Repeat("x", 4<<10) + "\r\n",
		"long":                callSDP + strings.Repeat("a=xxxxxxxxxxxx\r\n", 2<<10),
	} {
		if _, err := Fingerprint(sdp); !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Bodies that say nothing.
func TestCallJunk(t *testing.T) {
	one := Candidate{Mid: "0", Candidate: "candidate:1 1 udp 1 192.0.2.1 5000 typ host"}
	long, line, mid, odd := one, one, one, one
	long.Candidate += strings.Repeat(" x", 600)
	line.Line = 64
	mid.Mid = strings.Repeat("0", 65)
	odd.Candidate = "candidate:\n"
	for name, err := range map[string]error{
		"an offer of no call":        second(ParseOffer(wire.Marshal(Offer{SDP: callSDP}))),
		"an offer without a key":     second(ParseOffer(wire.Marshal(Offer{Call: CallID{1}, SDP: "v=0\r\n"}))),
		"an answer of no call":       second(ParseAnswer(wire.Marshal(Answer{SDP: callSDP}))),
		"an offer for an answer":     second(ParseAnswer(wire.Marshal(Offer{Call: CallID{1}, SDP: callSDP}))),
		"taken of no call":           second(ParseTaken(wire.Marshal(Taken{}))),
		"round 0":                    second(ParseRenewal(wire.Marshal(Renewal{Call: CallID{1}, SDP: callSDP}))),
		"a round beyond all":         second(ParseRenewal(wire.Marshal(Renewal{Call: CallID{1}, Round: MaxRound + 1, SDP: callSDP}))),
		"no reason":                  second(ParseEnd(wire.Marshal(End{Call: CallID{1}}))),
		"a reason of later versions": second(ParseEnd(wire.Marshal(End{Call: CallID{1}, Reason: 6}))),
		"a ring of no call":          second(ParseRing(wire.Marshal(Ring{}))),
		"too many candidates":        second(ParseCandidates(wire.Marshal(Candidates{Call: CallID{1}, Candidates: make([]Candidate, 65)}))),
		"a long one":                 second(ParseCandidates(wire.Marshal(Candidates{Call: CallID{1}, Candidates: []Candidate{long}}))),
		"one of line 64":             second(ParseCandidates(wire.Marshal(Candidates{Call: CallID{1}, Candidates: []Candidate{line}}))),
		"one of a long name":         second(ParseCandidates(wire.Marshal(Candidates{Call: CallID{1}, Candidates: []Candidate{mid}}))),
		"one of two lines":           second(ParseCandidates(wire.Marshal(Candidates{Call: CallID{1}, Candidates: []Candidate{odd}}))),
	} {
		if !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Candidates go in as many signals as they need, none of which is too long, and all come back.
func TestSplitCandidates(t *testing.T) {
	all := Candidates{Call: CallID{1}, Round: 3, Candidates: []Candidate{}, End: true}
	for i := range MaxCandidates {
		all.Candidates = append(all.Candidates, Candidate{Mid: "0", Line: 1, Candidate: fmt.Sprintf("candidate:%d %s", i, strings.Repeat("x", 900))})
	}
	bodies := all.Split()
	if len(bodies) < 5 {
		t.Fatalf("%d signals", len(bodies))
	}
	var got []Candidate
	for i, b := range bodies {
		c, err := ParseCandidates(b)
		if err != nil || len(b) > MaxSignalBody || c.End != (i == len(bodies)-1) || c.Round != 3 {
			t.Fatalf("%d: %d bytes, %v", i, len(b), err)
		}
		got = append(got, c.Candidates...)
	}
	if !bytes.Equal(wire.Marshal(got), wire.Marshal(all.Candidates)) {
		t.Fatal("they did not come back")
	}
	if none := (Candidates{Call: CallID{1}}).Split(); none != nil {
		t.Fatalf("%x", none)
	}
	if end := (Candidates{Call: CallID{1}, End: true}).Split(); len(end) != 1 || second(ParseCandidates(end[0])) != nil {
		t.Fatalf("%x", end)
	}
}

// The words are alike for the same call, and others for another description or nonce.
func TestCallWords(t *testing.T) {
	words := func(a, b byte, offer, answer byte) [2]string {
		w, err := CallWords(wire.Secret{a}, wire.Secret{b}, wire.Hash{offer}, wire.Hash{answer})
		if err != nil || w[0] == "" || w[1] == "" {
			t.Fatal(w, err)
		}
		return w
	}
	first := words(1, 2, 3, 4)
	if first != words(1, 2, 3, 4) {
		t.Error("not alike")
	}
	if want := [2]string{"clean", "amateur"}; first != want { // docs/protocol.md, section 33, has the same
		t.Errorf("%q", first)
	}
	for _, x := range [][2]string{words(9, 2, 3, 4), words(1, 9, 3, 4), words(1, 2, 9, 4), words(1, 2, 3, 9), words(2, 1, 3, 4), words(1, 2, 4, 3)} {
		if x == first {
			t.Errorf("alike for another call: %q", x)
		}
	}
}
