package faultfs

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

func create(t *testing.T, d *Disk, name string) vfs.File {
	t.Helper()
	f, _, err := d.Open(name, vfs.OPEN_CREATE|vfs.OPEN_READWRITE|vfs.OPEN_MAIN_DB)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, f vfs.File, s string, off int64) {
	t.Helper()
	if n, err := f.WriteAt([]byte(s), off); n != len(s) || err != nil {
		t.Fatal(n, err)
	}
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(100) {
		d := New(seed)
		f := create(t, d, "a")
		write(t, f, "synced", 0)
		if err := f.Sync(vfs.SYNC_FULL); err != nil {
			t.Fatal(err)
		}
		write(t, f, "later.", 6)
		d.Inject(1, Crash)
		if err := f.Truncate(3); err == nil || !d.Crashed() {
			t.Fatal("no crash")
		}
		if _, err := f.WriteAt([]byte("x"), 0); err == nil {
			t.Error("a write without power")
		}
		if _, err := f.ReadAt(make([]byte, 1), 0); err == nil {
			t.Error("a read without power:", err)
		}
		seen[string(d.Restart().ReadFile("a"))] = true
	}
	for _, want := range []string{"synced", "syncedlater.", "syn"} {
		if !seen[want] {
			t.Errorf("never %q", want)
		}
		delete(seen, want)
	}
	if len(seen) != 0 {
		t.Errorf("also %v", seen)
	}
}

func TestTornInSectors(t *testing.T) {
	torn := false
	for seed := range uint64(50) {
		d := New(seed)
		f := create(t, d, "a")
		write(t, f, string(bytes.Repeat([]byte("o"), 4096)), 0)
		f.Sync(vfs.SYNC_FULL)
		write(t, f, string(bytes.Repeat([]byte("n"), 4096)), 0)
		b := d.Restart().ReadFile("a")
		if len(b) != 4096 {
			t.Fatal(len(b))
		}
		for at := 0; at < len(b); at += sector {
			if bytes.Count(b[at:at+sector], b[at:at+1]) != sector {
				t.Fatal("a sector is torn")
			}
			torn = torn || b[at] != b[0]
		}
	}
	if !torn {
		t.Error("nothing was ever torn")
	}
}

func TestSameSeedSameFate(t *testing.T) {
	run := func(seed uint64) []byte {
		d := New(seed)
		f := create(t, d, "a")
		for i := range 20 {
			write(t, f, string(bytes.Repeat([]byte{byte('a' + i)}, 3000)), int64(i)*1500)
		}
		return d.Restart().ReadFile("a")
	}
	differ := false
	for seed := range uint64(20) {
		if !bytes.Equal(run(seed), run(seed)) {
			t.Fatal("the same seed, another fate")
		}
		differ = differ || !bytes.Equal(run(seed), run(seed+1))
	}
	if !differ {
		t.Error("all seeds are one")
	}
}

func TestKinds(t *testing.T) {
	d := New(1)
	f := create(t, d, "a")
	write(t, f, "1234", 0)
	d.Inject(1, Fail)
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, sqlite3.IOERR_WRITE) || string(d.ReadFile("a")) != "1234" {
		t.Error("Fail:", err)
	}
	d.Inject(2, Lie)
	write(t, f, "5", 0)
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, sqlite3.IOERR_WRITE) || string(d.ReadFile("a")) != "x234" {
		t.Error("Lie:", err)
	}
	d.Inject(1, Full)
	if _, err := f.WriteAt([]byte("yy"), 3); !errors.Is(err, sqlite3.FULL) {
		t.Error("Full:", err)
	}
	write(t, f, "z", 0) // needs no space
	if _, err := f.WriteAt([]byte("yy"), 3); !errors.Is(err, sqlite3.FULL) {
		t.Error("still full:", err)
	}
	d.Relieve()
	write(t, f, "yy", 3)
	if d.Ops() != 8 || d.Written() == 0 {
		t.Error(d.Ops())
	}
	if n, err := f.ReadAt(make([]byte, 9), 0); n != 5 || err != io.EOF {
		t.Error(n, err)
	}
}

func TestRemovedFileMayComeBack(t *testing.T) {
	back := 0
	for seed := range uint64(100) {
		d := New(seed)
		write(t, create(t, d, "a"), "x", 0)
		if err := d.Delete("a", seed%2 == 0); err != nil {
			t.Fatal(err)
		}
		if d.Restart().ReadFile("a") != nil {
			back++
			if seed%2 == 0 {
				t.Error("although the directory was synced")
			}
		}
	}
	if back == 0 {
		t.Error("it never came back")
	}
	if err := New(1).Delete("a", true); !errors.Is(err, sqlite3.IOERR_DELETE_NOENT) {
		t.Error(err)
	}
}

func TestCloneIsAnOldCopy(t *testing.T) {
	d := New(1)
	f := create(t, d, "a")
	write(t, f, "old", 0)
	c := d.Clone()
	write(t, f, "new", 0)
	if string(c.ReadFile("a")) != "old" || string(c.Restart().ReadFile("a")) != "old" {
		t.Error("the copy is not the old one")
	}
}

func TestOneAfterAnother(t *testing.T) {
	d := New(1)
	f := create(t, d, "a")
	write(t, f, "1234", 0)
	d.Inject(1, Fail, None, Lie)
	for i, want := range []string{"1234", "y234", "z234", "!234"} {
		_, err := f.WriteAt([]byte{"xyz!"[i]}, 0)
		if fails := i%2 == 0; fails != errors.Is(err, sqlite3.IOERR_WRITE) || string(d.ReadFile("a")) != want {
			t.Errorf("write %d: %v, %s", i, err, d.ReadFile("a"))
		}
	}
	d.Inject(1, Fail, Full)
	d.Relieve() // takes what has not struck yet with it, but only what a full disk is
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, sqlite3.IOERR_WRITE) {
		t.Error(err)
	}
	write(t, f, "56", 4)
}
