package client

import (
	"cmp"
	"context"
	"crypto/sha256"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// NewCall is a call to be made. SDP is the description of the caller's side; Window names who
// holds it on this device.
type NewCall struct {
	Room   room.ID
	Video  bool
	SDP    string
	Window string
}

// StartCall calls the other person of a room of two. It answers when the call is durable here and
// on its way.
func (c *Client) StartCall(n NewCall) (v Call, err error) {
	if _, err := room.Fingerprint(n.SDP); err != nil {
		return v, ErrCallSDP
	}
	err = ErrClosed
	c.on(func() {
		if c.holding() != nil {
			err = ErrInCall
			return
		}
		var id room.CallID
		err = c.update(func(tx store.Tx, after *[]func()) (err error) { id, err = c.startCall(tx, after, n); return err })
		if err == nil {
			c.pump()
			v, err = c.viewOf(id)
		}
	})
	return v, err
}

func (c *Client) startCall(tx store.Tx, after *[]func(), n NewCall) (id room.CallID, err error) {
	g, err := c.callRoom(tx, n.Room)
	if err != nil {
		return id, err
	}
	now := c.nowMS()
	if first, err := c.firstCall(tx, after, g.Room, now); err != nil || first != nil {
		if err == nil {
			err = ErrInCall
		}
		return id, err
	}
	if many, err := tx.CallsSince(g.Room, true, now-callsIn.Milliseconds()); err != nil || many >= maxCallsIn {
		if err == nil {
			err = wire.Refuse(wire.CodeSlowDown, "you called %d times within an hour: wait a while", many)
		}
		return id, err
	}
	r, err := tx.Room(g.Room)
	if err != nil {
		return id, err
	}
	relayed, err := c.relayedOnly(tx, g.Room)
	if err != nil {
		return id, err
	}
	h := &callHere{here: true, window: n.Window, nonce: c.newSecret(), heard: map[wire.DeviceName]bool{}}
	c.random(id[:])
	o := room.Offer{Call: id, SDP: n.SDP, Commitment: sha256.Sum256(h.nonce[:]), Video: n.Video, Relayed: relayed}
	x := &call{Call: store.Call{ID: id, Room: g.Room, Peer: *r.Peer, Outgoing: true, Video: n.Video, Stage: store.CallMade, Began: now}}
	x.live.Caller = c.keys.Name
	if err := saveCall(tx, x); err != nil {
		return id, err
	}
	*after = append(*after, func() {
		c.calls[id] = h
		c.tellCall(id)
		c.armCall(x)
	})
	return id, c.sayCall(tx, g.Room, room.PayloadOffer, o)
}

// callRoom is the generation of a room of two in which a call can be set up now.
func (c *Client) callRoom(tx store.Tx, id room.ID) (*gen, error) {
	home, err := c.shownIn(tx, id)
	if err != nil {
		return nil, err
	}
	r, err := tx.Room(home)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return nil, ErrNoRoom
	case r.Kind != room.Pair || r.Peer == nil:
		return nil, ErrCallAlone
	case r.State != store.RoomActive:
		return nil, ErrNotMember
	}
	p, err := tx.Person(*r.Peer)
	switch {
	case err != nil:
		return nil, err
	case p != nil && p.Standing == store.Blocked:
		return nil, wire.Refuse(wire.CodeMalformed, "%s is blocked: unblock them first", p.Handle)
	case p != nil && p.Paused != 0:
		return nil, ErrPaused
	}
	g := c.gens[genKey{home, r.Generation}]
	if g == nil || !g.heard() || !c.hostLink(g.Host).up {
		return nil, ErrCallAway
	}
	return g, nil
}

