package client

import (
	"context"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// maxPins is how many messages may be pinned in a room.
const maxPins = 32

// Pin pins a message in its room, for everybody, or ends that.
func (c *Client) Pin(ctx context.Context, message mimi.MessageID, on bool) error {
	return c.wait(ctx, func(done func(error)) {
		done(c.update(func(tx store.Tx, after *[]func()) error {
			*after = append(*after, c.pump)
			return c.pin(tx, after, message, on)
		}))
	})
}

func (c *Client) pin(tx store.Tx, after *[]func(), message mimi.MessageID, on bool) error {
	m, err := tx.FindMessage(message)
	if err != nil {
		return err
	}
	if m == nil || m.Flags&store.FlagDeleted != 0 {
		return ErrGone
	}
	r, err := tx.Room(m.Room)
	if err != nil {
		return err
	}
	if r == nil || r.State != store.RoomActive {
		return ErrNotMember
	}
	pins, err := tx.Pins(m.Room)
	if err != nil {
		return err
	}
	if on && len(pins) >= maxPins {
		return wire.Refuse(wire.CodeTooLarge, "%d messages are pinned here: take one off first", maxPins)
	}
	p := room.Pin{Message: message, On: on}
	if err := c.pinned(tx, after, m.Room, c.chain.ID(), p); err != nil {
		return err
	}
	_, err = tx.Enqueue(store.Outgoing{Room: m.Room, Kind: room.PayloadPin, Body: wire.Marshal(p)})
	return err
}

// pinned lets a member's pin act. Of more than may be pinned the oldest go.
func (c *Client) pinned(tx store.Tx, after *[]func(), id room.ID, by identity.ID, p room.Pin) error {
	m, err := tx.Message(id, p.Message)
	if err != nil || m == nil || m.Flags&store.FlagDeleted != 0 {
		return err // it is not here: nothing to show
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventPins, Room: id, Message: m, Account: by, On: p.On}) })
	if !p.On {
		return tx.Unpin(id, p.Message)
	}
	if err := tx.Pin(id, store.Pinned{Message: p.Message, Account: by, Time: c.nowMS()}); err != nil {
		return err
	}
	pins, err := tx.Pins(id)
	for len(pins) > maxPins && err == nil {
		err = tx.Unpin(id, pins[len(pins)-1].Message)
		pins = pins[:len(pins)-1]
	}
	return err
}

// pins takes somebody's pin.
func (g *gen) pins(tx store.Tx, after *[]func(), by identity.ID, body []byte) error {
	p, err := room.ParsePin(body)
	if err != nil {
		return nil // says nothing
	}
	home, err := g.c.shownIn(tx, g.Room)
	if err != nil {
		return err
	}
	if s, err := tx.Standing(by); err != nil || s == store.Blocked {
		return err
	}
	return g.c.pinned(tx, after, home, by, p)
}

// Pins are a room's pinned messages that are here, the last one first.
func (c *Client) Pins(id room.ID) (out []mimi.MessageID, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			home, err := c.shownIn(tx, id)
			if err != nil {
				return err
			}
			pins, err := tx.Pins(home)
			for _, p := range pins {
				out = append(out, p.Message)
			}
			return err
		})
	})
	return out, err
}
