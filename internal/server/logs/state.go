package logs

import (
	"crypto/subtle"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"sotto/internal/wire"
)

// log is the state of one log in memory.
type log struct {
	name wire.LogName
	pins int       // guarded by the shard's lock
	used time.Time // guarded by the shard's lock

	mu      sync.Mutex // guards what follows
	gen     uint64     // the engine's generation the state was read in; 0: never
	exists  bool
	rec     record
	cursors []*cursor // in the order of their ids; replaced, never changed in place
	// What readers see. It trails rec.Head while a commit waits for its fsync.
	durable  uint64
	durChain wire.Hash
	filter   *filter  // nil until the first append
	calls    []func() // made by unlock
}

// cursor is one cursor of a log in memory.
type cursor struct {
	place
	id    uint32
	watch *Watch
}

// unlock gives up the lock and then makes the calls that waited for that.
func (lg *log) unlock() {
	calls := lg.calls
	lg.calls = nil
	lg.mu.Unlock()
	for _, f := range calls {
		f()
	}
}

// later makes a call after the lock is given up.
func (lg *log) later(f func()) { lg.calls = append(lg.calls, f) }

// settled says that the state can be read again as it is: everything applied is
// durable, or an engine of a later generation knows better. Called when nobody pins
// the log.
func (lg *log) settled(gen uint64) bool { return lg.durable == lg.rec.Head || lg.gen != gen }

// fresh reads the state from the engine unless it is that of generation gen already.
// Watches stay with their cursors.
func (l *Logs) fresh(lg *log, gen uint64) error {
	for lg.gen != gen {
		was := lg.cursors
		if err := l.load(lg); err != nil {
			lg.gen, lg.exists, lg.cursors = 0, false, was // the watches wait for a better time
			return err
		}
		lg.gen = gen
		for _, c := range was {
			if c.watch == nil {
				continue
			}
			if now := lg.byID(c.id); now != nil {
				now.watch = c.watch
			} else {
				l.end(lg, c.watch, wire.CodeNoCursor)
			}
		}
		lg.wake()               // a write that failed may have been written all the same
		gen = l.db.Generation() // it may have moved while the state was read
	}
	return nil
}

// load reads record, last entry and cursors. What a reopened engine holds is durable.
func (l *Logs) load(lg *log) error {
	lg.exists, lg.rec, lg.cursors, lg.filter = false, record{}, nil, nil
	lg.durable, lg.durChain = 0, wire.Hash{}
	found, err := l.db.View(logKey(lg.name, kindRecord), func(v []byte) error {
		return wire.Unmarshal(v, &lg.rec)
	})
	if err != nil || !found {
		return err
	}
	if err := l.catchUp(lg.name, &lg.rec); err != nil {
		return err
	}
	if err := l.db.Scan(logKey(lg.name, kindCursor), logKey(lg.name, kindCursor+"\xff"), func(k, v []byte) (bool, error) {
		c := &cursor{id: binary.BigEndian.Uint32(k[len(k)-4:])}
		if err := wire.Unmarshal(v, &c.place); err != nil {
			return false, err
		}
		lg.cursors = append(lg.cursors, c)
		return true, nil
	}); err != nil {
		return err
	}
	lg.exists = true
	lg.durable, lg.durChain = lg.rec.Head, lg.rec.Chain
	return nil
}

// catchUp brings a record as it was last written to the log's last entry.
func (l *Logs) catchUp(name wire.LogName, r *record) error {
	_, err := l.db.Last(entryKey(name, r.Head+1), logKey(name, kindEntry+"\xff"), func(k, v []byte) error {
		s, err := decodeStored(v)
		if err == nil {
			r.Head, r.Chain, r.Time, r.Size = seqOf(k), s.chain, s.time, s.size
		}
		return err
	})
	return err
}

func (lg *log) byID(id uint32) *cursor {
	i, ok := slices.BinarySearchFunc(lg.cursors, id, func(c *cursor, id uint32) int { return int(int64(c.id) - int64(id)) })
	if !ok {
		return nil
	}
	return lg.cursors[i]
}

// cursor is the cursor that the secret opens, or nil.
func (lg *log) cursor(id uint32, secret wire.Secret) *cursor {
	c := lg.byID(id)
	if !lg.exists || c == nil || !equal(c.Hash, secret.Hash()) {
		return nil
	}
	return c
}

// equal compares hashes in constant time.
func equal(a, b wire.Hash) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// readable is the last entry that the cursor may be shown now.
func (lg *log) readable(c *cursor) uint64 {
	if c.End != nil {
		return min(lg.durable, c.End.Seq)
	}
	return lg.durable
}

// state describes the log as one cursor may know it: a cursor that ended sees the log
// as it stood at its end.
func (lg *log) state(c *cursor) wire.PlaceState {
	p := wire.PlaceState{Head: lg.durable, Chain: lg.durChain, Acked: c.Acked}
	if c.End != nil {
		p.Code, p.End = wire.CodeCursorEnded, c.End.Seq
		if c.End.Seq <= lg.durable {
			p.Head, p.Chain = c.End.Seq, c.End.Chain
		}
	}
	p.First = min(lg.rec.first(), p.Head+1)
	return p
}

// first is the oldest entry that stands, Head+1 if none does.
func (r *record) first() uint64 {
	if len(r.Held) > 0 {
		return r.Held[0].From
	}
	return r.Tail
}

// count is the number of entries that stand.
func (r *record) count() uint64 {
	n := r.Head + 1 - r.Tail
	for _, s := range r.Held {
		n += s.To + 1 - s.From
	}
	return n
}

// stands says whether an entry stands.
func (r *record) stands(seq uint64) bool {
	if seq >= r.Tail {
		return seq <= r.Head
	}
	return slices.ContainsFunc(r.Held, func(s span) bool { return s.From <= seq && seq <= s.To })
}

// needed is which entries must stand for these cursors: the runs before the tail, and
// where the tail begins. A live cursor holds everything after its place; one that
// ended holds what it has yet to read, so that a device that is away and was removed
// does not hold what others have passed.
func (r *record) needed(cursors []*cursor) (held []span, tail uint64) {
	tail = r.Head + 1
	for _, c := range cursors {
		if c.End == nil {
			tail = min(tail, max(c.Acked, r.Floor)+1)
		}
	}
	for _, c := range cursors {
		if c.End == nil {
			continue
		}
		if s := (span{From: max(c.Acked, r.Floor) + 1, To: min(c.End.Seq, tail-1)}); s.From <= s.To {
			held = append(held, s)
		}
	}
	slices.SortFunc(held, func(a, b span) int { return int(int64(a.From) - int64(b.From)) })
	out := held[:0]
	for _, s := range held {
		if n := len(out); n > 0 && s.From <= out[n-1].To+1 {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	if n := len(out); n > 0 && out[n-1].To+1 == tail {
		out, tail = out[:n-1], out[n-1].From
	}
	return out, tail
}
