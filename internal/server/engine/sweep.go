package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Sweeping. A deletion in a log-structured store only writes that something is gone:
// the bytes stay in the write-ahead log until its memtable is flushed, and in sorted
// tables until a compaction meets the deletion. A sweep flushes, compacts the places
// where something was deleted through to the lowest level, and waits until the
// obsolete files are removed.
//
// Which places those are is itself kept under the prefix "Es", so that a restart
// forgets none. A place is a neighbourhood of keys: those that share their first
// grain bytes, which is one log or one inbox.

const (
	// SweepAfter is the time from a deletion to the sweep that it starts. It leaves
	// two thirds of wire.ErasedWithin to the sweep and to retries.
	SweepAfter = 5 * time.Minute
	sweepAgain = time.Minute      // after a sweep that failed
	filesGone  = 30 * time.Second // how long a sweep waits for readers of old files

	grain       = 18
	touchPrefix = "Es"
)

// span is a range of keys, upper excluded.
type span struct{ lower, upper string }

// neighbourhood is the span of the keys that share key's first grain bytes.
func neighbourhood(key []byte) span {
	k := string(key[:min(len(key), grain)])
	return span{k, after(k)}
}

// after is the first key behind all keys that begin with k.
func after(k string) string {
	b := []byte(k)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return string(b[:i+1])
		}
	}
	return k + "\xff\xff\xff\xff"
}

// sweeps is what a DB knows of its sweeping.
type sweeps struct {
	one  sync.Mutex   // held by the sweep that runs
	gate sync.RWMutex // held shared from marking a deletion until it is applied

	mu      sync.Mutex
	touched map[string]string // lower → upper of what has to be swept
	timer   *time.Timer
	stopped bool
	running sync.WaitGroup
}

// mark notes what b deletes, in b and in memory.
func (s *sweeps) mark(db *DB, b *Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range b.touched {
		if upper, ok := s.touched[t.lower]; ok && upper >= t.upper {
			continue
		}
		s.add(t)
		b.Set([]byte(touchPrefix+t.lower), []byte(t.upper))
	}
	s.arm(db, SweepAfter)
}

func (s *sweeps) add(t span) {
	if s.touched == nil {
		s.touched = map[string]string{}
	}
	s.touched[t.lower] = max(t.upper, s.touched[t.lower])
}

// recall reads what an earlier run or generation left to be swept.
func (s *sweeps) recall(db *DB) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := db.Scan([]byte(touchPrefix), []byte(after(touchPrefix)), func(key, value []byte) (bool, error) {
		s.add(span{string(key[len(touchPrefix):]), string(value)})
		return true, nil
	})
	if len(s.touched) > 0 {
		s.arm(db, SweepAfter)
	}
	return err
}

// arm sets the timer unless it is set. Called with mu held.
func (s *sweeps) arm(db *DB, d time.Duration) {
	if s.timer != nil || s.stopped || db.o.ByHand {
		return
	}
	s.running.Add(1)
	s.timer = time.AfterFunc(d, func() {
		defer s.running.Done()
		s.mu.Lock()
		s.timer = nil
		s.mu.Unlock()
		if err := db.Sweep(); err != nil {
			db.o.Log.Warn("a sweep of erased entries failed and is tried again", slog.Any("err", err))
			s.mu.Lock()
			s.arm(db, sweepAgain)
			s.mu.Unlock()
		}
	})
}

