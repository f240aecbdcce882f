package client

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
	"sotto/mls"
)

const (
	sealAhead = 32 // outgoing entries sealed in one transaction and sent in a row
)

// pump moves on everything that can be moved on. It is called after every change; what
// has nothing to do returns at once.
func (c *Client) pump() {
	if c.closed || !c.opened {
		return
	}
	c.pumpInvitations()
	c.pumpSelfRoom()
	c.pumpWants()
	for _, g := range c.sortedGens() {
		g.push()
		g.send()
	}
	c.mail()
	c.settle()
}

// current is the generation that a room is written to; nil when there is none here.
func (c *Client) current(tx store.Tx, id room.ID) (*gen, error) {
	r, err := tx.Room(id)
	if err != nil || r == nil {
		return nil, err
	}
	return c.gens[genKey{id, r.Generation}], nil
}

// open says whether a generation can be written to now: a device reads to the head before
// its first send.
func (g *gen) open() bool {
	return g.State == store.GenLive && g.group != nil && g.watching && g.caughtUp && len(g.queue) == 0
}

// send seals what waits in the outbox and appends it.
func (g *gen) send() {
	if !g.canSend() {
		return
	}
	waiting := false
	err := g.c.read(func(tx store.Tx) (err error) { waiting, err = tx.OutboxWaits(g.Room); return err })
	if err == nil && !waiting {
		return
	}
	var out []store.Outgoing
	if err == nil {
		err = g.c.update(func(tx store.Tx, _ *[]func()) (err error) { out, err = g.sealWaiting(tx); return err })
	}
	if err != nil {
		g.trip(err)
		return
	}
	g.appendAll(out)
}

// canSend says whether entries can be sent now. They go in batches, one under way at a
// time.
func (g *gen) canSend() bool {
	return g.open() && len(g.appending) == 0 && g.c.hostLink(g.Host).up
}

// sealWaiting seals the first of what waits in the outbox and answers what to append.
func (g *gen) sealWaiting(tx store.Tx) (out []store.Outgoing, err error) {
	r, err := tx.Room(g.Room)
	if err != nil || r == nil || r.Generation != g.Number {
		return nil, err
	}
	waiting, err := tx.Outbox(g.Room, sealAhead)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	if wait, err := g.c.dismissing(tx, g.Room); err != nil || wait {
		return nil, err
	}
	hold, err := paused(tx, r)
	if err != nil {
		return nil, err
	}
	for _, o := range waiting {
		if hold && o.Entry == nil && o.Message != nil {
			continue
		}
		if o.Entry == nil && o.Kind == store.OutgoingProposal {
			if err := tx.Sent(o.ID); err != nil { // of an epoch that is over
				return nil, err
			}
			continue
		}
		if o.Entry == nil {
			if err := g.seal(tx, &o); err != nil {
				return nil, err
			}
		}
		if a, answered := g.answers[o.ID]; !answered || a.hash != *o.Hash {
			out = append(out, o)
		}
	}
	return out, tx.Flush(g.group, g.Room, g.Number)
}

func (g *gen) appendAll(out []store.Outgoing) {
	l := g.c.hostLink(g.Host)
	for _, o := range out {
		g.append(l, o)
	}
}

// seal encrypts an outgoing payload under the present epoch. Its bytes are durable before
// they leave.
func (g *gen) seal(tx store.Tx, o *store.Outgoing) error {
	p := room.Payload{Kind: o.Kind, Body: o.Body, Seq: g.Seq, Chain: g.Chain, TimeMS: uint64(g.c.nowMS())}
	msg, _, err := g.group.Seal(nil, wire.Marshal(p))
	if err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	entry, err := room.SealEntry(g.c.o.Rand, g.group, g.Log, room.Inner{Message: msg})
	if err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	hash := wire.Hash(sha256.Sum256(entry))
	o.Generation, o.Epoch, o.Entry, o.Hash = g.Number, g.group.Epoch(), entry, &hash
	return tx.SetSealed(*o)
}

// append sends an outgoing entry. Whatever the answer is, the entry leaves the outbox only
// when it is read in the log.
func (g *gen) append(l *link, o store.Outgoing) {
	g.appending[o.ID] = true
	epoch := o.Epoch
	ask(l, wire.OpAppend, wire.Append{Log: g.Log, Token: g.token, Entry: o.Entry}, func(a wire.Appended, err error) {
		mine := g.group != nil && g.group.Epoch() == epoch && g.State == store.GenLive
		if mine {
			delete(g.appending, o.ID)
		}
		switch {
		case err == nil:
			g.stored(o, a)
		case !mine: // the epoch went on meanwhile; the outbox knows
		case errors.Is(err, wire.Refuse(wire.CodeStaleToken, "")):
			g.behind()
		case errors.Is(err, wire.Refuse(wire.CodeTooLarge, "")), errors.Is(err, wire.Refuse(wire.CodeMalformed, "")):
			g.undeliverable(o, err)
		case refused(err): // log full, slow down, storage full: it stays queued
			g.c.fail("sending", err)
			g.appending[o.ID] = true // hold the queue back until the timer
			g.c.timer(fmt.Sprintf("send %d", g.ref), retryAfter(err), func() {
				g.appending = map[int64]bool{}
				g.c.pump()
			})
			return
		}
		if len(g.appending) == 0 {
			g.send()
		}
	})
}

