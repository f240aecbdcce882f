package sim

import (
	"context"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// comparing is how long people look at the two words.
const comparing = 2 * time.Second

// link has somebody make another device one of their account's: with a code that the old device
// shows. Each try is one: what goes wrong stays so.
func (r *Run) link(old *Device, name string) {
	fresh := r.find(name)
	if fresh == nil {
		fresh = r.another(old.Person, name)
		fresh.attends(r.attending(fresh))
	}
	if fresh.id != (wire.DeviceName{}) || fresh.Person != old.Person {
		return
	}
	fresh.Start()
	r.Stats.Count("linkings begun", 1)
	old.Do(func(ctx context.Context, c *client.Client) {
		l, err := c.StartLinking(ctx)
		if err != nil {
			return
		}
		fresh.Do(func(ctx context.Context, c *client.Client) {
			if err := c.Link(ctx, old.Handle, l.Code.Digits, fresh.Name); err != nil {
				r.Log.Debug("not linked", "who", fresh.Name, "why", err)
			}
			fresh.settle()
		})
	})
	if fresh.linker = old; r.harmed[old] != "" {
		r.harm(fresh, r.harmed[old])
	}
}

// attending is what the person at a device does when it tells something.
func (r *Run) attending(d *Device) func(client.Event) {
	welcome := r.welcoming(d)
	return func(e client.Event) {
		switch {
		case e.Kind == client.EventLinking && e.Text == string(client.LinkCompare):
			r.After(comparing, func() { r.compare(d) })
		case e.Kind == client.EventLinking && e.Text == string(client.LinkDone):
			r.Stats.Count("linkings done, each side counted", 1)
		case e.Kind == client.EventNotice && e.Notice == client.NoticeKnock:
			r.After(time.Millisecond, func() { r.letBack(d) })
		default:
			welcome(e)
		}
	}
}

// compare has the person at the old device say that both show the same words, if they do.
func (r *Run) compare(d *Device) {
	if d.Client == nil || d.Asleep {
		return
	}
	l := d.Client.Linking()
	if l == nil || !l.Old || l.Stage != client.LinkCompare {
		return
	}
	for _, x := range d.Person.devices {
		if x.Client == nil || x == d {
			continue
		}
		if o := x.Client.Linking(); o != nil && !o.Old && o.Stage == client.LinkCompare && o.Code.Digits == l.Code.Digits && o.Words != l.Words {
			r.Fail("%s shows %v and %s %v", d.Name, l.Words, x.Name, o.Words)
		}
	}
	d.Do(func(ctx context.Context, c *client.Client) { _ = c.ConfirmLinking(ctx) })
}

// settle notes that a device has an account now.
func (d *Device) settle() {
	if d.Client == nil || d.id != (wire.DeviceName{}) {
		return
	}
	if s, err := d.Client.Self(); err == nil {
		d.id = s.Device
		if d != d.Person.devices[0] {
			d.w.Stats.Count("devices linked or recovered", 1)
		}
	}
}

// unlink has somebody take another device out of the account.
func (r *Run) unlink(by, whom *Device) {
	if by == whom || by.Person != whom.Person || whom.id == (wire.DeviceName{}) {
		return
	}
	by.Do(func(ctx context.Context, c *client.Client) {
		if c.Unlink(ctx, whom.id) == nil {
			r.Stats.Count("devices unlinked", 1)
			r.revoke(whom)
		}
	})
}

// revoke notes what follows when a device is out of the account: a thief has it, those that it
// linked do not get the rest of the history, and where nobody else of the account was in yet the
// account is out.
func (r *Run) revoke(d *Device) {
	if d.stolen == nil {
		d.stolen = d.disk.Clone()
	}
	r.halfway(d, partly)
	r.cutOff(d.Person, d)
}

// halfway notes that who takes the history of a device does not get all of it.
func (r *Run) halfway(from *Device, why string) {
	for _, x := range from.Person.devices {
		if x.linker == from && !x.hasHistory() {
			r.harm(x, why)
		}
	}
}

// partly is the harm of a device to which not all of the history came.
const partly = "has not the whole history"

// hasHistory says whether everything has come to a device that was linked.
func (d *Device) hasHistory() bool {
	if d.Client == nil || d.id == (wire.DeviceName{}) {
		return false
	}
	h, err := d.Client.History()
	return err == nil && h != nil && h.Done
}

// cutOff notes that an account has no device in a room any more that could bring others in.
func (r *Run) cutOff(p *Person, gone *Device) {
	for _, room := range r.parties() {
		if !room.has(gone) {
			continue
		}
		in := false
		for _, d := range p.devices {
			in = in || d != gone && d.Client != nil && d.stolen == nil && r.takesPart(d, room)
		}
		if !in {
			r.harmPerson(p, "cut off")
		}
	}
}

// takesPart says whether a device is in a room for good: no linking is under way.
func (r *Run) takesPart(d *Device, p *party) bool {
	x, ok := r.roomOf(d, p)
	return ok && x.State == 1
}

// writeDown has somebody make 24 words, write them down, and type back what is asked for.
func (r *Run) writeDown(d *Device) {
	d.Do(func(ctx context.Context, c *client.Client) {
		old := ""
		if s, err := c.Recovery(); err != nil {
			return
		} else if s.Set && len(d.Person.words) > 0 {
			old = d.Person.words[0]
		}
		list, err := c.MakeWords(ctx, old)
		if err != nil {
			return
		}
		s, err := c.Recovery()
		if err != nil {
			return
		}
		var typed []string
		for _, place := range s.Places {
			typed = append(typed, list[place-1])
		}
		d.Person.words = append([]string{strings.Join(list[:], " ")}, d.Person.words...)
		if c.ConfirmWords(ctx, typed) == nil {
			r.Stats.Count("words written down", 1)
		}
	})
}

// recover has somebody who lost all devices come back by the words; with a thief they run on.
func (r *Run) recover(p *Person, name string, thief bool) {
	if len(p.words) == 0 || r.find(name) != nil || p.harmed != "" {
		return
	}
	r.harmPerson(p, "recovered")
	for _, d := range p.devices {
		d.stolen = d.disk.Clone()
		if !thief {
			d.Stop()
			d.lost = true
		}
	}
	fresh := r.another(p, name)
	fresh.attends(r.attending(fresh))
	fresh.recovers = true
	r.Stats.Fault("all devices lost")
	r.comeBack(fresh)
}

// comeBack types the words, those that were written down last first.
func (r *Run) comeBack(d *Device) {
	d.Start()
	d.Do(func(ctx context.Context, c *client.Client) {
		for _, words := range d.Person.words {
			err := c.Recover(ctx, d.Handle, words, d.Name)
			if d.settle(); err == nil || d.id != (wire.DeviceName{}) {
				r.Stats.Count("recovered", 1)
				return
			}
			r.Log.Debug("not recovered", "who", d.Name, "why", err)
		}
	})
}
