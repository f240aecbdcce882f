package play

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
)

// Plays of what a device keeps and shows: the list of conversations, what is unread, what is
// found, and what happens to it when people write, edit, react and take back.

// pair is a conversation of two people, on disks that can be looked at.
func pair(t *testing.T, w *World) (ana, bo *device, at func(d *device) room.ID) {
	ana, bo = longAgo(t, w)
	return ana, bo, func(d *device) room.ID { return must(d.Client.Resolve(other(d.Person, ana.Person, bo.Person).Handle)) }
}

func (p *Person) overview(id room.ID) client.Overview {
	p.w.T.Helper()
	o, err := p.Client.OverviewOf(id)
	if err != nil {
		p.w.T.Fatal(err)
	}
	return o
}

// lastSays waits until a text is the last one in the list.
func (p *Person) lastSays(id room.ID, text string) {
	p.w.T.Helper()
	p.Eventually("the last one is "+text, func() bool { o := p.overview(id); return o.Last != nil && o.Last.Text == text }, func() any { return p.overview(id).Last })
}

// told gathers the events of a device.
type told struct {
	mu   sync.Mutex
	all  []client.Event
	stop func()
}

func (p *Person) listens() *told {
	e := &told{}
	e.stop = p.Client.Subscribe(func(x client.Event) { e.mu.Lock(); e.all = append(e.all, x); e.mu.Unlock() })
	p.w.T.Cleanup(e.stop)
	return e
}

func (e *told) count(kind client.EventKind, f func(x client.Event) bool) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.all {
		if x.Kind == kind && f(x) {
			n++
		}
	}
	return n
}

// An archived room comes back when somebody writes, a muted one does not; what is unread
// counts what people said, not how they changed it.
func TestMarksAndUnread(t *testing.T) {
	w := New(t)
	ana, bo, at := pair(t, w)
	id := at(bo)
	if err := bo.Client.SeenThrough(id, nil); err != nil {
		t.Fatal(err)
	}
	events := bo.listens()
	yes, never := true, int64(-1)
	if err := bo.Client.SetMark(id, client.MarkChange{Archived: &yes, MarkUnread: &yes}); err != nil {
		t.Fatal(err)
	}
	if n := len(must(bo.Client.Overview(false))); n != 0 {
		t.Errorf("%d rooms in the list", n)
	}
	two := ana.Send(bo.Handle, "two")
	bo.lastSays(id, "two")
	if o := bo.overview(id); o.Mark.Archived || o.Unseen != 1 || !o.Mark.MarkUnread {
		t.Errorf("%+v, %d unread", o.Mark, o.Unseen)
	}
	ana.Compose(bo.Handle, client.React(two.ID, "☕"))
	ana.Compose(bo.Handle, client.Edit(two.ID, "two, mended"))
	three := ana.Send(bo.Handle, "three")
	bo.lastSays(id, "three")
	if o := bo.overview(id); o.Unseen != 2 || o.Mentions != 0 {
		t.Errorf("%d unread, %d that name bo", o.Unseen, o.Mentions)
	}
	p := must(bo.Client.Page(id, client.PageQuery{Unread: true}))
	if p.Target == nil || *p.Target != two.ID {
		t.Errorf("unread from %v", p.Target)
	}
	ana.Compose(bo.Handle, client.Delete(three.ID))
	bo.Eventually("one is taken back", func() bool { return bo.overview(id).Unseen == 1 }, func() any { return bo.overview(id).Unseen })
	if err := bo.Client.SeenThrough(id, &two.ID); err != nil {
		t.Fatal(err)
	}
	ana.Eventually("it is read", func() bool { return ana.message(two.ID).State == store.Read }, func() any { return ana.message(two.ID).State })
	if o := bo.overview(id); o.Unseen != 0 || o.Mark.MarkUnread {
		t.Errorf("%+v, %d unread", o.Mark, o.Unseen)
	}
	if err := bo.Client.SetMark(id, client.MarkChange{Archived: &yes, MutedUntil: &never}); err != nil {
		t.Fatal(err)
	}
	ana.Send(bo.Handle, "four")
	bo.lastSays(id, "four")
	if o := bo.overview(id); !o.Mark.Archived || o.Unseen != 1 {
		t.Errorf("muted: %+v, %d unread", o.Mark, o.Unseen)
	}
	changed := func(id messageID) func(x client.Event) bool {
		return func(x client.Event) bool { return x.Message != nil && x.Message.ID == id }
	}
	if n := events.count(client.EventChanged, changed(two.ID)); n != 2 {
		t.Errorf("told %d times of what changed: a reaction and an edit", n)
	}
	if n := events.count(client.EventChanged, changed(three.ID)); n != 1 {
		t.Errorf("told %d times that it was taken back", n)
	}
	if n := events.count(client.EventMark, func(x client.Event) bool { return x.Room == id }); n < 3 {
		t.Errorf("told %d times of marks", n)
	}
}

