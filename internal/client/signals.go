package client

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Signals go to whoever watches a room now. They are never stored, never waited for, and
// touch neither the message ratchet nor the database.

const (
	signalsWaiting = 64 // signals of a room that wait until its entries are read
	signalsRoom    = 32 // devices in a room, above which nobody says that they write or are here
	signalKeep     = 60_000
	signalToggle   = 500 // milliseconds within which a person's second change of mind is passed over
)

// signals are a generation's keys for signals, and what came and was not looked at yet.
type signals struct {
	now    *room.SignalKey // of the present epoch
	before *room.SignalKey // of the one before it
	turned int64           // when that ended, Unix milliseconds
	last   uint64          // time of our own last signal
	came   [][]byte
}

// signalKey is the key of the present epoch.
func (g *gen) signalKey() (*room.SignalKey, error) {
	if k := g.signals.now; k != nil && k.Epoch == g.group.Epoch() {
		return k, nil
	}
	k, err := room.NewSignalKey(g.group, g.Log, g.group.Epoch())
	g.signals.now = k
	return k, err
}

// turnSignals keeps the key of an epoch that ends, for signals that are under way.
func (g *gen) turnSignals() error {
	k, err := g.signalKey()
	if err != nil {
		return err
	}
	if b := g.signals.before; b != nil {
		b.Erase()
	}
	g.signals.before, g.signals.now, g.signals.turned = k, nil, g.c.nowMS()
	return nil
}

// dropSignals erases the key of the epoch before when its time is over, or all of them.
func (g *gen) dropSignals(all bool) {
	if b := g.signals.before; b != nil && (all || g.c.nowMS()-g.signals.turned >= signalKeep) {
		b.Erase()
		g.signals.before = nil
	}
	if k := g.signals.now; k != nil && all {
		k.Erase()
		g.signals.now = nil
	}
}

// heard says whether a signal of this device would be heard. What has just come and is not read
// yet is no hindrance: at worst it begins another epoch, and the signal is lost.
func (g *gen) heard() bool {
	return g.State == store.GenLive && g.group != nil && g.watching && g.caughtUp
}

// signal says something to whoever watches now. It is lost if the room cannot be written to.
func (g *gen) signal(kind room.SignalKind, body []byte) {
	l := g.c.hosts[g.Host]
	if !g.heard() || l == nil || !l.up {
		return
	}
	k, err := g.signalKey()
	if err == nil {
		var sealed []byte
		g.signals.last = max(uint64(g.c.nowMS()), g.signals.last+1)
		s := room.Signal{Leaf: g.group.OwnLeaf(), Kind: kind, Body: body, TimeMS: g.signals.last}
		if sealed, err = k.Seal(g.c.o.Rand, g.c.keys.Signature, s); err == nil {
			ask(l, wire.OpSignal, wire.Signal{Log: g.Log, Token: g.token, Payload: sealed}, func(wire.Done, error) {})
			return
		}
	}
	g.c.log.Info("a signal could not be made", "error", err)
}

// signalEvent takes a signal. It is looked at after the entries that came before it: they may
// begin the epoch that it belongs to.
func (c *Client) signalEvent(e wire.SignalEvent) {
	g := c.refs[e.Ref]
	if g == nil || !g.watching || len(g.signals.came) >= signalsWaiting {
		return
	}
	g.signals.came = append(g.signals.came, e.Payload)
	g.schedule()
}

// takeSignals looks at the signals that came.
func (g *gen) takeSignals() {
	came := g.signals.came
	g.signals.came = nil
	for _, b := range came {
		if g.group == nil || g.State != store.GenLive {
			return
		}
		s, err := g.openSignal(b)
		if err != nil || s.Leaf == g.group.OwnLeaf() {
			continue // a host may hand anything on; ours come back to us
		}
		if leaf, err := g.known.LeafOf(s.Leaf, g.group.Member(s.Leaf)); err == nil {
			g.signalled(leaf, s)
		}
	}
}

// openSignal opens a signal of the present epoch or, for a while, of the one before. Who has
// left since has no leaf any more that could have signed it.
func (g *gen) openSignal(b []byte) (room.Signal, error) {
	leafKey := func(i uint32) ed25519.PublicKey {
		if n := g.group.Member(i); n != nil {
			return n.SignatureKey
		}
		return nil
	}
	k, err := g.signalKey()
	if err != nil {
		return room.Signal{}, err
	}
	s, err := k.Open(b, leafKey, g.c.nowMS())
	if err != nil && g.signals.before != nil && g.c.nowMS()-g.signals.turned < signalKeep {
		return g.signals.before.Open(b, leafKey, g.c.nowMS())
	}
	return s, err
}

