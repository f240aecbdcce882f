package play

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/server"
	"sotto/internal/server/config"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/internal/wire"
)

// moves moves somebody to a server.
func (p *Person) moves(t *testing.T, h *Host, m client.Moving) {
	t.Helper()
	m.Handle = p.Name + "@" + h.Name
	// Where the connection is just down the move waits for it, and goes on by itself.
	if err := p.Client.Move(patient(t), m); err != nil && !errors.Is(err, client.ErrOldHome) {
		t.Fatal(err)
	}
	p.at(h)
}

// at waits until a device lives at a server.
func (p *Person) at(h *Host) {
	p.w.T.Helper()
	want := p.Name + "@" + h.Name
	p.Eventually("lives at "+h.Name, func() bool { return good(p.Client.Self()).Handle == want }, func() any { return good(p.Client.Self()) })
	p.Handle, p.Host = want, h
}

// knows waits until somebody knows another by a handle.
func (p *Person) knows(other *Person, handle string) {
	p.w.T.Helper()
	p.Eventually("knows "+handle, func() bool { x := good(p.Client.Person(other.account())); return x != nil && x.Handle == handle }, func() any { return good(p.Client.Person(other.account())) })
}

// has waits until a text stands in a conversation.
func (p *Person) has(to, text string) {
	p.w.T.Helper()
	p.Eventually("reads "+text, func() bool { return slices.Contains(p.Texts(to), text) }, func() any { return p.Texts(to) })
}

// takes accepts a request, if there is one.
func (p *Person) takes(from *Person) {
	list := good(p.Client.Requests())
	if slices.ContainsFunc(list, func(i store.Invitation) bool { return i.Handle == from.Handle }) {
		_ = p.Client.Accept(patient(p.w.T), from.Handle) // it is looked whether it came about
	}
}

// greets begins a conversation of two.
func greets(a, b *Person) {
	a.w.T.Helper()
	a.Send(b.Handle, "hello")
	b.Eventually("is greeted", func() bool { b.takes(a); return slices.Contains(b.Texts(a.Handle), "hello") }, func() any { return b.Texts(a.Handle) })
	ready(a, b.Handle)
	ready(b, a.Handle)
}

// gathers makes a group.
func (p *Person) gathers(title string, with ...*Person) {
	p.w.T.Helper()
	var handles []string
	for _, x := range with {
		handles = append(handles, x.Handle)
	}
	if _, err := p.Client.CreateRoom(patient(p.w.T), title, handles); err != nil {
		p.w.T.Fatal(err)
	}
	for _, x := range with {
		x.Eventually("is in "+title, func() bool { x.takes(p); return x.Room(title).State == store.RoomActive }, func() any { return nil })
		x.Sync()
	}
	p.Sync()
}

// hostOf is where a conversation is.
func (p *Person) hostOf(to string) string { return p.Room(to).Host }

// Ana moves to another server. Bo sees one plain notice; what he compared and the name that he
// gave her stay. Her phone, which was off, follows. What is written meanwhile arrives, the old
// address leads on, and who writes to the new one finds her.
func TestPersonMoves(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.PersonAt("cy", two)
	greets(ana, bo)
	cy.gathers("club", ana, bo)
	if err := bo.Client.SetNickname(ana.account(), "Annie"); err != nil {
		t.Fatal(err)
	}
	phone := ana.device(t, "Phone")
	phone.has(bo.Handle, "hello")
	words := ana.writesDown(t, "")
	ana.recorded()
	phone.Sync()
	phone.Away()
	bo.Eventually("knows of the phone", func() bool { return bo.devicesIn("club", ana.account()) == 2 }, func() any { return nil })
	bo.Sync()
	if err := bo.Client.SetCompared(ana.account(), true); err != nil {
		t.Fatal(err)
	}
	old, account := ana.Handle, ana.account()
	before := len(bo.notices(client.NoticeDevice))

	ana.moves(t, two, client.Moving{})
	if ana.account() != account {
		t.Fatal("another account")
	}
	bo.knows(ana, ana.Handle)
	if p := good(bo.Client.Person(account)); p.Compared == 0 || p.Nickname != "Annie" || p.Standing != store.Contact || p.Changed != 0 {
		t.Errorf("%+v", p)
	}
	if told := bo.notices(client.NoticeDevice)[before:]; len(told) != 1 || told[0] != "Annie is now "+ana.Handle+"." {
		t.Errorf("Bo was told %q", told)
	}
	bo.Send(ana.Handle, "to the new place")
	ana.has(bo.Handle, "to the new place")
	ana.Send(bo.Handle, "from the new place")
	bo.has(ana.Handle, "from the new place")
	cy.Send("club", "to all")
	ana.has("club", "to all")

	// The phone comes back, at the old server's word.
	phone.Back()
	phone.at(two)
	phone.has(bo.Handle, "to the new place")
	phone.TextTold("Your account lives at another server now")
	phone.Send(bo.Handle, "from the phone")
	bo.has(ana.Handle, "from the phone")

	// A stranger who has the old address finds her at the new one, and no second account.
	dee := w.Person("dee")
	if p := good(dee.Client.Find(patient(t), old)); p.Account != account || p.Handle != ana.Handle {
		t.Errorf("%+v", p)
	}
	dee.Send(old, "are you there?")
	accept(t, ana, dee.Handle)
	ana.has(dee.Handle, "are you there?")
	dee.Send(old, "and again")
	ana.has(dee.Handle, "and again")
	if rooms := good(dee.Client.Rooms()); len(rooms) != 1 {
		t.Errorf("%d conversations with one person", len(rooms))
	}

	// The old name is nobody else's, and the record is where she is.
	mal := w.Nobody("ana", w.Home)
	mal.Open()
	if err := mal.Client.CreateAccount(patient(t), old, ""); !errors.Is(err, wire.Refuse(wire.CodeHandleTaken, "")) {
		t.Error(err)
	}
	ana.recorded()

	// The words bring her back, also to who knows the old address only.
	ana.Away()
	phone.Away()
	fresh := w.Nobody("ana", two)
	fresh.Open()
	if err := fresh.Client.Recover(patient(t), old, words, "New"); err != nil {
		t.Fatal(err)
	}
	if s := good(fresh.Client.Self()); s.Handle != ana.Handle || s.Account != account {
		t.Errorf("%+v", s)
	}
}

