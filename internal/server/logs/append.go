package logs

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"sotto/internal/wire"
)

// Append adds an entry, all its parts joined, and returns when it is durable. An
// entry that stands already answers with its place, to who shows the token that it
// was appended with or the current one.
// Refusals: CodeNoLog, CodeStaleToken, CodeNoCursor, CodeCursorEnded, CodeTooSoon
// (with After), CodeCursors, CodeLogFull, CodeTooLarge, CodeMalformed, CodeStorageFull.
func (l *Logs) Append(a wire.Append, entry []byte) (wire.Appended, error) {
	p, err := l.begin(a, entry)
	if err != nil {
		return wire.Appended{}, err
	}
	return l.complete(p, p.wait())
}

// AppendAsync is Append that does not wait: done is called once, perhaps before
// AppendAsync returns, without locks held, and must not block. The entry is not kept:
// it is the caller's again when AppendAsync returns.
func (l *Logs) AppendAsync(a wire.Append, entry []byte, done func(wire.Appended, error)) {
	p, err := l.begin(a, entry)
	if err != nil {
		done(wire.Appended{}, err)
		return
	}
	l.later(func() { done(l.complete(p, p.wait())) })
}

// pending is an append that is applied and not durable yet. Its log is pinned.
type pending struct {
	lg     *log
	answer wire.Appended
	wait   func() error
}

// begin applies an append.
func (l *Logs) begin(a wire.Append, entry []byte) (pending, error) {
	if err := check(a, entry); err != nil {
		return pending{}, err
	}
	lg := l.acquire(a.Log)
	p, err := l.apply(lg, a, entry)
	lg.unlock()
	if err != nil {
		l.release(lg)
	}
	return p, err
}

// complete shows a durable entry to the readers and answers.
func (l *Logs) complete(p pending, err error) (wire.Appended, error) {
	defer l.release(p.lg)
	if err != nil {
		return wire.Appended{}, err
	}
	p.lg.mu.Lock()
	if p.lg.exists && p.lg.durable < p.answer.Seq {
		p.lg.durable, p.lg.durChain = p.answer.Seq, p.answer.Chain
		p.lg.wake()
	}
	p.lg.unlock()
	return p.answer, nil
}

func check(a wire.Append, entry []byte) error {
	limit := wire.MaxEntry
	if a.Swap != nil {
		limit = wire.MaxSwap
		if len(a.Swap.Add) > wire.MaxAdds {
			return wire.Refuse(wire.CodeCursors, "%d members added at once are over the limit of %d", len(a.Swap.Add), wire.MaxAdds)
		}
		if len(a.Swap.End) > wire.MaxCursorsCreate {
			return wire.Refuse(wire.CodeCursors, "%d members ended at once are over the limit of %d", len(a.Swap.End), wire.MaxCursorsCreate)
		}
	}
	switch {
	case len(entry) > limit:
		return wire.Refuse(wire.CodeTooLarge, "an entry of %d bytes is over the limit of %d", len(entry), limit)
	case len(entry) == 0:
		return wire.Refuse(wire.CodeMalformed, "an entry without bytes")
	case (a.Swap == nil) != (a.Cursor == nil):
		return wire.Refuse(wire.CodeMalformed, "an entry that swaps the token shows a cursor, and no other does")
	}
	return nil
}

// apply is begin under the log's lock. The order of its checks matters: an entry that
// stands answers before the token is looked at, and a wrong token learns nothing
// else.
func (l *Logs) apply(lg *log, a wire.Append, entry []byte) (pending, error) {
	e, err := l.edit(lg)
	if err != nil {
		return pending{}, err
	}
	p := pending{lg: lg}
	if !lg.exists {
		err = errNoLog()
	} else {
		p.answer, err = e.entry(a, entry)
	}
	if err != nil {
		e.drop()
		return pending{}, err
	}
	p.wait, err = e.commit()
	return p, err
}

// entry puts the entry into the edit, or finds it.
func (e *edit) entry(a wire.Append, entry []byte) (wire.Appended, error) {
	hash := wire.Hash(sha256.Sum256(entry))
	token := a.Token.Hash()
	current := equal(token, e.rec.Token)
	again, found, err := e.again(hash, token, current)
	if err != nil || found {
		return again, err
	}
	if !current {
		return again, errStale()
	}
	if e.full(a, len(entry)) {
		if err := e.relieve(); err != nil {
			return again, err
		}
	}
	if e.full(a, len(entry)) {
		return again, wire.Refuse(wire.CodeLogFull, "the conversation's log is full until somebody who is away has read it, or entries outlive their time")
	}
	now := e.l.now()
	// Time of arrival never goes back in a log, so that what is older expires first.
	at := max(millis(now), e.rec.Time)
	s := stored{time: at, size: e.rec.Size + uint64(len(entry)), token: token, hash: hash, bytes: entry}
	seq := e.rec.Head + 1
	s.chain = nextChain(e.rec.Chain, seq, hash)
	e.rec.Head, e.rec.Chain, e.rec.Time, e.rec.Size = seq, s.chain, at, s.size
	if a.Swap != nil {
		if err := e.swap(a, &s, now); err != nil {
			return again, err
		}
	}
	e.lg.filter.add(hash[:]) // before the commit: a filter that knows too much does no harm
	e.b.SetBuilt(entryKey(e.lg.name, seq), s.length(), s.append)
	e.b.Set(hashKey(e.lg.name, hash), binary.BigEndian.AppendUint64(nil, seq))
	e.due(at + e.rec.TTL)
	return wire.Appended{Seq: seq, Chain: s.chain, TimeMS: at}, nil
}

