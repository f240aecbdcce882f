package sim

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/cryptotest"
	"time"

	"sotto/mls"
)

// Epoch is when every world begins.
var Epoch = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// World is one simulation. Everything in it runs on the caller's goroutine, in turns.
type World struct {
	T     *testing.T
	Seed  uint64
	Suite mls.CipherSuite // of rooms made here
	TTL   time.Duration   // lifetime of entries in rooms made here
	Log   *slog.Logger
	Notes io.Writer // where the trace is written in words; nil: nowhere

	Hosts   []*Host
	People  []*Person
	Devices []*Device
	Stats   *Stats
	Watch   watch // what is observed on the way

	now     time.Time
	events  events
	last    uint64 // number of the last event
	turns   []func()
	task    *task // whose turn it is; nil: the world's own
	trace   hash.Hash
	steps   uint64
	lines   uint64 // connections made
	rng     *rand.Rand
	failure string
	attacks []*Mallory // members who turned
}

// New makes an empty world. All randomness of the process comes from the seed until the
// test ends, so worlds of one process do not run side by side.
func New(t *testing.T, seed uint64) *World {
	cryptotest.SetGlobalRandom(t, seed)
	procs := runtime.GOMAXPROCS(1) // a commit of many members encrypts on all processors, in any order
	t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	w := &World{T: t, Seed: seed, Suite: mls.X25519, TTL: 48 * time.Hour, Stats: NewStats(), Log: slog.New(slog.DiscardHandler), now: Epoch, trace: sha256.New()}
	w.rng = w.Draws("world")
	w.Watch.init(w)
	if os.Getenv("SOTTO_LOG") != "" { // what clients and servers log, for finding faults
		w.Log = slog.New(&virtual{slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}), w})
	}
	if path := os.Getenv("SOTTO_TRACE"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		w.Notes = f
	}
	t.Cleanup(w.end)
	return w
}

// Draws is a stream of randomness of its own, named by a label.
func (w *World) Draws(label string) *rand.Rand {
	return rand.New(rand.NewChaCha8(w.key(label)))
}

func (w *World) key(label string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d %s", w.Seed, label))
}

// Now is the true time; devices have clocks of their own.
func (w *World) Now() time.Time { return w.now }

// event is something that happens at a time.
type event struct {
	at   time.Time
	n    uint64
	f    func()
	gone bool
}

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(*event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*e = old[:len(old)-1]
	return x
}

// After calls f when d has passed, unless stop is called first.
func (w *World) After(d time.Duration, f func()) (stop func()) {
	w.last++
	e := &event{at: w.now.Add(max(d, 0)), n: w.last, f: f}
	heap.Push(&w.events, e)
	return func() { e.gone, e.f = true, nil }
}

// Turn calls f as soon as what runs now has ended, before time goes on.
func (w *World) Turn(f func()) { w.turns = append(w.turns, f) }

// step runs the next turn or event, and says whether there was one before end.
func (w *World) step(end time.Time) bool {
	if len(w.turns) > 0 {
		f := w.turns[0]
		if w.turns = w.turns[1:]; len(w.turns) == 0 {
			w.turns = nil
		}
		w.steps++
		f()
		return true
	}
	for len(w.events) > 0 {
		e := w.events[0]
		if e.gone {
			heap.Pop(&w.events)
			continue
		}
		if e.at.After(end) {
			return false
		}
		heap.Pop(&w.events)
		w.now = e.at
		w.steps++
		f := e.f
		e.gone, e.f = true, nil
		f()
		return true
	}
	return false
}

// Run lets time go on for d.
func (w *World) Run(d time.Duration) {
	end := w.now.Add(d)
	for w.step(end) {
	}
	w.now = end
}

// Until lets time go on until ok says so, for at most d, and says whether it did.
func (w *World) Until(d time.Duration, ok func() bool) bool {
	end := w.now.Add(d)
	for !ok() {
		if !w.step(end) {
			w.now = end
			return ok()
		}
	}
	return true
}

// note adds to the trace, by which two runs are compared.
func (w *World) note(what string, b []byte) {
	var head [16]byte
	binary.BigEndian.PutUint64(head[:], uint64(w.now.UnixNano()))
	binary.BigEndian.PutUint64(head[8:], uint64(len(b)))
	w.trace.Write(head[:])
	w.trace.Write([]byte(what))
	w.trace.Write(b)
	if w.Notes != nil {
		fmt.Fprintf(w.Notes, "%s %s %d %x\n", w.now.Sub(Epoch), what, len(b), sha256.Sum256(b))
	}
}

// Trace is a hash of everything that crossed the network so far, and when.
func (w *World) Trace() string { return fmt.Sprintf("%x", w.trace.Sum(nil)[:16]) }

// Fail notes that a promise was broken. The first one counts.
func (w *World) Fail(format string, args ...any) {
	if w.failure == "" {
		w.failure = fmt.Sprintf("%s: %s", w.now.Sub(Epoch).Round(time.Millisecond), fmt.Sprintf(format, args...))
	}
}

// Failure is the first promise that was broken, or "".
func (w *World) Failure() string { return w.failure }

// end closes everything.
func (w *World) end() {
	for _, d := range w.Devices {
		d.Stop()
	}
	for _, m := range w.attacks {
		m.stop()
	}
	for _, h := range w.Hosts {
		h.stop()
	}
	w.events, w.turns = nil, nil
}

// host finds a host by its name; nil when nobody has it.
func (w *World) host(name string) *Host {
	if i := slices.IndexFunc(w.Hosts, func(h *Host) bool { return h.Name == name }); i >= 0 {
		return w.Hosts[i]
	}
	return nil
}
