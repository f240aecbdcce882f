package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"sotto/internal/store/sqlite"
	"sotto/internal/store/sqlite/faultfs"
)

const runs = 12 // transactions of one play

// thorough is whether the plays fail at every operation.
var thorough = true

// stride is how many operations lie between two failures.
func stride() int {
	if thorough && !testing.Short() {
		return 1
	}
	return 13
}

// body is what note i says: long enough for overflow pages now and then.
func body(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 40+i%5*1500) }

// play opens the database and runs the transactions that it lacks, with an erasure
// and a checkpoint now and then. done is the last one that was acknowledged.
func play(d *faultfs.Disk, from int) (done int, err error) {
	db, err := sqlite.Open(sqlite.Options{Path: "sotto.db", Key: testKey, FS: d})
	if err != nil {
		return from, err
	}
	defer db.Close()
	if err := sqlite.Migrate(db, schema); err != nil {
		return from, err
	}
	for i := from + 1; i <= runs; i++ {
		if err := db.Update(func(tx *sqlite.Tx) error { return step(tx, i) }); err != nil {
			return i - 1, err
		}
		if i%5 == 0 {
			if err := db.Checkpoint(); err != nil {
				return i, err
			}
		}
	}
	return runs, nil
}

// step is transaction i: note i and its parts come, note i-4 goes.
func step(tx *sqlite.Tx, i int) error {
	if err := tx.Exec(`INSERT INTO note VALUES (?, ?)`, i, body(i)); err != nil {
		return err
	}
	for n := range 3 {
		if err := tx.Exec(`INSERT INTO part VALUES (?, ?)`, i, n); err != nil {
			return err
		}
	}
	return tx.Exec(`DELETE FROM note WHERE id = ?`, i-4)
}

// holds reads which transaction was the last one, and checks that the database is
// exactly what the transactions up to there leave.
func holds(t testing.TB, d *faultfs.Disk) int {
	t.Helper()
	db := migrated(t, d)
	defer db.Close()
	if err := db.Check(); err != nil {
		t.Fatal(err)
	}
	last := int(count(t, db, `SELECT coalesce(max(id), 0) FROM note`))
	want := min(last, 4)
	if got := count(t, db, `SELECT count(*) FROM note WHERE id > ?`, last-4); got != int64(want) {
		t.Fatalf("%d notes of %d after transaction %d", got, want, last)
	}
	if got := count(t, db, `SELECT count(*) FROM note`); got != int64(want) {
		t.Fatalf("%d notes in all, not %d, after transaction %d", got, want, last)
	}
	if got := count(t, db, `SELECT count(*) FROM part`); got != int64(3*want) {
		t.Fatalf("%d parts, not %d, after transaction %d", got, 3*want, last)
	}
	for i := max(1, last-3); i <= last; i++ {
		if count(t, db, `SELECT count(*) FROM note WHERE id = ? AND body = ?`, i, body(i)) != 1 {
			t.Fatalf("note %d is not what was written", i)
		}
	}
	return last
}

// TestPowerCut cuts the power at every write, sync and truncation of the play, in
// several kinds of weather; every acknowledged transaction must be there afterwards,
// the one under way whole or not at all, and the play must go on to its end.
func TestPowerCut(t *testing.T) {
	calm := faultfs.New(0)
	if done, err := play(calm, 0); err != nil || done != runs {
		t.Fatal(done, err)
	}
	total := calm.Ops()
	t.Logf("%d operations", total)
	for n := 1; n <= total; n += stride() {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%d/%d", n, seed), func(t *testing.T) {
				d := faultfs.New(seed*1000 + uint64(n))
				d.Inject(n, faultfs.Crash)
				done, err := play(d, 0)
				if !d.Crashed() || err == nil && done != runs {
					t.Fatalf("no crash: %v", err)
				}
				d = d.Restart()
				last := holds(t, d)
				if last != done && last != done+1 {
					t.Fatalf("transaction %d was acknowledged, %d is the last one there", done, last)
				}
				if done, err := play(d, last); err != nil || done != runs {
					t.Fatalf("it does not go on: %d, %v", done, err)
				}
				if last := holds(t, d); last != runs {
					t.Fatalf("at the end %d", last)
				}
			})
		}
	}
}

