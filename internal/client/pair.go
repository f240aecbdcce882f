package client

import (
	"sotto/internal/room"
	"sotto/internal/store"
)

// mergePair makes one conversation of two rooms of the same pair: the lower id counts, the
// other is read out and closed.
func (c *Client) mergePair(tx store.Tx, after *[]func(), r store.Room) error {
	if r.Kind != room.Pair || r.Peer == nil || r.State != store.RoomActive {
		return nil
	}
	all, err := tx.PairRooms(*r.Peer)
	if err != nil {
		return err
	}
	var keep *store.Room
	for _, x := range all {
		if x.State != store.RoomActive {
			continue
		}
		if keep == nil {
			keep = &x
			continue
		}
		x.State, x.Alias = store.RoomMerged, &keep.ID
		if err := tx.PutRoom(x); err != nil {
			return err
		}
		if err := tx.MergeRoom(x.ID, keep.ID); err != nil {
			return err
		}
		if err := tx.MoveOutbox(x.ID, keep.ID); err != nil {
			return err
		}
		gone := x.ID
		*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: gone}) })
	}
	return nil
}
