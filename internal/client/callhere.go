package client

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"time"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// callHere is what this device remembers of a call while it runs: who started anew holds no
// call any more.
type callHere struct {
	here     bool   // it holds its side, or tries to
	rings    bool   // it rings
	window   string // that holds it
	nonce    wire.Secret
	ended    CallEnd // said here, and not read in the log yet
	gaveUp   bool    // nobody answered, which is on its way
	heard    map[wire.DeviceName]bool
	instead  *room.CallID
	mine     trickle
	theirs   trickle
	nextRing int64 // when it tells again that it rings, Unix milliseconds
}

// trickle are candidates of a side in a round, in the order in which they came.
type trickle struct {
	round uint64
	list  []room.Candidate
	end   bool
}

const (
	ringAgain = 3 * time.Second  // between two signals that a device rings
	callGrace = 15 * time.Second // what was said in time may be read so much later
)

func (c *Client) callAt(id room.CallID) *callHere {
	h := c.calls[id]
	if h == nil {
		h = &callHere{heard: map[wire.DeviceName]bool{}}
		c.calls[id] = h
	}
	return h
}

// holding is the call that this device holds; nil when there is none.
func (c *Client) holding() *room.CallID {
	for _, id := range c.sortedCalls() {
		if h := c.calls[id]; h.here && h.ended == "" {
			return &id
		}
	}
	return nil
}

func (c *Client) sortedCalls() []room.CallID {
	return slices.SortedFunc(maps.Keys(c.calls), func(a, b room.CallID) int { return bytes.Compare(a[:], b[:]) })
}

// isMine says whether this device holds a side of a call, by the log.
func (c *Client) isMine(x *call) bool { return x.device(x.sideOf(true)) == c.keys.Name }

// callBegan acts on an offer that counts.
func (c *Client) callBegan(tx store.Tx, after *[]func(), x *call) error {
	h := c.calls[x.ID]
	*after = append(*after, func() { c.callOn(x.ID) })
	switch {
	case x.Outgoing && c.isMine(x) && h == nil: // this device has started anew since
		return c.sayEnd(tx, x, room.EndHungUp)
	case x.Outgoing:
		return nil
	case x.Quiet == store.CallBusyHere && c.holding() != nil:
		return c.sayEnd(tx, x, room.EndBusy)
	}
	return nil
}

// callWent acts on an entry that has moved a call on.
func (c *Client) callWent(tx store.Tx, after *[]func(), before call, x *call) error {
	h := c.calls[x.ID]
	*after = append(*after, func() { c.callMoved(before, x) })
	switch {
	case !c.isMine(x):
		return nil
	case h == nil || !h.here: // it has started anew since
		return c.sayEnd(tx, x, room.EndNoConnection)
	case x.Outgoing && before.Stage == store.CallRinging:
		return c.sayCall(tx, x.Room, room.PayloadTaken, room.Taken{Call: x.ID, Nonce: h.nonce, Answer: x.live.Answer})
	}
	return nil
}

// callMoved tells what has changed of a call, and what the other side says.
func (c *Client) callMoved(before call, x *call) {
	h := c.callAt(x.ID)
	if x.Stage == store.CallTalking {
		h.rings = false
		if !c.isMine(x) {
			h.here = false // another device was quicker
		}
	}
	if h.theirs.round != x.live.Round {
		h.theirs = trickle{round: x.live.Round}
	}
	c.tellCall(x.ID)
	other := x.sideOf(false)
	if x.live.SDP[other] != "" && (before.live.Round != x.live.Round || before.live.SDP[other] == "") {
		c.tellMedia(x.ID, nil)
	}
	c.tellCandidates(x, 0)
	c.armCall(x)
}

// callOn takes up a call that begins or that was found at a start.
func (c *Client) callOn(id room.CallID) {
	var x *call
	if err := c.read(func(tx store.Tx) (err error) { x, err = loadCall(tx, id); return err }); err != nil || x == nil || x.Stage == store.CallOver {
		return
	}
	h := c.callAt(id)
	left := x.Began + ringTime.Milliseconds() - c.nowMS()
	h.rings = !x.Outgoing && x.Stage == store.CallRinging && x.Quiet == store.CallLoud && left > 0
	c.tellCall(id)
	if h.rings {
		c.ring(x, h)
		c.tellMedia(id, nil)
	}
	if x.Outgoing {
		c.tellCandidates(x, 0)
	}
	c.armCall(x)
}

// callClosed forgets what was needed for a call that is over.
func (c *Client) callClosed(id room.CallID) {
	c.tellCall(id)
	if h := c.calls[id]; h != nil {
		clear(h.nonce[:])
		if h.here = false; h.instead == nil {
			delete(c.calls, id)
		}
	}
	maps.DeleteFunc(c.calls, func(_ room.CallID, h *callHere) bool { return h.instead != nil && *h.instead == id })
	c.stopTimer(callTimer(id))
	c.settle()
}

func callTimer(id room.CallID) string { return "call " + id.String() }

// armCall looks at a call again when something is due.
func (c *Client) armCall(x *call) {
	h, now := c.calls[x.ID], c.nowMS()
	next := x.Began + ringTime.Milliseconds()
	if x.Stage == store.CallTalking {
		if x.live.Taken {
			c.stopTimer(callTimer(x.ID))
			return
		}
		next = x.Answered + takeTime.Milliseconds()
	}
	if now >= next {
		next += callGrace.Milliseconds()
	}
	if h != nil && h.rings {
		next = min(next, h.nextRing)
	}
	id := x.ID
	c.timer(callTimer(id), msDuration(max(next-now, 1000)), func() { c.callDue(id) })
}