// Who names somebody with an @ or with a link names them; a name in code, or another one,
// does not, and an edit can take a name away.
func TestMentions(t *testing.T) {
	w := New(t)
	ana, bo, at := pair(t, w)
	id := at(bo)
	bo.Client.SeenThrough(id, nil)
	n := int64(0)
	var first messageID
	for text, names := range map[string]bool{
		"@bo look": true, "look, @BO!": true, "ask @" + bo.Handle + ".": true, "(@bo)": true,
		"@bob is somebody else": false, "`@bo` in code": false, "mail@bo": false, "bo": false, "@": false, "\\@bo": false,
	} {
		m := ana.Send(bo.Handle, text)
		bo.lastSays(id, text)
		if s := must(bo.Client.Shown(m.ID)); s.Mentions != names {
			t.Errorf("%q names bo: %v", text, s.Mentions)
		}
		if names {
			n, first = n+1, m.ID
		}
	}
	if o := bo.overview(id); o.Mentions != n || o.Unseen != 10 {
		t.Errorf("%d of %d unread name bo", o.Mentions, o.Unseen)
	}
	ana.Compose(bo.Handle, client.Edit(first, "nobody"))
	bo.Eventually("nobody is named", func() bool { return bo.overview(id).Mentions == n-1 }, func() any { return bo.overview(id).Mentions })
	own := ana.Send(bo.Handle, "@ana that is me")
	if s := must(ana.Client.Shown(own.ID)); s.Mentions {
		t.Error("ana names herself")
	}
}

func (d *device) found(text string) (out []string) {
	for _, h := range must(d.Client.Search(client.SearchQuery{Text: text})).Hits {
		out = append(out, h.Text)
	}
	return out
}

// What is found is what is shown: an edited text and not the one before, nothing that was
// taken back or has vanished; and then its words are in no file, also those of the index.
func TestSearchFollows(t *testing.T) {
	w := New(t)
	ana, bo, at := pair(t, w)
	both := func(f func(d *device)) {
		for _, d := range []*device{ana, bo} {
			f(d)
		}
	}
	finds := func(text string, want ...string) {
		t.Helper()
		both(func(d *device) {
			t.Helper()
			d.Eventually("finds "+text, func() bool { return slices.Equal(d.found(text), want) }, func() any { return d.found(text) })
		})
	}
	m := ana.Send(bo.Handle, "the gnatcatcher sings")
	finds("gnatcat", "the gnatcatcher sings")
	ana.Compose(bo.Handle, client.Edit(m.ID, "the whinchat sings"))
	finds("whin", "the whinchat sings")
	finds("gnatcatcher")
	both(func(d *device) { d.Sync(); d.forgets("gnatcatcher") })
	ana.Compose(bo.Handle, client.Delete(m.ID))
	finds("whinchat")
	finds("sings")
	both(func(d *device) { d.forgets("whinchat") })

	gone := bo.listens()
	m = ana.Compose(bo.Handle, client.Expiring(client.Text("a dunlin until noon"), w.Clock.Now().Add(time.Hour)))
	finds("dunlin", "a dunlin until noon")
	w.Clock.Advance(time.Hour)
	both(func(d *device) { d.forgets("dunlin") })
	finds("dunlin")
	if n := gone.count(client.EventGone, func(x client.Event) bool { return x.ID == m.ID }); n != 1 {
		t.Errorf("told %d times that it is gone", n)
	}

	// Deleted here it is here no more, and there it is.
	m = bo.Send(ana.Handle, "a redshank for both")
	finds("redshank", "a redshank for both")
	bo.Sync()
	if err := bo.Client.DeleteHere(m.ID); err != nil {
		t.Fatal(err)
	}
	bo.forgets("redshank")
	if got := ana.found("redshank"); len(got) != 1 {
		t.Errorf("ana finds %q", got)
	}
	if err := ana.Client.ClearRoom(at(ana)); err != nil {
		t.Fatal(err)
	}
	ana.forgets("redshank")
	bo.Send(ana.Handle, "a turnstone")
	ana.Reads(bo.Handle, "a turnstone")
}

