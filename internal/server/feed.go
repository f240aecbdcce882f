package server

import (
	"sync"

	"sotto/internal/server/logs"
	"sotto/internal/wire"
)

// turnBytes is how much of one log is sent before the next one has its turn.
const turnBytes = 64 << 10

// feed brings the entries of watched cursors to one connection: rooms take turns, the
// client's credit bounds what is under way, and a connection that does not read is
// fed nothing. One goroutine runs it while there is something to bring.
type feed struct {
	s *Session

	mu      sync.Mutex
	closed  bool
	credit  int64
	watched map[uint32]*watched
	turn    []*watched // those with something to bring, each once
	running bool
}

// watched is one cursor; it is the logs.Watcher of it. Its fields are the feed's.
type watched struct {
	f     *feed
	ref   uint32
	watch *logs.Watch
	state watchState
	due   bool      // stands in turn
	over  wire.Code // what Ended said; told when nothing is being taken
	busy  bool      // its entries are being taken
}

type watchState uint8

const (
	opening watchState = iota // the answer to OpWatch is not sent yet
	open
	gone // replaced, unwatched or ended: nothing more is told
)

// Ready implements logs.Watcher.
func (w *watched) Ready(uint32) {
	w.f.mu.Lock()
	w.f.enqueue(w)
	start := w.f.start()
	w.f.mu.Unlock()
	if start {
		w.f.s.srv.spawn(w.f.pump)
	}
}

// Signal implements logs.Watcher. A connection that does not keep up misses signals.
func (w *watched) Signal(_ uint32, payload []byte) {
	w.f.mu.Lock()
	ok := w.state == open && !w.f.closed
	w.f.mu.Unlock()
	if ok && !w.f.s.clogged() {
		w.f.s.event(wire.EventSignal, wire.SignalEvent{Ref: w.ref, Payload: payload})
	}
}

// Ended implements logs.Watcher.
func (w *watched) Ended(_ uint32, code wire.Code) {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	w.over = code
	w.f.tell(w)
}

// tell ends a watch towards the client, unless its last entries are on their way or
// its beginning was not told yet. Holds mu.
func (f *feed) tell(w *watched) {
	if w.over == wire.OK || w.busy || w.state != open || f.closed {
		return
	}
	w.state = gone
	if f.watched[w.ref] == w {
		delete(f.watched, w.ref)
	}
	f.s.event(wire.EventEnded, wire.EndedEvent{Ref: w.ref, Code: w.over})
}

// enqueue gives w a turn. Holds mu.
func (f *feed) enqueue(w *watched) {
	if w.state == open && !w.due && !f.closed {
		w.due = true
		f.turn = append(f.turn, w)
	}
}

// start says whether the caller must run pump. Holds mu.
func (f *feed) start() bool {
	if f.running || f.closed || len(f.turn) == 0 || f.credit <= 0 || f.s.clogged() {
		return false
	}
	f.running = true
	return true
}

func (f *feed) run() {
	f.mu.Lock()
	start := f.start()
	f.mu.Unlock()
	if start {
		f.s.srv.spawn(f.pump)
	}
}

func (s *Session) clogged() bool {
	return uint64(s.out.Queued()) > s.srv.policy.Load().limits.QueueBytesPerConnection
}

// pump gives turns until nothing is due, the credit is spent or the connection is full.
func (f *feed) pump() {
	for {
		f.mu.Lock()
		f.running = false
		if !f.start() {
			if len(f.turn) == 0 {
				f.turn = nil
			}
			f.mu.Unlock()
			return
		}
		w := f.turn[0]
		f.turn = f.turn[1:]
		w.due = false
		if w.state != open {
			f.mu.Unlock()
			continue
		}
		w.busy = true
		share := min(f.credit, turnBytes)
		f.mu.Unlock()

		entries, err := w.watch.Next(int(share))
		spent := int64(0)
		for i := range entries {
			spent += int64(len(entries[i].Bytes))
			f.s.bring(w.ref, entries[i])
		}
		f.mu.Lock()
		f.credit -= spent
		w.busy = false
		if err != nil && w.over == wire.OK && wire.CodeOf(err) == wire.CodeInternal {
			f.s.srv.o.Log.Error("reading a log failed", "err", err)
		}
		if len(entries) > 0 {
			f.enqueue(w)
		}
		f.tell(w)
		f.mu.Unlock()
	}
}

