package sim

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"regexp"
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
	parted map[string]bool    // texts that were written when those who are out were out
	from   int                // the samples of entries since then
	moved  bool               // somebody came or went
	odd    bool               // somebody lied, or went back: notices are to be expected
}

// party is a room of the plan.
type party struct {
	name    string
	id      room.ID
	pair    bool
	members []*Device // at the beginning, one for each person
	ids     map[room.ID]bool
}

// has says whether a device is of somebody who was in the room at the beginning.
func (p *party) has(d *Device) bool {
	return slices.ContainsFunc(p.members, func(x *Device) bool { return x.Person == d.Person })
}

// peer is the other one of a pair.
func (p *party) peer(d *Device) *Person {
	if p.members[0].Person == d.Person {
		return p.members[1].Person
	}
	return p.members[0].Person
}

// idOf is a room's id on a device: a pair may have found together in another one.
func (r *Run) idOf(d *Device, p *party) room.ID {
	if p.pair && p.has(d) {
		if id, err := d.Client.Resolve(p.peer(d).Handle); err == nil {
			p.ids[id] = true
			return id
		}
	}
	return p.id
}

// to is what somebody types who writes there.
func (r *Run) to(d *Device, p *party) string {
	id := r.idOf(d, p)
	return hex.EncodeToString(id[:])
}

// Perform carries a plan out, from an empty world to the last check.
func Perform(t *testing.T, p Plan) *Run {
	r := &Run{World: New(t, p.Seed), Plan: p, rooms: map[string]*party{}, harmed: map[*Device]string{}, parted: map[string]bool{}}
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
		if r.all(s) {
			verbs[s.Verb](r, s.Args)
		}
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
		d.attends(r.attending(d))
	}
	for _, x := range r.Plan.Rooms {
		p := &party{name: x.Name, pair: x.Pair}
		for _, m := range x.Members {
			p.members = append(p.members, r.Devices[m])
		}
		p.ids = map[room.ID]bool{}
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
		p.ids[p.id] = true
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

// find finds a device by its name; nil when there is none.
func (r *Run) find(name string) *Device {
	if i := slices.IndexFunc(r.Devices, func(d *Device) bool { return d.Name == name }); i >= 0 {
		return r.Devices[i]
	}
	return nil
}

// device finds a device that is there.
func (r *Run) device(name string) *Device {
	d := r.find(name)
	if d == nil {
		r.T.Fatalf("nobody is called %q", name)
	}
	return d
}

// all says whether all devices of which a step speaks are there: one that is linked in a step
// may have been left out.
func (r *Run) all(s Step) bool {
	for i, a := range s.Args {
		if furtherName.MatchString(a) && r.find(a) == nil && !(i == 1 && (s.Verb == "link" || s.Verb == "recover")) {
			return false
		}
	}
	return true
}

// furtherName matches the names of devices that come on the way.
var furtherName = regexp.MustCompile(`^[a-z]+[0-9]$`)

// harm notes that a device cannot have everything that was written; nor can those to which its
// history is still coming.
func (r *Run) harm(d *Device, why string) {
	if r.harmed[d] == "" {
		r.harmed[d] = why
		r.halfway(d, why)
	}
}

// harmPerson notes that of all devices of somebody, also of those to come.
func (r *Run) harmPerson(p *Person, why string) {
	if p.harmed == "" {
		p.harmed = why
	}
}

// why is why a device cannot have everything; "" when it must. What befell the person counts first,
// unless they are back, and that the device was linked too late counts least.
func (r *Run) why(d *Device) string {
	own, all := r.harmed[d], d.Person.harmed
	if all == "recovered" && own != partly {
		return cmp.Or(own, all)
	}
	return cmp.Or(all, own)
}

// spotless says that everybody must have everything.
func (r *Run) spotless() bool {
	return !r.odd && len(r.harmed) == 0 && !slices.ContainsFunc(r.People, func(p *Person) bool { return p.harmed != "" || p.strayed })
}
