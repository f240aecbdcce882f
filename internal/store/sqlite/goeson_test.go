package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"sotto/internal/store/sqlite"
	"sotto/internal/store/sqlite/faultfs"
)

// scene is a state of the log and the kind of transactions in which a fault strikes.
type scene struct {
	name  string
	size  int // bytes of a note
	first int // bytes of a note written before: the log's length
	each  int // a Checkpoint after so many transactions, 0 for none
	cache int // pages that SQLite keeps in memory, 0 for its own choice
}

var scenes = []scene{
	{name: "log", size: 100, first: 100},
	{name: "overflow pages", size: 9000, first: 100},
	{name: "checkpoints", size: 3000, first: 100, each: 2},
	{name: "empty log", size: 100, first: 100, each: 1},
	{name: "spills", size: 30_000, first: 100, cache: 5}, // pages reach the log before the commit
	{name: "long log", size: 9000, first: 1_985_000},     // Update makes the checkpoint itself
}

// stride is how many operations lie between two faults; a large database takes long.
func (s scene) stride(n int) int {
	switch {
	case s.cache > 0:
		return 3 * stride()
	case s.first < 1e6:
		return stride()
	case n < 50:
		return 6 + stride()
	}
	return 200 * stride() // in the checkpoint
}

// owner is who uses a database as the client does: after ErrUnknown she opens it again.
type owner struct {
	t       *testing.T
	scene   scene
	disk    *faultfs.Disk
	db      *sqlite.DB
	kept    []int64 // the notes of the transactions that are there
	last    int64   // the note of the last transaction, refused or not
	refused int
	unknown int
}

// newOwner opens a database on an empty disk and leaves a first note in its log.
func newOwner(t *testing.T, s scene, seed uint64) *owner {
	o := &owner{t: t, scene: s, disk: faultfs.New(seed)}
	o.db = migrated(t, o.disk)
	o.limit()
	if err := o.add(s.first); err != nil {
		t.Fatal(err)
	}
	o.kept = append(o.kept, o.last)
	return o
}

// limit makes the database's cache small, where the scene asks for it.
func (o *owner) limit() {
	if o.scene.cache > 0 {
		exec(o.t, o.db, fmt.Sprintf(`PRAGMA cache_size = %d`, o.scene.cache))
	}
}

// add runs one transaction, a note of its own with a part.
func (o *owner) add(size int) error {
	o.last++
	return o.db.Update(func(tx *sqlite.Tx) error {
		if err := tx.Exec(`INSERT INTO note VALUES (?, ?)`, o.last, bytes.Repeat([]byte{byte(o.last)}, size)); err != nil {
			return err
		}
		return tx.Exec(`INSERT INTO part VALUES (?, 1)`, o.last)
	})
}

// write runs one transaction and takes note of its fate. A refused one is nowhere: not
// for this process, and not for one that finds everything on the disk that was written.
func (o *owner) write() {
	o.t.Helper()
	err := o.add(o.scene.size)
	switch {
	case err == nil:
		o.kept = append(o.kept, o.last)
	case errors.Is(err, sqlite.ErrUnknown):
		o.unknown++
		if err := o.db.View(func(*sqlite.Tx) error { return nil }); !errors.Is(err, sqlite.ErrUnknown) {
			o.t.Fatalf("unknown, and then: %v", err)
		}
		o.reopen()
		return
	default:
		o.refused++
	}
	o.power()
	if err != nil {
		o.disk.Relieve()
		o.there(o.disk.Clone(), "in a copy, after a refusal")
	}
	o.same(o.db, "at once")
}

// checkpoint empties the log, or does not: nothing is lost by that.
func (o *owner) checkpoint() {
	o.t.Helper()
	_ = o.db.Checkpoint()
	o.power()
	o.disk.Relieve()
	o.same(o.db, "after a checkpoint")
}

// power starts the machine again when the power went.
func (o *owner) power() {
	o.t.Helper()
	if o.disk.Crashed() {
		o.reopen()
	}
}

// reopen closes the database and opens it again, by and by: opening may fail too. The
// last transaction may be there then, if nobody knew; all earlier ones are as they were.
func (o *owner) reopen() {
	o.t.Helper()
	o.db.Close()
	for tries := 0; ; tries++ {
		if o.disk.Crashed() {
			o.disk = o.disk.Restart()
		}
		o.disk.Relieve()
		db, err := sqlite.Open(sqlite.Options{Path: "sotto.db", Key: testKey, FS: o.disk})
		if err == nil {
			o.db = db
			break
		}
		if tries == 10 {
			o.t.Fatal(err)
		}
	}
	o.limit()
	if got := notes(o.t, o.db); o.kept[len(o.kept)-1] != o.last && slices.Contains(got, o.last) {
		o.kept = append(o.kept, o.last)
	}
	o.same(o.db, "opened again")
}

