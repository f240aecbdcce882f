package play

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/files"
	"sotto/internal/room"
	"sotto/internal/server"
	"sotto/internal/server/config"
	"sotto/mimi"
)

// stored are the files of blobs on the disk of a server, with their sizes.
func (h *Host) stored(t *testing.T) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	if err := filepath.WalkDir(filepath.Join(h.Dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		out[path] = info.Size()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// The disk of the server holds a file of a padded size under a random name, and nothing of what
// is in it; when the message is taken back, or its time is up, it holds nothing at all.
func TestFileLeavesTheServer(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	content := bytes.Repeat([]byte("petunia-1234 is the password. "), 3000)
	before := len(w.Home.stored(t))
	m := ana.settled(ana.sendFiles(bo.Handle, "", w.file("secret-plan.txt", content)))
	found := false
	for path, size := range w.Home.stored(t) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("petunia")) || strings.Contains(path, "plan") {
			t.Error(path)
		}
		found = found || uint64(size) == room.SealedSize(uint64(len(content)))
	}
	if !found || len(w.Home.stored(t)) != before+1 {
		t.Errorf("%v", w.Home.stored(t))
	}
	file := bo.filesIn(1)[0]
	ana.Compose(bo.Handle, client.Delete(m.ID))
	ana.Eventually("the server has erased it", func() bool { return len(w.Home.stored(t)) == before }, func() any { return w.Home.stored(t) })
	if err := bo.Client.GetFile(file.Message, file.Part, t.TempDir()); err == nil {
		if f, err := bo.Client.FileSettled(patient(t), file.Message, file.Part); err == nil && f.State != client.FileExpired {
			t.Errorf("%+v", f)
		}
	}
	// One whose time is up.
	ana.settled(ana.sendFiles(bo.Handle, "", w.file("again.txt", content)))
	file = bo.filesIn(1)[0]
	w.Clock.Advance(31 * 24 * time.Hour)
	w.Home.Server.Tick(w.Clock.Now())
	if n := len(w.Home.stored(t)); n != before {
		t.Error(n)
	}
	if err := bo.Client.GetFile(file.Message, file.Part, t.TempDir()); !errors.Is(err, client.ErrFileGone) {
		t.Error(err)
	}
	if f := bo.filesIn(1)[0]; f.State != client.FileExpired {
		t.Errorf("%+v", f)
	}
	if f := ana.filesIn(1)[0]; f.State != client.FileExpired {
		t.Errorf("%+v", f)
	}
}

