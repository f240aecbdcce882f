package client

import (
	"errors"
	"fmt"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// publishInbox publishes the inbox and watches it. A server that cannot keep it just now (its disk
// is full, say) is asked again: without an inbox nobody brings this device into rooms.
func (c *Client) publishInbox() {
	a := c.account
	ask(a.link, wire.OpPublish, wire.Publish{Inbox: &a.inbox, Capability: &a.public, Private: a.private}, func(n wire.KeyPackageCount, err error) {
		if a.enter && errors.Is(err, wire.Refuse(wire.CodeMoved, "")) { // back where the account has been
			c.enterHome(c.homeOpened)
			return
		}
		if err != nil {
			c.registered(err)
			c.publishLater()
			return
		}
		a.enter = false // it is brought
		c.publish(n)
	})
	if !a.watched {
		c.watchInbox(a)
	}
}

func (c *Client) publishLater() {
	c.timer("publish", ownRetry, func() {
		if c.account != nil && c.account.link.up { // else when it comes up
			c.publishInbox()
		}
	})
}

// publish keeps enough key packages at the home server, none of them too old to be used.
func (c *Client) publish(n wire.KeyPackageCount) {
	var before uint64
	if err := c.read(func(tx store.Tx) (err error) { before, err = tx.FactUint(factFresh); return err }); err != nil {
		c.registered(err)
		return
	}
	stale := c.nowMS()-int64(before) > packageFresh.Milliseconds()
	if n.LastResort && n.OneTime >= packageGoal/2 && !stale {
		c.registered(nil)
		return
	}
	if stale {
		n = wire.KeyPackageCount{}
	}
	p := wire.Publish{Suite: uint16(c.o.Suite)}
	err := c.update(func(tx store.Tx, _ *[]func()) error {
		for i := int(n.OneTime); i < packageGoal; i++ {
			b, err := c.newPackage(tx, false)
			if err != nil {
				return err
			}
			p.OneTime = append(p.OneTime, b)
		}
		if !n.LastResort {
			b, err := c.newPackage(tx, true)
			if err != nil {
				return err
			}
			p.LastResort = b
		}
		if !stale {
			return nil
		}
		old := c.nowMS() - (packageLife + packageFresh).Milliseconds() // no Welcome can be for these
		if err := tx.DropOldKeyPackages(old); err != nil {
			return err
		}
		if err := tx.ForgetRead(old); err != nil {
			return err
		}
		if err := tx.ForgetGone(old); err != nil {
			return err
		}
		return tx.SetFactUint(factFresh, uint64(c.nowMS()))
	})
	if err != nil {
		c.registered(err)
		c.publishLater()
		return
	}
	// Key packages of X-Wing are 4 kB each: they may need more than one frame.
	for len(p.OneTime) > 0 || p.LastResort != nil {
		part := wire.Publish{Suite: p.Suite, LastResort: p.LastResort}
		size := len(p.LastResort)
		for len(p.OneTime) > 0 && size+len(p.OneTime[0]) < wire.PartSize {
			size += len(p.OneTime[0])
			part.OneTime = append(part.OneTime, p.OneTime[0])
			p.OneTime = p.OneTime[1:]
		}
		p.LastResort = nil
		last := len(p.OneTime) == 0
		ask(c.account.link, wire.OpPublish, part, func(_ wire.KeyPackageCount, err error) {
			if last || err != nil {
				c.registered(err)
			}
			if err != nil {
				c.publishLater()
			}
		})
	}
}

// newPackage makes a key package and keeps its secrets.
func (c *Client) newPackage(tx store.Tx, lastResort bool) ([]byte, error) {
	kp, err := c.keyPackage(c.keys, c.credential(), lastResort)
	if err != nil {
		return nil, err
	}
	defer kp.Erase()
	return kp.Public.Marshal(), tx.PutKeyPackage(store.KeyPackage{Ref: kp.Public.Ref(), Secrets: kp.Marshal(), LastResort: lastResort, Created: c.nowMS()})
}

// keyPackage makes a key package.
func (c *Client) keyPackage(keys *identity.Keys, id mls.Credential, lastResort bool) (*mls.KeyPackageSecrets, error) {
	now := c.now()
	params := mls.KeyPackageParams{
		Suite: c.o.Suite, Signer: keys.Signature, Credential: id,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(packageLife), Supported: []uint16{room.ExtContext},
	}
	if lastResort {
		params.Extensions = []mls.Extension{{Type: mls.ExtLastResort}}
	}
	kp, err := mls.NewKeyPackage(c.o.Rand, params)
	if err != nil {
		return nil, fmt.Errorf("key package: %w", err)
	}
	return kp, nil
}

func (c *Client) credential() mls.Credential {
	return mls.BasicCredential(identity.CredentialOf(c.chain, c.keys.Name).Marshal())
}

// tellCapabilities registers private capabilities of the inbox that the home server does
// not know yet.
func (c *Client) tellCapabilities() {
	if c.account == nil || !c.account.link.up {
		return
	}
	var ids []room.ID
	var hashes []wire.Hash
	if err := c.read(func(tx store.Tx) error {
		untold, err := tx.Untold()
		for _, u := range untold {
			ids, hashes = append(ids, u.Room), append(hashes, u.Secret.Hash())
		}
		return err
	}); err != nil || len(ids) == 0 {
		return
	}
	ask(c.account.link, wire.OpCapability, wire.Capability{Add: hashes}, func(_ wire.Done, err error) {
		if err != nil {
			return
		}
		if err := c.write(func(tx store.Tx) error { return tx.Told(ids) }); err != nil {
			c.fail("keeping a capability", err)
		}
	})
}
