package store

import (
	"bytes"

	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/mls"
)

// GroupWriter takes a group's records within a transaction (mls.Writer). Err is the
// first failure.
type GroupWriter struct {
	t          Tx
	room       room.ID
	generation uint64
	Err        error
}

// GroupWriter writes the records of a generation's group.
func (t Tx) GroupWriter(id room.ID, generation uint64) *GroupWriter {
	return &GroupWriter{t: t, room: id, generation: generation}
}

// Put keeps a record.
func (w *GroupWriter) Put(key, value []byte) {
	if w.Err == nil {
		w.Err = w.t.tx.Exec(`INSERT OR REPLACE INTO mls (room, generation, key, value) VALUES (?,?,?,?)`, w.room, w.generation, key, value)
	}
}

// Delete erases a record.
func (w *GroupWriter) Delete(key []byte) {
	if w.Err == nil {
		w.Err = w.t.tx.Exec(`DELETE FROM mls WHERE room = ? AND generation = ? AND key = ?`, w.room, w.generation, key)
	}
}

// Flush writes what changed in a group since its last Flush.
func (t Tx) Flush(g *mls.Group, id room.ID, generation uint64) error {
	w := t.GroupWriter(id, generation)
	if err := g.Flush(w); err != nil {
		return err
	}
	return w.Err
}

// GroupReader reads a group's records (mls.Reader). Err is the first failure.
type GroupReader struct {
	t          Tx
	room       room.ID
	generation uint64
	Err        error
}

// GroupReader reads the records of a generation's group.
func (t Tx) GroupReader(id room.ID, generation uint64) *GroupReader {
	return &GroupReader{t: t, room: id, generation: generation}
}

// Get reads a record.
func (r *GroupReader) Get(key []byte) ([]byte, bool) {
	var v []byte
	ok, err := r.t.one(`SELECT value FROM mls WHERE room = ? AND generation = ? AND key = ?`,
		func(row *sqlite.Row) error { v = row.Bytes(0); return nil }, r.room, r.generation, key)
	if err != nil && r.Err == nil {
		r.Err = err
	}
	return v, ok && err == nil
}

// Range visits the records under a prefix in order.
func (r *GroupReader) Range(prefix []byte, fn func(key, value []byte) error) error {
	return r.t.tx.Query(`SELECT key, value FROM mls WHERE room = ? AND generation = ? AND key >= ? ORDER BY key`, func(row *sqlite.Row) error {
		key := row.Bytes(0)
		if !bytes.HasPrefix(key, prefix) {
			return nil
		}
		return fn(key, row.Bytes(1))
	}, r.room, r.generation, prefix)
}
