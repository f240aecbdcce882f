//go:build linux && chaos

package chaos

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// Options of a run.
type Options struct {
	Binary  string        // sotto
	Seed    uint64        // of everything that is drawn by lot
	For     time.Duration // how long; the last round is played to its end
	Round   time.Duration // how long things go wrong, until they are mended and judged
	Timeout time.Duration // of commands
	Theme   string        // of all rounds; "": each in its turn
	Rough   bool          // things go wrong from the beginning, when people get to know each other
	Log     io.Writer     // gets the journal as it is written; nil: nobody does
}

// Report is what came out of a run.
type Report struct {
	Faults  []string // what is not as sotto promises; none, if all is well
	Table   string   // what was done
	Journal string   // everything that happened
	Last    []string // the end of it
	Wreck   string   // where everybody's disks are kept after a fault
}

// World is a run's machines, servers, people and what is known of them.
type World struct {
	o         Options
	dir       string
	rng       *rand.Rand
	began     time.Time
	journal   *journal
	tally     *tally
	ledger    *ledger
	kept      kept
	authority *authority
	fabric    *fabric
	servers   []*server
	devices   []*device
	rooms     []*chatroom // groups, then pairs

	now     atomic.Pointer[theme]
	mending chan struct{} // closed when a round's misfortunes are over
	roamed  atomic.Uint32
	rough   bool // processes were killed, or connections broke
	idle    int  // goroutines of a server that has just started
}

// people are those of a run, in the order of their servers.
var people = [][]string{{"ana", "bo", "cy"}, {"dee", "eve", "finn"}}

// Run makes a world, lets things happen, and judges. It has to run where Enter led.
func Run(o Options) (*Report, error) {
	w := &World{o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), began: time.Now(), journal: newJournal(o.Log), tally: newTally(), ledger: newLedger(o.Seed)}
	w.kept.pieces = map[string]map[uint64][]byte{}
	w.setTheme(calm)
	var err error
	if w.dir, err = os.MkdirTemp("", "chaos"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(w.dir)
	if err := w.build(); err != nil {
		return nil, err
	}
	defer w.close()
	w.journal.say("chaos", "seed %d, for %v", o.Seed, o.For)
	if err := w.settle(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, w.journal.all())
	}
	w.rounds()
	r := &Report{Faults: w.journal.broken(), Table: w.tally.table(time.Since(w.began), w.fabric.count)}
	if len(r.Faults) > 0 {
		if r.Wreck, err = os.MkdirTemp("", "chaos-wreck"); err == nil {
			err = w.wreck(r.Wreck)
		}
		w.try(err)
	}
	r.Journal, r.Last = w.journal.all(), w.journal.last(150)
	return r, nil
}

// build makes the machines and what is on them.
func (w *World) build() (err error) {
	if err := disk(w.dir, diskSize); err != nil {
		return err
	}
	if w.authority, err = newAuthority(filepath.Join(w.dir, "authority")); err != nil {
		return err
	}
	w.fabric = newFabric()
	for i, names := range people {
		name := []string{"one", "two"}[i]
		m, err := newMachine(w.fabric, name, netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), w.lot())
		if err != nil {
			return err
		}
		s, err := w.newServer(name, m)
		if err != nil {
			return err
		}
		w.servers = append(w.servers, s)
		for _, name := range names {
			m, err := newMachine(w.fabric, name, w.address(), w.lot())
			if err != nil {
				return err
			}
			d, err := w.newDevice(name, m, s, len(w.devices))
			if err != nil {
				return err
			}
			w.devices = append(w.devices, d)
		}
	}
	return nil
}

// lot is a source of its own, so that what one machine draws does not depend on others.
func (w *World) lot() *rand.Rand { return rand.New(rand.NewPCG(w.o.Seed, w.rng.Uint64())) }

// address is one that nobody had before.
func (w *World) address() netip.Addr {
	n := w.roamed.Add(1)
	return netip.AddrFrom4([4]byte{10, 1 + byte(n>>16), byte(n >> 8), byte(n)})
}

func (w *World) theme() theme { return *w.now.Load() }

func (w *World) setTheme(t theme) { w.now.Store(&t) }

func (w *World) groups() []*chatroom { return w.rooms[:len(w.servers)] }

func (w *World) stage() stage {
	return stage{len(w.devices), len(w.servers), len(w.groups()), len(w.rooms) - len(w.groups())}
}

func (w *World) room(n int) *chatroom { return w.rooms[n%len(w.rooms)] }

// rounds plays one theme after the other until the time is over or something is wrong.
func (w *World) rounds() {
	order := rand.New(rand.NewPCG(w.o.Seed, 2)).Perm(len(themes))
	for round := 0; round == 0 || time.Since(w.began) < w.o.For; round++ {
		t := themes[order[round%len(order)]]
		if i := slices.IndexFunc(themes, func(t theme) bool { return t.name == w.o.Theme }); i >= 0 {
			t = themes[i]
		}
		parts := plan(w.o.Seed, round, t, w.stage(), w.o.Round)
		acts := 0
		for _, p := range parts {
			acts += len(p.acts)
		}
		w.journal.say("chaos", "round %d: %s, %d acts", round, t.name, acts)
		w.tally.add("rounds", 1)
		w.setTheme(t)
		w.rough = w.rough || t.network() || t.kills+t.axes+t.full > 0
		w.play(parts, w.o.Round, nil)
		w.calmDown(t)
		if len(w.journal.broken()) > 0 {
			return
		}
	}
	w.end()
}

// end looks at what is left when everybody has everything: nothing, at the servers.
func (w *World) end() {
	w.emptied()
	for _, s := range w.servers {
		w.tally.peak("server", s.running)
		w.leaks(s)
		w.try(s.start())
		s.stop()
		w.erased(s)
	}
}

// leaks counts the goroutines of a server that has been through everything. It ends it.
func (w *World) leaks(s *server) {
	st, err := s.status()
	if err != nil {
		w.journal.fault(s.name, "%v", err)
		return
	}
	n, err := s.running.goroutines()
	if err != nil {
		w.journal.fault(s.name, "%v", err)
	}
	said := s.running.said()
	s.running = nil
	w.tally.set("goroutines, "+s.name, n)
	// A connection has one or two; those that were cut in silence count for four minutes.
	if limit := w.idle + 3*st.Connections + 20; n > limit {
		w.journal.fault(s.name, "has %d goroutines, more than %d, with %d connections\n%s", n, limit, st.Connections, said)
	}
}

// close ends everything.
func (w *World) close() {
	for _, d := range w.devices {
		d.mu.Lock()
		runs := d.runs
		d.runs = map[*process]bool{}
		d.mu.Unlock()
		for p := range runs {
			_ = p.cmd.Process.Signal(syscall.SIGCONT)
			p.kill()
		}
		d.m.close()
	}
	for _, s := range w.servers {
		s.crash()
		s.m.close()
	}
	w.fabric.close()
	// The disks go with the namespace; so that a process may make many worlds, now.
	for _, s := range w.servers {
		_ = syscall.Unmount(s.disk, syscall.MNT_DETACH)
	}
	for _, d := range w.devices {
		_ = syscall.Unmount(d.disk, syscall.MNT_DETACH)
	}
	_ = syscall.Unmount(w.dir, syscall.MNT_DETACH)
}
