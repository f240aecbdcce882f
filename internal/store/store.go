// Package store is a device's database: what the client remembers, in typed rows on an
// encrypted SQLite file. It knows no network and no clock, and keeps what it is told;
// what it means is the client's business. Only the client's event queue touches it.
package store

import (
	"encoding/binary"
	"strings"

	"sotto/internal/store/sqlite"
)

// Store is an open database. One goroutine uses it.
type Store struct {
	db *sqlite.DB
}

// Options say where the database lies and what opens it.
type Options = sqlite.Options

// ErrUnknown is a commit of which nobody knows whether it is on the disk: open again.
var ErrUnknown = sqlite.ErrUnknown

// cache is how much of the database is kept in memory, decrypted, in KiB.
const cache = 16 << 10

// Open opens the database and brings it up to date. A damaged or locked one answers
// the errors of the sqlite package.
func Open(o Options) (*Store, error) {
	o.Search, o.Cache = true, cache
	db, err := sqlite.Open(o)
	if err != nil {
		return nil, err
	}
	if err := sqlite.Migrate(db, steps); err != nil {
		db.Close()
		return nil, err
	}
	s := &Store{db: db}
	if err := s.Update(Tx.checkIndex); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Plans are how SQLite runs each statement that was used lately, for a test that none reads
// more than it has to.
func (s *Store) Plans() (map[string][]string, error) { return s.db.Plans() }

// Tidy moves deleted rows out of the write-ahead log.
func (s *Store) Tidy() error { return s.db.Checkpoint() }

// Update runs fn in one durable transaction: all of it or nothing.
func (s *Store) Update(fn func(tx Tx) error) error {
	return s.db.Update(func(tx *sqlite.Tx) error { return fn(Tx{tx}) })
}

// View runs fn in a reading transaction.
func (s *Store) View(fn func(tx Tx) error) error {
	return s.db.View(func(tx *sqlite.Tx) error { return fn(Tx{tx}) })
}

// Tx is a running transaction.
type Tx struct {
	tx *sqlite.Tx
}

// one runs a query that answers at most one row and says whether there was one.
func (t Tx) one(sql string, row func(r *sqlite.Row) error, args ...any) (bool, error) {
	found := false
	err := t.tx.Query(sql, func(r *sqlite.Row) error {
		found = true
		return row(r)
	}, args...)
	return found, err
}

// collect gathers the rows of a query.
func collect[T any](t Tx, sql string, row func(r *sqlite.Row) (T, error), args ...any) ([]T, error) {
	var out []T
	err := t.tx.Query(sql, func(r *sqlite.Row) error {
		v, err := row(r)
		if err == nil {
			out = append(out, v)
		}
		return err
	}, args...)
	return out, err
}

// Fact reads a single value.
func (t Tx) Fact(name string) ([]byte, bool, error) {
	var v []byte
	ok, err := t.one(`SELECT value FROM facts WHERE name = ?`, func(r *sqlite.Row) error { v = r.Bytes(0); return nil }, name)
	return v, ok, err
}

// Facts are the facts whose names begin alike, in the order of these, by what follows.
func (t Tx) Facts(prefix string) (names []string, values [][]byte, err error) {
	err = t.tx.Query(`SELECT name, value FROM facts WHERE substr(name, 1, ?) = ? ORDER BY name`, func(r *sqlite.Row) error {
		names = append(names, strings.TrimPrefix(r.Text(0), prefix))
		values = append(values, r.Bytes(1))
		return nil
	}, len(prefix), prefix)
	return names, values, err
}

// SetFact keeps a single value.
func (t Tx) SetFact(name string, value []byte) error {
	return t.tx.Exec(`INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
}

// FactUint reads a single number, 0 when it is not there.
func (t Tx) FactUint(name string) (uint64, error) {
	b, ok, err := t.Fact(name)
	if err != nil || !ok || len(b) != 8 {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}

// SetFactUint keeps a single number.
func (t Tx) SetFactUint(name string, n uint64) error {
	return t.SetFact(name, binary.BigEndian.AppendUint64(nil, n))
}

// DropFacts forgets single values.
func (t Tx) DropFacts(names ...string) error {
	for _, n := range names {
		if err := t.tx.Exec(`DELETE FROM facts WHERE name = ?`, n); err != nil {
			return err
		}
	}
	return nil
}
