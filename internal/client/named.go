package client

import (
	"encoding/hex"

	"sotto/internal/identity"
	"sotto/internal/store"
)

// AccountOf is the account that this device knows behind a handle, or whose id was typed;
// this person's own too. It asks nobody. ErrNoRoom says that nobody is known by it.
func (c *Client) AccountOf(name string) (account identity.ID, err error) {
	err = ErrClosed
	c.on(func() {
		if c.chain == nil {
			err = ErrNoAccount
			return
		}
		if b, e := hex.DecodeString(name); e == nil && len(b) == len(account) {
			copy(account[:], b)
			if err = nil; account == c.chain.ID() {
				return
			}
			err = c.read(func(tx store.Tx) error {
				p, err := tx.Person(account)
				if err == nil && p == nil {
					err = ErrNoRoom
				}
				return err
			})
			return
		}
		err = c.read(func(tx store.Tx) error {
			p, err := c.person(tx, name)
			if p != nil {
				account = p.Account
			}
			return err
		})
		if err != nil && name == c.self.String() {
			account, err = c.chain.ID(), nil
		}
	})
	return account, err
}