// AnswerCall takes a call that rings. It answers when this device's answer is the one that counts;
// ErrCallOver says that another one was quicker.
func (c *Client) AnswerCall(ctx context.Context, id room.CallID, sdp, window string) (v Call, err error) {
	if _, err := room.Fingerprint(sdp); err != nil {
		return v, ErrCallSDP
	}
	err = c.wait(ctx, func(done func(error)) {
		if held := c.holding(); held != nil {
			done(ErrInCall)
			return
		}
		if err := c.update(func(tx store.Tx, after *[]func()) error { return c.answerCall(tx, after, id, sdp, window) }); err != nil {
			done(err)
			return
		}
		c.until(func() (bool, error) {
			v, err = c.viewOf(id)
			return err == nil && (v.Stage == StageTalking || v.Stage == StageOver), err
		}, func(err error) {
			if err == nil && (v.Stage == StageOver || v.End == EndElsewhere) {
				err = ErrCallOver
			}
			done(err)
		})
		c.pump()
	})
	return v, err
}

func (c *Client) answerCall(tx store.Tx, after *[]func(), id room.CallID, sdp, window string) error {
	x, err := knownCall(tx, id)
	if err != nil {
		return err
	}
	v, err := c.callView(tx, x)
	if err != nil {
		return err
	}
	if x.Outgoing || v.Stage != StageRinging {
		return ErrCallOver
	}
	if _, err := c.callRoom(tx, x.Room); err != nil {
		return err
	}
	relayed, err := c.relayedOnly(tx, x.Room)
	if err != nil {
		return err
	}
	a := room.Answer{Call: id, SDP: sdp, Nonce: c.newSecret(), Offer: x.live.Offer, Relayed: relayed}
	*after = append(*after, func() {
		h := c.callAt(id)
		h.here, h.rings, h.window = true, false, window
		c.tellCall(id)
	})
	return c.sayCall(tx, x.Room, room.PayloadAnswer, a)
}

// EndCall ends a call from this device: it hangs up, declines, is busy or found no connection.
func (c *Client) EndCall(id room.CallID, end CallEnd) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error { return c.endCall(tx, after, id, end) })
		if err == nil {
			c.pump()
		}
	})
	return err
}

// reasons are what each end says.
var reasons = map[CallEnd]room.EndReason{
	EndHungUp: room.EndHungUp, EndDeclined: room.EndDeclined, EndBusy: room.EndBusy, EndMissed: room.EndNobody, EndFailed: room.EndNoConnection,
}

func (c *Client) endCall(tx store.Tx, after *[]func(), id room.CallID, end CallEnd) error {
	why, ok := reasons[end]
	x, err := knownCall(tx, id)
	h := c.calls[id]
	switch {
	case err != nil:
		return err
	case !ok:
		return wire.Refuse(wire.CodeMalformed, "a call ends as hung_up, declined, busy, missed or failed")
	case x.Stage == store.CallOver || h != nil && h.ended != "":
		return nil
	case x.Stage == store.CallMade && end == EndFailed:
		return c.dropCall(tx, after, x, store.CallFailed)
	case x.Stage == store.CallMade:
		return c.dropCall(tx, after, x, store.CallMissed)
	case x.Stage == store.CallRinging && !x.Outgoing && end == EndHungUp:
		why, end = room.EndDeclined, EndDeclined
	case x.Stage == store.CallRinging && x.Outgoing && end != EndFailed:
		why, end = room.EndHungUp, EndMissed
	case x.Stage == store.CallTalking && end != EndFailed:
		why, end = room.EndHungUp, EndHungUp
	}
	*after = append(*after, func() {
		h := c.callAt(id)
		h.here, h.rings, h.ended = false, false, end
		c.tellCall(id)
	})
	return c.sayEnd(tx, x, why)
}

