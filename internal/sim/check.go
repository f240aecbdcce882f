package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/mimi"
)

// list is what a device shows of a room.
type list struct {
	d   *Device
	ids []mimi.MessageID
	at  map[mimi.MessageID]int
	by  map[mimi.MessageID]*store.Message
	all []store.Message
}

// listOf reads a room on a device: what has a place, in order.
func (r *Run) listOf(d *Device, p *party) (*list, error) {
	ms, err := d.Client.Messages(&p.id, 0, 1<<30)
	if err != nil {
		return nil, fmt.Errorf("%s cannot read %s: %w", d.Name, p.name, err)
	}
	l := &list{d: d, at: map[mimi.MessageID]int{}, by: map[mimi.MessageID]*store.Message{}, all: ms}
	for i, m := range ms {
		l.by[m.ID] = &ms[i]
		if m.Pos > 0 {
			l.at[m.ID] = len(l.ids)
			l.ids = append(l.ids, m.ID)
		}
	}
	return l, nil
}

func (r *Run) lists(p *party) (out []*list, err error) {
	for _, d := range r.Devices {
		if d.Client == nil {
			continue
		}
		if _, ok := r.roomOf(d, p); !ok {
			continue
		}
		l, err := r.listOf(d, p)
		if err != nil {
			if d.disk.Crashed() {
				continue
			}
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// parties are the rooms of the plan, in order.
func (r *Run) parties() (out []*party) {
	for _, name := range slices.Sorted(maps.Keys(r.rooms)) {
		out = append(out, r.rooms[name])
	}
	return out
}

// safe checks what must hold at every moment: one order, nothing twice, and that nobody
// was told of what did not happen.
func (r *Run) safe() error {
	for _, p := range r.parties() {
		ls, err := r.lists(p)
		if err != nil {
			return err
		}
		for i, a := range ls {
			if err := r.once(p, a); err != nil {
				return err
			}
			for _, b := range ls[:i] {
				if err := r.sameOrder(p, a, b); err != nil {
					return err
				}
			}
		}
	}
	return r.untroubled()
}

// once says that no text is shown twice.
func (r *Run) once(p *party, l *list) error {
	seen := map[string]bool{}
	for _, m := range l.all {
		if m.Kind != mimi.KindText && m.Kind != mimi.KindReply || m.Text == "" || m.Flags&store.FlagEdited != 0 {
			continue
		}
		if seen[m.Text] {
			return fmt.Errorf("%s shows %q in %s twice", l.d.Name, m.Text, p.name)
		}
		seen[m.Text] = true
	}
	return nil
}

// copied says that a device was one of two for a while: what the other one wrote came to it
// from outside, in the order in which it came.
func copied(harm string) bool { return harm == "cloned" || harm == "restored from an old copy" }

// sameOrder says that what two devices have in common stands in one order. A server that
// went back makes two orders where somebody had read what others had not: both are told.
func (r *Run) sameOrder(p *party, a, b *list) error {
	if copied(r.harmed[a.d]) || copied(r.harmed[b.d]) || a.d.seen.notices[client.NoticeFork] > 0 || b.d.seen.notices[client.NoticeFork] > 0 ||
		a.d.seen.notices[client.NoticeCopy] > 0 || b.d.seen.notices[client.NoticeCopy] > 0 {
		return nil
	}
	last := -1
	for _, id := range a.ids {
		i, ok := b.at[id]
		if !ok {
			continue
		}
		if i < last {
			return fmt.Errorf("%s and %s show %s in different orders, at %x", a.d.Name, b.d.Name, p.name, id[:4])
		}
		last = i
	}
	return nil
}

// alarming are notices that nobody may get while everybody is honest and no disk forgot.
var alarming = []string{client.NoticeJunk, client.NoticeFork, client.NoticeCopy, client.NoticeElsewhere, client.NoticeIdentity, client.NoticeUpdate}

func (r *Run) untroubled() error {
	if r.odd {
		return nil
	}
	for _, d := range r.Devices {
		for _, kind := range alarming {
			if d.seen.notices[kind] > 0 {
				return fmt.Errorf("%s was told of %q although everybody is honest", d.Name, kind)
			}
		}
		if d.seen.notices[client.NoticeExpired] > 0 && r.harmed[d] == "" {
			return fmt.Errorf("%s was told that messages had expired", d.Name)
		}
	}
	return nil
}

// check is everything that must hold when all is calm; it may be too early for it. With
// words everybody has said one more thing.
func (r *Run) check(words bool) error {
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
	return errors.Join(errs...)
}

// stuck says that a room can go on nowhere: two people, of whom one has no home any more.
func (r *Run) stuck(p *party) bool {
	return p.pair && slices.ContainsFunc(p.members, func(d *Device) bool { return r.harmed[d] == "home died" })
}

// together says that all who are in a room are in the same one.
func (r *Run) together(p *party) error {
	var first *client.RoomInfo
	var by *Device
	for _, d := range r.Devices {
		if d.Client == nil {
			return fmt.Errorf("%s is off", d.Name)
		}
		if r.harmed[d] == "home died" {
			continue
		}
		x, ok := r.roomOf(d, p)
		if !ok || x.State != store.RoomActive {
			if slices.Contains(p.members, d) && (r.harmed[d] == "" || r.harmed[d] == "cloned") {
				return fmt.Errorf("%s is not in %s any more", d.Name, p.name)
			}
			continue
		}
		if s, err := d.Client.GenerationState(p.id); err != nil || s != store.GenLive {
			return fmt.Errorf("%s: %s is in state %d (%v)", d.Name, p.name, s, err)
		}
		if first == nil {
			first, by = &x, d
			continue
		}
		if x.Number != first.Number || x.Host != first.Host || x.Title != first.Title || !slices.Equal(names(x), names(*first)) {
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
		if r.harmed[l.d] == "" && slices.Contains(p.members, l.d) && (full == nil || len(l.ids) > len(full.ids)) {
			full = l
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(r.Watch.stored), compareIDs) {
		s := r.Watch.stored[id]
		if s.room != string(p.id[:]) || r.harmed[s.by] != "" {
			continue
		}
		for _, l := range ls {
			if r.odd && l.d.seen.missing {
				continue // and it says so
			}
			if _, ok := l.at[id]; !ok && r.harmed[l.d] == "" && slices.Contains(p.members, l.d) {
				return fmt.Errorf("%s wrote %q into %s and was told %q, and %s does not have it", s.by.Name, s.text, p.name, s.state, l.d.Name)
			}
		}
	}
	if full == nil || r.odd {
		return nil
	}
	for _, l := range ls {
		if why := r.harmed[l.d]; why != "" && why != "add" && why != "remove" && why != "left" || len(l.ids) == 0 {
			continue
		}
		from, ok := full.at[l.ids[0]]
		if !ok {
			return fmt.Errorf("%s shows in %s what %s does not have", l.d.Name, p.name, full.d.Name)
		}
		if r.harmed[l.d] != "" {
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
		if r.harmed[l.d] != "" || !slices.Contains(p.members, l.d) {
			continue
		}
		for _, m := range l.all {
			if m.State == store.Queued {
				return fmt.Errorf("%s: %q in %s is still queued", l.d.Name, m.Text, p.name)
			}
			if m.State != store.Delivered && m.State != store.Read {
				continue
			}
			for _, e := range in {
				if e == l || r.harmed[e.d] != "" || r.odd && e.d.seen.missing {
					continue
				}
				if got := e.by[m.ID]; got == nil || m.State == store.Read && got.Flags&store.FlagSeen == 0 {
					return fmt.Errorf("%s was told that %q in %s is %s, which is not so for %s", l.d.Name, m.Text, p.name, m.State, e.d.Name)
				}
			}
		}
	}
	return nil
}

// idle says that nobody has anything left to do.
func (r *Run) idle() error {
	for _, d := range r.Devices {
		done := false
		d.Do(func(ctx context.Context, c *client.Client) { done = c.Sync(ctx) == nil })
		if !r.Until(patience, func() bool { return done }) {
			return fmt.Errorf("%s has still something to do", d.Name)
		}
	}
	return nil
}
