package sim

import (
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
	id := r.idOf(d, p)
	ms, err := d.Client.Messages(&id, 0, 1<<30)
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
		if d.seen.notices[client.NoticeExpired] > 0 && r.why(d) == "" {
			return fmt.Errorf("%s was told that messages had expired", d.Name)
		}
	}
	return nil
}
