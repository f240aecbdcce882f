//go:build linux && chaos

package chaos

// listing is what a device shows of everything: `read --all`.
type listing struct {
	d     *device
	list  []object   // of messages
	what  []*message // that each of them is, nil for what nobody wrote
	place map[string]int
	of    map[*message]int
}

// list has a device show everything, and holds that against what it had shown before.
func (w *World) list(d *device) *listing {
	o := d.do(command{args: []string{"read", "--all"}})
	if !o.ok() {
		return nil
	}
	l := &listing{d: d, place: map[string]int{}, of: map[*message]int{}}
	for _, x := range o.objects {
		if x.Type == "message" {
			l.add(w, x)
		}
	}
	d.mu.Lock()
	before := d.shown
	d.shown = l
	d.mu.Unlock()
	if before != nil {
		l.after(w, before)
	}
	return l
}

func (l *listing) add(w *World, x object) {
	who := l.d.name
	if _, twice := l.place[x.ID]; twice {
		w.journal.fault(who, "shows %s twice: %.80q", x.ID, x.Text)
		return
	}
	l.place[x.ID] = len(l.list)
	m := w.ledger.find(x)
	switch {
	case m == nil:
		w.journal.fault(who, "shows what nobody wrote: %+v", x)
	case x.Kind != m.kind:
		w.journal.fault(who, "shows message %d as %s, not as %s", m.n, x.Kind, m.kind)
	case x.From != m.by.handle || x.Own != (m.by == l.d):
		w.journal.fault(who, "shows message %d as one of %s", m.n, x.From)
	default:
		l.keep(w, m, x)
	}
	l.list, l.what = append(l.list, x), append(l.what, m)
}

// keep takes a message that was shown as what it is.
func (l *listing) keep(w *World, m *message, x object) {
	who := l.d.name
	if at, twice := l.of[m]; twice {
		w.journal.fault(who, "shows message %d twice, as %s and as %s", m.n, l.list[at].ID, x.ID)
	}
	l.of[m] = len(l.list)
	state := x.State
	if !x.Own { // the id is known now, and nothing else
		state = m.told
		if state == "" {
			state = "queued"
		}
	}
	w.heard(l.d, m, x, state)
	if m.in.barred(l.d, m.began, m.held) {
		w.journal.fault(who, "shows message %d, which is not for it: %.80q", m.n, m.text)
	}
	if !m.in.pair && x.Room != m.in.id {
		w.journal.fault(who, "shows message %d in the room %s, not in %s", m.n, x.Room, m.in.id)
	}
}

// after looks whether all that was shown before is still there, in its order.
func (l *listing) after(w *World, before *listing) {
	last, lastID := -1, ""
	for _, x := range before.list {
		at, here := l.place[x.ID]
		switch {
		case !here:
			w.journal.fault(l.d.name, "no longer shows %s: %.80q", x.ID, x.Text)
		case x.Arrived == "": // it had no place yet
		case at < last:
			w.journal.fault(l.d.name, "now shows %s before %s", x.ID, lastID)
		default:
			last, lastID = at, x.ID
		}
	}
}

// placed are the messages of a room that have their place and that another device shows
// too, in order.
func (l *listing) placed(r *chatroom, o *listing) (out []object) {
	for i, x := range l.list {
		if _, both := o.place[x.ID]; both && x.Arrived != "" && l.what[i] != nil && l.what[i].in == r && l.what[i].began >= r.since {
			out = append(out, x)
		}
	}
	return out
}

// agrees looks whether two devices show what both have in the same way.
func (l *listing) agrees(w *World, o *listing, r *chatroom) (compared int) {
	order := o.placed(r, l)
	for i, x := range l.placed(r, o) {
		y := o.list[o.place[x.ID]]
		switch {
		case i >= len(order) || order[i].ID != x.ID:
			w.journal.fault(l.d.name, "shows %s in another order than %s: %.60q", x.ID, o.d.name, x.Text)
			return i
		case x.Room != y.Room:
			w.journal.fault(l.d.name, "shows %s in the room %s, %s in %s", x.ID, x.Room, o.d.name, y.Room)
		case x.Arrived != y.Arrived:
			w.journal.fault(l.d.name, "says that %s arrived at %s, %s says %s", x.ID, x.Arrived, o.d.name, y.Arrived)
		case l.stayed(r, x) && o.stayed(r, x) && (x.Text != y.Text || x.Deleted != y.Deleted || x.Edited != y.Edited):
			w.journal.fault(l.d.name, "shows %s as %.60q (edited %t, deleted %t), %s as %.60q (%t, %t)",
				x.ID, x.Text, x.Edited, x.Deleted, o.d.name, y.Text, y.Edited, y.Deleted)
		}
	}
	return len(order)
}

// stayed says whether a device was in the room ever since a message was written.
func (l *listing) stayed(r *chatroom, x object) bool {
	m := l.what[l.place[x.ID]]
	return m != nil && r.due(l.d, m.began)
}
