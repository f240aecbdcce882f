//go:build linux && chaos

package chaos

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// device is a person's, on a machine of its own.
type device struct {
	w      *World
	name   string
	handle string
	m      *machine
	server *server
	disk   string
	n      int // which one

	kills atomic.Int64 // processes of this home that were killed or stopped so far
	naps  atomic.Int64 // processes of it that were put to sleep so far
	up    atomic.Int64 // the moment when the last command began that reached all servers

	mu    sync.Mutex
	ears  [2]*ear
	runs  map[*process]bool
	shown *listing          // what its last listing showed
	rooms map[string]object // its list of conversations, by id
	saw   map[string]int64  // what read showed as new, and when it had ended
}

func (w *World) newDevice(name string, m *machine, s *server, n int) (*device, error) {
	d := &device{w: w, name: name, handle: name + "@" + s.host(), m: m, server: s, n: n,
		disk: filepath.Join(w.dir, name), runs: map[*process]bool{}, saw: map[string]int64{}}
	return d, disk(d.disk, diskSize/4)
}

func (d *device) home() string { return filepath.Join(d.disk, "home") }

// object is a line that a command printed with --json.
type object struct {
	Type    string   `json:"type"`
	ID      string   `json:"id"`
	Room    string   `json:"room"`
	State   string   `json:"state"`
	From    string   `json:"from"`
	Kind    string   `json:"kind"`
	Text    string   `json:"text"`
	Target  string   `json:"target"`
	Arrived string   `json:"arrived"`
	Name    string   `json:"name"`
	Done    string   `json:"done"`
	Own     bool     `json:"own"`
	Seen    bool     `json:"seen"`
	Edited  bool     `json:"edited"`
	Deleted bool     `json:"deleted"`
	Members []member `json:"members"`

	moment int64
}

type member struct {
	Handle string `json:"handle"`
	Admin  bool   `json:"admin"`
	Self   bool   `json:"self"`
}

// outcome is a command that has ended.
type outcome struct {
	*process
	d       *device
	in      *chatroom // that it was about, if any
	theme   theme     // when it began
	may     string    // the code with which it may fail
	objects []object
	code    string // of the failure that it told
	killed  bool
	upset   bool // another process of the home was killed or stopped meanwhile
	slept   bool // one was asleep
}

// command is what a person has a device do.
type command struct {
	args  []string
	room  *chatroom
	in    io.Reader
	kill  time.Duration  // after which it is killed; 0: it is not
	may   string         // the code with which it may fail
	print func(o object) // also told, when it is printed
}

// commandTime is how long a command may take in all. It waits for servers a few times.
func (w *World) commandTime() time.Duration { return 4*w.o.Timeout + 30*time.Second }

// do runs a command to its end.
func (d *device) do(c command) *outcome {
	o := &outcome{d: d, in: c.room, theme: d.w.theme(), may: c.may}
	kills, naps := d.kills.Load(), d.naps.Load()
	asleep := d.asleep()
	p, err := d.launch(c, func(x object) {
		o.objects = append(o.objects, x)
		if c.print != nil {
			c.print(x)
		}
	})
	if err != nil {
		d.w.journal.fault(d.name, "%v", err)
		return nil
	}
	o.process = p
	if c.kill > 0 {
		timer := time.AfterFunc(c.kill, func() {
			d.kills.Add(1)
			p.killed.Store(true)
			_ = p.cmd.Process.Kill()
		})
		defer timer.Stop()
	}
	p.within(d.w.commandTime())
	d.forget(p)
	o.killed = p.exit() < 0
	o.upset, o.slept = kills != d.kills.Load(), asleep || naps != d.naps.Load()
	o.code = failure(p.said())
	d.w.journal.say(d.name, "%s -> %d %s, %d lines, %v", strings.Join(c.args, " "), o.exit(), o.code, len(o.objects), p.took.Round(time.Millisecond))
	o.judge()
	if o.exit() == 0 && (c.args[0] == "read" || c.args[0] == "rooms") {
		d.up.Store(max(d.up.Load(), p.began))
	}
	return o
}

// launch starts a command.
func (d *device) launch(c command, print func(object)) (*process, error) {
	args := append([]string{"--home", d.home(), "--json", "--allow-private", "*", "--timeout", d.w.o.Timeout.String()}, c.args...)
	p, err := d.w.launch(d.m, d.name, args, c.in, func(b []byte) {
		x := object{moment: d.w.journal.tick()}
		if err := json.Unmarshal(b, &x); err != nil {
			d.w.journal.fault(d.name, "%s printed what is no object: %q", strings.Join(c.args, " "), b)
			return
		}
		print(x)
	})
	if err == nil {
		d.mu.Lock()
		d.runs[p] = true
		d.mu.Unlock()
	}
	return p, err
}

func (d *device) forget(p *process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.runs, p)
}

// asleep says whether a process of the home was stopped and not continued.
func (d *device) asleep() bool { return d.naps.Load()%2 == 1 }

// nap puts every process of the home to sleep, or wakes them: the lid is closed, or opened.
func (d *device) nap(sleep bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sleep == d.asleep() {
		return
	}
	d.naps.Add(1)
	sig := syscall.SIGCONT
	if sleep {
		sig = syscall.SIGSTOP
	}
	for p := range d.runs {
		_ = p.cmd.Process.Signal(sig)
	}
}

// failure is the stable code in what a command told on its standard error.
func failure(said string) string {
	var last struct {
		Error struct{ Code string }
	}
	for line := range strings.Lines(said) {
		_ = json.Unmarshal([]byte(line), &last)
	}
	return last.Error.Code
}

// fill leaves so many bytes of its disk free.
func (d *device) fill(free int64) error {
	n, err := used(d.disk)
	if err != nil {
		return err
	}
	return resize(d.disk, n+free)
}

func (d *device) unfill() error { return resize(d.disk, diskSize/4) }
