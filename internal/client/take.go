package client

import (
	"crypto/sha256"
	"errors"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

const (
	runEntries = 256 // entries of one transaction
	keepPlaces = 512 // running hashes remembered for each log
)

// errStop ends a run after the present entry, which counts.
var errStop = errors.New("stop")

// run takes entries from the queue in one transaction, up to a commit. It answers how
// many, and how many bytes they had.
func (g *gen) run() (n int, bytes uint64, err error) {
	err = g.c.update(func(tx store.Tx, after *[]func()) error {
		n, bytes = 0, 0
		var stop error
		for n < len(g.queue) && n < runEntries && stop == nil {
			e := g.queue[n]
			if stop = g.take(tx, after, e); stop != nil && !errors.Is(stop, errStop) {
				return stop
			}
			n++
			bytes += uint64(len(e.Bytes))
		}
		if g.group == nil || g.State == store.GenClosed {
			return nil // take has put things away
		}
		if err := tx.Flush(g.group, g.Room, g.Number); err != nil {
			return err
		}
		if err := g.checkAnswers(tx, after); err != nil {
			return err
		}
		if g.Seq >= g.head {
			g.Seen = g.c.nowMS()
		}
		return tx.SetPlace(g.Generation, keepPlaces)
	})
	return n, bytes, err
}

// take brings one entry in: its place, its running hash, then what it says.
func (g *gen) take(tx store.Tx, after *[]func(), e wire.Entry) error {
	if g.State != store.GenLive || e.Seq <= g.Seq {
		return nil // after the end of what counts, or again
	}
	if g.Last != 0 && e.Seq > g.Last {
		return g.close(tx, after)
	}
	if e.Seq != g.Seq+1 {
		if err := g.gap(tx, after, e.Seq); err != nil {
			return err
		}
	} else if wire.NextChain(g.Chain, e.Seq, e.Bytes) != e.Chain {
		says := said.Of("fault.history")
		if err := g.c.notice(tx, after, &g.Room, NoticeFork, says); err != nil {
			return err
		}
		return orStop(g.wedge(tx, after, nil, says))
	}
	err := g.read(tx, after, e)
	if errors.Is(err, errWedged) { // the entry does not count: the log ends before it
		return errStop
	}
	if err != nil && !errors.Is(err, errStop) {
		return err
	}
	g.Seq, g.Chain = e.Seq, e.Chain
	if g.Last != 0 && g.Seq >= g.Last && g.State == store.GenLive {
		return g.close(tx, after)
	}
	return err
}

// errWedged says that an entry left the log unable to go on.
var errWedged = errors.New("wedged")

func orStop(err error) error {
	if err != nil {
		return err
	}
	return errStop
}

// gap is a run of entries that the host does not have: they expired before this device
// came, or the host drops some.
func (g *gen) gap(tx store.Tx, after *[]func(), next uint64) error {
	if g.c.nowMS()-g.Seen > int64(g.TTL)*1000 {
		g.gapped = true
		return g.c.notice(tx, after, &g.Room, NoticeExpired,
			said.Of("expired").Count(int64(next-g.Seq-1)))
	}
	says := said.Of("fault.gap")
	if err := g.c.notice(tx, after, &g.Room, NoticeFork, says); err != nil {
		return err
	}
	return orStop(g.wedge(tx, after, nil, says))
}

// read says what an entry means.
func (g *gen) read(tx store.Tx, after *[]func(), e wire.Entry) error {
	if !e.Did.Swap().Fits(e.Bytes) { // no honest host takes such an entry
		return g.wedgeHost(tx, after, said.Of("fault.did"))
	}
	hash := hashOf(e.Bytes)
	if g.staged != nil && hash == g.staged.Hash {
		return g.mergeOwn(tx, after, e)
	}
	own, err := tx.OutgoingByHash(g.Room, hash)
	if err != nil {
		return err
	}
	if own == nil { // or one that is not sent any more
		own, err = tx.PastByHash(g.Room, g.Number, hash)
		if err != nil {
			return err
		}
	}
	if own != nil {
		return g.placed(tx, after, e, own)
	}
	inner, err := room.OpenEntry(g.group, g.Log, e.Bytes)
	if err != nil {
		return g.junk(tx, after, e, err)
	}
	msg, err := g.group.Open(inner.Message)
	switch {
	case (errors.Is(err, mls.ErrOwnMessage) || errors.Is(err, mls.ErrCopy)) && g.over():
		return nil // the room is elsewhere: what was on its way here then is sent again there
	case errors.Is(err, mls.ErrCopy):
		return g.copied(tx, after)
	case errors.Is(err, mls.ErrPath) && e.Did != nil:
		return g.shutOut(tx, after, msg.Sender)
	case err != nil:
		return g.junk(tx, after, e, err)
	}
	switch msg.Kind {
	case mls.KindCommit:
		return g.commit(tx, after, e, msg, inner.Proofs)
	case mls.KindProposal:
		if e.Did != nil {
			return g.culprit(tx, after, msg.Sender, said.Of("why.proposal"))
		}
		return g.proposed(tx, after, msg)
	}
	if e.Did != nil {
		return g.culprit(tx, after, msg.Sender, said.Of("why.message"))
	}
	return g.message(tx, after, e, msg)
}

// junk is an entry that says nothing. Without a swap it is passed over; with one nobody
// knows the next token, and the room moves on without the cursor that the host names.
func (g *gen) junk(tx store.Tx, after *[]func(), e wire.Entry, why error) error {
	if g.gapped { // a commit was among what had expired: this device is behind for good
		*after = append(*after, func() { g.c.post(func() { g.lose("away longer than the host keeps entries") }) })
		g.watching = false
		return errStop
	}
	if e.Did == nil {
		g.c.log.Info("an entry that says nothing", "seq", e.Seq, "error", why)
		return g.c.notice(tx, after, &g.Room, NoticeJunk, said.Of("junk"))
	}
	var culprits []room.Owner
	for _, n := range g.group.Members() {
		if l, err := g.known.LeafOf(0, n); err == nil && g.ctx.Tag(n.SignatureKey) == e.Did.By {
			culprits = append(culprits, l.Owner())
		}
	}
	if err := g.wedge(tx, after, culprits, said.Of("why.junk")); err != nil {
		return err
	}
	return errWedged
}

// culprit is a member that broke the room, proven by its signature.
func (g *gen) culprit(tx store.Tx, after *[]func(), leaf uint32, reason said.Said) error {
	var culprits []room.Owner
	if l, err := g.known.LeafOf(leaf, g.group.Member(leaf)); err == nil {
		culprits = append(culprits, l.Owner())
	}
	if err := g.wedge(tx, after, culprits, reason); err != nil {
		return err
	}
	return errWedged
}

// copied is an entry of our own leaf that this device knows nothing of, with a key that it
// has not used yet: it was made by a later state of the same device, so this one is a copy.
// With a key that is used up anybody could have put it there again, so it is junk.
func (g *gen) copied(tx store.Tx, after *[]func()) error {
	if err := g.c.notice(tx, after, &g.Room, NoticeCopy, said.Of("copy")); err != nil {
		return err
	}
	*after = append(*after, func() { g.c.post(func() { g.lose("restored copy") }) })
	g.watching = false
	return errStop
}

// checkAnswers looks for entries that the host had acknowledged for a place that was read
// without them.
func (g *gen) checkAnswers(tx store.Tx, after *[]func()) error {
	lied := false
	for id, a := range g.answers {
		if a.seq > g.Seq {
			continue
		}
		o, err := tx.OutgoingByHash(g.Room, a.hash)
		if err != nil {
			return err
		}
		lied = lied || o != nil
		*after = append(*after, func() {
			delete(g.answers, id)
			if a.message != nil {
				delete(g.c.held, *a.message)
			}
		})
	}
	if !lied {
		return nil
	}
	return g.c.notice(tx, after, &g.Room, NoticeFork, said.Of("fault.dropped"))
}

// close ends a generation that was read out.
func (g *gen) close(tx store.Tx, after *[]func()) error {
	if err := g.c.closeRow(tx, after, g); err != nil {
		return err
	}
	*after = append(*after, func() { g.forget(); g.c.dropGen(g) })
	g.State = store.GenClosed
	g.watching = false
	return errStop
}

func hashOf(b []byte) wire.Hash { return sha256.Sum256(b) }