// Mallory runs the server, or sits before it: what she makes of a file is noticed before a byte
// of it is kept.
func TestFileChanged(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, between := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	one, two := noise(3<<20, 1), noise(3<<20, 2)
	ana.settled(ana.sendFiles(bo.Handle, "", w.file("one.bin", one), w.file("two.bin", two)))
	list := bo.filesIn(2)
	const sealed = 16<<10 + 16
	for name, spoil := range map[string]func(r client.Request, a *client.Answer){
		"flipped": func(_ client.Request, a *client.Answer) { a.Body[len(a.Body)/2] ^= 1 },
		"cut":     func(_ client.Request, a *client.Answer) { a.Body = a.Body[:len(a.Body)-1] },
		"swapped": func(_ client.Request, a *client.Answer) {
			b := bytes.Clone(a.Body)
			copy(a.Body[56:56+sealed], b[56+sealed:])
			copy(a.Body[56+sealed:56+2*sealed], b[56:56+sealed])
		},
		"not a range": func(_ client.Request, a *client.Answer) { a.Status = 200 },
		"zeros":       func(_ client.Request, a *client.Answer) { clear(a.Body) },
	} {
		between.HTTP(func(r client.Request, a *client.Answer) {
			if r.Method == "GET" && strings.HasPrefix(r.Path, "/v1/blobs/") && len(a.Body) > 56+2*sealed {
				spoil(r, a)
			}
		})
		dir := t.TempDir()
		if err := bo.Client.GetFile(list[0].Message, 0, dir); err != nil {
			t.Fatal(err)
		}
		f, err := bo.Client.FileSettled(patient(t), list[0].Message, 0)
		if err != nil || f.State != client.FileFailed || f.Code != "changed" {
			t.Errorf("%s: %+v %v", name, f, err)
		}
		between.Honest()
		if err := bo.Client.PauseFile(list[0].Message, 0, false); err != nil { // once more
			t.Error(err)
		}
		if f, err = bo.Client.FileSettled(patient(t), list[0].Message, 0); err != nil || f.State != client.FileHere {
			t.Fatalf("%s: %+v %v", name, f, err)
		}
		holds(t, f.Path, one)
	}
	// A wrong file under a right name: the key is that of another one.
	evil := list[0].File
	evil.Blob = list[1].Blob
	c, err := mimi.NewAttachment(rand.Reader, "", evil.External())
	if err != nil {
		t.Fatal(err)
	}
	m := ana.Compose(bo.Handle, func(*client.Client) (*mimi.Content, error) { return c, nil })
	bo.filesIn(3)
	if err := bo.Client.GetFile(m.ID, 0, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if f, err := bo.Client.FileSettled(patient(t), m.ID, 0); err != nil || f.State != client.FileFailed || f.Code != "changed" {
		t.Errorf("%+v %v", f, err)
	}
}

// Names by which Mallory would like to write elsewhere.
func TestFileNames(t *testing.T) {
	w := New(t)
	mallory, bo := w.Person("mallory"), w.Person("bo")
	friends(t, mallory, bo)
	mallory.settled(mallory.sendFiles(bo.Handle, "", w.file("a.txt", []byte("harmless"))))
	good := bo.filesIn(1)[0]
	box := t.TempDir()
	dir := filepath.Join(box, "in", "here")
	for i, name := range []string{"../../up.txt", `..\..\up.txt`, "/etc/passwd", "CON", ".profile", "a\u202etxt.exe", "..", "", "x:y.txt", strings.Repeat("n", 250)} {
		evil := good.File
		evil.Name = name
		c, err := mimi.NewAttachment(rand.Reader, "", evil.External())
		if err != nil {
			t.Fatal(err)
		}
		m := mallory.Compose(bo.Handle, func(*client.Client) (*mimi.Content, error) { return c, nil })
		bo.filesIn(i + 2)
		if err := bo.Client.GetFile(m.ID, 0, dir); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		f, err := bo.Client.FileSettled(patient(t), m.ID, 0)
		if err != nil || f.State != client.FileHere || filepath.Dir(f.Path) != dir {
			t.Errorf("%q: %+v %v", name, f, err)
		}
		holds(t, f.Path, []byte("harmless"))
	}
	for _, folder := range []string{box, filepath.Dir(dir)} {
		if names, err := os.ReadDir(folder); err != nil || len(names) != 1 {
			t.Errorf("%s: %v %v", folder, names, err)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 10 {
		t.Errorf("%v %v", names, err)
	}
}

// fullDisk refuses what is written while it is full.
type fullDisk struct {
	files.Disk
	full *atomic.Bool
}

type fullTarget struct {
	files.Target
	full *atomic.Bool
}

func (d fullDisk) Create(path string) (files.Target, error) {
	f, err := d.Disk.Create(path)
	return fullTarget{f, d.full}, err
}

func (d fullDisk) Reopen(path string) (files.Target, error) {
	f, err := d.Disk.Reopen(path)
	return fullTarget{f, d.full}, err
}

func (f fullTarget) WriteAt(b []byte, at int64) (int, error) {
	if f.full.Load() {
		return 0, &fs.PathError{Op: "write", Path: "here", Err: syscall.ENOSPC}
	}
	return f.Target.WriteAt(b, at)
}

// Each disk on the way is full for a while: the sender's, the server's, the receiver's. Each time
// there is a clear word, and nothing is lost.
func TestFileFullDisks(t *testing.T) {
	w := New(t)
	limits := config.Default().Limits
	limits.BlobBytes = 3 << 20
	w.Home.Stop()
	w.Home.Mutate = func(o *server.Options) { o.Limits = limits }
	w.Home.Start()
	full := &atomic.Bool{}
	small := func(o *client.Options) { o.Disk = fullDisk{full: full} }
	ana, bo := w.Nobody("ana", w.Home), w.Nobody("bo", w.Home)
	for _, p := range []*Person{ana, bo} {
		p.Mutate = small
		p.Open()
		if err := p.Client.CreateAccount(patient(t), p.Handle, ""); err != nil {
			t.Fatal(err)
		}
	}
	friends(t, ana, bo)
	content := noise(4<<20, 5)
	path := w.file("big.bin", content)
	full.Store(true)
	if _, err := ana.Client.SendFiles(patient(t), bo.Handle, client.SendFiles{Files: []client.SendFile{{Path: path}}}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	full.Store(false)
	m := ana.sendFiles(bo.Handle, "", path)
	ana.Eventually("hears that the server is full", func() bool {
		list, err := ana.Client.FilesOf(m.ID)
		return err == nil && list[0].Code == "storage full" && list[0].Why != ""
	}, func() any { list, _ := ana.Client.FilesOf(m.ID); return list })
	limits.BlobBytes = 100 << 20
	w.Home.Stop()
	w.Home.Start()
	ana.settled(m)
	f := bo.filesIn(1)[0]
	full.Store(true)
	dir := t.TempDir()
	if err := bo.Client.GetFile(f.Message, 0, dir); err != nil {
		t.Fatal(err)
	}
	if f, err := bo.Client.FileSettled(patient(t), f.Message, 0); err != nil || f.State != client.FileFailed || !strings.Contains(f.Why, "space") {
		t.Errorf("%+v %v", f, err)
	}
	full.Store(false)
	if err := bo.Client.PauseFile(f.Message, 0, false); err != nil {
		t.Fatal(err)
	}
	f, err := bo.Client.FileSettled(patient(t), f.Message, 0)
	if err != nil || f.State != client.FileHere {
		t.Fatalf("%+v %v", f, err)
	}
	holds(t, f.Path, content)
}
