package sim

import (
	"context"
	"fmt"
	"slices"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/wire"
)

// Person is somebody with an account and, by and by, several devices.
type Person struct {
	Name    string
	Handle  string
	Home    *Host
	devices []*Device // the first one is called as the person is

	words  []string        // lists of 24 words that were written down, the last one first
	chain  *identity.Chain // as the home server has it; nil before it was looked at
	harmed string          // why the person cannot have everything; "" without a reason

	strayed bool // the account had a device that nobody had
}

// somebody makes a person without a device.
func (w *World) somebody(name string, home *Host) *Person {
	p := &Person{Name: name, Handle: name + "@" + home.Name, Home: home}
	w.People = append(w.People, p)
	return p
}

// another makes a further device for somebody, which is not one of the account's yet.
func (w *World) another(p *Person, name string) *Device {
	d := w.newDevice(p, name)
	if err := d.open(); err != nil {
		w.T.Fatalf("%s: %v", name, err)
	}
	return d
}

// look reads the account at its home server; false while that cannot be asked.
func (p *Person) look() bool {
	if !p.Home.up || p.Home.Gone {
		return false
	}
	a := p.Home.request(client.Request{Method: "GET", Path: "/v1/directory/" + p.Name}, p.devices[0].addr)
	var l wire.Lookup
	if a.Status != 200 || wire.Unmarshal(a.Body, &l) != nil {
		return false
	}
	chain, err := identity.Verify(l.Chain)
	if err != nil {
		return false
	}
	p.chain = chain
	return true
}

// active are the devices that the account has and the person too.
func (p *Person) active() (out []*Device) {
	for _, d := range p.devices {
		if d.isActive() {
			out = append(out, d)
		}
	}
	return out
}

// isActive says whether a device is one of its account's, as the home server has it.
func (d *Device) isActive() bool {
	if d.lost || d.id == (wire.DeviceName{}) {
		return false
	}
	_, ok := d.Person.chain.Device(d.id)
	return ok
}

// revoked says whether a device was one of its account's and is not any more.
func (d *Device) revoked() bool { return d.id != (wire.DeviceName{}) && d.Person.revoked(d.id) }

func (p *Person) revoked(name wire.DeviceName) bool {
	return !p.chain.Active(name) && slices.ContainsFunc(p.chain.Record(0), func(s identity.Statement) bool { return s.Device != nil && s.Device.Name == name })
}

// strange are devices of the account that nobody has: the new one forgot its keys when it had
// been added.
func (p *Person) strange() (out []wire.DeviceName) {
	for _, a := range p.chain.ActiveDevices() {
		if !slices.ContainsFunc(p.devices, func(d *Device) bool { return d.id == a.Name }) {
			out = append(out, a.Name)
		}
	}
	return out
}

// lookAround reads every account at its home server.
func (r *Run) lookAround() error {
	for _, p := range r.People {
		if !p.look() && !p.Home.Gone {
			return fmt.Errorf("%s does not answer for %s", p.Home.Name, p.Name)
		}
	}
	return nil
}

// tidy is what people do when all is quiet: they unlink devices that they do not have, let those
// in again who wait for it, and try again to come back by their words.
func (r *Run) tidy() {
	for _, p := range r.People {
		if !p.look() {
			continue
		}
		have := p.active()
		for _, name := range p.strange() {
			p.strayed = true
			if len(have) > 0 {
				r.Stats.Count("devices that nobody had, unlinked", 1)
				have[0].Do(func(ctx context.Context, c *client.Client) { _ = c.Unlink(ctx, name) })
			}
		}
		for _, d := range p.devices {
			if d.recovers && d.id == (wire.DeviceName{}) {
				r.comeBack(d)
			}
		}
	}
	for _, d := range r.Devices {
		r.letBack(d)
	}
}

// letBack says yes to everybody who lost all devices and waits at one of the rooms.
func (r *Run) letBack(d *Device) {
	d.Do(func(ctx context.Context, c *client.Client) {
		for _, p := range r.parties() {
			list, err := c.Returns(p.id)
			if err != nil {
				return
			}
			for _, q := range list {
				if c.AnswerReturn(ctx, p.id, q.ID, true) == nil {
					r.Stats.Count("let in again", 1)
				}
			}
		}
	})
}
