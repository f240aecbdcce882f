package sim

import (
	"fmt"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// trees says that rooms hold the devices that the accounts have, and that who is out is out: no
// leaf in any room, also one that people do not see, is of a device that was revoked; everybody
// knows which devices the others have; and nobody who was out when the last things were said
// has them.
func (r *Run) trees(words bool) error {
	if !slices.ContainsFunc(r.People, func(p *Person) bool { return len(p.devices) > 1 }) {
		return nil
	}
	for _, d := range r.Devices {
		if d.Client == nil || !d.isActive() || r.why(d) == "home died" {
			continue
		}
		if err := r.leaves(d); err != nil {
			return err
		}
		if err := r.known(d); err != nil {
			return err
		}
	}
	for _, p := range r.parties() {
		for _, d := range r.Devices {
			if !words || d.Client == nil || !d.revoked() || d.Person.unheard() {
				continue
			}
			l, err := r.listOf(d, p)
			if err != nil {
				continue
			}
			for _, m := range l.all {
				if m.Account != d.Person.chain.ID() && r.parted[m.Text] {
					return fmt.Errorf("%s was unlinked and reads %q in %s", d.Name, m.Text, p.name)
				}
			}
		}
	}
	return nil
}

// leaves looks at the trees of a device's rooms.
func (r *Run) leaves(d *Device) error {
	return onDisk(d, func(tx store.Tx, keys *identity.Keys) error {
		rooms, err := tx.Rooms()
		if err != nil {
			return err
		}
		for _, x := range rooms {
			g, group, err := groupOf(tx, keys, x)
			if err != nil || group == nil {
				return err
			}
			known, err := tx.Known(x.ID, g.Number)
			if err != nil {
				return err
			}
			for i, n := range group.Members() {
				l, err := known.LeafOf(i, n)
				if err != nil {
					return err
				}
				for _, p := range r.People {
					if p.chain.ID() == l.Account && p.revoked(l.Device) && !p.unheard() {
						return fmt.Errorf("%s still has a leaf for a device of %s that was revoked, in %q", d.Name, p.Name, x.Title)
					}
				}
			}
		}
		return nil
	})
}

// unheard says that nobody can tell the others which devices somebody has: none of the account's
// is in a room with them.
func (p *Person) unheard() bool { return p.harmed == "cut off" || p.harmed == "home died" }

// known holds what a device knows of other people's devices against what is so.
func (r *Run) known(d *Device) error {
	for _, room := range r.parties() {
		if x, ok := r.roomOf(d, room); !ok || x.State != store.RoomActive {
			continue
		}
		for _, q := range r.inside(room) {
			if q.Person.unheard() {
				continue
			}
			list, err := d.Client.Devices(q.Person.chain.ID())
			if err != nil {
				return fmt.Errorf("%s does not know %s: %w", d.Name, q.Person.Name, err)
			}
			var has, is []wire.DeviceName
			for _, x := range list {
				has = append(has, x.Device)
			}
			for _, x := range q.Person.chain.ActiveDevices() {
				is = append(is, x.Name)
			}
			if !slices.Equal(has, is) && !r.odd { // a home server that went back has forgotten what others know
				return fmt.Errorf("%s knows %d devices of %s, who has %d", d.Name, len(has), q.Person.Name, len(is))
			}
		}
	}
	return nil
}

// onDisk reads a copy of a device's database.
func onDisk(d *Device, f func(tx store.Tx, keys *identity.Keys) error) error {
	st, err := store.Open(d.storeOptions(d.disk.Clone()))
	if err != nil {
		return err
	}
	defer st.Close()
	return st.View(func(tx store.Tx) error {
		b, _, err := tx.Fact("keys")
		if err != nil {
			return err
		}
		keys, err := identity.ParseKeys(b)
		if err != nil {
			return err
		}
		return f(tx, keys)
	})
}

// groupOf is the group of a room as a database holds it; nil when it holds none.
func groupOf(tx store.Tx, keys *identity.Keys, x store.Room) (*store.Generation, *mls.Group, error) {
	if x.State != store.RoomActive {
		return nil, nil, nil
	}
	g, err := tx.Generation(x.ID, x.Generation)
	if err != nil || g == nil || g.State != store.GenLive {
		return nil, nil, err
	}
	group, err := mls.LoadGroup(mls.Config{Suite: g.Suite, Signer: keys.Signature, Supported: []uint16{room.ExtContext}}, tx.GroupReader(x.ID, x.Generation))
	return g, group, err
}

// burgle has thieves with the devices that were revoked try to read what was said after they
// were out.
func (r *Run) burgle() {
	for _, d := range r.Devices {
		if d.stolen == nil || !d.revoked() || d.Person.unheard() {
			continue
		}
		thief := &Device{w: r.World, Name: d.Name, disk: d.stolen}
		err := onDisk(thief, func(tx store.Tx, keys *identity.Keys) error {
			rooms, err := tx.Rooms()
			if err != nil {
				return err
			}
			for _, x := range rooms {
				_, group, err := groupOf(tx, keys, x)
				if err != nil || group == nil {
					return err
				}
				g, err := tx.Generation(x.ID, x.Generation)
				if err != nil {
					return err
				}
				for _, s := range r.Watch.samples[r.from:] {
					if s.by.revoked() {
						continue
					}
					r.Stats.Count("entries a thief with an unlinked device tried", 1)
					if _, err := room.OpenEntry(group, g.Log, s.entry); err == nil {
						return fmt.Errorf("%s was unlinked, and what is on it opens an entry of later", d.Name)
					}
				}
			}
			return nil
		})
		if err != nil {
			r.Fail("a thief with %s: %v", d.Name, err)
		}
	}
}
