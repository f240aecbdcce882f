package client

import (
	"math"

	"errors"
	"fmt"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// resend queues again what this device wrote in a generation that is over and that the next
// one may lack: what stands after its last entry that counts, and everything that not every
// member has told to have. A host that went back holds no more what it had acknowledged, and
// who reads the end of a generation knows that of itself only.
//
// Who has a message already drops the repeat, and shows it where it was. Only what does not
// count where it stood takes its new place for everybody (room.PayloadAgain), since some have
// read it there and others have not. So that nobody who may move the room can have everything
// that was ever said there change places, that is so for the last entries only.
//
// What was written before somebody of the new generation came in is not sent again: they would
// read it. It stays "stored", and is told as expired when no host would hold it any longer.
// Where the old generation is to have ended makes no difference to that: who moves a room says
// where, and may have come late. next is who is in the new generation.
func (c *Client) resend(tx store.Tx, id room.ID, generation uint64, end ending, next room.Knowledge) error {
	g, err := tx.Generation(id, generation)
	if err != nil || g == nil {
		return err
	}
	home, err := c.shownIn(tx, id)
	if err != nil {
		return err
	}
	r, err := tx.Room(home)
	if err != nil || r == nil {
		return err
	}
	since, err := tx.Since(id, generation)
	if err != nil {
		return err
	}
	floor := uint64(0)
	for account := range next {
		came, was := since[account]
		if !was { // whoever moved the room brought them in
			floor = math.MaxInt64
		}
		floor = max(floor, came)
	}
	own, err := tx.Undelivered(home, c.keys.Name, *g, end.last, floor)
	if err != nil {
		return err
	}
	var again []store.Outgoing
	for _, m := range own {
		if !c.whole(r, m) {
			continue
		}
		o := store.Outgoing{Room: home, Kind: room.PayloadContent, Body: m.Content, Message: &m.ID}
		if m.Seq+movable > g.Seq && end.displaces(m, g.Seq) {
			o.Kind = room.PayloadAgain
		}
		if err := tx.SetMessageState(home, m.ID, store.Queued); err != nil {
			return err
		}
		again = append(again, o)
	}
	if end.rival {
		if err := tx.Uproot(home, generation); err != nil {
			return err
		}
	}
	return tx.EnqueueFirst(home, again)
}

// movable is how many of the last entries of a generation may take other places in the next.
const movable = 256

// ending is where a generation ended.
type ending struct {
	last    uint64 // the last entry that counts
	rival   bool   // none does: the room went on in another log in its stead
	unknown bool   // the room is further on than the next one
}

// displaces says whether a message of ours may stand where some have not read it, for a device
// that has read as far as seq. Where the generation is to have ended at a place that this device
// has not reached, or does not know, that is so for all of which not everybody has told that
// they have it.
func (e ending) displaces(m store.Message, seq uint64) bool {
	if e.unknown || e.last > seq {
		return m.State == store.Stored
	}
	return m.Seq > e.last
}

// moveDown has a message that this device has take the place where its author sends it again,
// because where it stood does not count: some had not read it there. It does so once in each
// generation, so that nobody rearranges what they said.
func (g *gen) moveDown(tx store.Tx, after *[]func(), m store.Message) error {
	have, err := tx.Message(m.Room, m.ID)
	if err != nil || have == nil || have.Generation >= g.Number {
		return err
	}
	if err := placeAgain(tx, m); err != nil {
		return err
	}
	if have, err = tx.Message(m.Room, m.ID); err != nil {
		return err
	}
	if have.At != 0 {
		*after = append(*after, func() { g.c.emit(Event{Kind: EventChanged, Room: have.Room, Message: have}) })
	}
	return g.c.tellChange(tx, after, m)
}

// placeAgain gives a message another place. An edit acts there anew, so that it comes before
// and after the same other ones for everybody.
func placeAgain(tx store.Tx, m store.Message) error {
	if err := tx.MoveDown(m); err != nil || m.Kind != mimi.KindEdit {
		return err
	}
	return act(tx, m)
}

// whole says whether a message of ours is still here as it was written, so that it can be
// sent under its own id.
func (c *Client) whole(r *store.Room, m store.Message) bool {
	content, err := mimi.Parse(m.Content)
	if err != nil {
		return false
	}
	id, err := content.MessageID(accountURI(m.Account), c.uri(r))
	return err == nil && id == m.ID
}

// again takes a message that this device has, or had, and that was sent once more. Its
// author may not have heard that it came: the receipt may be lost with the host.
func (g *gen) again(tx store.Tx, after *[]func(), m store.Message) error {
	have, err := tx.Message(m.Room, m.ID)
	if err != nil {
		return err
	}
	s := store.Delivered
	if have != nil && have.Flags&store.FlagSeen != 0 {
		s = store.Read
	}
	*after = append(*after, g.c.settleReceipts)
	return tx.Owe(store.Owed{Room: g.Room, Message: m.ID, State: s})
}

// end has a generation that the room has left read out to where it ends.
func (g *gen) end(tx store.Tx, after *[]func(), last uint64) error {
	row := g.Generation
	row.Last, row.Since = last, g.c.nowMS()
	*after = append(*after, func() {
		g.Last, g.Since = row.Last, row.Since
		g.askHead(last)
	})
	return tx.PutGeneration(row)
}

// over says whether the room has left this generation.
func (g *gen) over() bool { return g.Last != 0 && g.State == store.GenLive }

// askHead asks the host whether it holds the log as far as a place. Where the watch begins
// later, its answer says so.
func (g *gen) askHead(place uint64) {
	l := g.c.hosts[g.Host]
	if l == nil || !l.up || !g.watching || g.probing {
		return
	}
	g.probing = true
	ask(l, wire.OpRead, wire.Read{Secret: g.Secret, After: place, Limit: 1}, func(a wire.ReadAnswer, err error) {
		g.probing = false
		if g.watching && (err == nil || refused(err)) {
			g.head, g.asked = max(g.head, a.State.Head), place
			g.expect()
			g.schedule()
			g.c.pump()
		}
	})
}

// toRead says whether the log may still bring what stands before a place that somebody
// names. While its host cannot be reached, that is so for a moment only; one that was told to
// be at fault is not waited for.
func (g *gen) toRead(to room.Place) bool {
	l := g.c.hosts[g.Host]
	switch {
	case g.State != store.GenLive || to.Log != g.Log || to.Seq <= g.Seq || l == nil || g.accused != 0:
		return false
	case g.asking && l.up, g.Seq < g.head && g.watching:
		return true
	case !g.watching:
		wait := callTime.Milliseconds() - (g.c.nowMS() - l.since)
		if !l.up && wait > 0 {
			g.c.timer(fmt.Sprintf("read %d", g.ref), msDuration(wait), g.c.pump)
			return true
		}
		return false
	case g.asked < to.Seq:
		g.askHead(to.Seq)
		return true
	}
	return false
}

// readOut closes a generation that the room has left when nothing more is to come of it,
// and says whether it did.
func (g *gen) readOut() bool {
	if !g.over() || g.asked < g.Last || g.Seq < min(g.head, g.Last) {
		return false
	}
	g.closeEarly(g.Seq < g.Last)
	return true
}

// closeEarly closes a generation that the room has left; short says that its host did not
// show all of it.
func (g *gen) closeEarly(short bool) {
	err := g.c.update(func(tx store.Tx, after *[]func()) error {
		if short {
			if err := g.c.notice(tx, after, &g.Room, NoticeFork, said.Of("fault.short")); err != nil {
				return err
			}
		}
		return g.shut(tx, after)
	})
	if err != nil {
		g.trip(err)
		return
	}
	g.c.pump()
}

// shut ends a generation in a transaction of its own.
func (g *gen) shut(tx store.Tx, after *[]func()) error {
	if err := g.close(tx, after); !errors.Is(err, errStop) {
		return err
	}
	return nil
}
