package play

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
)

// accept makes a person accept a request when it has come.
func accept(t *testing.T, p *Person, from string) {
	t.Helper()
	p.Eventually("has a request of "+from, func() bool {
		r, err := p.Client.Requests()
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(r, func(i store.Invitation) bool { return i.Handle == from })
	}, func() any { return nil })
	ctx, cancel := p.patience()
	defer cancel()
	if err := p.Client.Accept(ctx, from); err != nil {
		t.Fatalf("%s accepts %s: %v", p.Name, from, err)
	}
}

// group makes a room of people who all accepted it.
func group(t *testing.T, title string, by *Person, with ...*Person) {
	t.Helper()
	var handles []string
	for _, p := range with {
		handles = append(handles, p.Handle)
	}
	ctx, cancel := by.patience()
	defer cancel()
	if _, err := by.Client.CreateRoom(ctx, title, handles); err != nil {
		t.Fatal(err)
	}
	for _, p := range with {
		accept(t, p, by.Handle)
		p.Eventually("is in "+title, func() bool { return p.Room(title).State == store.RoomActive }, func() any { return nil })
	}
}

// act runs something that must go well.
func act(t *testing.T, p *Person, what string, f func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	if err := f(ctx); err != nil {
		list, _ := p.Client.Notices(0)
		for _, n := range list {
			t.Logf("%s was told (%s): %s", p.Name, n.Kind, n.Text)
		}
		t.Fatalf("%s: %s: %v", p.Name, what, err)
	}
}

// Five people in a room; one is removed; a newcomer reads nothing from
// before.
func TestRemovedAndNewcomer(t *testing.T) {
	w := New(t)
	ana, bo, cy, di, eve := w.Person("ana"), w.Person("bo"), w.Person("cy"), w.Person("di"), w.Person("eve")
	group(t, "club", ana, bo, cy, di, eve)
	ana.Send("club", "one")
	for _, p := range []*Person{bo, cy, di, eve} {
		p.Reads("club", "one")
	}
	act(t, ana, "removes eve", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "club", eve.Handle) })
	ana.Send("club", "two")
	for _, p := range []*Person{bo, cy, di} {
		p.Reads("club", "one", "two")
	}
	eve.Told(client.NoticeRemoved)
	eve.Reads("club", "one")
	ctx, cancel := eve.patience()
	defer cancel()
	if _, err := eve.Client.Send(ctx, "club", client.Text("let me in")); err == nil {
		t.Fatal("eve wrote to a room she was removed from")
	}
	fay := w.Person("fay")
	act(t, ana, "adds fay", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{fay.Handle}) })
	accept(t, fay, ana.Handle)
	bo.Send("club", "three")
	fay.Reads("club", "three")
	eve.Away()
	eve.Back()
	eve.Sync()
	eve.Reads("club", "one")
	cy.Reads("club", "one", "two", "three")
}

// Two members commit at the same moment, many times over.
func TestCommitsAtOnce(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo, cy)
	act(t, ana, "makes bo admin", func(ctx context.Context) error { return ana.Client.SetAdmin(ctx, "club", bo.Handle, true) })
	bo.Eventually("is admin", func() bool {
		for _, m := range bo.Room("club").Members {
			if m.Self && m.Admin {
				return true
			}
		}
		return false
	}, func() any { return nil })
	id := ana.Room("club").ID
	room := fmt.Sprintf("%x", id[:])
	const rounds = 8
	var texts []string
	for i := range rounds {
		title, role := fmt.Sprintf("club %d", i), i%2 == 0
		ctx, cancel := ana.patience()
		errs := make(chan error, 2)
		go func() { errs <- ana.Client.Rename(ctx, room, title) }()
		go func() { errs <- bo.Client.SetAdmin(ctx, room, cy.Handle, role) }()
		text := fmt.Sprintf("message %d", i)
		texts = append(texts, text)
		cy.Send(room, text)
		for range 2 {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		for _, p := range []*Person{ana, bo, cy} {
			p.Eventually("both changes are there", func() bool {
				r := p.Room(title)
				for _, m := range r.Members {
					if m.Handle == cy.Handle {
						return m.Admin == role
					}
				}
				return false
			}, func() any { return nil })
		}
	}
	for _, p := range []*Person{ana, bo, cy} {
		p.Reads(room, texts...)
	}
}

// Both of a pair write first at once: one room.
func TestBothWriteFirst(t *testing.T) {
	for i := range 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			w := New(t)
			ana, bo := w.Person("ana"), w.Person("bo")
			done := make(chan bool)
			go func() { ana.Write(bo.Handle, "from ana"); done <- true }()
			bo.Write(ana.Handle, "from bo")
			<-done
			both := func(p *Person, other string) {
				p.Eventually("has both", func() bool {
					got := p.Texts(other)
					slices.Sort(got)
					return slices.Equal(got, []string{"from ana", "from bo"})
				}, func() any { return p.Texts(other) })
			}
			both(ana, bo.Handle)
			both(bo, ana.Handle)
			ana.Send(bo.Handle, "more")
			bo.Send(ana.Handle, "and more")
			a, b := ana.Room(bo.Handle), bo.Room(ana.Handle)
			if a.ID != b.ID {
				t.Fatalf("two rooms: %x and %x", a.ID[:4], b.ID[:4])
			}
			ana.Eventually("has four", func() bool { return len(ana.Texts(bo.Handle)) == 4 }, func() any { return ana.Texts(bo.Handle) })
			bo.Eventually("has four", func() bool { return len(bo.Texts(ana.Handle)) == 4 }, func() any { return bo.Texts(ana.Handle) })
		})
	}
}

