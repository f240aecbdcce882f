//go:build linux && chaos

package chaos

import (
	"slices"
	"strings"
)

// quiet are the kinds of notices that tell of what people did. All others tell of a fault,
// of which there is none where nobody cheats.
var quiet = []string{"joined", "left", "renamed", "removed"}

// verdict holds what the devices show against each other, when everybody has everything.
func (w *World) verdict(shown []*listing) {
	for i, l := range shown {
		w.tally.add("messages shown", len(l.list))
		for _, o := range shown[:i] {
			for _, r := range w.rooms {
				w.tally.add("orders compared", l.agrees(w, o, r))
			}
		}
	}
	due := 0
	for _, m := range w.ledger.list() {
		for _, d := range w.devices {
			if m.told != "" && m.in.due(d, m.began) {
				due++
			}
		}
		w.edited(m, shown)
	}
	w.tally.set("messages", len(w.ledger.list()))
	w.tally.add("deliveries checked", due)
	w.everybody(func(d *device) {
		w.lists(d)
		w.noticed(d)
	})
	w.groupsAgree()
}

// edited looks whether a message that was changed or taken back is shown so by its author.
// That the others show the same was looked at before.
func (w *World) edited(m *message, shown []*listing) {
	if m.kind != "edit" && m.kind != "delete" || m.told == "" || !m.in.due(m.by, m.began) {
		return
	}
	l := shown[m.by.n]
	at, here := l.of[m.target]
	if !here {
		w.journal.fault(m.by.name, "does not show message %d, which it acted on", m.target.n)
		return
	}
	if x := l.list[at]; m.kind == "delete" && !x.Deleted || m.kind == "edit" && !x.Edited && !x.Deleted {
		w.journal.fault(m.by.name, "shows message %d as if it were not acted on (%s): %+v", m.target.n, m.kind, x)
	}
}

// noticed looks for notices of faults.
func (w *World) noticed(d *device) {
	o := d.do(command{args: []string{"notices", "--all"}})
	if o == nil {
		return
	}
	for _, x := range o.objects {
		_, listed := d.rooms[x.Room]
		switch {
		case x.Type != "notice", slices.Contains(quiet, x.Kind):
		case holeElsewhere && w.rough && x.Kind == "read elsewhere":
		case holeMerged && w.o.Rough && x.Kind == "restored copy" && !listed:
		default:
			w.journal.fault(d.name, "notices (%s) %q in %.8s", x.Kind, x.Text, x.Room)
		}
	}
}

// lists holds a device's list of conversations against who is where.
func (w *World) lists(d *device) {
	o := d.do(command{args: []string{"rooms"}})
	if !o.ok() {
		return
	}
	d.rooms = map[string]object{}
	pairs := map[string]int{}
	for _, x := range o.objects {
		if x.Type != "room" {
			continue
		}
		d.rooms[x.ID] = x
		if x.Kind == "pair" && x.State == "active" {
			pairs[x.Name]++
		}
	}
	for _, r := range w.rooms {
		switch x, here := d.rooms[r.id]; {
		case r.pair && slices.Contains(r.peers, d):
			if n := pairs[r.address(d)]; n != 1 {
				w.journal.fault(d.name, "has %d conversations with %s", n, r.address(d))
			}
		case r.pair:
		case r.is(d) != (here && x.State == "active"):
			w.journal.fault(d.name, "is in %s: %t; its list says %q", r.name, r.is(d), x.State)
		case r.is(d):
			w.peopled(d, r, x)
		}
	}
}

// peopled holds the members that a device shows of a group against who is in it.
func (w *World) peopled(d *device, r *chatroom, x object) {
	var want, got []string
	for _, m := range r.members(w.devices) {
		want = append(want, m.handle)
	}
	for _, m := range x.Members {
		got = append(got, m.Handle)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		w.journal.fault(d.name, "shows %s in %s, where %s are", strings.Join(got, ", "), r.name, strings.Join(want, ", "))
	}
	if !slices.Contains(r.titles, x.Name) {
		w.journal.fault(d.name, "shows %s as %q, as which nobody named it", r.name, x.Name)
	}
}

// groupsAgree looks whether a group has one title.
func (w *World) groupsAgree() {
	for _, r := range w.groups() {
		title := ""
		for _, d := range r.members(w.devices) {
			x, here := d.rooms[r.id]
			if !here {
				continue
			}
			if title != "" && x.Name != title {
				w.journal.fault(d.name, "shows %s as %q, another as %q", r.name, x.Name, title)
			}
			title = x.Name
		}
	}
}
