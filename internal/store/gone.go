package store

import (
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/mimi"
)

// A message and its edits belong together: they are of one account, and the edits name it as
// their target. What is said of a message here is said of all of them.

// SetText lets a message show what an edit says, and name whom it names. Its own content
// stays while it may have to be sent again: see ForgetFirst.
func (t Tx) SetText(m, edit Message) error {
	return t.tx.Exec(`UPDATE messages SET text = ?, flags = (flags & ~?) | ? WHERE room = ? AND message = ?`, edit.Text, FlagMentions, FlagEdited|edit.Flags&FlagMentions, m.Room, m.ID)
}

// ForgetFirst forgets what edits have replaced in a message, its first version and all edits
// but the last, but for those of ours that not everybody has yet: they may have to be sent
// again as they were.
func (t Tx) ForgetFirst(m Message) error {
	var last Message
	ok, err := t.one(`SELECT `+messageColumns+` FROM messages WHERE target = ? AND +room = ? AND account = ? AND kind = ? AND flags & ? = 0
		ORDER BY pos IS NULL DESC, pos DESC, id DESC LIMIT 1`, func(r *sqlite.Row) (err error) { last, err = scanMessage(r); return err },
		m.ID, m.Room, m.Account, mimi.KindEdit, FlagDeleted)
	if err != nil || !ok {
		return err
	}
	files, err := t.hasFiles(m)
	if err == nil && !files { // an edit changes the words of a message with files, and the files stay
		err = t.tx.Exec(`UPDATE messages SET content = ? WHERE room = ? AND message = ? AND flags & ? = ? AND state NOT IN (1, 2)`,
			last.Content, m.Room, m.ID, FlagEdited|FlagDeleted, FlagEdited)
	}
	if err != nil {
		return err
	}
	return t.tx.Exec(`UPDATE messages SET text = '', content = X'' WHERE target = ? AND +room = ? AND account = ? AND kind = ? AND id <> ? AND state NOT IN (1, 2)`,
		m.ID, m.Room, m.Account, mimi.KindEdit, last.Local)
}

// TakeBack erases what a message and its edits said, and what of them waits in the outbox.
func (t Tx) TakeBack(m Message) error {
	edits, err := t.edits(m)
	if err != nil {
		return err
	}
	if err := t.letFilesGo(m.ID); err != nil {
		return err
	}
	if err := t.tx.Exec(`DELETE FROM pins WHERE message = ?`, m.ID); err != nil {
		return err
	}
	for _, x := range append(edits, m.ID) {
		if err := t.withdraw(x); err != nil {
			return err
		}
		if err := t.tx.Exec(`UPDATE messages SET text = '', content = X'', flags = flags | ?, state = CASE WHEN state = 1 THEN 5 ELSE state END
			WHERE room = ? AND message = ?`, FlagDeleted, m.Room, x); err != nil {
			return err
		}
	}
	return nil
}

func (t Tx) edits(m Message) ([]mimi.MessageID, error) {
	return collect(t, `SELECT message FROM messages WHERE target = ? AND +room = ? AND account = ? AND kind = ?`,
		scanID, m.ID, m.Room, m.Account, mimi.KindEdit)
}

// Changes are the edits and deletions of a message by its own account, in the order in which
// they were read.
func (t Tx) Changes(m Message) ([]Message, error) {
	return collect(t, `SELECT `+messageColumns+` FROM messages WHERE target = ? AND +room = ? AND account = ? AND kind IN (?,?,?) ORDER BY pos IS NULL, pos, id`,
		scanMessage, m.ID, m.Room, m.Account, mimi.KindEdit, mimi.KindDelete, mimi.KindUnreact)
}

// SetExpires sets when a message goes, unless it goes sooner.
func (t Tx) SetExpires(id room.ID, message mimi.MessageID, at int64) error {
	return t.tx.Exec(`UPDATE messages SET expires = ? WHERE room = ? AND message = ? AND (expires = 0 OR expires > ?)`, at, id, message, at)
}

