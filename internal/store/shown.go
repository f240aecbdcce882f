package store

import (
	"cmp"
	"slices"
	"strings"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/mimi"
)

// A conversation as it is shown: the messages that stand in it by themselves, at their
// places, and between them what happened in the room. Everything here is answered from
// partial indexes over what is shown, so that neither the length of a room nor what was
// edited in it matters.

// The indexes are named in the statements: which one SQLite would choose without figures
// about the tables is luck, and all of them would give the same answer.
const (
	shown  = `INDEXED BY messages_shown WHERE room = ? AND at IS NOT NULL`
	unseen = `at IS NOT NULL AND state = 0 AND flags & 12 = 0`
)

// Before are a room's shown messages with a place before pos, the last ones, in order.
func (t Tx) Before(id room.ID, pos int64, limit int) ([]Message, error) {
	out, err := collect(t, `SELECT `+messageColumns+` FROM messages `+shown+` AND pos < ? ORDER BY pos DESC LIMIT ?`, scanMessage, id, pos, limit)
	slices.Reverse(out)
	return out, err
}

// After are a room's shown messages with a place from pos on, the first ones, in order.
func (t Tx) After(id room.ID, pos int64, limit int) ([]Message, error) {
	return collect(t, `SELECT `+messageColumns+` FROM messages `+shown+` AND pos >= ? ORDER BY pos LIMIT ?`, scanMessage, id, pos, limit)
}

// Waiting are a room's shown messages without a place yet, in order.
func (t Tx) Waiting(id room.ID, limit int) ([]Message, error) {
	return collect(t, `SELECT `+messageColumns+` FROM messages `+shown+` AND pos IS NULL ORDER BY id LIMIT ?`, scanMessage, id, limit)
}

// NoticesBefore are what happened in a room before pos, the last ones, in order.
func (t Tx) NoticesBefore(id room.ID, pos int64, limit int) ([]Notice, error) {
	out, err := collect(t, `SELECT `+noticeColumns+` FROM notices WHERE room = ? AND pos IS NOT NULL AND pos < ? ORDER BY pos DESC LIMIT ?`, scanNotice, id, pos, limit)
	slices.Reverse(out)
	return out, err
}

// NoticesAfter are what happened in a room from pos on, the first ones, in order.
func (t Tx) NoticesAfter(id room.ID, pos int64, limit int) ([]Notice, error) {
	return collect(t, `SELECT `+noticeColumns+` FROM notices WHERE room = ? AND pos IS NOT NULL AND pos >= ? ORDER BY pos LIMIT ?`, scanNotice, id, pos, limit)
}

// FirstUnseen is the place of the first message in a room that the person has not seen.
func (t Tx) FirstUnseen(id room.ID) (pos int64, ok bool, err error) {
	ok, err = t.one(`SELECT pos FROM messages INDEXED BY messages_unseen WHERE room = ? AND `+unseen+` AND pos IS NOT NULL ORDER BY pos LIMIT 1`,
		func(r *sqlite.Row) error { return r.Scan(&pos) }, id)
	return pos, ok, err
}

// unseenNotices are what happened that counts as unread: calls that were missed.
const unseenNotices = `FROM notices INDEXED BY notices_unseen WHERE unseen = 1 AND pos IS NOT NULL`

// SeeNotices notes as seen what happened in a room through a place, and says whether anything
// was not before.
func (t Tx) SeeNotices(id room.ID, pos int64) (bool, error) {
	some, err := t.one(`SELECT 1 `+unseenNotices+` AND room = ? AND pos <= ? LIMIT 1`, func(*sqlite.Row) error { return nil }, id, pos)
	if err != nil || !some {
		return false, err
	}
	return true, t.tx.Exec(`UPDATE notices INDEXED BY notices_unseen SET unseen = 0 WHERE unseen = 1 AND pos IS NOT NULL AND room = ? AND pos <= ?`, id, pos)
}

