//go:build linux && chaos

package chaos

import (
	"strings"
	"syscall"
	"time"
)

// ear is a follower: `read --follow`. A home may have two: the second waits for the first
// to go, and takes its place.
type ear struct {
	*process
	theme theme // when it began
	kills int64 // processes of its home that had been killed then
}

// follow starts a follower at one of a device's two places for them, if that is free.
func (w *World) follow(d *device, slot int) {
	if d.ear(slot) != nil {
		return
	}
	args := []string{"read", "--follow"}
	shown := map[string]bool{}
	began := w.journal.tick()
	p, err := d.launch(command{args: args}, func(x object) {
		switch x.Type {
		case "message":
			w.overhears(d, x, shown, began)
		case "state":
			if states[x.State] == 0 {
				w.journal.fault(d.name, "follows, and is told that %s is %q", x.ID, x.State)
			}
		}
	})
	if err != nil {
		w.journal.fault(d.name, "%v", err)
		return
	}
	w.journal.say(d.name, "follows (%d)", slot)
	e := &ear{process: p, theme: w.theme(), kills: d.kills.Load()}
	d.mu.Lock()
	d.ears[slot] = e
	d.mu.Unlock()
	go func() {
		if <-p.done; !p.stopped.Load() { // it ended by itself
			e.outcome(d, d.kills.Load()).judge()
		}
	}()
}

// outcome is a follower that has ended, when so many processes of its home had been killed.
func (e *ear) outcome(d *device, kills int64) *outcome {
	return &outcome{process: e.process, d: d, theme: e.theme, code: failure(e.said()), upset: e.kills != kills, slept: d.asleep()}
}

// overhears looks at a message that a follower shows: nothing twice, and nothing again.
func (w *World) overhears(d *device, x object, shown map[string]bool, began int64) {
	d.mu.Lock()
	at, before := d.saw[x.ID]
	d.mu.Unlock()
	switch {
	case shown[x.ID]:
		w.journal.fault(d.name, "follows, and is shown twice: %.60q", x.Text)
	case before && at < began && !x.Own:
		w.journal.fault(d.name, "follows, and is shown again: %.60q", x.Text)
	case w.ledger.find(x) == nil:
		w.journal.fault(d.name, "follows, and is shown what nobody wrote: %+v", x)
	}
	shown[x.ID] = true
}

// ear is the follower at a place, nil when there is none.
func (d *device) ear(slot int) *ear {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.ears[slot]
	if p == nil {
		return nil
	}
	select {
	case <-p.done: // it ended by itself
		d.ears[slot] = nil
		delete(d.runs, p.process)
		return nil
	default:
		return p
	}
}

// earTime is how long a follower may take to end.
const earTime = 15 * time.Second

// hush ends a follower as a person does.
func (w *World) hush(d *device, slot int) {
	p := d.ear(slot)
	if p == nil {
		return
	}
	w.journal.say(d.name, "stops following (%d)", slot)
	kills, slept := d.kills.Add(1)-1, d.asleep()
	p.ask(syscall.SIGINT)
	if slept {
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
	}
	if !p.within(earTime) {
		return
	}
	d.kills.Add(1) // also for commands that it took on after it was asked
	d.drop(slot, p)
	early := p.exit() < 0 && p.took < 2*time.Second // it was not listening to signals yet
	if p.exit() != 0 && !early && !p.outcome(d, kills).excused() {
		w.journal.fault(d.name, "%s ended with %d when it was stopped\n%s", strings.Join(p.args, " "), p.exit(), p.said())
	}
}

// axe kills a follower.
func (w *World) axe(d *device, slot int) {
	p := d.ear(slot)
	if p == nil {
		return
	}
	w.journal.say(d.name, "follower killed (%d)", slot)
	d.kills.Add(1)
	p.kill()
	d.drop(slot, p)
}

func (d *device) drop(slot int, p *ear) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ears[slot] = nil
	delete(d.runs, p.process)
}
