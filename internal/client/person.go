package client

import (
	"cmp"
	"slices"
	"strings"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// What can change about a person.
const (
	ChangedMet      = "met"
	ChangedName     = "name"
	ChangedStatus   = "status"
	ChangedPicture  = "picture"
	ChangedDevice   = "device-added"
	ChangedRevoked  = "device-revoked"
	ChangedKey      = "key"
	ChangedHandle   = "handle"
	ChangedCompared = "compared"
)

// Person is somebody as this person sees them.
type Person struct {
	store.Person
	Name    string // shown: the nickname given here, else their own name, else the handle's first part
	Own     string // the name they show
	Status  string
	Picture string // its version, "" without one here
	Here    bool
	Room    *room.ID  // the conversation of two
	Rooms   []room.ID // in common, of which this person is a member; by Person only
}

// PersonChange is something that changed about a person: one of the Changed names.
type PersonChange = store.PersonChange

// DeviceInfo is a device of a person's chain.
type DeviceInfo struct {
	Device wire.DeviceName
	Name   string           // of an own device what the person calls it, else the first digits of its own
	Added  int64            // Unix milliseconds, by the clock of who added it
	By     *wire.DeviceName // the device that linked it; nil of the first, and of one that the words brought
	Self   bool
}

// People are the contacts and those who are blocked, by shown name.
func (c *Client) People() (out []Person, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			shows, err := tx.Profiles()
			if err != nil {
				return err
			}
			for _, s := range []store.Standing{store.Contact, store.Blocked} {
				list, err := tx.People(s)
				if err != nil {
					return err
				}
				for _, p := range list {
					one, err := c.asPerson(tx, p, shows[p.Account])
					if err != nil {
						return err
					}
					out = append(out, *one)
				}
			}
			return nil
		})
		slices.SortStableFunc(out, func(a, b Person) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	})
	return out, err
}

// Person is everything about an account; nil when it is not known.
func (c *Client) Person(account identity.ID) (out *Person, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			p, err := tx.Person(account)
			if err != nil || p == nil {
				return err
			}
			show, err := tx.Profile(account)
			if err != nil {
				return err
			}
			if show == nil {
				show = &store.Profile{}
			}
			out, err = c.asPerson(tx, *p, *show)
			return err
		})
		if out == nil {
			return
		}
		for _, g := range c.sortedGens() {
			if g.group != nil && g.known[account] != nil && c.isCurrent(g) {
				out.Rooms = append(out.Rooms, g.Room)
			}
		}
	})
	return out, err
}

// isCurrent says whether a generation is the one that its room is written to, of a room that
// this person is in.
func (c *Client) isCurrent(g *gen) (yes bool) {
	_ = c.read(func(tx store.Tx) error { yes = c.isCurrentIn(tx, g); return nil })
	return yes
}

func (c *Client) asPerson(tx store.Tx, p store.Person, show store.Profile) (*Person, error) {
	out := &Person{Person: p, Name: shownName(store.Named{Handle: p.Handle, Nickname: p.Nickname, Own: show.Name}), Own: show.Name, Status: show.Status, Here: c.isAnywhere(p.Account)}
	if show.Have {
		out.Picture = pictureVersion(show.Hash)
	}
	id, err := activePair(tx, p.Account)
	out.Room = id
	return out, err
}

// activePair is the conversation of two with an account; nil when there is none.
func activePair(tx store.Tx, account identity.ID) (*room.ID, error) {
	rooms, err := tx.PairRooms(account)
	for _, r := range rooms {
		if r.State == store.RoomActive {
			return &r.ID, err
		}
	}
	return nil, err
}

// shownName is how a person is called in the interface.
func shownName(n store.Named) string {
	switch {
	case n.Nickname != "":
		return n.Nickname
	case n.Own != "":
		return n.Own
	}
	name, _, _ := strings.Cut(n.Handle, "@")
	return name
}

// Names are the shown names of everybody this device knows.
func (c *Client) Names() (out map[identity.ID]string, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			list, err := tx.Names()
			out = make(map[identity.ID]string, len(list))
			for _, n := range list {
				out[n.Account] = shownName(n)
			}
			return err
		})
	})
	return out, err
}

// Name is the shown name of an account, "" when it is not known.
func (c *Client) Name(account identity.ID) (name string, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			n, err := tx.NameOf(account)
			if n.Handle != "" {
				name = shownName(n)
			}
			return err
		})
	})
	return name, err
}

// called is how a notice calls an account: by the nickname given here; a contact by the name
// they show; anybody else by their handle, since a name is what they say of themselves.
func (c *Client) called(tx store.Tx, account identity.ID, handle string) string {
	if account == c.chain.ID() {
		return "You"
	}
	n, err := tx.NameOf(account)
	if err != nil || n.Handle == "" {
		return handle
	}
	if n.Nickname != "" {
		return n.Nickname
	}
	if s, err := tx.Standing(account); err == nil && s == store.Contact && n.Own != "" {
		return n.Own
	}
	return n.Handle
}

// SafetyNumber is what this person and another compare: twelve groups of five digits.
func (c *Client) SafetyNumber(account identity.ID) (n string, err error) {
	c.on(func() {
		if c.chain == nil {
			err = ErrNoAccount
			return
		}
		n = identity.SafetyNumber(c.chain.ID(), account)
	})
	return n, err
}

