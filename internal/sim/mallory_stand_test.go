package sim

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mimi"
)

// stand is a population with a room of all, in which one person turns.
type stand struct {
	*World
	ana, bo, cy, dee, fay, mal *Device
	to                         string // the room
	id                         room.ID
	said                       int
}

// newStand makes two hosts and six people: ana manages the room of all but fay, whom she
// adds later; mal and bo have a conversation of two.
func newStand(t *testing.T, seed uint64, as role) *stand {
	w := New(t, seed)
	a, b := w.Host("a.test"), w.Host("b.test")
	s := &stand{World: w}
	s.ana, s.mal, s.bo = w.Device("ana", a), w.Device("mal", []*Host{a, b}[seed%2]), w.Device("bo", a)
	s.cy, s.dee, s.fay = w.Device("cy", b), w.Device("dee", b), w.Device("fay", b)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.mal.Client.Send(ctx, s.bo.Handle, client.Text(mark+"hi"))
	must(err)
	w.Run(time.Second)
	must(s.bo.Client.Accept(ctx, s.mal.Handle))
	s.id, err = s.ana.Client.CreateRoom(ctx, "club", []string{s.mal.Handle, s.bo.Handle, s.cy.Handle, s.dee.Handle})
	must(err)
	w.Run(time.Second)
	for _, d := range []*Device{s.mal, s.bo, s.cy, s.dee} {
		must(d.Client.Accept(ctx, s.ana.Handle))
	}
	s.to = hex.EncodeToString(s.id[:])
	if as == asAdmin {
		must(s.ana.Client.SetAdmin(ctx, s.to, s.mal.Handle, true))
	}
	w.Run(3 * time.Second)
	for _, d := range w.Devices {
		d.seen.init()
	}
	return s
}

// people are the honest ones who are in the room from the beginning.
func (s *stand) people() []*Device { return []*Device{s.ana, s.bo, s.cy, s.dee} }

// write has somebody write into the room.
func (s *stand) write(d *Device, what string) {
	d.Do(func(ctx context.Context, c *client.Client) {
		s.said++
		text := fmt.Sprintf("%s%d %s by %s", mark, s.said, what, d.Name)
		if _, err := c.Send(ctx, s.to, client.Text(text)); err != nil {
			s.Fail("%s cannot write: %v", d.Name, err)
		}
	})
}

// bustle has everybody write for a time, and ana change the room meanwhile.
func (s *stand) bustle(span time.Duration) {
	draws := s.Draws("bustle")
	for _, d := range s.people() {
		for range 4 {
			s.After(time.Duration(draws.Int64N(int64(span))), func() { s.write(d, "meanwhile") })
		}
	}
	change := func(at time.Duration, f func(ctx context.Context, c *client.Client) error) {
		s.After(at, func() {
			s.ana.Do(func(ctx context.Context, c *client.Client) {
				if err := f(ctx, c); err != nil {
					s.Log.Info("a change was not made", "error", err)
				}
			})
		})
	}
	for i := range 3 {
		change(time.Duration(draws.Int64N(int64(span))), func(ctx context.Context, c *client.Client) error {
			return c.Rename(ctx, s.to, fmt.Sprintf("club %d", i))
		})
	}
	change(span/4, func(ctx context.Context, c *client.Client) error {
		return c.AddPeople(ctx, s.to, []string{s.fay.Handle})
	})
	change(span*3/4, func(ctx context.Context, c *client.Client) error { return c.RemovePerson(ctx, s.to, s.fay.Handle) })
}