// ShareExpiry lets a message and its edits go together, as soon as the first of them would.
func (t Tx) ShareExpiry(m Message) error {
	edits, err := t.edits(m)
	if err != nil || len(edits) == 0 {
		return err
	}
	all := append(edits, m.ID)
	var at, vanish int64
	for _, x := range all {
		one, err := t.Message(m.Room, x)
		if err != nil {
			return err
		}
		if one != nil {
			at, vanish = sooner(at, one.Expires), sooner(vanish, one.Vanish)
		}
	}
	if at == 0 && vanish == 0 {
		return nil
	}
	for _, x := range all {
		if err := t.tx.Exec(`UPDATE messages SET expires = ?, vanish = ? WHERE room = ? AND message = ?`, at, vanish, m.Room, x); err != nil {
			return err
		}
	}
	return nil
}

// sooner is the lesser of two times of which 0 stands for never.
func sooner(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Erased is a message that is not here any more.
type Erased struct {
	Room room.ID
	ID   mimi.MessageID
}

// Erase erases a message, with its edits, what reacts to it and what of them waits to be
// sent. Their names stay for a while, so that none comes again.
func (t Tx) Erase(m Erased, now int64) error {
	with, err := collect(t, `SELECT message FROM messages WHERE target = ? AND +room = ? AND kind IN (?,?)`, scanID, m.ID, m.Room, mimi.KindEdit, mimi.KindReaction)
	if err != nil {
		return err
	}
	for _, id := range append(with, m.ID) {
		if err := t.withdraw(id); err != nil {
			return err
		}
		if err := t.forgetFiles(id); err != nil {
			return err
		}
		if err := t.tx.Exec(`INSERT OR REPLACE INTO gone (message, time) VALUES (?,?)`, id, now); err != nil {
			return err
		}
		if err := t.tx.Exec(`DELETE FROM receipts WHERE room = ? AND message = ?`, m.Room, id); err != nil {
			return err
		}
		if err := t.tx.Exec(`DELETE FROM messages WHERE room = ? AND message = ?`, m.Room, id); err != nil {
			return err
		}
		if err := t.tx.Exec(`DELETE FROM pins WHERE message = ?`, id); err != nil {
			return err
		}
	}
	return nil
}

func scanID(r *sqlite.Row) (id mimi.MessageID, err error) { err = r.Scan(&id); return id, err }

func scanErased(r *sqlite.Row) (e Erased, err error) {
	err = r.Scan(&e.Room, &e.ID)
	return e, err
}

// EraseAll erases messages one by one.
func (t Tx) EraseAll(some []Erased, now int64) error {
	for _, m := range some {
		if err := t.Erase(m, now); err != nil {
			return err
		}
	}
	return nil
}

// DropExpired erases messages whose time is over and answers which.
func (t Tx) DropExpired(now int64) ([]Erased, error) {
	some, err := collect(t, `SELECT room, message FROM messages WHERE expires > 0 AND expires <= ?`, scanErased, now)
	if err != nil {
		return nil, err
	}
	return some, t.EraseAll(some, now)
}

// DropOld erases what was said before a time, at most limit messages, and answers which.
// What waits to be sent and what is not everybody's yet may have to be sent again: it stays.
func (t Tx) DropOld(before, now int64, limit int) ([]Erased, error) {
	some, err := collect(t, `SELECT room, message FROM messages WHERE at < ? AND state NOT IN (1, 2) ORDER BY at LIMIT ?`, scanErased, before, limit)
	if err == nil && len(some) < limit { // what acts on others and was missed by them
		var more []Erased
		more, err = collect(t, `SELECT room, message FROM messages WHERE at IS NULL AND arrived > 0 AND arrived < ? AND state NOT IN (1, 2) ORDER BY arrived LIMIT ?`, scanErased, before, limit-len(some))
		some = append(some, more...)
	}
	if err != nil {
		return nil, err
	}
	return some, t.EraseAll(some, now)
}

// CountShown counts the shown messages of a room, and of all rooms.
func (t Tx) CountShown(id room.ID) (n, all int64, err error) {
	_, err = t.one(`SELECT (SELECT COUNT(*) FROM messages WHERE room = ? AND at IS NOT NULL), (SELECT COUNT(*) FROM messages WHERE at IS NOT NULL)`,
		func(r *sqlite.Row) error { return r.Scan(&n, &all) }, id)
	return n, all, err
}

// CountOld counts what DropOld would erase, and all shown messages; when there is nothing to
// erase, these are not counted.
func (t Tx) CountOld(before int64) (n, all int64, err error) {
	_, err = t.one(`SELECT (SELECT COUNT(*) FROM messages WHERE at < ?1 AND state NOT IN (1, 2)) + (SELECT COUNT(*) FROM messages WHERE at IS NULL AND arrived > 0 AND arrived < ?1 AND state NOT IN (1, 2))`,
		func(r *sqlite.Row) error { return r.Scan(&n) }, before)
	if err == nil && n > 0 {
		_, err = t.one(`SELECT COUNT(*) FROM messages WHERE at IS NOT NULL`, func(r *sqlite.Row) error { return r.Scan(&all) })
	}
	return n, all, err
}

// Clearing is a room whose messages are being erased, through a row.
type Clearing struct {
	Room    room.ID
	Through int64
	Forget  bool // the room goes too
}

// ofRooms are the tables of what belongs to a room, besides its messages and notices.
var ofRooms = []string{
	"rooms", "marks", "receipts", "owed", "outbox", "past", "wants", "inboxes", "capabilities", "invitations", "generations", "mls", "known",
	"places", "staged", "joins", "profiles_owed", "room_pictures", "pictures_owed", "pins", "room_links", "knocks", "asked", "calls", "transfers",
}

// BeginClearing notes that everything that a room holds now is to be erased.
func (t Tx) BeginClearing(id room.ID, forget bool) error {
	return t.tx.Exec(`INSERT INTO clearing (room, through, forget) SELECT ?, COALESCE(MAX(id), 0), ? FROM messages WHERE room = ?1
		ON CONFLICT (room) DO UPDATE SET through = excluded.through, forget = MAX(forget, excluded.forget)`, id, forget)
}

// Clearings are the rooms being cleared.
func (t Tx) Clearings() ([]Clearing, error) {
	return collect(t, `SELECT room, through, forget FROM clearing ORDER BY room`, func(r *sqlite.Row) (c Clearing, err error) {
		err = r.Scan(&c.Room, &c.Through, &c.Forget)
		return c, err
	})
}

// Clear erases a part of a room that is being cleared, the newest first, at most limit
// messages, and answers which; with the last of them the clearing ends.
func (t Tx) Clear(c Clearing, now int64, limit int) ([]Erased, error) {
	some, err := collect(t, `SELECT room, message FROM messages WHERE room = ? AND id <= ? ORDER BY pos DESC LIMIT ?`, scanErased, c.Room, c.Through, limit)
	if err != nil {
		return nil, err
	}
	if err := t.EraseAll(some, now); err != nil || len(some) == limit {
		return some, err
	}
	for _, sql := range []string{`DELETE FROM notices WHERE room = ?`, `DELETE FROM calls WHERE room = ? AND stage = 4`} {
		if err := t.tx.Exec(sql, c.Room); err != nil {
			return nil, err
		}
	}
	if c.Forget {
		for _, table := range ofRooms {
			if err := t.tx.Exec(`DELETE FROM `+table+` WHERE room = ?`, c.Room); err != nil {
				return nil, err
			}
		}
	}
	return some, t.tx.Exec(`DELETE FROM clearing WHERE room = ?`, c.Room)
}

// Gone says whether a message has expired here.
func (t Tx) Gone(message mimi.MessageID) (bool, error) {
	return t.one(`SELECT 1 FROM gone WHERE message = ?`, func(*sqlite.Row) error { return nil }, message)
}

// ForgetGone forgets the names of messages that expired before a time.
func (t Tx) ForgetGone(before int64) error {
	return t.tx.Exec(`DELETE FROM gone WHERE time < ?`, before)
}

// Overdue marks messages of ours as expired that no host keeps any longer and that not
// everybody had.
func (t Tx) Overdue(id room.ID, before int64) (int, error) {
	late, err := collect(t, `SELECT `+messageColumns+` FROM messages WHERE room = ? AND state = 2 AND arrived > 0 AND arrived < ?`, scanMessage, id, before)
	if err != nil {
		return 0, err
	}
	for _, m := range late {
		if err := t.SetMessageState(id, m.ID, Expired); err != nil {
			return 0, err
		}
		if err := t.ForgetFirst(m.First()); err != nil {
			return 0, err
		}
	}
	return len(late), nil
}

// First names the message that this one belongs to: what it edits, or itself.
func (m Message) First() Message {
	if m.Kind == mimi.KindEdit && m.Target != nil {
		m.ID = *m.Target
	}
	return m
}