// Renew gives this side of a call another description, an ICE restart. It answers what the other
// side has said in the round that begins, which is the other side's own renewal where that was
// first: then this one does not count.
func (c *Client) Renew(ctx context.Context, id room.CallID, sdp string) (m CallMedia, err error) {
	round := uint64(0)
	err = c.wait(ctx, func(done func(error)) {
		err := c.update(func(tx store.Tx, after *[]func()) error {
			x, err := c.heldCall(tx, id, sdp)
			if err != nil {
				return err
			}
			round = x.live.Round + 1
			return c.sayCall(tx, x.Room, room.PayloadRenewal, room.Renewal{Call: id, Round: round, SDP: sdp})
		})
		if err != nil {
			done(err)
			return
		}
		c.until(func() (over bool, err error) {
			err = c.read(func(tx store.Tx) error {
				x, err := loadCall(tx, id)
				if err != nil || x == nil || x.Stage == store.CallOver {
					return cmp.Or(err, ErrCallOver)
				}
				over = x.live.Round >= round
				m, err = c.callMedia(tx, x)
				return err
			})
			return over, err
		}, done)
		c.pump()
	})
	return m, err
}

// Renewed answers the other side's renewal.
func (c *Client) Renewed(id room.CallID, round uint64, sdp string) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, _ *[]func()) error {
			x, err := c.heldCall(tx, id, sdp)
			if err != nil {
				return err
			}
			own := x.sideOf(true)
			if round == 0 || round != x.live.Round || x.live.By == own || x.live.SDP[own] != "" {
				return ErrCallRound
			}
			return c.sayCall(tx, x.Room, room.PayloadRenewed, room.Renewal{Call: id, Round: round, SDP: sdp})
		})
		if err == nil {
			c.pump()
		}
	})
	return err
}

// heldCall is a call that goes on and that this device holds, with a description that names the
// key of this side.
func (c *Client) heldCall(tx store.Tx, id room.CallID, sdp string) (*call, error) {
	print, bad := room.Fingerprint(sdp)
	x, err := knownCall(tx, id)
	switch h := c.calls[id]; {
	case err != nil:
		return nil, err
	case x.Stage != store.CallTalking || h != nil && h.ended != "":
		return nil, ErrCallOver
	case h == nil || !h.here || !c.isMine(x):
		return nil, ErrCallElse
	case bad != nil || print != x.live.Prints[x.sideOf(true)]:
		return nil, ErrCallSDP
	}
	return x, nil
}

// AddCandidates tells the other side of a call candidates of this side in a round; end says that
// there are no more.
func (c *Client) AddCandidates(id room.CallID, round uint64, list []room.Candidate, end bool) error {
	for _, k := range list {
		if !k.Good() {
			return ErrCandidates
		}
	}
	err := ErrClosed
	c.on(func() {
		var x *call
		if err = c.read(func(tx store.Tx) (err error) { x, err = loadCall(tx, id); return err }); err == nil {
			err = c.addCandidates(x, c.calls[id], round, list, end)
		}
	})
	return err
}

func (c *Client) addCandidates(x *call, h *callHere, round uint64, list []room.Candidate, end bool) error {
	switch {
	case x == nil:
		return ErrNoCall
	case x.Stage == store.CallOver || h != nil && h.ended != "":
		return ErrCallOver
	case h == nil || !h.here:
		return ErrCallElse
	case round != x.live.Round:
		return ErrCallRound
	}
	if h.mine.round != round {
		h.mine = trickle{round: round}
	}
	if len(h.mine.list)+len(list) > room.MaxCandidates {
		return ErrCandidates
	}
	from := len(h.mine.list)
	h.mine.list, h.mine.end = append(h.mine.list, list...), h.mine.end || end
	c.tellCandidates(x, from)
	return nil
}

// endCallsWith ends the calls with somebody who is blocked. Nothing of theirs is read any more.
func (c *Client) endCallsWith(tx store.Tx, after *[]func(), account identity.ID) error {
	list, err := liveCalls(tx)
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.Peer != account {
			continue
		}
		err := c.sayEnd(tx, x, room.EndHungUp)
		if err == nil {
			end := store.CallHungUp
			if x.Answered == 0 && x.Outgoing {
				end = store.CallMissed
			} else if x.Answered == 0 {
				end = store.CallDeclined
			}
			err = c.closeCall(tx, after, x, end, c.nowMS())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