// signalled acts on a signal that a leaf has signed. Kinds of later versions are passed over.
func (g *gen) signalled(leaf room.Leaf, s room.Signal) {
	if s.Kind == room.SignalRing || s.Kind == room.SignalICE {
		g.callSignal(leaf, s)
		return
	}
	if s.Kind != room.SignalTyping && s.Kind != room.SignalHere || leaf.Account == g.c.chain.ID() {
		return
	}
	on, err := room.ParseSwitch(s.Body)
	if err != nil {
		return
	}
	var home room.ID
	var standing store.Standing
	err = g.c.read(func(tx store.Tx) (err error) {
		if home, err = g.c.shownIn(tx, g.Room); err != nil {
			return err
		}
		standing, err = tx.Standing(leaf.Account)
		return err
	})
	switch {
	case err != nil || standing == store.Blocked:
	case s.Kind == room.SignalTyping:
		g.c.writes(home, leaf.Account, on)
	default:
		g.c.isHere(leaf.Owner(), on)
	}
}

// signalRoom is a room's present generation if this person's typing and presence may be told
// there: not in large rooms, nor to somebody who is no contact.
func (c *Client) signalRoom(tx store.Tx, id room.ID) (*gen, error) {
	r, err := tx.Room(id)
	if err != nil || r == nil || r.State != store.RoomActive || r.Kind.OfOne() {
		return nil, err
	}
	if r.Kind == room.Pair && r.Peer != nil {
		if s, err := tx.Standing(*r.Peer); err != nil || s != store.Contact {
			return nil, err
		}
	}
	g := c.gens[genKey{id, r.Generation}]
	if g == nil || !g.heard() || g.group.MemberCount() > signalsRoom {
		return nil, nil
	}
	return g, nil
}

// toggle is something that a person's signals switch on and off, and that ends by itself.
type toggle struct {
	changed int64 // Unix milliseconds
}

// may says whether a change is taken now: who changes their mind all the time is not followed.
func (t *toggle) may(now int64) bool { return now-t.changed >= signalToggle }

type writingKey struct {
	room    room.ID
	account identity.ID
}

func (k writingKey) timer() string { return fmt.Sprintf("writing %x %x", k.room, k.account) }

// writes notes that somebody writes in a room, or has stopped.
func (c *Client) writes(id room.ID, account identity.ID, on bool) {
	k := writingKey{id, account}
	t, now := c.writing[k], c.nowMS()
	switch {
	case on && t == nil:
		c.writing[k] = &toggle{now}
		c.emit(Event{Kind: EventWriting, Room: id, Account: account, On: true})
	case !on && t != nil && t.may(now):
		c.stopsWriting(k)
		return
	}
	if on {
		c.timer(k.timer(), writingTime, func() { c.stopsWriting(k) })
	}
}

// stopsWriting ends it: they said so, the message is here, or nothing came any more.
func (c *Client) stopsWriting(k writingKey) {
	if c.writing[k] == nil {
		return
	}
	delete(c.writing, k)
	c.stopTimer(k.timer())
	c.emit(Event{Kind: EventWriting, Room: k.room, Account: k.account})
}

// isHere notes that a device's person is here, or has gone.
func (c *Client) isHere(o room.Owner, on bool) {
	before, now := c.isAnywhere(o.Account), c.nowMS()
	name := fmt.Sprintf("here %x %x", o.Account, o.Device)
	t := c.here[o]
	switch {
	case on && t == nil:
		c.here[o] = &toggle{now}
	case !on && t != nil && t.may(now):
		delete(c.here, o)
		c.stopTimer(name)
	}
	if on {
		c.timer(name, hereTime, func() { c.isHere(o, false) })
	}
	if after := c.isAnywhere(o.Account); after != before {
		c.emit(Event{Kind: EventHere, Account: o.Account, On: after})
	}
}

func (c *Client) isAnywhere(account identity.ID) bool {
	for o := range c.here {
		if o.Account == account {
			return true
		}
	}
	return false
}

// unseen forgets what an account's signals have said: it is blocked.
func (c *Client) unseen(account identity.ID) {
	was := c.isAnywhere(account)
	for o := range c.here {
		if o.Account == account {
			delete(c.here, o)
			c.stopTimer(fmt.Sprintf("here %x %x", o.Account, o.Device))
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.writing), func(a, b writingKey) int { return bytes.Compare(a.room[:], b.room[:]) }) {
		if k.account == account {
			c.stopsWriting(k)
		}
	}
	if was {
		c.emit(Event{Kind: EventHere, Account: account})
	}
}