// What is deleted here before it could be sent is not sent.
func TestDeletedBeforeSent(t *testing.T) {
	w := New(t)
	ana, bo, at := pair(t, w)
	w.Home.Stop()
	bo.Eventually("its server is missed", func() bool { return bo.Client.Unreachable(w.Home.Name) }, func() any { return nil })
	events := bo.listens()
	m := bo.Write(ana.Handle, "better not")
	if n := events.count(client.EventQueued, func(x client.Event) bool { return x.Message.ID == m.ID }); n != 1 {
		t.Errorf("told %d times that it waits", n)
	}
	if p := must(bo.Client.Page(at(bo), client.PageQuery{})); len(p.Messages) != 2 || p.Messages[1].ID != m.ID || p.Messages[1].State != store.Queued {
		t.Errorf("%d messages on the page", len(p.Messages))
	}
	bo.lastSays(at(bo), "better not")
	if err := bo.Client.DeleteHere(m.ID); err != nil {
		t.Fatal(err)
	}
	bo.Write(ana.Handle, "rather this")
	w.Home.Start()
	ana.Reads(bo.Handle, "one", "rather this")
	bo.forgets("better not")
}

// Who does not want to tell others what was read does not, from then on.
func TestReceiptsOff(t *testing.T) {
	w := New(t)
	ana, bo, at := pair(t, w)
	if err := bo.Client.SetSettings(func(s *client.Settings) { s.Receipts = false }); err != nil {
		t.Fatal(err)
	}
	two := ana.Send(bo.Handle, "two")
	bo.lastSays(at(bo), "two")
	if err := bo.Client.SeenThrough(at(bo), nil); err != nil {
		t.Fatal(err)
	}
	bo.Send(ana.Handle, "here")
	ana.lastSays(at(ana), "here")
	if s := ana.message(two.ID).State; s != store.Stored {
		t.Errorf("ana's message is %v", s)
	}
	if err := bo.Client.SetSettings(func(s *client.Settings) { s.Receipts = true }); err != nil {
		t.Fatal(err)
	}
	three := ana.Send(bo.Handle, "three")
	bo.lastSays(at(bo), "three")
	bo.Client.SeenThrough(at(bo), nil)
	ana.Eventually("it is read", func() bool { return ana.message(three.ID).State == store.Read }, func() any { return ana.message(three.ID).State })
}

// A message that nobody fetched in time is sent again when its author wants, under its name.
func TestRetryExpired(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Mutate = func(o *client.Options) { o.TTL = time.Hour }
	ana.Away()
	ana.Back()
	group(t, "club", ana, bo)
	ana.Send("club", "one")
	bo.Reads("club", "one")
	bo.Sync()
	bo.Away()
	m := ana.Send("club", "nobody fetched this")
	if _, err := ana.Client.Retry(patient(t), m.ID); err == nil {
		t.Error("what is on its way was sent again")
	}
	w.Clock.Advance(2 * time.Hour)
	w.Home.Server.Tick(w.Clock.Now())
	ana.Later("it has expired", 10*time.Second, func() bool { return ana.message(m.ID).State == store.Expired }, func() any { return ana.message(m.ID).State })
	again, err := ana.Client.Retry(patient(t), m.ID)
	if err != nil || again.ID != m.ID {
		t.Fatalf("%v, %v", again, err)
	}
	ana.Eventually("it is stored", func() bool { return ana.message(m.ID).State == store.Stored }, func() any { return ana.message(m.ID).State })
	bo.Back()
	bo.Eventually("bo has it", func() bool { return slices.Contains(bo.Texts("club"), "nobody fetched this") }, func() any { return bo.Texts("club") })
}

