package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/goleak"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, fs vfs.FS) *engine.DB {
	t.Helper()
	db, err := engine.Open(engine.Options{Dir: "data", FS: fs, ByHand: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func set(t testing.TB, db *engine.DB, key string, value []byte) {
	t.Helper()
	if err := put(db, key, value); err != nil {
		t.Fatal(err)
	}
}

func put(db *engine.DB, key string, value []byte) error {
	b := db.NewBatch()
	b.Set([]byte(key), value)
	return db.CommitWait(b)
}

func remove(t testing.TB, db *engine.DB, key string) {
	t.Helper()
	b := db.NewBatch()
	b.Delete([]byte(key))
	if err := db.CommitWait(b); err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, db *engine.DB, key, value string) {
	t.Helper()
	got, ok, err := db.Get([]byte(key))
	if err != nil || ok != (value != "") || string(got) != value {
		t.Fatalf("Get(%q) = %.40q, %v, %v; want %.40q", key, got, ok, err, value)
	}
}

func secret(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

// standing names the files that hold the needle.
func standing(t testing.TB, fs vfs.FS, needle []byte) (in []string) {
	t.Helper()
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := fs.Open(fs.PathJoin("data", name))
		if errors.Is(err, os.ErrNotExist) {
			continue // used up by a compaction since, and removed in the background
		}
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(all, needle) {
			in = append(in, name)
		}
	}
	return in
}

func TestReadsWhatWasCommitted(t *testing.T) {
	fs := vfs.NewMem()
	db := open(t, fs)
	for i := range 10 {
		set(t, db, fmt.Sprintf("k%d", i), fmt.Append(nil, i))
	}
	b := db.NewBatch()
	b.DeleteRange([]byte("k3"), []byte("k8"))
	if err := db.CommitWait(b); err != nil {
		t.Fatal(err)
	}
	var keys string
	if err := db.Scan([]byte("k"), nil, func(k, _ []byte) (bool, error) {
		keys += string(k)
		return len(keys) < 8, nil
	}); err != nil || keys != "k0k1k2k8" {
		t.Fatal(keys, err)
	}
	var last string
	found, err := db.Last([]byte("k"), []byte("k9"), func(k, _ []byte) error { last = string(k); return nil })
	if !found || err != nil || last != "k8" {
		t.Fatal(found, err, last)
	}
	want(t, db, "k9", "9")
	want(t, db, "k5", "")
	b = db.NewBatch()
	for _, v := range []string{"", "built"} {
		b.SetBuilt([]byte("b"+v), len(v), func(dst []byte) []byte { return append(dst, v...) })
	}
	if err := db.CommitWait(b); err != nil {
		t.Fatal(err)
	}
	want(t, db, "bbuilt", "built")
	if _, ok, err := db.Get([]byte("b")); !ok || err != nil {
		t.Fatal("an empty value was not built", err)
	}
}

func TestOpensAgain(t *testing.T) {
	fs := vfs.NewMem()
	for i := range 3 {
		db, err := engine.Open(engine.Options{Dir: "data", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		set(t, db, fmt.Sprint(i), []byte("x"))
		want(t, db, "0", "x")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	db, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := engine.Open(engine.Options{Dir: dir}); err == nil {
		t.Fatal("opened twice")
	}
}

func TestSweepErasesFromEveryFile(t *testing.T) {
	gone, kept := secret(1, 600), secret(2, 600)
	for _, levels := range []int{0, 1, 3} { // sweeps between writing and deleting
		t.Run(fmt.Sprint(levels), func(t *testing.T) {
			fs := vfs.NewMem()
			db := open(t, fs)
			name := "Lo0123456789abcdef"
			set(t, db, name+"a", gone)
			set(t, db, name+"b", kept)
			set(t, db, "Lo0123456789xxxxxx", kept)
			for i := range levels {
				set(t, db, fmt.Sprint("Lz", i), gone[:10])
				remove(t, db, fmt.Sprint("Lz", i))
				if err := db.Sweep(); err != nil {
					t.Fatal(err)
				}
			}
			if len(standing(t, fs, gone)) == 0 {
				t.Fatal("the scan does not find what stands")
			}
			remove(t, db, name+"a")
			if err := db.Sweep(); err != nil {
				t.Fatal(err)
			}
			if in := standing(t, fs, gone); len(in) > 0 {
				t.Fatalf("erased bytes stand in %v", in)
			}
			want(t, db, name+"b", string(kept))
		})
	}
}

func TestSweepRemembersAcrossARestart(t *testing.T) {
	fs := vfs.NewMem()
	gone := secret(1, 600)
	db := open(t, fs)
	set(t, db, "Lo0123456789abcdefg", gone)
	remove(t, db, "Lo0123456789abcdefg")
	clone := vfs.NewMem()
	if ok, err := vfs.Clone(fs, clone, "data", "data"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	again := open(t, clone)
	if err := again.Sweep(); err != nil {
		t.Fatal(err)
	}
	if in := standing(t, clone, gone); len(in) > 0 {
		t.Fatalf("erased bytes stand in %v", in)
	}
}

func TestSweepsOnItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		db, err := engine.Open(engine.Options{Dir: "data", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		gone := secret(1, 600)
		set(t, db, "Lo0123456789abcdefg", gone)
		remove(t, db, "Lo0123456789abcdefg")
		time.Sleep(wire.ErasedWithin)
		synctest.Wait()
		if in := standing(t, fs, gone); len(in) > 0 {
			t.Errorf("erased bytes stand in %v", in)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSweepOfALargeDatabase(t *testing.T) {
	fs := vfs.NewMem()
	db := open(t, fs)
	var all [][]byte
	for i := range 400 {
		v := secret(uint64(i), 100_000)
		all = append(all, v[:64])
		set(t, db, fmt.Sprintf("Lo%016dx", i), v)
	}
	for i := 0; i < 400; i += 2 {
		remove(t, db, fmt.Sprintf("Lo%016dx", i))
	}
	if err := db.Sweep(); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 400; i += 20 {
		if in := standing(t, fs, all[i]); len(in) > 0 {
			t.Fatalf("%d stands in %v", i, in)
		}
		if in := standing(t, fs, all[i+1]); len(in) == 0 {
			t.Fatalf("%d is lost", i+1)
		}
	}
}

// fault makes writes fail while it is on.
type fault struct {
	on    atomic.Bool
	match func(errorfs.Op) bool
}

func (f *fault) String() string { return "fault" }

func (f *fault) MaybeError(op errorfs.Op) error {
	if f.on.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && f.match(op) {
		return syscall.ENOSPC
	}
	return nil
}

func kinds(k ...errorfs.OpKind) func(errorfs.Op) bool {
	return func(op errorfs.Op) bool {
		for _, k := range k {
			if op.Kind == k {
				return true
			}
		}
		return false
	}
}

var faults = []struct {
	name  string
	match func(errorfs.Op) bool
}{
	{"nothing can be written", func(errorfs.Op) bool { return true }},
	{"file write", kinds(errorfs.OpFileWrite)},
	{"fsync, after the write", kinds(errorfs.OpFileSync, errorfs.OpFileSyncData)},
	{"create", kinds(errorfs.OpCreate)},
	{"write or create", kinds(errorfs.OpFileWrite, errorfs.OpCreate)},
}

// TestFailingDisk commits under load while the disk fails and works again: what was
// acknowledged is there, now and after a restart; what was refused is there or not.
func TestFailingDisk(t *testing.T) {
	for _, c := range faults {
		t.Run(c.name, func(t *testing.T) {
			mem := vfs.NewMem()
			inj := &fault{match: c.match}
			var now atomic.Int64
			db, err := engine.Open(engine.Options{Dir: "data", FS: errorfs.Wrap(mem, inj), ByHand: true,
				Now: func() time.Time { return time.Unix(now.Load(), 0) }})
			if err != nil {
				t.Fatal(err)
			}
			var acked sync.Map
			value := secret(1, 30_000)
			load := func(round int) (refused int) {
				var wg sync.WaitGroup
				var no atomic.Int64
				for w := range 8 {
					wg.Go(func() {
						for i := range 60 {
							key := fmt.Sprintf("%d-%d-%d", round, w, i)
							err := put(db, key, value)
							switch {
							case err == nil:
								acked.Store(key, true)
							case !errors.Is(err, wire.Refuse(wire.CodeStorageFull, "")):
								t.Errorf("%v", err)
							default:
								no.Add(1)
							}
							if i == 20 && w == 0 && round%2 == 1 {
								inj.on.Store(true)
							}
						}
					})
				}
				wg.Wait()
				return int(no.Load())
			}
			check := func(db *engine.DB) {
				t.Helper()
				acked.Range(func(k, _ any) bool {
					if _, ok, err := db.Get([]byte(k.(string))); !ok || err != nil {
						t.Errorf("%v is lost: %v", k, err)
						return false
					}
					return true
				})
			}
			for round := range 4 {
				refused := load(round)
				if failing := inj.on.Load(); failing && refused == 0 && c.name != "create" {
					t.Error("a failing disk refused nothing")
				} else if !failing && refused > 0 {
					t.Errorf("a good disk refused %d", refused)
				}
				check(db)
				inj.on.Store(false)
				now.Add(2)
			}
			check(db)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			check(open(t, mem))
		})
	}
}

func TestNearlyFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	db, err := engine.Open(engine.Options{Dir: "data", FS: mem, ByHand: true, Reserve: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1<<20 + 5000, TotalBytes: 1 << 30})
	full := wire.Refuse(wire.CodeStorageFull, "")
	var stored int
	for i := range 100 {
		if err = put(db, fmt.Sprint(i), make([]byte, 1000)); err != nil {
			break
		}
		stored++
		mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: uint64(1<<20 + 5000 - 1000*stored), TotalBytes: 1 << 30})
	}
	if !errors.Is(err, full) || stored == 0 {
		t.Fatal(stored, err)
	}
	b := db.NewBatch()
	b.Delete([]byte("0"))
	b.Shrinks()
	if err := db.CommitWait(b); err != nil {
		t.Fatal("a nearly full disk refuses to be emptied:", err)
	}
	want(t, db, "0", "")
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 29, TotalBytes: 1 << 30})
	set(t, db, "more", []byte("x"))
}

func TestCrashKeepsWhatWasAcknowledged(t *testing.T) {
	fs := vfs.NewCrashableMem()
	db, err := engine.Open(engine.Options{Dir: "data", FS: fs, ByHand: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		set(t, db, fmt.Sprint(i), secret(uint64(i), 5000))
		b := db.NewBatch() // not waited for: may tear
		b.Set([]byte("torn"), secret(7, 50_000))
		wait, err := db.Commit(b)
		if err != nil {
			t.Fatal(err)
		}
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50 * (i % 3), RNG: rng})
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		after, err := engine.Open(engine.Options{Dir: "data", FS: clone, ByHand: true})
		if err != nil {
			t.Fatalf("after crash %d: %v", i, err)
		}
		for j := range i + 1 {
			want(t, after, fmt.Sprint(j), string(secret(uint64(j), 5000)))
		}
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpensFast(t *testing.T) {
	dir := t.TempDir()
	start := time.Now()
	db, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("made in %v", time.Since(start))
	for i := range 2000 {
		b := db.NewBatch()
		b.Set(fmt.Append(nil, i), make([]byte, 10_000))
		if _, err := db.Commit(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	if db, err = engine.Open(engine.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	t.Logf("opened in %v", time.Since(start))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestInventoryFinds(t *testing.T) {
	inv := engine.Inventory{{Prefix: "Lo", Name: 4, Kind: "e"}, {Prefix: "Lo", Name: 4, Kind: "c"}}
	if r, ok := inv.Find([]byte("Loabcdc123")); !ok || r.Kind != "c" {
		t.Fatal(r, ok)
	}
	for _, k := range []string{"Loabcdx", "Lo", "Loabcd", "Xxabcde"} {
		if _, ok := inv.Find([]byte(k)); ok {
			t.Errorf("%q is declared", k)
		}
	}
}
