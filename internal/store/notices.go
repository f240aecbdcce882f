package store

import (
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
)

// Notice is something that the person is told.
type Notice struct {
	ID   int64
	Room *room.ID
	Time int64
	Kind string
	Text string    // in English
	Said said.Said // the same by its key; zero of one that an earlier version kept
	Pos  int64     // of one that stands in the conversation: its place among the messages; else 0
	Call *room.CallID
	// Unseen: it counts among what the person has not seen.
	Unseen bool
}

// AddNotice keeps a notice.
func (t Tx) AddNotice(n Notice) error {
	var pos any
	if n.Pos != 0 {
		pos = n.Pos
	}
	var what []byte
	if n.Said.Key != "" {
		what = wire.Marshal(n.Said)
	}
	return t.tx.Exec(`INSERT INTO notices (room, time, kind, text, pos, said, call, unseen) VALUES (?,?,?,?,?,?,?,?)`, n.Room, n.Time, n.Kind, n.Text, pos, what, n.Call, n.Unseen)
}

// NoticesLike counts equal notices since a time, among the last ones.
func (t Tx) NoticesLike(n Notice, since int64) (count int64, err error) {
	_, err = t.one(`SELECT COUNT(*) FROM (SELECT room, time, kind, text FROM notices ORDER BY id DESC LIMIT 512)
		WHERE room IS ? AND kind = ? AND text = ? AND time > ?`, func(r *sqlite.Row) error { return r.Scan(&count) }, n.Room, n.Kind, n.Text, since)
	return count, err
}

// Notices are those after an id.
func (t Tx) Notices(after int64) ([]Notice, error) {
	return collect(t, `SELECT `+noticeColumns+` FROM notices WHERE id > ? ORDER BY id`, scanNotice, after)
}

const noticeColumns = `id, room, time, kind, text, COALESCE(pos, 0), said, call, unseen`

func scanNotice(r *sqlite.Row) (n Notice, err error) {
	var what []byte
	if err := r.Scan(&n.ID, &n.Room, &n.Time, &n.Kind, &n.Text, &n.Pos, &what, &n.Call, &n.Unseen); err != nil || what == nil {
		return n, err
	}
	return n, wire.Unmarshal(what, &n.Said)
}

// LastNotice is the id of the last notice, 0 when there is none.
func (t Tx) LastNotice() (id int64, err error) {
	_, err = t.one(`SELECT COALESCE(MAX(id), 0) FROM notices`, func(r *sqlite.Row) error { return r.Scan(&id) })
	return id, err
}
