package logs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"sotto/internal/server/engine"
	"sotto/internal/server/logs"
	"sotto/internal/server/logs/logstest"
	"sotto/internal/wire"
)

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
			continue // removed since it was listed
		} else if err != nil {
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

// TestErasedEverywhere acknowledges everything and looks for an entry's bytes in every
// file, for an entry that is still in the write-ahead log and one that is not.
func TestErasedEverywhere(t *testing.T) {
	fs := vfs.NewMem()
	w, s := world(t, fs)
	r := logstest.NewRoom(t, w, "a", "ana", "bo")
	needle := func(i int) []byte { n := logstest.Secret("needle %d", i); return n[:] }
	for i := range 4 {
		r.Say(string(needle(i)) + "1")
		if i == 1 {
			w.Logs = w.Restart() // into a table
		}
	}
	r.Acks("ana", 4)
	r.Acks("bo", 2)
	for range 2 {
		if err := s.db.Sweep(); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			if in := standing(t, fs, needle(i)); (len(in) > 0) != (i >= 2) {
				t.Errorf("entry %d stands in %v", i+1, in)
			}
		}
	}
	r.Acks("bo", 4)
	if err := s.db.Sweep(); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if in := standing(t, fs, needle(i)); len(in) > 0 {
			t.Errorf("entry %d stands in %v", i+1, in)
		}
	}
	// What time erases goes likewise, and the end of a log takes everything.
	r.Say(string(needle(9)))
	w.Clock.Pass(2 * time.Hour)
	w.Logs.Tick(w.Clock.Now())
	if err := s.db.Sweep(); err != nil {
		t.Fatal(err)
	}
	if in := standing(t, fs, needle(9)); len(in) > 0 {
		t.Errorf("an entry past its lifetime stands in %v", in)
	}
	w.Clock.Pass(wire.CursorUnclaimed)
	w.Logs.Tick(w.Clock.Now())
	if err := s.db.Sweep(); err != nil {
		t.Fatal(err)
	}
	hash := r.Of("ana").Hash()
	if in := standing(t, fs, hash[:]); len(in) > 0 {
		t.Errorf("a cursor that is gone stands in %v", in)
	}
}

// TestEverythingIsDeclared finds no key that the inventory does not declare, and one
// for each row.
func TestEverythingIsDeclared(t *testing.T) {
	w, s := world(t, vfs.NewMem())
	r := logstest.NewRoom(t, w, "a", "ana", "bo")
	r.Say("1")
	q := logstest.NewRoom(t, w, "b", "zoe")
	q.Swap("zoe", nil, []string{"zoe"})
	q.Acks("zoe", 1)
	rows := append(logs.Rows, engine.Rows...)
	found := map[string]bool{}
	err := s.db.Scan(nil, nil, func(k, _ []byte) (bool, error) {
		row, ok := rows.Find(k)
		if !ok {
			t.Errorf("key %q is not declared", k)
		}
		found[row.Prefix+row.Kind] = true
		return true, nil
	})
	if err != nil || len(found) != len(rows) {
		t.Fatal(err, found)
	}
}

// TestCrash crashes after every acknowledged change: what was acknowledged is there.
func TestCrash(t *testing.T) {
	fs := vfs.NewCrashableMem()
	w, _ := world(t, fs)
	r := logstest.NewRoom(t, w, "a", "ana", "bo")
	rng := rand.New(rand.NewPCG(3, 4))
	var chain wire.Hash
	for i := range 40 {
		var a wire.Appended
		if i%7 == 6 {
			a = r.Swap("ana", nil, nil)
		} else {
			a = r.Say(fmt.Sprint(i))
		}
		chain = a.Chain
		if i%3 == 0 {
			r.Acks("ana", a.Seq)
		}
		// Appends under way at the crash may be there or not, and are never torn.
		var wg sync.WaitGroup
		for j := range 3 {
			wg.Add(1)
			w.Logs.AppendAsync(r.Entry(), fmt.Appendf(nil, "late %d %d", i, j), func(wire.Appended, error) { wg.Done() })
		}
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 40 * (i % 3), RNG: rng})
		wg.Wait()
		after := open(t, clone, w.Clock)
		got, err := after.Read(wire.Read{Secret: r.Of("bo"), After: a.Seq - 1, Limit: 1 << 20})
		if err != nil || len(got.Entries) == 0 || got.Entries[0].Chain != chain {
			t.Fatalf("crash %d: %+v, %v", i, got, err)
		}
		last := got.Entries[len(got.Entries)-1]
		if last.Seq != got.State.Head || last.Chain != got.State.Chain {
			t.Fatalf("crash %d: head %+v, last entry %d", i, got.State, last.Seq)
		}
		next := r.Entry()
		if b, err := after.Append(next, []byte("after the crash")); err != nil || b.Seq != last.Seq+1 || b.Chain != wire.NextChain(last.Chain, b.Seq, []byte("after the crash")) {
			t.Fatal(b, err)
		}
		after.shut(t)
	}
}