// callDue does what is due of a call by the clock.
func (c *Client) callDue(id room.CallID) {
	var x *call
	err := c.update(func(tx store.Tx, after *[]func()) (err error) {
		if x, err = loadCall(tx, id); err != nil || x == nil || x.Stage == store.CallOver {
			x = nil
			return err
		}
		return c.callLate(tx, after, x)
	})
	if err != nil {
		c.fail("keeping a call", err)
	}
	if x == nil || x.Stage == store.CallOver {
		return
	}
	if h := c.calls[id]; h != nil && h.rings {
		c.ring(x, h)
		if !h.rings {
			c.tellCall(id)
		}
	}
	c.armCall(x)
	c.pump()
}

// callLate ends a call that nobody answers: the caller's device says so when it is time, and
// when nothing is read of anything, it is over a while later.
func (c *Client) callLate(tx store.Tx, after *[]func(), x *call) error {
	now, h := c.nowMS(), c.calls[x.ID]
	late := now-x.Began >= ringTime.Milliseconds()
	switch {
	case x.Stage == store.CallMade && late: // it has not left this device, or its host does not show it
		return c.dropCall(tx, after, x, store.CallFailed)
	case x.Stage == store.CallRinging && late && x.Outgoing && h != nil && h.here && !h.gaveUp:
		*after = append(*after, func() { h.gaveUp = true })
		if err := c.sayEnd(tx, x, room.EndNobody); err != nil {
			return err
		}
	}
	end := x.lapsed(now - callGrace.Milliseconds())
	if end == 0 {
		return nil
	}
	if g, err := c.current(tx, x.Room); err != nil || g != nil && g.State == store.GenLive && !g.caughtUp && now-x.Began < callDrift.Milliseconds() {
		return err // what was said in time may still come
	}
	return c.closeCall(tx, after, x, end, now)
}

// dropCall ends a call of this device's that has not begun. What has left it already is followed
// by its end.
func (c *Client) dropCall(tx store.Tx, after *[]func(), x *call, end store.CallEnd) error {
	if err := tx.DropUnsealed(x.Room, room.PayloadOffer); err != nil {
		return err
	}
	if err := c.sayEnd(tx, x, room.EndHungUp); err != nil {
		return err
	}
	return c.closeCall(tx, after, x, end, c.nowMS())
}

// resumeCalls looks at the calls that went on when this device stopped. It holds none of them any
// more, and says so.
func (c *Client) resumeCalls() {
	var on []room.CallID
	err := c.update(func(tx store.Tx, after *[]func()) error {
		on = nil
		list, err := liveCalls(tx)
		if err != nil {
			return err
		}
		for _, x := range list {
			switch {
			case c.calls[x.ID] != nil: // only the database was opened anew
			case x.Stage == store.CallMade:
				err = c.dropCall(tx, after, x, store.CallMissed)
			case c.isMine(x) && x.Stage == store.CallRinging:
				err = c.sayEnd(tx, x, room.EndHungUp)
			case c.isMine(x):
				err = c.sayEnd(tx, x, room.EndNoConnection)
			default:
				err = tx.DropUnsealed(x.Room, room.PayloadAnswer)
			}
			if err != nil {
				return err
			}
			on = append(on, x.ID)
		}
		return nil
	})
	if err != nil {
		c.fail("looking at calls", err)
	}
	for _, id := range on {
		c.callOn(id)
	}
}

// leftCalls ends the calls in rooms that this device is not in any more.
func (c *Client) leftCalls(tx store.Tx, after *[]func()) error {
	list, err := liveCalls(tx)
	if err != nil {
		return err
	}
	for _, x := range list {
		r, err := tx.Room(x.Room)
		if err != nil {
			return err
		}
		if r != nil && r.State == store.RoomActive {
			continue
		}
		if err := c.closeCall(tx, after, x, store.CallFailed, c.nowMS()); err != nil {
			return err
		}
	}
	return nil
}

// sayCall puts an entry about a call into the outbox.
func (c *Client) sayCall(tx store.Tx, id room.ID, kind room.PayloadKind, body any) error {
	_, err := tx.Enqueue(store.Outgoing{Room: id, Kind: kind, Body: wire.Marshal(body)})
	return err
}

func (c *Client) sayEnd(tx store.Tx, x *call, why room.EndReason) error {
	return c.sayCall(tx, x.Room, room.PayloadEnd, room.End{Call: x.ID, Reason: why})
}

// tellCall tells how a call is.
func (c *Client) tellCall(id room.CallID) {
	v, err := c.viewOf(id)
	if err != nil {
		return // it is not here any more, or the disk fails, which others tell of
	}
	c.emit(Event{Kind: EventCall, Room: v.Room, Account: v.Peer, Call: &v})
	c.settle()
}

// tellMedia tells what the other side of a call says: some candidates, or nil for everything.
func (c *Client) tellMedia(id room.CallID, fresh []room.Candidate) {
	var m CallMedia
	err := c.read(func(tx store.Tx) error {
		x, err := knownCall(tx, id)
		if err != nil {
			return err
		}
		m, err = c.callMedia(tx, x)
		return err
	})
	if err != nil {
		if !errors.Is(err, ErrNoCall) {
			c.fail("reading a call", err)
		}
		return
	}
	if fresh != nil {
		m.Candidates = fresh
	}
	c.emit(Event{Kind: EventMedia, Room: m.Call.Room, Account: m.Call.Peer, Media: &m})
}

func (c *Client) viewOf(id room.CallID) (v Call, err error) {
	err = c.read(func(tx store.Tx) error {
		x, err := knownCall(tx, id)
		if err != nil {
			return err
		}
		v, err = c.callView(tx, x)
		return err
	})
	return v, err
}
