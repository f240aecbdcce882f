package client

import (
	"errors"
	"time"

	"sotto/internal/identity"
	"sotto/internal/recovery"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// factReturning is what a recovery has not brought back yet.
const factReturning = "returning"

// Times of coming back.
const (
	returnRetry = time.Minute         // who could not be reached is tried again, at longer and longer distances
	returnLast  = 6 * time.Hour       // the longest of them
	returnAgain = 7 * 24 * time.Hour  // members who have not answered are asked again
	returnEnd   = 60 * 24 * time.Hour // and not for ever
)

// returning is what is still to come back, durable.
type returning struct {
	People []recovery.Contact `cbor:"1,keyasint,omitempty"`
	Rooms  []returningRoom    `cbor:"2,keyasint,omitempty"`
	Tries  uint64             `cbor:"3,keyasint,omitempty"`
}

type returningRoom struct {
	recovery.Room
	Asked map[int]int64 `cbor:"8,keyasint,omitempty"` // members, by their place in the list, and when
	Since int64         `cbor:"9,keyasint"`
}

func (c *Client) back(tx store.Tx) (*returning, error) { return loadFact[returning](tx, factReturning) }

// stillBack is what is still to come back, for people.
func (c *Client) stillBack() (*Back, error) {
	var r *returning
	if err := c.read(func(tx store.Tx) (err error) { r, err = c.back(tx); return err }); err != nil || r == nil {
		return nil, err
	}
	out := &Back{People: len(r.People)}
	for _, x := range r.Rooms {
		if x.Kind == room.Group {
			out.Rooms = append(out.Rooms, x.Title)
		}
	}
	if out.People == 0 && len(out.Rooms) == 0 {
		return nil, nil
	}
	return out, nil
}

// bringBack goes on with what a recovery is to bring back: people first, since the answers of
// rooms are followed only if they are known.
func (c *Client) bringBack() {
	if c.backing || c.closed || c.unlinked() || c.account == nil || !c.account.link.up {
		return
	}
	var r *returning
	if err := c.read(func(tx store.Tx) (err error) { r, err = c.back(tx); return err }); err != nil {
		c.fail("reading what is to come back", err)
		return
	}
	if r == nil {
		return
	}
	c.backing = true
	c.backPeople(r, 0, nil)
}

// backPeople looks the people up, one after the other. still are who could not be reached.
func (c *Client) backPeople(r *returning, i int, still []recovery.Contact) {
	if i == len(r.People) {
		r.People = still
		c.backRooms(r, 0, nil)
		return
	}
	p := r.People[i]
	c.lookup(p.Handle, func(f *found, err error) {
		switch {
		case err == nil:
			err = c.update(func(tx store.Tx, after *[]func()) error { return c.backPerson(tx, after, p, f) })
			if err != nil {
				c.fail("keeping a person", err)
				still = append(still, p)
			}
		case refused(err) && !errors.Is(err, wire.Refuse(wire.CodeSlowDown, "")), errors.Is(err, identity.ErrChain), errors.Is(err, identity.ErrFork):
			c.log.Info("a person who is not back", "error", err)
		default:
			still = append(still, p)
		}
		c.backPeople(r, i+1, still)
	})
}

// backPerson keeps somebody whom the record names, if their server still says so.
func (c *Client) backPerson(tx store.Tx, after *[]func(), p recovery.Contact, f *found) error {
	if f.chain.ID() != p.Account || !f.chain.Includes(p.Head, int(p.Length)) {
		return c.notice(tx, after, nil, NoticeIdentity, said.Of("recovered.other", "name", p.Handle))
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventPerson, Account: p.Account}) })
	if p.Nickname != "" {
		if err := c.keep(tx, after, room.KeptNickname, p.Account[:], valued(p.Nickname)); err != nil {
			return err
		}
		if err := tx.SetNickname(p.Account, p.Nickname); err != nil {
			return err
		}
	}
	if p.Standing == recovery.Blocked {
		return c.block(tx, after, p.Account)
	}
	return c.setStanding(tx, after, p.Account, store.Contact)
}

// backRooms asks for the rooms, one after the other. still are those that have not come back.
func (c *Client) backRooms(r *returning, i int, still []returningRoom) {
	if i == len(r.Rooms) {
		c.backDone(r, still)
		return
	}
	x := r.Rooms[i]
	next := func(over bool) {
		if !over && c.nowMS()-x.Since < returnEnd.Milliseconds() {
			still = append(still, x)
		}
		c.backRooms(r, i+1, still)
	}
	if here, err := c.isBack(x); err != nil || here {
		next(here)
		return
	}
	if x.Kind == room.Pair {
		c.backPair(x, next)
		return
	}
	c.backGroup(&x, 0, nil, func() { next(false) })
}

