package sqlite

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/adiantum"
	cipher "lukechampine.com/adiantum"
	"lukechampine.com/adiantum/hbsh"

	"sotto/internal/store/words"
)

const (
	applicationID = 0x736f7474 // "sott"
	// checkpointPages is the length of the write-ahead log, in pages of 4 KiB, after
	// which Update empties it: about 4 MiB, 12 MiB with the cipher's rewriting.
	checkpointPages = 1000
	journalLimit    = 1 << 20 // bytes that a rollback journal or log keeps when empty
)

// Options say which database to open.
type Options struct {
	Path     string
	Key      [32]byte
	FS       vfs.VFS // nil: the real file system; otherwise an in-memory or a faulty one
	Existing bool    // there must be a database already: an empty file is ErrCorrupt
	Cache    int     // KiB of pages kept in memory; 0: SQLite's own choice, which is 2 MiB
	Search   bool    // register FTS5, whose tables need 'secure-delete' set on each, and the function words(text)
}

// DB is an open database. It belongs to one goroutine.
type DB struct {
	conn   *sqlite3.Conn
	vfs    string
	stmts  map[string]*sqlite3.Stmt
	tx     *Tx   // the running Update or View
	logged int   // pages in the write-ahead log after the last commit
	broken error // set when the database on disk is unknown: see Update
	closed bool
}

// names numbers the file systems that this process registers with the library, whose
// registry is the process's own. Nothing else is shared between two databases.
var names atomic.Uint64

// Open opens the database, or makes it when the file is missing or shorter than one
// page, as a power cut while it was made may leave it. The errors
// are ErrKey (a wrong key, or the first page is damaged: the two look alike),
// ErrCorrupt, ErrInUse, ErrFull and what the file system says.
func Open(o Options) (*DB, error) {
	db := &DB{stmts: make(map[string]*sqlite3.Stmt)}
	err := prepare(o)
	if err != nil {
		return nil, err
	}
	base := o.FS
	if base == nil {
		base = vfs.Find("")
	}
	db.vfs = fmt.Sprintf("sotto-%d", names.Add(1))
	vfs.Register(db.vfs, adiantum.Wrap(blocks{base}, key(o.Key)))
	if db.conn, err = sqlite3.Open(uri(o, db.vfs)); err != nil {
		vfs.Unregister(db.vfs)
		return nil, fmt.Errorf("open %s: %w", filepath.Base(o.Path), classify(err))
	}
	if err = db.setUp(o); err == nil && o.FS == nil {
		err = syncDir(filepath.Dir(o.Path))
	}
	if err != nil {
		err = opening(err)
		db.abandon()
		return nil, fmt.Errorf("open %s: %w", filepath.Base(o.Path), err)
	}
	return db, nil
}

// opening turns SQLite's "not a database", which is what any wrong key makes of the
// first page, into ErrKey.
func opening(err error) error {
	if errors.Is(err, sqlite3.NOTADB) {
		return fmt.Errorf("%w (%w)", ErrKey, err)
	}
	return classify(err)
}

