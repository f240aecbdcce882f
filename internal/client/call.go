package client

import (
	"errors"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
)

// Errors of calls that a person can do something about.
var (
	ErrNoCall     = errors.New("there is no such call here")
	ErrCallOver   = errors.New("this call is over, or another device has answered it")
	ErrInCall     = errors.New("a call goes on already: end that one first")
	ErrCallAlone  = errors.New("calls are for conversations of two")
	ErrCallAway   = errors.New("the server of this conversation is not reached now, and a call does not wait")
	ErrCallRound  = errors.New("this is about another round of the call than the present one")
	ErrCallElse   = errors.New("this device does not hold that call")
	ErrCallSDP    = errors.New("this is no description of a call's side with one SHA-256 fingerprint")
	ErrCandidates = errors.New("these are no ICE candidates, or too many")
)

// Call is a call as this device sees it.
type Call struct {
	ID       room.CallID
	Room     room.ID
	Peer     identity.ID // the other account
	Outgoing bool
	Video    bool
	Stage    CallStage
	Here     bool   // this device holds it
	Rings    bool   // this device rings
	Window   string // that holds it, of this device
	Began    int64  // all times Unix milliseconds
	Answered int64
	Ended    int64
	End      CallEnd
	Relayed  bool     // this side is to take relayed paths only
	Words    []string // two, once the answer is taken up
	Matched  bool
	Devices  int          // of the called person that ring
	Instead  *room.CallID // of one that came to nothing: the other person's call to answer in its stead
}

// CallStage is how far a call is.
type CallStage string

// The stages.
const (
	StageCalling CallStage = "calling" // outgoing: nothing was heard of the other side yet
	StageRinging CallStage = "ringing" // there, or here
	StageTalking CallStage = "talking" // answered
	StageOver    CallStage = "over"
)

// CallEnd is why a call is over.
type CallEnd string

// The ends.
const (
	EndHungUp    CallEnd = "hung_up"
	EndDeclined  CallEnd = "declined"
	EndBusy      CallEnd = "busy"
	EndMissed    CallEnd = "missed"    // nobody answered
	EndFailed    CallEnd = "failed"    // no connection
	EndElsewhere CallEnd = "elsewhere" // another device of this person answered; it talks there
)

var callEnds = map[store.CallEnd]CallEnd{
	store.CallHungUp: EndHungUp, store.CallDeclined: EndDeclined, store.CallBusy: EndBusy,
	store.CallMissed: EndMissed, store.CallFailed: EndFailed, store.CallNone: EndFailed,
}

// CallMedia is what the holder of a call needs of the other side.
type CallMedia struct {
	Call       Call
	Round      uint64
	Offer      string           // the other side's description, where that side offers in this round
	Answer     string           // where it answers
	Candidates []room.Candidate // of the other side
	End        bool             // there are no more in this round
}

// Calls are the calls that ring or go on.
func (c *Client) Calls() (out []Call, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			list, err := liveCalls(tx)
			if err != nil {
				return err
			}
			for _, x := range list {
				v, err := c.callView(tx, x)
				if err != nil {
					return err
				}
				if v.Stage != StageOver {
					out = append(out, v)
				}
			}
			return nil
		})
	})
	return out, err
}

// CallsPast are the calls that are over, the last one first: those before a call, or all. limit
// is at most MaxPage.
func (c *Client) CallsPast(before *room.CallID, limit int) (out []Call, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			pos := endOfRoom
			if before != nil {
				x, err := tx.Call(*before)
				if err != nil {
					return err
				}
				if x == nil || x.Pos == 0 {
					return ErrNoCall
				}
				pos = x.Pos
			}
			list, err := tx.PastCalls(pos, min(max(limit, 1), MaxPage))
			if err != nil {
				return err
			}
			for _, row := range list {
				v, err := c.callView(tx, &call{Call: row})
				if err != nil {
					return err
				}
				out = append(out, v)
			}
			return nil
		})
	})
	return out, err
}

// Call is one call, over or not.
func (c *Client) Call(id room.CallID) (v Call, err error) {
	err = c.withCall(id, func(tx store.Tx, x *call) (err error) { v, err = c.callView(tx, x); return err })
	return v, err
}

// Media is what the holder of a call needs of the other side: everything so far.
func (c *Client) Media(id room.CallID) (m CallMedia, err error) {
	err = c.withCall(id, func(tx store.Tx, x *call) (err error) {
		if x.Stage == store.CallOver {
			return ErrCallOver
		}
		m, err = c.callMedia(tx, x)
		return err
	})
	return m, err
}

