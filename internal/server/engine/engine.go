// Package engine is the server's ordered key-value store: one Pebble database in one
// directory, with a durable group commit, and with an erasure that means every file.
//
// The packages beside it keep their nouns in it, under the prefixes that the rows of
// their Inventory declare. It must never know what the bytes are.
//
// Three things differ from bare Pebble. A write that fails ends nothing but the
// commits under way (fence.go, heal.go). What is deleted leaves every file within
// wire.ErasedWithin (sweep.go). A nearly full disk refuses what would fill it and
// takes what empties it (room.go).
package engine

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/wire"
)

// Options of a database.
type Options struct {
	Dir string
	FS  vfs.FS           // nil: the disk
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: discards
	// Reserve is how many bytes of the disk stay free: a commit that would use them
	// is refused, one that shrinks the database may use three quarters of them.
	// 0: 64 MiB.
	Reserve uint64
	// ByHand lets nothing happen by itself, for a simulator: the owner calls Sweep, and
	// a commit reaches the disk in its wait and not at a moment of the disk's own.
	ByHand bool
}

// DB is an open database. Safe for concurrent use.
type DB struct {
	o    Options
	lock io.Closer // of the directory

	mu  sync.RWMutex // guards cur; held only to take or replace it
	cur *instance

	healing  sync.Mutex // held while a new instance opens
	nextHeal time.Time
	closing  sync.WaitGroup // instances that were replaced and close
	closed   atomic.Bool

	budget atomic.Int64 // bytes that may be committed before the disk is asked again
	sweeps sweeps
}

// instance is one opened Pebble. Users keep it from closing.
type instance struct {
	p     *pebble.DB
	fence *fence
	gen   uint64
	users sync.WaitGroup
}

// Open opens the database in o.Dir and makes it when there is none. Errors are those
// of the file system and of Pebble: another process that has it open, a full disk,
// corruption.
func Open(o Options) (*DB, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Reserve == 0 {
		o.Reserve = 64 << 20
	}
	db := &DB{o: o}
	if err := MakeDir(o.FS, o.Dir); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	lock, err := o.FS.Lock(o.FS.PathJoin(o.Dir, "LOCK"))
	if err != nil {
		return nil, fmt.Errorf("the database in %s is in use by another process, or cannot be locked: %w", o.Dir, err)
	}
	db.lock = lock
	if db.cur, err = db.open(1); err == nil {
		err = db.sweeps.recall(db)
	}
	if err != nil {
		if db.cur != nil {
			_ = db.cur.p.Close()
		}
		_ = lock.Close()
		return nil, err
	}
	return db, nil
}

// Close ends background work and closes the files. Nobody may use db meanwhile.
func (db *DB) Close() error {
	if !db.closed.CompareAndSwap(false, true) {
		return nil
	}
	db.sweeps.stop()
	db.closing.Wait()
	db.cur.users.Wait()
	err := db.cur.p.Close()
	return errors.Join(err, db.lock.Close())
}

// use takes the current instance; the caller calls users.Done.
func (db *DB) use() *instance {
	db.mu.RLock()
	defer db.mu.RUnlock()
	db.cur.users.Add(1)
	return db.cur
}

// Get reads the value under key; false when there is none. The value is the caller's.
func (db *DB) Get(key []byte) ([]byte, bool, error) {
	var out []byte
	ok, err := db.View(key, func(value []byte) error {
		out = append([]byte{}, value...)
		return nil
	})
	return out, ok, err
}

// View is Get without the copy: value is good until fn returns. The error is fn's or
// the database's.
func (db *DB) View(key []byte, fn func(value []byte) error) (bool, error) {
	in := db.use()
	defer in.users.Done()
	value, c, err := in.p.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the database: %w", err)
	}
	err = fn(value)
	return true, errors.Join(err, c.Close())
}

// Scan calls fn for each key in [lower, upper) in order until fn returns false or an
// error. Key and value are good until fn returns. An upper of nil has no bound.
func (db *DB) Scan(lower, upper []byte, fn func(key, value []byte) (more bool, err error)) error {
	in := db.use()
	defer in.users.Done()
	it, err := in.p.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return fmt.Errorf("read the database: %w", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			break // Close says it again
		}
		if more, err := fn(it.Key(), value); !more || err != nil {
			return errors.Join(err, it.Close())
		}
	}
	if err := it.Close(); err != nil {
		return fmt.Errorf("read the database: %w", err)
	}
	return nil
}

// Last calls fn for the greatest key in [lower, upper) and reports whether there is one.
func (db *DB) Last(lower, upper []byte, fn func(key, value []byte) error) (bool, error) {
	in := db.use()
	defer in.users.Done()
	it, err := in.p.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return false, fmt.Errorf("read the database: %w", err)
	}
	found := it.Last()
	if found {
		var value []byte
		if value, err = it.ValueAndErr(); err == nil {
			err = fn(it.Key(), value)
		}
	}
	return found, errors.Join(err, it.Close())
}

// Generation counts how often the database was opened anew after a failed write.
// What a caller remembers of an earlier generation may not be true: a commit that
// failed may yet have been written, and what it had made visible may be gone.
func (db *DB) Generation() uint64 {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.cur.gen
}

// Failing says that a write failed and the database could not be opened anew yet:
// reads go on, every commit is refused.
func (db *DB) Failing() bool {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.cur.fence.failure() != nil
}

// ErrStorage is what a commit answers when the disk took it not, or perhaps not.
func ErrStorage() error {
	return wire.Refuse(wire.CodeStorageFull, "the server could not store this: its disk is full or failing; try again later")
}
