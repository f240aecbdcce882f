package sqlite

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// Tx is a running transaction. It ends with the function it was given to.
type Tx struct {
	db    *DB
	write bool
}

// Update runs fn in a transaction that is durable when Update answers nil. When fn
// answers an error or panics, or the disk fails, the database is as it was before.
//
// A commit that failed is not enough for that: the write-ahead log may hold the whole
// transaction although the disk said error (the last sync failed after the writes had
// gone through), and the next start would read it from there. So after a failed
// commit its place in the log is overwritten at once, durably, by an empty
// transaction. Where that fails too the DB answers ErrUnknown from then on, because
// only opening it again shows which of the two the disk holds.
func (db *DB) Update(fn func(tx *Tx) error) error {
	if err := db.begin(true); err != nil {
		return err
	}
	defer db.unwind()
	if err := fn(db.tx); err != nil {
		return err
	}
	if err := db.conn.Exec(`COMMIT`); err != nil {
		return db.uncommit(err)
	}
	db.tx = nil
	if db.logged >= checkpointPages {
		// The transaction is durable whether or not the log can be emptied: the next
		// Update tries again, and Close and Checkpoint tell.
		_ = db.Checkpoint()
	}
	return nil
}

// View runs fn in a transaction that only reads.
func (db *DB) View(fn func(tx *Tx) error) error {
	if err := db.begin(false); err != nil {
		return err
	}
	defer db.unwind()
	return fn(db.tx)
}

func (db *DB) begin(write bool) error {
	if db.tx != nil {
		panic("sqlite: a transaction inside a transaction")
	}
	if err := db.usable(); err != nil {
		return err
	}
	sql := `BEGIN`
	if write {
		sql = `BEGIN IMMEDIATE`
	}
	if err := db.conn.Exec(sql); err != nil {
		return fmt.Errorf("begin: %w", classify(err))
	}
	db.tx = &Tx{db: db, write: write}
	return nil
}

// unwind rolls back what was not committed, also when fn panicked.
func (db *DB) unwind() {
	if db.tx == nil {
		return
	}
	db.tx = nil
	db.rollBack()
}

func (db *DB) rollBack() {
	if db.conn.GetAutocommit() {
		return // SQLite has done it already, as it does after some errors
	}
	if err := db.conn.Exec(`ROLLBACK`); err != nil {
		db.broken = fmt.Errorf("%w (rollback: %w)", ErrUnknown, err)
	}
}

// uncommit makes sure that a transaction whose commit failed is not in the log.
func (db *DB) uncommit(cause error) error {
	db.tx = nil
	db.rollBack()
	if db.broken == nil {
		if err := db.overwrite(); err != nil {
			db.broken = fmt.Errorf("%w (%w)", ErrUnknown, classify(err))
		}
	}
	if db.broken != nil {
		return fmt.Errorf("%w, after: %w", db.broken, classify(cause))
	}
	return fmt.Errorf("commit: %w", classify(cause))
}

// overwrite commits page 1 as it is, which takes the place in the log of whatever
// stands behind its last valid transaction and breaks the chain of checksums there.
func (db *DB) overwrite() error {
	v, err := db.number(`PRAGMA user_version`)
	if err != nil {
		return err
	}
	err = db.conn.Exec(fmt.Sprintf(`BEGIN IMMEDIATE; PRAGMA user_version = %d; COMMIT`, v))
	if err != nil && !db.conn.GetAutocommit() {
		err = errors.Join(err, db.conn.Exec(`ROLLBACK`))
	}
	return err
}

// Exec runs one statement. The arguments may be nil, bool, integers, string, []byte,
// arrays of bytes, time.Time (kept as Unix milliseconds, UTC; the zero time as NULL),
// and types made of these.
func (tx *Tx) Exec(sql string, args ...any) error {
	s, err := tx.prepare(sql, args)
	if err != nil {
		return err
	}
	err = s.Exec()
	return errors.Join(wrap(sql, err), tx.release(sql, s))
}

// Query runs one statement and calls row for each row. An error of row ends the query
// and is answered as it is.
func (tx *Tx) Query(sql string, row func(r *Row) error, args ...any) error {
	s, err := tx.prepare(sql, args)
	if err != nil {
		return err
	}
	defer tx.release(sql, s)
	r := Row{stmt: s}
	for s.Step() {
		if err := row(&r); err != nil {
			return err
		}
		if r.err != nil {
			return wrap(sql, r.err)
		}
	}
	return wrap(sql, s.Err())
}

// Changes is how many rows the last Exec inserted, changed or deleted.
func (tx *Tx) Changes() int64 { return tx.db.conn.Changes() }

// LastID is the row id of the last insert.
func (tx *Tx) LastID() int64 { return tx.db.conn.LastInsertRowID() }

// prepare takes the statement from the cache, or makes it. A statement that runs is
// not in the cache, so a query inside a query of the same text gets its own.
func (tx *Tx) prepare(sql string, args []any) (*sqlite3.Stmt, error) {
	if tx.db.tx != tx {
		panic("sqlite: a transaction used after its end")
	}
	s := tx.db.stmts[sql]
	if s != nil {
		delete(tx.db.stmts, sql)
	} else {
		var tail string
		var err error
		if s, tail, err = tx.db.conn.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, wrap(sql, err)
		}
		if s == nil || tail != "" && !blank(tail) {
			s.Close()
			return nil, wrap(sql, errors.New("not exactly one statement"))
		}
	}
	err := bindAll(s, args)
	if err == nil && !tx.write && !s.ReadOnly() {
		err = errors.New("a statement that writes, in View")
	}
	if err != nil {
		tx.release(sql, s)
		return nil, wrap(sql, err)
	}
	return s, nil
}

func (tx *Tx) release(sql string, s *sqlite3.Stmt) error {
	s.Reset() // repeats the error of the last step, which the caller has
	err := s.ClearBindings()
	if _, taken := tx.db.stmts[sql]; taken || len(tx.db.stmts) >= maxStatements {
		return errors.Join(err, s.Close())
	}
	tx.db.stmts[sql] = s
	return err
}

// maxStatements bounds the cache; a program's statements are constants, so that it
// is never reached unless somebody builds statements from data.
const maxStatements = 512

func blank(s string) bool {
	for _, c := range s {
		if c != ' ' && c != '\n' && c != '\t' && c != ';' {
			return false
		}
	}
	return true
}

// wrap adds the statement's text, never its arguments, to an error.
func wrap(sql string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w in %.120q", classify(err), sql)
}

// Plans are how SQLite runs each of the statements that were used lately: the lines of
// EXPLAIN QUERY PLAN.
func (db *DB) Plans() (map[string][]string, error) {
	if err := db.usable(); err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for sql := range db.stmts {
		s, _, err := db.conn.Prepare(`EXPLAIN QUERY PLAN ` + sql)
		if err != nil {
			return nil, wrap(sql, err)
		}
		for s.Step() {
			out[sql] = append(out[sql], s.ColumnText(3))
		}
		if err := errors.Join(s.Err(), s.Close()); err != nil {
			return nil, wrap(sql, err)
		}
	}
	return out, nil
}
