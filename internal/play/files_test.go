package play

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sotto/internal/client"
	"sotto/internal/store"
)

// noise are bytes that no program makes smaller.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// file puts a file into a directory of its own.
func (w *World) file(name string, content []byte) string {
	w.T.Helper()
	path := filepath.Join(w.T.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		w.T.Fatal(err)
	}
	return path
}

// sendFiles writes a message with files.
func (p *Person) sendFiles(to, text string, paths ...string) store.Message {
	p.w.T.Helper()
	s := client.SendFiles{Text: text}
	for _, path := range paths {
		s.Files = append(s.Files, client.SendFile{Path: path})
	}
	ctx, cancel := p.patience()
	defer cancel()
	m, err := p.Client.SendFiles(ctx, to, s)
	if err != nil {
		p.w.T.Fatalf("%s: sending files: %v", p.Name, err)
	}
	return *m
}

// settled waits until a message is not queued any more.
func (p *Person) settled(m store.Message) store.Message {
	p.w.T.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	out, err := p.Client.Settled(ctx, m.Room, []messageID{m.ID})
	if err != nil || len(out) != 1 {
		p.w.T.Fatalf("%s: %v (%d)", p.Name, err, len(out))
	}
	return out[0]
}

// filesIn are the files of all conversations, once there are so many.
func (p *Person) filesIn(n int) (out []client.FileInfo) {
	p.w.T.Helper()
	p.Eventually(fmt.Sprintf("has %d files", n), func() (ok bool) {
		var err error
		if out, err = p.Client.Files(nil, 0, 1000); err != nil {
			p.w.T.Fatal(err)
		}
		return len(out) == n
	}, func() any { return out })
	return out
}

// get fetches a file into a folder of its own, and answers where it is.
func (p *Person) get(f client.FileInfo) client.FileInfo {
	p.w.T.Helper()
	if err := p.Client.GetFile(f.Message, f.Part, filepath.Join(p.w.T.TempDir(), "got")); err != nil {
		p.w.T.Fatalf("%s: %v", p.Name, err)
	}
	ctx, cancel := p.patience()
	defer cancel()
	f, err := p.Client.FileSettled(ctx, f.Message, f.Part)
	if err != nil {
		p.w.T.Fatalf("%s: %v", p.Name, err)
	}
	return f
}

func holds(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s: %d bytes for %d: %v", path, len(got), len(want), err)
	}
}

// Ana sends Bo two files with a word, and Bo fetches them. One lies in her home while it goes,
// one is read where it is.
func TestFiles(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	small, large := noise(100_000, 1), noise(33<<20, 2)
	ana.Send(bo.Handle, "hello")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "hello")
	m := ana.sendFiles(bo.Handle, "the **plans**", w.file("plan.txt", small), w.file("film.mp4", large))
	if m.State != store.Queued {
		t.Error(m.State)
	}
	if m = ana.settled(m); m.State < store.Stored || m.State > store.Read {
		t.Fatal(m.State, m.Why)
	}
	got := bo.filesIn(2)
	if got[0].Shown != "plan.txt" || got[0].Size != 100_000 || got[0].State != client.FileOffered || got[0].Own || got[0].Type != "text/plain" {
		t.Errorf("%+v", got[0])
	}
	for i, want := range [][]byte{small, large} {
		f := bo.get(got[i])
		if f.State != client.FileHere {
			t.Fatalf("%+v", f)
		}
		holds(t, f.Path, want)
		if filepath.Base(f.Path) != got[i].Shown {
			t.Error(f.Path)
		}
		if info, err := os.Stat(f.Path); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info, err)
		}
	}
	if texts := bo.Texts(ana.Handle); !strings.Contains(strings.Join(texts, " "), "the **plans**") {
		t.Error(texts)
	}
	own := ana.filesIn(2)
	if own[0].State != client.FileStored || !own[0].Own {
		t.Errorf("%+v", own[0])
	}
	left, err := os.ReadDir(filepath.Join(ana.Home, "files"))
	if err == nil && len(left) > 0 {
		ana.Eventually("copies are gone", func() bool { left, _ = os.ReadDir(filepath.Join(ana.Home, "files")); return len(left) == 0 }, func() any { return left })
	}
}

// Ana changes the words beside a file: the file stays.
func TestFileCaption(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	m := ana.settled(ana.sendFiles(bo.Handle, "the plann", w.file("plan.txt", []byte("one"))))
	bo.filesIn(1)
	ana.Compose(bo.Handle, client.Edit(m.ID, "the plan"))
	bo.Eventually("sees the new words", func() bool { x, err := bo.Client.Message(m.ID); return err == nil && x.Text == "the plan" }, func() any { return nil })
	for _, p := range []*Person{ana, bo} {
		p.Sync()
		if f := p.filesIn(1)[0]; f.Shown != "plan.txt" {
			t.Errorf("%+v", f)
		}
	}
	holds(t, bo.get(bo.filesIn(1)[0]).Path, []byte("one"))
}

// The same file to the same room again goes by itself: nothing is put twice. To another room it
// is another blob, and taking one message back leaves the other's file.
func TestFileAgain(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	friends(t, ana, bo)
	friends(t, ana, cy)
	path := w.file("plan.txt", noise(50_000, 4))
	first := ana.settled(ana.sendFiles(bo.Handle, "", path))
	before := w.Home.Server.Status().Blobs
	ana.settled(ana.sendFiles(bo.Handle, "again", path))
	if n := w.Home.Server.Status().Blobs; n != before {
		t.Errorf("%d blobs, and then %d", before, n)
	}
	ana.settled(ana.sendFiles(cy.Handle, "", path))
	if n := w.Home.Server.Status().Blobs; n != before+1 {
		t.Errorf("%d blobs, and then %d", before, n)
	}
	ana.Compose(bo.Handle, client.Delete(first.ID))
	bo.Eventually("one is taken back", func() bool { list, err := bo.Client.Files(nil, 0, 10); return err == nil && len(list) == 1 }, func() any { return nil })
	ana.Sync()
	holds(t, bo.get(bo.filesIn(1)[0]).Path, noise(50_000, 4))
}

// A limit of the rate holds, and a pause is one until it is over.
func TestFilePace(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	if err := ana.Client.SetSettings(func(s *client.Settings) { s.SendRate = 64 }); err != nil {
		t.Fatal(err)
	}
	m := ana.sendFiles(bo.Handle, "", w.file("slow.bin", noise(2<<20, 6)))
	ana.Eventually("is on its way", func() bool { f, ok := ana.progress(true); return ok && f.Done > 0 }, func() any { return nil })
	if err := ana.Client.PauseFile(m.ID, 0, true); err != nil {
		t.Fatal(err)
	}
	f, err := ana.Client.FileSettled(patient(t), m.ID, 0)
	if err != nil || f.State != client.FilePaused || f.Done == int64(f.Sealed) {
		t.Fatalf("%+v %v", f, err)
	}
	if err := ana.Client.SetSettings(func(s *client.Settings) { s.SendRate = 0 }); err != nil {
		t.Fatal(err)
	}
	ana.Away()
	ana.Back()
	if f, ok := ana.progress(true); !ok || f.State != client.FilePaused {
		t.Errorf("%+v", f)
	}
	if err := ana.Client.PauseFile(m.ID, 0, false); err != nil {
		t.Fatal(err)
	}
	if m = ana.settled(m); m.State == store.Failed {
		t.Fatal(m.Why)
	}
	holds(t, bo.get(bo.filesIn(1)[0]).Path, noise(2<<20, 6))
}