// well says whether the room of the honest is in order: all are in one generation, with
// the same people in it, and nobody waits for anything.
func (s *stand) well(out bool) error {
	var first client.RoomInfo
	for i, d := range s.people() {
		if d.Client == nil {
			return fmt.Errorf("%s is off", d.Name)
		}
		x, err := s.roomAt(d)
		if err != nil {
			return err
		}
		if state, err := d.Client.GenerationState(s.id); err != nil || state != store.GenLive || x.State != store.RoomActive {
			return fmt.Errorf("%s: the room is in state %d, %d (%v)", d.Name, x.State, state, err)
		}
		if i == 0 {
			first = x
		}
		if x.Number != first.Number || x.Host != first.Host || x.Title != first.Title || !slices.Equal(handles(x), handles(first)) {
			return fmt.Errorf("%s is in generation %d %q with %v, ana in %d %q with %v", d.Name, x.Number, x.Title, handles(x), first.Number, first.Title, handles(first))
		}
	}
	for _, d := range s.people() {
		if !slices.Contains(handles(first), d.Handle) {
			return fmt.Errorf("%s is not among the members", d.Name)
		}
	}
	if in := slices.Contains(handles(first), s.mal.Handle); in == out {
		return fmt.Errorf("mallory in the room: %v", in)
	}
	return nil
}

func (s *stand) roomAt(d *Device) (client.RoomInfo, error) {
	list, err := d.Client.Rooms()
	for _, x := range list {
		if x.ID == s.id {
			return x, nil
		}
	}
	return client.RoomInfo{}, fmt.Errorf("%s does not have the room: %w", d.Name, err)
}

func handles(x client.RoomInfo) (out []string) {
	for _, m := range x.Members {
		out = append(out, m.Handle)
	}
	slices.Sort(out)
	return out
}

// texts are what somebody shows of what honest people wrote, in order.
func (s *stand) texts(d *Device) (out []store.Message) {
	list, err := d.Client.Messages(&s.id, 0, 1<<20)
	if err != nil {
		s.Fail("%s cannot read: %v", d.Name, err)
	}
	for _, m := range list {
		if len(m.Text) > len(mark) && m.Text[:len(mark)] == mark && m.Pos > 0 {
			out = append(out, m)
		}
	}
	return out
}

// whole says whether everybody has everything that honest people wrote, once, in one
// order. Who was shut out for a while has all but what was written meanwhile.
func (s *stand) whole(a MemberAttack) error {
	var full []mimi.MessageID
	lists := map[*Device][]mimi.MessageID{}
	for _, d := range s.people() {
		seen := map[string]bool{}
		for _, m := range s.texts(d) {
			if seen[m.Text] {
				return fmt.Errorf("%s has %q twice", d.Name, m.Text)
			}
			seen[m.Text] = true
			lists[d] = append(lists[d], m.ID)
		}
		if len(lists[d]) > len(full) {
			full = lists[d]
		}
	}
	if len(full) != s.said {
		return fmt.Errorf("nobody has all of %d messages, but %d at most", s.said, len(full))
	}
	short := 0
	for _, d := range s.people() {
		ids := lists[d]
		switch {
		case slices.Equal(ids, full):
		case a.Shuts && short == 0 && within(ids, full) && slices.Equal(ids[len(ids)-4:], full[len(full)-4:]):
			short++
		case len(ids) < len(full):
			return fmt.Errorf("%s has %d of %d messages", d.Name, len(ids), len(full))
		default:
			return fmt.Errorf("%s has another order than the others", d.Name)
		}
	}
	return nil
}

// within says whether some stand in all, in this order.
func within(some, all []mimi.MessageID) bool {
	for _, id := range some {
		i := slices.Index(all, id)
		if i < 0 {
			return false
		}
		all = all[i+1:]
	}
	return len(some) > 4
}

// bounded says whether what people's devices hold is in proportion to what was said.
func (s *stand) bounded() error {
	for _, d := range s.people() {
		notices, err := d.Client.Notices(0)
		if err != nil || len(notices) > 150 {
			return fmt.Errorf("%s has %d notices (%v)", d.Name, len(notices), err)
		}
		size := 0
		for _, name := range d.disk.Files() {
			size += len(d.disk.ReadFile(name))
		}
		if size > 12<<20 {
			return fmt.Errorf("%s has a database of %d bytes", d.Name, size)
		}
	}
	return nil
}
