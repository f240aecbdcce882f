package client

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// returnsWaiting is how many may wait at a room; who comes then is passed over.
const returnsWaiting = 32

// wantReturned is somebody who lost every device and asks to be let in again.
type wantReturned struct {
	Account    identity.ID     `cbor:"1,keyasint"`
	Device     wire.DeviceName `cbor:"2,keyasint"`
	Handle     string          `cbor:"3,keyasint"`
	KeyPackage []byte          `cbor:"4,keyasint"`
	Address    room.Joined     `cbor:"5,keyasint"`
	Time       int64           `cbor:"6,keyasint"`
	Refused    bool            `cbor:"7,keyasint,omitempty"` // kept so that they do not ask again and again
}

// ReturnInfo is somebody who lost every device and waits for a member's word.
type ReturnInfo struct {
	ID      int64
	Account identity.ID
	Handle  string
	Name    string // shown
	Time    int64
}

// byWords says whether the recovery key has added a device.
func byWords(chain *identity.Chain, device wire.DeviceName) bool {
	return slices.ContainsFunc(chain.Record(0), func(s identity.Statement) bool {
		return s.Kind == identity.AddDevice && s.Signer == nil && s.Device.Name == device
	})
}

// returned takes the request of somebody who lost every device. It waits for the person's
// word; what has no place here gets no answer.
func (c *Client) returned(tx store.Tx, after *[]func(), chain *identity.Chain, device wire.DeviceName, r room.Return) error {
	x, err := tx.Room(r.Room)
	if err != nil || x == nil || x.State != store.RoomActive || x.Kind != room.Group {
		return err
	}
	if known, err := tx.Person(chain.ID()); err != nil || known == nil || known.Standing == store.Blocked {
		return err // who was in the room is known here
	}
	g := c.gens[genKey{x.ID, x.Generation}]
	if g == nil || g.group == nil || chain.ID() == c.chain.ID() {
		return nil
	}
	if err := c.vetReturn(g, chain, device, r); err != nil {
		return err
	}
	wants, err := tx.Wants(r.Room)
	if err != nil {
		return err
	}
	waiting := 0
	for _, w := range wants {
		var b wantReturned
		if w.Kind != wantReturnedKind || wire.Unmarshal(w.Body, &b) != nil {
			continue
		}
		waiting++
		if b.Account != chain.ID() {
			continue
		}
		if b.Refused {
			return nil
		}
		waiting--
		if err := tx.DropWant(w.ID); err != nil {
			return err
		}
	}
	if waiting >= returnsWaiting || !g.mayLetBack(chain.ID()) || g.leafOf(room.Owner{Account: chain.ID(), Device: device}) != nil {
		return nil
	}
	if err := c.keepPerson(tx, after, chain); err != nil {
		return err
	}
	body := wantReturned{Account: chain.ID(), Device: device, Handle: chain.Handle(), KeyPackage: r.KeyPackage, Address: r.Joined, Time: c.nowMS()}
	if err := tx.AddWant(store.Want{Room: r.Room, Kind: wantReturnedKind, Body: wire.Marshal(body), Due: c.nowMS()}); err != nil {
		return err
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: r.Room}) })
	return c.notice(tx, after, &r.Room, NoticeKnock, said.Of("return", "name", c.called(tx, chain.ID(), chain.Handle())))
}

// vetReturn holds a request against the chain that came with it.
func (c *Client) vetReturn(g *gen, chain *identity.Chain, device wire.DeviceName, r room.Return) error {
	if !byWords(chain, device) {
		return fmt.Errorf("%w: a return of a device that the recovery key has not added", room.ErrJunk)
	}
	d, ok := chain.Device(device)
	if !ok {
		return fmt.Errorf("%w: a return of a device that was revoked", room.ErrJunk)
	}
	if _, err := c.newcomer(chain, d, g.group.Suite(), r.KeyPackage); err != nil {
		return fmt.Errorf("%w: %w", room.ErrJunk, err)
	}
	// A device's inbox is at its home server: see askedBack.
	if h, err := wire.ParseHandle(chain.Handle()); err != nil || h.Host != r.Joined.Host {
		return fmt.Errorf("%w: a return to answer elsewhere than at home", room.ErrJunk)
	}
	return nil
}

