package client

import (
	"cmp"
	"context"
	"errors"
	"time"

	"sotto/internal/identity"
	"sotto/internal/linking"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// ErrUnlinked is a device that another device of the account, or the recovery key, has taken
// out of it.
var ErrUnlinked = errors.New("this device was unlinked from the account: what it holds stays here, and nothing new comes")

type wantBring struct {
	Device wire.DeviceName `cbor:"1,keyasint"`
}

// growOwn takes a longer chain of this account: what its newer statements say is told, new
// devices are brought into the rooms, and revoked ones taken out of them. A chain that forks
// from the known one is told, and the known one stays, unless the recovery key has decided.
func (c *Client) growOwn(tx store.Tx, after *[]func(), chain *identity.Chain) error {
	own, err := c.chain.Join(chain)
	if errors.Is(err, identity.ErrFork) {
		return c.notice(tx, after, nil, NoticeIdentity, said.Of("own.fork"))
	}
	if err != nil || own == c.chain {
		return err
	}
	known := c.chain.Common(own)
	if known < c.chain.Len() {
		if err := cmp.Or(c.notice(tx, after, nil, NoticeDevice, said.Of("own.settled")), c.bringSiblings(tx, own)); err != nil {
			return err
		}
	}
	for _, s := range own.Record(known) {
		var says said.Said
		switch s.Kind {
		case identity.AddDevice:
			if s.Device.Name == c.keys.Name {
				continue
			}
			says = said.Of("own.device", "device", deviceName(s.Device.Name))
			if s.Signer == nil {
				says = said.Of("own.recovered", "device", deviceName(s.Device.Name))
			}
			if err := c.bring(tx, s.Device.Name); err != nil {
				return err
			}
		case identity.RevokeDevice:
			says = said.Of("own.unlinked", "device", deviceName(*s.Revoked))
			if *s.Revoked == c.keys.Name {
				says = said.Of("own.unlinked.this")
			} else if err := c.forgetArrival(tx, *s.Revoked); err != nil {
				return err
			}
		case identity.SetRecovery:
			says = said.Of("own.words")
			if s.Signer == nil {
				says = said.Of("own.words.new")
			}
		default:
			continue
		}
		if err := c.notice(tx, after, nil, NoticeDevice, says); err != nil {
			return err
		}
	}
	if err := c.dismiss(tx, own); err != nil {
		return err
	}
	if err := tx.SetFact(factChain, wire.Marshal(own.Statements(0))); err != nil {
		return err
	}
	moved := own.Handle() != c.chain.Handle()
	if moved {
		if err := c.moveHome(tx, after, own); err != nil {
			return err
		}
	}
	*after = append(*after, func() {
		c.chain = own
		if moved {
			c.atHome()
		}
		c.emit(Event{Kind: EventPerson, Account: own.ID()})
		c.tellRecovery()
		if c.unlinked() && c.account != nil {
			c.account.link.fall(ErrUnlinked)
		}
		c.pump()
		c.pumpHistory() // perhaps a device is known only now that was added before a crash
	})
	return nil
}

// belongs refuses what only a device of an account can do.
func (c *Client) belongs() error {
	switch {
	case !c.opened:
		return ErrNoAccount
	case c.unlinked():
		return ErrUnlinked
	}
	return nil
}

// unlinked says whether this device is no longer one of its account.
func (c *Client) unlinked() bool { return c.chain != nil && !c.chain.Active(c.keys.Name) }

// bring notes that a device of this account is to come into every room that this one is in.
func (c *Client) bring(tx store.Tx, device wire.DeviceName) error {
	rooms, err := tx.RoomsOf(room.Alike) // the self room first
	if err != nil {
		return err
	}
	others, err := shownRooms(tx)
	for _, r := range append(rooms, others...) {
		if r.State != store.RoomActive {
			continue
		}
		if err := c.bringInto(tx, r.ID, device); err != nil {
			return err
		}
	}
	return err
}

// bringSiblings brings every other device of this account into every room that this one is in
// and that one is not: another list of devices may have put it out.
func (c *Client) bringSiblings(tx store.Tx, own *identity.Chain) error {
	for _, d := range own.ActiveDevices() {
		if d.Name == c.keys.Name {
			continue
		}
		if err := c.bring(tx, d.Name); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) bringInto(tx store.Tx, id room.ID, device wire.DeviceName) error {
	w := store.Want{Room: id, Kind: wantBringKind, Body: wire.Marshal(wantBring{device}), Due: c.nowMS()}
	if g, err := c.current(tx, id); err != nil {
		return err
	} else if g != nil {
		w.Due += g.rank(append([]byte("bring"), device[:]...))
	}
	return tx.AddWant(w)
}

// bringOthers brings this account's other devices into a room that was made here.
func (c *Client) bringOthers(tx store.Tx, id room.ID) error {
	for _, d := range c.chain.ActiveDevices() {
		if d.Name == c.keys.Name {
			continue
		}
		if err := c.bringInto(tx, id, d.Name); err != nil {
			return err
		}
	}
	return nil
}

// planBring adds a device of this account to a room.
func (g *gen) planBring(w store.Want, p *plan) error {
	var body wantBring
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	if _, active := g.c.chain.Device(body.Device); !active || g.leafOf(room.Owner{Account: g.c.chain.ID(), Device: body.Device}) != nil {
		return errDone
	}
	if n, since := g.c.arrived(body.Device); n != nil {
		if !g.c.there[body.Device] { // a letter to it would be refused
			g.c.awaitArrival(since)
			return errLater
		}
		p.add(g, *n)
		return nil
	}
	prep := g.c.prepared[w.ID]
	if prep == nil || !prep.ready {
		g.c.prepareOwn(w, body.Device)
		return errLater
	}
	for _, n := range prep.guests {
		p.add(g, n)
	}
	return nil
}

// prepareOwn fetches, for a want, a key package of one device of this account. A device that
// has published none yet, or whose server is away, is tried again by and by.
func (c *Client) prepareOwn(w store.Want, device wire.DeviceName) {
	p := &preparation{busy: true}
	c.prepared[w.ID] = p
	c.invitee(c.self.String(), []wire.DeviceName{device}, func(guests []newcomer, err error) {
		if err != nil {
			delete(c.prepared, w.ID)
			c.putOff(w)
			return
		}
		p.guests, p.busy, p.ready = guests, false, true
		c.pump()
	})
}

// arrival is what a device that was linked here brought along, for as long as it is fresh.
type arrival struct {
	Arrival linking.Arrival `cbor:"1,keyasint"`
	Time    int64           `cbor:"2,keyasint"`
}

// factArrival + a device's name is its arrival.
const factArrival = "arrival "

const (
	arrivalTime = 24 * time.Hour
	arrivalSoon = 10 * time.Second // a linked device is there by then, or it was switched off
)

// keepArrival notes what a device brought along that is about to be added, and that it is to
// have the history. It says nothing until the chain holds the device.
func (c *Client) keepArrival(o *linking.Old) error {
	name := o.Newcomer.Device.Name
	return c.update(func(tx store.Tx, after *[]func()) error {
		if label := o.Newcomer.Label; label != "" && room.CheckName(label) == nil {
			if err := c.keep(tx, after, room.KeptLabel, name[:], valued(label)); err != nil {
				return err
			}
			if err := setLabel(tx, name, label); err != nil {
				return err
			}
		}
		if err := tx.SetFact(factArrival+string(name[:]), wire.Marshal(arrival{o.Arrival, c.nowMS()})); err != nil {
			return err
		}
		return c.sendHistory(tx, name)
	})
}

// forgetArrival forgets it again, and what the device was called.
func (c *Client) forgetArrival(tx store.Tx, name wire.DeviceName) error {
	return tx.DropFacts(factLabel+string(name[:]), factArrival+string(name[:]), factSending+string(name[:]))
}

// awaitArrival looks in a moment whether a linked device has published its inbox: once for all
// rooms, and less often when it has been gone for a while.
func (c *Client) awaitArrival(since int64) {
	if c.timers["arrival"] != nil {
		return
	}
	wait := 300 * time.Millisecond
	if c.nowMS()-since > arrivalSoon.Milliseconds() {
		wait = 30 * time.Second
	}
	c.timer("arrival", wait, func() { c.lookup(c.self.String(), func(*found, error) { c.pump() }) })
}

// absent says whether a want waits for a linked device that has not published its inbox and may
// not do so soon.
func (c *Client) absent(tx store.Tx, w store.Want) (bool, error) {
	var body wantBring
	if w.Kind != wantBringKind || wire.Unmarshal(w.Body, &body) != nil || c.there[body.Device] {
		return false, nil
	}
	a, err := loadFact[arrival](tx, factArrival+string(body.Device[:]))
	return a != nil && c.nowMS()-a.Time > arrivalSoon.Milliseconds(), err
}

// arrived is a device that was linked here lately, by what it brought along, and when; nil for
// any other.
func (c *Client) arrived(device wire.DeviceName) (out *newcomer, since int64) {
	err := c.read(func(tx store.Tx) error {
		a, err := loadFact[arrival](tx, factArrival+string(device[:]))
		if err != nil || a == nil || c.nowMS()-a.Time > arrivalTime.Milliseconds() {
			return err
		}
		d, ok := c.chain.Device(device)
		if !ok {
			return nil
		}
		n, err := c.newcomer(c.chain, d, c.o.Suite, a.Arrival.KeyPackage)
		if err != nil {
			return err
		}
		n.address = room.Joined{Host: c.self.Host, Inbox: a.Arrival.Inbox, Capability: a.Arrival.Capability}
		out, since = n, a.Time
		return nil
	})
	if err != nil {
		c.log.Info("a linked device brought what is of no use", "why", err)
	}
	return out, since
}

func (c *Client) isCurrentIn(tx store.Tx, g *gen) bool {
	r, err := tx.Room(g.Room)
	return err == nil && r != nil && r.Generation == g.Number && (r.State == store.RoomActive || r.Kind == room.Alike && r.Live())
}

// chainOf is the longest chain that is known of an account.
func (c *Client) chainOf(account identity.ID) (chain *identity.Chain, err error) {
	if account == c.chain.ID() {
		return c.chain, nil
	}
	err = c.read(func(tx store.Tx) error {
		p, err := tx.Person(account)
		if err == nil && p != nil {
			chain = p.Chain
		}
		return err
	})
	return chain, err
}

// tellOwnDevices lets the account's other devices know its chain: whatever comes into their
// inboxes from here carries it.
func (c *Client) tellOwnDevices() {
	c.lookup(c.self.String(), func(f *found, err error) {
		if err != nil {
			return // they look by themselves when they connect
		}
		err = c.write(func(tx store.Tx) error {
			for _, d := range c.chain.ActiveDevices() {
				in, ok := f.inboxes[d.Name]
				if !ok || d.Name == c.keys.Name {
					continue
				}
				to := room.Joined{Host: f.host, Inbox: in.Inbox, Capability: in.Capability}
				var salt [16]byte
				c.random(salt[:])
				if err := c.letter(tx, d.Name, d.Inbox, to, room.EnvelopeDevices, salt[:]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			c.fail("telling the other devices", err)
		}
		c.mail()
	})
}

// state adds a statement of this device to the account's chain: at the home server first,
// since it decides between two devices that state something at once.
func (c *Client) state(make func(chain *identity.Chain) ([]byte, error), done func(error)) {
	c.onceHome(func(err error) {
		if err != nil {
			done(err)
			return
		}
		c.stateNow(make, done)
	})
}

// onceHome waits until the home server is connected or could not be: a program that runs for one
// command asks before that.
func (c *Client) onceHome(done func(error)) {
	c.until(func() (bool, error) {
		if c.account == nil || !c.account.link.up && c.account.link.fails > 0 {
			return false, ErrUnreachable
		}
		return c.account.link.up, nil
	}, done)
}

func (c *Client) stateNow(make func(chain *identity.Chain) ([]byte, error), done func(error)) {
	signed, err := make(c.chain)
	if err != nil {
		done(err)
		return
	}
	next := c.chain.Clone()
	if err := next.Append(signed); err != nil {
		done(err)
		return
	}
	ask(c.account.link, wire.OpStatement, wire.Statement{Head: c.chain.Head(), Signed: signed}, func(_ wire.Done, err error) {
		if errors.Is(err, wire.Refuse(wire.CodeHeadMoved, "")) {
			c.lookup(c.self.String(), func(_ *found, looked error) { done(errors.Join(err, looked)) })
			return
		}
		if err == nil {
			if err = c.update(func(tx store.Tx, after *[]func()) error { return c.growOwn(tx, after, next) }); err != nil {
				c.followOwn()
			}
		}
		if err == nil {
			c.tellOwnDevices()
		}
		done(err)
	})
}

// Unlink takes a device out of the account: every room that this device is in removes it.
func (c *Client) Unlink(ctx context.Context, device wire.DeviceName) error {
	return c.wait(ctx, func(done func(error)) {
		switch {
		case !c.opened:
			done(ErrNoAccount)
			return
		case device == c.keys.Name:
			done(wire.Refuse(wire.CodeMalformed, "this is the device that you use: unlink it from another one"))
			return
		}
		if _, ok := c.chain.Device(device); !ok {
			done(wire.Refuse(wire.CodeMalformed, "there is no such device"))
			return
		}
		c.state(func(chain *identity.Chain) ([]byte, error) { return c.keys.RevokeDevice(chain, device, c.now()), nil }, done)
	})
}