// Devices are the devices of an account's chain that may speak for it, oldest first; this
// account's too.
func (c *Client) Devices(account identity.ID) (out []DeviceInfo, err error) {
	c.on(func() {
		chain := c.chain
		if chain == nil || account != chain.ID() {
			err = c.read(func(tx store.Tx) error {
				p, err := tx.Person(account)
				if p != nil {
					chain = p.Chain
				} else if err == nil {
					err = ErrNoRoom
				}
				return err
			})
		}
		if err != nil {
			return
		}
		info := map[wire.DeviceName]DeviceInfo{}
		for _, s := range chain.Record(0) {
			if s.Device == nil {
				continue
			}
			d := DeviceInfo{Device: s.Device.Name, Name: deviceName(s.Device.Name), Added: int64(min(s.Time, 1<<40)) * 1000}
			if s.Kind == identity.AddDevice {
				d.By = s.Signer
			}
			info[d.Device] = d
		}
		for _, d := range chain.ActiveDevices() {
			x := info[d.Name]
			if account == c.chain.ID() {
				x.Self = d.Name == c.keys.Name
				if label, err := c.label(d.Name); err == nil && label != "" {
					x.Name = label
				}
			}
			out = append(out, x)
		}
	})
	return out, err
}

// Changes are what changed about a person, newest first.
func (c *Client) Changes(account identity.ID) (out []PersonChange, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) (err error) { out, err = tx.PersonChanges(account); return err })
	})
	return out, err
}

// changePerson changes what a known account is here.
func (c *Client) changePerson(account identity.ID, f func(tx store.Tx, after *[]func(), p *store.Person) error) (err error) {
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			p, err := tx.Person(account)
			if err != nil {
				return err
			}
			if p == nil {
				return ErrNoRoom
			}
			*after = append(*after, func() { c.emit(Event{Kind: EventPerson, Account: account}) })
			return f(tx, after, p)
		})
	})
	return err
}

// SetNickname gives a person a name that only this person sees; "" takes it away.
func (c *Client) SetNickname(account identity.ID, name string) error {
	name = strings.TrimSpace(name)
	if room.CheckName(name) != nil {
		return wire.Refuse(wire.CodeMalformed, "a name has at most %d characters, none of them invisible", room.MaxName)
	}
	return c.changePerson(account, func(tx store.Tx, after *[]func(), p *store.Person) error {
		if name == p.Nickname {
			return nil
		}
		if err := c.keep(tx, after, room.KeptNickname, account[:], valued(name)); err != nil {
			return err
		}
		return tx.SetNickname(account, name)
	})
}

// SetBlocked blocks a person: what they send from now on is not shown, and their invitations
// are dropped. Unblocked, they are what they were before; what was hidden stays hidden.
func (c *Client) SetBlocked(account identity.ID, on bool) error {
	return c.changePerson(account, func(tx store.Tx, after *[]func(), p *store.Person) error {
		if on {
			return c.block(tx, after, account)
		}
		if p.Standing != store.Blocked {
			return nil
		}
		if err := tx.Unblock(account); err != nil {
			return err
		}
		s, err := tx.Standing(account)
		if err != nil {
			return err
		}
		if err := c.setStanding(tx, after, account, s); err != nil {
			return err
		}
		id, err := activePair(tx, account)
		if err != nil || id == nil {
			return err
		}
		return c.oweProfile(tx, after, *id, profileDelay.Milliseconds())
	})
}

func (c *Client) block(tx store.Tx, after *[]func(), account identity.ID) error {
	if err := c.keep(tx, after, room.KeptStanding, account[:], valued(uint8(store.Blocked))); err != nil {
		return err
	}
	if err := tx.Block(account); err != nil {
		return err
	}
	if err := c.endCallsWith(tx, after, account); err != nil {
		return err
	}
	*after = append(*after, func() {
		c.unseen(account)
		c.emit(Event{Kind: EventRequest})
	})
	return tx.DropRequests(account)
}

// SetContact makes a person a contact, whose invitations are followed, or a stranger again.
func (c *Client) SetContact(account identity.ID, on bool) error {
	return c.changePerson(account, func(tx store.Tx, after *[]func(), p *store.Person) error {
		switch {
		case p.Standing == store.Blocked:
			return wire.Refuse(wire.CodeMalformed, "%s is blocked: unblock them first", p.Handle)
		case !on:
			*after = append(*after, func() { c.unseen(account) })
			return c.setStanding(tx, after, account, store.Stranger)
		}
		if other, err := tx.PersonByHandle(p.Handle); err != nil {
			return err
		} else if other != nil && other.Account != account && other.Standing == store.Contact {
			return ErrChanged
		}
		return c.setStanding(tx, after, account, store.Contact)
	})
}

// SetCompared notes that two people have compared their safety numbers and found the same,
// or that they differ or are to be compared anew.
func (c *Client) SetCompared(account identity.ID, same bool) error {
	return c.changePerson(account, func(tx store.Tx, after *[]func(), p *store.Person) error {
		now := c.nowMS()
		if !same {
			if err := c.keepCompared(tx, after, p, 0); err != nil {
				return err
			}
			return tx.SetCompared(account, 0, p.Changed)
		}
		if err := c.keepCompared(tx, after, p, now); err != nil {
			return err
		}
		if err := cmp.Or(tx.SetCompared(account, now, 0), c.resume(tx, after, account)); err != nil {
			return err
		}
		return tx.AddPersonChange(account, store.PersonChange{Time: now, What: ChangedCompared})
	})
}