// answer is the host's word that it holds an outgoing entry. It stays in memory: the
// entry leaves the outbox when it is read in the log, and is sent again if it never is.
type answer struct {
	hash    wire.Hash
	seq     uint64
	at      int64 // when it was given, Unix milliseconds
	message *mimi.MessageID
}

// stored tells the person that the host has a message durably.
func (g *gen) stored(o store.Outgoing, a wire.Appended) {
	var waits *store.Outgoing
	if err := g.c.read(func(tx store.Tx) (err error) { waits, err = tx.OutgoingByHash(g.Room, *o.Hash); return err }); err != nil || waits == nil {
		return // read in the log meanwhile, or not to be sent any more
	}
	if a.Seq <= g.Seq { // that place was read, and something else stood there
		g.tellOnce(said.Of("fault.dropped"))
		g.holdBack(callTime)
		return
	}
	g.answers[o.ID] = answer{*o.Hash, a.Seq, g.c.nowMS(), o.Message}
	g.expect()
	if o.Message != nil {
		g.c.held[*o.Message] = true
		g.c.tellState(*o.Message)
	}
}

// holdBack sends nothing more in this room for a while.
func (g *gen) holdBack(d time.Duration) {
	g.appending = map[int64]bool{0: true}
	g.c.timer(fmt.Sprintf("send %d", g.ref), d, func() {
		g.appending = map[int64]bool{}
		g.c.pump()
	})
}

// overlay lets a message that is queued here and held by its host say so.
func (c *Client) overlay(m *store.Message) {
	if m.State == store.Queued && c.held[m.ID] {
		m.State = store.Stored
	}
}

// behind waits for the entry that spent the token. A host that shows none holds it back.
func (g *gen) behind() {
	g.appending = map[int64]bool{0: true} // nothing is sent until the epoch changes
	g.c.timer(fmt.Sprintf("behind %d", g.ref), callTime, func() {
		if g.appending[0] && g.State == store.GenLive {
			g.fault(said.Of("fault.behind"))
		}
	})
}

// undeliverable gives up a message that the host will never take.
func (g *gen) undeliverable(o store.Outgoing, why error) {
	err := g.c.update(func(tx store.Tx, after *[]func()) error {
		if err := tx.Sent(o.ID); err != nil {
			return err
		}
		if o.Message == nil {
			return nil
		}
		home, err := g.c.shownIn(tx, g.Room)
		if err != nil {
			return err
		}
		m, err := tx.Message(home, *o.Message)
		if err != nil || m == nil {
			return err
		}
		m.State, m.Why, m.Code = store.Failed, why.Error(), codeOf(why)
		*after = append(*after, func() { g.c.emit(Event{Kind: EventState, Room: g.Room, Message: m, Text: why.Error()}) })
		return tx.Fail(m.Room, m.ID, m.Why, m.Code)
	})
	if err != nil {
		g.c.fail("giving up a message", err)
	}
}

// placed takes one of our own entries at its place in the log.
func (g *gen) placed(tx store.Tx, after *[]func(), e wire.Entry, o *store.Outgoing) error {
	if e.Did != nil { // a host that says we swapped the token: nobody knows the next one
		return g.wedgeHost(tx, after, said.Of("fault.swap"))
	}
	if err := tx.Sent(o.ID); err != nil {
		return err
	}
	*after = append(*after, func() {
		delete(g.answers, o.ID)
		if o.Message != nil {
			delete(g.c.held, *o.Message)
		}
	})
	if o.Message == nil {
		return g.placedOther(tx, after, e, o)
	}
	home, err := g.c.shownIn(tx, g.Room)
	if err != nil {
		return err
	}
	before, err := tx.Message(home, *o.Message)
	if err != nil || before == nil {
		return err
	}
	if before.Pos != 0 && before.Generation > g.Number { // it has its place in a later one
		return nil
	}
	pos, err := tx.NextPos()
	if err != nil {
		return err
	}
	if err := tx.PlaceMessage(home, *o.Message, pos, g.Number, e.Seq, int64(e.TimeMS)); err != nil {
		return err
	}
	if o.Kind == room.PayloadAgain {
		at := *before
		at.Pos, at.Generation, at.Seq = pos, g.Number, e.Seq
		if err := placeAgain(tx, at); err != nil {
			return err
		}
	}
	if before.Vanish != 0 && before.Expires == 0 {
		read := min(max(int64(e.TimeMS), before.Sent), g.c.nowMS()) // by the host's clock, as far as that can be
		if err := tx.SetExpires(home, *o.Message, read+before.Vanish*1000); err != nil {
			return err
		}
		if err := tx.ShareExpiry(before.First()); err != nil {
			return err
		}
	}
	m, err := tx.Message(home, *o.Message)
	if err != nil || m == nil {
		return err
	}
	if g.ctx.Kind == room.Self { // there is nobody else who is to have it
		if err := g.settleState(tx, after, m); err != nil {
			return err
		}
	}
	kind := EventMessage
	if before.Pos != 0 { // sent again: people have seen it
		kind = EventState
	}
	*after = append(*after, func() { g.c.emit(Event{Kind: kind, Room: home, Message: m}) })
	return nil
}