// full says whether an entry has no room. For swaps there is some beyond the limits: a
// full log is emptied by removing the member whose cursor holds everything back.
func (e *edit) full(a wire.Append, size int) bool {
	entries, bytes := uint64(wire.MaxLogEntries), uint64(wire.MaxLogBytes)
	if a.Swap != nil {
		entries, bytes = entries+wire.SpareSwaps, bytes+wire.SpareSwapBytes
	}
	return e.rec.count() >= entries || e.rec.Size-e.rec.Erased+uint64(size) > bytes
}

// relieve gives up what only devices that were removed could still read: otherwise who
// filled a log would keep it full after being put out.
func (e *edit) relieve() error {
	for _, c := range slices.Clone(e.cursors) {
		if c.End != nil {
			e.vanish(c)
		}
	}
	return e.erase()
}

// again answers for an entry that stands. Who shows a token that was never the
// entry's and is not current learns that it is stale and not that the entry stands.
func (e *edit) again(hash, token wire.Hash, current bool) (wire.Appended, bool, error) {
	may, err := e.l.mayStand(e.lg, hash)
	if err != nil || !may {
		return wire.Appended{}, false, err
	}
	var seq uint64
	key := hashKey(e.lg.name, hash)
	found, err := e.l.db.View(key, func(v []byte) error {
		seq = seqOf(v)
		return nil
	})
	if err != nil || !found || !e.rec.stands(seq) {
		return wire.Appended{}, false, err
	}
	var answer wire.Appended
	found, err = e.l.db.View(entryKey(e.lg.name, seq), func(v []byte) error {
		s, err := decodeStored(v)
		if err != nil {
			return err
		}
		if !equal(token, s.token) && !current {
			return errStale()
		}
		answer = wire.Appended{Seq: seq, Chain: s.chain, TimeMS: s.time}
		return nil
	})
	if err != nil || !found {
		return wire.Appended{}, false, err
	}
	// Written again and waited for: the first time may not be durable yet.
	e.b.Set(key, binary.BigEndian.AppendUint64(nil, seq))
	return answer, true, nil
}

// nextChain is wire.NextChain for an entry whose hash is known.
func nextChain(c wire.Hash, seq uint64, entry wire.Hash) wire.Hash {
	var b [72]byte
	copy(b[:], c[:])
	binary.BigEndian.PutUint64(b[32:], seq)
	copy(b[40:], entry[:])
	return sha256.Sum256(b[:])
}

// swap spends the token, installs the next one, ends and adds cursors, all with the
// entry s, which is the head already.
func (e *edit) swap(a wire.Append, s *stored, now time.Time) error {
	name, id, ok, err := e.l.find(*a.Cursor)
	if err != nil {
		return err
	}
	var by *cursor
	if ok && name == e.lg.name {
		by = e.lg.cursor(id, *a.Cursor)
	}
	if by == nil {
		return errNoCursor()
	}
	if by.End != nil {
		return wire.Refuse(wire.CodeCursorEnded, "this device is not in the conversation any more")
	}
	ms := millis(now)
	if e.rec.Swapped != 0 && ms >= e.rec.Swapped { // a clock that went back holds nobody up
		if left := wire.SwapInterval - time.Duration(ms-e.rec.Swapped)*time.Millisecond; left > 0 {
			refusal := wire.Refuse(wire.CodeTooSoon, "the conversation changed a moment ago: try again shortly")
			refusal.After = left
			return refusal
		}
	}
	e.rec.Token, e.rec.Swapped, e.dirty = a.Swap.Next, ms, true
	ends := map[wire.Tag]bool{}
	for _, t := range a.Swap.End {
		ends[t] = true
	}
	for _, c := range e.lg.cursors {
		if ends[c.Tag] && c.End == nil {
			n := c.change()
			n.End = &ending{Seq: e.rec.Head, Chain: s.chain}
			e.put(n)
		}
	}
	if len(a.Swap.Add) > 0 {
		// Held until the edit is committed, which the caller does under the log's lock.
		e.l.secrets.Lock()
		e.unlock = e.l.secrets.Unlock
		if err := e.l.addAll(e, a.Swap.Add, ms); err != nil {
			return err
		}
	}
	if err := e.erase(); err != nil {
		return err
	}
	s.did = wire.Marshal(wire.Did{Next: a.Swap.Next, Added: a.Swap.Add, Ended: a.Swap.End, By: by.Tag})
	return nil
}
