package play

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// kept is what a device keeps alike with the others, and what it has said and not read yet, byte for byte.
func (p *Person) kept() (state []byte, waiting int) {
	p.w.T.Helper()
	p.Away()
	st, err := store.Open(store.Options{Path: filepath.Join(p.Home, "sotto.db"), Key: sha256.Sum256([]byte(p.Name))})
	if err != nil {
		p.w.T.Fatal(err)
	}
	err = st.View(func(tx store.Tx) error {
		list, err := tx.Registers()
		if err != nil {
			return err
		}
		var b bytes.Buffer
		for _, x := range list {
			fmt.Fprintf(&b, "%d %x %x %d %x\n", x.What, x.Of, x.Value, x.Time, x.Device)
		}
		state = b.Bytes()
		changes, err := tx.UnsentChanges()
		waiting = len(changes)
		return err
	})
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		p.w.T.Fatal(err)
	}
	p.Back()
	return state, waiting
}

// alike waits until some devices keep the same, byte for byte, and none has anything left to say.
func alike(t testing.TB, devices ...*Person) {
	t.Helper()
	end := time.Now().Add(Patience)
	for {
		var states [][]byte
		all := 0
		for _, p := range devices {
			p.Sync()
		}
		for _, p := range devices {
			s, waiting := p.kept()
			states, all = append(states, s), all+waiting
		}
		same := all == 0 && len(states[0]) > 0
		for _, s := range states {
			same = same && bytes.Equal(s, states[0])
		}
		if same {
			return
		}
		if time.Now().After(end) {
			for i, s := range states {
				t.Logf("%d:\n%s", i, s)
			}
			t.Fatal("they do not keep the same")
		}
		time.Sleep(300 * time.Millisecond) // a poll of other processes' progress
	}
}

func (p *Person) mark(to string) client.Mark {
	p.w.T.Helper()
	list, err := p.Client.Overview(false)
	if err != nil {
		p.w.T.Fatal(err)
	}
	more, err := p.Client.Overview(true)
	if err != nil {
		p.w.T.Fatal(err)
	}
	for _, o := range append(list, more...) {
		if o.Name == to {
			return o.Mark
		}
	}
	return client.Mark{}
}

func (p *Person) sees(what string, ok func() bool) {
	p.w.T.Helper()
	p.Eventually(what, ok, func() any { return what })
}

// linked is a person with so many more devices, each with the whole history.
func linked(t *testing.T, p *Person, labels ...string) []*Person {
	var out []*Person
	for _, l := range labels {
		fresh := p.device(t, l)
		fresh.sees("has the history", func() bool { h, _ := fresh.Client.History(); return h != nil && h.Done })
		out = append(out, fresh)
	}
	return out
}

