package sim

import (
	"fmt"
	"slices"
	"time"

	"sotto/internal/server"
	"sotto/internal/server/config"
)

// Host is one home server.
type Host struct {
	w    *World
	Name string
	disk *disk

	Gone bool          // for good
	Mute bool          // reachable by nobody, and nobody is told
	Slow time.Duration // more than each device's own delay
	Evil *Evil         // nil: honest

	server *server.Server
	up     bool
	life   int
	lines  []*line
	jobs   []func() // what waits for the disk, in order
	timed  bool     // their time is set
	old    []*disk  // copies, oldest first
}

// Host makes a server and starts it.
func (w *World) Host(name string) *Host {
	h := &Host{w: w, Name: name}
	h.disk = newDisk(w, name)
	w.Hosts = append(w.Hosts, h)
	h.Start()
	w.After(time.Minute, h.minute)
	return h
}

// Start starts a server that is down.
func (h *Host) Start() {
	if h.up || h.Gone {
		return
	}
	h.life++
	s, err := server.New(server.Options{
		Dir: "data", FS: h.disk, Now: h.w.Now, Rand: newReader(h.w, fmt.Sprintf("host %s %d", h.Name, h.life)), Log: h.w.Log.With("host", h.Name),
		Host: h.Name, Open: true, Limits: wide(), Spawn: h.spawn,
	})
	if err != nil {
		if h.disk.off {
			h.crashed()
			return
		}
		if h.disk.failing() { // the operator tries again
			h.w.After(time.Second, h.Start)
			return
		}
		h.w.Fail("%s does not start: %v", h.Name, err)
		return
	}
	h.server, h.up = s, true
}

// wide are limits that an honest population does not meet: it has few addresses and much
// to say. The limits have tests of their own.
func wide() config.Limits {
	l := config.Default().Limits
	l.ConnectsPerMinute, l.OperationsPerSecond = 1<<20, 1<<20
	l.LookupsPerMinute, l.ClaimsPerMinute, l.ClaimsPerTargetHour = 1<<20, 1<<20, 1<<20
	l.PutsPerMinute, l.RegistrationsPerHour, l.FailedAuthsPerMinute, l.BlobRequestsPerMinute = 1<<20, 1<<20, 1<<20, 1<<20
	l.VisitsPerMinute = 1 << 20
	return l
}

// spawn implements server.Options.Spawn: what comes within the time of one fsync is done
// together, in order.
func (h *Host) spawn(f func()) {
	h.jobs = append(h.jobs, f)
	if h.timed {
		return
	}
	h.timed = true
	life := h.life
	h.w.After(200*time.Microsecond+time.Duration(h.w.rng.Int64N(int64(time.Millisecond))), func() {
		if h.life == life && h.up {
			h.flush()
		}
	})
}

// flush does what waits for the disk.
func (h *Host) flush() {
	h.timed = false
	jobs := h.jobs
	h.jobs = nil
	for _, f := range jobs {
		if !h.up {
			return
		}
		f()
		h.look()
	}
}

// ready makes room before a frame: a session would wait for it, and the world with it.
func (h *Host) ready() {
	if len(h.jobs) >= 256 {
		h.flush()
	}
}

// look takes the power from a server whose disk has lost it.
func (h *Host) look() {
	if h.up && h.disk.off {
		h.crashed()
	}
}

// minute does a server's housekeeping.
func (h *Host) minute() {
	if h.Gone {
		return
	}
	h.w.After(time.Minute, h.minute)
	if !h.up {
		return
	}
	h.server.Tick(h.w.now)
	if h.w.now.Sub(Epoch)/time.Minute%5 == 0 {
		if err := h.server.Sweep(); err != nil && !h.disk.failing() {
			h.w.Fail("%s: sweeping: %v", h.Name, err)
		}
	}
	h.look()
}

// Stop stops a server as an operator does.
func (h *Host) Stop() {
	if !h.up {
		return
	}
	h.flush()
	h.stop()
}

func (h *Host) stop() {
	if !h.up {
		return
	}
	h.up = false
	h.life++
	h.drop()
	if err := h.server.Close(); err != nil && !h.disk.failing() {
		h.w.Fail("%s: stopping: %v", h.Name, err)
	}
	h.server, h.jobs, h.timed = nil, nil, false
}

// drop cuts all lines of a host.
func (h *Host) drop() {
	for _, l := range slices.Clone(h.lines) {
		l.shut()
		s := l.sess
		l.sess = nil
		if s != nil {
			s.Close()
		}
		l.w.After(l.delay(), func() { l.deviceTell(func() { l.fall(errCut) }) })
	}
}

// Crash takes the power from a server: what no fsync covered is lost, kept, or torn.
func (h *Host) Crash() {
	if h.up {
		h.disk.cutPower()
		h.crashed()
	}
}

// crashed puts away a server whose power went, with its disk as it is now.
func (h *Host) crashed() {
	h.w.Stats.Fault("server crashed")
	h.up = false
	h.life++
	h.drop()
	next := h.disk.survivor(h.server)
	if h.server != nil {
		_ = h.server.Close() // into a disk that nobody will read
	}
	h.server, h.jobs, h.timed = nil, nil, false
	h.disk = next
}

// Backup keeps a copy of what the disk holds, as an operator's nightly copy does.
func (h *Host) Backup() {
	if h.up {
		h.flush()
		h.server.Settle()
	}
	h.old = append(h.old, h.disk.clone())
}

// Restore starts the server again from the oldest copy there is; false without one.
func (h *Host) Restore() bool {
	if len(h.old) == 0 || h.Gone {
		return false
	}
	h.stop()
	h.disk = h.old[0].clone()
	h.Start()
	return true
}

// Die ends a host for good.
func (h *Host) Die() {
	h.stop()
	h.Gone = true
}
