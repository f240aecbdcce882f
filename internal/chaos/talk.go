//go:build linux && chaos

package chaos

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// What people do. Each is one command, and what has to be true of it.

// typist types lines, with pauses between them.
type typist struct {
	lines []string
	pause time.Duration
	begun bool
}

func (t *typist) Read(b []byte) (int, error) {
	if len(t.lines) == 0 {
		return 0, io.EOF
	}
	if t.begun && t.pause > 0 {
		time.Sleep(t.pause) // a person thinks
	}
	t.begun = true
	n := copy(b, t.lines[0])
	if t.lines[0] = t.lines[0][n:]; t.lines[0] == "" {
		t.lines = t.lines[1:]
	} else {
		t.begun = false
	}
	return n, nil
}

// send has somebody write so many messages into a room.
func (w *World) send(d *device, r *chatroom, n, size int, pause, kill time.Duration) *outcome {
	began := w.journal.tick()
	var what []*message
	in := &typist{pause: pause}
	for i := range n {
		m := w.ledger.write(d, r, "text", size*(i%3), began, nil)
		what = append(what, m)
		in.lines = append(in.lines, m.text+"\n")
	}
	c := command{args: []string{"send", r.address(d), "-"}, room: r, in: in, kill: kill, print: w.hears(d, what)}
	if n == 1 && size == 0 {
		c.args, c.in = []string{"send", r.address(d), what[0].text}, nil
	}
	w.journal.say(d.name, "writes %d to %s: %d and on", n, r.name, what[0].n)
	o := d.do(c)
	w.sent(o, what)
	return o
}

// hears keeps what send tells: one line for each message, in their order.
func (w *World) hears(d *device, what []*message) func(object) {
	n := 0
	return func(x object) {
		if x.Type != "sent" {
			return
		}
		if n == len(what) {
			w.journal.fault(d.name, "send tells of a message too many: %+v", x)
			return
		}
		w.heard(d, what[n], x, x.State)
		n++
	}
}

// heard keeps what a device told about a message.
func (w *World) heard(d *device, m *message, x object, state string) {
	if state == "failed" && w.lost(m) {
		return
	}
	if wrong := w.ledger.heard(m, x.ID, state, x.moment); wrong != "" {
		w.journal.fault(d.name, "%s", wrong)
	}
}

// lost says whether a message may never have been sent: its author had to go, or took it
// back, while it was queued.
func (w *World) lost(m *message) bool {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	return m.gone || !m.in.due(m.by, m.began)
}

// act has somebody answer, change or take back a message of their own.
func (w *World) act(d *device, r *chatroom, kind string, target *message, kill time.Duration) {
	m := w.ledger.write(d, r, kind, 0, w.journal.tick(), target)
	args := []string{"send", r.address(d), "--" + kind, target.id}
	if kind != "delete" {
		args = append(args, m.text)
	}
	w.journal.say(d.name, "%s of %d in %s: %d", kind, target.n, r.name, m.n)
	w.sent(d.do(command{args: args, room: r, kill: kill, print: w.hears(d, []*message{m})}), []*message{m})
}

// read has somebody read what is new. What was shown to the end is not shown again.
func (w *World) read(d *device, kill time.Duration) *outcome {
	began := w.journal.tick()
	o := d.do(command{args: []string{"read"}, kill: kill})
	if o == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range o.objects {
		if x.Type != "message" {
			continue
		}
		if at, before := d.saw[x.ID]; before && at < began {
			w.journal.fault(d.name, "shows as new what it showed before: %.60q", x.Text)
		}
		if o.exit() == 0 {
			d.saw[x.ID] = o.ended
		}
	}
	return o
}

// change has somebody change who is in a room, or what it is called.
func (w *World) change(d *device, r *chatroom, kill time.Duration, verb string, args ...string) *outcome {
	return d.do(command{args: append([]string{"room", verb, r.id}, args...), room: r, kill: kill})
}

// add brings somebody into a group, remove takes them out. They do nothing while the last
// such change is not certain.
func (w *World) add(by *device, r *chatroom, who *device, kill time.Duration) {
	s := r.enter(who, w.journal.tick())
	if s == nil {
		return
	}
	if w.change(by, r, kill, "add", who.handle).ok() {
		r.certain(&s.in, w.journal.tick())
	}
}

func (w *World) remove(by *device, r *chatroom, who *device, kill time.Duration) {
	s := r.exit(who, w.journal.tick())
	if s == nil {
		return
	}
	verb, args := "remove", []string{who.handle}
	if by == who {
		verb, args = "leave", nil
	}
	o := w.change(by, r, kill, verb, args...)
	if o.ok() && !(len(o.objects) == 1 && strings.Contains(o.objects[0].Done, "leaving")) {
		r.certain(&s.out, w.journal.tick())
	}
}

// rename gives a group another title.
func (w *World) rename(by *device, r *chatroom, n int, kill time.Duration) {
	title := r.name + " " + marker + " " + strconv.Itoa(n)
	r.mu.Lock()
	r.titles = append(r.titles, title)
	r.mu.Unlock()
	w.change(by, r, kill, "rename", title)
}
