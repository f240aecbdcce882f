package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sotto/internal/store/sqlite"
	"sotto/internal/store/sqlite/faultfs"
)

var testKey = [32]byte{1, 2, 3}

var schema = []string{
	`CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
	 CREATE TABLE part (note INTEGER NOT NULL REFERENCES note ON DELETE CASCADE, n INTEGER NOT NULL, PRIMARY KEY (note, n)) WITHOUT ROWID;`,
	`CREATE INDEX note_body ON note (body);`,
}

func open(t testing.TB, d *faultfs.Disk) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(sqlite.Options{Path: "sotto.db", Key: testKey, FS: d})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func migrated(t testing.TB, d *faultfs.Disk) *sqlite.DB {
	t.Helper()
	db := open(t, d)
	if err := sqlite.Migrate(db, schema); err != nil {
		t.Fatal(err)
	}
	return db
}

func exec(t testing.TB, db *sqlite.DB, sql string, args ...any) {
	t.Helper()
	if err := db.Update(func(tx *sqlite.Tx) error { return tx.Exec(sql, args...) }); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, db *sqlite.DB, sql string, args ...any) (n int64) {
	t.Helper()
	err := db.View(func(tx *sqlite.Tx) error {
		return tx.Query(sql, func(r *sqlite.Row) error { n = r.Int(0); return nil }, args...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenAgain(t *testing.T) {
	d := faultfs.New(1)
	db := migrated(t, d)
	exec(t, db, `INSERT INTO note VALUES (1, ?)`, "hello")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if err := db.View(func(*sqlite.Tx) error { return nil }); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("View after Close: %v", err)
	}
	if got := d.Files(); len(got) != 1 {
		t.Errorf("after Close the disk holds %v", got)
	}
	db = migrated(t, d)
	defer db.Close()
	if count(t, db, `SELECT count(*) FROM note`) != 1 {
		t.Error("the row is gone")
	}
	if err := db.Check(); err != nil {
		t.Error(err)
	}
	if v, err := db.Version(); v != len(schema) || err != nil {
		t.Errorf("version %d, %v", v, err)
	}
}

func TestPragmas(t *testing.T) {
	db := migrated(t, faultfs.New(1))
	defer db.Close()
	for name, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "3", "secure_delete": "1", "foreign_keys": "1",
		"temp_store": "2", "locking_mode": "exclusive", "page_size": "4096",
		"checksum_verification": "1", "trusted_schema": "0",
	} {
		err := db.Update(func(tx *sqlite.Tx) error {
			return tx.Query(`PRAGMA `+name, func(r *sqlite.Row) error {
				if got := r.Text(0); got != want {
					t.Errorf("%s is %q, not %q", name, got, want)
				}
				return nil
			})
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOneProcess(t *testing.T) {
	d := faultfs.New(1)
	for _, o := range []sqlite.Options{
		{Path: "sotto.db", Key: testKey, FS: d},
		{Path: filepath.Join(t.TempDir(), "a name with % and ? and #.db"), Key: testKey},
	} {
		db, err := sqlite.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.Open(o); !errors.Is(err, sqlite.ErrInUse) {
			t.Errorf("%s: second Open: %v", o.Path, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if db, err = sqlite.Open(o); err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
}

func TestRealFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sotto.db")
	db, err := sqlite.Open(sqlite.Options{Path: path, Key: testKey, Search: true})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, `CREATE VIRTUAL TABLE found USING fts5(body)`)
	exec(t, db, `INSERT INTO found VALUES ('the quick brown fox')`)
	if count(t, db, `SELECT count(*) FROM found('quick')`) != 1 {
		t.Error("full-text search found nothing")
	}
	for _, name := range []string{"sotto.db", "sotto.db-wal"} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if fi.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, fi.Mode())
		}
	}
	if _, err := os.Stat(path + "-shm"); err == nil {
		t.Error("there is a shared-memory file")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 1 {
		t.Errorf("Close left %v", names)
	}
}

func TestWrongKeyAndDamage(t *testing.T) {
	whole := faultfs.New(1)
	db := migrated(t, whole)
	for i := range 50 {
		exec(t, db, `INSERT INTO note VALUES (?, ?)`, i, strings.Repeat("x", 1000))
	}
	db.Close()
	content := whole.ReadFile("sotto.db")
	flip := func(at int) []byte {
		b := append([]byte(nil), content...)
		b[at] ^= 1
		return b
	}
	try := func(b []byte, key [32]byte) error {
		d := faultfs.New(1)
		d.WriteFile("sotto.db", b)
		db, err := sqlite.Open(sqlite.Options{Path: "sotto.db", Key: key, FS: d, Existing: true})
		if err != nil {
			return err
		}
		defer db.Close()
		if err := db.View(func(tx *sqlite.Tx) error {
			return tx.Query(`SELECT * FROM note`, func(*sqlite.Row) error { return nil })
		}); err != nil {
			return err
		}
		return db.Check()
	}
	for _, c := range []struct {
		name string
		b    []byte
		key  [32]byte
		want error
	}{
		{"whole", content, testKey, nil},
		{"wrong key", content, [32]byte{9}, sqlite.ErrKey},
		{"first page damaged", flip(10), testKey, sqlite.ErrKey},
		{"a page damaged", flip(len(content)/2 + 7), testKey, sqlite.ErrCorrupt},
		{"last page damaged", flip(len(content) - 1), testKey, sqlite.ErrCorrupt},
		{"cut by a page", content[:len(content)-4096], testKey, sqlite.ErrCorrupt},
		{"cut inside a page", content[:len(content)-100], testKey, sqlite.ErrCorrupt},
		{"cut to one page", content[:4096], testKey, sqlite.ErrCorrupt},
		{"cut to less", content[:1000], testKey, sqlite.ErrCorrupt},
		{"empty", nil, testKey, sqlite.ErrCorrupt},
		{"somebody else's", []byte(strings.Repeat("not a database ", 4096)), testKey, sqlite.ErrKey},
	} {
		if err := try(c.b, c.key); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, not %v", c.name, err, c.want)
		}
	}
}

func TestMigrate(t *testing.T) {
	d := faultfs.New(1)
	db := open(t, d)
	if err := sqlite.Migrate(db, schema[:1]); err != nil {
		t.Fatal(err)
	}
	broken := []string{schema[0], `CREATE TABLE half (x); CREATE TABLE half (x)`}
	if err := sqlite.Migrate(db, broken); err == nil {
		t.Error("a broken step was taken")
	}
	if count(t, db, `SELECT count(*) FROM sqlite_schema WHERE name = 'half'`) != 0 {
		t.Error("half a step stands")
	}
	if err := sqlite.Migrate(db, schema); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Migrate(db, schema); err != nil {
		t.Error("a second time:", err)
	}
	if err := sqlite.Migrate(db, schema[:1]); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("an older program: %v", err)
	}
	db.Close()
}

type (
	name   [16]byte
	other  [5]byte
	count8 uint8
)

func TestValues(t *testing.T) {
	db := open(t, faultfs.New(1))
	defer db.Close()
	exec(t, db, `CREATE TABLE v (a, b, c, d, e, f, g, h, i, j, k)`)
	now := time.Date(2030, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	n, o, empty := name{1, 2, 3}, other{4, 5}, []byte{}
	var noName *name
	exec(t, db, `INSERT INTO v VALUES (?,?,?,?,?,?,?,?,?,?,?)`,
		int64(-5), uint64(1<<63+1), "text \x00 ü", []byte("raw"), true, nil, now, n, o, empty, noName)
	err := db.View(func(tx *sqlite.Tx) error {
		return tx.Query(`SELECT * FROM v`, func(r *sqlite.Row) error {
			var (
				a  int64
				b  uint64
				c  string
				d  []byte
				e  bool
				f  []byte = []byte("x")
				g  time.Time
				h  name
				i  other
				j  []byte
				k  = &name{7}
				h2 *name
			)
			if err := r.Scan(&a, &b, &c, &d, &e, &f, &g, &h, &i, &j, &k); err != nil {
				return err
			}
			if a != -5 || b != 1<<63+1 || c != "text \x00 ü" || string(d) != "raw" || !e || f != nil ||
				!g.Equal(now) || h != n || i != o || j == nil || len(j) != 0 || k != nil {
				t.Error(a, b, c, d, e, f, g, h, i, j, k)
			}
			if err := r.Scan(nil, nil, nil, nil, nil, nil, nil, &h2); err != nil || *h2 != n {
				t.Error(h2, err)
			}
			if r.Time(5) != (time.Time{}) || r.Int(0) != -5 || r.Uint(1) != 1<<63+1 || r.Text(2) != c || !r.Bool(4) || !r.Null(5) {
				t.Error("accessors")
			}
			var small count8
			if err := r.Scan(&small); err != nil {
				t.Error(err)
			}
			var wrong [32]byte
			if err := r.Scan(nil, nil, nil, &wrong); !errors.Is(err, sqlite.ErrCorrupt) {
				t.Errorf("three bytes as thirty-two: %v", err)
			}
			return nil
		})
	})
	if !errors.Is(err, sqlite.ErrCorrupt) {
		t.Errorf("the failed Scan was forgotten: %v", err)
	}
	err = db.Update(func(tx *sqlite.Tx) error { return tx.Exec(`INSERT INTO v (a) VALUES (?)`, struct{}{}) })
	if err == nil {
		t.Error("a struct was kept")
	}
	exec(t, db, `INSERT INTO v (a, g) VALUES (?, ?)`, 9, time.Time{})
	if count(t, db, `SELECT count(*) FROM v WHERE a = 9 AND g IS NULL`) != 1 {
		t.Error("the zero time is not NULL")
	}
}

func TestTransactions(t *testing.T) {
	db := migrated(t, faultfs.New(1))
	defer db.Close()
	oops := errors.New("oops")
	err := db.Update(func(tx *sqlite.Tx) error {
		if err := tx.Exec(`INSERT INTO note VALUES (1, 'a'), (2, 'b')`); err != nil || tx.Changes() != 2 || tx.LastID() != 2 {
			t.Error(err, tx.Changes(), tx.LastID())
		}
		return oops
	})
	if err != oops {
		t.Error(err)
	}
	panics(t, "a panic in Update", func() {
		db.Update(func(tx *sqlite.Tx) error { tx.Exec(`INSERT INTO note VALUES (1, 'a')`); panic("x") })
	})
	if count(t, db, `SELECT count(*) FROM note`) != 0 {
		t.Error("something stayed")
	}
	panics(t, "Update in Update", func() { db.Update(func(*sqlite.Tx) error { return db.Update(nil) }) })
	panics(t, "View in Update", func() { db.Update(func(*sqlite.Tx) error { return db.View(nil) }) })
	var late *sqlite.Tx
	db.View(func(tx *sqlite.Tx) error { late = tx; return nil })
	panics(t, "a transaction after its end", func() { late.Exec(`SELECT 1`) })
	if err := db.View(func(tx *sqlite.Tx) error { return tx.Exec(`DELETE FROM note`) }); err == nil {
		t.Error("View wrote")
	}
	err = db.Update(func(tx *sqlite.Tx) error { return tx.Exec(`INSERT INTO part VALUES (99, 1)`) })
	if !errors.Is(err, sqlite.ErrConstraint) {
		t.Errorf("a part of nothing: %v", err)
	}
	for _, bad := range []string{`SELECT 1; SELECT 2`, ``, `SELEKT`} {
		if err := db.View(func(tx *sqlite.Tx) error { return tx.Exec(bad) }); err == nil {
			t.Errorf("%q ran", bad)
		}
	}
}

func TestQueryInQuery(t *testing.T) {
	db := migrated(t, faultfs.New(1))
	defer db.Close()
	exec(t, db, `INSERT INTO note VALUES (1, 'a'), (2, 'b'), (3, 'c')`)
	const sql = `SELECT id FROM note ORDER BY id`
	n := 0
	for range 2 {
		err := db.View(func(tx *sqlite.Tx) error {
			return tx.Query(sql, func(*sqlite.Row) error {
				return tx.Query(sql, func(*sqlite.Row) error { n++; return nil })
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n != 18 {
		t.Errorf("%d rows", n)
	}
	stop := errors.New("stop")
	if err := db.View(func(tx *sqlite.Tx) error { return tx.Query(sql, func(*sqlite.Row) error { return stop }) }); err != stop {
		t.Error(err)
	}
}

func panics(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s did not panic", what)
		}
	}()
	f()
}
