package play

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sotto/internal/backup"
	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
)

var errPower = errors.New("the power is off")

// floppy is where backups are kept, in memory. At the operation of a number the power goes;
// what was not synced is lost then, and half of what was being written is there.
type floppy struct {
	mu    sync.Mutex
	files map[string]*sheet
	names map[string]*sheet // as they are after a crash
	ops   int
	at    int // 0: never
	off   bool
}

type sheet struct {
	f              *floppy
	content, there []byte // and what of it is there after a crash
}

func newFloppy() *floppy { return &floppy{files: map[string]*sheet{}, names: map[string]*sheet{}} }

// strike has the power go at an operation from now on.
func (f *floppy) strike(at int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops, f.at = 0, at
}

func (f *floppy) struck() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.off
}

// op counts an operation and says whether it is struck.
func (f *floppy) op() error {
	if f.ops++; f.ops == f.at {
		f.off = true
	}
	if f.off {
		return errPower
	}
	return nil
}

// restart is the disk after the power was off.
func (f *floppy) restart() *floppy {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := newFloppy()
	for name, s := range f.names {
		x := &sheet{f: out, content: bytes.Clone(s.there), there: bytes.Clone(s.there)}
		out.files[name], out.names[name] = x, x
	}
	return out
}

func (f *floppy) Create(path string) (backup.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op(); err != nil {
		return nil, err
	}
	if f.files[path] != nil {
		return nil, fs.ErrExist
	}
	s := &sheet{f: f}
	f.files[path] = s
	return s, nil
}

func (s *sheet) Write(b []byte) (int, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if err := s.f.op(); err != nil {
		s.there = append(bytes.Clone(s.content), b[:len(b)/2]...)
		return len(b) / 2, err
	}
	s.content = append(s.content, b...)
	return len(b), nil
}

func (s *sheet) Sync() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	err := s.f.op()
	if err == nil {
		s.there = bytes.Clone(s.content)
	}
	return err
}

func (s *sheet) Close() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	return s.f.op()
}

func (f *floppy) Open(path string) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.files[path]
	if s == nil {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(s.content)), nil
}

func (f *floppy) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op(); err != nil {
		return err
	}
	f.files[to] = f.files[from]
	delete(f.files, from)
	return nil
}

func (f *floppy) Remove(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op(); err != nil {
		return err
	}
	if f.files[path] == nil {
		return fs.ErrNotExist
	}
	delete(f.files, path)
	return nil
}

func (f *floppy) Names(dir string) (out []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path := range f.files {
		if filepath.Dir(path) == dir {
			out = append(out, filepath.Base(path))
		}
	}
	slices.Sort(out)
	return out, nil
}

func (f *floppy) Sync(string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.op()
	if err == nil {
		f.names = map[string]*sheet{}
		for name, s := range f.files {
			f.names[name] = s
		}
	}
	return err
}

// The power goes at each operation of a backup in turn: the last whole one is always there, and
// opens; the next run begins anew and leaves nothing half.
func TestBackupKilled(t *testing.T) {
	w := New(t)
	disk := newFloppy()
	ana := w.Nobody("ana", w.Home)
	ana.Mutate = func(o *client.Options) { o.Files = disk }
	ana.Open()
	if err := ana.Client.CreateAccount(patient(t), ana.Handle, ""); err != nil {
		t.Fatal(err)
	}
	bo := w.Person("bo")
	friends(t, ana, bo)
	words := client.RestoreSecret{Words: ana.writesDown(t, "")}
	if err := ana.Client.SetBackups(patient(t), client.BackupPlan{Folder: "/kept"}); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.BackUp(patient(t)); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for k := 1; ; k++ {
		ana.Send(bo.Handle, "more")
		disk.strike(k)
		w.Clock.Advance(time.Second) // another name
		err := ana.Client.BackUp(patient(t))
		struck := disk.struck()
		if struck == (err == nil) {
			t.Fatalf("struck %v: %v", struck, err)
		}
		if !struck {
			break
		}
		kills++
		ana.Away()
		disk = disk.restart()
		ana.Back()
		names := must(disk.Names("/kept"))
		whole := 0
		for _, n := range names {
			if strings.HasSuffix(n, ".partial") {
				continue
			}
			if _, err := ana.Client.CheckBackup(filepath.Join("/kept", n), words); err != nil {
				t.Fatalf("killed at operation %d: %s: %v", k, n, err)
			}
			whole++
		}
		if whole == 0 {
			t.Fatalf("killed at operation %d: no backup is left of %q", k, names)
		}
		ana.Sync()
	}
	if kills < 6 {
		t.Errorf("%d kills: the test is blind", kills)
	}
	names := must(disk.Names("/kept"))
	if len(names) > 3 || slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".partial") }) {
		t.Errorf("%q", names)
	}
	// The file of that moment opens to what is here.
	if r := must(ana.Client.CheckBackup(filepath.Join("/kept", names[len(names)-1]), words)); r.Messages != int64(len(ana.messages())) {
		t.Errorf("%+v", r)
	}
}

// The power goes again and again while a backup is restored: it goes on, and nothing is lost or
// comes twice.
func TestRestoreKilled(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	ana.fill(t, 5000)
	ana.Sync()
	words := ana.writesDown(t, "")
	ana.recorded()
	path := ana.backsUp(t, "")
	before := ana.messages()
	ana.Away()
	disk := faultfs.New(1)
	fresh := w.Nobody("ana", w.Home)
	fresh.onDisk(disk)
	fresh.Open()
	if err := fresh.Client.Recover(patient(t), fresh.Handle, words, "New"); err != nil {
		t.Fatal(err)
	}
	fresh.Sync()
	if err := fresh.Client.RestoreFile(patient(t), path, client.RestoreSecret{Words: words}, false); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for done := false; !done; {
		disk.Inject(60+97*kills, faultfs.Crash)
		end := time.Now().Add(Patience)
		for !done && !disk.Crashed() && time.Now().Before(end) {
			if s, err := fresh.Client.Backups(); err == nil && s.Restore != nil {
				done = s.Restore.Done
			}
			time.Sleep(time.Millisecond)
		}
		if !disk.Crashed() {
			continue
		}
		done = false
		kills++
		fresh.crash()
		disk = disk.Restart()
		fresh.onDisk(disk)
		for fresh.Client == nil && !fresh.tryBack() {
			fresh.crash()
			disk = disk.Restart()
			fresh.onDisk(disk)
		}
	}
	disk.Inject(0, faultfs.None)
	if kills < 3 {
		t.Errorf("%d kills: the test is blind", kills)
	}
	t.Logf("%d kills", kills)
	sameMessages(t, before, fresh.messages())
	if s := must(fresh.Client.Backups()).Restore; s.Lost != 0 || s.Err != nil {
		t.Errorf("%+v", s)
	}
	for _, m := range fresh.messages() {
		if m.State == store.Queued {
			t.Error("something restored waits to be sent")
		}
	}
}
