package client

import (
	"crypto/sha256"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// What a call is follows from the entries of its room in their order and from their times, so
// that it is the same on every device of both people (docs/protocol.md, section 33). This file
// is that rule and knows neither store nor network.

const (
	ringTime   = 60 * time.Second // a call that nobody answers rings so long
	takeTime   = 60 * time.Second // an answer that the caller's device does not take up counts so long
	callDrift  = 10 * time.Minute // that the clocks of the two may be apart
	maxCallsIn = 30               // offers of one side in callsWithin; more are passed over
	callsIn    = time.Hour
)

// call is a call with what is needed of it while it goes on.
type call struct {
	store.Call
	live callLive
}

// callLive is what the entries have said; it is erased when the call is over.
type callLive struct {
	Caller     wire.DeviceName `cbor:"1,keyasint"`
	Answerer   wire.DeviceName `cbor:"2,keyasint"` // of the answer that counts
	Offer      wire.Hash       `cbor:"3,keyasint"` // of the offer's body
	Answer     wire.Hash       `cbor:"4,keyasint"`
	Commitment wire.Hash       `cbor:"5,keyasint"`
	Nonce      wire.Secret     `cbor:"6,keyasint"` // the answer's
	Taken      bool            `cbor:"7,keyasint"`
	Words      [2]string       `cbor:"8,keyasint"`
	Prints     [2]wire.Hash    `cbor:"9,keyasint"`  // DTLS fingerprints, by side
	Round      uint64          `cbor:"10,keyasint"` // of descriptions
	By         side            `cbor:"11,keyasint"` // that offered in this round
	SDP        [2]string       `cbor:"12,keyasint"` // of this round, by side; "": none yet
}

// side is one of the two of a call.
type side uint8

const (
	callerSide   side = 0
	answererSide side = 1
)

// callEntry is an entry about a call as it was read.
type callEntry struct {
	from    room.Owner
	own     bool  // from this person's account
	arrived int64 // at the host, Unix milliseconds, but not later than now
	sent    int64 // by the sender's clock
	body    []byte
}

// sideOf is the side of the person from whose account an entry is.
func (x *call) sideOf(own bool) side {
	if own == x.Outgoing {
		return callerSide
	}
	return answererSide
}

// device is the device that holds a side; the zero name before there is one.
func (x *call) device(s side) wire.DeviceName {
	if s == callerSide {
		return x.live.Caller
	}
	return x.live.Answerer
}

// holds says whether an entry is from the device that holds its side.
func (x *call) holds(e callEntry) bool {
	return x.device(x.sideOf(e.own)) == e.from.Device && e.from.Device != wire.DeviceName{}
}

// offered is the call that an offer begins.
func offered(e callEntry, o room.Offer, home room.ID, peer identity.ID) call {
	x := call{Call: store.Call{ID: o.Call, Room: home, Peer: peer, Outgoing: e.own, Video: o.Video, Stage: store.CallRinging, Began: e.arrived}}
	x.live = callLive{Caller: e.from.Device, Offer: sha256.Sum256(e.body), Commitment: o.Commitment}
	x.live.Prints[callerSide], _ = room.Fingerprint(o.SDP) // ParseOffer has seen it
	x.live.SDP[callerSide] = o.SDP
	return x
}

// lapsed says whether a call is over by the clock at a time, and how it has ended then.
func (x *call) lapsed(at int64) store.CallEnd {
	switch {
	case x.Stage == store.CallRinging && at-x.Began > ringTime.Milliseconds():
		return store.CallMissed
	case x.Stage == store.CallTalking && !x.live.Taken && at-x.Answered > takeTime.Milliseconds():
		return store.CallFailed
	}
	return 0
}

// verdict is what an entry does to a call.
type verdict struct {
	changed bool
	end     store.CallEnd // not 0: the call is over
	fault   callFault
}

// callFault is what was wrong with a call.
type callFault uint8

const (
	faultForged  callFault = 1 // what was to prove the keys does not fit
	faultSwapped callFault = 2 // another key in the middle of it
)

var (
	nothing = verdict{}
	goesOn  = verdict{changed: true}
	forged  = verdict{end: store.CallFailed, fault: faultForged}
	swapped = verdict{end: store.CallFailed, fault: faultSwapped}
)

// answer takes an answer: the first one of the called account counts.
func (x *call) answer(e callEntry, a room.Answer) verdict {
	if x.Stage != store.CallRinging || x.sideOf(e.own) != answererSide || x.lapsed(e.arrived) != 0 {
		return nothing
	}
	if a.Offer != x.live.Offer {
		return nothing
	}
	x.Stage, x.Answered = store.CallTalking, e.arrived
	x.live.Answerer, x.live.Answer, x.live.Nonce = e.from.Device, sha256.Sum256(e.body), a.Nonce
	x.live.Prints[answererSide], _ = room.Fingerprint(a.SDP)
	x.live.SDP[answererSide] = a.SDP
	return goesOn
}

// taken takes the caller's word for which answer it goes on with. It opens the commitment.
func (x *call) taken(e callEntry, t room.Taken) verdict {
	if x.Stage != store.CallTalking || x.live.Taken || x.sideOf(e.own) != callerSide || !x.holds(e) {
		return nothing
	}
	if sha256.Sum256(t.Nonce[:]) != x.live.Commitment || t.Answer != x.live.Answer {
		return forged
	}
	words, err := room.CallWords(t.Nonce, x.live.Nonce, x.live.Offer, x.live.Answer)
	if err != nil {
		return forged
	}
	x.live.Taken, x.live.Words = true, words
	return goesOn
}

// renewal takes a new description of a side. It may not name another key. Of two of one round
// the first counts.
func (x *call) renewal(e callEntry, r room.Renewal) verdict {
	if x.Stage != store.CallTalking || !x.holds(e) || r.Round != x.live.Round+1 {
		return nothing
	}
	by := x.sideOf(e.own)
	if print, err := room.Fingerprint(r.SDP); err != nil || print != x.live.Prints[by] {
		return swapped
	}
	x.live.Round, x.live.By, x.live.SDP = r.Round, by, [2]string{}
	x.live.SDP[by] = r.SDP
	return goesOn
}

// renewed takes the other side's answer to a renewal.
func (x *call) renewed(e callEntry, r room.Renewal) verdict {
	by := x.sideOf(e.own)
	if x.Stage != store.CallTalking || !x.holds(e) || r.Round != x.live.Round || r.Round == 0 || by == x.live.By || x.live.SDP[by] != "" {
		return nothing
	}
	if print, err := room.Fingerprint(r.SDP); err != nil || print != x.live.Prints[by] {
		return swapped
	}
	x.live.SDP[by] = r.SDP
	return goesOn
}

// end takes the end of a call. While it rings, each person may end it on any device. When it was
// answered, what a device says that has lost to another of its person ends nothing.
func (x *call) end(e callEntry, reason room.EndReason) verdict {
	by := x.sideOf(e.own)
	switch {
	case x.Stage == store.CallRinging && by == callerSide:
		if reason == room.EndNoConnection {
			return verdict{end: store.CallFailed}
		}
		return verdict{end: store.CallMissed}
	case x.Stage == store.CallRinging && reason == room.EndBusy:
		return verdict{end: store.CallBusy}
	case x.Stage == store.CallRinging && reason == room.EndNoConnection:
		return verdict{end: store.CallFailed}
	case x.Stage == store.CallRinging && reason == room.EndNobody:
		return verdict{end: store.CallMissed}
	case x.Stage == store.CallRinging:
		return verdict{end: store.CallDeclined}
	case x.Stage != store.CallTalking:
		return nothing
	case reason == room.EndNoConnection:
		return verdict{end: store.CallFailed}
	case reason == room.EndNobody && x.holds(e) && by == callerSide: // it gave up as the answer came
		return verdict{end: store.CallMissed}
	case reason == room.EndHungUp:
		return verdict{end: store.CallHungUp}
	}
	return nothing
}
