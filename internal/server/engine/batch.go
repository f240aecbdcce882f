package engine

import (
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Batch collects changes that Commit applies all or none. One goroutine uses it.
type Batch struct {
	b       *pebble.Batch
	gen     uint64
	shrinks bool
	touched []span
}

// NewBatch makes an empty batch. After a failed write it first tries to open the
// database anew, so that batches succeed again once there is room.
func (db *DB) NewBatch() *Batch {
	in := db.use()
	failed := in.fence.failure() != nil
	in.users.Done()
	if failed {
		db.heal()
	}
	in = db.use()
	defer in.users.Done()
	return &Batch{b: in.p.NewBatch(), gen: in.gen}
}

// Generation is the database's generation when the batch was made. Commit refuses a
// batch of an earlier generation.
func (b *Batch) Generation() uint64 { return b.gen }

// Set writes value under key.
func (b *Batch) Set(key, value []byte) { must(b.b.Set(key, value, nil)) }

// SetBuilt writes under key a value of n bytes, which build appends to an empty slice of
// that room: the value is made in its place and not copied there.
func (b *Batch) SetBuilt(key []byte, n int, build func([]byte) []byte) {
	op := b.b.SetDeferred(len(key), n)
	copy(op.Key, key)
	if made := build(op.Value[:0:n]); len(made) != n || n > 0 && &made[0] != &op.Value[0] {
		panic("engine: a value of another length was built")
	}
	must(op.Finish())
}

// Delete erases key.
func (b *Batch) Delete(key []byte) {
	b.touch(neighbourhood(key))
	must(b.b.Delete(key, nil))
}

// DeleteRange erases the keys in [lower, upper).
func (b *Batch) DeleteRange(lower, upper []byte) {
	s := neighbourhood(lower)
	if string(upper) > s.upper {
		s.upper = string(upper)
	}
	b.touch(s)
	must(b.b.DeleteRange(lower, upper, nil))
}

// Shrinks marks a batch that makes room, or that makes room possible: it is taken
// when the disk is nearly full.
func (b *Batch) Shrinks() { b.shrinks = true }

// Empty says whether nothing was put into the batch.
func (b *Batch) Empty() bool { return b.b.Empty() }

// Drop frees a batch that will not be committed.
func (b *Batch) Drop() { _ = b.b.Close() }

func (b *Batch) touch(s span) {
	if n := len(b.touched); n > 0 && b.touched[n-1] == s {
		return
	}
	b.touched = append(b.touched, s)
}

// must: a batch refuses nothing but use after it is spent.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Commit applies the batch at once and visibly. Wait returns when it is durable, and
// everything committed before it: the fsync is shared by everybody who commits
// meanwhile. Both refuse with CodeStorageFull when the disk is full or failing; then
// the batch may have been written all the same, and the next generation knows. The
// batch is spent either way.
func (db *DB) Commit(b *Batch) (wait func() error, err error) {
	in := db.use()
	defer in.users.Done()
	if in.gen != b.gen || in.fence.failure() != nil {
		b.Drop()
		return nil, ErrStorage()
	}
	if !db.room(int64(b.b.Len()), b.shrinks) {
		b.Drop()
		return nil, ErrStorage()
	}
	if len(b.touched) > 0 {
		// Held until the batch is applied, so that a sweep that sees the mark also
		// sees the deletion.
		db.sweeps.gate.RLock()
		defer db.sweeps.gate.RUnlock()
		db.sweeps.mark(db, b)
	}
	if db.o.ByHand {
		return db.commitByHand(in, b)
	}
	if err := in.p.ApplyNoSyncWait(b.b, pebble.Sync); err != nil {
		in.fence.fail(err)
		return nil, ErrStorage()
	}
	return func() error {
		err := b.b.SyncWait()
		if err != nil {
			in.fence.fail(err)
		}
		if in.fence.failure() != nil {
			return ErrStorage()
		}
		return b.b.Close()
	}, nil
}

// CommitWait is Commit and wait in one.
func (db *DB) CommitWait(b *Batch) error {
	wait, err := db.Commit(b)
	if err != nil {
		return err
	}
	return wait()
}

// commitByHand is Commit whose fsync begins when it is waited for. It covers all that
// was committed before, as a log does.
func (db *DB) commitByHand(in *instance, b *Batch) (wait func() error, err error) {
	if err := in.p.Apply(b.b, pebble.NoSync); err != nil {
		in.fence.fail(err)
		return nil, ErrStorage()
	}
	return func() error {
		if in.fence.failure() == nil {
			if err := in.p.LogData(nil, pebble.Sync); err != nil {
				in.fence.fail(err)
			}
		}
		if in.fence.failure() != nil {
			return ErrStorage()
		}
		return b.b.Close()
	}, nil
}

// Settle returns when the database does nothing in the background, and what was committed
// has been handed to the disk, so that a simulator finds the same files each time.
func (db *DB) Settle() {
	in := db.use()
	defer in.users.Done()
	for {
		m := in.p.Metrics()
		if m.Flush.NumInProgress == 0 && m.Compact.NumInProgress == 0 {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	in.p.TestOnlyWaitForCleaning()
}