// What Ana decides on one device holds on the other, and nobody sees the room by which it gets
// there.
func TestSelfRoom(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	m := bo.Send(ana.Handle, "remember this")
	ana.sees("has it", func() bool { return slices.Contains(ana.Texts(bo.Handle), "remember this") })
	before := ana.Room(bo.Handle)
	if err := ana.Client.SetMark(before.ID, client.MarkChange{Pinned: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.SetNickname(bo.account(), "Bobo"); err != nil {
		t.Fatal(err)
	}
	phone := linked(t, ana, "Phone")[0]
	phone.sees("is pinned there too", func() bool { return phone.mark(bo.Handle).Pinned })

	id := before.ID
	for _, step := range []struct {
		name string
		do   func(c *client.Client) error
		ok   func(p *Person) bool
	}{
		{"muted", func(c *client.Client) error { return c.SetMark(id, client.MarkChange{MutedUntil: ptr(int64(-1))}) }, func(p *Person) bool { return p.mark(bo.Handle).MutedUntil == -1 }},
		{"a draft", func(c *client.Client) error { return c.SetMark(id, client.MarkChange{Draft: ptr("Dear Bo")}) }, func(p *Person) bool { return p.mark(bo.Handle).Draft == "Dear Bo" }},
		{"no draft", func(c *client.Client) error { return c.SetMark(id, client.MarkChange{Draft: ptr("")}) }, func(p *Person) bool { return p.mark(bo.Handle).Draft == "" }},
		{"archived", func(c *client.Client) error { return c.SetMark(id, client.MarkChange{Archived: ptr(true)}) }, func(p *Person) bool { return p.mark(bo.Handle).Archived }},
		{"in the list", func(c *client.Client) error { return c.SetMark(id, client.MarkChange{Archived: ptr(false)}) }, func(p *Person) bool { return !p.mark(bo.Handle).Archived }},
		{"not pinned", func(c *client.Client) error { return c.SetMark(id, client.MarkChange{Pinned: ptr(false)}) }, func(p *Person) bool { return !p.mark(bo.Handle).Pinned }},
		{"unread", func(c *client.Client) error { return c.SetMark(id, client.MarkChange{MarkUnread: ptr(true)}) }, func(p *Person) bool { return p.mark(bo.Handle).MarkUnread }},
		{"read", func(c *client.Client) error { return c.SeenThrough(id, nil) }, func(p *Person) bool { return !p.mark(bo.Handle).MarkUnread && p.Room(bo.Handle).Unseen == 0 }},
		{"a star", func(c *client.Client) error { return c.Star(m.ID, true) }, func(p *Person) bool { s, _ := p.Client.Shown(m.ID); return s != nil && s.Starred }},
		{"no star", func(c *client.Client) error { return c.Star(m.ID, false) }, func(p *Person) bool { s, _ := p.Client.Shown(m.ID); return s != nil && !s.Starred }},
		{"a nickname", func(c *client.Client) error { return c.SetNickname(bo.account(), "Robert") }, func(p *Person) bool { x, _ := p.Client.Person(bo.account()); return x.Nickname == "Robert" }},
		{"compared", func(c *client.Client) error { return c.SetCompared(bo.account(), true) }, func(p *Person) bool { x, _ := p.Client.Person(bo.account()); return x.Compared != 0 }},
		{"not compared", func(c *client.Client) error { return c.SetCompared(bo.account(), false) }, func(p *Person) bool { x, _ := p.Client.Person(bo.account()); return x.Compared == 0 }},
		{"blocked", func(c *client.Client) error { return c.SetBlocked(bo.account(), true) }, func(p *Person) bool { x, _ := p.Client.Person(bo.account()); return x.Standing == store.Blocked }},
		{"a contact", func(c *client.Client) error { return c.SetBlocked(bo.account(), false) }, func(p *Person) bool { x, _ := p.Client.Person(bo.account()); return x.Standing == store.Contact }},
		{"no receipts", func(c *client.Client) error { return c.SetSettings(func(s *client.Settings) { s.Receipts = false }) }, func(p *Person) bool { s, _ := p.Client.Settings(); return !s.Receipts }},
	} {
		for _, pair := range [][2]*Person{{ana, phone}, {phone, ana}} { // the second time it is so already
			if err := step.do(pair[0].Client); err != nil {
				t.Fatal(step.name, err)
			}
			pair[1].sees(step.name, func() bool { return step.ok(pair[1]) })
		}
	}

	// Read on one is read on the other, although no receipt says so.
	bo.Send(ana.Handle, "in secret")
	for _, p := range []*Person{ana, phone} {
		p.sees("unread", func() bool { return p.Room("Robert").Unseen+p.Room(bo.Handle).Unseen == 1 })
	}
	if err := phone.Client.SeenThrough(id, nil); err != nil {
		t.Fatal(err)
	}
	ana.sees("read there too", func() bool { return ana.Room(bo.Handle).Unseen == 0 })

	// What is the machine's own stays there.
	if err := phone.Client.SetSettings(func(s *client.Settings) { s.LockAfter, s.TextSize = 7, 150 }); err != nil {
		t.Fatal(err)
	}
	devices, err := ana.Client.Devices(ana.account())
	if err != nil || len(devices) != 2 {
		t.Fatal(devices, err)
	}
	if err := phone.Client.NameDevice(devices[0].Device, "Desk"); err != nil {
		t.Fatal(err)
	}
	ana.sees("its own name", func() bool { d, _ := ana.Client.Devices(ana.account()); return d[0].Name == "Desk" })
	if s, _ := ana.Client.Settings(); s.LockAfter != 0 || s.TextSize != 100 {
		t.Errorf("%+v", s)
	}
	alike(t, ana, phone)

	for _, p := range []*Person{ana, phone} {
		rooms, err := p.Client.Rooms()
		if err != nil || len(rooms) != 1 {
			t.Errorf("%d rooms are shown: %v", len(rooms), err)
		}
		if list, err := p.Client.Overview(false); err != nil || len(list) != 1 {
			t.Errorf("%d rooms are listed: %v", len(list), err)
		}
	}
}

var _ = room.Alike
var _ = wire.OK
