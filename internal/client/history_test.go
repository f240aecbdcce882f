package client_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/store/seed"
	"sotto/mimi"
)

var small = seed.Plan{Rooms: 12, Messages: 3000, Longest: 1000, Unseen: 40, Seed: 3}

// away is a device with a small past and without a network.
func away(t *testing.T, mutate func(o *client.Options)) (*client.Client, seed.Filled) {
	t.Helper()
	c, f, err := seeded(t, small, t.TempDir(), mutate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, f
}

// all is everything that stands in a room.
func all(t *testing.T, c *client.Client, id room.ID) (out []client.Shown) {
	t.Helper()
	if err := c.EachMessage(id, func(s client.Shown) error { out = append(out, s); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func same(a, b []client.Shown) bool {
	return slices.EqualFunc(a, b, func(x, y client.Shown) bool { return x.ID == y.ID && x.Notice == y.Notice })
}

func TestPages(t *testing.T) {
	c, f := away(t, nil)
	whole := all(t, c, f.Long)
	if len(whole) < 800 {
		t.Fatalf("%d messages", len(whole))
	}
	var back []client.Shown
	p := must(c.Page(f.Long, client.PageQuery{Limit: 37}))
	for {
		if len(p.Messages) == 0 || len(p.Messages) > 37 || p.MoreBefore && len(p.Messages) != 37 {
			t.Fatalf("a page of %d", len(p.Messages))
		}
		back = append(slices.Clone(p.Messages), back...)
		if !p.MoreBefore {
			break
		}
		p = must(c.Page(f.Long, client.PageQuery{Before: p.Messages[0].Pos, Limit: 37}))
	}
	if !same(back, whole) {
		t.Errorf("backwards: %d of %d", len(back), len(whole))
	}
	forth := slices.Clone(p.Messages)
	for p.MoreAfter {
		p = must(c.Page(f.Long, client.PageQuery{After: p.Messages[len(p.Messages)-1].Pos, Limit: 41}))
		forth = append(forth, p.Messages...)
	}
	if !same(forth, whole) {
		t.Errorf("forwards: %d of %d", len(forth), len(whole))
	}
	for _, i := range []int{0, 1, 20, 500, len(whole) - 1} {
		m := whole[i]
		p := must(c.Page(f.Long, client.PageQuery{Around: &m.ID, Limit: 20}))
		at := slices.IndexFunc(p.Messages, func(s client.Shown) bool { return s.ID == m.ID })
		if at < 0 || p.Target == nil || *p.Target != m.ID || p.MoreBefore != (i > 10) || p.MoreAfter != (i < len(whole)-10) || !same(p.Messages, whole[i-at:i-at+len(p.Messages)]) {
			t.Errorf("around %d: at %d of %d, %v %v", i, at, len(p.Messages), p.MoreBefore, p.MoreAfter)
		}
		p = must(c.Page(f.Long, client.PageQuery{Date: m.At}))
		if p.Target == nil || *p.Target != m.ID {
			t.Errorf("the first message since that of %d is another one", i)
		}
	}
	if p := must(c.Page(f.Long, client.PageQuery{Date: whole[len(whole)-1].At + 1})); p.Target != nil || p.MoreAfter {
		t.Error("something was said after the last message")
	}
	unread := slices.IndexFunc(whole, func(s client.Shown) bool { return s.State == store.Received && s.Flags&store.FlagSeen == 0 })
	p = must(c.Page(f.Long, client.PageQuery{Unread: true}))
	if p.Target == nil || *p.Target != whole[unread].ID || p.FirstUnread == nil || *p.FirstUnread != *p.Target {
		t.Error("the first unread message is another one")
	}
	if _, err := c.Page(f.Long, client.PageQuery{Around: &mimi.MessageID{}}); !errors.Is(err, client.ErrGone) {
		t.Errorf("around nothing: %v", err)
	}
	if _, err := c.Page(room.ID{}, client.PageQuery{}); !errors.Is(err, client.ErrNoRoom) {
		t.Errorf("of no room: %v", err)
	}
}

// What acts on the messages of a page is what acts on each of them.
func TestFolded(t *testing.T) {
	c, f := away(t, nil)
	raw := must(c.Messages(&f.Long, 0, 1<<20))
	texts := map[mimi.MessageID]store.Message{}
	given := map[mimi.MessageID]map[string]string{} // by target and account, the last one
	for _, m := range raw {
		texts[m.ID] = m
		if m.Kind == mimi.KindReaction {
			if given[*m.Target] == nil {
				given[*m.Target] = map[string]string{}
			}
			given[*m.Target][string(m.Account[:])] = m.Text
		}
	}
	replies, reactions := 0, 0
	for _, s := range all(t, c, f.Long) {
		got := map[string]string{}
		for _, r := range s.Reactions {
			own := false
			for _, a := range r.Accounts {
				got[string(a[:])] = r.Emoji
				own = own || a == f.Self
			}
			if own != r.Own {
				t.Errorf("%v: own %v", r, own)
			}
		}
		if len(got) != len(given[s.ID]) {
			t.Fatalf("%d accounts react, not %d", len(got), len(given[s.ID]))
		}
		for a, e := range got {
			if given[s.ID][a] != e {
				t.Errorf("%x reacts with %s", a, e)
			}
			reactions++
		}
		if s.Kind == mimi.KindReply {
			if to := texts[*s.Target]; s.Reply == nil || s.Reply.Gone || s.Reply.Text != to.Text || s.Reply.Own != (to.Account == f.Self) {
				t.Errorf("answers %+v", s.Reply)
			}
			replies++
		}
	}
	if replies < 20 || reactions < 20 {
		t.Errorf("%d replies, %d reactions: the test is blind", replies, reactions)
	}
}

func TestOverview(t *testing.T) {
	c, f := away(t, nil)
	list := must(c.Overview(false))
	if len(list) != 12 || !slices.IsSortedFunc(list, func(a, b client.Overview) int { return int(b.Time - a.Time) }) {
		t.Fatalf("%d rooms, or not in order", len(list))
	}
	unseen := int64(0)
	for _, o := range list {
		whole := all(t, c, o.ID)
		var n int64
		for _, s := range whole {
			if s.State == store.Received && s.Flags&(store.FlagSeen|store.FlagDeleted) == 0 {
				n++
			}
		}
		if last := whole[len(whole)-1]; o.Last.ID != last.ID || o.Time != last.At || o.Unseen != n || o.Name == "" {
			t.Errorf("%q: last %v, unseen %d, not %d", o.Name, o.Last.ID, o.Unseen, n)
		}
		one := must(c.OverviewOf(o.ID))
		if one.Unseen != o.Unseen || one.Time != o.Time || one.Last.ID != o.Last.ID || one.Name != o.Name {
			t.Errorf("%q by itself: %+v", o.Name, one)
		}
		unseen += n
	}
	if unseen == 0 {
		t.Error("all was seen: the test is blind")
	}
	yes, no, draft, until := true, false, "I meant to", int64(-1)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id := list[3].ID
	check(c.SetMark(id, client.MarkChange{Pinned: &yes, Archived: &yes, MarkUnread: &yes, Draft: &draft, MutedUntil: &until}))
	if list := must(c.Overview(false)); len(list) != 11 {
		t.Errorf("%d rooms are not archived", len(list))
	}
	list = must(c.Overview(true))
	if len(list) != 1 || list[0].ID != id || list[0].Mark != (client.Mark{Pinned: true, Archived: true, MarkUnread: true, MutedUntil: -1, Draft: draft}) {
		t.Errorf("archived: %+v", list)
	}
	check(c.SetMark(id, client.MarkChange{Archived: &no}))
	check(c.SeenThrough(id, nil))
	if o := must(c.OverviewOf(id)); o.Mark.Archived || o.Mark.MarkUnread || !o.Mark.Pinned || o.Unseen != 0 {
		t.Errorf("afterwards: %+v, %d unseen", o.Mark, o.Unseen)
	}
	if err := c.SetMark(room.ID{}, client.MarkChange{Pinned: &yes}); !errors.Is(err, client.ErrNoRoom) {
		t.Errorf("a mark of no room: %v", err)
	}
	long := strings.Repeat("x", store.MaxDraft+1)
	if err := c.SetMark(f.Long, client.MarkChange{Draft: &long}); !errors.Is(err, client.ErrTooLong) {
		t.Errorf("a long draft: %v", err)
	}
}

// SeenThrough goes as far as it is told.
func TestSeenThrough(t *testing.T) {
	c, f := away(t, nil)
	var unread []client.Shown
	for _, s := range all(t, c, f.Long) {
		if s.State == store.Received && s.Flags&store.FlagSeen == 0 {
			unread = append(unread, s)
		}
	}
	if len(unread) < 4 {
		t.Fatalf("%d unread", len(unread))
	}
	if err := c.SeenThrough(f.Long, &unread[1].ID); err != nil {
		t.Fatal(err)
	}
	if o := must(c.OverviewOf(f.Long)); o.Unseen != int64(len(unread)-2) {
		t.Errorf("%d of %d unseen", o.Unseen, len(unread))
	}
	if p := must(c.Page(f.Long, client.PageQuery{})); *p.FirstUnread != unread[2].ID {
		t.Error("another one is the first")
	}
}

func TestSettings(t *testing.T) {
	c, _ := away(t, nil)
	if s := must(c.Settings()); s != client.DefaultSettings() || !s.Receipts || !s.Typing || s.Presence || !s.EnterSends || !s.SingleKeys || s.Notify != "text" {
		t.Errorf("at first: %+v", s)
	}
	if err := c.SetSettings(func(s *client.Settings) { s.Theme, s.Receipts, s.Retention = "dark", false, 30_000 }); err != nil {
		t.Fatal(err)
	}
	want := client.DefaultSettings()
	want.Theme, want.Receipts, want.Retention = "dark", false, 30_000
	if s := must(c.Settings()); s != want {
		t.Errorf("%+v", s)
	}
	for name, f := range map[string]func(s *client.Settings){
		"theme": func(s *client.Settings) { s.Theme = "pink" }, "notify": func(s *client.Settings) { s.Notify = "" },
		"text": func(s *client.Settings) { s.TextSize = 79 }, "days": func(s *client.Settings) { s.Retention = -1 },
		"lock": func(s *client.Settings) { s.LockAfter = -1 }, "vanish": func(s *client.Settings) { s.Disappear = 366 * 24 * 3600 },
		"emoji": func(s *client.Settings) { s.RecentEmoji = strings.Repeat("👍", 300) },
	} {
		if err := c.SetSettings(f); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if s := must(c.Settings()); s != want {
		t.Errorf("after refusals: %+v", s)
	}
}

// Settings outlive a restart; fields that an older program did not know have their defaults.
func TestSettingsKept(t *testing.T) {
	dir := t.TempDir()
	c, _, err := seeded(t, seed.Plan{Rooms: 1}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetSettings(func(s *client.Settings) { s.Typing, s.Language = false, "de" }); err != nil {
		t.Fatal(err)
	}
	c.Close()
	c, err = client.Open(client.Options{Store: database(dir)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s := must(c.Settings()); s.Typing || s.Language != "de" || !s.Receipts {
		t.Errorf("%+v", s)
	}
}

func TestStorage(t *testing.T) {
	c, f := away(t, nil)
	s := must(c.Storage())
	if s.Database < 1<<20 || len(s.Rooms) != 12 || s.Rooms[0].Room != f.Long || s.Rooms[0].Messages != int64(len(all(t, c, f.Long))) || s.Rooms[0].Bytes < 50*s.Rooms[0].Messages {
		t.Errorf("%+v", s)
	}
}

func TestStarAndDelete(t *testing.T) {
	c, f := away(t, nil)
	var events []client.Event
	defer c.Subscribe(func(e client.Event) { events = append(events, e) })()
	whole := all(t, c, f.Long)
	var m client.Shown
	for _, s := range whole {
		if len(s.Reactions) > 0 && !s.Starred {
			m = s
		}
	}
	if err := c.Star(m.ID, true); err != nil {
		t.Fatal(err)
	}
	if s := must(c.Shown(m.ID)); !s.Starred || len(s.Reactions) != len(m.Reactions) {
		t.Error("no star")
	}
	if err := c.DeleteHere(m.ID); err != nil {
		t.Fatal(err)
	}
	if s := must(c.Shown(m.ID)); s != nil {
		t.Error("still here")
	}
	for _, x := range must(c.Messages(&f.Long, 0, 1<<20)) {
		if x.Target != nil && *x.Target == m.ID && x.Kind == mimi.KindReaction {
			t.Error("a reaction to it is still here")
		}
	}
	if err := c.Star(m.ID, true); !errors.Is(err, client.ErrGone) {
		t.Errorf("a star for what is gone: %v", err)
	}
	if len(events) != 2 || events[0].Kind != client.EventChanged || events[0].Message.ID != m.ID || events[1].Kind != client.EventGone || events[1].ID != m.ID {
		t.Errorf("%v", events)
	}
	if got := all(t, c, f.Long); len(got) != len(whole)-1 {
		t.Errorf("%d of %d", len(got), len(whole))
	}
}

// Clearing a room leaves the others as they are, also in the index, which is made anew when
// much goes.
func TestClear(t *testing.T) {
	c, f := away(t, nil)
	other := must(c.Search(client.SearchQuery{Text: "the", Room: &f.Rooms[1]}))
	if len(other.Hits) == 0 {
		t.Fatal("nothing is found")
	}
	if err := c.ClearRoom(f.Long); err != nil {
		t.Fatal(err)
	}
	if got := all(t, c, f.Long); len(got) != 0 {
		t.Errorf("%d are left", len(got))
	}
	if got := must(c.Messages(&f.Long, 0, 10)); len(got) != 0 {
		t.Errorf("%v is left", got[0].Kind)
	}
	for end := time.Now().Add(20 * time.Second); must(c.Search(client.SearchQuery{Text: "the"})).Partial; {
		if time.Now().After(end) {
			t.Fatal("the index is not made")
		}
	}
	if r := must(c.Search(client.SearchQuery{Room: &f.Long})); len(r.Hits) != 0 {
		t.Errorf("%d are found", len(r.Hits))
	}
	if again := must(c.Search(client.SearchQuery{Text: "the", Room: &f.Rooms[1]})); len(again.Hits) != len(other.Hits) || again.Hits[0].ID != other.Hits[0].ID {
		t.Errorf("%d are found in another room, not %d", len(again.Hits), len(other.Hits))
	}
	if err := c.ForgetRoom(f.Long); !errors.Is(err, client.ErrInside) {
		t.Errorf("forgot a room that one is in: %v", err)
	}
}

// fixed is a clock that stands still.
type fixed struct{ now time.Time }

func (f *fixed) Now() time.Time                                { return f.now }
func (f *fixed) AfterFunc(time.Duration, func()) (stop func()) { return func() {} }

// What is older than this device is to keep goes, and nothing else.
func TestRetention(t *testing.T) {
	clock := &fixed{time.Unix(1_750_000_000, 0)}
	c, f := away(t, func(o *client.Options) { o.Clock = clock })
	const days = 365
	border := clock.now.UnixMilli() - days*24*3_600_000
	var keep []client.Shown
	for _, s := range all(t, c, f.Long) {
		if s.At >= border {
			keep = append(keep, s)
		}
	}
	if err := c.SetSettings(func(s *client.Settings) { s.Retention = days }); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		got := all(t, c, f.Long)
		if same(got, keep) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d are left, not %d", len(got), len(keep))
		}
	}
	r := must(c.Search(client.SearchQuery{Before: border}))
	if len(r.Hits) != 0 {
		t.Errorf("%d older ones are found", len(r.Hits))
	}
}

func TestUTF16(t *testing.T) {
	text := "a 🎉 é b"
	for i := range text {
		want := len(utf16.Encode([]rune(text[:i])))
		if got := client.UTF16(text, []int{i}); got[0] != want {
			t.Errorf("%d: %d, not %d", i, got[0], want)
		}
	}
}

func TestReactNowhere(t *testing.T) {
	c, f := away(t, nil)
	m := all(t, c, f.Long)[0]
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, e := range []string{"🚲", "☕", "", ""} {
		if _, err := c.ReactTo(ctx, m.ID, e); err != nil {
			t.Fatal(err)
		}
		own := ""
		for _, r := range must(c.Shown(m.ID)).Reactions {
			if r.Own {
				own += r.Emoji
			}
		}
		if own != e {
			t.Errorf("own: %q, not %q", own, e)
		}
	}
	if _, err := c.ReactTo(ctx, mimi.MessageID{}, "☕"); !errors.Is(err, client.ErrGone) {
		t.Errorf("to nothing: %v", err)
	}
}
