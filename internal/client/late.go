package client

import (
	"errors"
	"fmt"

	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// A host names places: the head when a watch begins, and where it has stored what this device
// appended. It has callTime to show them. Then the person is told, what it said it had stored
// is sent again, and the connection is made anew, which mends what is only stuck. A host that
// goes on so has the device come back every callTime, no faster.

var errUnshown = errors.New("the server does not show what it says it has")

// expect looks after callTime whether the host has shown what it named.
func (g *gen) expect() {
	name := fmt.Sprintf("late %d", g.ref)
	if g.c.timers[name] == nil && (g.Seq < g.head || len(g.answers) > 0) {
		g.c.timer(name, callTime, g.lookLate)
	}
}

// unshown says whether the host has shown nothing for callTime although it says that there is
// more, and which of the entries it said it had stored are due for as long.
func (g *gen) unshown() (more bool, stored []int64) {
	if g.c.gens[g.key()] != g || g.State != store.GenLive || !g.watching {
		return false, nil
	}
	long := g.c.nowMS() - callTime.Milliseconds()
	for id, a := range g.answers {
		if a.seq > g.Seq && a.at <= long {
			stored = append(stored, id)
		}
	}
	return g.Seq < g.head && g.moved <= long, stored
}

// lookLate asks the host once more for what it has not shown, since a clock that jumps (a
// machine that slept) is no fault of its, and looks again a moment after the answer.
func (g *gen) lookLate() {
	if more, stored := g.unshown(); !more && len(stored) == 0 {
		if g.c.gens[g.key()] == g && g.watching {
			g.expect()
		}
		return
	}
	l := g.c.hostLink(g.Host)
	ask(l, wire.OpRead, wire.Read{Secret: g.Secret, After: g.Seq, Limit: 1}, func(_ wire.ReadAnswer, err error) {
		if err == nil || refused(err) {
			g.c.timer(fmt.Sprintf("late %d", g.ref), minRetry, g.accuse)
		}
	})
}

// accuse tells that the host does not show what it named.
func (g *gen) accuse() {
	more, stored := g.unshown()
	switch {
	case !more && len(stored) == 0:
		g.expect()
		return
	case g.over():
		g.closeEarly(true)
		return
	}
	says := said.Of("fault.silent")
	if len(stored) > 0 {
		says = said.Of("fault.unshown")
	}
	g.tellOnce(says)
	for _, id := range stored {
		g.unanswer(id)
	}
	if l := g.c.hosts[g.Host]; l != nil && l.conn != nil {
		l.fall(errUnshown)
	}
}

// tellOnce tells of a host's fault that would be told again and again, once an hour.
func (g *gen) tellOnce(says said.Said) {
	now := g.c.nowMS()
	if g.accused != 0 && now-g.accused < moveWait.Milliseconds() {
		return
	}
	g.accused = now
	g.c.told(g, NoticeFork, says)
}

// unanswer takes a host at its word no more that it holds an entry: it waits to be sent again.
func (g *gen) unanswer(id int64) {
	a := g.answers[id]
	delete(g.answers, id)
	if a.message == nil || !g.c.held[*a.message] {
		return
	}
	delete(g.c.held, *a.message)
	g.c.tellState(*a.message)
}

// tellState tells how a message of ours stands.
func (c *Client) tellState(id mimi.MessageID) {
	var m *store.Message
	if err := c.read(func(tx store.Tx) (err error) { m, err = tx.FindMessage(id); return err }); err != nil || m == nil {
		return
	}
	c.overlay(m)
	c.emit(Event{Kind: EventState, Room: m.Room, Message: m})
}

// allExpired takes the state of a watch at a log in which nothing is left to be shown, though
// this device has not read to its head.
func (g *gen) allExpired(s wire.PlaceState) {
	err := g.c.update(func(tx store.Tx, after *[]func()) error {
		if err := g.gap(tx, after, s.Head+1); err != nil {
			if errors.Is(err, errStop) { // it should still hold them: the log ends here
				return nil
			}
			return err
		}
		g.Seq, g.Chain = s.Head, s.Chain
		return tx.SetPlace(g.Generation, keepPlaces)
	})
	if err != nil {
		g.trip(err)
		return
	}
	g.ack(g.c.hostLink(g.Host))
	g.schedule()
}
