package logs

import (
	"sync"

	"sotto/internal/wire"
)

// Watcher is told what happens at a watched cursor. Ref is the watcher's own name for
// it. The methods are called without locks held, from any goroutine, and must not
// block; Ready is a hint that Watch.Next has something, may come more than once, and
// may come before Logs.Watch has returned.
type Watcher interface {
	Ready(ref uint32)
	Signal(ref uint32, payload []byte)
	// Ended says that the watch is over: CodeOrder when another watch took the
	// cursor, CodeCursorEnded when the cursor ended and everything it may read was
	// taken (the call of Next that finds nothing more makes it), CodeNoCursor when
	// the cursor or its log is gone.
	Ended(ref uint32, code wire.Code)
}

// Watch is a cursor that somebody watches. Next and Close are safe for concurrent use.
// It keeps its log in memory.
type Watch struct {
	l  *Logs
	lg *log
	w  Watcher

	turn sync.Mutex // held by the one Next at work; taken before the log's lock

	// Guarded by the log's lock.
	pos    uint64 // the watcher has what stands through here
	id     uint32 // of the cursor
	ref    uint32
	told   bool // Ready was called since the last Next
	closed bool
}

// Watch watches a cursor from p.After on. A cursor has one watch: an earlier one ends
// with CodeOrder. The watch is nil when the state's code is CodeNoCursor or, when the
// database cannot be read, CodeInternal.
func (l *Logs) Watch(p wire.Place, w Watcher) (*Watch, wire.PlaceState) {
	lg, c, err := l.use(p.Secret)
	if err != nil {
		return nil, wire.PlaceState{Ref: p.Ref, Code: wire.CodeOf(err)}
	}
	if c.watch != nil {
		l.end(lg, c.watch, wire.CodeOrder)
	}
	watch := &Watch{l: l, lg: lg, w: w, id: c.id, ref: p.Ref, pos: max(p.After, c.From)}
	c.watch = watch // the pin of open is the watch's now
	l.watches.Add(1)
	state := lg.state(c)
	state.Ref = p.Ref
	if watch.pos < lg.readable(c) || c.End != nil {
		lg.wakeOne(c)
	}
	lg.unlock()
	return watch, state
}

// end ends a watch that others ended, and tells its watcher. Called with the log
// locked; whoever holds the cursor takes the watch off it.
func (l *Logs) end(lg *log, w *Watch, code wire.Code) {
	if w.closed {
		return
	}
	w.closed = true
	l.watches.Add(-1)
	lg.later(func() {
		w.w.Ended(w.ref, code)
		l.release(lg)
	})
}

// Close ends the watch without telling the watcher.
func (w *Watch) Close() {
	w.lg.mu.Lock()
	if w.closed {
		w.lg.unlock()
		return
	}
	w.closed = true
	if c := w.lg.byID(w.id); c != nil && c.watch == w {
		c.watch = nil
	}
	w.l.watches.Add(-1)
	w.lg.unlock()
	w.l.release(w.lg)
}

// wake tells the watchers that have something to read.
func (lg *log) wake() {
	for _, c := range lg.cursors {
		if c.watch != nil && !c.watch.told && c.watch.pos < lg.readable(c) {
			lg.wakeOne(c)
		}
	}
}

func (lg *log) wakeOne(c *cursor) {
	w := c.watch
	w.told = true
	lg.later(func() { w.w.Ready(w.ref) })
}

// Signal hands a payload to everybody who watches the log now, and stores nothing.
// The watchers share the payload and must not change it. Refusals: CodeNoLog,
// CodeStaleToken, CodeTooLarge.
func (l *Logs) Signal(s wire.Signal) error {
	if len(s.Payload) > wire.MaxSignal {
		return wire.Refuse(wire.CodeTooLarge, "a signal of %d bytes is over the limit of %d", len(s.Payload), wire.MaxSignal)
	}
	lg := l.acquire(s.Log)
	defer l.release(lg)
	defer lg.unlock()
	if err := l.fresh(lg, l.db.Generation()); err != nil {
		return err
	}
	if !lg.exists {
		return errNoLog()
	}
	if !equal(s.Token.Hash(), lg.rec.Token) {
		return errStale()
	}
	for _, c := range lg.cursors {
		if w := c.watch; w != nil && c.End == nil {
			lg.later(func() { w.w.Signal(w.ref, s.Payload) })
		}
	}
	return nil
}