// mayLetBack says whether this person may let an account in again: everybody while it has a
// device in the room, else who manages it.
func (g *gen) mayLetBack(account identity.ID) bool {
	return g.ctx.IsAdmin(g.c.chain.ID()) || slices.Contains(g.accounts(), account)
}

// returns are the requests at a room that this person can answer.
func (c *Client) returns(tx store.Tx, id room.ID) (out []store.Want, bodies []wantReturned, err error) {
	wants, err := tx.Wants(id)
	if err != nil {
		return nil, nil, err
	}
	g, err := c.current(tx, id)
	if err != nil || g == nil || g.group == nil {
		return nil, nil, err
	}
	for _, w := range wants {
		var b wantReturned
		if w.Kind == wantReturnedKind && wire.Unmarshal(w.Body, &b) == nil && !b.Refused && g.mayLetBack(b.Account) &&
			g.leafOf(room.Owner{Account: b.Account, Device: b.Device}) == nil {
			out, bodies = append(out, w), append(bodies, b)
		}
	}
	return out, bodies, nil
}

// Returns are who lost every device and waits at a room, oldest first.
func (c *Client) Returns(id room.ID) (out []ReturnInfo, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			wants, bodies, err := c.returns(tx, id)
			for i, b := range bodies {
				out = append(out, ReturnInfo{ID: wants[i].ID, Account: b.Account, Handle: b.Handle, Name: c.called(tx, b.Account, b.Handle), Time: b.Time})
			}
			return err
		})
	})
	return out, err
}

// AnswerReturn lets somebody in again, or not: then they get no answer, and are not asked
// about again. It waits until the room has taken them in.
func (c *Client) AnswerReturn(ctx context.Context, id room.ID, request int64, accept bool) error {
	var body wantReturned
	err := c.wait(ctx, func(done func(error)) {
		done(c.update(func(tx store.Tx, after *[]func()) error {
			wants, bodies, err := c.returns(tx, id)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(wants, func(w store.Want) bool { return w.ID == request })
			if i < 0 {
				return wire.Refuse(wire.CodeMalformed, "nobody waits there any more")
			}
			*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: id}) })
			body = bodies[i]
			if accept {
				return tx.DropWant(request)
			}
			refused := body
			refused.Refused = true
			w := wants[i]
			w.Body = wire.Marshal(refused)
			return tx.SetWant(w)
		}))
	})
	if err != nil || !accept {
		return err
	}
	return c.want(ctx, hex.EncodeToString(id[:]), wantReturnKind, func(store.Tx) (any, error) { return body, nil })
}

// prepareReturn looks an account up, for a want. Its server has to know the device that asks:
// what an account signs and shows to some alone is not enough.
func (c *Client) prepareReturn(w store.Want, body wantReturned) {
	p := &preparation{busy: true}
	c.prepared[w.ID] = p
	c.lookup(body.Handle, func(f *found, err error) {
		if errors.Is(err, ErrUnreachable) {
			delete(c.prepared, w.ID)
			c.putOff(w)
			return
		}
		p.err, p.busy, p.ready = err, false, true
		if err == nil {
			p.known = []*identity.Chain{f.chain}
			if _, ok := f.inboxes[body.Device]; !ok {
				p.err = fmt.Errorf("the server of %s does not know the device that asked", body.Handle)
			}
		}
		c.pump()
	})
}

// planReturn takes out what an account has revoked and adds the device that its recovery key
// has added, in one commit, after a lookup of its own.
func (g *gen) planReturn(w store.Want, p *plan) error {
	var body wantReturned
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		return err
	}
	if g.leafOf(room.Owner{Account: body.Account, Device: body.Device}) != nil {
		return errDone
	}
	kp, err := mls.ParseKeyPackage(body.KeyPackage)
	if err != nil {
		return err
	}
	prep := g.c.prepared[w.ID]
	if prep == nil || !prep.ready {
		g.c.prepareReturn(w, body)
		return errLater
	}
	if prep.err != nil {
		return prep.err
	}
	chain := prep.known[0]
	device, ok := chain.Device(body.Device)
	if !ok || chain.ID() != body.Account || !byWords(chain, body.Device) {
		return errors.New("the device that asked is no longer one of the account")
	}
	g.removeRevoked(p, chain)
	p.add(g, newcomer{chain: chain, device: device, kp: kp, address: body.Address})
	return nil
}
