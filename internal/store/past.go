package store

import (
	"errors"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
)

// What package archive reads and writes: a device's past, in pages.

// factBase is a place in the order for people above which this device's own begin: below it
// lies what another device had, and hands over.
const factBase = "base"

// SetBase lets the places that this device gives begin above pos.
func (t Tx) SetBase(pos int64) error { return t.SetFactUint(factBase, uint64(max(pos, 0))) }

// PeopleAfter are accounts in the order of their names, at most limit, whole.
func (t Tx) PeopleAfter(after identity.ID, limit int) ([]Person, error) {
	return collect(t, `SELECT `+personColumns+` FROM people WHERE account > ? ORDER BY account LIMIT ?`, scanPerson, after, limit)
}

// KnowPerson takes over what another device of this person knew of an account: all of it
// where this one knows nothing more than the chain, else nothing.
func (t Tx) KnowPerson(p Person) error {
	return t.tx.Exec(`INSERT INTO people (account, handle, chain, state, nickname, since, compared, changed, once) VALUES (?,?,?,?,?,?,?,?,?)
		ON CONFLICT (account) DO UPDATE SET state = excluded.state, nickname = excluded.nickname, since = excluded.since, compared = excluded.compared, changed = excluded.changed, once = once OR excluded.once
		WHERE state = 0 OR since >= excluded.since`,
		p.Account, p.Handle, encodeChain(p.Chain), p.Standing, p.Nickname, p.Since, p.Compared, p.Changed, p.Compared != 0)
}

// MarkField is one field of a Mark, as it is kept.
type MarkField struct {
	Room    room.ID
	Field   string
	Number  int64
	Text    string // of a draft
	Changed int64
}

// RoomsAfter are rooms in the order of their names, at most limit.
func (t Tx) RoomsAfter(after room.ID, limit int) ([]Room, error) {
	return collect(t, `SELECT `+roomColumns+` FROM rooms WHERE room > ? ORDER BY room LIMIT ?`, scanRoom, after, limit)
}

// MarkFields are the fields of a room's mark.
func (t Tx) MarkFields(id room.ID) ([]MarkField, error) {
	return collect(t, `SELECT room, field, value, changed FROM marks WHERE room = ? ORDER BY field`, func(r *sqlite.Row) (m MarkField, err error) {
		r.Array(0, m.Room[:])
		m.Field, m.Changed = r.Text(1), r.Int(3)
		if m.Field == "draft" {
			m.Text = r.Text(2)
		} else {
			m.Number = r.Int(2)
		}
		return m, nil
	}, id)
}

// TakeMark takes a field that another device of this person set. The later word counts.
func (t Tx) TakeMark(m MarkField) error {
	var value any = m.Number
	if m.Field == "draft" {
		value = m.Text
	}
	return t.tx.Exec(`INSERT INTO marks (room, field, value, changed) VALUES (?,?,?,?)
		ON CONFLICT (room, field) DO UPDATE SET value = excluded.value, changed = excluded.changed WHERE changed < excluded.changed`, m.Room, m.Field, value, m.Changed)
}

// MessagesFrom are messages that have a place, in the order in which they were kept, after a
// row, to the end of a block of so many rows, and about so many bytes of content; through is the
// row of the last one.
func (t Tx) MessagesFrom(after int64, block, bytes int) (out []Message, through int64, err error) {
	return t.past(`id > ? ORDER BY id LIMIT ?`, block, bytes, after, after, block)
}

// MessagesPlaced are messages of the rows after one and through another which got their place in
// the order for people from since on, as MessagesFrom has them.
func (t Tx) MessagesPlaced(since, after, last int64, block, bytes int) (out []Message, through int64, err error) {
	return t.past(`pos >= ? AND id > ? AND id <= ? ORDER BY id LIMIT ?`, block, bytes, after, since, after, last, block)
}

func (t Tx) past(where string, block, bytes int, after int64, args ...any) (out []Message, through int64, err error) {
	enough := errors.New("enough")
	through = after
	end := int64(0)
	err = t.tx.Query(`SELECT `+messageColumns+` FROM messages WHERE `+where, func(r *sqlite.Row) error {
		m, err := scanMessage(r)
		if err != nil {
			return err
		}
		if end == 0 {
			end = (m.Local-1)/int64(block)*int64(block) + int64(block)
		}
		if m.Local > end {
			return enough
		}
		through = m.Local
		if m.Pos != 0 {
			out = append(out, m)
		}
		if bytes -= len(m.Content) + len(m.Text); bytes <= 0 {
			return enough
		}
		return nil
	}, args...)
	if errors.Is(err, enough) {
		err = nil
	}
	return out, through, err
}

// LastMessage is the row of the message that was kept last; 0 when there is none.
func (t Tx) LastMessage() (id int64, err error) {
	_, err = t.one(`SELECT COALESCE(MAX(id), 0) FROM messages`, func(r *sqlite.Row) error { return r.Scan(&id) })
	return id, err
}

// CountMessages is how many messages there are, of every kind.
func (t Tx) CountMessages() (n int64, err error) {
	_, err = t.one(`SELECT COUNT(*) FROM messages`, func(r *sqlite.Row) error { return r.Scan(&n) })
	return n, err
}

// PosTaken says whether something stands at a place in the order for people.
func (t Tx) PosTaken(pos int64) (bool, error) {
	return t.one(`SELECT 1 WHERE EXISTS (SELECT 1 FROM messages WHERE pos = ?) OR EXISTS (SELECT 1 FROM notices WHERE pos = ?)`, func(*sqlite.Row) error { return nil }, pos, pos)
}

// HappenedFrom are notices that stand in conversations, after an id.
func (t Tx) HappenedFrom(after int64, limit int) ([]Notice, error) {
	return collect(t, `SELECT `+noticeColumns+` FROM notices WHERE id > ? AND pos IS NOT NULL ORDER BY id LIMIT ?`, scanNotice, after, limit)
}