// What happens in a room stands between its messages, in the order in which it happened, and
// rooms made here begin with the disappearing time of the settings.
func TestHappenings(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	if err := ana.Client.SetSettings(func(s *client.Settings) { s.Disappear = 7 * 24 * 3600 }); err != nil {
		t.Fatal(err)
	}
	group(t, "club", ana, bo)
	ana.Send("club", "one")
	bo.Reads("club", "one")
	act(t, ana, "adds cy", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{cy.Handle}) })
	bo.Told(client.NoticeJoined)
	w.Clock.Advance(2 * time.Second)
	act(t, ana, "sets the time", func(ctx context.Context) error { return ana.Client.SetDisappear(ctx, "club", time.Hour) })
	bo.Told(client.NoticeDisappear)
	ana.Send("club", "two")
	bo.Reads("club", "one", "two")
	id := must(bo.Client.Resolve("club"))
	var got []string
	for _, s := range must(bo.Client.Page(id, client.PageQuery{})).Messages {
		if s.Event != "" {
			got = append(got, s.Event+": "+s.Text)
			continue
		}
		got = append(got, s.Text)
		if want := map[string]int64{"one": 7 * 24 * 3600, "two": 3600}[s.Text]; s.Vanish != want {
			t.Errorf("%q vanishes %d s after it is read", s.Text, s.Vanish)
		}
	}
	want := []string{"one", "joined: " + ana.Handle + " added " + cy.Handle + ".", "disappearing: " + ana.Handle + " set messages here to vanish one hour after they are read.", "two"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if p := must(bo.Client.Page(id, client.PageQuery{Limit: 2})); len(p.Messages) != 2 || p.Messages[0].Event != client.NoticeDisappear || !p.MoreBefore {
		t.Errorf("the last two: %+v", p.Messages)
	}
	if o := bo.overview(id); o.Unseen != 2 {
		t.Errorf("%d unread", o.Unseen)
	}
}

// A room that was left is forgotten whole; one that was not is not.
func TestForgetRoom(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.device("bo")
	group(t, "club", ana, bo.Person)
	ana.Send("club", "a sanderling in the club")
	bo.Reads("club", "a sanderling in the club")
	id := must(bo.Client.Resolve("club"))
	if err := bo.Client.ForgetRoom(id); err == nil {
		t.Error("forgot a room that he is in")
	}
	act(t, bo.Person, "leaves", func(ctx context.Context) error { return bo.Client.Leave(ctx, "club") })
	bo.Eventually("is out", func() bool { return bo.Room("club").State == store.RoomLeft }, func() any { return bo.Room("club").State })
	if err := bo.Client.ForgetRoom(id); err != nil {
		t.Fatal(err)
	}
	bo.forgets("sanderling")
	if _, err := bo.Client.OverviewOf(id); err == nil {
		t.Error("it is still in the list")
	}
	bo.Away()
	bo.Back()
	bo.Sync()
	ana.Sync()
	if _, err := bo.Client.Resolve("club"); err == nil {
		t.Error("it has come back")
	}
}

// One's reaction takes the place of the one before, on both sides.
func TestReactTo(t *testing.T) {
	w := New(t)
	ana, bo, _ := pair(t, w)
	m := ana.Send(bo.Handle, "two")
	bo.Reads(ana.Handle, "one", "two")
	for _, e := range []string{"🚲", "☕", "", "🎉"} {
		act(t, bo.Person, "reacts", func(ctx context.Context) error { _, err := bo.Client.ReactTo(ctx, m.ID, e); return err })
		for _, d := range []*device{ana, bo} {
			reacted := func() (out []client.Reaction) { return must(d.Client.Shown(m.ID)).Reactions }
			d.Eventually("sees "+e, func() bool {
				r := reacted()
				return e == "" && len(r) == 0 || len(r) == 1 && r[0].Emoji == e && r[0].Own == (d == bo) && len(r[0].Accounts) == 1
			}, func() any { return reacted() })
		}
	}
}