// prepare makes an empty file that only its owner may read; the log takes its mode.
func prepare(o Options) error {
	if o.FS != nil || o.Existing {
		return nil
	}
	f, err := os.OpenFile(o.Path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return f.Close()
}

// uri names the file and its file system. The key is not in it: textkey=own only asks
// the cipher for the key it was made with.
func uri(o Options, fs string) string {
	p := o.Path
	if o.FS == nil {
		p = filepath.ToSlash(p)
		if filepath.VolumeName(o.Path) != "" && !strings.HasPrefix(p, "/") {
			p = "/" + p
		}
	}
	s := "file:" + (&url.URL{Path: p}).EscapedPath() + "?textkey=own&vfs=" + fs
	if o.FS == nil {
		s += "&modeof=" + url.PathEscape(o.Path) // SQLite does not read + as a space
	}
	return s
}

func (db *DB) setUp(o Options) error {
	c := db.conn
	if err := c.BusyTimeout(0); err != nil {
		return err
	}
	// The order matters: locking_mode before the file is first read, so that the log's
	// index is never put into shared memory; the page size and the checksums before
	// the first table; the journal mode last, because it writes. synchronous is EXTRA
	// for the rollback journal that is used until then: FULL would not make its removal
	// durable, and a journal that came back would undo everything. For the log the two
	// are the same.
	first := fmt.Sprintf(`
		PRAGMA locking_mode = EXCLUSIVE;
		PRAGMA page_size = 4096;
		PRAGMA temp_store = MEMORY;
		PRAGMA secure_delete = ON;
		PRAGMA foreign_keys = ON;
		PRAGMA trusted_schema = OFF;
		PRAGMA cell_size_check = ON;
		PRAGMA synchronous = EXTRA;
		PRAGMA journal_size_limit = %d;`, journalLimit)
	if err := c.Exec(first); err != nil {
		return err
	}
	id, tables, err := db.identify()
	if err != nil {
		return err
	}
	if id != applicationID && (id != 0 || tables > 0) {
		return ErrNotOurs
	}
	if id == 0 && o.Existing {
		return fmt.Errorf("%w (the file is empty)", ErrCorrupt)
	}
	if id == 0 { // new, or the program died before it had a mark
		if err := c.EnableChecksums("main"); err != nil {
			return err
		}
		if err := c.Exec(fmt.Sprintf(`PRAGMA application_id = %d`, applicationID)); err != nil {
			return err
		}
	}
	if err := c.Exec(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0`); err != nil {
		return err
	}
	if mode, err := db.text(`PRAGMA journal_mode`); err != nil || mode != "wal" {
		return errors.Join(err, fmt.Errorf("journal mode %q instead of wal", mode))
	}
	c.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error { db.logged = pages; return nil })
	if o.Cache > 0 {
		if err := c.Exec(fmt.Sprintf(`PRAGMA cache_size = -%d`, o.Cache)); err != nil {
			return err
		}
	}
	if o.Search {
		if err := fts5.Register(c); err != nil {
			return err
		}
		if err := c.CreateFunction("words", 1, sqlite3.DETERMINISTIC|sqlite3.INNOCUOUS, joinWords); err != nil {
			return err
		}
	}
	// What an interrupted run left in the log moves into the database now.
	return db.Checkpoint()
}

// joinWords is the function words: the words of a text in the form in which they are indexed.
func joinWords(ctx sqlite3.Context, args ...sqlite3.Value) {
	ctx.ResultText(words.Join(args[0].Text()))
}

// identify reads the application's mark and how many tables and indexes there are,
// which also notices a file with fewer pages than its header counts.
func (db *DB) identify() (id, tables int64, err error) {
	if id, err = db.number(`PRAGMA application_id`); err == nil {
		tables, err = db.number(`SELECT count(*) FROM sqlite_schema`)
	}
	return id, tables, err
}

// Checkpoint moves the write-ahead log into the database and empties it, so that
// older versions of pages, with rows deleted since, are gone from both.
func (db *DB) Checkpoint() error {
	if err := db.usable(); err != nil {
		return err
	}
	if _, _, err := db.conn.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE); err != nil {
		return fmt.Errorf("checkpoint: %w", classify(err))
	}
	db.logged = 0
	return nil
}

// Check reads every page and index. It is slow, for tests and for a person who asks.
func (db *DB) Check() error {
	if err := db.usable(); err != nil {
		return err
	}
	said, err := db.text(`PRAGMA integrity_check(1)`)
	if err != nil {
		return classify(err)
	}
	if said != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, said)
	}
	return nil
}

// Close empties the log into the database and closes both. When the last checkpoint
// fails the log stays, and the next Open reads it.
func (db *DB) Close() error {
	if db.closed {
		return ErrClosed
	}
	if db.tx != nil {
		panic("sqlite: Close inside Update or View")
	}
	var err error
	if db.broken == nil {
		err = db.Checkpoint()
	}
	return errors.Join(err, db.abandon())
}

// abandon closes without a word to the disk beyond what SQLite itself does.
func (db *DB) abandon() error {
	db.closed = true
	for _, s := range db.stmts {
		s.Close()
	}
	clear(db.stmts)
	err := db.conn.Close()
	vfs.Unregister(db.vfs)
	if err != nil {
		return fmt.Errorf("close: %w", classify(err))
	}
	return nil
}

func (db *DB) usable() error {
	if db.closed {
		return ErrClosed
	}
	return db.broken
}

func (db *DB) number(sql string) (n int64, err error) {
	err = db.one(sql, func(s *sqlite3.Stmt) { n = s.ColumnInt64(0) })
	return n, err
}

func (db *DB) text(sql string) (t string, err error) {
	err = db.one(sql, func(s *sqlite3.Stmt) { t = s.ColumnText(0) })
	return t, err
}

func (db *DB) one(sql string, row func(*sqlite3.Stmt)) error {
	s, _, err := db.conn.Prepare(sql)
	if err != nil {
		return err
	}
	if s.Step() {
		row(s)
	}
	err = s.Err()
	s.Close()
	return err
}

// syncDir makes the names of the database and of its new log durable: the library's
// own attempt at it syncs the file a second time instead of its directory (v0.35.6,
// vfsFile.Sync).
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be synced there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// key gives Adiantum the database's key without putting it into a URI or a statement,
// where SQLite would keep it as text.
type key [32]byte

// HBSH makes the cipher.
func (key) HBSH(k []byte) *hbsh.HBSH { return cipher.New(k) }

// KDF answers the database's key, and a random one for a temporary file.
func (k key) KDF(secret string) []byte {
	if secret != "" {
		return k[:]
	}
	random := make([]byte, 32)
	rand.Read(random)
	return random
}