func (s *sweeps) stop() {
	s.mu.Lock()
	s.stopped = true
	if s.timer != nil && s.timer.Stop() {
		s.running.Done()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// Sweep makes everything deleted so far leave every file now. It runs on its own
// within SweepAfter of a deletion. Errors are those of the file system; what was not
// swept stays noted.
func (db *DB) Sweep() error {
	s := &db.sweeps
	s.one.Lock()
	defer s.one.Unlock()

	s.gate.Lock()
	s.mu.Lock()
	touched := s.touched
	s.touched = nil
	s.mu.Unlock()
	s.gate.Unlock()
	if len(touched) == 0 {
		return nil
	}
	in := db.use()
	defer in.users.Done()
	err := db.sweep(in, touched)
	if err == nil {
		err = s.forget(db, touched)
	}
	if err != nil {
		s.mu.Lock()
		for lower, upper := range touched {
			s.add(span{lower, upper})
		}
		s.mu.Unlock()
	}
	return err
}

func (db *DB) sweep(in *instance, touched map[string]string) error {
	if err := in.fence.failure(); err != nil {
		return err
	}
	before, err := db.o.FS.List(db.o.Dir)
	if err != nil {
		return err
	}
	if err := in.p.Flush(); err != nil {
		return err
	}
	spans, err := gather(in.p, touched)
	if err != nil {
		return err
	}
	for _, t := range spans {
		if err := in.p.Compact(context.Background(), []byte(t.lower), []byte(t.upper), false); err != nil {
			return err
		}
	}
	if err := in.fence.failure(); err != nil {
		return err
	}
	// Again: the flush made a table that the compaction has used up since.
	made, err := db.o.FS.List(db.o.Dir)
	if err != nil {
		return err
	}
	for _, name := range made {
		if strings.HasSuffix(name, ".sst") {
			before = append(before, name)
		}
	}
	return db.gone(in.p, before)
}

// gather makes of many places few spans, without any that would rewrite a table of
// the lowest level in which nothing was touched.
func gather(p *pebble.DB, touched map[string]string) ([]span, error) {
	spans := make([]span, 0, len(touched))
	for lower, upper := range touched {
		spans = append(spans, span{lower, upper})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lower, b.lower) })
	levels, err := p.SSTables()
	if err != nil {
		return nil, err
	}
	var lowest []pebble.SSTableInfo
	if len(levels) > 0 {
		lowest = levels[len(levels)-1]
	}
	table := func(key string) int {
		i, _ := slices.BinarySearchFunc(lowest, key, func(t pebble.SSTableInfo, k string) int {
			return cmp.Compare(string(t.Largest.UserKey), k)
		})
		return i
	}
	out := spans[:0]
	for _, t := range spans {
		if n := len(out); n > 0 && table(t.lower) <= table(out[n-1].upper)+1 {
			out[n-1].upper = max(out[n-1].upper, t.upper)
			continue
		}
		out = append(out, t)
	}
	return out, nil
}

// gone waits until each of the named tables and logs is removed or, for a table, in
// use: also one that a compaction is still writing. Pebble removes files in the background and tells nobody when.
func (db *DB) gone(p *pebble.DB, before []string) error {
	for wait, waited := time.Millisecond, time.Duration(0); ; wait = min(2*wait, 100*time.Millisecond) {
		left, err := db.remaining(p, before)
		if err != nil || left == "" {
			return err
		}
		if waited > filesGone {
			return fmt.Errorf("%s is obsolete and still stands", left)
		}
		time.Sleep(wait)
		waited += wait
	}
}

// remaining names one of the files that is obsolete and still stands.
func (db *DB) remaining(p *pebble.DB, before []string) (string, error) {
	levels, err := p.SSTables()
	if err != nil {
		return "", err
	}
	live := map[string]bool{}
	for _, l := range levels {
		for _, t := range l {
			live[fmt.Sprintf("%06d.sst", uint64(t.BackingSSTNum))] = true
		}
	}
	now, err := db.o.FS.List(db.o.Dir)
	if err != nil {
		return "", err
	}
	for _, name := range before {
		obsolete := strings.HasSuffix(name, ".log") || strings.HasSuffix(name, ".sst") && !live[name]
		if obsolete && slices.Contains(now, name) {
			return name, nil
		}
	}
	return "", nil
}

// forget drops the notes of what was swept, unless something was deleted there anew.
func (s *sweeps) forget(db *DB, touched map[string]string) error {
	s.gate.Lock()
	b := db.NewBatch()
	b.Shrinks()
	s.mu.Lock()
	for lower := range touched {
		if _, again := s.touched[lower]; !again {
			must(b.b.Delete([]byte(touchPrefix+lower), nil))
		}
	}
	s.mu.Unlock()
	wait, err := db.Commit(b)
	s.gate.Unlock()
	if err != nil {
		return errors.New("the sweep could not be noted")
	}
	return wait()
}
