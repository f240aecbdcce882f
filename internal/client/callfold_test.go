package client

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// description is one with a key of that name.
func description(key byte) string {
	print := strings.Repeat(fmt.Sprintf("%02X:", key), 32)
	return "v=0\r\na=fingerprint:sha-256 " + print[:len(print)-1] + "\r\n"
}

// callSaid is an entry of a log about a call: of one of the devices of Ana, who calls, or of Bo.
type callSaid struct {
	device byte // 1 and 2 are Ana's, 3 and 4 Bo's
	at     int64
	kind   room.PayloadKind
	body   any
}

// folded is what a device of Ana's or of Bo's makes of a log, the offer first.
func folded(log []callSaid, ana bool) *call {
	var x *call
	for _, s := range log {
		account := identity.ID{1}
		if s.device > 2 {
			account = identity.ID{2}
		}
		e := callEntry{from: room.Owner{Account: account, Device: wire.DeviceName{s.device}}, own: (s.device <= 2) == ana, arrived: s.at, body: wire.Marshal(s.body)}
		if s.kind == room.PayloadOffer {
			y := offered(e, s.body.(room.Offer), room.ID{}, identity.ID{})
			x = &y
			continue
		}
		_, fold := readCallEntry(s.kind, e)
		if fold == nil || x.Stage == store.CallOver {
			continue
		}
		if v := fold(x); v.end != 0 {
			x.Stage, x.End = store.CallOver, v.end
		}
	}
	return x
}

// Whatever devices say in whatever order, both sides make the same of it.
func TestFoldIsAlike(t *testing.T) {
	outcomes := map[string]int{}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 42))
		id, nonce := room.CallID{1}, wire.Secret{7}
		offer := room.Offer{Call: id, SDP: description(1), Commitment: sha256.Sum256(nonce[:])}
		log := []callSaid{{device: 1, at: 1000, kind: room.PayloadOffer, body: offer}}
		answer := wire.Hash{}
		at := int64(1000)
		for range 4 + r.IntN(10) {
			at += r.Int64N(12_000)
			device := byte(1 + r.IntN(4))
			s := callSaid{device: device, at: at}
			switch r.IntN(9) {
			case 0, 1, 2:
				a := room.Answer{Call: id, SDP: description(device), Nonce: wire.Secret{device}, Offer: sha256.Sum256(wire.Marshal(offer))}
				s.kind, s.body = room.PayloadAnswer, a
				if device > 2 && answer == (wire.Hash{}) {
					answer = sha256.Sum256(wire.Marshal(a))
				}
			case 3, 4:
				s.kind, s.body = room.PayloadTaken, room.Taken{Call: id, Nonce: nonce, Answer: answer}
				if s.device = 1; r.IntN(10) == 0 {
					s.body = room.Taken{Call: id, Nonce: wire.Secret{8}, Answer: answer}
				}
			case 5, 6:
				key := device
				if r.IntN(6) == 0 {
					key = 9
				}
				s.kind, s.body = room.PayloadRenewal, room.Renewal{Call: id, Round: uint64(1 + r.IntN(3)), SDP: description(key)}
			case 7:
				s.kind, s.body = room.PayloadRenewed, room.Renewal{Call: id, Round: uint64(1 + r.IntN(3)), SDP: description(device)}
			default:
				s.kind, s.body = room.PayloadEnd, room.End{Call: id, Reason: room.EndReason(1 + r.IntN(5))}
			}
			log = append(log, s)
		}
		a, b := folded(log, true), folded(log, false)
		if !a.Outgoing || b.Outgoing {
			t.Fatal("sides")
		}
		a.Outgoing, a.Pos, b.Pos = false, 0, 0
		if a.Stage != b.Stage || a.End != b.End || a.Answered != b.Answered || string(wire.Marshal(a.live)) != string(wire.Marshal(b.live)) {
			t.Fatalf("seed %d: %+v\n%+v", seed, a, b)
		}
		outcomes[fmt.Sprint(a.Stage, a.End, a.live.Taken, a.live.Round > 0)]++
	}
	if len(outcomes) < 10 { // else nothing was compared
		t.Errorf("%v", outcomes)
	}
}