// TestDiskErrors lets one operation of the play fail, in each way. A failed Update
// has changed nothing, neither for this process nor for one that starts after a power
// cut in the worst moment; or it says ErrUnknown, and opening again tells.
func TestDiskErrors(t *testing.T) {
	calm := faultfs.New(0)
	play(calm, 0)
	total, unknown, undone := calm.Ops(), 0, 0
	for _, kind := range []faultfs.Kind{faultfs.Fail, faultfs.Lie, faultfs.Full} {
		for n := 1; n <= total; n += stride() {
			d := faultfs.New(uint64(n))
			d.Inject(n, kind)
			done, err := play(d, 0)
			if err == nil {
				continue // in a checkpoint that could wait, or in Close
			}
			if kind == faultfs.Full && !errors.Is(err, sqlite.ErrFull) && !errors.Is(err, sqlite.ErrUnknown) {
				t.Errorf("kind %d at %d: a full disk answered %v", kind, n, err)
			}
			d.Relieve()
			last := holds(t, d.Restart())
			switch {
			case last == done:
				undone++
			case last == done+1 && errors.Is(err, sqlite.ErrUnknown):
				unknown++
			default:
				t.Errorf("kind %d at %d: %d acknowledged, then %v, and %d there", kind, n, done, err, last)
			}
			d.Relieve()
		}
	}
	t.Logf("%d failures undone, %d unknown", undone, unknown)
}

// TestCommitSaidError is the case that Update's comment tells of: all frames of a
// commit are written, the sync says error, and the power goes at once.
func TestCommitSaidError(t *testing.T) {
	hit := 0
	for n := 1; n < 60; n++ {
		d := faultfs.New(uint64(n))
		db := migrated(t, d)
		d.Inject(n, faultfs.Lie)
		err := db.Update(func(tx *sqlite.Tx) error { return step(tx, 1) })
		if err == nil {
			db.Close()
			break
		}
		hit++
		if errors.Is(err, sqlite.ErrUnknown) {
			t.Errorf("at %d: %v", n, err)
		}
		if last := holds(t, d.Clone()); last != 0 { // everything written is kept
			t.Errorf("at %d the failed transaction is there", n)
		}
		if last := holds(t, d.Restart()); last != 0 {
			t.Errorf("at %d the failed transaction is there after a power cut", n)
		}
	}
	if hit < 5 {
		t.Errorf("only %d operations failed", hit)
	}
}

// TestGoesOnAfterFull: a full disk refuses, and works again when there is space.
func TestGoesOnAfterFull(t *testing.T) {
	d := faultfs.New(3)
	db := migrated(t, d)
	exec(t, db, `INSERT INTO note VALUES (1, 'a')`)
	d.Inject(1, faultfs.Full)
	refused := 0
	for i := range 50 {
		err := db.Update(func(tx *sqlite.Tx) error { return tx.Exec(`INSERT INTO note VALUES (?, ?)`, 100+i, body(4)) })
		if errors.Is(err, sqlite.ErrFull) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("a full disk took everything")
	}
	d.Relieve()
	if errors.Is(db.View(func(*sqlite.Tx) error { return nil }), sqlite.ErrUnknown) {
		db.Close()
		db = migrated(t, d)
	}
	exec(t, db, `INSERT INTO note VALUES (2, 'b')`)
	if got := count(t, db, `SELECT count(*) FROM note`); got != int64(2+50-refused) {
		t.Errorf("%d notes, %d refused", got, refused)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestUnknown: a disk that goes away in a commit leaves nothing to undo with. The DB
// says so from then on, and opening it again shows one of the two.
func TestUnknown(t *testing.T) {
	for n := 1; n < 10; n++ {
		d := faultfs.New(uint64(n))
		db := migrated(t, d)
		d.Inject(n, faultfs.Crash)
		err := db.Update(func(tx *sqlite.Tx) error { return step(tx, 1) })
		if !errors.Is(err, sqlite.ErrUnknown) {
			t.Errorf("at %d: %v", n, err)
		}
		if err := db.View(func(*sqlite.Tx) error { return nil }); !errors.Is(err, sqlite.ErrUnknown) {
			t.Errorf("afterwards: %v", err)
		}
		if err := db.Checkpoint(); !errors.Is(err, sqlite.ErrUnknown) {
			t.Errorf("afterwards: %v", err)
		}
		db.Close()
		if last := holds(t, d.Restart()); last != 0 && last != 1 {
			t.Errorf("at %d: %d there", n, last)
		}
	}
}
