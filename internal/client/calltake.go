package client

import (
	"fmt"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// takeCall takes an entry about a call at its place in the log, this device's own too. What
// cannot be read, or is about no call that goes on, says nothing.
func (g *gen) takeCall(tx store.Tx, after *[]func(), kind room.PayloadKind, e callEntry) error {
	c := g.c
	home, err := c.shownIn(tx, g.Room)
	if err != nil {
		return err
	}
	r, err := tx.Room(home)
	if err != nil || r == nil || r.Kind != room.Pair || r.Peer == nil {
		return err // calls are for two
	}
	if s, err := tx.Standing(*r.Peer); err != nil || s == store.Blocked && !e.own {
		return err
	}
	e.arrived = max(min(e.arrived+c.ahead[g.Host], c.nowMS()), 1) // by this device's clock
	if kind == room.PayloadOffer {
		return c.takeOffer(tx, after, r, e)
	}
	id, fold := readCallEntry(kind, e)
	if fold == nil {
		return nil
	}
	x, err := loadCall(tx, id)
	if err != nil || x == nil || x.Room != home || x.Stage == store.CallOver {
		return err
	}
	before := *x
	v := fold(x)
	switch {
	case v.end != 0:
		if err := c.tellFault(tx, after, x, v.fault); err != nil {
			return err
		}
		return c.closeCall(tx, after, x, v.end, e.arrived)
	case !v.changed:
		return nil
	}
	if err := saveCall(tx, x); err != nil {
		return err
	}
	return c.callWent(tx, after, before, x)
}

// tellFault tells what was wrong with a call.
func (c *Client) tellFault(tx store.Tx, after *[]func(), x *call, what callFault) error {
	name := c.nameIn(tx, x.Call)
	switch what {
	case faultForged:
		return c.notice(tx, after, &x.Room, NoticeIdentity, said.Of("call.forged", "name", name))
	case faultSwapped:
		return c.notice(tx, after, &x.Room, NoticeIdentity, said.Of("call.swapped", "name", name))
	}
	return nil
}

// readCallEntry reads an entry about a call that there is, and answers which call, and what it
// does to that; nil when it cannot be read.
func readCallEntry(kind room.PayloadKind, e callEntry) (id room.CallID, fold func(*call) verdict) {
	switch kind {
	case room.PayloadAnswer:
		if a, err := room.ParseAnswer(e.body); err == nil {
			return a.Call, func(x *call) verdict { return x.answer(e, a) }
		}
	case room.PayloadTaken:
		if t, err := room.ParseTaken(e.body); err == nil {
			return t.Call, func(x *call) verdict { return x.taken(e, t) }
		}
	case room.PayloadRenewal:
		if r, err := room.ParseRenewal(e.body); err == nil {
			return r.Call, func(x *call) verdict { return x.renewal(e, r) }
		}
	case room.PayloadRenewed:
		if r, err := room.ParseRenewal(e.body); err == nil {
			return r.Call, func(x *call) verdict { return x.renewed(e, r) }
		}
	case room.PayloadEnd:
		if end, err := room.ParseEnd(e.body); err == nil {
			return end.Call, func(x *call) verdict { return x.end(e, end.Reason) }
		}
	}
	return id, nil
}

// takeOffer takes an offer: a call begins, unless one goes on in this room.
func (c *Client) takeOffer(tx store.Tx, after *[]func(), r *store.Room, e callEntry) error {
	o, err := room.ParseOffer(e.body)
	if err != nil {
		return nil // says nothing
	}
	mine, err := loadCall(tx, o.Call)
	if err != nil || mine != nil && mine.Stage != store.CallMade {
		return err // it was here before
	}
	first, err := c.firstCall(tx, after, r.ID, e.arrived)
	if err != nil {
		return err
	}
	if first != nil {
		return c.lostCall(tx, after, mine, first)
	}
	if n, err := tx.CallsSince(r.ID, e.own, e.arrived-callsIn.Milliseconds()); err != nil || n > maxCallsIn {
		return err
	}
	x := offered(e, o, r.ID, *r.Peer)
	if !x.Outgoing {
		if x.Quiet, err = c.whyQuiet(tx, &x, e); err != nil {
			return err
		}
	}
	if err := saveCall(tx, &x); err != nil {
		return err
	}
	return c.callBegan(tx, after, &x)
}

// firstCall is the call that goes on in a room at a time; nil when there is none. Those that are
// over by the clock then end.
func (c *Client) firstCall(tx store.Tx, after *[]func(), id room.ID, at int64) (*call, error) {
	rows, err := tx.LiveCallsIn(id)
	list, err := callsOf(rows, err)
	if err != nil {
		return nil, err
	}
	var first *call
	for _, x := range list {
		if x.Stage == store.CallMade {
			continue
		}
		if end := x.lapsed(at); end != 0 {
			if err := c.closeCall(tx, after, x, end, at); err != nil {
				return nil, err
			}
			continue
		}
		first = x
	}
	return first, nil
}

// lostCall ends a call of this device's before it began: another one was first. When that is the
// other person calling, both wanted to talk: whoever holds ours answers that one.
func (c *Client) lostCall(tx store.Tx, after *[]func(), mine, first *call) error {
	if mine == nil {
		return nil
	}
	if h := c.calls[mine.ID]; h != nil && !first.Outgoing && first.Stage == store.CallRinging {
		*after = append(*after, func() {
			h.instead = &first.ID
			c.callAt(first.ID).rings = false
			c.tellCall(first.ID)
		})
	}
	return c.closeCall(tx, after, mine, store.CallNone, c.nowMS())
}

// closeCall ends a call: what was needed for it is erased, and it stands in its conversation.
func (c *Client) closeCall(tx store.Tx, after *[]func(), x *call, end store.CallEnd, at int64) error {
	x.Stage, x.End, x.Ended, x.live, x.Live = store.CallOver, end, max(at, x.Began, x.Answered), callLive{}, nil
	if end != store.CallNone {
		if err := c.callHappened(tx, after, x); err != nil {
			return err
		}
	}
	*after = append(*after, func() { c.callClosed(x.ID) })
	return tx.PutCall(x.Call)
}

// callHappened writes down in its conversation that there was a call.
func (c *Client) callHappened(tx store.Tx, after *[]func(), x *call) (err error) {
	if x.Pos, err = tx.NextPos(); err != nil {
		return err
	}
	says := saysCall(x.Call, c.nameIn(tx, x.Call))
	n := store.Notice{Room: &x.Room, Time: x.Ended, Kind: NoticeCall, Text: says.Text(), Said: says, Pos: x.Pos, Call: &x.ID}
	n.Unseen = !x.Outgoing && (x.End == store.CallMissed || x.End == store.CallBusy)
	if n.Unseen {
		if err := c.wake(tx, after, x.Room, x.Began); err != nil {
			return err
		}
	}
	e := Event{Kind: EventNotice, Notice: n.Kind, Text: n.Text, Room: x.Room}
	*after = append(*after, func() { c.emit(e) })
	return tx.AddNotice(n)
}

// nameIn is what the other person of a call is called.
func (c *Client) nameIn(tx store.Tx, x store.Call) string {
	handle, err := tx.Handle(x.Peer)
	if err != nil {
		return ""
	}
	return c.called(tx, x.Peer, handle)
}

// saysCall is what is said of a call that is over.
func saysCall(x store.Call, name string) said.Said {
	out := x.Outgoing
	switch length := callLength(x.Ended - x.Answered); {
	case x.End == store.CallFailed && x.Answered != 0:
		return said.Of(said.Act("call.lost", out, false), "name", name, "time", length)
	case x.End == store.CallHungUp:
		return said.Of(said.Act("call.talked", out, false), "name", name, "time", length)
	case x.End == store.CallFailed:
		return said.Of(said.Act("call.failed", out, false), "name", name)
	case x.End == store.CallDeclined:
		return said.Of(said.Act("call.declined", out, false), "name", name)
	case x.End == store.CallBusy, !out && x.Quiet == store.CallBusyHere:
		return said.Of(said.Act("call.busy", out, false), "name", name)
	case !out && x.Quiet == store.CallUncompared:
		return said.Of("call.missed.uncompared", "name", name)
	}
	return said.Of(said.Act("call.missed", out, false), "name", name)
}

// callLength is how long two people talked, as clocks show it.
func callLength(ms int64) string {
	s := max(ms, 0) / 1000
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func loadCall(tx store.Tx, id room.CallID) (*call, error) {
	row, err := tx.Call(id)
	if err != nil || row == nil {
		return nil, err
	}
	return callOf(*row)
}

// knownCall is a call that is here; else ErrNoCall.
func knownCall(tx store.Tx, id room.CallID) (*call, error) {
	x, err := loadCall(tx, id)
	if err == nil && x == nil {
		err = ErrNoCall
	}
	return x, err
}

// liveCalls are the calls that are not over.
func liveCalls(tx store.Tx) ([]*call, error) {
	list, err := tx.LiveCalls()
	return callsOf(list, err)
}

func callsOf(list []store.Call, err error) (out []*call, _ error) {
	for _, row := range list {
		x, bad := callOf(row)
		if bad != nil {
			return nil, bad
		}
		out = append(out, x)
	}
	return out, err
}

// callOf is a call as its row has it.
func callOf(row store.Call) (*call, error) {
	x := &call{Call: row}
	if len(row.Live) == 0 {
		return x, nil
	}
	return x, wire.Unmarshal(row.Live, &x.live)
}

func saveCall(tx store.Tx, x *call) error {
	x.Live = wire.Marshal(x.live)
	return tx.PutCall(x.Call)
}
