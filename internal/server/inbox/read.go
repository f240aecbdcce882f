package inbox

import (
	"sync"

	"sotto/internal/wire"
)

// Watch is somebody who waits at an inbox. Next and Close are safe for concurrent use.
type Watch struct {
	in    *Inboxes
	x     *box
	ready func()

	turn   sync.Mutex // held by the one Next at work
	pos    uint64     // guarded by the inbox's lock
	closed bool       // guarded by the inbox's lock
}

// Watch waits at an inbox for entries after a place. Ready is called without locks
// held, from any goroutine, perhaps before Watch has returned, and must not block; it
// is a hint that Next has something. An inbox may have several watches.
// Refusals: CodeCapability for an unknown inbox.
func (in *Inboxes) Watch(name wire.InboxName, after uint64, ready func()) (wire.InboxState, *Watch, error) {
	x := in.acquire(name)
	err := in.fresh(x, in.db.Generation())
	if err == nil && !x.exists {
		err = errCapability()
	}
	if err != nil {
		x.mu.Unlock()
		in.release(x)
		return wire.InboxState{}, nil, err
	}
	w := &Watch{in: in, x: x, ready: ready, pos: after}
	if x.watches == nil {
		x.watches = map[*Watch]bool{}
	}
	x.watches[w] = true
	state := wire.InboxState{Head: x.durable, Acked: x.rec.Acked}
	x.mu.Unlock()
	if after < state.Head {
		ready()
	}
	return state, w, nil
}

// watchers lists whom to tell. Called with the inbox locked.
func (x *box) watchers() (out []func()) {
	for w := range x.watches {
		out = append(out, w.ready)
	}
	return out
}

// Next takes the durable entries after the watch's place, in order, of together at
// most maxBytes, but at least one if there is one. When the inbox is gone it refuses
// with CodeCapability. After Close it gives none.
func (w *Watch) Next(maxBytes int) ([]wire.InboxEvent, error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	from, through, err := w.begin()
	if err != nil || from >= through {
		return nil, err
	}
	var out []wire.InboxEvent
	size, all := 0, true
	err = w.in.db.Scan(entryKey(w.x.name, from+1), entryKey(w.x.name, through+1), func(k, v []byte) (bool, error) {
		s, err := decodeStored(v)
		if err != nil {
			return false, err
		}
		if size += len(s.bytes); len(out) > 0 && size > maxBytes {
			all = false
			return false, nil
		}
		out = append(out, wire.InboxEvent{Seq: seqOf(k), TimeMS: s.time, Bytes: append([]byte{}, s.bytes...)})
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	w.x.mu.Lock()
	if w.pos = through; !all {
		w.pos = out[len(out)-1].Seq
	}
	w.x.mu.Unlock()
	return out, nil
}

func (w *Watch) begin() (from, through uint64, err error) {
	w.x.mu.Lock()
	defer w.x.mu.Unlock()
	if w.closed {
		return 0, 0, nil
	}
	if err := w.in.fresh(w.x, w.in.db.Generation()); err != nil {
		return 0, 0, err
	}
	if !w.x.exists {
		return 0, 0, errCapability()
	}
	return w.pos, w.x.durable, nil
}

// Close ends the watch.
func (w *Watch) Close() {
	w.x.mu.Lock()
	was := w.closed
	w.closed = true
	delete(w.x.watches, w)
	w.x.mu.Unlock()
	if !was {
		w.in.release(w.x)
	}
}
