package client

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"sotto/internal/identity"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Facts of the store.
const (
	factKeys    = "keys"    // identity.Keys
	factChain   = "chain"   // own chain, a CBOR array
	factHandle  = "handle"  // own handle
	factInbox   = "inbox"   // wire.InboxName
	factPublic  = "public"  // the inbox's public capability
	factPrivate = "private" // of a linked device: the capability that the account's other devices have
	factAfter   = "after"   // the inbox was read through here
	factInvite  = "invite"  // invitation code, until the account is registered
	factKnown   = "opened"  // set when the account is registered
	factFresh   = "fresh"   // when all key packages were last renewed
	packageGoal = 20        // one-time key packages kept at the home server
	packageLife = 80 * 24 * time.Hour
	// packageFresh is how often all key packages are renewed: well within packageLife.
	packageFresh = 20 * 24 * time.Hour
)

// accountLink is the connection to the home server as this device, or to one that was that.
type accountLink struct {
	link    *link
	handle  wire.Handle // under which this device is known there
	inbox   wire.InboxName
	public  wire.Secret
	private *wire.Hash // of a linked device
	after   uint64
	head    uint64
	top     uint64 // the last entry that the home server may have named; 0 before it answers
	watched bool   // it has answered
	read    bool   // the inbox was read to its head
	invite  string
	enter   bool          // the account has moved there, and may have to be brought
	waiting []func(error) // for the registration
}

func (c *Client) loadAccount(tx store.Tx) error {
	b, ok, err := tx.Fact(factKeys)
	if err != nil || !ok {
		return err
	}
	if c.keys, err = identity.ParseKeys(b); err != nil {
		return err
	}
	handle, _, err := tx.Fact(factHandle)
	if err != nil {
		return err
	}
	if c.self, err = wire.ParseHandle(string(handle)); err != nil {
		return err
	}
	if _, c.opened, err = tx.Fact(factKnown); err != nil {
		return err
	}
	at, err := tx.FactUint(factRecordedAt)
	if err != nil {
		return err
	}
	if c.going, err = loadFact[going](tx, factGoing); err != nil {
		return err
	}
	c.recorded = int64(at)
	chain, _, err := tx.Fact(factChain)
	if err != nil {
		return err
	}
	var statements [][]byte
	if err := wire.Unmarshal(chain, &statements); err != nil {
		return err
	}
	c.chain, err = identity.Verify(statements)
	return err
}

// CreateAccount makes an account with this device as its first and registers it. When
// the home server refuses, nothing stays.
func (c *Client) CreateAccount(ctx context.Context, handle, invitation string) error {
	h, err := wire.ParseHandle(handle)
	if err != nil {
		return err
	}
	err = c.wait(ctx, func(done func(error)) {
		again, err := c.tryAgain(h, invitation)
		if err == nil && !again {
			err = c.makeAccount(h, invitation)
		}
		if err != nil {
			done(err)
			return
		}
		c.openAccount()
		c.account.waiting = append(c.account.waiting, done)
	})
	if refused(err) { // otherwise the answer may be lost, and the handle ours
		c.on(func() { c.forgetAccount() })
	}
	if err != nil {
		return err
	}
	return c.Start()
}

// tryAgain says whether an account with this handle was begun here and never answered.
// One with another handle that was never registered makes room.
func (c *Client) tryAgain(h wire.Handle, invitation string) (bool, error) {
	switch {
	case c.keys == nil:
		return false, nil
	case c.opened:
		return false, ErrAccount
	}
	c.openAccount() // so that there is something to forget
	if h != c.self {
		c.forgetAccount()
		return false, nil
	}
	c.account.invite = invitation
	return true, c.write(func(tx store.Tx) error { return tx.SetFact(factInvite, []byte(invitation)) })
}

func (c *Client) makeAccount(h wire.Handle, invitation string) error {
	keys, err := identity.NewKeys(c.o.Rand)
	if err != nil {
		return err
	}
	chain, err := identity.Verify([][]byte{keys.Genesis(h, c.now())})
	if err != nil {
		return err
	}
	return c.keepAccount(keys, chain, h, func(tx store.Tx) error { return tx.SetFact(factInvite, []byte(invitation)) })
}

// keepAccount writes down the account that this device is one of, and in the same transaction
// what else belongs to its beginning.
func (c *Client) keepAccount(keys *identity.Keys, chain *identity.Chain, h wire.Handle, more func(tx store.Tx) error) error {
	var inbox wire.InboxName
	c.random(inbox[:])
	public := c.newSecret()
	err := c.write(func(tx store.Tx) error {
		for _, f := range []struct {
			name  string
			value []byte
		}{{factKeys, keys.Marshal()}, {factChain, wire.Marshal(chain.Statements(0))}, {factHandle, []byte(h.String())}, {factInbox, inbox[:]}, {factPublic, public[:]}} {
			if err := tx.SetFact(f.name, f.value); err != nil {
				return err
			}
		}
		return more(tx)
	})
	if err != nil {
		return err
	}
	c.keys, c.chain, c.self = keys, chain, h
	return nil
}

