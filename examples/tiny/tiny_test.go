package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sotto/internal/play"
	rooms "sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// lines is a writer whose lines can be looked at meanwhile.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *lines) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.all.String(), "\n"), "\n")
}

// tiny is one that runs in this process.
type tiny struct {
	t          *testing.T
	file       string
	handle     string
	out, notes lines
	say        io.Writer
	end        func()
}

func create(t *testing.T, w *play.World, name string) *tiny {
	t.Helper()
	y := &tiny{t: t, file: filepath.Join(t.TempDir(), "tiny.cbor"), handle: name + "@" + w.Home.Name}
	if err := run(t.Context(), []string{"-home", y.file, "create", y.handle}, nil, &y.out, &y.notes); err != nil {
		t.Fatal(err)
	}
	return y
}

func (y *tiny) start() {
	ctx, cancel := context.WithCancel(context.Background())
	in, say := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"-home", y.file, "run"}, in, &y.out, &y.notes) }()
	y.say = say
	y.end = sync.OnceFunc(func() {
		say.Close()
		select {
		case err := <-done:
			y.t.Errorf("tiny ended: %v", err)
		default:
			cancel()
			<-done
		}
		if y.t.Failed() {
			y.t.Logf("%s", y.notes.list())
		}
	})
	y.t.Cleanup(y.end)
}

func (y *tiny) write(text string) { fmt.Fprintln(y.say, text) }

// reads waits until tiny has printed exactly these lines.
func (y *tiny) reads(by *play.Person, want ...string) {
	y.t.Helper()
	by.Eventually("tiny reads "+strings.Join(want, " | "), func() bool { return slices.Equal(y.out.list(), want) },
		func() any { return append(y.out.list(), y.notes.list()...) })
}

// says waits until tiny has told its person something.
func (y *tiny) says(by *play.Person, what string) {
	y.t.Helper()
	by.Eventually("tiny says "+what, func() bool { return slices.Contains(y.notes.list(), "* "+what) },
		func() any { return y.notes.list() })
}

func act(t *testing.T, what string, f func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), play.Patience)
	defer cancel()
	if err := f(ctx); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// enters waits for a request of Ana's, accepts it and waits for the room.
func enters(t *testing.T, p, ana *play.Person, title string) {
	t.Helper()
	p.Eventually("has a request", func() bool { r, _ := p.Client.Requests(); return len(r) == 1 }, func() any { return nil })
	act(t, "accept", func(ctx context.Context) error { return p.Client.Accept(ctx, ana.Handle) })
	p.Eventually("is in "+title, func() bool { return p.Room(title).State == store.RoomActive }, func() any { return nil })
}

// Ana makes a room with tiny, adds and removes Bo, renames the room and removes tiny; meanwhile
// they write to each other.
func TestTinyIsInARoom(t *testing.T) {
	w := play.New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	y := create(t, w, "tiny")
	y.start()
	act(t, "make a room", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "garden", []string{y.handle})
		return err
	})
	y.says(ana, "invited by "+ana.Handle+" to garden")
	from := func(room string, p *play.Person, text string) string { return room + ": " + p.Handle + ": " + text }
	ana.Send("garden", "one <b>")
	y.reads(ana, from("garden", ana, "one <b>"))
	y.write("two")
	y.write("three < four & <b>")
	ana.Reads("garden", "one &lt;b>", "two", "three < four & &lt;b>")

	act(t, "add Bo", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "garden", []string{bo.Handle}) })
	enters(t, bo, ana, "garden")
	bo.Send("garden", "four")
	y.write("five")
	bo.Reads("garden", "four", "five")

	act(t, "rename", func(ctx context.Context) error { return ana.Client.Rename(ctx, "garden", "orchard") })
	y.end()
	ana.Send("orchard", "six")
	y.start()
	y.write("seven")
	ana.Reads("orchard", "one &lt;b>", "two", "three < four & &lt;b>", "four", "five", "six", "seven")
	act(t, "remove Bo", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "orchard", bo.Handle) })
	ana.Send("orchard", "eight")
	y.write("nine")
	ana.Reads("orchard", "one &lt;b>", "two", "three < four & &lt;b>", "four", "five", "six", "seven", "eight", "nine")
	bo.Reads("orchard", "four", "five", "six", "seven")

	act(t, "remove tiny", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "orchard", y.handle) })
	y.says(ana, "removed from a room")
	ana.Send("orchard", "ten")
	y.write("eleven")
	y.says(ana, "in no room")
	y.end()
	y.start()
	y.write("twelve")
	y.says(ana, "in no room")
	y.reads(ana, from("garden", ana, "one <b>"), from("garden", bo, "four"), from("orchard", ana, "six"), from("orchard", ana, "eight"))
	ana.Reads("orchard", "one &lt;b>", "two", "three < four & &lt;b>", "four", "five", "six", "seven", "eight", "nine", "ten")
}

// Bo, who is no admin, renames the room by a commit of his own making. tiny follows it no more
// than Ana does, and comes along when she moves the room.
func TestTinyRefusesWhatOthersRefuse(t *testing.T) {
	w := play.New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	y := create(t, w, "tiny")
	y.start()
	act(t, "make a room", func(ctx context.Context) error {
		_, err := ana.Client.CreateRoom(ctx, "garden", []string{y.handle, bo.Handle})
		return err
	})
	enters(t, bo, ana, "garden")
	y.write("one")
	bo.Reads("garden", "one")
	ana.Reads("garden", "one")
	m := bo.Turn("garden")
	ctx := m.Ctx
	ctx.Title = "mine"
	commit, err := m.Group.Commit(mls.CommitParams{Proposals: []mls.Proposal{mls.GroupContextExtensionsProposal(ctx.Extensions())}})
	if err != nil {
		t.Fatal(err)
	}
	token, err := rooms.Token(commit, ctx.Log)
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(2 * wire.SwapInterval)
	if err := m.Append(m.Seal(rooms.Inner{Message: commit.Message()}), &wire.Swap{Next: token.Hash()}); err != nil {
		t.Fatal(err)
	}
	ana.Eventually("tiny stopped and came along", func() bool {
		said := strings.Join(y.notes.list(), "\n")
		return strings.Contains(said, "may not change the room so") && strings.Count(said, "invited by") == 2
	}, func() any { return y.notes.list() })
	ana.Send("garden", "two")
	y.reads(ana, "garden: "+ana.Handle+": two")
	y.write("three")
	ana.Reads("garden", "one", "two", "three")
}