// bring sends an entry, in parts if it is longer than one.
func (s *Session) bring(ref uint32, e wire.Entry) {
	parts := uint16(0)
	for len(e.Bytes) > wire.PartSize {
		s.event(wire.EventPart, wire.PartEvent{Ref: ref, Index: parts, Piece: e.Bytes[:wire.PartSize]})
		e.Bytes = e.Bytes[wire.PartSize:]
		parts++
	}
	s.event(wire.EventEntry, wire.EntryEvent{Ref: ref, Entry: e, Parts: parts})
}

// watch opens watches. Their first entries come after the answer.
func (s *Session) watch(id uint64, body []byte) {
	var q wire.Watch
	if err := wire.Unmarshal(body, &q); err != nil {
		s.refuse(id, err)
		return
	}
	f := &s.feed
	f.mu.Lock()
	total := len(f.watched) + len(q.Places)
	f.mu.Unlock()
	switch {
	case len(q.Places) > wire.MaxWatch:
		s.refuse(id, wire.Refuse(wire.CodeTooLarge, "watch at most %d cursors with one request", wire.MaxWatch))
		return
	case total > wire.MaxWatched:
		s.refuse(id, wire.Refuse(wire.CodeQuota, "a connection watches at most %d cursors", wire.MaxWatched))
		return
	}
	opened := make([]*watched, 0, len(q.Places))
	answer := wire.Watching{States: make([]wire.PlaceState, 0, len(q.Places))}
	for _, p := range q.Places {
		w := &watched{f: f, ref: p.Ref}
		s.stopWatch(p.Ref)
		watch, state := s.srv.logs.Watch(p, w)
		state.Ref = p.Ref
		answer.States = append(answer.States, state)
		if watch == nil {
			continue
		}
		f.mu.Lock()
		w.watch = watch
		if f.watched == nil {
			f.watched = make(map[uint32]*watched, len(q.Places))
		}
		f.watched[p.Ref] = w
		closed := f.closed
		f.mu.Unlock()
		if closed {
			watch.Close()
			return
		}
		opened = append(opened, w)
	}
	s.answer(id, answer)
	f.mu.Lock()
	f.add(q.Credit)
	for _, w := range opened {
		if w.state == opening {
			w.state = open
			f.enqueue(w)
			f.tell(w)
		}
	}
	f.mu.Unlock()
	f.run()
}

// add grants credit. Holds mu.
func (f *feed) add(bytes uint64) {
	f.credit = min(f.credit+int64(min(bytes, wire.MaxCredit)), wire.MaxCredit)
}

func (s *Session) credit(c wire.Credit) (wire.Done, error) {
	s.feed.mu.Lock()
	s.feed.add(c.Bytes)
	s.feed.mu.Unlock()
	s.feed.run()
	return wire.Done{}, nil
}

func (s *Session) unwatch(u wire.Unwatch) (wire.Done, error) {
	s.stopWatch(u.Ref)
	return wire.Done{}, nil
}

// stopWatch ends the watch of a ref, if there is one, without telling.
func (s *Session) stopWatch(ref uint32) {
	f := &s.feed
	f.mu.Lock()
	w := f.watched[ref]
	if w != nil {
		w.state = gone
		delete(f.watched, ref)
	}
	f.mu.Unlock()
	if w != nil {
		w.watch.Close()
	}
}

func (f *feed) close() {
	f.mu.Lock()
	f.closed = true
	all := f.watched
	f.watched, f.turn = nil, nil
	f.mu.Unlock()
	for _, w := range all {
		w.watch.Close()
	}
}
