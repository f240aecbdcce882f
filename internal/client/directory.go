package client

import (
	"errors"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// fetch makes an HTTPS request; done runs on the queue.
func (c *Client) fetch(r Request, done func([]byte, error)) {
	r.Private = c.mayBePrivate(r.Host)
	c.fetchFrom(r, done)
}

// fetchFrom is fetch from a host of which the request says whether it may have a private
// address.
func (c *Client) fetchFrom(r Request, done func([]byte, error)) {
	if r.Limit == 0 {
		r.Limit = wire.MaxBlob
	}
	c.pending++
	c.o.Network.Do(r, func(a Answer, err error) {
		c.post(func() {
			c.pending--
			if err != nil {
				err = fmt.Errorf("%w: %w", ErrUnreachable, err)
			} else if a.Status < 200 || a.Status > 299 {
				err = refusal(a)
			}
			done(a.Body, err)
			c.settle()
		})
	})
}

// refusal reads what a server says with a status that is not a success.
func refusal(a Answer) error {
	var f wire.Failure
	if err := wire.Unmarshal(a.Body, &f); err != nil || a.Code == wire.OK {
		return wire.Refuse(wire.CodeInternal, "the server answered with status %d", a.Status)
	}
	return &wire.Error{Code: a.Code, Sentence: f.Sentence, After: msDuration(int64(min(f.AfterMS, 1<<40)))}
}

// found is a verified answer of a directory.
type found struct {
	chain   *identity.Chain
	inboxes map[wire.DeviceName]wire.Inbox
	host    string
}

// lookup asks the home server behind a handle, verifies the chain and holds it against
// what is known of the account.
func (c *Client) lookup(handle string, done func(*found, error)) { c.look(handle, 0, done) }

// look is lookup after so many servers have said that the account is elsewhere.
func (c *Client) look(handle string, hops int, done func(*found, error)) {
	h, err := wire.ParseHandle(handle)
	if err != nil {
		done(nil, err)
		return
	}
	c.fetch(Request{Host: h.Host, Method: "GET", Path: "/v1/directory/" + h.Name, Limit: 4 << 20}, func(b []byte, err error) {
		if err != nil {
			done(nil, err)
			return
		}
		f, err := c.verifyLookup(h, b)
		if err == nil && f.chain.Handle() != h.String() {
			c.follow(h, f, hops, done)
			return
		}
		done(f, err)
	})
}

func (c *Client) verifyLookup(h wire.Handle, b []byte) (*found, error) {
	var l wire.Lookup
	if err := wire.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("what %s says of %s: %w", h.Host, h, err)
	}
	chain, err := identity.Verify(l.Chain)
	if err != nil {
		return nil, fmt.Errorf("what %s says of %s: %w", h.Host, h, err)
	}
	if chain.Handle() != h.String() && !mayFollow(h, chain) {
		return nil, wire.Refuse(wire.CodeBadChain, "%s answered for %s with the account of %s", h.Host, h, chain.Handle())
	}
	f := &found{chain: chain, host: h.Host, inboxes: map[wire.DeviceName]wire.Inbox{}}
	for _, d := range l.Devices {
		if _, ok := chain.Device(d.Device); ok {
			f.inboxes[d.Device] = d
		}
	}
	if chain.ID() == c.chain.ID() {
		for name := range f.inboxes {
			c.there[name] = true
		}
		return f, c.compareOwn(chain)
	}
	err = c.update(func(tx store.Tx, after *[]func()) error { return c.meet(tx, after, h, f) })
	if errors.Is(err, identity.ErrFork) {
		err = errors.Join(err, c.update(func(tx store.Tx, after *[]func()) error {
			return c.notice(tx, after, nil, NoticeIdentity, said.Of("identity.fork", "name", h.String()))
		}))
	}
	if errors.Is(err, ErrChanged) {
		err = errors.Join(err, c.update(func(tx store.Tx, after *[]func()) error { return c.replacedKey(tx, after, h.String()) }))
	}
	return f, err
}

// compareOwn holds what the home server says of this account against the chain that this
// device keeps.
func (c *Client) compareOwn(chain *identity.Chain) error {
	if c.chain.Includes(chain.Head(), chain.Len()) {
		return nil
	}
	_, err := c.chain.Join(chain)
	return errors.Join(err, c.update(func(tx store.Tx, after *[]func()) error { return c.growOwn(tx, after, chain) }))
}

// meet holds an account against what is known, and remembers it.
func (c *Client) meet(tx store.Tx, after *[]func(), h wire.Handle, f *found) error {
	known, err := tx.Person(f.chain.ID())
	if err != nil {
		return err
	}
	if known != nil {
		counts, err := known.Chain.Join(f.chain)
		if err != nil {
			return err
		}
		if counts != f.chain && counts.Len() > f.chain.Len() { // the server hides statements that are known here
			says := said.Of("identity.older", "host", h.Host, "name", h.String())
			if err := c.notice(tx, after, nil, NoticeIdentity, says); err != nil {
				return err
			}
		}
		f.chain = counts
		if counts == known.Chain && counts.Handle() == known.Handle {
			return nil
		}
		return c.putPerson(tx, after, known, counts, counts.Handle())
	}
	before, err := tx.PersonByHandle(h.String())
	if err != nil {
		return err
	}
	if before != nil && before.Standing == store.Contact && before.Account != f.chain.ID() {
		return ErrChanged
	}
	return c.putPerson(tx, after, nil, f.chain, f.chain.Handle())
}