// fault makes writes fail while it is on.
type fault struct {
	on    atomic.Bool
	match func(errorfs.Op) bool
}

func (*fault) String() string { return "fault" }

func (f *fault) MaybeError(op errorfs.Op) error {
	if f.on.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && f.match(op) {
		return syscall.ENOSPC
	}
	return nil
}

// TestFullDisk fills the disk under a log. Nothing acknowledged is lost, readers see
// nothing that is not durable, the same bytes sent again are there once whether or
// not they were written when the server said an error, and the log goes on.
func TestFullDisk(t *testing.T) {
	for _, c := range []struct {
		name  string
		match func(errorfs.Op) bool
	}{
		{"nothing is written", func(errorfs.Op) bool { return true }},
		{"it said error, and it was written", func(op errorfs.Op) bool {
			return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inj := &fault{match: c.match}
			w, _ := world(t, errorfs.Wrap(vfs.NewMem(), inj))
			r := logstest.NewRoom(t, w, "a", "ana", "bo")
			var ear logstest.Ear
			watch, _ := w.Logs.Watch(wire.Place{Secret: r.Of("bo")}, &ear)
			defer watch.Close()
			var want []string
			for round := range 4 {
				text := fmt.Sprint("acknowledged ", round)
				want = append(want, text)
				one := r.Say(text)
				inj.on.Store(true)
				lost := fmt.Sprint("refused ", round)
				for range 3 {
					if _, err := w.Logs.Append(r.Entry(), []byte(lost)); wire.CodeOf(err) != wire.CodeStorageFull {
						t.Fatal(err)
					}
				}
				w.Clock.Pass(wire.SwapInterval)
				if _, err := w.Logs.Append(r.Commit("ana", nil, nil), []byte("swap")); wire.CodeOf(err) != wire.CodeStorageFull {
					t.Fatal(err)
				}
				if err := w.Logs.Ack(wire.Ack{Secret: r.Of("ana"), Through: one.Seq}); wire.CodeOf(err) != wire.CodeStorageFull {
					t.Fatal(err)
				}
				if err := w.Logs.Claim(wire.Claim{Secret: r.Of("ana"), Next: r.Of("x").Hash()}); wire.CodeOf(err) != wire.CodeStorageFull {
					t.Fatal(err)
				}
				if s := r.State("bo"); s.Head != one.Seq || s.Chain != one.Chain {
					t.Fatalf("a reader sees %+v, durable is %+v", s, one)
				}
				r.Reads("bo", 0, want...)
				inj.on.Store(false)
				w.Clock.Pass(2 * time.Second)
				again := r.Say(lost)
				want = append(want, lost)
				if again.Seq != one.Seq+1 || again.Chain != wire.NextChain(one.Chain, again.Seq, []byte(lost)) {
					t.Fatalf("%+v after %+v", again, one)
				}
				r.Reads("bo", 0, want...)
				r.Reads("ana", one.Seq, lost)
			}
			var got []string
			for {
				e, err := watch.Next(10)
				if err != nil {
					t.Fatal(err)
				}
				if len(e) == 0 {
					break
				}
				got = append(got, string(e[0].Bytes))
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("the watch gives %q, want %q", got, want)
			}
			w.Logs = w.Restart()
			r.Reads("bo", 0, want...)
		})
	}
}

// TestNearlyFullDisk refuses what fills the disk and takes what empties it.
func TestNearlyFullDisk(t *testing.T) {
	fs := vfs.NewMem()
	w, _ := world(t, fs)
	r := logstest.NewRoom(t, w, "a", "ana", "bo")
	r.Say("1")
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 40 << 20, TotalBytes: 1 << 40})
	var err error
	for i := 0; err == nil && i < 10; i++ { // the disk is asked from time to time
		_, err = w.Logs.Append(r.Entry(), payloadOf(i, wire.MaxEntry))
	}
	if wire.CodeOf(err) != wire.CodeStorageFull {
		t.Fatal(err)
	}
	head := r.State("ana").Head
	r.Acks("ana", head)
	r.Acks("bo", head)
	w.Clock.Pass(2 * time.Hour)
	w.Logs.Tick(w.Clock.Now())
	r.Reads("bo", 0)
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 39, TotalBytes: 1 << 40})
	r.Say("2")
}

func payloadOf(i, n int) []byte { return bytes.Repeat([]byte{byte(i)}, n) }