// A room of people on two servers.
func TestTwoServers(t *testing.T) {
	w := New(t)
	far := w.Host()
	ana, bo := w.Person("ana"), w.PersonAt("bo", far)
	ana.Send(bo.Handle, "hi from here")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "hi from here")
	bo.Send(ana.Handle, "hi from there")
	ana.Reads(bo.Handle, "hi from here", "hi from there")
}

// Leaving: a member commits it; the last admin hands over to the longest member.
func TestLeave(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo, cy)
	act(t, ana, "leaves", func(ctx context.Context) error { return ana.Client.Leave(ctx, "club") })
	ana.Eventually("is out", func() bool { return ana.Room("club").State == store.RoomLeft }, func() any { return ana.Room("club").State })
	for _, p := range []*Person{bo, cy} {
		p.Eventually("sees two, one of them admin", func() bool {
			r, admins := p.Room("club"), 0
			for _, m := range r.Members {
				if m.Admin {
					admins++
				}
			}
			return len(r.Members) == 2 && admins == 1
		}, func() any { return p.Room("club").Members })
	}
	bo.Send("club", "without ana")
	cy.Reads("club", "without ana")
}

// Bo is away; the messages wait; receipts tell the truth.
func TestStates(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "zero")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "zero")
	bo.Away()
	m := ana.Send(bo.Handle, "one")
	if m.State != store.Stored {
		t.Fatalf("state %v", m.State)
	}
	state := func(want store.MessageState) {
		t.Helper()
		ana.Eventually("message is "+want.String(), func() bool {
			got, err := ana.Client.Message(m.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got.State == want
		}, func() any { got, _ := ana.Client.Message(m.ID); return got.State })
	}
	bo.Back()
	bo.Reads(ana.Handle, "zero", "one")
	state(store.Delivered)
	list, err := bo.Client.Messages(nil, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := bo.Client.Seen(list); err != nil {
		t.Fatal(err)
	}
	state(store.Read)
	w.Home.Stop()
	q := ana.Write(bo.Handle, "two")
	if q.State != store.Queued {
		t.Fatalf("state %v", q.State)
	}
	w.Home.Start()
	bo.Reads(ana.Handle, "zero", "one", "two")
}

// A send goes through in a room where two others commit as often as the server lets them.
func TestSendAmongCommits(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo, cy)
	act(t, ana, "makes bo admin", func(ctx context.Context) error { return ana.Client.SetAdmin(ctx, "club", bo.Handle, true) })
	id := ana.Room("club").ID
	room := fmt.Sprintf("%x", id[:])
	ctx, cancel := context.WithCancel(context.Background())
	commits := make(chan int)
	for _, p := range []*Person{ana, bo} {
		go func() {
			n := 0
			for i := 0; ctx.Err() == nil; i++ {
				if err := p.Client.Rename(ctx, room, fmt.Sprintf("club %s %d", p.Name, i)); err == nil {
					n++
				}
			}
			commits <- n
		}()
	}
	var texts []string
	for i := range 40 {
		text := fmt.Sprintf("message %d", i)
		texts = append(texts, text)
		if m := cy.Send(room, text); m.State != store.Stored && m.State != store.Delivered {
			t.Fatalf("%q is %v", text, m.State)
		}
		time.Sleep(100 * time.Millisecond) // spread over several swaps
	}
	cancel()
	n := <-commits + <-commits
	if n < 3 {
		t.Fatalf("only %d changes were made meanwhile", n)
	}
	for _, p := range []*Person{ana, bo, cy} {
		p.Reads(room, texts...)
	}
	t.Logf("40 messages among %d commits", n)
}

// Who was removed, or left, can come back: with the history that the device had, and
// nothing of what was written meanwhile.
func TestComeBack(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	group(t, "club", ana, bo, cy)
	ana.Send("club", "one")
	bo.Reads("club", "one")
	for i := range 2 {
		if i == 0 {
			act(t, ana, "removes bo", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "club", bo.Handle) })
		} else {
			act(t, bo, "leaves", func(ctx context.Context) error { return bo.Client.Leave(ctx, "club") })
		}
		bo.Eventually("is out", func() bool { return bo.Room("club").State != store.RoomActive }, func() any { return nil })
		ana.Send("club", fmt.Sprint("without bo ", i))
		act(t, ana, "adds bo", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{bo.Handle}) })
		bo.Eventually("is back", func() bool { return bo.Room("club").State == store.RoomActive }, func() any { return nil })
		bo.Send("club", fmt.Sprint("back ", i))
	}
	bo.Reads("club", "one", "back 0", "back 1")
	cy.Reads("club", "one", "without bo 0", "back 0", "without bo 1", "back 1")
}

// The last one in a room leaves it without anybody to commit that.
func TestLeaveEmpty(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	group(t, "club", ana, bo)
	act(t, bo, "leaves", func(ctx context.Context) error { return bo.Client.Leave(ctx, "club") })
	act(t, ana, "leaves", func(ctx context.Context) error { return ana.Client.Leave(ctx, "club") })
	if s := ana.Room("club").State; s != store.RoomLeft {
		t.Fatalf("state %v", s)
	}
}