// prepare fetches, for a want, what adds the people behind handles: chains, and a key
// package for each device.
func (c *Client) prepare(w store.Want, handles []string) {
	p := &preparation{busy: true}
	c.prepared[w.ID] = p
	c.collect(handles, func(guests []newcomer, err error) {
		p.guests, p.err, p.busy, p.ready = guests, err, false, true
		if errors.Is(err, ErrUnreachable) || errors.Is(err, wire.Refuse(wire.CodeSlowDown, "")) {
			delete(c.prepared, w.ID)
			c.putOff(w)
			return
		}
		c.pump()
	})
}

// prepareChain fetches, for a want, the chain behind a handle.
func (c *Client) prepareChain(w store.Want, handle string) {
	p := &preparation{busy: true}
	c.prepared[w.ID] = p
	c.lookup(handle, func(f *found, err error) {
		p.err, p.busy, p.ready = err, false, true
		if errors.Is(err, ErrUnreachable) {
			delete(c.prepared, w.ID)
			c.putOff(w)
			return
		}
		if err == nil {
			p.known = []*identity.Chain{f.chain}
		}
		c.pump()
	})
}

// putOff tries a want again later, at longer and longer distances.
func (c *Client) putOff(w store.Want) {
	w.Tries++
	w.Due = c.nowMS() + min(int64(1000)<<min(w.Tries, 12), 3_600_000)
	if err := c.write(func(tx store.Tx) error { return tx.SetWant(w) }); err != nil {
		c.fail("putting off what is to be done", err)
	}
	c.pump()
}

// collect looks handles up one after the other and claims a key package for each device.
// The first error ends it.
func (c *Client) collect(handles []string, done func([]newcomer, error)) {
	var out []newcomer
	var next func(i int)
	next = func(i int) {
		if i == len(handles) {
			done(out, nil)
			return
		}
		c.invitee(handles[i], nil, func(some []newcomer, err error) {
			if err != nil {
				done(nil, fmt.Errorf("%s: %w", handles[i], err))
				return
			}
			out = append(out, some...)
			next(i + 1)
		})
	}
	next(0)
}

// invitee looks a person up and claims a key package for each of their devices, or for some of
// them.
func (c *Client) invitee(handle string, devices []wire.DeviceName, done func([]newcomer, error)) {
	c.lookup(handle, func(f *found, err error) {
		if err != nil {
			done(nil, err)
			return
		}
		h, err := wire.ParseHandle(f.chain.Handle())
		if err != nil {
			done(nil, err)
			return
		}
		body := wire.Marshal(wire.ClaimPackages{Suite: uint16(c.o.Suite), Devices: devices})
		c.fetch(Request{Host: f.host, Method: "POST", Path: "/v1/directory/" + h.Name + "/key-packages", Body: body, Limit: 1 << 20}, func(b []byte, err error) {
			if err != nil {
				done(nil, err)
				return
			}
			some, err := c.newcomers(f, b)
			done(some, err)
		})
	})
}

// newcomers checks claimed key packages against the chain: a server can withhold one, not
// swap it.
func (c *Client) newcomers(f *found, b []byte) ([]newcomer, error) {
	var claimed wire.ClaimedPackages
	if err := wire.Unmarshal(b, &claimed); err != nil {
		return nil, err
	}
	var out []newcomer
	for _, p := range claimed.Packages {
		device, ok := f.chain.Device(p.Device)
		inbox, has := f.inboxes[p.Device]
		if !ok || !has {
			continue
		}
		n, err := c.newcomer(f.chain, device, c.o.Suite, p.KeyPackage)
		if err != nil {
			return nil, err
		}
		n.address = room.Joined{Host: f.host, Inbox: inbox.Inbox, Capability: inbox.Capability}
		out = append(out, *n)
	}
	if len(out) == 0 {
		return nil, wire.Refuse(wire.CodeNoHandle, "%s has no device that can be invited now", f.chain.Handle())
	}
	return out, nil
}

// newcomer checks a key package against the chain that has to prove it, and the suite of the
// room that it is for.
func (c *Client) newcomer(chain *identity.Chain, device identity.Device, suite mls.CipherSuite, b []byte) (*newcomer, error) {
	kp, err := mls.ParseKeyPackage(b)
	if err == nil {
		err = kp.Validate(c.now())
	}
	if err == nil && kp.Suite != suite {
		err = fmt.Errorf("%w: another suite than asked for", mls.ErrInvalidKey)
	}
	if err != nil {
		return nil, fmt.Errorf("a key package of %s: %w", chain.Handle(), err)
	}
	known := room.Knowledge{chain.ID(): chain}
	leaf, err := known.LeafOf(0, kp.LeafNode())
	if err != nil || leaf.Device != device.Name {
		return nil, wire.Refuse(wire.CodeBadChain, "the server of %s gave out a key that is not theirs", chain.Handle())
	}
	return &newcomer{chain: chain, device: device, kp: kp}, nil
}
