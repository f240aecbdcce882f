package blobs

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

func open(t *testing.T, fs vfs.FS, now *time.Time) (*Blobs, *engine.DB) {
	t.Helper()
	clock := func() time.Time { return *now }
	db, err := engine.Open(engine.Options{Dir: "db", FS: fs, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(db, Options{Dir: "blobs", FS: fs, Now: clock, Rand: rand.Reader, MaxBytes: func() uint64 { return 1000 }})
	if err != nil {
		t.Fatal(err)
	}
	return b, db
}

// crash stops a copy of the file system at this moment: what was not synced is gone.
func crash(fs *vfs.MemFS) *vfs.MemFS { return fs.CrashClone(vfs.CrashCloneCfg{}) }

type cut struct {
	io.Reader
	then func()
}

func (c *cut) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if err == io.EOF {
		c.then()
		return 0, errors.New("the line is dead")
	}
	return n, err
}

func TestKilledPutLeavesNothing(t *testing.T) {
	now := time.Unix(1e9, 0)
	fs := vfs.NewCrashableMem()
	b, db := open(t, fs, &now)
	k, err := b.Ticket(wire.TicketRequest{Size: 100, TTL: 60})
	if err != nil {
		t.Fatal(err)
	}
	var killed *vfs.MemFS
	err = b.Put(k.Blob, k.Ticket, 100, &cut{bytes.NewReader(make([]byte, 50)), func() { killed = crash(fs) }})
	if wire.CodeOf(err) != wire.CodeMalformed {
		t.Fatal(err)
	}
	// The file is in its place, and the crash comes before its row.
	if err := b.write(k.Blob, 100, bytes.NewReader(make([]byte, 100))); err != nil {
		t.Fatal(err)
	}
	unnamed := crash(fs)
	if err := b.Put(k.Blob, k.Ticket, 100, bytes.NewReader(make([]byte, 100))); err != nil {
		t.Fatal(err)
	}
	acknowledged := crash(fs)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		fs *vfs.MemFS
		ok bool
	}{"in the middle": {killed, false}, "before the row": {unnamed, false}, "after the answer": {acknowledged, true}} {
		b, db := open(t, c.fs, &now)
		blob, err := b.Get(k.Blob)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			got, err := io.ReadAll(blob)
			if err != nil || len(got) != 100 {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			blob.Close()
		} else if b.exists(k.Blob) {
			t.Errorf("%s: a file is left", name)
		}
		if left, err := c.fs.List("blobs/tmp"); err != nil || len(left) != 0 {
			t.Errorf("%s: %v %v", name, left, err)
		}
		if !c.ok { // the ticket still stands
			if err := b.Put(k.Blob, k.Ticket, 100, bytes.NewReader(make([]byte, 100))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRoomAndExactSize(t *testing.T) {
	now := time.Unix(1e9, 0)
	b, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	secret := wire.Secret{7}
	k, err := b.Ticket(wire.TicketRequest{Size: 600, TTL: 60, Erase: secret.Hash()})
	if err != nil {
		t.Fatal(err)
	}
	k2, err := b.Ticket(wire.TicketRequest{Size: 600, TTL: 60})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{599, 601} {
		if err := b.Put(k.Blob, k.Ticket, int64(n), bytes.NewReader(make([]byte, n))); wire.CodeOf(err) != wire.CodeMalformed {
			t.Error(n, err)
		}
		if err := b.Put(k.Blob, k.Ticket, 600, bytes.NewReader(make([]byte, n))); err == nil {
			t.Error(n, "bytes were taken for 600")
		}
	}
	if err := b.Put(k.Blob, k2.Ticket, 600, bytes.NewReader(make([]byte, 600))); wire.CodeOf(err) != wire.CodeCapability {
		t.Error(err)
	}
	if err := b.Put(k.Blob, k.Ticket, 600, bytes.NewReader(make([]byte, 600))); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(k2.Blob, k2.Ticket, 600, bytes.NewReader(make([]byte, 600))); wire.CodeOf(err) != wire.CodeStorageFull {
		t.Fatal(err)
	}
	if _, err := b.Ticket(wire.TicketRequest{Size: 401, TTL: 60}); wire.CodeOf(err) != wire.CodeStorageFull {
		t.Fatal(err)
	}
	if err := b.Erase(k.Blob, secret); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(k2.Blob, k2.Ticket, 600, bytes.NewReader(make([]byte, 600))); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if err := b.Tick(now); err != nil {
		t.Fatal(err)
	}
	if n, bytes := b.Stats(); n != 0 || bytes != 0 || b.exists(k2.Blob) {
		t.Fatal(n, bytes)
	}
}

// A request whose answer was lost gets the same blob, also over a restart, until the
// blob is put. A put under way is left alone.
func TestTicketAgain(t *testing.T) {
	now := time.Unix(1e9, 0)
	fs := vfs.NewMem()
	b, db := open(t, fs, &now)
	q := wire.TicketRequest{Size: 100, TTL: 60, Erase: wire.Hash{7}}
	ask := func(known bool) wire.Ticket {
		t.Helper()
		if got, err := b.Vet(q); err != nil || got != known {
			t.Fatal(got, err)
		}
		k, err := b.Ticket(q)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	one := ask(false)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, db = open(t, fs, &now)
	defer db.Close()
	now = now.Add(TicketLifetime - time.Second)
	two := ask(true)
	body := func() io.Reader { return bytes.NewReader(make([]byte, 100)) }
	if err := b.Put(one.Blob, one.Ticket, 100, body()); two.Blob != one.Blob || wire.CodeOf(err) != wire.CodeCapability {
		t.Fatal(two.Blob, err)
	}
	_ = b.Put(two.Blob, two.Ticket, 100, &cut{bytes.NewReader(nil), func() {
		if _, err := b.Ticket(q); wire.CodeOf(err) != wire.CodeSlowDown {
			t.Error(err)
		}
	}})
	if err := b.Put(two.Blob, two.Ticket, 100, body()); err != nil {
		t.Fatal(err)
	}
	three := ask(false) // another blob: the first is put
	now = now.Add(TicketLifetime)
	four := ask(false) // the ticket is too old
	if three.Blob == one.Blob || four.Blob == three.Blob {
		t.Fatal("one name for two blobs")
	}
	if err := b.Tick(now.Add(TicketLifetime)); err != nil || len(b.offers) != 0 {
		t.Fatal(err, b.offers)
	}
}