// isBack says whether this device is in a room, or in a pair with the same person.
func (c *Client) isBack(x returningRoom) (here bool, err error) {
	err = c.read(func(tx store.Tx) error {
		if x.Kind == room.Pair && len(x.Members) == 1 {
			id, err := activePair(tx, x.Members[0].Account)
			here = id != nil
			return err
		}
		have, err := tx.Room(x.ID)
		here = have != nil && have.Live()
		return err
	})
	return here, err
}

// backPair opens a new conversation of two, which takes the place of the old one on the other
// side.
func (c *Client) backPair(x returningRoom, next func(over bool)) {
	if len(x.Members) != 1 {
		next(true)
		return
	}
	m := x.Members[0]
	var standing store.Standing
	if err := c.read(func(tx store.Tx) (err error) { standing, err = tx.Standing(m.Account); return err }); err != nil || standing != store.Contact {
		next(standing == store.Blocked) // a stranger may become a contact when they can be looked up
		return
	}
	c.invitee(m.Handle, nil, func(some []newcomer, err error) {
		if err != nil {
			next(false)
			return
		}
		if some[0].chain.ID() != m.Account {
			next(true) // told when the person was looked up
			return
		}
		if here, err := c.isBack(x); err != nil || here { // they wrote meanwhile
			next(here)
			return
		}
		if _, err := c.makeRoom(room.Pair, "", some); err != nil {
			c.fail("opening a conversation again", err)
			next(false)
			return
		}
		c.pump()
		next(true)
	})
}

// backGroup writes to the devices of the members that can be looked up.
func (c *Client) backGroup(x *returningRoom, i int, to []newcomer, done func()) {
	if i == len(x.Members) {
		if len(to) > 0 {
			if err := c.askReturn(x, to); err != nil {
				c.fail("asking to be let in again", err)
				x.Asked = nil
			}
		}
		done()
		return
	}
	m := x.Members[i]
	if at, asked := x.Asked[i]; asked && c.nowMS()-at < returnAgain.Milliseconds() {
		c.backGroup(x, i+1, to, done)
		return
	}
	c.lookup(m.Handle, func(f *found, err error) {
		if err == nil && f.chain.ID() == m.Account {
			for _, d := range f.chain.ActiveDevices() {
				if in, ok := f.inboxes[d.Name]; ok {
					to = append(to, newcomer{chain: f.chain, device: d, address: room.Joined{Host: f.host, Inbox: in.Inbox, Capability: in.Capability}})
				}
			}
			if x.Asked == nil {
				x.Asked = map[int]int64{}
			}
			x.Asked[i] = c.nowMS()
		}
		c.backGroup(x, i+1, to, done)
	})
}

// askReturn writes the letters that ask to be let in again.
func (c *Client) askReturn(x *returningRoom, to []newcomer) error {
	return c.update(func(tx store.Tx, after *[]func()) error {
		kp, err := c.newPackage(tx, false)
		if err != nil {
			return err
		}
		if err := c.sayJoinedLater(tx, x.ID); err != nil {
			return err
		}
		secret, _, _, err := tx.Capability(x.ID)
		if err != nil {
			return err
		}
		body := wire.Marshal(room.Return{Room: x.ID, Generation: x.Generation, KeyPackage: kp, Joined: room.Joined{Host: c.self.Host, Inbox: c.account.inbox, Capability: secret}})
		for _, n := range to {
			if err := c.letter(tx, n.device.Name, n.device.Inbox, n.address, room.EnvelopeReturn, body); err != nil {
				return err
			}
		}
		*after = append(*after, func() { c.tellCapabilities(); c.mail() })
		return nil
	})
}

// backDone keeps what has not come back, and tries again later.
func (c *Client) backDone(r *returning, still []returningRoom) {
	c.backing = false
	r.Rooms = still
	r.Tries++
	over := len(r.People) == 0 && len(r.Rooms) == 0
	if err := c.write(func(tx store.Tx) error {
		if over {
			return tx.DropFacts(factReturning)
		}
		return tx.SetFact(factReturning, wire.Marshal(*r))
	}); err != nil {
		c.fail("keeping what is to come back", err)
	}
	c.tellRecovery()
	c.recordLater()
	if !over {
		c.timer("returning", min(returnRetry<<min(r.Tries-1, 10), returnLast), c.bringBack)
	}
}

// mayReturn says whether an invitation answers what this device asked for after a recovery.
func (c *Client) mayReturn(tx store.Tx, account identity.ID, i room.Invitation) (bool, error) {
	r, err := c.back(tx)
	if err != nil || r == nil {
		return false, err
	}
	for _, x := range r.Rooms {
		if x.ID != i.Room || x.Kind != i.Kind {
			continue
		}
		for _, m := range x.Members {
			if m.Account == account {
				return true, nil
			}
		}
	}
	return false, nil
}
