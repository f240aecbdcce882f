package logs

import (
	"slices"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// edit is one change of a log: what its state will be, and the batch that makes it
// so on disk. Nothing of it is seen before commit. It is made and used under the
// log's lock.
type edit struct {
	l       *Logs
	lg      *log
	b       *engine.Batch
	rec     record
	cursors []*cursor
	own     bool // cursors is the edit's own copy
	dirty   bool // rec has to be written
	over    bool // the log ends
	ended   []*cursor
	unlock  func() // gives up Logs.secrets, when the edit took it
}

// edit begins a change and makes sure that the state is that of the batch's
// generation. CodeStorageFull when the engine takes nothing now.
func (l *Logs) edit(lg *log) (*edit, error) {
	for {
		b := l.db.NewBatch()
		if l.db.Failing() {
			b.Drop()
			return nil, engine.ErrStorage()
		}
		if err := l.fresh(lg, b.Generation()); err != nil {
			b.Drop()
			return nil, err
		}
		if lg.gen == b.Generation() {
			return &edit{l: l, lg: lg, b: b, rec: lg.rec, cursors: lg.cursors}, nil
		}
		b.Drop()
	}
}

// drop gives the edit up.
func (e *edit) drop() {
	e.b.Drop()
	e.done()
}

// done gives up what the edit holds.
func (e *edit) done() {
	if e.unlock != nil {
		e.unlock()
		e.unlock = nil
	}
}

// put replaces or adds a cursor, in the order of ids.
func (e *edit) put(c *cursor) {
	e.copyCursors()
	if i := slices.IndexFunc(e.cursors, func(o *cursor) bool { return o.id == c.id }); i >= 0 {
		e.cursors[i] = c
	} else {
		e.cursors = append(e.cursors, c)
	}
	e.b.Set(cursorKey(e.lg.name, c.id), wire.Marshal(c.place))
}

// change is a copy of a cursor, to be put.
func (c *cursor) change() *cursor {
	n := *c
	return &n
}

// add puts a new cursor that reads what follows the head. The caller holds
// Logs.secrets and has seen that the secret is new.
func (e *edit) add(n wire.NewCursor, now uint64) {
	c := &cursor{id: e.rec.NextID, place: place{Tag: n.Tag, Hash: n.Hash, From: e.rec.Head, Acked: e.rec.Head, Added: now}}
	e.rec.NextID++
	e.dirty = true
	e.put(c)
	e.open(c)
	e.due(now + uint64(wire.CursorUnclaimed.Milliseconds()))
}

// open writes under which secret the cursor is found.
func (e *edit) open(c *cursor) {
	v := append([]byte{}, e.lg.name[:]...)
	e.b.Set(secretKey(c.Hash), append(v, byte(c.id>>24), byte(c.id>>16), byte(c.id>>8), byte(c.id)))
}

// vanish removes a cursor and its right to read.
func (e *edit) vanish(c *cursor) {
	e.copyCursors()
	e.cursors = slices.DeleteFunc(e.cursors, func(o *cursor) bool { return o.id == c.id })
	e.b.Delete(cursorKey(e.lg.name, c.id))
	e.b.Delete(secretKey(c.Hash))
	e.ended = append(e.ended, c)
}

func (e *edit) copyCursors() {
	if !e.own {
		e.cursors, e.own = slices.Clone(e.cursors), true
	}
}

// shrink erases what no cursor needs any more, and ends a log without cursors.
func (e *edit) shrink(now uint64) error {
	if len(e.cursors) == 0 {
		e.finish(now)
		return nil
	}
	return e.erase()
}

// erase deletes what no cursor needs any more.
func (e *edit) erase() error {
	held, tail := e.rec.needed(e.cursors)
	if tail == e.rec.Tail && slices.Equal(held, e.rec.Held) {
		return nil
	}
	e.dirty = true
	old := append(slices.Clone(e.rec.Held), span{From: e.rec.Tail, To: e.rec.Head})
	e.rec.Held, e.rec.Tail = held, tail
	if e.rec.count() == 0 {
		e.rec.Erased = e.rec.Size
		return e.eraseAll(old)
	}
	for _, s := range old {
		for _, gone := range minus(s, held, tail) {
			if err := e.eraseRun(gone); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseAll deletes all entries: by a range where there are many of them.
func (e *edit) eraseAll(old []span) error {
	var n uint64
	for _, s := range old {
		n += s.To + 1 - s.From
	}
	if n > 256 {
		e.b.DeleteRange(logKey(e.lg.name, kindEntry), logKey(e.lg.name, kindEntry+"\xff"))
		e.b.DeleteRange(logKey(e.lg.name, kindHash), logKey(e.lg.name, afterHashes))
		return nil
	}
	erased := e.rec.Erased
	for _, s := range old {
		if err := e.eraseRun(s); err != nil {
			return err
		}
	}
	e.rec.Erased = erased
	return nil
}

// eraseRun deletes the entries of a run one by one and counts their bytes.
func (e *edit) eraseRun(s span) error {
	if s.From > s.To {
		return nil
	}
	return e.l.db.Scan(entryKey(e.lg.name, s.From), entryKey(e.lg.name, s.To+1), func(k, v []byte) (bool, error) {
		x, err := decodeStored(v)
		if err != nil {
			return false, err
		}
		e.b.Delete(k)
		e.b.Delete(hashKey(e.lg.name, x.hash))
		e.rec.Erased += uint64(len(x.bytes))
		return true, nil
	})
}

// minus is what is left of s without the runs in held and without the tail.
func minus(s span, held []span, tail uint64) (out []span) {
	from := s.From
	for _, h := range held {
		if h.To < from || h.From > s.To {
			continue
		}
		if h.From > from {
			out = append(out, span{From: from, To: h.From - 1})
		}
		from = h.To + 1
	}
	if to := min(s.To, tail-1); from <= to {
		out = append(out, span{From: from, To: to})
	}
	return out
}

// due makes sure that Tick looks after the log at a time, or before.
func (e *edit) due(ms uint64) {
	if e.rec.Due == 0 || ms < e.rec.Due {
		e.redue(ms)
	}
}

// redue sets when Tick looks after the log; 0 is never.
func (e *edit) redue(ms uint64) {
	if ms == e.rec.Due {
		return
	}
	if e.rec.Due != 0 {
		e.b.Delete(dueKey(e.rec.Due, e.lg.name))
	}
	if ms != 0 {
		e.b.Set(dueKey(ms, e.lg.name), nil)
	}
	e.rec.Due, e.dirty = ms, true
}

// finish ends the log: everything of it goes, and its name rests.
func (e *edit) finish(now uint64) {
	for _, c := range e.cursors {
		e.b.Delete(secretKey(c.Hash))
		e.ended = append(e.ended, c)
	}
	e.cursors = nil
	e.redue(0)
	e.b.DeleteRange(logKey(e.lg.name, ""), logKey(e.lg.name, "\xff"))
	until := now + uint64(wire.LogNameRest.Milliseconds())
	e.b.Set(restKey(e.lg.name), millisValue(until))
	e.b.Set(dueKey(until, e.lg.name), nil)
	e.over = true
}

// commit applies the edit to the engine and then to the state. The caller gives up
// the log's lock before it waits.
func (e *edit) commit() (wait func() error, err error) {
	defer e.done()
	if e.dirty && !e.over {
		e.b.Set(logKey(e.lg.name, kindRecord), wire.Marshal(e.rec))
	}
	if wait, err = e.l.db.Commit(e.b); err != nil {
		return nil, err
	}
	lg := e.lg
	lg.rec, lg.cursors = e.rec, e.cursors
	for _, c := range e.ended {
		if c.watch == nil {
			continue
		}
		code := wire.CodeNoCursor
		if c.End != nil {
			code = wire.CodeCursorEnded
		}
		e.l.end(lg, c.watch, code)
		c.watch = nil
	}
	if e.over {
		lg.exists, lg.rec, lg.durable, lg.durChain = false, record{}, 0, wire.Hash{}
	}
	return wait, nil
}