// TestFullDiskUnderLoad has many append while the disk fails again and again: each
// log is gapless with a right running hash, and holds what was acknowledged once.
func TestFullDiskUnderLoad(t *testing.T) {
	inj := &fault{match: func(op errorfs.Op) bool {
		return op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpFileSyncData
	}}
	w, _ := world(t, errorfs.Wrap(vfs.NewMem(), inj))
	var rooms []*logstest.Room
	for i := range 4 {
		rooms = append(rooms, logstest.NewRoom(t, w, fmt.Sprint(i), "ana"))
	}
	acked := make([]sync.Map, len(rooms))
	for round := range 12 {
		inj.on.Store(false)
		w.Clock.Pass(2 * time.Second)
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				n := g % len(rooms)
				for i := range 30 {
					text := fmt.Sprint(round, " ", g, " ", i)
					if a, err := w.Logs.Append(rooms[n].Entry(), []byte(text)); err == nil {
						acked[n].Store(a.Seq, text)
					} else if wire.CodeOf(err) != wire.CodeStorageFull {
						t.Errorf("%v", err)
					}
					if g == 3 && i == 15 {
						inj.on.Store(true)
					}
				}
			})
		}
		wg.Wait()
	}
	inj.on.Store(false)
	w.Clock.Pass(2 * time.Second)
	for n, r := range rooms {
		r.Say("last")
		a, err := w.Logs.Read(wire.Read{Secret: r.Of("ana"), Limit: 1 << 24})
		if err != nil {
			t.Fatal(err)
		}
		chain, texts := wire.EmptyChain(r.Log), map[string]bool{}
		for i, e := range a.Entries {
			if chain = wire.NextChain(chain, e.Seq, e.Bytes); e.Seq != uint64(i)+1 || chain != e.Chain || texts[string(e.Bytes)] {
				t.Fatalf("log %d is not clean at %d", n, e.Seq)
			}
			texts[string(e.Bytes)] = true
		}
		acked[n].Range(func(seq, text any) bool {
			if string(a.Entries[seq.(uint64)-1].Bytes) != text {
				t.Errorf("log %d: %v is not %q", n, seq, text)
			}
			return true
		})
	}
}

// TestMemory keeps many logs and watches: logs that nobody uses leave the memory, and
// a watched cursor takes little of it.
func TestMemory(t *testing.T) {
	w, s := world(t, vfs.NewMem())
	const rooms, people = 200, 30
	var all []*logstest.Room
	names := make([]string, people)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	for i := range rooms {
		r := logstest.NewRoom(t, w, fmt.Sprint(i), names...)
		for _, p := range names {
			r.Reads(p, 0) // the first use in a week writes, and here the disk is memory
		}
		all = append(all, r)
	}
	w.Clock.Pass(5 * time.Minute)
	s.Tick(w.Clock.Now())
	if st := s.Stats(); st.Loaded != 0 {
		t.Fatalf("%+v", st)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	watches := make([]*logs.Watch, 0, rooms*people)
	var ear logstest.Ear
	for _, r := range all {
		for _, p := range names {
			watch, st := s.Logs.Watch(wire.Place{Secret: r.Of(p)}, &ear)
			if watch == nil {
				t.Fatal(st)
			}
			watches = append(watches, watch)
		}
	}
	each := float64(int64(heap())-int64(before)) / float64(len(watches))
	t.Logf("%.0f bytes for a watched cursor", each)
	if each > 300 {
		t.Errorf("%.0f bytes for a watched cursor", each)
	}
	s.Tick(w.Clock.Now())
	if st := s.Stats(); st.Loaded != rooms || st.Watches != rooms*people {
		t.Fatalf("%+v", st)
	}
	for _, watch := range watches {
		watch.Close()
	}
	w.Clock.Pass(5 * time.Minute)
	s.Tick(w.Clock.Now())
	for i := range 10_000 { // names that nobody has leave nothing
		_, _ = s.Append(wire.Append{Log: logstest.Name(fmt.Sprint("x", i))}, []byte("x"))
	}
	if st := s.Stats(); st != (logs.Stats{}) {
		t.Fatalf("%+v", st)
	}
}

// TestUseIsWrittenOncePerWeek: a cursor that is read all the time costs one write a week.
func TestUseIsWrittenOncePerWeek(t *testing.T) {
	var writes atomic.Int64
	inj := &fault{match: func(op errorfs.Op) bool {
		if op.Kind == errorfs.OpFileWrite {
			writes.Add(1)
		}
		return false
	}}
	inj.on.Store(true)
	w, s := world(t, errorfs.Wrap(vfs.NewMem(), inj))
	r := logstest.NewRoom(t, w, "a", "ana")
	for week := range 3 {
		one := r.Say(fmt.Sprint("before ", week)) // durable, and all before it
		before := writes.Load()
		for range 100 {
			r.Reads("ana", one.Seq)
			watch, _ := s.Watch(wire.Place{Secret: r.Of("ana"), After: one.Seq}, &logstest.Ear{})
			watch.Close()
		}
		r.Say(fmt.Sprint("after ", week))
		if n := writes.Load() - before; n < 1 || n > 10 { // the use, the append, and Pebble's own
			t.Errorf("week %d: %d writes", week, n)
		}
		w.Clock.Pass(7 * 24 * time.Hour)
	}
}
