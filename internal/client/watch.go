package client

import (
	"errors"
	"fmt"
	"slices"

	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// watch asks the host for entries, once the link is up.
func (g *gen) watch() {
	if g.c.gens[g.key()] != g || !g.loaded() || g.State == store.GenCreating || g.State == store.GenClosed || g.State == store.GenLost {
		return
	}
	l := g.c.hostLink(g.Host)
	if l.up && !g.watching && !g.asking {
		g.c.watchSome(l, []*gen{g})
	}
}

// watchHost watches everything at a host, when its link came up.
func (c *Client) watchHost(l *link) {
	var some []*gen
	for _, g := range c.sortedGens() {
		if g.Host == l.host && !g.watching && !g.asking && (g.State == store.GenLive || g.State == store.GenWedged) && g.loaded() {
			some = append(some, g)
		}
	}
	ask(l, wire.OpCredit, wire.Credit{Bytes: credit}, func(wire.Done, error) {})
	for batch := range slices.Chunk(some, wire.MaxWatch) {
		c.watchSome(l, batch)
	}
	c.mail()
}

// watchSome claims the cursors that are not this device's own yet, and watches.
func (c *Client) watchSome(l *link, some []*gen) {
	w := wire.Watch{}
	for _, g := range some {
		g.asking = true
		if g.Next != nil {
			c.claim(l, g)
			continue
		}
		w.Places = append(w.Places, wire.Place{Ref: g.ref, Secret: g.Secret, After: g.Seq})
		g.watching, g.queue, g.front, g.parts, g.ended = true, nil, nil, 0, wire.OK
	}
	if len(w.Places) == 0 {
		return
	}
	ask(l, wire.OpWatch, w, func(states wire.Watching, err error) {
		for _, p := range w.Places {
			if g := c.refs[p.Ref]; g != nil {
				g.asking = false
				if err != nil {
					g.watching = false
					g.watchLater(err)
				}
			}
		}
		if err == nil && len(states.States) != len(w.Places) {
			l.fall(wire.Refuse(wire.CodeMalformed, "%s answered for other cursors", l.host))
			return
		}
		for i, s := range states.States {
			if g := c.refs[s.Ref]; g != nil && s.Ref == w.Places[i].Ref {
				g.started(s)
			}
		}
	})
}

// claim replaces the first secret of a cursor, which somebody else made.
func (c *Client) claim(l *link, g *gen) {
	next := *g.Next
	ask(l, wire.OpClaim, wire.Claim{Secret: g.Secret, Next: next.Hash()}, func(_ wire.Done, err error) {
		g.asking = false
		if err != nil && !errors.Is(err, wire.Refuse(wire.CodeNoCursor, "")) {
			if refused(err) {
				c.fail("claiming a place in a room", err)
			}
			return
		}
		// No such cursor: an earlier claim went through and its answer was lost, or the
		// watch that follows will say so.
		row := g.Generation
		row.Secret, row.Next, row.Claimed = next, nil, true
		if err := c.write(func(tx store.Tx) error { return tx.PutGeneration(row) }); err != nil {
			c.fail("keeping a place in a room", err)
			c.timer(fmt.Sprintf("watch %d", g.ref), minRetry, g.watch) // and claims again
			return
		}
		g.Generation = row
		g.watch()
	})
}

// started takes the state of a watch that begins, and looks for a host that went back
// and for a device that is a copy.
func (g *gen) started(s wire.PlaceState) {
	switch s.Code {
	case wire.OK, wire.CodeCursorEnded:
	case wire.CodeNoCursor:
		g.watching = false
		g.placeless()
		return
	default:
		g.watching = false
		g.watchLater(nil)
		return
	}
	g.head, g.asked = s.Head, g.Last
	if s.End != 0 {
		g.head = min(g.head, s.End)
	}
	switch {
	case s.Acked > g.Seq:
		g.c.told(g, NoticeCopy, said.Of("copy.old"))
		g.lose("restored copy")
	case s.Head < g.Seq, s.Head == g.Seq && s.Chain != g.Chain:
		g.fault(said.Of("fault.back"))
	default:
		if s.Acked < g.Seq { // an acknowledgement was lost with the connection
			g.ack(g.c.hostLink(g.Host))
		}
		g.moved = g.c.nowMS()
		if s.Code == wire.OK && g.Seq < s.Head && s.First > s.Head {
			g.allExpired(s)
			return
		}
		g.expect()
		g.schedule()
	}
}

// watchLater asks again after a refusal. When the link broke, its return does that.
func (g *gen) watchLater(err error) {
	if err == nil || refused(err) {
		g.c.timer(fmt.Sprintf("watch %d", g.ref), retryAfter(err), g.watch)
	}
}

// ack tells the host how far this device has everything durably.
func (g *gen) ack(l *link) {
	g.acks++
	ask(l, wire.OpAck, wire.Ack{Secret: g.Secret, Through: g.Seq}, func(wire.Done, error) { g.acks-- })
}

// unwatch ends the running watch. What it brought and nobody took is given back as credit.
func (g *gen) unwatch() {
	if g.watching && g.caughtUp {
		g.Seen = g.c.nowMS()
	}
	if l := g.c.hosts[g.Host]; l != nil && l.up && g.watching {
		ask(l, wire.OpUnwatch, wire.Unwatch{Ref: g.ref}, func(wire.Done, error) {})
		bytes := uint64(len(g.front))
		for _, e := range g.queue {
			bytes += uint64(len(e.Bytes))
		}
		g.c.giveCredit(l, bytes)
	}
	g.watching, g.caughtUp, g.asking, g.asked, g.queue, g.front, g.parts, g.signals.came = false, false, false, 0, nil, nil, 0, nil
}

// giveCredit lets a host send as many bytes more.
func (c *Client) giveCredit(l *link, bytes uint64) {
	if bytes > 0 && l.up {
		ask(l, wire.OpCredit, wire.Credit{Bytes: bytes}, func(wire.Done, error) {})
	}
}

// stopped acts on a watch that the host ended.
func (g *gen) stopped() {
	code := g.ended
	g.unwatch()
	switch code {
	case wire.CodeOrder:
		g.c.told(g, NoticeElsewhere, said.Of("elsewhere"))
		g.c.timer(fmt.Sprintf("watch %d", g.ref), maxRetry, g.watch)
	case wire.CodeNoCursor:
		g.placeless()
	default:
		g.c.timer(fmt.Sprintf("watch %d", g.ref), minRetry, g.watch)
	}
}
