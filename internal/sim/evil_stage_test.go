package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
)

// stage is a population in which one of two hosts is evil.
type stage struct {
	*World
	evil, good            *Host
	ana, bo, cy, dee, eli *Device // the first two live at the evil host
	rooms                 []*hall
	pace                  time.Duration  // between two messages
	side                  int            // rooms made on the way
	refused               []string       // what people could not do, and why
	trouble               map[string]int // how often somebody lost a host, or could not reach it
	crowd                 []*Device      // guests of larger rooms
}

// hall is a room, and what was said in it.
type hall struct {
	id     room.ID
	title  string // "" of a pair
	people []*Device
	said   map[string]*Device
	maker  *Device
}

// name is the room as somebody in it calls it.
func (h *hall) name(d *Device) string {
	if h.title != "" {
		return h.title
	}
	return h.people[1-slices.Index(h.people, d)].Handle
}

func newStage(t *testing.T, seed uint64, crowd bool) *stage {
	w := New(t, seed)
	s := &stage{World: w, evil: w.Host("evil.test"), good: w.Host("good.test"), pace: 4 * time.Second, trouble: map[string]int{}}
	s.evil.Corrupt()
	s.ana, s.bo = w.Device("ana", s.evil), w.Device("bo", s.evil)
	s.cy, s.dee, s.eli = w.Device("cy", s.good), w.Device("dee", s.good), w.Device("eli", s.good)
	for i := range 12 {
		if crowd {
			s.crowd = append(s.crowd, w.Device(fmt.Sprint("guest", i), s.good))
		}
	}
	for _, d := range s.Devices {
		d.Client.Subscribe(func(e client.Event) {
			if e.Kind == client.EventOnline && e.Text == s.evil.Name {
				s.trouble[d.Name]++
			}
		})
	}
	s.found("club", s.ana, s.bo, s.cy, s.dee)
	s.found("den", s.dee, s.ana, s.bo, s.eli)
	s.found("", s.ana, s.cy)
	s.must(s.ana.Client.SetAdmin(context.Background(), "club", s.cy.Handle, true))
	s.calm(5 * time.Second)
	return s
}

func (s *stage) must(err error) {
	s.T.Helper()
	if err != nil {
		s.T.Fatal(err)
	}
}

// found makes a room.
func (s *stage) found(title string, maker *Device, guests ...*Device) *hall {
	s.T.Helper()
	h := &hall{title: title, people: append([]*Device{maker}, guests...), said: map[string]*Device{}, maker: maker}
	if title == "" {
		text := mark + "hello"
		m, err := maker.Client.Send(context.Background(), guests[0].Handle, client.Text(text))
		s.must(err)
		h.id, h.said[text] = m.Room, maker
	} else {
		var handles []string
		for _, g := range guests {
			handles = append(handles, g.Handle)
		}
		id, err := maker.Client.CreateRoom(context.Background(), title, handles)
		s.must(err)
		h.id = id
	}
	s.rooms = append(s.rooms, h)
	s.calm(2 * time.Second)
	return h
}

// calm lets time go on while people accept who writes to them.
func (s *stage) calm(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.Run(min(time.Second, end.Sub(s.now)))
		s.accept()
	}
}

// accept has everybody accept who writes to them, and notes who cannot reach a host.
func (s *stage) accept() {
	for _, d := range s.Devices {
		some, err := d.Client.Requests()
		s.must(err)
		for _, i := range some {
			handle := i.Handle
			d.Do(func(ctx context.Context, c *client.Client) { s.cannot(c.Accept(ctx, handle)) })
		}
		for _, h := range d.Client.Hosts() {
			if !h.Up && h.Err != nil && h.Name == s.evil.Name {
				s.trouble[d.Name]++
			}
		}
	}
}

// cannot notes what somebody was told they cannot do.
func (s *stage) cannot(err error) {
	if err != nil && !errors.Is(err, client.ErrNoRoom) && !errors.Is(err, client.ErrClosed) {
		s.refused = append(s.refused, err.Error())
	}
}

