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
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
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

// Three devices, changes at once and while some are away: in the end all hold the same.
func TestSelfRoomTogether(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	friends(t, ana, bo)
	friends(t, ana, cy)
	more := linked(t, ana, "Phone", "Tablet")
	all := append([]*Person{ana}, more...)
	with, other := ana.Room(bo.Handle).ID, ana.Room(cy.Handle).ID
	for i := range 4 {
		for k, p := range all { // each says something else of the same things, not knowing of the others'
			if k == i {
				p.Away()
				continue
			}
			draft := fmt.Sprintf("%d of %d", i, k)
			for _, err := range []error{
				p.Client.SetMark(with, client.MarkChange{Draft: &draft, Pinned: ptr((i+k)%2 == 0), MutedUntil: ptr(int64(i*10+k) - 1)}),
				p.Client.SetMark(other, client.MarkChange{Archived: ptr((i+k)%2 == 1)}),
				p.Client.SetNickname(bo.account(), draft),
				p.Client.SetCompared(cy.account(), (i+k)%2 == 0),
				p.Client.SetSettings(func(s *client.Settings) { s.RecentEmoji = draft }),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if i < len(all) {
			all[i].Back()
		}
	}
	alike(t, all...)
	state := func(p *Person) string {
		x, _ := p.Client.Person(bo.account())
		y, _ := p.Client.Person(cy.account())
		s, _ := p.Client.Settings()
		return fmt.Sprintf("%+v %+v %s %v %s", p.mark(bo.Handle), p.mark(cy.Handle), x.Nickname, y.Compared, s.RecentEmoji)
	}
	for _, p := range more {
		p.Eventually("what the first device shows: "+state(ana), func() bool { return state(p) == state(ana) }, func() any { return state(p) })
	}
	// One that comes afterwards is told it all.
	late := linked(t, ana, "Watch")[0]
	late.Eventually("what the first device shows: "+state(ana), func() bool { return state(late) == state(ana) }, func() any { return state(late) })
	alike(t, append(all, late)...)
}

// What was decided is not lost when the power goes at any write after it, and is not said
// twice with two meanings.
func TestSelfRoomCrash(t *testing.T) {
	w := New(t)
	disk := faultfs.New(1)
	ana := w.Nobody("ana", w.Home)
	ana.onDisk(disk)
	ana.Open()
	if err := ana.Client.CreateAccount(patient(t), ana.Handle, ""); err != nil {
		t.Fatal(err)
	}
	bo := w.Person("bo")
	friends(t, ana, bo)
	phone := linked(t, ana, "Phone")[0]
	id := ana.Room(bo.Handle).ID
	kills := 0
	for k := 1; k <= 24; k++ {
		until := int64(1000 + k)
		if err := ana.Client.SetMark(id, client.MarkChange{MutedUntil: &until}); err != nil {
			t.Fatal(err)
		}
		disk.Inject(k, faultfs.Crash)
		end := time.Now().Add(700 * time.Millisecond)
		for !disk.Crashed() && time.Now().Before(end) {
			time.Sleep(time.Millisecond) // the write comes, or there are not so many
		}
		if disk.Crashed() {
			kills++
		}
		ana.crash()
		disk = disk.Restart()
		ana.onDisk(disk)
		ana.Back()
		phone.sees(fmt.Sprint(until), func() bool { return phone.mark(bo.Handle).MutedUntil == until })
		if got := ana.mark(bo.Handle).MutedUntil; got != until {
			t.Fatalf("%d, not %d, after write %d", got, until, k)
		}
	}
	if kills < 8 {
		t.Errorf("only %d times in the middle", kills)
	}
}

// A request that is answered on one device is answered on the others.
func TestSelfRoomRequests(t *testing.T) {
	w := New(t)
	ana, bo, cy, dan := w.Person("ana"), w.Person("bo"), w.Person("cy"), w.Person("dan")
	phone := linked(t, ana, "Phone")[0]
	waiting := func(p *Person, from string) bool {
		list, err := p.Client.Requests()
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list, func(i store.Invitation) bool { return i.Handle == from })
	}
	for _, p := range []*Person{bo, cy, dan} {
		p.Send(ana.Handle, "hello, I am "+p.Name)
	}
	for _, p := range []*Person{ana, phone} {
		for _, from := range []string{bo.Handle, cy.Handle, dan.Handle} {
			p.sees("a request of "+from, func() bool { return waiting(p, from) })
		}
	}
	accept(t, ana, bo.Handle)
	phone.sees("Bo is no stranger", func() bool { return !waiting(phone, bo.Handle) && phone.Room(bo.Handle).Name != "" })
	bo.Send(ana.Handle, "to both")
	phone.sees("reads on", func() bool { return slices.Contains(phone.Texts(bo.Handle), "to both") })
	if err := phone.Client.BlockRequest(cy.account()); err != nil {
		t.Fatal(err)
	}
	ana.sees("Cy is gone", func() bool { return !waiting(ana, cy.Handle) })
	if p, err := ana.Client.Person(cy.account()); err != nil || p.Standing != store.Blocked {
		t.Errorf("%+v %v", p, err)
	}
	if err := phone.Client.Later(dan.account()); err != nil {
		t.Fatal(err)
	}
	ana.sees("Dan is put off", func() bool {
		list, _ := ana.Client.Requests()
		return slices.ContainsFunc(list, func(i store.Invitation) bool { return i.Handle == dan.Handle && i.Later })
	})
}

// Whom Ana has compared numbers with on one device is verified on both, until that person's
// devices change; then each of hers finds that by itself, and one comparing serves both again.
func TestSelfRoomCompared(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	phone := linked(t, ana, "Phone")[0]
	compared := func(p *Person) bool { x, _ := p.Client.Person(bo.account()); return x != nil && x.Compared != 0 }

	// Only the phone knows Bo.
	if _, err := phone.Client.Find(patient(t), bo.Handle); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{phone.Client.SetContact(bo.account(), true), phone.Client.SetNickname(bo.account(), "Bobo"), phone.Client.SetCompared(bo.account(), true)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ana.sees("knows Bo", func() bool { return compared(ana) })
	if p, err := ana.Client.Person(bo.account()); err != nil || p.Standing != store.Contact || p.Nickname != "Bobo" || p.Handle != bo.Handle {
		t.Fatalf("%+v %v", p, err)
	}
	ana.Send(bo.Handle, "hello")
	accept(t, bo, ana.Handle)
	linked(t, bo, "Phone")
	for _, p := range []*Person{ana, phone} {
		p.sees("is to compare again", func() bool { return !compared(p) })
	}
	if err := ana.Client.SetCompared(bo.account(), true); err != nil {
		t.Fatal(err)
	}
	phone.sees("compared again", func() bool { return compared(phone) })
	alike(t, ana, phone)
}

// A device that is unlinked hears nothing more; what it said before holds.
func TestSelfRoomUnlinked(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	more := linked(t, ana, "Phone", "Tablet")
	phone, tablet := more[0], more[1]
	id := ana.Room(bo.Handle).ID
	if err := phone.Client.SetMark(id, client.MarkChange{Pinned: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	ana.sees("pinned", func() bool { return ana.mark(bo.Handle).Pinned })
	self, err := phone.Client.Self()
	if err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.Unlink(patient(t), self.Device); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.SetNickname(bo.account(), "secret"); err != nil {
		t.Fatal(err)
	}
	tablet.sees("the nickname", func() bool { x, _ := tablet.Client.Person(bo.account()); return x.Nickname == "secret" })
	if err := phone.Client.SetMark(id, client.MarkChange{Pinned: ptr(false)}); err != nil {
		t.Fatal(err)
	}
	alike(t, ana, tablet)
	if x, _ := phone.Client.Person(bo.account()); x.Nickname != "" {
		t.Error("a device that was unlinked hears on")
	}
	for _, p := range []*Person{ana, tablet} {
		if !p.mark(bo.Handle).Pinned {
			t.Error("what it says afterwards counts, or what it said before does not")
		}
	}
}

// selfRooms are the self rooms of a device, by state.
func (p *Person) selfRooms() (active, merged []room.ID) {
	p.w.T.Helper()
	p.Away()
	defer p.Back()
	st, err := store.Open(store.Options{Path: filepath.Join(p.Home, "sotto.db"), Key: sha256.Sum256([]byte(p.Name))})
	if err != nil {
		p.w.T.Fatal(err)
	}
	defer st.Close()
	err = st.View(func(tx store.Tx) error {
		all, err := tx.RoomsOf(room.Alike)
		for _, r := range all {
			if r.State == store.RoomActive {
				active = append(active, r.ID)
			} else {
				merged = append(merged, r.ID)
			}
		}
		return err
	})
	if err != nil {
		p.w.T.Fatal(err)
	}
	return active, merged
}

// Two devices that have each made a self room agree on one, and lose nothing of the other.
func TestSelfRoomTwice(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	id := ana.Room(bo.Handle).ID
	ana.Away()
	b := ana.Between()
	ana.Back()
	b.Up(func(p *Passing) {
		if p.Op == wire.OpCreate { // her room waits
			p.Drop = true
		}
	})
	phone := w.Nobody("ana", w.Home)
	phones := phone.Between()
	ana.link(t, phone, "Phone")
	phone.sees("is in the conversation", func() bool { return phone.Room(bo.Handle).Name != "" })
	if err := phone.Client.SetMark(id, client.MarkChange{Pinned: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.SetMark(id, client.MarkChange{Draft: ptr("from the desk")}); err != nil {
		t.Fatal(err)
	}
	phone.Later("makes one itself", 5*time.Second, func() bool { return phones.Sent(wire.OpCreate) > 0 }, func() any { return nil })
	b.Honest()
	ana.Away()
	ana.Back()
	ana.sees("pinned", func() bool { return ana.mark(bo.Handle).Pinned })
	phone.sees("the draft", func() bool { return phone.mark(bo.Handle).Draft == "from the desk" })
	alike(t, ana, phone)
	one, lost := ana.selfRooms()
	two, also := phone.selfRooms()
	if len(one) != 1 || len(two) != 1 || one[0] != two[0] || len(lost) != 1 || len(also) != 1 || slices.Compare(one[0][:], lost[0][:]) > 0 {
		t.Errorf("%x %x, %x %x", one, lost, two, also)
	}
}

// Nobody is brought into another's self room, and nobody brings somebody into theirs.
func TestSelfRoomOfAnother(t *testing.T) {
	w := New(t)
	ana, mal := w.Person("ana"), w.Person("mal")
	friends(t, ana, mal)
	phone := linked(t, ana, "Phone")[0]
	own, _ := ana.selfRooms()
	l := fetch[wire.Lookup](w, w.Home.Name, "GET", "/v1/directory/ana", nil)
	to := good(identity.Verify(l.Chain)).ActiveDevices()[0]
	raw := w.Dial(w.Home.Name, "/v1/log")
	mal.Away()
	keys := mal.keysOf()
	chain := good(identity.Verify(fetch[wire.Lookup](w, w.Home.Name, "GET", "/v1/directory/mal", nil).Chain))
	for _, i := range []room.Invitation{
		{Room: room.ID{1}, Generation: 1, Kind: room.Alike, Host: w.Home.Name, Bundle: []byte{1}, Welcome: []byte{2}},
		{Room: own[0], Generation: 2, Kind: room.Alike, Host: w.Home.Name, Bundle: []byte{1}, Welcome: []byte{2}},
		{Room: own[0], Generation: 2, Kind: room.Group, Title: "club", Host: w.Home.Name, Bundle: []byte{1}, Welcome: []byte{2}},
	} {
		sealed := good(room.SealEnvelope(keys, chain, to, room.EnvelopeInvitation, wire.Marshal(i), uint64(w.Clock.Now().UnixMilli())))
		if _, err := raw.Call(wire.OpPut, wire.Put{Inbox: l.Devices[0].Inbox, Capability: l.Devices[0].Capability, Entry: sealed}); err != nil {
			t.Fatal(err)
		}
	}
	ana.Sync()
	if list, err := ana.Client.Requests(); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	if err := ana.Client.SetNickname(chain.ID(), "no friend"); err != nil {
		t.Fatal(err)
	}
	phone.sees("hears on", func() bool { x, _ := phone.Client.Person(chain.ID()); return x.Nickname == "no friend" })
	if now, _ := ana.selfRooms(); !slices.Equal(now, own) {
		t.Errorf("%x, not %x", now, own)
	}
}

// A device that was away longer than its server keeps anything is told everything again, and
// what it had decided itself by then is not lost.
func TestSelfRoomLongAway(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	phone := linked(t, ana, "Phone")[0]
	id := ana.Room(bo.Handle).ID
	alike(t, ana, phone)
	phone.Away()
	phone.Open() // without a connection
	if err := phone.Client.SetMark(id, client.MarkChange{Draft: ptr("on the train")}); err != nil {
		t.Fatal(err)
	}
	phone.Away()
	for i := range 8 {
		if err := ana.Client.SetMark(id, client.MarkChange{Pinned: ptr(i%2 == 1)}); err != nil {
			t.Fatal(err)
		}
		if err := ana.Client.SetNickname(bo.account(), fmt.Sprintf("Bo %d", i)); err != nil {
			t.Fatal(err)
		}
		ana.Sync()
		w.Clock.Advance(6 * 24 * time.Hour)
		w.Home.Server.Tick(w.Clock.Now())
	}
	phone.Back()
	phone.sees("what was decided meanwhile", func() bool {
		x, _ := phone.Client.Person(bo.account())
		return x.Nickname == "Bo 7" && phone.mark(bo.Handle).Pinned
	})
	ana.sees("what it had begun", func() bool { return ana.mark(bo.Handle).Draft == "on the train" })
	w.Clock.Advance(30 * time.Second)
	alike(t, ana, phone)
}

// Whose clock is years ahead does not outdo for years what is decided on the others.
func TestSelfRoomClock(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	phone := w.Nobody("ana", w.Home)
	ahead := NewClock()
	ana.link(t, phone, "Phone")
	phone.sees("has the history", func() bool { h, _ := phone.Client.History(); return h != nil && h.Done })
	phone.Away()
	phone.Mutate = func(o *client.Options) { o.Clock = ahead }
	ahead.Advance(20 * 365 * 24 * time.Hour)
	phone.Back()
	id := ana.Room(bo.Handle).ID
	if err := phone.Client.SetMark(id, client.MarkChange{Draft: ptr("from the future")}); err != nil {
		t.Fatal(err)
	}
	ana.sees("the draft", func() bool { return ana.mark(bo.Handle).Draft == "from the future" })
	w.Clock.Advance(time.Second)
	if err := ana.Client.SetMark(id, client.MarkChange{Draft: ptr("today")}); err != nil {
		t.Fatal(err)
	}
	phone.sees("what came later", func() bool { return phone.mark(bo.Handle).Draft == "today" })
	if err := phone.Client.SetMark(id, client.MarkChange{Draft: ptr("and again")}); err != nil {
		t.Fatal(err)
	}
	ana.sees("and again", func() bool { return ana.mark(bo.Handle).Draft == "and again" })
	alike(t, ana, phone)
	ana.Away()
	st, err := store.Open(store.Options{Path: filepath.Join(ana.Home, "sotto.db"), Key: sha256.Sum256([]byte(ana.Name))})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	now := uint64(w.Clock.Now().UnixMilli())
	if err := st.View(func(tx store.Tx) error {
		list, err := tx.Registers()
		for _, x := range list {
			if x.Time > now {
				t.Errorf("%d of %x is %d ms ahead", x.What, x.Of, x.Time-now)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