// SetMatched notes that the two people have said the words to each other and found the same.
func (c *Client) SetMatched(id room.CallID, on bool) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			x, err := knownCall(tx, id)
			if err != nil {
				return err
			}
			if !x.live.Taken {
				return ErrCallOver // there are no words, or not any more
			}
			x.Matched = on
			*after = append(*after, func() { c.tellCall(id) })
			return tx.PutCall(x.Call)
		})
	})
	return err
}

// withCall reads a call.
func (c *Client) withCall(id room.CallID, f func(tx store.Tx, x *call) error) error {
	err := ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			x, err := knownCall(tx, id)
			if err != nil {
				return err
			}
			return f(tx, x)
		})
	})
	return err
}

// callView is a call as people see it now.
func (c *Client) callView(tx store.Tx, x *call) (Call, error) {
	v := Call{ID: x.ID, Room: x.Room, Peer: x.Peer, Outgoing: x.Outgoing, Video: x.Video, Began: x.Began, Answered: x.Answered, Ended: x.Ended, Matched: x.Matched, Stage: StageRinging}
	h := c.calls[x.ID]
	if h == nil {
		h = &callHere{}
	}
	v.Here, v.Rings, v.Window, v.Devices, v.Instead = h.here, h.rings, h.window, len(h.heard), h.instead
	if h.rings && !x.Outgoing {
		v.Devices++
	}
	late := c.nowMS()-x.Began >= ringTime.Milliseconds()
	switch {
	case x.Stage == store.CallOver:
		v.Stage, v.End = StageOver, callEnds[x.End]
	case h.ended != "":
		v.Stage, v.End = StageOver, h.ended
	case x.Stage == store.CallTalking:
		v.Stage = StageTalking
		if x.live.Taken {
			v.Words = x.live.Words[:]
		}
		if !x.Outgoing && x.live.Answerer != c.keys.Name {
			v.End = EndElsewhere
		}
	case !x.Outgoing && (late || x.Quiet != store.CallLoud && x.Quiet != store.CallOff):
		v.Stage, v.End = StageOver, EndMissed
	case x.Outgoing && len(h.heard) == 0:
		v.Stage = StageCalling
	}
	if v.Stage == StageOver {
		v.Here, v.Rings, v.Devices = false, false, 0
		return v, nil
	}
	var err error
	v.Relayed, err = c.relayedOnly(tx, x.Room)
	return v, err
}

// callMedia is what the other side of a call has said so far.
func (c *Client) callMedia(tx store.Tx, x *call) (m CallMedia, err error) {
	if m.Call, err = c.callView(tx, x); err != nil {
		return m, err
	}
	m.Round = x.live.Round
	other := x.sideOf(false)
	if x.live.By == other {
		m.Offer = x.live.SDP[other]
	} else {
		m.Answer = x.live.SDP[other]
	}
	if h := c.calls[x.ID]; h != nil && h.theirs.round == m.Round {
		m.Candidates, m.End = h.theirs.list[:len(h.theirs.list):len(h.theirs.list)], h.theirs.end
	}
	return m, nil
}

// relayedOnly says whether this device takes relayed paths only in calls of a room, so that the
// other side does not see its address: when the person wants that always, while the other person
// is no contact, and where only people may call with whom numbers were compared, until they were.
func (c *Client) relayedOnly(tx store.Tx, id room.ID) (bool, error) {
	if c.settings.CallsRelay {
		return true, nil
	}
	r, err := tx.Room(id)
	if err != nil || r == nil || r.Peer == nil {
		return true, err
	}
	p, err := tx.Person(*r.Peer)
	if err != nil || p == nil {
		return true, err
	}
	return p.Standing != store.Contact || p.Paused != 0 || c.settings.CallsFrom == CallsCompared && p.Compared == 0, nil
}

// RelayedOnly says whether this device takes relayed paths only in calls of a room.
func (c *Client) RelayedOnly(id room.ID) (only bool, err error) {
	err = ErrClosed
	c.on(func() { err = c.read(func(tx store.Tx) (err error) { only, err = c.relayedOnly(tx, id); return err }) })
	return only, err
}

// foldCall adds to a row of a conversation the call that it tells of, if that is here.
func (c *Client) foldCall(tx store.Tx, s *Shown) error {
	if s.call == nil {
		return nil
	}
	row, err := tx.Call(*s.call)
	if err != nil || row == nil {
		return err
	}
	v, err := c.callView(tx, &call{Call: *row})
	s.Call = &v
	return err
}
