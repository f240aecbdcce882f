package client

import (
	"cmp"
	"slices"

	"sotto/internal/room"
	"sotto/internal/store"
)

// Storage is what this device keeps.
type Storage struct {
	Database int64 // bytes on the disk
	Messages int64 // that are shown
	Rooms    []RoomStorage
}

// RoomStorage is what a room takes: its shown messages, and the bytes of texts and contents
// of these and of what acts on them.
type RoomStorage struct {
	Room     room.ID
	Name     string
	Messages int64
	Bytes    int64
}

// Storage counts what this device keeps, the largest rooms first. It reads everything, a part
// at a time: other steps of the client have their turn between.
func (c *Client) Storage() (out Storage, err error) {
	list, err := c.Rooms()
	if err != nil {
		return out, err
	}
	for _, r := range list {
		x := RoomStorage{Room: r.ID, Name: r.Name}
		for at, more := int64(-1), true; more; {
			err := ErrClosed
			c.on(func() {
				err = c.read(func(tx store.Tx) error {
					part, err := tx.Size(r.ID, at)
					x.Messages, x.Bytes, at, more = x.Messages+part.Messages, x.Bytes+part.Bytes, part.Next, part.More
					return err
				})
			})
			if err != nil {
				return out, err
			}
		}
		out.Messages += x.Messages
		out.Rooms = append(out.Rooms, x)
	}
	slices.SortStableFunc(out.Rooms, func(a, b RoomStorage) int { return cmp.Compare(b.Bytes, a.Bytes) })
	err = ErrClosed
	c.on(func() { err = c.read(func(tx store.Tx) (err error) { out.Database, err = tx.FileSize(); return err }) })
	return out, err
}