// Everything moves along, and the old server is switched off: nothing is lost.
func TestRoomsMoveAlong(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo, cy := w.Person("ana"), w.PersonAt("bo", two), w.PersonAt("cy", w.Host())
	greets(ana, bo)
	ana.gathers("club", bo, cy)
	phone := ana.device(t, "Phone")
	phone.Eventually("is in", func() bool { return phone.Room("club").State == store.RoomActive && len(phone.Texts(bo.Handle)) > 0 }, func() any { return nil })
	ana.Send("club", "one")
	bo.has("club", "one")
	phone.has("club", "one")
	phone.Sync()
	phone.Away() // and has published nothing where she goes
	ana.moves(t, two, client.Moving{Rooms: true})
	ana.Later("the rooms are at the new server", time.Second, func() bool {
		return ana.hostOf("club") == two.Name && ana.hostOf(bo.Handle) == two.Name
	}, func() any { return []string{ana.hostOf("club"), ana.hostOf(bo.Handle)} })
	bo.Eventually("followed", func() bool { return bo.hostOf("club") == two.Name && bo.hostOf(ana.Handle) == two.Name }, func() any { return bo.hostOf("club") })
	cy.Eventually("followed", func() bool { return cy.hostOf("club") == two.Name }, func() any { return cy.hostOf("club") })
	phone.Back()
	phone.at(two)
	phone.Later("followed", time.Second, func() bool {
		return phone.hostOf("club") == two.Name && phone.hostOf(bo.Handle) == two.Name
	}, func() any { return []string{phone.hostOf("club"), phone.hostOf(bo.Handle)} })
	ana.Sync()
	bo.Sync()
	cy.Sync()
	w.Home.Stop()
	bo.Send(ana.Handle, "two")
	ana.Reads(bo.Handle, "hello", "two")
	cy.Send("club", "three")
	ana.has("club", "three")
	bo.has("club", "three")
	phone.has("club", "three")
	phone.has(bo.Handle, "two")
}

// The old server is gone for good. The move works without it, and the rooms carry the news.
func TestMoveWithoutTheOld(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo := w.Person("ana"), w.PersonAt("bo", two)
	greets(bo, ana) // the room is at the other server
	phone := ana.device(t, "Phone")
	phone.has(bo.Handle, "hello")
	phone.Sync()
	cy := w.PersonAt("cy", two)
	w.Home.Stop()
	for _, p := range []*Person{ana, phone} {
		p.Eventually("has lost its server", func() bool { return !p.Client.Hosts()[0].Up }, func() any { return nil })
	}
	if _, err := phone.Client.CreateRoom(patient(t), "Begun", []string{cy.Handle}); err != nil { // its log cannot be made
		t.Fatal(err)
	}
	if err := ana.Client.Move(patient(t), client.Moving{Handle: "ana@" + two.Name}); !errors.Is(err, client.ErrOldHome) {
		t.Fatal(err)
	}
	if err := ana.Client.Move(patient(t), client.Moving{Handle: "ana@" + w.Host().Name}); !errors.Is(err, client.ErrGoing) {
		t.Fatal(err)
	}
	if ana.Client.Going() != "ana@"+two.Name {
		t.Error(ana.Client.Going())
	}
	ana.moves(t, two, client.Moving{Without: true})
	bo.knows(ana, ana.Handle)
	phone.at(two)
	accept(t, cy, ana.Handle) // it is made where she lives now
	cy.Eventually("is in the room that was begun", func() bool { return cy.Room("Begun").State == store.RoomActive }, func() any { return nil })
	phone.Send("Begun", "here at last")
	cy.has("Begun", "here at last")
	bo.Send(ana.Handle, "still here")
	ana.has(bo.Handle, "still here")
	phone.has(bo.Handle, "still here")
	w.Home.Start() // it comes back all the same, and learns where she is
	dee := w.Person("dee")
	dee.Eventually("is led on", func() bool {
		p, err := dee.Client.Find(patient(t), "ana@"+w.Home.Name)
		return err == nil && p.Handle == ana.Handle
	}, func() any { return nil })
}

