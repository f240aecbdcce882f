package client

import (
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Mark is what a room is to this person; MarkChange changes some of it.
type (
	Mark       = store.Mark
	MarkChange = store.MarkChange
)

// SetMark changes what a room is to this person.
func (c *Client) SetMark(id room.ID, change MarkChange) error {
	if change.Draft != nil && len(*change.Draft) > store.MaxDraft {
		return ErrTooLong
	}
	if change.MutedUntil != nil && *change.MutedUntil < -1 {
		return wire.Refuse(wire.CodeMalformed, "a room is muted until a time, or -1 for ever")
	}
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			if r, err := tx.Room(id); err != nil {
				return err
			} else if r == nil {
				return ErrNoRoom
			}
			return c.setMark(tx, after, id, change)
		})
	})
	return err
}

// wake brings an archived room back into the list when somebody writes in it, unless it is
// muted. It comes back on all devices, but where it was archived later than that on one of them.
func (c *Client) wake(tx store.Tx, after *[]func(), id room.ID, arrived int64) error {
	m, err := tx.Mark(id)
	if err != nil || !m.Archived || m.Muted(c.nowMS()) {
		return err
	}
	if x, err := c.word(tx, room.KeptArchived, id[:]); err != nil || x != nil && x.Time >= uint64(max(arrived, 0)) {
		return err
	}
	if err := c.keepAt(tx, after, room.KeptArchived, id[:], nil, arrived); err != nil {
		return err
	}
	off := false
	*after = append(*after, func() { c.emit(Event{Kind: EventMark, Room: id}) })
	return tx.SetMark(id, MarkChange{Archived: &off}, c.nowMS())
}

// SeenThrough marks a room's messages as seen through one of them, or all of them, owes
// their senders receipts, and ends that the room is marked as unread.
func (c *Client) SeenThrough(id room.ID, through *mimi.MessageID) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			last := int64(1 << 62)
			if through != nil {
				m, err := tx.Message(id, *through)
				if err != nil {
					return err
				}
				if m == nil {
					return ErrGone
				}
				if m.Pos != 0 { // one without a place stands behind all others
					last = m.Pos
				}
			}
			return c.seenThrough(tx, after, id, last)
		})
	})
	return err
}

// SeenThroughEvent does so through something that happened in the room, by the id of its notice.
func (c *Client) SeenThroughEvent(id room.ID, notice int64) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			list, err := tx.Notices(notice - 1)
			if err != nil {
				return err
			}
			if len(list) == 0 || list[0].ID != notice || list[0].Room == nil || *list[0].Room != id || list[0].Pos == 0 {
				return ErrGone
			}
			return c.seenThrough(tx, after, id, list[0].Pos)
		})
	})
	return err
}

func (c *Client) seenThrough(tx store.Tx, after *[]func(), id room.ID, last int64) error {
	const batch = 256
	changed := false
	for more := true; more; {
		some, err := tx.UnseenThrough(id, last, batch)
		if err != nil {
			return err
		}
		for _, m := range some {
			if err := c.seen(tx, m); err != nil {
				return err
			}
		}
		changed = changed || len(some) > 0
		more = len(some) == batch
	}
	missed, err := tx.SeeNotices(id, last)
	if err != nil {
		return err
	}
	mark, err := tx.Mark(id)
	if err != nil {
		return err
	}
	if mark.MarkUnread {
		off := false
		if err := c.setMark(tx, after, id, MarkChange{MarkUnread: &off}); err != nil {
			return err
		}
	}
	if changed {
		if err := c.keepRead(tx, after, id); err != nil {
			return err
		}
	}
	if changed || missed || mark.MarkUnread {
		*after = append(*after, c.settleReceipts, func() { c.emit(Event{Kind: EventMark, Room: id}) })
	}
	return nil
}
