//go:build linux && chaos

package chaos

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// verbs are what an act can be.
var verbs = map[string]func(w *World, a act){
	"send": func(w *World, a act) {
		w.speaks(a, func(d *device, r *chatroom) { w.send(d, r, a.n, a.size, a.last, a.kill) })
	},
	"reply": func(w *World, a act) { w.answers(a) }, "edit": func(w *World, a act) { w.answers(a) }, "delete": func(w *World, a act) { w.answers(a) },
	"read":  func(w *World, a act) { w.read(w.devices[a.who], a.kill) },
	"rooms": func(w *World, a act) { w.devices[a.who].do(command{args: []string{"rooms"}, kill: a.kill}) },
	"list":  func(w *World, a act) { w.devices[a.who].do(command{args: []string{"read", "--all"}, kill: a.kill}) },

	"follow": func(w *World, a act) { w.follow(w.devices[a.who], a.n) },
	"hush":   func(w *World, a act) { w.hush(w.devices[a.who], a.n) },
	"axe":    func(w *World, a act) { w.axe(w.devices[a.who], a.n) },

	"add": func(w *World, a act) {
		w.manages(a, func(by, whom *device, r *chatroom) { w.add(by, r, whom, a.kill) })
	},
	"remove": func(w *World, a act) {
		w.manages(a, func(by, whom *device, r *chatroom) { w.remove(by, r, whom, a.kill) })
	},
	"leave": func(w *World, a act) {
		w.manages(a, func(_, whom *device, r *chatroom) { w.remove(whom, r, whom, a.kill) })
	},
	"rename": func(w *World, a act) {
		r := w.groups()[a.room]
		w.rename(r.admins[a.n%len(r.admins)], r, a.n, a.kill)
	},

	"weather": func(w *World, a act) { w.weather(a) },
	"cut":     func(w *World, a act) { w.cut(a) },
	"dark":    func(w *World, a act) { w.darken(a) },
	"unplug":  func(w *World, a act) { w.unplug(a) },
	"split":   func(w *World, a act) { w.split(a) },
	"roam":    func(w *World, a act) { w.roam(w.devices[a.who]) },
	"nap":     func(w *World, a act) { w.nap(a) },
	"crash":   func(w *World, a act) { w.crash(a) },
	"full":    func(w *World, a act) { w.full(a) },
}

// speaks lets a device say something in a room that it is in.
func (w *World) speaks(a act, say func(d *device, r *chatroom)) {
	if d, r := w.devices[a.who], w.room(a.room); r.is(d) {
		say(d, r)
	}
}

func (w *World) answers(a act) {
	w.speaks(a, func(d *device, r *chatroom) {
		rng := rand.New(rand.NewPCG(w.o.Seed, uint64(a.wait)))
		if m := w.ledger.pick(d, r, a.verb, rng); m != nil {
			w.act(d, r, a.verb, m, a.kill)
		}
	})
}

// manages lets an admin of a group do something about somebody who is none.
func (w *World) manages(a act, do func(by, whom *device, r *chatroom)) {
	r, whom := w.groups()[a.room], w.devices[a.whom]
	by := r.admins[a.n%len(r.admins)]
	for _, admin := range r.admins {
		if whom == admin {
			return
		}
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	do(by, whom, r)
}

// machine is a device's or a server's.
func (w *World) machine(who int) *machine {
	if who < len(w.devices) {
		return w.devices[who].m
	}
	return w.servers[who-len(w.devices)].m
}

// lasts lets something be until it is over, or the round is.
func (w *World) lasts(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.mending:
	}
}

func (w *World) weather(a act) {
	m := w.machine(a.who)
	w.journal.say(m.name, "weather: %v for %v", a.weather, a.last)
	w.tally.add("weather", 1)
	w.fabric.change(func() { m.port.in.Weather, m.port.out.Weather = a.weather, a.weather })
	w.lasts(a.last)
	w.fabric.change(func() { m.port.in.Weather, m.port.out.Weather = Weather{}, Weather{} })
}

func (w *World) cut(a act) {
	m := w.machine(a.who)
	w.fabric.change(func() { m.port.cuts = append(m.port.cuts, &cut{after: a.n, reset: a.yes}) })
}

