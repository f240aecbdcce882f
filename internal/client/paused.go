package client

import (
	"errors"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
)

// ErrPaused is a first message to somebody to whom sending waits.
var ErrPaused = errors.New("you compared numbers with them before, and their key is new: compare again, or say that it is to be sent although you have not")

// SendAnyway ends that sending to somebody waits, though numbers were not compared again.
func (c *Client) SendAnyway(account identity.ID) error {
	return c.changePerson(account, func(tx store.Tx, after *[]func(), _ *store.Person) error {
		return c.resume(tx, after, account)
	})
}

// resume lets what waits for an account go.
func (c *Client) resume(tx store.Tx, after *[]func(), account identity.ID) error {
	*after = append(*after, func() { c.post(c.pump) })
	return tx.Resume(account)
}

// paused says whether messages of this room wait: with somebody with whom numbers had been
// compared, and whose key is another since. Who they are now only the person can tell.
func paused(tx store.Tx, r *store.Room) (bool, error) {
	if r.Kind != room.Pair || r.Peer == nil {
		return false, nil
	}
	return tx.Paused(*r.Peer)
}