// FirstSince is the place of a room's first shown message that was said at or after a time,
// Unix milliseconds. Places follow the order in which this device read, which is that of the
// times but for a few seconds, so it is looked for by halving.
func (t Tx) FirstSince(id room.ID, at int64) (pos int64, ok bool, err error) {
	var low, high int64 // the place lies in (low, high], if there is one
	ok, err = t.one(`SELECT MAX(pos) FROM messages `+shown+` AND pos IS NOT NULL`, func(r *sqlite.Row) error { high = r.Int(0); return nil }, id)
	if err != nil || !ok || high == 0 {
		return 0, false, err
	}
	found := false
	for low < high {
		middle := low + (high-low)/2
		var p, when int64
		ok, err := t.one(`SELECT pos, at FROM messages `+shown+` AND pos > ? AND pos <= ? ORDER BY pos LIMIT 1`,
			func(r *sqlite.Row) error { return r.Scan(&p, &when) }, id, middle, high)
		switch {
		case err != nil:
			return 0, false, err
		case !ok: // nothing above the middle
			if high = middle; middle == low {
				return pos, found, nil
			}
		case when >= at:
			pos, found = p, true
			if high = middle; middle == low {
				return pos, found, nil
			}
		default:
			low = p
		}
	}
	return pos, found, nil
}

// Unseen counts a room's messages of others that the person has not seen, calls that were
// missed, and among the messages
// those that name the person.
func (t Tx) Unseen(id room.ID) (n, mentions int64, err error) {
	_, err = t.one(`SELECT COUNT(*), COALESCE(SUM(flags & 16 <> 0), 0) FROM messages INDEXED BY messages_unseen WHERE room = ? AND `+unseen,
		func(r *sqlite.Row) error { return r.Scan(&n, &mentions) }, id)
	if err != nil {
		return 0, 0, err
	}
	_, err = t.one(`SELECT COUNT(*) `+unseenNotices+` AND room = ?`, func(r *sqlite.Row) error { n += r.Int(0); return nil }, id)
	return n, mentions, err
}

// Count is how many messages of a room the person has not seen, and how many of them name
// the person.
type Count struct{ Unseen, Mentions int64 }

// AllUnseen are the counts of all rooms that have any.
func (t Tx) AllUnseen() (map[room.ID]Count, error) {
	out := map[room.ID]Count{}
	err := t.tx.Query(`SELECT room, COUNT(*), SUM(flags & 16 <> 0) FROM messages INDEXED BY messages_unseen WHERE `+unseen+` GROUP BY room`, func(r *sqlite.Row) error {
		var id room.ID
		var n Count
		err := r.Scan(&id, &n.Unseen, &n.Mentions)
		out[id] = n
		return err
	})
	if err != nil {
		return nil, err
	}
	err = t.tx.Query(`SELECT room, COUNT(*) `+unseenNotices+` GROUP BY room`, func(r *sqlite.Row) error {
		var id room.ID
		var n int64
		err := r.Scan(&id, &n)
		out[id] = Count{out[id].Unseen + n, out[id].Mentions}
		return err
	})
	return out, err
}

// UnseenThrough are a room's messages that the person has not seen, with a place through
// pos, the first ones.
func (t Tx) UnseenThrough(id room.ID, pos int64, limit int) ([]Message, error) {
	return collect(t, `SELECT `+messageColumns+` FROM messages INDEXED BY messages_unseen WHERE room = ? AND `+unseen+` AND pos <= ? ORDER BY pos LIMIT ?`, scanMessage, id, pos, limit)
}

// lastOf selects a room's last shown message by row: the last that waits for a place, else
// the one with the last place.
const lastOf = `COALESCE(
	(SELECT id FROM messages INDEXED BY messages_shown WHERE room = ROOM AND at IS NOT NULL AND pos IS NULL ORDER BY id DESC LIMIT 1),
	(SELECT id FROM messages INDEXED BY messages_shown WHERE room = ROOM AND at IS NOT NULL ORDER BY pos DESC LIMIT 1))`

// Last is a room's last shown message; nil when there is none.
func (t Tx) Last(id room.ID) (*Message, error) {
	var m Message
	ok, err := t.one(`SELECT `+messageColumns+` FROM messages WHERE id = `+strings.ReplaceAll(lastOf, "ROOM", "?1"),
		func(r *sqlite.Row) (err error) { m, err = scanMessage(r); return err }, id)
	if err != nil || !ok {
		return nil, err
	}
	return &m, nil
}

