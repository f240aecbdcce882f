package logs

import "sotto/internal/wire"

// Read reads once: entries in order after r.After, of together at most r.Limit bytes
// but at least one, and never one over wire.MaxEntry: the answer stops before it.
// Refusals: CodeNoCursor.
func (l *Logs) Read(r wire.Read) (wire.ReadAnswer, error) {
	lg, c, err := l.use(r.Secret)
	if err != nil {
		return wire.ReadAnswer{}, err
	}
	defer l.release(lg)
	state, from, through := lg.state(c), max(r.After, c.From), lg.readable(c)
	lg.unlock()
	entries, _, err := l.entries(lg.name, from, through, min(r.Limit, wire.MaxCredit), wire.MaxEntry)
	return wire.ReadAnswer{State: state, Entries: entries}, err
}

// entries reads what stands after one entry and through another, of together at most
// limit bytes but at least one entry, and stops before one over largest. All says
// that nothing more stands there.
func (l *Logs) entries(name wire.LogName, after, through, limit uint64, largest int) (out []wire.Entry, all bool, err error) {
	all = true
	if after >= through {
		return nil, all, nil
	}
	var size uint64
	err = l.db.Scan(entryKey(name, after+1), entryKey(name, through+1), func(k, v []byte) (bool, error) {
		s, err := decodeStored(v)
		if err != nil {
			return false, err
		}
		if size += uint64(len(s.bytes)); len(s.bytes) > largest || len(out) > 0 && size > limit {
			all = false
			return false, nil
		}
		e, err := s.entry(seqOf(k))
		out = append(out, e)
		return true, err
	})
	if err != nil {
		return nil, false, err
	}
	return out, all, nil
}

// Next takes the durable entries after the watch's place, in order, of together at
// most maxBytes of entry bytes, but at least one if there is one. Cheap when there is
// none. The bytes are the caller's. Call it until it gives none: that call also
// tells the watcher when its cursor has ended. After the end it gives none.
func (w *Watch) Next(maxBytes int) ([]wire.Entry, error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	from, through, open, err := w.begin()
	if err != nil || !open || from >= through {
		return nil, err
	}
	entries, all, err := w.l.entries(w.lg.name, from, through, uint64(max(maxBytes, 0)), wire.MaxSwap)
	if err != nil {
		return nil, err
	}
	w.lg.mu.Lock()
	if n := len(entries); all {
		w.pos = through
	} else if n > 0 {
		w.pos = entries[n-1].Seq
	}
	if c := w.lg.byID(w.id); !w.closed && c != nil && c.watch == w && c.End != nil && w.pos >= c.End.Seq && len(entries) > 0 {
		w.lg.wakeOne(c) // so that the watcher asks once more and learns that it was the last
	}
	w.lg.unlock()
	return entries, nil
}

// begin looks what there is to read, and ends the watch when its cursor has ended and
// there is nothing more.
func (w *Watch) begin() (from, through uint64, open bool, err error) {
	lg := w.lg
	lg.mu.Lock()
	defer lg.unlock()
	if w.closed {
		return 0, 0, false, nil
	}
	w.told = false
	if err := w.l.fresh(lg, w.l.db.Generation()); err != nil {
		return 0, 0, false, err
	}
	c := lg.byID(w.id)
	if w.closed || c == nil {
		return 0, 0, false, nil
	}
	if c.End != nil && w.pos >= c.End.Seq && lg.durable >= c.End.Seq {
		c.watch = nil
		w.l.end(lg, w, wire.CodeCursorEnded)
		return 0, 0, false, nil
	}
	return w.pos, lg.readable(c), true, nil
}
