package store

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"sotto/internal/store/sqlite"
)

// FTS5's secure deletion takes a word out of the page of the index that holds it. When the
// word was the first one of its page it may also stand in search_idx, which says of each
// segment's page where it begins: with the shortest string that separates it from the page
// before, which can be the whole word. That stays. A sweep replaces every separator that is
// no part of a word still there by the first word of its page, which separates as well.
//
// The formats are those of SQLite's ext/fts5/fts5_index.c (since 3.9, "structure record" and
// "segment b-tree"): search_idx has (segid, term, pgno << 1 | flag); the page is the block of
// search_data whose id is segid << 37 + pgno; a page is two bytes for the offset of its first
// rowid, two for the length of what follows until its index, the content, and the index: a
// varint with the offset of the first word, then differences. There a word is a varint with
// its length and its bytes.

// Sweep is how far a sweep of the index has come.
type Sweep struct {
	dirty int64
	segid int64
	term  []byte
	any   bool
}

// BeginSweep begins a sweep; dirty says whether words were taken out since the last one.
func (t Tx) BeginSweep() (s Sweep, dirty bool, err error) {
	_, err = t.one(`SELECT dirty FROM indexed`, func(r *sqlite.Row) error { return r.Scan(&s.dirty) })
	return s, s.dirty > 0, err
}

// Sweep goes on with a sweep for at most limit pages, in a transaction of its own, and says
// whether there is more. It counts as done only if nothing was taken out meanwhile.
func (t Tx) Sweep(s *Sweep, limit int) (more bool, err error) {
	type page struct {
		segid, pgno int64
		term        []byte
	}
	sql, args := `SELECT segid, pgno, term FROM search_idx ORDER BY segid, term LIMIT ?`, []any{limit}
	if s.any {
		sql, args = `SELECT segid, pgno, term FROM search_idx WHERE (segid, term) > (?, ?) ORDER BY segid, term LIMIT ?`, []any{s.segid, s.term, limit}
	}
	list, err := collect(t, sql, func(r *sqlite.Row) (p page, err error) { err = r.Scan(&p.segid, &p.pgno, &p.term); return p, err }, args...)
	if err != nil {
		return false, err
	}
	for _, p := range list {
		s.segid, s.term, s.any = p.segid, p.term, true
		if len(p.term) <= 1 { // the first page of a segment, or nothing but the number of an index
			continue
		}
		first, err := t.firstWord(p.segid<<37 + p.pgno>>1)
		if err != nil {
			return false, err
		}
		if first == nil || bytes.HasPrefix(first, p.term) {
			continue
		}
		if err := t.tx.Exec(`UPDATE search_idx SET term = ? WHERE segid = ? AND term = ?`, first, p.segid, p.term); err != nil {
			return false, err
		}
	}
	if more = len(list) == limit; more {
		return true, nil
	}
	return false, t.tx.Exec(`UPDATE indexed SET dirty = 0 WHERE dirty = ?`, s.dirty)
}

// firstWord is the first word of a page of the index; nil when none begins there.
func (t Tx) firstWord(id int64) (word []byte, err error) {
	var block []byte
	if ok, err := t.one(`SELECT block FROM search_data WHERE id = ?`, func(r *sqlite.Row) error { block = r.Bytes(0); return nil }, id); err != nil || !ok {
		return nil, err
	}
	damaged := fmt.Errorf("%w: a page of the index of words", sqlite.ErrCorrupt)
	if len(block) < 4 {
		return nil, damaged
	}
	index := int(binary.BigEndian.Uint16(block[2:]))
	if index > len(block) {
		return nil, damaged
	}
	if index == len(block) {
		return nil, nil
	}
	at, _ := varint(block[index:])
	if at < 4 || at >= index {
		return nil, damaged
	}
	n, size := varint(block[at:index])
	if from := at + size; n > 0 && from+n <= index {
		return block[from : from+n], nil
	}
	return nil, damaged
}

// varint reads one of SQLite's variable-length integers, the highest bits first; -1 when it
// is too large for a page.
func varint(b []byte) (n, size int) {
	for i, c := range b {
		if i == 3 {
			break
		}
		if n = n<<7 | int(c&0x7f); c < 0x80 {
			return n, i + 1
		}
	}
	return -1, 0
}
