package client

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
)

// mergePair makes one conversation of two rooms of the same pair: the lower id counts, the
// other is read out and closed. A room in which no device of the other is active any more
// gives way to any other, also when it was left for that, or is one that a backup brought back.
func (c *Client) mergePair(tx store.Tx, after *[]func(), r store.Room) error {
	if r.Kind == room.Self && r.State == store.RoomActive {
		return c.mergeNotes(tx, after, r)
	}
	if r.Kind != room.Pair || r.Peer == nil || r.State != store.RoomActive {
		return nil
	}
	all, err := tx.PairRooms(*r.Peer)
	if err != nil {
		return err
	}
	peer, err := tx.Person(*r.Peer)
	if err != nil {
		return err
	}
	var keep *store.Room
	var rest []store.Room
	for _, x := range all {
		switch {
		case x.State == store.RoomLeft && (peer != nil && recovered(peer.Chain) || recovered(c.chain)):
			rest = append(rest, x)
		case x.State != store.RoomActive:
		case keep == nil:
			keep = &x
		case x.ID != r.ID && c.deserted(x, peer):
			rest = append(rest, x)
		case keep.ID != r.ID && c.deserted(*keep, peer):
			rest = append(rest, *keep)
			keep = &x
		default:
			rest = append(rest, x)
		}
	}
	for _, x := range rest {
		if err := c.mergeInto(tx, after, x, keep.ID); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) mergeInto(tx store.Tx, after *[]func(), x store.Room, keep room.ID) error {
	x.State, x.Alias = store.RoomMerged, &keep
	if err := tx.PutRoom(x); err != nil {
		return err
	}
	if err := tx.MergeRoom(x.ID, keep); err != nil {
		return err
	}
	if err := tx.MoveOutbox(x.ID, keep); err != nil {
		return err
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: x.ID}) })
	return nil
}

// recovered says whether an account has ever lost every device and come back by its words.
func recovered(chain *identity.Chain) bool {
	for _, s := range chain.Record(0) {
		if s.Kind == identity.AddDevice && s.Signer == nil {
			return true
		}
	}
	return false
}

// deserted says whether no device of a pair's other that is in the room is active any more. Of
// a room whose group is not in memory nobody knows.
func (c *Client) deserted(x store.Room, peer *store.Person) bool {
	g := c.gens[genKey{x.ID, x.Generation}]
	if g == nil || g.group == nil || peer == nil {
		return false
	}
	for i, n := range g.group.Members() {
		if l, err := g.known.LeafOf(i, n); err == nil && l.Account == peer.Account && peer.Chain.Holds(l.Credential) {
			return false
		}
	}
	return true
}
