package client

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Card is the little that lists show of an account.
type Card struct {
	store.Card
	Name    string // shown, as in Person
	Version string // of the picture, "" without one here
	Here    bool
}

// Cards are the cards of everybody that this device knows, in one look.
func (c *Client) Cards() (out map[identity.ID]Card, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			list, err := tx.Cards()
			out = make(map[identity.ID]Card, len(list))
			for _, s := range list {
				out[s.Account] = c.card(s)
			}
			return err
		})
	})
	return out, err
}

// Card is the card of an account; empty but for its id when it is not known.
func (c *Client) Card(id identity.ID) (out Card, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			s, ok, err := tx.Card(id)
			if ok {
				out = c.card(s)
			}
			return err
		})
	})
	out.Account = id
	return out, err
}

func (c *Client) card(s store.Card) Card {
	name := shownName(store.Named{Handle: s.Handle, Nickname: s.Nickname, Own: s.Own})
	return Card{Card: s, Name: name, Version: pictureVersion(s.Picture), Here: c.isAnywhere(s.Account)}
}

// Terms are what holds in a room for everybody, as far as this device knows.
type Terms struct {
	Disappear uint64 // seconds after reading; 0 never
	TTL       uint64 // seconds that the host keeps an entry
	Picture   string // its version, "" without one here
	Knocks    int    // people who wait at it, also to come back
}

// AllTerms are the terms of all rooms, in one look.
func (c *Client) AllTerms() (out map[room.ID]Terms, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			rooms, err := tx.Rooms()
			if err != nil {
				return err
			}
			pictures, err := tx.RoomPictures()
			if err != nil {
				return err
			}
			knocks, err := tx.WaitingKnocks()
			if err != nil {
				return err
			}
			wants, err := tx.AllWants()
			if err != nil {
				return err
			}
			asked := map[room.ID]bool{}
			for _, w := range wants {
				asked[w.Room] = asked[w.Room] || w.Kind == wantReturnedKind
			}
			out = make(map[room.ID]Terms, len(rooms))
			for _, r := range rooms {
				t := c.terms(r, func(h wire.Hash) bool { return pictures[r.ID][h] })
				t.Knocks = knocks[r.ID]
				if asked[r.ID] {
					back, _, err := c.returns(tx, r.ID)
					if err != nil {
						return err
					}
					t.Knocks += len(back)
				}
				out[r.ID] = t
			}
			return nil
		})
	})
	return out, err
}

// Terms are the terms of one room.
func (c *Client) Terms(id room.ID) (t Terms, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			r, err := tx.Room(id)
			if err != nil {
				return err
			}
			if r == nil {
				return ErrNoRoom
			}
			var lost error
			t = c.terms(*r, func(h wire.Hash) bool {
				b, err := tx.RoomPicture(id, h)
				lost = err
				return b != nil
			})
			if lost != nil {
				return lost
			}
			knocks, err := tx.Knocks(id, store.KnockWaits)
			if err != nil {
				return err
			}
			back, _, err := c.returns(tx, id)
			t.Knocks = len(knocks) + len(back)
			return err
		})
	})
	return t, err
}

func (c *Client) terms(r store.Room, have func(wire.Hash) bool) Terms {
	var t Terms
	g := c.gens[genKey{r.ID, r.Generation}]
	if g == nil {
		return t
	}
	t.Disappear, t.TTL = g.ctx.Disappear, g.ctx.TTL
	if p := g.ctx.PictureOf(); p != nil && have(p.Hash) {
		t.Picture = pictureVersion(&p.Hash)
	}
	return t
}

// Receipts are what the other members told of a message of ours.
func (c *Client) Receipts(id room.ID, message mimi.MessageID) (out map[identity.ID]store.MessageState, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) (err error) { out, err = tx.Receipts(id, message); return err })
	})
	return out, err
}

// ShownNotice is a notice that stands in a conversation, as Page shows it.
func (c *Client) ShownNotice(n store.Notice) (s Shown, err error) {
	s, err = event(n), ErrClosed
	c.on(func() { err = c.read(func(tx store.Tx) error { return c.foldCall(tx, &s) }) })
	return s, err
}
