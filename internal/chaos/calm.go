//go:build linux && chaos

package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// mend undoes everything that befell machines.
func (w *World) mend() {
	w.fabric.mend()
	for _, s := range w.servers {
		s.signal(syscall.SIGCONT)
		w.try(s.unfill())
		if s.alive(); true {
			w.try(s.start())
		}
	}
	for _, d := range w.devices {
		d.nap(false)
		w.try(d.unfill())
		w.try(d.m.replug())
	}
}

// everybody does something with all devices at once.
func (w *World) everybody(do func(d *device)) {
	var all sync.WaitGroup
	for _, d := range w.devices {
		all.Go(func() { do(d) })
	}
	all.Wait()
}

// patience is how long what must happen may take once everything is mended. A device waits
// at most for a minute and a half before it tries a server again.
func (w *World) patience() time.Duration {
	if w.theme().stays {
		return 4 * time.Minute
	}
	return time.Minute
}

// patiently calls f until it says that it is so.
func (w *World) patiently(f func() bool) bool {
	pause := 20 * time.Millisecond
	for end := time.Now().Add(w.patience()); !f(); pause = min(2*pause, 2*time.Second) {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(pause) // other processes do the rest
	}
	return true
}

// calmDown waits, when all is mended, until everybody has everything, and judges the round.
func (w *World) calmDown(t theme) {
	began := time.Now()
	if !t.stays {
		w.setTheme(calm)
		w.silence()
	}
	w.decide()
	var shown []*listing
	var missing []string
	ok := w.patiently(func() bool {
		shown, missing = w.look()
		return len(missing) == 0
	})
	w.journal.say("chaos", "calm after %v", time.Since(began).Round(time.Millisecond))
	w.tally.longest(time.Since(began))
	if !ok {
		w.journal.fault("chaos", "%d things have not come about after %v:\n%s", len(missing), time.Since(began), strings.Join(missing[:min(len(missing), 30)], "\n"))
		return
	}
	if w.setTheme(calm); t.stays {
		w.silence()
	}
	w.verdict(shown)
}

// silence ends all followers.
func (w *World) silence() {
	w.everybody(func(d *device) {
		for slot := range d.ears {
			if p := d.ear(slot); p != nil {
				w.tally.peak("follower", p.process)
			}
			w.hush(d, slot)
		}
	})
}

// look has everybody read and list, and says what is missing yet.
func (w *World) look() (shown []*listing, missing []string) {
	shown = make([]*listing, len(w.devices))
	w.everybody(func(d *device) {
		w.read(d, 0)
		shown[d.n] = w.list(d)
	})
	if slices.Contains(shown, nil) {
		return shown, []string{"a device shows nothing"}
	}
	lacks := func(m *message, format string, args ...any) {
		missing = append(missing, fmt.Sprintf("message %d of %s in %s (%s, %s): ", m.n, m.by.name, m.in.name, m.kind, m.told)+fmt.Sprintf(format, args...))
	}
	for _, m := range w.ledger.list() {
		if m.told == "" || m.told == "queued" && w.lost(m) {
			continue // it may not exist
		}
		if m.told == "queued" {
			lacks(m, "it is not sent")
		}
		for _, d := range w.devices {
			if _, here := shown[d.n].of[m]; !here && m.in.due(d, m.began) {
				lacks(m, "%s does not have it", d.name)
			}
		}
		if m.told != "read" && m.in.is(m.by) && m.in.steady(m.began) {
			lacks(m, "everybody has read it, and its author is not told")
		}
	}
	return shown, missing
}

// decide finds out about every coming and going of which no command told the end. What was
// not kept anywhere is asked for again.
func (w *World) decide() {
	for _, r := range w.groups() {
		for d, s := range r.open() {
			by := r.admins[0]
			verb, to := "add", &s.in
			if s.going != 0 {
				verb, to = "remove", &s.out
			}
			w.journal.say("chaos", "is %s in %s? (%s)", d.name, r.name, verb)
			for range 2 {
				w.change(by, r, 0, "show")
			}
			ok := w.patiently(func() bool { return w.change(by, r, 0, verb, d.handle).ok() })
			if !ok {
				w.journal.fault(by.name, "cannot %s %s in %s", verb, d.name, r.name)
			}
			r.certain(to, w.journal.tick())
		}
	}
}