// AllLast are the last shown messages of all rooms that have any. Of a long text only the
// beginning is read, and no content.
func (t Tx) AllLast() (map[room.ID]*Message, error) {
	out := map[room.ID]*Message{}
	columns := strings.NewReplacer("id, room,", "m.id, m.room,", "generation", "m.generation", "state", "m.state", "kind", "m.kind",
		"text, content", "substr(m.text, 1, 400), X''").Replace(messageColumns)
	err := t.tx.Query(`SELECT `+columns+` FROM rooms r CROSS JOIN messages m ON m.id = `+strings.ReplaceAll(lastOf, "ROOM", "r.room"), func(r *sqlite.Row) error {
		m, err := scanMessage(r)
		out[m.Room] = &m
		return err
	})
	return out, err
}

// LastNoticeIn is the last thing that happened in a room; nil when there is none.
func (t Tx) LastNoticeIn(id room.ID) (*Notice, error) {
	list, err := t.NoticesBefore(id, 1<<62, 1)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// AllLastNotices are the last things that happened in all rooms.
func (t Tx) AllLastNotices() (map[room.ID]*Notice, error) {
	out := map[room.ID]*Notice{}
	err := t.tx.Query(`SELECT `+strings.NewReplacer("id, room,", "n.id, n.room,", "kind", "n.kind", "call,", "n.call,").Replace(noticeColumns)+` FROM rooms r CROSS JOIN notices n
		ON n.id = (SELECT id FROM notices WHERE room = r.room AND pos IS NOT NULL ORDER BY pos DESC LIMIT 1)`, func(r *sqlite.Row) error {
		n, err := scanNotice(r)
		if n.Room != nil {
			out[*n.Room] = &n
		}
		return err
	})
	return out, err
}

// PeerHandles are the handles of the other people of all pairs' rooms.
func (t Tx) PeerHandles() (map[identity.ID]string, error) {
	out := map[identity.ID]string{}
	err := t.tx.Query(`SELECT p.account, p.handle FROM rooms r CROSS JOIN people p ON p.account = r.peer WHERE r.peer IS NOT NULL`, func(r *sqlite.Row) error {
		var id identity.ID
		var h string
		err := r.Scan(&id, &h)
		out[id] = h
		return err
	})
	return out, err
}

// ReactionsTo are the reactions to some messages: of each account the last one, unless that
// was taken back, in the order in which they were read. Those of blocked people are left out.
func (t Tx) ReactionsTo(ids []mimi.MessageID) ([]Message, error) {
	list, err := inBatches(ids, func(places string, args []any) ([]Message, error) {
		return collect(t, `SELECT `+messageColumns+`, MAX(COALESCE(pos, (1 << 62) + id)) FROM messages
			WHERE target IN (`+places+`) AND kind = 4 AND flags & 1 = 0 GROUP BY target, account`, scanMessage, args...)
	})
	list = slices.DeleteFunc(list, func(m Message) bool { return m.Flags&FlagDeleted != 0 })
	slices.SortStableFunc(list, func(a, b Message) int { return cmp.Compare(uint64(a.Pos)-1, uint64(b.Pos)-1) }) // without a place: last
	return list, err
}

// MessagesByID are the messages of a room with these ids that are here.
func (t Tx) MessagesByID(id room.ID, ids []mimi.MessageID) (map[mimi.MessageID]Message, error) {
	list, err := inBatches(ids, func(places string, args []any) ([]Message, error) {
		return collect(t, `SELECT `+messageColumns+` FROM messages WHERE message IN (`+places+`) AND room = ?`, scanMessage, append(args, id)...)
	})
	out := make(map[mimi.MessageID]Message, len(list))
	for _, m := range list {
		out[m.ID] = m
	}
	return out, err
}

// batch is how many values one statement takes. The last batch of a list is filled up with
// its first value, so that there is one statement only.
const batch = 64

func inBatches[T any](ids []mimi.MessageID, some func(places string, args []any) ([]T, error)) (out []T, err error) {
	places := strings.Repeat("?,", batch-1) + "?"
	for len(ids) > 0 {
		n := min(len(ids), batch)
		args := make([]any, batch, batch+1)
		for i := range args {
			args[i] = ids[0]
			if i < n {
				args[i] = ids[i]
			}
		}
		list, err := some(places, args)
		if err != nil {
			return nil, err
		}
		out, ids = append(out, list...), ids[n:]
	}
	return out, nil
}
