package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"testing"

	"lukechampine.com/adiantum"
	"sotto/internal/store/sqlite"
	"sotto/internal/store/sqlite/faultfs"
)

var secret = []byte("the fish swims at midnight")

// unseal decrypts every block of a file, as somebody who has the key would.
func unseal(b []byte) []byte {
	c := adiantum.New(testKey[:])
	out := bytes.Clone(b[:len(b)/4096*4096])
	var tweak [8]byte
	for at := 0; at < len(out); at += 4096 {
		binary.LittleEndian.PutUint64(tweak[:], uint64(at))
		c.Decrypt(out[at:at+4096], tweak[:])
	}
	return out
}

// knows says which files hold the words, for somebody who has the key.
func knows(d *faultfs.Disk, words []byte) (in []string) {
	for _, name := range d.Files() {
		if bytes.Contains(unseal(d.ReadFile(name)), words) {
			in = append(in, name)
		}
	}
	return in
}

func TestNoPlaintext(t *testing.T) {
	d := faultfs.New(1)
	db := migrated(t, d)
	exec(t, db, `INSERT INTO note VALUES (1, ?)`, secret)
	for _, words := range [][]byte{secret, []byte("SQLite format 3"), []byte("CREATE TABLE"), testKey[:]} {
		if f := d.Contains(words); f != "" {
			t.Errorf("%s holds %q", f, words)
		}
	}
	if in := knows(d, secret); len(in) != 1 || in[0] != "sotto.db-wal" {
		t.Errorf("with the key the words are in %v: the test is blind", in)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if in := knows(d, secret); len(in) != 1 || in[0] != "sotto.db" || d.Contains(secret) != "" {
		t.Errorf("after Close the words are in %v", in)
	}
}

func TestErased(t *testing.T) {
	long := bytes.Repeat(secret, 1000) // overflow pages
	for _, c := range []struct {
		name, erase string
	}{
		{"deleted", `DELETE FROM note WHERE id = 7`},
		{"overwritten", `UPDATE note SET body = zeroblob(3) WHERE id = 7`},
		{"dropped", `DROP TABLE note`},
	} {
		for _, body := range [][]byte{secret, long} {
			d := faultfs.New(1)
			db := open(t, d)
			exec(t, db, `CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB)`)
			exec(t, db, `CREATE INDEX note_body ON note (body)`)
			for i := range 20 {
				b := bytes.Repeat([]byte("x"), 300)
				if i == 7 {
					b = body
				}
				exec(t, db, `INSERT INTO note VALUES (?, ?)`, i, b)
			}
			if err := db.Checkpoint(); err != nil {
				t.Fatal(err)
			}
			if len(knows(d, secret)) == 0 {
				t.Fatal("the test is blind")
			}
			exec(t, db, c.erase)
			if err := db.Checkpoint(); err != nil {
				t.Fatal(err)
			}
			if in := knows(d, secret); in != nil {
				t.Errorf("%s, %d bytes: the words are still in %v", c.name, len(body), in)
			}
			db.Close()
		}
	}
}

// TestErasedFromSearch: a full-text index forgets a deleted row only when told to.
func TestErasedFromSearch(t *testing.T) {
	d := faultfs.New(1)
	db, err := sqlite.Open(sqlite.Options{Path: "sotto.db", Key: testKey, FS: d, Search: true})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, `CREATE VIRTUAL TABLE found USING fts5(body)`)
	exec(t, db, `INSERT INTO found (found, rank) VALUES ('secure-delete', 1)`)
	for i := range 30 {
		exec(t, db, `INSERT INTO found (rowid, body) VALUES (?, ?)`, i, "rather common words")
	}
	exec(t, db, `INSERT INTO found (rowid, body) VALUES (99, 'zanzibarium')`)
	if len(knows(d, []byte("zanzibarium"))) == 0 {
		t.Fatal("the test is blind")
	}
	exec(t, db, `DELETE FROM found WHERE rowid = 99`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if in := knows(d, []byte("zanzibarium")); in != nil {
		t.Errorf("the word is still in %v", in)
	}
}

// BenchmarkUpdate is a small transaction as a received message makes it: one row of
// 300 bytes, one small row replaced. It tells bytes handed to the file system for
// each, and how often the file is synced, beside the time on a real disk.
func BenchmarkUpdate(b *testing.B) {
	one := func(b *testing.B, db *sqlite.DB) {
		exec(b, db, `CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB)`)
		exec(b, db, `CREATE TABLE state (id INTEGER PRIMARY KEY, at INTEGER, keys BLOB)`)
		text, keys := bytes.Repeat([]byte("m"), 300), bytes.Repeat([]byte("k"), 200)
		for i := 0; b.Loop(); i++ {
			err := db.Update(func(tx *sqlite.Tx) error {
				if err := tx.Exec(`INSERT INTO note VALUES (?, ?)`, i, text); err != nil {
					return err
				}
				return tx.Exec(`INSERT OR REPLACE INTO state VALUES (1, ?, ?)`, i, keys)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("disk", func(b *testing.B) {
		db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(b.TempDir(), "sotto.db"), Key: testKey})
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		one(b, db)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	})
	b.Run("memory", func(b *testing.B) {
		d := faultfs.New(1)
		db := open(b, d)
		one(b, db)
		db.Close()
		b.ReportMetric(float64(d.Written())/float64(b.N), "written-B/tx")
		b.ReportMetric(float64(d.Ops())/float64(b.N), "calls/tx")
	})
}
