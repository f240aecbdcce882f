package store

import (
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
)

// Size is what a part of a room's messages takes.
type Size struct {
	Messages, Bytes int64 // shown messages; bytes of texts and contents
	Next            int64 // where the next part begins
	More            bool
}

// sizePart is how many messages one call of Size reads.
const sizePart = 5000

// Size measures the part of a room that begins after a place; -1 begins with what has no
// place.
func (t Tx) Size(id room.ID, after int64) (s Size, err error) {
	where, args := `pos > ? ORDER BY pos LIMIT ?`, []any{id, after, sizePart}
	if after < 0 {
		where, args = `pos IS NULL`, []any{id}
	}
	rows := 0
	err = t.tx.Query(`SELECT COALESCE(pos, 0), at IS NOT NULL, LENGTH(CAST(text AS BLOB)) + LENGTH(content) FROM messages WHERE room = ? AND `+where, func(r *sqlite.Row) error {
		rows++
		s.Next = r.Int(0)
		if r.Bool(1) {
			s.Messages++
		}
		s.Bytes += r.Int(2)
		return nil
	}, args...)
	s.More = after < 0 || rows == sizePart
	if after < 0 {
		s.Next = 0
	}
	return s, err
}

// FileSize is how many bytes the database takes, without its log.
func (t Tx) FileSize() (n int64, err error) {
	_, err = t.one(`SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`, func(r *sqlite.Row) error { return r.Scan(&n) })
	return n, err
}
