package client

import (
	"slices"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// maxRings is how many calls ring on a device at once.
const maxRings = 3

// whyQuiet is why an incoming call does not ring on this device.
func (c *Client) whyQuiet(tx store.Tx, x *call, e callEntry) (store.CallQuiet, error) {
	now := c.nowMS()
	if now-e.arrived > ringTime.Milliseconds() || e.sent < now-callDrift.Milliseconds() || e.sent > now+callDrift.Milliseconds() {
		return store.CallLate, nil
	}
	p, err := tx.Person(x.Peer)
	if err != nil {
		return 0, err
	}
	live, err := tx.LiveCalls()
	if err != nil {
		return 0, err
	}
	rings := 0
	for _, id := range c.sortedCalls() {
		if c.calls[id].rings {
			rings++
		}
	}
	switch {
	case p == nil || p.Standing != store.Contact:
		return store.CallStranger, nil
	case p.Paused != 0 || c.settings.CallsFrom == CallsCompared && p.Compared == 0:
		return store.CallUncompared, nil
	case slices.ContainsFunc(live, func(y store.Call) bool { return c.inCall(y) && y.Room != x.Room }):
		return store.CallBusyHere, nil
	case !c.settings.CallsRing:
		return store.CallOff, nil
	case rings >= maxRings:
		return store.CallMany, nil
	}
	return store.CallLoud, nil
}

// inCall says whether a call that goes on keeps this person busy, on whichever device.
func (c *Client) inCall(x store.Call) bool {
	if h := c.calls[x.ID]; h != nil && h.ended != "" {
		return false
	}
	return x.Stage == store.CallTalking || x.Outgoing
}

// ring tells the others that this device rings, again and again: signals may be lost.
func (c *Client) ring(x *call, h *callHere) {
	now := c.nowMS()
	if now-x.Began >= ringTime.Milliseconds() {
		h.rings = false
		return
	}
	if now < h.nextRing {
		return
	}
	h.nextRing = now + ringAgain.Milliseconds()
	c.signalCall(x.Room, room.SignalRing, wire.Marshal(room.Ring{Call: x.ID}))
}

// signalCall says something about a call to whoever watches its room.
func (c *Client) signalCall(id room.ID, kind room.SignalKind, body []byte) {
	var g *gen
	if err := c.read(func(tx store.Tx) (err error) { g, err = c.current(tx, id); return err }); err == nil && g != nil {
		g.signal(kind, body)
	}
}

// callSignal takes a signal about a call: from the devices of the two people, each about its own.
func (g *gen) callSignal(leaf room.Leaf, s room.Signal) {
	c := g.c
	switch s.Kind {
	case room.SignalRing:
		if r, err := room.ParseRing(s.Body); err == nil {
			c.heardRing(g, r, leaf)
		}
	case room.SignalICE:
		if k, err := room.ParseCandidates(s.Body); err == nil {
			c.heardCandidates(g, k, leaf)
		}
	}
}

// liveIn is a call that goes on in a room of a generation, unless its other person is blocked.
func (c *Client) liveIn(g *gen, id room.CallID) (x *call) {
	_ = c.read(func(tx store.Tx) error { // what cannot be read is not heard
		y, err := loadCall(tx, id)
		if err != nil || y == nil || y.Stage == store.CallOver {
			return err
		}
		home, err := c.shownIn(tx, g.Room)
		if err != nil || home != y.Room {
			return err
		}
		if s, err := tx.Standing(y.Peer); err == nil && s != store.Blocked {
			x = y
		}
		return err
	})
	return x
}

// heardRing notes that a device of the called person rings.
func (c *Client) heardRing(g *gen, r room.Ring, leaf room.Leaf) {
	x := c.liveIn(g, r.Call)
	if x == nil || x.Stage != store.CallRinging || x.sideOf(leaf.Account == c.chain.ID()) != answererSide {
		return
	}
	h := c.callAt(x.ID)
	if h.heard[leaf.Device] {
		return
	}
	h.heard[leaf.Device] = true
	c.tellCall(x.ID)
	c.tellCandidates(x, 0)
}

// heardCandidates takes candidates of the device that holds the other side.
func (c *Client) heardCandidates(g *gen, k room.Candidates, leaf room.Leaf) {
	x := c.liveIn(g, k.Call)
	other := leaf.Account != c.chain.ID()
	if x == nil || !other || x.device(x.sideOf(false)) != leaf.Device || k.Round != x.live.Round {
		return
	}
	h := c.callAt(x.ID)
	if h.theirs.round != k.Round {
		h.theirs = trickle{round: k.Round}
	}
	fresh := []room.Candidate{}
	for _, y := range k.Candidates {
		if len(h.theirs.list) < room.MaxCandidates && !slices.Contains(h.theirs.list, y) {
			h.theirs.list, fresh = append(h.theirs.list, y), append(fresh, y)
		}
	}
	if len(fresh) > 0 || k.End && !h.theirs.end {
		h.theirs.end = h.theirs.end || k.End
		c.tellMedia(x.ID, fresh)
	}
}

// tellCandidates tells the other side this side's candidates, from one on: once its description
// of the round stands in the log, since before that nobody knows what they belong to.
func (c *Client) tellCandidates(x *call, from int) {
	h := c.calls[x.ID]
	if h == nil || !h.here || !c.isMine(x) || h.mine.round != x.live.Round || x.live.SDP[x.sideOf(true)] == "" {
		return
	}
	k := room.Candidates{Call: x.ID, Round: h.mine.round, Candidates: h.mine.list[min(from, len(h.mine.list)):], End: h.mine.end}
	for _, body := range k.Split() {
		c.signalCall(x.Room, room.SignalICE, body)
	}
}
