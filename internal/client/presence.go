package client

import (
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
)

// applyTells lets a change take effect.
func (c *Client) applyTells(t Tells) {
	before := c.tells
	c.tells = t
	switch {
	case c.active && before.Presence && !t.Presence:
		c.tellHere(false)
	case c.active && !before.Presence && t.Presence:
		c.tellHere(true)
	}
}

// SetTyping tells the others in a room that this person writes, or has stopped, if they may
// know it. It ends by itself after a few seconds: whoever writes on calls it again and again,
// and at most one signal leaves in four seconds.
func (c *Client) SetTyping(id room.ID, on bool) (err error) {
	c.on(func() {
		if !c.opened {
			err = ErrNoAccount
			return
		}
		if !c.tells.Typing {
			return
		}
		now, last := c.nowMS(), c.typed[id]
		if now-last < typingEvery.Milliseconds() || !on && now-last > writingTime.Milliseconds() {
			return // too soon, or it has ended by itself
		}
		var g *gen
		if err = c.read(func(tx store.Tx) (err error) { g, err = c.signalRoom(tx, id); return err }); err != nil || g == nil {
			return
		}
		c.typed[id] = now
		g.signal(room.SignalTyping, room.Switch(on))
	})
	return err
}

// SetActive says whether this person is at this device now. Contacts, and small rooms, are
// told so if the person allows it.
func (c *Client) SetActive(on bool) (err error) {
	c.on(func() {
		if !c.opened {
			err = ErrNoAccount
			return
		}
		if c.active == on {
			return
		}
		c.active = on
		if c.tells.Presence {
			c.tellHere(on)
		}
	})
	return err
}

// Here says whether an account's person is here now and lets it be seen.
func (c *Client) Here(account identity.ID) (on bool) {
	c.on(func() { on = c.isAnywhere(account) })
	return on
}

// tellHere tells in all rooms that this person is here, again every minute, or that they have
// gone.
func (c *Client) tellHere(on bool) {
	c.stopTimer("presence")
	if on {
		c.timer("presence", hereEvery, func() {
			if c.active && c.tells.Presence {
				c.tellHere(true)
			}
		})
	}
	c.hereRooms = c.hereRooms[:0]
	err := c.read(func(tx store.Tx) error {
		rooms, err := shownRooms(tx)
		for _, r := range rooms {
			c.hereRooms = append(c.hereRooms, r.ID)
		}
		return err
	})
	if err != nil {
		c.fail("telling that you are here", err)
		return
	}
	c.tellSomeHere(on)
}

// hereAfresh tells that this person is here soon after a connection came back: what was said
// meanwhile nobody has heard.
func (c *Client) hereAfresh() {
	if c.active && c.tells.Presence && c.timers["presence afresh"] == nil {
		c.timer("presence afresh", hereAgain, func() {
			if c.active && c.tells.Presence {
				c.tellHere(true)
			}
		})
	}
}

// tellSomeHere goes on with that: a connection takes so many signals in a second.
func (c *Client) tellSomeHere(on bool) {
	c.stopTimer("presence rooms")
	sent := 0
	for len(c.hereRooms) > 0 && sent < hereBurst {
		id := c.hereRooms[0]
		c.hereRooms = c.hereRooms[1:]
		var g *gen
		if err := c.read(func(tx store.Tx) (err error) { g, err = c.signalRoom(tx, id); return err }); err != nil {
			c.fail("telling that you are here", err)
			return
		}
		if g != nil {
			g.signal(room.SignalHere, room.Switch(on))
			sent++
		}
	}
	if len(c.hereRooms) > 0 {
		rest := slices.Clone(c.hereRooms)
		c.timer("presence rooms", hereAgain, func() { c.hereRooms = rest; c.tellSomeHere(on) })
	}
}
