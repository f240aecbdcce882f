package room

import (
	"bytes"
	"errors"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

// fuzzParser holds one parser to its promises: what it refuses is ErrJunk, and what it
// takes has one encoding.
func fuzzParser[T any](f *testing.F, parse func([]byte) (T, error), seeds ...T) {
	f.Helper()
	for _, s := range seeds {
		b := wire.Marshal(s)
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	for _, s := range [][]byte{nil, {0xa0}, {0xbf, 0xff}, bytes.Repeat([]byte{0x81}, 64), {0xa1, 0x01, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parse(b)
		if err != nil {
			if !errors.Is(err, ErrJunk) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if again := wire.Marshal(v); !bytes.Equal(again, b) {
			t.Fatalf("%x is taken and is %x", b, again)
		}
	})
}

func FuzzParsePayload(f *testing.F) {
	fuzzParser(f, ParsePayload, Payload{}, Payload{Kind: PayloadContent, Body: []byte("x"), Seq: 1<<64 - 1, TimeMS: 1})
}

func FuzzParseJoined(f *testing.F) { fuzzParser(f, ParseJoined, joined(), Joined{Host: "[::1]:80"}) }

func FuzzParseRejoin(f *testing.F) {
	fuzzParser(f, ParseRejoin, Rejoin{Generation: 1, KeyPackage: []byte{1}, Joined: joined()})
}

func FuzzParseReturn(f *testing.F) {
	fuzzParser(f, ParseReturn, Return{Generation: 1, KeyPackage: []byte{1}, Joined: joined()})
}

func FuzzParseKept(f *testing.F) {
	one := Register{What: KeptDraft, Of: []byte{1}, Value: []byte{}, Time: 1}
	again := one
	again.Device = &wire.DeviceName{2}
	fuzzParser(f, ParseKept, Kept{Registers: []Register{one}}, Kept{Registers: []Register{again}, Again: true, Chains: [][][]byte{{{1}}}})
}

func FuzzParseBundle(f *testing.F) {
	fuzzParser(f, ParseBundle, Bundle{}, Bundle{Tree: []byte{1}, Chains: []Proof{newAccount(f, "ana").proof(0)}})
}

func FuzzParseInvitation(f *testing.F) {
	blob := invitation()
	blob.Bundle, blob.Blob = nil, &BundleBlob{Host: "example.org"}
	blob.Move = &Move{Culprits: []Owner{{}}, Reason: "x"}
	fuzzParser(f, ParseInvitation, invitation(), blob)
}

func FuzzContextOf(f *testing.F) {
	ana := newAccount(f, "ana")
	for _, c := range []Context{{}, context(Group, ana), context(Pair)} {
		f.Add(wire.Marshal(c))
	}
	f.Add(wire.Marshal(map[uint64]any{1: 2}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ContextOf([]mls.Extension{{Type: ExtContext, Data: b}})
		if err != nil {
			if !errors.Is(err, ErrJunk) && !errors.Is(err, ErrRules) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if err := sameExtensions(c.Extensions(), c); err != nil || !bytes.Equal(c.Extensions()[1].Data, b) {
			t.Fatalf("%x is taken and is %x", b, wire.Marshal(c))
		}
	})
}

// FuzzOpenEntry gives a member's own nonsense to the others: what stands inside a seal
// that opens.
func FuzzOpenEntry(f *testing.F) {
	ana := newAccount(f, "ana")
	for _, inner := range []Inner{{}, {Message: []byte("hi")}, {Message: []byte("hi"), Proofs: []Proof{ana.proof(0)}}} {
		f.Add(Pad(wire.Marshal(inner)), false)
		f.Add(wire.Marshal(inner), true)
	}
	f.Add([]byte{}, false)
	f.Add([]byte{0x80}, false)
	f.Fuzz(func(t *testing.T, plain []byte, raw bool) {
		entry := plain
		if !raw {
			entry = sealRaw(t, epoch(1), wire.LogName{}, plain)
		}
		inner, err := OpenEntry(epoch(1), wire.LogName{}, entry)
		if err != nil {
			if !errors.Is(err, ErrJunk) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if raw {
			t.Fatal("opened without its key")
		}
		if b, err := Unpad(plain); err != nil || !bytes.Equal(b, wire.Marshal(inner)) {
			t.Fatalf("%x is taken", plain)
		}
		if next, err := (Knowledge{}).Extend(inner.Proofs); err != nil && !errors.Is(err, ErrJunk) || err == nil && next == nil {
			t.Fatalf("its proofs: %v", err)
		}
	})
}

// FuzzOpenEnvelope gives a stranger's nonsense to a device: what stands inside a seal
// that opens.
func FuzzOpenEnvelope(f *testing.F) {
	ana, bo := newAccount(f, "ana"), newAccount(f, "bo")
	good, err := bo.keys[0].Open([]byte(envelopeInfo), post(f, ana, bo.keys[0].Device(), []byte("come in")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, true)
	f.Add(good[:len(good)/2], true)
	f.Add(Pad(wire.Marshal(Envelope{})), true)
	f.Add([]byte{}, true)
	f.Add([]byte{}, false)
	f.Add(bytes.Repeat([]byte{1}, 1200), false)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		sealed := b
		if seal {
			sealed = sealPlain(t, bo.keys[0].Device(), b)
		}
		e, chain, err := OpenEnvelope(bo.keys[0], sealed)
		if err != nil {
			if !errors.Is(err, ErrJunk) && !errors.Is(err, identity.ErrChain) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if chain.ID() != ana.chain.ID() || e.To != bo.keys[0].Name || string(e.Body) != "come in" {
			t.Fatal("an envelope that nobody signed")
		}
	})
}

// callSDP is a description as short as it may be.
const callSDP = "v=0\r\na=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\r\n"

func FuzzParseOffer(f *testing.F) {
	fuzzParser(f, ParseOffer, Offer{Call: CallID{1}, SDP: callSDP}, Offer{Call: CallID{1}, SDP: callSDP, Video: true, Relayed: true})
}

func FuzzParseAnswer(f *testing.F) {
	fuzzParser(f, ParseAnswer, Answer{Call: CallID{1}, SDP: callSDP}, Answer{Call: CallID{1}, SDP: callSDP, Relayed: true})
}

func FuzzParseTaken(f *testing.F) { fuzzParser(f, ParseTaken, Taken{Call: CallID{1}}) }

func FuzzParseRenewal(f *testing.F) {
	fuzzParser(f, ParseRenewal, Renewal{Call: CallID{1}, Round: 1, SDP: callSDP})
}

func FuzzParseEnd(f *testing.F) { fuzzParser(f, ParseEnd, End{Call: CallID{1}, Reason: EndBusy}) }

func FuzzParseRing(f *testing.F) { fuzzParser(f, ParseRing, Ring{Call: CallID{1}}) }

func FuzzParseCandidates(f *testing.F) {
	one := Candidate{Mid: "0", Line: 1, Candidate: "candidate:1 1 udp 1 192.0.2.1 5000 typ host"}
	fuzzParser(f, ParseCandidates, Candidates{Call: CallID{1}, Candidates: []Candidate{}, End: true}, Candidates{Call: CallID{1}, Round: 2, Candidates: []Candidate{one}})
}