// talk has people write for a while, change rooms and make new ones.
func (s *stage) talk(d time.Duration, until func() bool) {
	rng := s.Draws(fmt.Sprint("talk ", s.now))
	for i := 0; i*int(s.pace) < int(d) && !(until != nil && until()); i++ {
		h := s.rooms[rng.IntN(min(len(s.rooms), 3))]
		s.say(h, h.people[rng.IntN(len(h.people))])
		if i%3 == 0 { // so that whoever is a victim has something on its way
			s.say(s.rooms[0], s.rooms[0].people[1+i/3%2])
		}
		switch {
		case i%12 == 1:
			s.rename(i)
		case i%7 == 3:
			s.makeRoom()
		}
		s.calm(s.pace)
	}
}

// say has somebody write something in a room.
func (s *stage) say(h *hall, d *Device) {
	text := fmt.Sprintf("%s%d by %s in %s", mark, len(h.said), d.Name, h.title)
	h.said[text] = d
	if _, err := d.Client.Send(context.Background(), h.name(d), client.Text(text)); err != nil {
		s.Fail("%s cannot write: %v", d.Name, err)
	}
}

// rename has an admin of the club change it.
func (s *stage) rename(i int) {
	d := []*Device{s.ana, s.cy}[i/12%2]
	d.Do(func(ctx context.Context, c *client.Client) {
		s.cannot(c.SetDisappear(ctx, "club", time.Duration(1000+i)*time.Hour))
	})
}

// makeRoom has somebody invite others to a new room.
func (s *stage) makeRoom() {
	if s.side++; len(s.crowd) > 0 && s.side > 2 {
		return // large rooms take their time
	}
	title := fmt.Sprint("side ", s.side)
	maker, guests := s.dee, []*Device{s.bo, s.ana}
	if s.side%2 == 0 {
		maker, guests = s.ana, append([]*Device{s.cy, s.bo}, s.crowd...)
	}
	var handles []string
	for _, g := range guests {
		handles = append(handles, g.Handle)
	}
	maker.Do(func(ctx context.Context, c *client.Client) {
		id, err := c.CreateRoom(ctx, title, handles)
		if err != nil {
			s.cannot(err)
			return
		}
		s.rooms = append(s.rooms, &hall{id: id, title: title, people: append([]*Device{maker}, guests...), said: map[string]*Device{}, maker: maker})
	})
}

// works says whether everybody has everything that was said in every room, and why not.
func (s *stage) works(missing func(h *hall, d *Device, text string) bool) string {
	for _, h := range s.rooms {
		for _, d := range h.people {
			got := s.texts(h, d)
			for _, text := range slices.Sorted(maps.Keys(h.said)) {
				if n := got[text]; n == 0 && !missing(h, d, text) {
					return fmt.Sprintf("%s does not have %q of %s", d.Name, text, h.said[text].Name)
				}
			}
		}
	}
	return ""
}

// texts counts the texts that somebody has in a room.
func (s *stage) texts(h *hall, d *Device) map[string]int {
	got := map[string]int{}
	for _, m := range s.messages(h, d) {
		got[m.Text]++
	}
	return got
}

func (s *stage) messages(h *hall, d *Device) []store.Message {
	id := h.id
	all, err := d.Client.Messages(&id, -1, 10_000)
	s.must(err)
	return all
}

// standing is how the rooms stand, for finding faults.
func (s *stage) standing() string {
	var b strings.Builder
	for _, h := range s.rooms {
		fmt.Fprintf(&b, "\n%q:", h.title)
		for _, d := range h.people {
			rooms, _ := d.Client.Rooms()
			for _, r := range rooms {
				if r.ID == h.id {
					g, _ := d.Client.GenerationState(r.ID)
					fmt.Fprintf(&b, " %s: generation %d at %s, state %d/%d, %d members;", d.Name, r.Number, r.Host, r.State, g, len(r.Members))
				}
			}
		}
	}
	for _, d := range s.Devices {
		fmt.Fprintf(&b, "\n%s %v", d.Name, d.seen.notices)
	}
	return b.String()
}
