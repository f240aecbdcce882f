package client

import (
	"encoding/hex"
	"errors"
	"strings"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Resolve finds the room behind what a person typed: a handle, a room's id or its
// beginning, a title.
func (c *Client) Resolve(to string) (id room.ID, err error) {
	c.on(func() { id, err = c.resolve(to) })
	return id, err
}

func (c *Client) resolve(to string) (room.ID, error) {
	var out []room.ID
	err := c.read(func(tx store.Tx) error {
		if h, err := wire.ParseHandle(to); err == nil {
			p, err := tx.PersonByHandle(h.String())
			if err != nil || p == nil {
				return err
			}
			rooms, err := tx.PairRooms(p.Account)
			for _, r := range rooms {
				if r.State == store.RoomActive {
					out = append(out, r.ID)
				}
			}
			return err
		}
		rooms, err := shownRooms(tx)
		if err != nil {
			return err
		}
		for _, r := range rooms {
			full := hex.EncodeToString(r.ID[:])
			if r.State != store.RoomMerged && (r.Title == to || len(to) >= 4 && strings.HasPrefix(full, strings.ToLower(to))) {
				out = append(out, r.ID)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return room.ID{}, err
	case len(out) == 0:
		return room.ID{}, ErrNoRoom
	case len(out) > 1:
		return room.ID{}, ErrUnsure
	}
	return out[0], nil
}

// RoomInfo is a room as a person sees it.
type RoomInfo struct {
	store.Room
	Name    string // title, or the other person's handle
	Members []Member
	Unseen  int64
	Host    string
	Number  uint64
}

// Member is somebody in a room.
type Member struct {
	Account identity.ID
	Handle  string
	Admin   bool
	Self    bool
	Devices int // that are in the room
}

// Rooms are the rooms of this device.
func (c *Client) Rooms() (out []RoomInfo, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			rooms, err := shownRooms(tx)
			if err != nil {
				return err
			}
			for _, r := range rooms {
				if r.State == store.RoomMerged {
					continue
				}
				info, err := c.info(tx, r)
				if err != nil {
					return err
				}
				out = append(out, info)
			}
			return nil
		})
	})
	return out, err
}

func (c *Client) info(tx store.Tx, r store.Room) (RoomInfo, error) {
	info := c.describeRoom(r)
	var err error
	if info.Unseen, _, err = tx.Unseen(r.ID); err != nil {
		return info, err
	}
	if r.Peer != nil && info.Name == "" {
		info.Name, err = tx.Handle(*r.Peer)
	}
	return info, err
}

// describeRoom is what memory knows of a room.
func (c *Client) describeRoom(r store.Room) RoomInfo {
	info := RoomInfo{Room: r, Name: r.Title, Number: r.Generation}
	if g := c.gens[genKey{r.ID, r.Generation}]; g != nil {
		info.Host = g.Host
		if g.group != nil {
			leaves := g.leaves()
			for _, id := range g.accounts() {
				chain := g.known[id]
				info.Members = append(info.Members, Member{Account: id, Handle: chain.Handle(), Admin: g.ctx.IsAdmin(id), Self: id == c.chain.ID(), Devices: leaves[id]})
			}
		}
	}
	return info
}

// Messages are a room's messages with a place after pos, at most limit; id nil means all
// rooms. Hidden ones are left out.
func (c *Client) Messages(id *room.ID, after int64, limit int) (out []store.Message, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			all, err := tx.Messages(id, after, limit)
			for _, m := range all {
				if m.Flags&store.FlagHidden == 0 {
					c.overlay(&m)
					out = append(out, m)
				}
			}
			return err
		})
	})
	return out, err
}

// Message finds one message by its id.
func (c *Client) Message(id mimi.MessageID) (m *store.Message, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) (err error) { m, err = tx.FindMessage(id); return err })
		if m != nil {
			c.overlay(m)
		}
	})
	return m, err
}

// Handle is the handle of an account.
func (c *Client) Handle(id identity.ID) (h string) {
	c.on(func() {
		if c.chain != nil && id == c.chain.ID() {
			h = c.self.String()
			return
		}
		_ = c.read(func(tx store.Tx) (err error) { h, err = tx.Handle(id); return err })
	})
	return h
}

// Notices are what the person was told after an id.
func (c *Client) Notices(after int64) (out []store.Notice, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) (err error) { out, err = tx.Notices(after); return err })
	})
	return out, err
}

// Seen marks messages as seen by the person, and owes their senders a receipt.
func (c *Client) Seen(messages []store.Message) error {
	var err error
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			rooms := map[room.ID]bool{}
			for _, m := range messages {
				if m.State != store.Received || m.Flags&(store.FlagSeen|store.FlagHidden) != 0 {
					continue
				}
				if !rooms[m.Room] {
					rooms[m.Room] = true
					*after = append(*after, func() { c.emit(Event{Kind: EventMark, Room: m.Room}) })
				}
				if err := c.seen(tx, m); err != nil {
					return err
				}
			}
			*after = append(*after, c.settleReceipts)
			for _, id := range sortedRooms(rooms) {
				if err := c.keepRead(tx, after, id); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return err
}

// seen notes that the person has seen a message of somebody else.
func (c *Client) seen(tx store.Tx, m store.Message) error {
	if err := noteSeen(tx, m, c.nowMS()); err != nil {
		return err
	}
	g, err := c.current(tx, m.Room)
	if err != nil || g == nil || g.group == nil || !g.receipts() {
		return err
	}
	return tx.Owe(store.Owed{Room: m.Room, Message: m.ID, State: store.Read})
}

// noteSeen marks a message as seen; one that vanishes after reading does so from now.
func noteSeen(tx store.Tx, m store.Message, now int64) error {
	if err := tx.SetFlags(m.Room, m.ID, store.FlagSeen); err != nil || m.Vanish == 0 {
		return err
	}
	if err := tx.SetExpires(m.Room, m.ID, now+m.Vanish*1000); err != nil {
		return err
	}
	return tx.ShareExpiry(m.First())
}

// GenerationState is how a room's present generation stands.
func (c *Client) GenerationState(id room.ID) (s store.GenState, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			r, err := tx.Room(id)
			if err != nil || r == nil {
				return errors.Join(err, ErrNoRoom)
			}
			g, err := tx.Generation(id, r.Generation)
			if g != nil {
				s = g.State
			}
			return err
		})
	})
	return s, err
}

// Unreachable says whether a host that rooms live at cannot be reached now.
func (c *Client) Unreachable(host string) (away bool) {
	c.on(func() {
		l := c.hosts[host]
		away = l != nil && !l.up && l.fails > 0
	})
	return away
}