// forgetAccount undoes makeAccount after a refusal.
func (c *Client) forgetAccount() {
	if c.account == nil || c.opened {
		return
	}
	c.account.link.close()
	c.account, c.keys, c.chain = nil, nil, nil
	if err := c.write(func(tx store.Tx) error {
		return tx.DropFacts(factKeys, factChain, factHandle, factInbox, factPublic, factInvite)
	}); err != nil {
		c.fail("forgetting an account that was refused", err)
	}
}

// openAccount connects to the home server.
func (c *Client) openAccount() {
	if c.account != nil {
		return
	}
	a := &accountLink{link: c.newLink(c.self.Host, "/v1/account"), handle: c.self}
	err := c.read(func(tx store.Tx) error {
		inbox, _, err := tx.Fact(factInbox)
		if err != nil {
			return err
		}
		public, _, err := tx.Fact(factPublic)
		if err != nil {
			return err
		}
		copy(a.inbox[:], inbox)
		copy(a.public[:], public)
		if private, ok, err := tx.Fact(factPrivate); err != nil {
			return err
		} else if ok {
			var s wire.Secret
			copy(s[:], private)
			h := s.Hash()
			a.private = &h
		}
		invite, _, err := tx.Fact(factInvite)
		if err != nil {
			return err
		}
		a.invite = string(invite)
		a.after, err = tx.FactUint(factAfter)
		return err
	})
	if err != nil {
		c.fail("reading the account", err)
		return
	}
	c.account = a
	a.enter = c.hasMoved()
	a.link.hello = func(h wire.Hello) { c.greetHome(h) }
	a.link.opened = c.homeOpened
	a.link.lost = func() {
		a.read, a.watched = false, false
		if t := c.talk; t != nil && t.link == a.link {
			c.failTalk(t, ErrLinkingOver)
		}
	}
	a.link.event = func(f wire.Frame) { c.homeEvent(a, f) }
	a.link.connect()
}

// greetHome registers, the first time, and proves who this device is.
func (c *Client) greetHome(h wire.Hello) {
	a := c.account
	if !c.opened {
		ask(a.link, wire.OpRegister, wire.Register{Genesis: c.chain.Statements(0)[0], Invitation: a.invite}, func(_ wire.Done, err error) {
			if err != nil && !errors.Is(err, wire.Refuse(wire.CodeHandleTaken, "")) {
				c.registered(err)
				return
			}
			c.auth(h, err) // a taken handle may be ours: the answer to an earlier try was lost
		})
		return
	}
	c.auth(h, nil)
}

// registered answers those who wait for the registration.
func (c *Client) registered(err error) {
	waiting := c.account.waiting
	c.account.waiting = nil
	for _, done := range waiting {
		done(err)
	}
}

// auth proves that this is a device of the account. taken is the home server's refusal to
// register the handle, which stands unless the account turns out to be this one.
func (c *Client) auth(h wire.Hello, taken error) {
	a := c.account
	ask(a.link, wire.OpAuth, c.authAs(a.handle, h), func(_ wire.Done, err error) {
		if err == nil && !c.opened {
			err = c.write(func(tx store.Tx) error { return tx.SetFact(factKnown, []byte{1}) })
			c.opened = err == nil
		}
		if err != nil {
			if taken != nil && refused(err) {
				err = taken
			}
			if a.enter && errors.Is(err, wire.Refuse(wire.CodeNotAuthenticated, "")) {
				c.enterHome(func() { c.auth(h, nil) })
				return
			}
			c.registered(err)
			a.link.fall(err)
			if c.opened && !c.unlinked() && errors.Is(err, wire.Refuse(wire.CodeNotAuthenticated, "")) {
				c.lookup(c.self.String(), func(*found, error) {}) // the chain says why
			}
			return
		}
		a.link.ready()
	})
}

// authAs is what proves that this device is one of the account of a handle.
func (c *Client) authAs(handle wire.Handle, h wire.Hello) wire.Auth {
	msg := wire.AuthMessage(h.Nonce, handle.Host, handle.String(), c.keys.Name)
	return wire.Auth{Handle: handle.String(), Device: c.keys.Name, Signature: ed25519.Sign(c.keys.Signature, msg)}
}

// homeOpened runs when the home server knows this device: it publishes what others need
// to invite it, and reads the inbox.
func (c *Client) homeOpened() {
	c.publishInbox()
	c.goOn()
	c.tellCapabilities()
	c.createLogs()
	c.pumpHistory()
	c.bringBack()
	c.recordLater()
	c.followOwn()
}

// ownRetry is how soon this account is looked up again when that could not be done.
const ownRetry = time.Minute

// followOwn looks this account up, since another device may have changed it, or the answer to
// what this one has stated was lost. What could not be looked up or kept is tried again.
func (c *Client) followOwn() {
	c.lookup(c.self.String(), func(_ *found, err error) {
		if err == nil || refused(err) || errors.Is(err, identity.ErrFork) || errors.Is(err, identity.ErrChain) {
			return
		}
		c.timer("own", ownRetry, func() {
			if c.account != nil && c.account.link.up { // else when it comes up
				c.followOwn()
			}
		})
	})
}
