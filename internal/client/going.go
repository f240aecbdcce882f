package client

import (
	"context"
	"errors"
	"time"

	"sotto/internal/identity"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// factGoing is the move to another home server that was begun on this device.
const factGoing = "going"

// Times of a move.
const (
	reserveTime = 20 * time.Second // a server may take to say whether it keeps a handle
	oldHomeTime = 5 * time.Second  // the old server may take to be there
)

// Errors of a move.
var (
	ErrGoing     = errors.New("a move of this account is under way here already")
	ErrElsewhere = errors.New("another device has moved this account elsewhere meanwhile")
	ErrOldHome   = errors.New("your home server cannot be reached now, and the move waits for it: if it is gone for good, move without it")
)

// Moving is how a person moves to another home server.
type Moving struct {
	Handle     string
	Invitation string    // code that lets somebody in there; "": it is open
	Pin        wire.Hash // the key of a server that vouches for itself, from a link; zero: none
	Rooms      bool      // the conversations at the old server move along, as far as this person may move them
	Without    bool      // the old server is gone for good
}

// going is a move from when its statement was signed to when the account has moved. Signed once
// is signed for all: another statement for the same place of the chain would be a fork.
type going struct {
	To      string    `cbor:"1,keyasint"`
	Head    wire.Hash `cbor:"2,keyasint"` // of the statement that it follows
	Signed  []byte    `cbor:"3,keyasint"`
	Rooms   bool      `cbor:"4,keyasint,omitempty"`
	Without bool      `cbor:"5,keyasint,omitempty"`

	busy bool
	done []func(error)
}

// Move moves this account to another home server. First that server keeps the handle; then the
// statement is signed, and kept here; then the old server puts it into the chain, unless it is
// gone for good. From then on the account lives at the new handle, and every device goes there
// by itself. A move that was begun goes on after a restart; the same call again waits for it.
func (c *Client) Move(ctx context.Context, m Moving) error {
	h, err := wire.ParseHandle(m.Handle)
	if err != nil {
		return err
	}
	return c.wait(ctx, func(done func(error)) {
		if err := c.belongs(); err != nil {
			done(err)
			return
		}
		switch {
		case h == c.self:
			c.settleIntoHome(done)
			return
		case h.Host == c.self.Host:
			done(wire.Refuse(wire.CodeMalformed, "%s is your home server already, and a handle there stays what it is", h.Host))
			return
		case c.going != nil && c.going.To != h.String():
			done(ErrGoing)
			return
		}
		if err := c.openServer(h.Host, m.Pin); err != nil {
			done(err)
			return
		}
		if c.going != nil {
			c.goOnWith(m, done)
			return
		}
		c.looksThere(h, func(there bool, err error) {
			switch {
			case err != nil:
				done(err)
			case there: // another device has moved it, and this one did not know
				c.settleIntoHome(done)
			default:
				c.reserve(h, m, done)
			}
		})
	})
}

// looksThere says whether the account lives at a handle already; an error: it cannot.
func (c *Client) looksThere(h wire.Handle, done func(bool, error)) {
	c.fetchFrom(Request{Host: h.Host, Private: true, Method: "GET", Path: "/v1/directory/" + h.Name, Limit: 4 << 20}, func(b []byte, err error) {
		if errors.Is(err, wire.Refuse(wire.CodeNoHandle, "")) {
			done(false, nil)
			return
		}
		var l wire.Lookup
		var chain *identity.Chain
		if err == nil {
			err = wire.Unmarshal(b, &l)
		}
		if err == nil {
			chain, err = identity.Verify(l.Chain)
		}
		if err != nil {
			done(false, err)
			return
		}
		if chain.ID() != c.chain.ID() {
			done(false, wire.Refuse(wire.CodeHandleTaken, "somebody has the handle %s; choose another", h))
			return
		}
		err = c.compareOwn(chain)
		done(err == nil && c.self == h, err)
	})
}

// reserving is a handle that a new server is asked to keep, and who waits for it.
type reserving struct {
	to   wire.Handle
	done []func(error)
}

// reserve has the new server keep the handle. Until it has, nothing is signed. Whoever asks for
// the same while it is asked waits along.
func (c *Client) reserve(h wire.Handle, m Moving, done func(error)) {
	then := func(err error) {
		if err != nil {
			done(err)
			return
		}
		c.begin(h, m, done)
	}
	switch r := c.reserving; {
	case r == nil:
	case r.to == h:
		r.done = append(r.done, then)
		return
	default:
		done(ErrGoing)
		return
	}
	r := &reserving{to: h, done: []func(error){then}}
	c.reserving = r
	l := c.newLink(h.Host, "/v1/account")
	end := func(err error) {
		if c.reserving != r {
			return
		}
		c.reserving = nil
		c.stopTimer("reserve")
		l.close()
		for _, done := range r.done {
			done(err)
		}
	}
	c.timer("reserve", reserveTime, func() { end(errors.Join(ErrUnreachable, l.lastErr)) })
	l.opened, l.lost, l.event = func() {}, func() {}, func(wire.Frame) {}
	l.hello = func(wire.Hello) {
		q := wire.Reserve{Handle: h.String(), Account: wire.Hash(c.chain.ID()), Invitation: m.Invitation}
		ask(l, wire.OpReserve, q, func(_ wire.Done, err error) {
			if err == nil || refused(err) {
				end(err)
			}
		})
	}
	l.connect()
}

// begin signs the move and keeps it.
func (c *Client) begin(h wire.Handle, m Moving, done func(error)) {
	switch {
	case c.unlinked():
		done(ErrUnlinked)
		return
	case c.self == h:
		c.settleIntoHome(done)
		return
	case c.going != nil && c.going.To != h.String():
		done(ErrGoing)
		return
	case c.going != nil: // the same call was made twice, and the other was quicker
		c.goOnWith(m, done)
		return
	}
	g := &going{To: h.String(), Rooms: m.Rooms, Without: m.Without}
	if err := c.signMove(g); err != nil {
		done(err)
		return
	}
	c.goOnWith(m, done)
}

// signMove signs a move for the present end of the chain.
func (c *Client) signMove(g *going) error {
	h, err := wire.ParseHandle(g.To)
	if err != nil {
		return err
	}
	signed := c.keys.Move(c.chain, h, c.now())
	if err := c.chain.Clone().Append(signed); err != nil { // a chain may be full
		return err
	}
	g.Head, g.Signed = c.chain.Head(), signed
	if err := c.write(func(tx store.Tx) error { return tx.SetFact(factGoing, wire.Marshal(*g)) }); err != nil {
		return err
	}
	c.going = g
	return nil
}

// goOnWith goes on with a move that is signed, and answers when it is through.
func (c *Client) goOnWith(m Moving, done func(error)) {
	g := c.going
	if m.Without && !g.Without {
		g.Without = true
		if err := c.write(func(tx store.Tx) error { return tx.SetFact(factGoing, wire.Marshal(*g)) }); err != nil {
			done(err)
			return
		}
	}
	g.done = append(g.done, done)
	if !g.Without && (c.account == nil || !c.account.link.up) {
		c.timer("old home", oldHomeTime, func() {
			if c.going == g && !c.account.link.up {
				g.waits() // it goes on when it is back
			}
		})
	}
	c.goOn()
}

// goOn takes the next step of a move, when the home server is there.
func (c *Client) goOn() {
	g := c.going
	if g == nil || g.busy || c.unlinked() {
		return
	}
	if g.Head != c.chain.Head() { // the chain has grown since it was signed
		if err := c.signMove(g); err != nil {
			c.endGoing(err)
			return
		}
	}
	if g.Without {
		c.depart(g)
		return
	}
	if c.account == nil || !c.account.link.up || c.creating() {
		return // when the link comes up, or a log is made, it is looked at again
	}
	g.busy = true
	ask(c.account.link, wire.OpStatement, wire.Statement{Head: g.Head, Signed: g.Signed}, func(_ wire.Done, err error) {
		g.busy = false
		switch {
		case c.going != g: // it came about some other way
		case err == nil:
			c.depart(g)
		case errors.Is(err, wire.Refuse(wire.CodeHeadMoved, "")):
			c.lookup(c.self.String(), func(_ *found, looked error) {
				if c.going == g && c.chain.Head() == g.Head { // it says that it has grown, and does not show how
					c.endGoing(errors.Join(err, looked))
					return
				}
				c.goOn()
			})
		case refused(err):
			c.endGoing(err)
		default:
			g.waits()
		}
	})
}

// waits answers those who wait for a move that waits for the old server.
func (g *going) waits() {
	for _, done := range g.done {
		done(ErrOldHome)
	}
	g.done = nil
}

// creating says whether a log is being made at the home server.
func (c *Client) creating() bool {
	for _, g := range c.sortedGens() {
		if g.State == store.GenCreating && g.Host == c.self.Host {
			return true
		}
	}
	return false
}

// depart takes the move into the chain of this device: the account lives elsewhere from here on.
func (c *Client) depart(g *going) {
	next := c.chain.Clone()
	err := next.Append(g.Signed)
	if err == nil {
		err = c.update(func(tx store.Tx, after *[]func()) error { return c.growOwn(tx, after, next) })
	}
	if err != nil {
		c.endGoing(err)
	}
}

// endGoing ends a move that could not be.
func (c *Client) endGoing(err error) {
	g := c.going
	if e := c.write(func(tx store.Tx) error { return tx.DropFacts(factGoing) }); e != nil {
		c.fail("forgetting a move", e)
	}
	c.going = nil
	if len(g.done) == 0 {
		c.fail("moving to another server", err)
	}
	for _, done := range g.done {
		done(err)
	}
}

// arrivedFrom ends a move when the account has moved: to where it was to go, or elsewhere.
func (c *Client) arrivedFrom(g *going) {
	if g == nil {
		return
	}
	for _, done := range g.done {
		if c.self.String() != g.To {
			done(ErrElsewhere)
			continue
		}
		c.settleIntoHome(done)
	}
}

// settleIntoHome answers when the home server knows this device, or refuses to.
func (c *Client) settleIntoHome(done func(error)) {
	if c.account == nil {
		done(ErrUnreachable)
		return
	}
	c.until(func() (bool, error) {
		a := c.account
		if a == nil {
			return false, nil
		}
		if a.enter && refused(a.link.lastErr) {
			return false, a.link.lastErr
		}
		return a.link.up && !a.enter, nil
	}, done)
}

// Going is the handle that a move leads to which is under way here, "" when there is none.
func (c *Client) Going() (to string) {
	c.on(func() {
		if c.going != nil {
			to = c.going.To
		}
	})
	return to
}

// goingOn says whether a move is under way that does not wait for anybody.
func (c *Client) goingOn() bool {
	return c.going != nil && !c.unlinked() && c.account != nil && c.account.link.up
}
