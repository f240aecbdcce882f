package client

import (
	"errors"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// factLeft are the servers that were home and where something of this device still is.
const factLeft = "left"

// mostLeft is how many of them are remembered.
const mostLeft = 8

// leftHome is what this device has at a server that was home. Its inbox is read until nobody
// writes there any more, and then let go of.
type leftHome struct {
	Handle string         `cbor:"1,keyasint"`
	Inbox  wire.InboxName `cbor:"2,keyasint"`
	Public wire.Secret    `cbor:"3,keyasint"`
	After  uint64         `cbor:"4,keyasint,omitempty"`
	Until  int64          `cbor:"5,keyasint"` // Unix milliseconds
}

func leftHomes(tx store.Tx) ([]leftHome, error) {
	list, err := loadFact[[]leftHome](tx, factLeft)
	if err != nil || list == nil {
		return nil, err
	}
	return *list, nil
}

// keepPlace keeps how far an inbox was read: the one at home, or one that was left.
func keepPlace(tx store.Tx, a *accountLink, through uint64) error {
	inbox, _, err := tx.Fact(factInbox)
	if err != nil || string(inbox) == string(a.inbox[:]) {
		return errors.Join(err, tx.SetFactUint(factAfter, through))
	}
	homes, err := leftHomes(tx)
	if err != nil {
		return err
	}
	for i := range homes {
		if homes[i].Inbox == a.inbox {
			homes[i].After = through
		}
	}
	return tx.SetFact(factLeft, wire.Marshal(homes))
}

// wasHome says whether something of this device is still at a host.
func (c *Client) wasHome(host string) bool {
	for _, a := range c.left {
		if a.handle.Host == host {
			return true
		}
	}
	return false
}

// openLeft connects to the servers that were home.
func (c *Client) openLeft() {
	var homes []leftHome
	if err := c.read(func(tx store.Tx) (err error) { homes, err = leftHomes(tx); return err }); err != nil {
		c.fail("reading where this account has lived", err)
		return
	}
	for _, x := range homes {
		h, err := wire.ParseHandle(x.Handle)
		if err != nil || c.left[x.Handle] != nil {
			continue
		}
		a := &accountLink{link: c.newLink(h.Host, "/v1/account"), handle: h, inbox: x.Inbox, public: x.Public, after: x.After}
		c.left[x.Handle] = a
		a.link.hello = func(w wire.Hello) {
			ask(a.link, wire.OpAuth, c.authAs(a.handle, w), func(_ wire.Done, err error) {
				if err != nil {
					a.link.fall(err)
					return
				}
				a.link.ready()
			})
		}
		a.link.opened = func() { c.leftOpened(a) }
		a.link.lost = func() { a.read, a.watched = false, false }
		a.link.event = func(f wire.Frame) { c.homeEvent(a, f) }
		a.link.connect()
	}
}

func (c *Client) closeLeft() {
	for _, a := range c.sortedLeft() {
		a.link.close()
	}
	c.left = map[string]*accountLink{}
}

func (c *Client) sortedLeft() (out []*accountLink) {
	for _, a := range c.left {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *accountLink) int {
		return slices.Compare([]byte(a.handle.String()), []byte(b.handle.String()))
	})
	return out
}

// leftOpened reads what was written to the old inbox, and tells the old server what it does not
// know of the chain: it shows others the way.
func (c *Client) leftOpened(a *accountLink) {
	c.watchInbox(a)
	c.fetch(Request{Host: a.handle.Host, Method: "GET", Path: "/v1/directory/" + a.handle.Name, Limit: 4 << 20}, func(b []byte, err error) {
		var l wire.Lookup
		if err == nil {
			err = wire.Unmarshal(b, &l)
		}
		var chain *identity.Chain
		if err == nil {
			chain, err = identity.Verify(l.Chain)
		}
		switch {
		case err != nil:
			c.log.Info("an old home server does not say what it knows", "error", err)
		case chain.ID() != c.chain.ID():
		case !c.chain.Includes(chain.Head(), chain.Len()): // longer, or another one
			if err := c.compareOwn(chain); err != nil {
				c.log.Info("an old home server knows another chain", "error", err)
			}
		default:
			c.bringChain(a, chain.Len())
		}
	})
}

// bringChain states at an old server what this account's chain has since.
func (c *Client) bringChain(a *accountLink, from int) {
	rest := c.chain.Statements(from)
	if len(rest) == 0 {
		c.leaveRecords()
		return
	}
	before, err := c.chain.At(from)
	if err != nil {
		return
	}
	ask(a.link, wire.OpStatement, wire.Statement{Head: before.Head(), Signed: rest[0]}, func(_ wire.Done, err error) {
		if err == nil {
			c.bringChain(a, from+1)
		}
	})
}

// leaveRecords has the old servers erase the recovery record, once the new one has it.
func (c *Client) leaveRecords() {
	kept := c.chain.Recovery() == nil
	if err := c.read(func(tx store.Tx) error {
		_, ok, err := tx.Fact(factRecorded)
		kept = kept || ok
		return err
	}); err != nil || !kept {
		return
	}
	for _, a := range c.sortedLeft() {
		if a.link.up {
			ask(a.link, wire.OpLeave, wire.Leave{Record: true}, func(wire.Done, error) {})
		}
	}
}

// letGo gives up the inboxes at old servers to which nobody writes any more.
func (c *Client) letGo() {
	var homes []leftHome
	if err := c.read(func(tx store.Tx) (err error) { homes, err = leftHomes(tx); return err }); err != nil {
		return // the next minute
	}
	now := c.nowMS()
	for _, x := range homes {
		a := c.left[x.Handle]
		switch {
		case a == nil || now < x.Until:
		case a.link.up && a.read:
			ask(a.link, wire.OpLeave, wire.Leave{Inbox: true, Record: true}, func(_ wire.Done, err error) {
				if err == nil {
					c.forgetLeft(a)
				}
			})
		case now > x.Until+wire.MovedTime.Milliseconds(): // it has let go by itself, if there is anything of it
			c.forgetLeft(a)
		}
	}
}

func (c *Client) forgetLeft(a *accountLink) {
	err := c.write(func(tx store.Tx) error {
		homes, err := leftHomes(tx)
		if err != nil {
			return err
		}
		return tx.SetFact(factLeft, wire.Marshal(slices.DeleteFunc(homes, func(x leftHome) bool { return x.Handle == a.handle.String() })))
	})
	if err != nil {
		c.fail("forgetting an old home server", err)
		return
	}
	a.link.close()
	delete(c.left, a.handle.String())
}

// emptying says whether an old inbox that can be reached is still being read.
func (c *Client) emptying() bool {
	for _, a := range c.left {
		if a.link.up && !a.read || !a.link.up && a.link.fails == 0 {
			return true
		}
	}
	return false
}
