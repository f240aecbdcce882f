package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// check is everything that must hold when all is calm; it may be too early for it. With
// words everybody has said one more thing.
func (r *Run) check(words bool) error {
	if err := r.lookAround(); err != nil {
		return err
	}
	if err := r.safe(); err != nil {
		return err
	}
	var errs []error
	for _, p := range r.parties() {
		if r.stuck(p) {
			continue
		}
		errs = append(errs, r.together(p), r.whole(p), r.true(p))
	}
	errs = append(errs, r.idle())
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return r.trees(words)
}

// mustBeIn says whether a device has to be in a room: one of its account that can be.
func (r *Run) mustBeIn(d *Device, p *party) bool {
	if !p.has(d) {
		return false
	}
	switch r.why(d) {
	case "", "cloned", partly:
	case "recovered": // if somebody can let it in
		if r.odd {
			return false
		}
	default:
		return false
	}
	in := 0
	for _, x := range p.members {
		if x.Person != d.Person && (x.Person.harmed == "" || x.Person.harmed == "recovered" && p.pair) {
			in++
		}
	}
	return in > 0 || r.why(d) != "recovered" && !p.pair
}

// stuck says that a room can go on nowhere: two people, of whom one has no home any more.
func (r *Run) stuck(p *party) bool {
	return p.pair && slices.ContainsFunc(p.members, func(d *Device) bool { return r.why(d) == "home died" })
}

// together says that all who are in a room are in the same one.
func (r *Run) together(p *party) error {
	var first *client.RoomInfo
	var by *Device
	for _, d := range r.Devices {
		if d.lost || d.revoked() || d.id == (wire.DeviceName{}) {
			continue
		}
		if d.Client == nil {
			return fmt.Errorf("%s is off", d.Name)
		}
		if r.why(d) == "home died" {
			continue
		}
		x, ok := r.roomOf(d, p)
		if !ok || x.State != store.RoomActive {
			if r.mustBeIn(d, p) {
				return fmt.Errorf("%s is not in %s any more", d.Name, p.name)
			}
			continue
		}
		if s, err := d.Client.GenerationState(x.ID); err != nil || s != store.GenLive {
			return fmt.Errorf("%s: %s is in state %d (%v)", d.Name, p.name, s, err)
		}
		if first == nil {
			first, by = &x, d
			continue
		}
		if x.ID != first.ID || x.Number != first.Number || x.Host != first.Host || x.Title != first.Title || !slices.Equal(names(x), names(*first)) {
			return fmt.Errorf("%s and %s are not in the same room %s: generation %d at %s %q %v, and %d at %s %q %v", by.Name, d.Name, p.name,
				first.Number, first.Host, first.Title, names(*first), x.Number, x.Host, x.Title, names(x))
		}
	}
	return nil
}

func names(x client.RoomInfo) (out []string) {
	for _, m := range x.Members {
		out = append(out, m.Handle)
	}
	slices.Sort(out)
	return out
}

// whole says that nothing is missing: who was in the room all the time has everything
// that somebody was told is stored, and whoever was not has no holes.
func (r *Run) whole(p *party) error {
	ls, err := r.lists(p)
	if err != nil {
		return err
	}
	var full *list
	for _, l := range ls {
		if r.why(l.d) == "" && !l.d.revoked() && p.has(l.d) && (full == nil || len(l.ids) > len(full.ids)) {
			full = l
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(r.Watch.stored), compareIDs) {
		s := r.Watch.stored[id]
		if !p.ids[s.room] || r.why(s.by) != "" || r.odd && s.by.revoked() {
			continue
		}
		for _, l := range ls {
			if r.odd && l.d.seen.missing {
				continue // and it says so
			}
			if _, ok := l.at[id]; !ok && r.why(l.d) == "" && !l.d.revoked() && p.has(l.d) {
				return fmt.Errorf("%s wrote %q into %s and was told %q, and %s does not have it", s.by.Name, s.text, p.name, s.state, l.d.Name)
			}
		}
	}
	if full == nil || r.odd {
		return nil
	}
	for _, l := range ls {
		if l.d.revoked() {
			continue
		}
		if why := r.why(l.d); why != "" && why != "add" && why != "remove" && why != "left" || len(l.ids) == 0 {
			continue
		}
		from, ok := full.at[l.ids[0]]
		if !ok {
			return fmt.Errorf("%s shows in %s what %s does not have", l.d.Name, p.name, full.d.Name)
		}
		if r.why(l.d) != "" {
			continue
		}
		if !slices.Equal(full.ids[from:], l.ids) {
			return fmt.Errorf("%s shows %d messages of %s where %s shows %d", l.d.Name, len(l.ids), p.name, full.d.Name, len(full.ids)-from)
		}
	}
	return nil
}

func compareIDs(a, b mimi.MessageID) int { return slices.Compare(a[:], b[:]) }

// true says that the states which people see are so.
func (r *Run) true(p *party) error {
	var in []*list
	for _, d := range r.inside(p) {
		l, err := r.listOf(d, p)
		if err != nil {
			return err
		}
		in = append(in, l)
	}
	for _, l := range in {
		if r.why(l.d) != "" || !p.has(l.d) {
			continue
		}
		for _, m := range l.all {
			if m.State == store.Queued {
				return fmt.Errorf("%s: %q in %s is still queued", l.d.Name, m.Text, p.name)
			}
			if m.State != store.Delivered && m.State != store.Read {
				continue
			}
			for _, q := range r.People {
				if q != l.d.Person && !r.has(q, in, m) {
					return fmt.Errorf("%s was told that %q in %s is %s, which is not so for %s", l.d.Name, m.Text, p.name, m.State, q.Name)
				}
			}
		}
	}
	return nil
}

// has says whether somebody has a message, on one device at least, and has read it if that was
// told. Of those who cannot have everything nothing is known.
func (r *Run) has(q *Person, in []*list, m store.Message) bool {
	any := false
	for _, e := range in {
		if e.d.Person != q {
			continue
		}
		if r.why(e.d) != "" || r.odd && e.d.seen.missing {
			return true
		}
		any = true
		if got := e.by[m.ID]; got != nil && (m.State != store.Read || got.Flags&store.FlagSeen != 0) {
			return true
		}
	}
	return !any
}

// idle says that nobody has anything left to do.
func (r *Run) idle() error {
	for _, d := range r.Devices {
		if d.Client == nil || d.id == (wire.DeviceName{}) || d.revoked() {
			continue
		}
		done := false
		d.Do(func(ctx context.Context, c *client.Client) { done = c.Sync(ctx) == nil })
		if !r.Until(patience, func() bool { return done }) {
			return fmt.Errorf("%s has still something to do", d.Name)
		}
	}
	return nil
}
