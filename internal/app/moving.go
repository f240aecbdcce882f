package app

import (
	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/wire"
)

// move moves this account to another home server. Whoever sits down at an open window must not
// be able to do that: where a passphrase guards the key, it is asked for.
func move(c *call, in api.Move) (api.Self, error) {
	if err := c.proved(in.Passphrase); err != nil {
		return api.Self{}, err
	}
	m := client.Moving{Handle: in.Handle, Rooms: in.Rooms, Without: in.Without}
	var err error
	if m.Invitation, err = c.invitationCode(in.Invitation, in.Handle); err != nil {
		return api.Self{}, err
	}
	if l, err := wire.ParseLink(in.Invitation); err == nil {
		m.Pin = l.Pin
	}
	if err := c.c.Move(c.ctx, m); err != nil {
		return api.Self{}, err
	}
	return c.self()
}

func moveRoom(c *call, in api.MoveRoom) (api.RoomDetail, error) {
	return c.inRoom(func(_ room.ID, name string) error { return c.c.MoveRoom(c.ctx, name, in.Host) })
}
