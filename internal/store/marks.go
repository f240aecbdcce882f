package store

import (
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
)

// Mark is what a room is to this person. It is kept field by field with the time of the
// change, so that of what two devices say of one field the later word can count.
type Mark struct {
	Pinned     bool   // stands first in the list
	Archived   bool   // does not stand in the list until somebody writes
	MarkUnread bool   // the person wants to come back to it
	MutedUntil int64  // Unix milliseconds; 0 not, -1 for ever
	Draft      string // what was begun to be written
}

// Muted says whether a room makes no noise at a time.
func (m Mark) Muted(now int64) bool { return m.MutedUntil < 0 || m.MutedUntil > now }

// MarkChange changes some fields of a Mark.
type MarkChange struct {
	Pinned, Archived, MarkUnread *bool
	MutedUntil                   *int64
	Draft                        *string
}

// MaxDraft is how many bytes of a draft are kept.
const MaxDraft = 1 << 16

// SetMark changes what a room is to this person. A field that says what it said before
// keeps its time.
func (t Tx) SetMark(id room.ID, c MarkChange, now int64) error {
	set := func(field string, value any) error {
		return t.tx.Exec(`INSERT INTO marks (room, field, value, changed) VALUES (?,?,?,?)
			ON CONFLICT (room, field) DO UPDATE SET value = excluded.value, changed = excluded.changed WHERE value IS NOT excluded.value`, id, field, value, now)
	}
	for field, on := range map[string]*bool{"pinned": c.Pinned, "archived": c.Archived, "unread": c.MarkUnread} {
		if on != nil {
			if err := set(field, *on); err != nil {
				return err
			}
		}
	}
	if c.MutedUntil != nil {
		if err := set("muted", *c.MutedUntil); err != nil {
			return err
		}
	}
	if c.Draft != nil {
		return set("draft", *c.Draft)
	}
	return nil
}

func scanMark(r *sqlite.Row, m *Mark, field, value int) {
	switch r.Text(field) {
	case "pinned":
		m.Pinned = r.Bool(value)
	case "archived":
		m.Archived = r.Bool(value)
	case "unread":
		m.MarkUnread = r.Bool(value)
	case "muted":
		m.MutedUntil = r.Int(value)
	case "draft":
		m.Draft = r.Text(value)
	}
}

// Mark is what a room is to this person.
func (t Tx) Mark(id room.ID) (m Mark, err error) {
	err = t.tx.Query(`SELECT field, value FROM marks WHERE room = ?`, func(r *sqlite.Row) error {
		scanMark(r, &m, 0, 1)
		return nil
	}, id)
	return m, err
}

// Marks are what all rooms are to this person; those without a mark are left out.
func (t Tx) Marks() (map[room.ID]*Mark, error) {
	out := map[room.ID]*Mark{}
	err := t.tx.Query(`SELECT room, field, value FROM marks`, func(r *sqlite.Row) error {
		var id room.ID
		r.Array(0, id[:])
		if out[id] == nil {
			out[id] = new(Mark)
		}
		scanMark(r, out[id], 1, 2)
		return nil
	})
	return out, err
}
