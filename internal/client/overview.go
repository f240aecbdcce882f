package client

import (
	"cmp"
	"slices"

	"sotto/internal/room"
	"sotto/internal/store"
)

// Overview is a room in the list of conversations.
type Overview struct {
	RoomInfo
	Last     *Shown // what was said or happened last, a long text cut; nil: nothing yet
	Time     int64  // of that, or when the room came to this device; Unix milliseconds
	Mentions int64  // of what was not seen, that names this person
	Mark     Mark
}

// Overview is the list of conversations, the one where something was said last first: those
// that are archived, or the others. It reads a few rows for each room, however much was said
// there.
func (c *Client) Overview(archived bool) (out []Overview, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) (err error) { out, err = c.overview(tx, archived); return err })
	})
	return out, err
}

func (c *Client) overview(tx store.Tx, archived bool) ([]Overview, error) {
	rooms, err := shownRooms(tx)
	if err != nil {
		return nil, err
	}
	marks, err := tx.Marks()
	if err != nil {
		return nil, err
	}
	unseen, err := tx.AllUnseen()
	if err != nil {
		return nil, err
	}
	last, err := tx.AllLast()
	if err != nil {
		return nil, err
	}
	happened, err := tx.AllLastNotices()
	if err != nil {
		return nil, err
	}
	handles, err := tx.PeerHandles()
	if err != nil {
		return nil, err
	}
	var out []Overview
	for _, r := range rooms {
		o := Overview{}
		if m := marks[r.ID]; m != nil {
			o.Mark = *m
		}
		if r.State == store.RoomMerged || o.Mark.Archived != archived {
			continue
		}
		o.RoomInfo = c.describeRoom(r)
		if r.Peer != nil && o.Name == "" {
			o.Name = handles[*r.Peer]
		}
		o.Unseen, o.Mentions = unseen[r.ID].Unseen, unseen[r.ID].Mentions
		c.lastIn(&o, last[r.ID], happened[r.ID])
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b Overview) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), slices.Compare(a.ID[:], b.ID[:]))
	})
	return out, nil
}

// OverviewOf is one room of the list.
func (c *Client) OverviewOf(id room.ID) (o Overview, err error) {
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			r, err := tx.Room(id)
			if err != nil {
				return err
			}
			if r == nil || r.Kind == room.Alike {
				return ErrNoRoom
			}
			if o.RoomInfo, err = c.info(tx, *r); err != nil {
				return err
			}
			if o.Unseen, o.Mentions, err = tx.Unseen(id); err != nil {
				return err
			}
			if o.Mark, err = tx.Mark(id); err != nil {
				return err
			}
			last, err := tx.Last(id)
			if err != nil {
				return err
			}
			happened, err := tx.LastNoticeIn(id)
			c.lastIn(&o, last, happened)
			return err
		})
	})
	return o, err
}

// lastIn fills in what was said or happened last. What waits to be sent comes after
// everything that has a place.
func (c *Client) lastIn(o *Overview, m *store.Message, n *store.Notice) {
	o.Time = o.Created
	switch {
	case m != nil && (n == nil || m.Pos == 0 || m.Pos > n.Pos):
		c.overlay(m)
		o.Last = &Shown{Message: *m, Starred: m.Flags&store.FlagStarred != 0, Mentions: m.Flags&store.FlagMentions != 0}
		o.Time = m.At
	case n != nil:
		e := event(*n)
		o.Last, o.Time = &e, n.Time
	}
}