// placedOther lets an own entry that is no message act at its place, where everybody else lets
// it act.
func (g *gen) placedOther(tx store.Tx, after *[]func(), e wire.Entry, o *store.Outgoing) error {
	switch o.Kind {
	case room.PayloadKept:
		return g.takeKept(tx, after, g.c.keys.Name, int64(e.TimeMS), o.Body)
	case room.PayloadJoined:
		*after = append(*after, func() { g.c.keepLater(0) }) // it may have waited for this
	case room.PayloadPin:
		return g.pins(tx, after, g.c.chain.ID(), o.Body)
	case room.PayloadPicture:
		return tx.PaidPicture(g.Room)
	case room.PayloadOffer, room.PayloadAnswer, room.PayloadTaken, room.PayloadRenewal, room.PayloadRenewed, room.PayloadEnd:
		from := room.Owner{Account: g.c.chain.ID(), Device: g.c.keys.Name}
		return g.takeCall(tx, after, o.Kind, callEntry{from: from, own: true, arrived: int64(min(e.TimeMS, 1<<52)), sent: g.c.nowMS(), body: o.Body})
	}
	return nil
}

// push sends our own commit, if there is one on its way.
func (g *gen) push() {
	if g.staged == nil || g.pushing || !g.open() {
		return
	}
	if wait := g.holdUntil - g.c.nowMS(); wait > 0 {
		g.c.timer(fmt.Sprintf("push %d", g.ref), msDuration(wait), g.c.pump)
		return
	}
	l := g.c.hostLink(g.Host)
	if !l.up {
		return
	}
	var swap wire.Swap
	if err := wire.Unmarshal(g.staged.Swap, &swap); err != nil {
		g.c.fail("reading a change on its way", err)
		return
	}
	g.pushing = true
	secret, hash := g.Secret, g.staged.Hash
	entry := g.staged.Entry
	a := wire.Append{Log: g.Log, Token: g.staged.Token, Swap: &swap, Cursor: &secret}
	for len(entry) > wire.PartSize {
		ask(l, wire.OpPart, wire.Part{Index: a.Parts, Piece: entry[:wire.PartSize]}, func(wire.Done, error) {})
		entry = entry[wire.PartSize:]
		a.Parts++
	}
	a.Entry = entry
	ask(l, wire.OpAppend, a, func(_ wire.Appended, err error) {
		if g.staged == nil || g.staged.Hash != hash {
			return // read in the log meanwhile, or another one won
		}
		switch {
		case err == nil: // it is merged when it is read
		case errors.Is(err, wire.Refuse(wire.CodeStaleToken, "")):
			g.behind()
		case refused(err):
			if !errors.Is(err, wire.Refuse(wire.CodeTooSoon, "")) {
				g.c.fail("changing a room", err)
			}
			g.c.timer(fmt.Sprintf("push %d", g.ref), retryAfter(err), func() {
				g.pushing = false
				g.c.pump()
			})
		default:
			g.pushing = false
		}
	})
}

// stage keeps a commit of ours, everything that belongs to it durable before it leaves.
func (g *gen) stage(tx store.Tx, s *mls.StagedCommit, proofs []room.Proof, guests []guest) error {
	change, err := room.Judge(g.group, g.known, s, proofs)
	if err != nil {
		return err
	}
	secrets := make([]wire.Secret, len(guests))
	for i := range guests {
		secrets[i] = guests[i].Cursor
	}
	swap, err := change.Swap(s, secrets)
	if err != nil {
		return err
	}
	entry, err := room.SealSwap(g.c.o.Rand, g.group, g.Log, room.Inner{Message: s.Message(), Proofs: proofs}, swap)
	if err != nil {
		return err
	}
	if len(entry) > wire.MaxSwap {
		return wire.Refuse(wire.CodeTooLarge, "this change of the room is too large")
	}
	row := store.Staged{
		Room: g.Room, Generation: g.Number, Epoch: g.group.Epoch(), Entry: entry, Hash: sha256.Sum256(entry),
		Token: g.token, Swap: wire.Marshal(swap), Commit: s.Marshal(), Proofs: wire.Marshal(proofs), Guests: wire.Marshal(guests),
	}
	if err := tx.PutStaged(row); err != nil {
		return err
	}
	g.staged, g.pushing = &row, false
	return tx.Flush(g.group, g.Room, g.Number)
}