// notes are the notes that have their part.
func notes(t testing.TB, db *sqlite.DB) (ids []int64) {
	t.Helper()
	err := db.View(func(tx *sqlite.Tx) error {
		return tx.Query(`SELECT id FROM note JOIN part ON note = id ORDER BY id`, func(r *sqlite.Row) error {
			ids = append(ids, r.Int(0))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// same checks that a database holds what was acknowledged, and nothing else.
func (o *owner) same(db *sqlite.DB, when string) {
	o.t.Helper()
	if got := notes(o.t, db); !slices.Equal(got, o.kept) {
		o.t.Fatalf("%s: it holds %v, and should hold %v", when, got, o.kept)
	}
}

// there checks the same of a disk, and every page of it.
func (o *owner) there(d *faultfs.Disk, when string) {
	o.t.Helper()
	db := open(o.t, d)
	defer db.Close()
	o.same(db, when)
	if err := db.Check(); err != nil {
		o.t.Fatalf("%s: %v", when, err)
	}
}

// suffers lets the disk fail from its n-th operation on while transactions run, and
// says whether it came to that. When the disk is well again, so is the database: at
// most one transaction was refused for each fault, and none is from here on.
func (o *owner) suffers(n int, kinds []faultfs.Kind) bool {
	o.t.Helper()
	before := o.disk.Ops()
	old := o.disk
	old.Inject(n, kinds...)
	for i := range 4 {
		o.write()
		if o.scene.each > 0 && i%o.scene.each == 0 {
			o.checkpoint()
		}
	}
	struck := old.Ops()-before >= n
	o.disk.Inject(0)
	o.disk.Relieve()
	faults := 0
	for _, k := range kinds {
		if k != faultfs.None {
			faults++
		}
	}
	if o.refused+o.unknown > faults {
		o.t.Fatalf("%d faults, but %d refused and %d unknown", faults, o.refused, o.unknown)
	}
	for range 3 {
		if err := o.add(o.scene.size); err != nil {
			o.t.Fatalf("the disk is well, the database not: %v", err)
		}
		o.kept = append(o.kept, o.last)
	}
	o.there(o.disk.Clone(), "in a copy, at the end")
	o.there(o.disk.Restart(), "after a power cut, at the end")
	o.db.Close()
	return struck
}

// TestGoesOn lets each operation of some transactions fail, in each way and in each
// state of the log. The database answers one error for one fault and then goes on, or
// says at once that it must be opened again; it is never stuck.
func TestGoesOn(t *testing.T) {
	kinds := []faultfs.Kind{faultfs.Fail, faultfs.Lie, faultfs.Full, faultfs.Crash}
	for _, s := range scenes {
		for _, kind := range kinds {
			t.Run(fmt.Sprintf("%s/%d", s.name, kind), func(t *testing.T) {
				n, refused, unknown := 1, 0, 0
				for {
					o := newOwner(t, s, uint64(n))
					if !o.suffers(n, []faultfs.Kind{kind}) {
						break
					}
					refused, unknown = refused+o.refused, unknown+o.unknown
					n += s.stride(n)
				}
				t.Logf("%d operations, %d refused, %d unknown", n, refused, unknown)
				if refused+unknown == 0 {
					t.Error("no fault was noticed")
				}
			})
		}
	}
}

// TestGoesOnAfterTwo lets a second fault strike soon after the first: while the failed
// commit is undone, or while the database is opened again.
func TestGoesOnAfterTwo(t *testing.T) {
	kinds := []faultfs.Kind{faultfs.Fail, faultfs.Lie, faultfs.Full, faultfs.Crash}
	for _, first := range kinds[:2] {
		for _, second := range kinds {
			t.Run(fmt.Sprintf("%d/%d", first, second), func(t *testing.T) {
				refused, unknown := 0, 0
				for n := 1; n <= 14; n += stride() {
					for gap := range 14 {
						o := newOwner(t, scenes[n%2*3], uint64(n)) // "log" and "empty log"
						faults := append([]faultfs.Kind{first}, make([]faultfs.Kind, gap)...)
						o.suffers(n, append(faults, second))
						refused, unknown = refused+o.refused, unknown+o.unknown
					}
				}
				t.Logf("%d refused, %d unknown", refused, unknown)
				if unknown == 0 {
					t.Error("nothing was ever unknown")
				}
			})
		}
	}
}
