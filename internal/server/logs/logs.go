package logs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// Options of a set of logs.
type Options struct {
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: discards
	// Later takes what waits for an fsync, in order; nil: a goroutine of its own runs it.
	Later func(job func())
}

// Logs is the set of all logs of one server. Safe for concurrent use.
type Logs struct {
	db     *engine.DB
	now    func() time.Time
	slog   *slog.Logger
	shards [shards]shard
	// secrets is held while cursor secrets are added, so that no two cursors of the
	// server share one. It is taken after a log's lock.
	secrets sync.Mutex
	queue   queue
	later   func(job func())
	watches atomic.Int64
}

const (
	shards = 32
	// idleLogs is how many logs without users a shard keeps in memory between ticks.
	idleLogs = 64
	// idleAfter is how long a log without users stays in memory.
	idleAfter = time.Minute
)

// shard is a part of the logs that are in memory.
type shard struct {
	mu   sync.Mutex
	logs map[wire.LogName]*log
}

// Stats counts what is in memory.
type Stats struct {
	Loaded  int // logs whose state is in memory
	Watches int // cursors watched now
}

// Open readies the logs that db holds.
func Open(db *engine.DB, o Options) (*Logs, error) {
	l := &Logs{db: db, now: o.Now, slog: o.Log}
	if l.now == nil {
		l.now = time.Now
	}
	if l.slog == nil {
		l.slog = slog.New(slog.DiscardHandler)
	}
	for i := range l.shards {
		l.shards[i].logs = map[wire.LogName]*log{}
	}
	if l.later = o.Later; l.later == nil {
		l.queue.start()
		l.later = l.queue.put
	}
	return l, nil
}

// Close ends all watches without telling their watchers and waits for appends under
// way. The engine stays open. Nobody may use l meanwhile or afterwards.
func (l *Logs) Close() error {
	l.queue.stop()
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for _, lg := range s.logs {
			lg.mu.Lock()
			for _, c := range lg.cursors {
				if c.watch != nil {
					c.watch.closed = true
					c.watch = nil
					l.watches.Add(-1)
				}
			}
			lg.mu.Unlock()
		}
		clear(s.logs)
		s.mu.Unlock()
	}
	return nil
}

// Stats counts what is in memory now.
func (l *Logs) Stats() Stats {
	st := Stats{Watches: int(l.watches.Load())}
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		st.Loaded += len(s.logs)
		s.mu.Unlock()
	}
	return st
}

// Totals counts all logs, in memory or not.
type Totals struct {
	Logs    uint64
	Entries uint64 // that stand
	Bytes   uint64 // of them
}

// Totals counts what stands. It reads two rows of each log, and is for an operator who
// asks now and then; what is appended meanwhile may be counted or not.
func (l *Logs) Totals() (Totals, error) {
	var t Totals
	from, end := []byte(logPrefix), []byte{logPrefix[0], logPrefix[1] + 1}
	for from != nil {
		var name wire.LogName
		var rec record
		found := false
		err := l.db.Scan(from, end, func(k, v []byte) (bool, error) {
			// A log's record is the first of its keys.
			if copy(name[:], k[len(logPrefix):]); string(k) != string(logKey(name, kindRecord)) {
				return false, fmt.Errorf("%w: a log without a record", wire.ErrMalformed)
			}
			found = true
			return false, wire.Unmarshal(v, &rec)
		})
		if err != nil || !found {
			return t, err
		}
		if err := l.catchUp(name, &rec); err != nil {
			return t, err
		}
		t.Logs, t.Entries, t.Bytes = t.Logs+1, t.Entries+rec.count(), t.Bytes+rec.Size-rec.Erased
		from = logKey(name, "\xff")
	}
	return t, nil
}

func (l *Logs) shard(name wire.LogName) *shard { return &l.shards[name[0]%shards] }

// acquire pins the log's state in memory and locks it. The caller calls unlock and
// then, when it needs the log no more, release.
func (l *Logs) acquire(name wire.LogName) *log {
	s := l.shard(name)
	s.mu.Lock()
	lg := s.logs[name]
	if lg == nil {
		lg = &log{name: name}
		s.logs[name] = lg
	}
	lg.pins++
	s.mu.Unlock()
	lg.mu.Lock()
	return lg
}

// release gives up a pin. A log that nobody pins leaves the memory when it does not
// exist or when there are many.
func (l *Logs) release(lg *log) {
	s := l.shard(lg.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	lg.pins--
	lg.used = l.now()
	if lg.pins == 0 && lg.settled(l.db.Generation()) && (!lg.exists || len(s.logs) > idleLogs) {
		s.drop(lg)
	}
}

// drop forgets a log without pins. Called with s.mu held.
func (s *shard) drop(lg *log) {
	if s.logs[lg.name] == lg {
		delete(s.logs, lg.name)
	}
}

// forgetIdle drops the logs that nobody used for a while.
func (l *Logs) forgetIdle(now time.Time) {
	gen := l.db.Generation()
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for _, lg := range s.logs {
			if lg.pins == 0 && lg.settled(gen) && now.Sub(lg.used) >= idleAfter {
				s.drop(lg)
			}
		}
		s.mu.Unlock()
	}
}

// find is the log and cursor that a secret opens; false for one that opens nothing.
// The caller checks the answer against the log's state (log.cursor).
func (l *Logs) find(secret wire.Secret) (wire.LogName, uint32, bool, error) {
	var name wire.LogName
	var id uint32
	v, ok, err := l.db.Get(secretKey(secret.Hash()))
	if err != nil || !ok || len(v) != len(name)+4 {
		return name, 0, false, err
	}
	copy(name[:], v)
	id = uint32(v[16])<<24 | uint32(v[17])<<16 | uint32(v[18])<<8 | uint32(v[19])
	return name, id, true, nil
}

// use is open for somebody who reads: it notes that the cursor is in use.
func (l *Logs) use(secret wire.Secret) (*log, *cursor, error) {
	lg, c, err := l.open(secret)
	if err != nil {
		return nil, nil, err
	}
	if c = l.used(lg, c); c == nil || !equal(c.Hash, secret.Hash()) {
		lg.unlock()
		l.release(lg)
		return nil, nil, errNoCursor()
	}
	return lg, c, nil
}

// open finds the cursor that a secret opens and returns its log, pinned and locked.
// The error is CodeNoCursor whatever was wrong with the secret.
func (l *Logs) open(secret wire.Secret) (*log, *cursor, error) {
	name, id, ok, err := l.find(secret)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, errNoCursor()
	}
	lg := l.acquire(name)
	if err := l.fresh(lg, l.db.Generation()); err != nil {
		lg.unlock()
		l.release(lg)
		return nil, nil, err
	}
	c := lg.cursor(id, secret)
	if c == nil {
		lg.unlock()
		l.release(lg)
		return nil, nil, errNoCursor()
	}
	return lg, c, nil
}

func (l *Logs) warn(what string, err error) {
	l.slog.LogAttrs(context.Background(), slog.LevelWarn, what, slog.Any("err", err))
}

func errNoCursor() error {
	return wire.Refuse(wire.CodeNoCursor, "the server knows no such place in a conversation")
}

func errNoLog() error {
	return wire.Refuse(wire.CodeNoLog, "this conversation's log is not here any more")
}

func errStale() error {
	return wire.Refuse(wire.CodeStaleToken, "the conversation has moved on: read the newest entries first")
}

func millis(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) }
