package client

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// gen is one generation of a room while this device takes part in it: a group and a
// place in a log.
type gen struct {
	store.Generation
	c     *Client
	group *mls.Group // nil while lost or not readable
	ctx   room.Context
	known room.Knowledge
	token wire.Secret

	ref      uint32
	asking   bool // a watch or a claim is under way
	watching bool
	caughtUp bool // read to the head since the link came up
	head     uint64
	asked    uint64 // the place for which the host was last asked how far it holds the log
	probing  bool   // and is being asked
	queue    []wire.Entry
	front    []byte // pieces of the next entry
	parts    int
	ended    wire.Code // the host ended the watch
	acks     int       // acknowledgements under way
	planned  bool      // a step to process the queue is posted

	staged    *store.Staged // our own commit on its way
	pushing   bool          // its append is under way
	appending map[int64]bool
	gapped    bool             // entries had expired before this device read them: a commit may be among them
	answers   map[int64]answer // outgoing entries that the host says it holds, by row
	moved     int64            // when the watch began or brought something last, Unix milliseconds
	accused   int64            // when the host was last told to be at fault, Unix milliseconds
	stirred   bool             // something changed that more than this room's outbox depends on
	holdUntil int64            // no swap before, Unix milliseconds
	signals   signals
}

func (g *gen) key() genKey { return genKey{g.Room, g.Number} }

func (c *Client) sortedGens() []*gen {
	return slices.SortedFunc(maps.Values(c.gens), func(a, b *gen) int {
		return cmp.Or(slices.Compare(a.Room[:], b.Room[:]), cmp.Compare(a.Number, b.Number))
	})
}

// addGen takes up a generation from its row.
func (c *Client) addGen(row store.Generation) *gen {
	g := &gen{Generation: row, c: c, appending: map[int64]bool{}, answers: map[int64]answer{}, stirred: true}
	c.lastRef++
	g.ref = c.lastRef
	c.gens[g.key()] = g
	c.refs[g.ref] = g
	g.watch()
	return g
}

// loaded reads the group if memory does not hold it, and tries again later when that fails.
func (g *gen) loaded() bool {
	if g.group != nil || g.State != store.GenLive && g.State != store.GenCreating && g.State != store.GenWedged {
		return true
	}
	if err := g.load(); err != nil {
		g.group = nil
		g.c.fail("reading the state of a room", err)
		g.c.timer(fmt.Sprintf("load %d", g.ref), maxRetry, func() { g.watch(); g.c.pump() })
		return false
	}
	return true
}

// dropGen forgets a generation in memory.
func (c *Client) dropGen(g *gen) {
	g.unwatch()
	delete(c.gens, g.key())
	delete(c.refs, g.ref)
}

func (c *Client) mlsConfig(suite mls.CipherSuite) mls.Config {
	return mls.Config{
		Suite: suite, Signer: c.keys.Signature, Rand: c.o.Rand, Now: c.now,
		Supported: []uint16{room.ExtContext}, Lifetime: packageLife,
	}
}

// load reads the group from the store: at the start, and after a transaction that failed
// and left memory ahead of it.
func (g *gen) load() error {
	return g.c.read(func(tx store.Tx) error {
		rows, err := tx.Generation(g.Room, g.Number)
		if err != nil || rows == nil {
			return cmp.Or(err, ErrNoRoom)
		}
		g.Generation = *rows
		r := tx.GroupReader(g.Room, g.Number)
		group, err := mls.LoadGroup(g.c.mlsConfig(g.Suite), r)
		if err = cmp.Or(r.Err, err); err != nil {
			return err
		}
		g.group = group
		if g.known, err = tx.Known(g.Room, g.Number); err != nil {
			return err
		}
		if g.staged, err = tx.Staged(g.Room, g.Number); err != nil {
			return err
		}
		return g.refresh()
	})
}

// refresh derives what follows from the group's epoch.
func (g *gen) refresh() (err error) {
	if g.ctx, err = room.ContextOf(g.group.ContextExtensions()); err != nil {
		return err
	}
	g.token, err = room.Token(g.group, g.Log)
	return err
}

// schedule posts the processing of what came.
func (g *gen) schedule() {
	if !g.planned {
		g.planned = true
		g.c.post(func() {
			g.planned = false
			g.process()
		})
	}
}

// process works off the queue, a transaction for each run of entries.
func (g *gen) process() {
	if !g.watching || g.c.gens[g.key()] != g {
		return
	}
	var bytes uint64
	for len(g.queue) > 0 && g.watching && (g.State == store.GenLive || g.State == store.GenWedged) {
		before := g.Seq
		n, size, err := g.run()
		if err != nil {
			g.trip(err)
			return
		}
		g.queue = g.queue[min(n, len(g.queue)):]
		bytes += size
		if g.Seq > before {
			g.moved = g.c.nowMS()
		}
	}
	g.takeSignals()
	l := g.c.hostLink(g.Host)
	g.c.giveCredit(l, bytes)
	if bytes > 0 && l.up {
		g.ack(l)
	}
	if !g.watching || g.group == nil {
		g.c.pump()
		return
	}
	if g.Seq >= g.head && !g.caughtUp {
		g.caughtUp, g.stirred = true, true
		g.Seen = g.c.nowMS()
		g.c.hereAfresh()
	}
	if g.readOut() {
		return
	}
	if g.ended != wire.OK {
		g.stopped()
		return
	}
	if g.stirred {
		g.stirred = false
		g.c.pump()
		return
	}
	g.push()
	g.send()
	g.c.settle()
}

