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
	"sotto/mls"
)

// Run is a plan that is carried out.
type Run struct {
	*World
	Plan  Plan
	rooms map[string]*party
	texts int // numbers the texts: no two are alike
	// What happened that changes what can be promised.
	harmed map[*Device]string // devices that cannot have everything, and why
	moved  bool               // somebody came or went
	odd    bool               // somebody lied, or went back: notices are to be expected
}

// party is a room of the plan.
type party struct {
	name    string
	id      room.ID
	pair    bool
	members []*Device // at the beginning
}

func (p *party) to() string { return hex.EncodeToString(p.id[:]) }

// Perform carries a plan out, from an empty world to the last check.
func Perform(t *testing.T, p Plan) *Run {
	r := &Run{World: New(t, p.Seed), Plan: p, rooms: map[string]*party{}, harmed: map[*Device]string{}}
	r.TTL = p.TTL
	if p.XWing {
		r.Suite = mls.XWing
	}
	if r.populate(); r.Failure() != "" {
		return r
	}
	begin := r.Now()
	for _, s := range p.Steps {
		if r.Failure() != "" {
			return r
		}
		if at := begin.Add(s.At); at.After(r.Now()) {
			r.World.Run(at.Sub(r.Now()))
		}
		r.Log.Debug("step", "verb", s.Verb, "args", s.Args)
		verbs[s.Verb](r, s.Args)
	}
	r.calm()
	return r
}

// populate makes hosts, people and rooms, and waits until everybody is in.
func (r *Run) populate() {
	for _, n := range r.Plan.Hosts {
		r.Host(n + ".test")
	}
	for i, home := range r.Plan.Homes {
		d := r.World.Device(person(i), r.host(home+".test"))
		d.Client.Subscribe(r.welcoming(d))
	}
	for _, x := range r.Plan.Rooms {
		p := &party{name: x.Name, pair: x.Pair}
		for _, m := range x.Members {
			p.members = append(p.members, r.Devices[m])
		}
		r.rooms[x.Name] = p
		owner := p.members[0]
		var err error
		if x.Pair {
			m, e := owner.Client.Send(context.Background(), p.members[1].Handle, client.Text(r.text(owner)))
			if err = e; err == nil {
				p.id = m.Room
			}
		} else {
			var handles []string
			for _, d := range p.members[1:] {
				handles = append(handles, d.Handle)
			}
			p.id, err = owner.Client.CreateRoom(context.Background(), x.Name, handles)
		}
		if err != nil {
			r.Fail("making %s: %v", x.Name, err)
			return
		}
	}
	in := func() bool {
		for _, p := range r.rooms {
			for _, d := range p.members {
				if s, err := d.Client.GenerationState(p.id); err != nil || s != 1 {
					return false
				}
			}
		}
		return true
	}
	if !r.Until(patience, in) {
		r.Fail("not everybody came in")
	}
}

// welcoming accepts whoever writes: people here trust each other.
func (r *Run) welcoming(d *Device) func(client.Event) {
	return func(e client.Event) {
		if e.Kind != client.EventRequest {
			return
		}
		r.After(time.Millisecond, func() {
			d.Do(func(ctx context.Context, c *client.Client) {
				list, err := c.Requests()
				if err != nil {
					return
				}
				for _, q := range list {
					_ = c.Accept(ctx, q.Handle)
				}
			})
		})
	}
}

// text is a text that was never written before.
func (r *Run) text(d *Device) string {
	r.texts++
	return fmt.Sprintf("%s %s %d", mark, d.Name, r.texts)
}

// device finds one of the people.
func (r *Run) device(name string) *Device {
	if i := slices.IndexFunc(r.Devices, func(d *Device) bool { return d.Name == name }); i >= 0 {
		return r.Devices[i]
	}
	r.T.Fatalf("nobody is called %q", name)
	return nil
}

// harm notes that a device cannot have everything that was written.
func (r *Run) harm(d *Device, why string) {
	if r.harmed[d] == "" {
		r.harmed[d] = why
	}
}