// A device that is stopped anywhere on the way goes on, and every device ends at one place.
func TestMoveGoesOn(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo := w.Person("ana"), w.Person("bo")
	greets(ana, bo)
	w.Home.Stop()
	ana.Eventually("has lost its server", func() bool { return !ana.Client.Hosts()[0].Up }, func() any { return nil })
	if err := ana.Client.Move(patient(t), client.Moving{Handle: "ana@" + two.Name}); !errors.Is(err, client.ErrOldHome) {
		t.Fatal(err)
	}
	ana.Away()
	w.Home.Start()
	ana.Back()
	ana.at(two)
	bo.knows(ana, ana.Handle)
	bo.Send(ana.Handle, "there you are")
	ana.has(bo.Handle, "there you are")
	if err := ana.Client.Move(patient(t), client.Moving{Handle: ana.Handle}); err != nil { // again
		t.Fatal(err)
	}

	// And back, at once: the old place is as it was.
	ana.moves(t, w.Home, client.Moving{})
	bo.knows(ana, ana.Handle)
	bo.Send(ana.Handle, "back again")
	ana.has(bo.Handle, "back again")
	ana.Send(bo.Handle, "yes")
	bo.has(ana.Handle, "yes")
}

// The same move is asked for three times at once: one statement, and all are answered alike.
func TestOneMoveAskedThrice(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo := w.Person("ana"), w.Person("bo")
	greets(ana, bo)
	before := ana.chain().Len()
	errs := make(chan error, 3)
	for range 3 {
		go func() { errs <- ana.Client.Move(patient(t), client.Moving{Handle: "ana@" + two.Name}) }()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := ana.chain().Len(); n != before+1 {
		t.Errorf("%d statements for one move", n-before)
	}
	bo.knows(ana, "ana@"+two.Name)
}

// Two devices move the account at once, to different places: the home server takes one of the
// two statements, and the other device goes along. With the server gone both are signed: that
// is a fork, and it is told.
func TestTwoMovesAtOnce(t *testing.T) {
	w := New(t)
	two, three := w.Host(), w.Host()
	ana, bo := w.Person("ana"), w.PersonAt("bo", two)
	greets(bo, ana)
	phone := ana.device(t, "Phone")
	phone.has(bo.Handle, "hello")
	errs := make(chan error, 2)
	for p, h := range map[*Person]*Host{ana: two, phone: three} {
		go func() { errs <- p.Client.Move(patient(t), client.Moving{Handle: "ana@" + h.Name}) }()
	}
	a, b := <-errs, <-errs
	if a != nil && b != nil {
		t.Fatal(a, b)
	}
	ana.Eventually("both at one place", func() bool { return good(ana.Client.Self()).Handle == good(phone.Client.Self()).Handle }, func() any { return good(ana.Client.Self()) })
	for _, p := range []*Person{ana, phone} {
		if told := p.notices(client.NoticeIdentity); len(told) != 0 {
			t.Errorf("%q", told)
		}
	}
	at := good(ana.Client.Self()).Handle
	bo.knows(ana, at)

	// Now with the home server gone, and each alone.
	phone.Away()
	four, five := w.Host(), w.Host()
	if err := ana.Client.Move(patient(t), client.Moving{Handle: "ana@" + four.Name, Without: true}); err != nil {
		t.Fatal(err)
	}
	ana.at(four)
	ana.Sync()
	ana.Away()
	phone.Open() // it has not read anything since
	if err := phone.Client.Move(patient(t), client.Moving{Handle: "ana@" + five.Name, Without: true}); err != nil && !errors.Is(err, client.ErrUnreachable) {
		t.Log(err)
	}
	if err := phone.Client.Start(); err != nil {
		t.Fatal(err)
	}
	phone.Told(client.NoticeIdentity)
}

// A thief with a device moves the account to a server of their own. Ana's other device says so,
// and the words bring it back, whoever keeps the new place.
func TestThiefMovesAway(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo := w.Person("ana"), w.Person("bo")
	greets(ana, bo)
	words := ana.writesDown(t, "")
	ana.recorded()
	thief := ana.device(t, "Phone")
	thief.has(bo.Handle, "hello")
	thief.moves(t, two, client.Moving{})
	ana.TextTold("Your account lives at another server now")
	two.Stop() // and it answers nobody but the thief
	fresh := w.Nobody("ana", w.Home)
	fresh.Open()
	if err := fresh.Client.Recover(patient(t), "ana@"+w.Home.Name, words, "New"); err != nil {
		t.Fatal(err)
	}
	if s := good(fresh.Client.Self()); s.Handle != "ana@"+w.Home.Name {
		t.Errorf("%+v", s)
	}
	bo.knows(ana, "ana@"+w.Home.Name)
	fresh.Eventually("Bo is back", func() bool { return fresh.Room(bo.Handle).ID != room.ID{} || len(fresh.Texts(bo.Handle)) > 0 }, func() any { return good(fresh.Client.Rooms()) })
	bo.Eventually("the conversation is with her", func() bool {
		id, err := bo.Client.Resolve(fresh.Handle)
		return err == nil && id == fresh.Room(bo.Handle).ID
	}, func() any { return good(bo.Client.Rooms()) })
	bo.Send(fresh.Handle, "you again?")
	fresh.Eventually("reads", func() bool { return slices.Contains(fresh.Texts(bo.Handle), "you again?") }, func() any { return fresh.Texts(bo.Handle) })
}

// A machine whose power goes at each database write of a move: it goes on, to one place, with one
// statement for each place of the chain, and what Bo writes meanwhile arrives.
func TestKilledWhileMoving(t *testing.T) {
	w := New(t)
	places := []*Host{w.Home, w.Host()}
	for _, h := range places {
		h.Mutate = func(o *server.Options) {
			o.Limits = config.Default().Limits
			o.Limits.RegistrationsPerHour, o.Limits.ConnectsPerMinute, o.Limits.FailedAuthsPerMinute = 1<<20, 1<<20, 1<<20
			o.Limits.LookupsPerMinute, o.Limits.ClaimsPerMinute = 1<<20, 1<<20
		}
		h.Stop()
		h.Start()
	}
	disk := faultfs.New(1)
	bo := w.PersonAt("bo", w.Host())
	ana := w.Nobody("ana", w.Home)
	ana.onDisk(disk)
	ana.Open()
	if err := ana.Client.CreateAccount(patient(t), ana.Handle, ""); err != nil {
		t.Fatal(err)
	}
	greets(bo, ana)
	step, most := 5, 300
	if raceEnabled {
		step = 11
	}
	at, struck := 0, 0
	for k := 1; ; k += step {
		if k > most {
			t.Fatalf("a move has more than %d writes", most)
		}
		next := places[1-at]
		to := "ana@" + next.Name
		text := fmt.Sprint("round ", k)
		disk.Inject(k, faultfs.Crash)
		hit := false
		for {
			if ana.Client == nil && !ana.tryBack() {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			err := ana.Client.Move(ctx, client.Moving{Handle: to})
			cancel()
			if disk.Crashed() {
				hit = true
				struck++
				ana.crash()
				disk = disk.Restart()
				ana.onDisk(disk)
				continue
			}
			if err == nil {
				break
			}
			if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, client.ErrOldHome) && !errors.Is(err, client.ErrUnreachable) {
				t.Fatalf("write %d: %v", k, err)
			}
		}
		disk.Inject(0, faultfs.None)
		ana.Handle, at = to, 1-at
		ana.Sync()
		bo.knows(ana, to)
		bo.Send(to, text)
		ana.has(bo.Handle, text)
		if !hit {
			break
		}
	}
	for _, p := range []*Person{ana, bo} {
		if told := p.notices(client.NoticeIdentity); len(told) != 0 {
			t.Errorf("%s was told %q", p.Name, told)
		}
	}
	t.Logf("the power went %d times", struck)
}

// The server that Ana has moved to names somebody else under her new handle: nobody follows,
// and it is told. The same for a chain that leads from handle to handle.
func TestMovedToSomebodyElse(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.moves(t, two, client.Moving{})
	old := "ana@" + w.Home.Name
	dee := w.Person("dee")
	account := ana.account()
	two.Stop()
	two.Dir = t.TempDir() // it is set up anew, by somebody else
	two.Start()
	ana.Away()
	mal := w.PersonAt("ana", two)
	if mal.account() == account {
		t.Fatal("the same account")
	}
	if _, err := dee.Client.Find(patient(t), old); !errors.Is(err, wire.Refuse(wire.CodeBadChain, "")) {
		t.Fatal(err)
	}
	dee.TextTold("where the server names another account")
	if _, err := bo.Client.Send(patient(t), old, client.Text("hello")); err == nil {
		t.Fatal("it was written to somebody else")
	}
}