func (w *World) darken(a act) {
	m := w.machine(a.who)
	w.journal.say(m.name, "dark for %v", a.last)
	w.tally.add("dark", 1)
	w.fabric.change(func() { m.port.in.dark, m.port.out.dark = true, true })
	w.lasts(a.last)
	w.fabric.change(func() { m.port.in.dark, m.port.out.dark = false, false })
}

func (w *World) unplug(a act) {
	m := w.machine(a.who)
	w.journal.say(m.name, "unplugged for %v", a.last)
	w.tally.add("unplugged", 1)
	w.try(m.unplug())
	w.lasts(a.last)
	w.try(m.replug())
}

// split lets two machines not hear each other.
func (w *World) split(a act) {
	x, y := w.machine(a.who), w.machine(a.whom)
	if x == y {
		return
	}
	w.journal.say(x.name, "apart from %s for %v", y.name, a.last)
	w.tally.add("split", 1)
	pairs := [][2]*port{{x.port, y.port}, {y.port, x.port}}
	w.fabric.change(func() {
		for _, p := range pairs {
			w.fabric.apart[p] = true
		}
	})
	w.lasts(a.last)
	w.fabric.change(func() {
		for _, p := range pairs {
			delete(w.fabric.apart, p)
		}
	})
}

func (w *World) roam(d *device) {
	to := w.address()
	w.journal.say(d.name, "roams to %s", to)
	w.tally.add("roams", 1)
	w.try(d.m.roam(to))
}

func (w *World) nap(a act) {
	w.journal.say(w.machine(a.who).name, "sleeps for %v", a.last)
	w.tally.add("naps", 1)
	if a.who < len(w.devices) {
		w.devices[a.who].nap(true)
		w.lasts(a.last)
		w.devices[a.who].nap(false)
		return
	}
	s := w.servers[a.who-len(w.devices)]
	s.signal(syscall.SIGSTOP)
	w.lasts(a.last)
	s.signal(syscall.SIGCONT)
}

// crash ends a server, mostly as a power failure does, and starts it again.
func (w *World) crash(a act) {
	s := w.servers[a.who-len(w.devices)]
	if !s.alive() {
		return
	}
	if a.yes {
		w.tally.add("servers killed", 1)
		s.crash()
		w.keep(s)
	} else {
		w.tally.add("servers stopped", 1)
		s.stop()
	}
	w.lasts(a.last)
	if err := s.start(); err != nil { // on a full disk it may not
		w.journal.say(s.name, "%v", err)
		if w.theme().full == 0 {
			w.try(err)
		}
	}
}

// full fills the disk of a device or a server.
func (w *World) full(a act) {
	var fill func(int64) error
	var unfill func() error
	if a.who < len(w.devices) {
		fill, unfill = w.devices[a.who].fill, w.devices[a.who].unfill
	} else {
		s := w.servers[a.who-len(w.devices)]
		fill, unfill = s.fill, s.unfill
	}
	w.journal.say(w.machine(a.who).name, "disk full but for %d for %v", a.n, a.last)
	w.tally.add("disks full", 1)
	w.try(fill(int64(a.n)))
	w.lasts(a.last)
	w.try(unfill())
}

// try notes an error of the run's own making.
func (w *World) try(err error) {
	if err != nil {
		w.journal.fault("chaos", "%v", err)
	}
}

// play lets all hands do their parts, and beside them everybody something, until the time is
// over, and waits for what they began.
func (w *World) play(parts []part, d time.Duration, beside func(d *device)) {
	var all sync.WaitGroup
	over := time.After(d)
	w.mending = make(chan struct{})
	for _, p := range parts {
		all.Go(func() {
			for _, a := range p.acts {
				select {
				case <-w.mending:
					return
				case <-time.After(a.wait):
				}
				verbs[a.verb](w, a)
			}
		})
	}
	if beside != nil {
		all.Go(func() { w.everybody(beside) })
	}
	<-over
	close(w.mending)
	w.mend()
	all.Wait()
}

// mended says whether a round's misfortunes are over.
func (w *World) mended() bool {
	select {
	case <-w.mending:
		return true
	default:
		return false
	}
}
