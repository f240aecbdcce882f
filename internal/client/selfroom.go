package client

import (
	"bytes"
	"slices"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// The self room is a room like any other, but for these: only one account is in it, nobody is
// shown it, and all that is said in it is what that person's devices keep alike (keep.go).

const (
	selfRoomWait = 30 * time.Second // that each device waits longer to make the self room than the one linked before it
	selfRoomLate = 5 * time.Minute  // a device that was linked is in the self room by then
)

// several says whether there are, or were, other devices to keep things alike with.
func (c *Client) several() bool {
	return c.chain != nil && !c.unlinked() && (len(c.selfRooms) > 0 || len(c.chain.ActiveDevices()) > 1)
}

// loadSelfRooms reads which rooms are self rooms.
func (c *Client) loadSelfRooms(tx store.Tx) error {
	all, err := tx.RoomsOf(room.Alike)
	c.selfRooms = map[room.ID]bool{}
	for _, r := range all {
		c.selfRooms[r.ID] = true
	}
	return err
}

// selfRoom is the self room that counts; nil when this device is in none.
func (c *Client) selfRoom(tx store.Tx) (*store.Room, error) {
	if len(c.selfRooms) == 0 {
		return nil, nil
	}
	all, err := tx.RoomsOf(room.Alike)
	for _, r := range all {
		if r.State == store.RoomActive {
			return &r, err
		}
	}
	return nil, err
}

// shownRooms are the rooms that people see.
func shownRooms(tx store.Tx) ([]store.Room, error) {
	all, err := tx.Rooms()
	return slices.DeleteFunc(all, func(r store.Room) bool { return r.Kind == room.Alike }), err
}

// pumpSelfRoom makes the self room of an account with several devices that is in none: the
// oldest device does so at once, the others when it has not for a while.
func (c *Client) pumpSelfRoom() {
	if c.inSelf || !c.several() || c.account == nil || !c.account.link.up || !c.account.read {
		return
	}
	devices := c.chain.ActiveDevices()
	var have *store.Room
	err := c.read(func(tx store.Tx) (err error) { have, err = c.selfRoom(tx); return err })
	if c.inSelf = have != nil; err != nil || c.inSelf || len(devices) < 2 {
		c.selfRoomDue = 0
		return
	}
	if c.selfRoomDue == 0 {
		rank := slices.IndexFunc(devices, func(d identity.Device) bool { return d.Name == c.keys.Name })
		c.selfRoomDue = c.nowMS() + int64(rank)*selfRoomWait.Milliseconds()
	}
	if wait := c.selfRoomDue - c.nowMS(); wait > 0 {
		if c.timers["self room"] == nil {
			c.timer("self room", msDuration(wait), c.pump)
		}
		return
	}
	c.selfRoomDue = 0
	if _, err := c.makeRoom(room.Alike, "", nil); err != nil {
		c.fail("making the room of your devices", err)
	}
}

// selfRoomBegun is what this device does in the transaction in which it comes into a self room, or
// into its next generation: who is there may lack what it has, and it what they have.
func (c *Client) selfRoomBegun(tx store.Tx, after *[]func(), r store.Room) error {
	if r.Kind != room.Alike {
		return nil
	}
	*after = append(*after, func() { c.selfRooms[r.ID] = true })
	if err := c.mergeSelfRooms(tx); err != nil {
		return err
	}
	if err := tx.UnsendChanges(); err != nil {
		return err
	}
	if err := c.seedKept(tx); err != nil {
		return err
	}
	return c.sayAgain(tx, after, againLate.Milliseconds())
}

// mergeSelfRooms lets the lowest of several self rooms count. What was said in the others is said
// again there.
func (c *Client) mergeSelfRooms(tx store.Tx) error {
	all, err := tx.RoomsOf(room.Alike)
	if err != nil {
		return err
	}
	var keep *store.Room
	for _, r := range all {
		switch {
		case r.State != store.RoomActive:
		case keep == nil:
			keep = &r
		default:
			r.State, r.Alias = store.RoomMerged, &keep.ID
			if err := tx.PutRoom(r); err != nil {
				return err
			}
			if err := tx.DropOutbox(r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// inSelfRoom says whether a device that was linked here is in the self room. Before that nothing is
// read for it, so that nothing changes unheard meanwhile; but what is wrong with the room does
// not keep the history for ever: it is told there what it has missed.
func (c *Client) inSelfRoom(tx store.Tx, device wire.DeviceName) (bool, error) {
	for _, s := range c.chain.Record(0) {
		if s.Device != nil && s.Device.Name == device && c.nowMS()-int64(min(s.Time, 1<<40))*1000 > selfRoomLate.Milliseconds() {
			return true, nil
		}
	}
	r, err := c.selfRoom(tx)
	if err != nil || r == nil {
		return false, err
	}
	g := c.gens[genKey{r.ID, r.Generation}]
	return g != nil && g.group != nil && g.leafOf(room.Owner{Account: c.chain.ID(), Device: device}) != nil, nil
}

// rankBeside is how long this device waits before it tells a newcomer what any other could tell,
// milliseconds.
func (g *gen) rankBeside(newcomer room.Leaf) int64 {
	event := append([]byte("again"), newcomer.Device[:]...)
	own := g.ctx.Rank(event, g.c.keys.Device().Signature)
	var before int64
	for i, n := range g.group.Members() {
		if r := g.ctx.Rank(event, n.SignatureKey); i != newcomer.Index && bytes.Compare(r[:], own[:]) < 0 {
			before++
		}
	}
	return before * 2000
}