// trip puts memory back to what the store holds, after a transaction that failed.
func (g *gen) trip(err error) {
	g.c.fail("keeping what came", err)
	g.unwatch()
	g.appending, g.answers, g.pushing = map[int64]bool{}, map[int64]answer{}, false
	g.forget()
	g.loaded()
	if l := g.c.hosts[g.Host]; l != nil && l.conn != nil {
		l.fall(err) // watch anew, by and by, with every answer of before forgotten
	}
}

// fault is a host that does not keep its word: the room moves.
func (g *gen) fault(says said.Said) {
	g.c.told(g, NoticeFork, says)
	if err := g.c.update(func(tx store.Tx, after *[]func()) error { return g.wedge(tx, after, nil, says) }); err != nil {
		g.trip(err)
	}
	g.c.pump()
}

// told keeps a notice outside of a transaction of somebody else's.
func (c *Client) told(g *gen, kind string, says said.Said) {
	id := g.Room
	if err := c.update(func(tx store.Tx, after *[]func()) error { return c.notice(tx, after, &id, kind, says) }); err != nil {
		c.fail("keeping a notice", err)
	}
}

// placeless is a host that does not know this device's place. If it has lost the whole
// conversation, others are where this device is, and the room moves.
func (g *gen) placeless() {
	l := g.c.hosts[g.Host]
	if g.over() || g.group == nil || l == nil || !l.up || g.c.nowMS()-g.Seen > deadWait.Milliseconds() {
		g.displaced() // long ago: the room may have moved on without this device
		return
	}
	// An append that no host takes: what it is refused for says whether the log is there.
	nobody := wire.Append{Log: g.Log, Token: g.c.newSecret(), Entry: []byte{0}}
	ask(l, wire.OpAppend, nobody, func(_ wire.Appended, err error) {
		switch {
		case g.c.gens[g.key()] != g || g.watching || g.State != store.GenLive:
		case errors.Is(err, wire.Refuse(wire.CodeNoLog, "")):
			g.logless()
		case refused(err):
			g.displaced()
		}
	})
}

// logless is a host that has lost the whole log. Either the room stops here for everybody,
// and an admin moves it, or it has moved on without this device, and somebody answers.
func (g *gen) logless() {
	says := said.Of("fault.lost")
	g.c.told(g, NoticeFork, says)
	err := g.c.update(func(tx store.Tx, after *[]func()) error {
		if err := g.wedge(tx, after, nil, says); err != nil {
			return err
		}
		wants, err := tx.Wants(g.Room)
		if err != nil {
			return err
		}
		for _, w := range wants { // not before somebody could answer
			if w.Kind == wantMoveKind {
				w.Due += replacedWait.Milliseconds()
				if err := tx.SetWant(w); err != nil {
					return err
				}
			}
		}
		return tx.AddWant(store.Want{Room: g.Room, Kind: wantRejoin, Body: wire.Marshal(wantGen{g.Number, true}), Due: g.c.nowMS()})
	})
	if err != nil {
		g.trip(err)
	}
	g.c.pump()
}

// displaced is a device whose place is gone: what others write until it is let in again it
// cannot read.
func (g *gen) displaced() {
	if !g.over() {
		g.c.told(g, NoticeFork, said.Of("fault.place"))
	}
	g.lose("the host does not know this device's place any more")
}

// lose gives up a group whose state cannot be trusted any more: history stays, secrets
// go, and the device asks to be added again.
func (g *gen) lose(why string) {
	if g.over() {
		g.closeEarly(true)
		return
	}
	err := g.c.update(func(tx store.Tx, _ *[]func()) error {
		row := g.Generation
		row.State, row.Since = store.GenLost, g.c.nowMS()
		if g.group != nil {
			row.Context = wire.Marshal(g.ctx)
		}
		if err := tx.EraseGroup(g.Room, g.Number); err != nil {
			return err
		}
		if err := tx.Unseal(g.Room, 0, 0); err != nil {
			return err
		}
		if err := tx.PutGeneration(row); err != nil {
			return err
		}
		g.Generation = row
		return tx.AddWant(store.Want{Room: g.Room, Kind: wantRejoin, Body: wire.Marshal(wantGen{Generation: g.Number}), Due: g.c.nowMS()})
	})
	if err != nil {
		g.trip(err)
		return
	}
	g.c.log.Info("lost the state of a room", "why", why)
	g.forget()
	g.unwatch()
	g.c.pump()
}

// forget drops the group from memory, secrets overwritten.
func (g *gen) forget() {
	g.dropSignals(true)
	if g.group != nil {
		g.group.Erase()
	}
	g.group, g.staged, g.pushing = nil, nil, false
}