// What an entry does to a call, one by one.
func TestFold(t *testing.T) {
	id, nonce := room.CallID{1}, wire.Secret{7}
	offer := room.Offer{Call: id, SDP: description(1), Commitment: sha256.Sum256(nonce[:])}
	answer := room.Answer{Call: id, SDP: description(3), Nonce: wire.Secret{3}, Offer: sha256.Sum256(wire.Marshal(offer))}
	taken := room.Taken{Call: id, Nonce: nonce, Answer: sha256.Sum256(wire.Marshal(answer))}
	rings := []callSaid{{1, 1000, room.PayloadOffer, offer}}
	talks := append(rings[:1:1], callSaid{3, 2000, room.PayloadAnswer, answer}, callSaid{1, 2100, room.PayloadTaken, taken})
	end := func(device byte, why room.EndReason) callSaid {
		return callSaid{device, 3000, room.PayloadEnd, room.End{Call: id, Reason: why}}
	}
	renewal := func(device, key byte, round uint64, kind room.PayloadKind) callSaid {
		return callSaid{device, 3000, kind, room.Renewal{Call: id, Round: round, SDP: description(key)}}
	}
	late, other := answer, answer
	late.Offer, other.Nonce = wire.Hash{}, wire.Secret{4}
	for name, x := range map[string]struct {
		log   []callSaid
		stage store.CallStage
		end   store.CallEnd
		round uint64
	}{
		"it rings":                              {rings, store.CallRinging, 0, 0},
		"it is answered":                        {talks, store.CallTalking, 0, 0},
		"the caller's own account answers":      {append(rings[:1:1], callSaid{2, 2000, room.PayloadAnswer, answer}), store.CallRinging, 0, 0},
		"an answer to another offer":            {append(rings[:1:1], callSaid{3, 2000, room.PayloadAnswer, late}), store.CallRinging, 0, 0},
		"an answer after a minute":              {append(rings[:1:1], callSaid{3, 61_001, room.PayloadAnswer, answer}), store.CallRinging, 0, 0},
		"a second answer":                       {append(talks[:3:3], callSaid{4, 2200, room.PayloadAnswer, other}, end(4, room.EndDeclined)), store.CallTalking, 0, 0},
		"taken by another device":               {append(talks[:2:2], callSaid{2, 2100, room.PayloadTaken, room.Taken{Call: id, Answer: taken.Answer}}), store.CallTalking, 0, 0},
		"taken with another nonce":              {append(talks[:2:2], callSaid{1, 2100, room.PayloadTaken, room.Taken{Call: id, Answer: taken.Answer}}), store.CallOver, store.CallFailed, 0},
		"another answer is taken":               {append(talks[:2:2], callSaid{1, 2100, room.PayloadTaken, room.Taken{Call: id, Nonce: nonce}}), store.CallOver, store.CallFailed, 0},
		"the caller gives up":                   {append(rings[:1:1], end(1, room.EndNobody)), store.CallOver, store.CallMissed, 0},
		"the caller's other device ends it":     {append(rings[:1:1], end(2, room.EndHungUp)), store.CallOver, store.CallMissed, 0},
		"the caller finds no connection":        {append(rings[:1:1], end(1, room.EndNoConnection)), store.CallOver, store.CallFailed, 0},
		"it is declined":                        {append(rings[:1:1], end(4, room.EndDeclined)), store.CallOver, store.CallDeclined, 0},
		"busy":                                  {append(rings[:1:1], end(4, room.EndBusy)), store.CallOver, store.CallBusy, 0},
		"hung up":                               {append(talks[:3:3], end(3, room.EndHungUp)), store.CallOver, store.CallHungUp, 0},
		"hung up from another device":           {append(talks[:3:3], end(4, room.EndHungUp)), store.CallOver, store.CallHungUp, 0},
		"too late for busy":                     {append(talks[:3:3], end(4, room.EndBusy)), store.CallTalking, 0, 0},
		"too late to decline":                   {append(talks[:3:3], end(4, room.EndDeclined)), store.CallTalking, 0, 0},
		"the caller gave up as it was answered": {append(talks[:2:2], end(1, room.EndNobody)), store.CallOver, store.CallMissed, 0},
		"another device gave up":                {append(talks[:2:2], end(2, room.EndNobody)), store.CallTalking, 0, 0},
		"a renewal":                             {append(talks[:3:3], renewal(3, 3, 1, room.PayloadRenewal)), store.CallTalking, 0, 1},
		"a renewal of another device":           {append(talks[:3:3], renewal(4, 4, 1, room.PayloadRenewal)), store.CallTalking, 0, 0},
		"a renewal of a round to come":          {append(talks[:3:3], renewal(3, 3, 2, room.PayloadRenewal)), store.CallTalking, 0, 0},
		"two of one round":                      {append(talks[:3:3], renewal(3, 3, 1, room.PayloadRenewal), renewal(1, 1, 1, room.PayloadRenewal)), store.CallTalking, 0, 1},
		"with another key":                      {append(talks[:3:3], renewal(3, 9, 1, room.PayloadRenewal)), store.CallOver, store.CallFailed, 0},
		"with the other side's key":             {append(talks[:3:3], renewal(3, 1, 1, room.PayloadRenewal)), store.CallOver, store.CallFailed, 0},
		"answered with another key":             {append(talks[:3:3], renewal(3, 3, 1, room.PayloadRenewal), renewal(1, 9, 1, room.PayloadRenewed)), store.CallOver, store.CallFailed, 1},
		"answered by who has renewed":           {append(talks[:3:3], renewal(3, 3, 1, room.PayloadRenewal), renewal(3, 9, 1, room.PayloadRenewed)), store.CallTalking, 0, 1},
		"an answer to no renewal":               {append(talks[:3:3], renewal(1, 9, 1, room.PayloadRenewed)), store.CallTalking, 0, 0},
	} {
		for _, ana := range []bool{true, false} {
			got := folded(x.log, ana)
			if got.Stage != x.stage || got.End != x.end || got.live.Round != x.round {
				t.Errorf("%s: stage %d, end %d, round %d", name, got.Stage, got.End, got.live.Round)
			}
		}
	}
	if x := folded(talks, true); x.live.Answer != taken.Answer || x.device(answererSide) != (wire.DeviceName{3}) || x.live.Words[0] == "" {
		t.Errorf("%+v", x.live)
	}
	if x := folded(rings, false); x.lapsed(61_000) != 0 || x.lapsed(61_001) != store.CallMissed {
		t.Error("it rings for another time than a minute")
	}
	if x := folded(talks[:2], false); x.lapsed(62_000) != 0 || x.lapsed(62_001) != store.CallFailed {
		t.Error("an answer that nobody takes goes on")
	}
	if x := folded(talks, false); x.lapsed(1<<50) != 0 {
		t.Error("a call ends by the clock")
	}
}
