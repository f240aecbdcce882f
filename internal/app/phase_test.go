package app

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/play"
)

const phrase = "ebb and flow"

// TestLock locks and unlocks; what was written meanwhile arrives after.
func TestLock(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	bo.refused("POST", "/lock", nil, "no passphrase")
	bo.refused("PUT", "/custody", api.SetCustody{Custody: "vault"}, "malformed")
	bo.refused("PUT", "/custody", api.SetCustody{Custody: api.CustodyPassphrase, New: "short"}, "unfit passphrase")
	bo.must("PUT", "/custody", api.SetCustody{Custody: api.CustodyPassphrase, New: phrase}, nil)
	bo.refused("PUT", "/custody", api.SetCustody{Custody: api.CustodyFile, Old: "wrong words"}, "wrong passphrase")
	if s := bo.state(); s.Custody != api.CustodyPassphrase {
		t.Errorf("%+v", s)
	}
	e := bo.listen()
	bo.must("POST", "/lock", nil, nil)
	e.wait("locked", func(e api.Event) bool { return e.Type == api.EventPhase })
	s := bo.state()
	if s.Phase != api.PhaseLocked || s.Self != nil {
		t.Errorf("%+v", s)
	}
	for _, r := range api.Routes { // nothing else is answered
		if r.Locked || r.Name == "lock" {
			continue
		}
		path := strings.NewReplacer("{room}", room, "{account}", strings.Repeat("0", 64), "{message}", strings.Repeat("0", 64), "{link}", strings.Repeat("0", 32), "{knock}", "1").Replace(r.Path)
		status, b, _ := bo.do(bo.request(r.Method, path, r.In))
		if status/100 == 2 || status != 423 && status != 400 {
			t.Errorf("%s while locked: %d %s", r.Name, status, b)
		}
	}
	if status, _, _ := bo.do(bo.request("GET", "/rooms", nil)); status != 423 {
		t.Error(status)
	}
	ana.must("POST", "/messages", api.NewMessage{To: room, Text: "while you were locked"}, nil)
	for range maxWrong - 1 { // one was used up above
		bo.refused("POST", "/unlock", api.Unlock{Passphrase: "wrong words"}, "wrong passphrase")
	}
	bo.refused("POST", "/unlock", api.Unlock{Passphrase: phrase}, "slow down")
	w.Clock.Advance(wrongTime + time.Second)
	bo.must("POST", "/unlock", api.Unlock{Passphrase: phrase}, nil)
	e.wait("open", func(e api.Event) bool { return e.Type == api.EventPhase })
	e.wait("what was written", func(e api.Event) bool {
		return e.Type == api.EventMessage && e.Message.Text == "while you were locked"
	})
	bo.end()
	bo.start() // a home with a passphrase starts locked
	if s := bo.state(); s.Phase != api.PhaseLocked {
		t.Errorf("%+v", s)
	}
	bo.must("POST", "/unlock", api.Unlock{Passphrase: phrase}, nil)
	if !slices.Contains(bo.texts(room), "while you were locked") {
		t.Error("it is gone")
	}
	bo.must("PUT", "/custody", api.SetCustody{Custody: api.CustodyFile, Old: phrase}, nil)
}

// TestLockUnderWay locks while requests, streams and waits are under way.
func TestLockUnderWay(t *testing.T) {
	w := play.New(t)
	ana := deskOf(w, "ana")
	ana.must("PUT", "/custody", api.SetCustody{Custody: api.CustodyPassphrase, New: phrase}, nil)
	var self api.Room
	ana.must("POST", "/rooms/self", nil, &self)
	ana.listen()
	w.Home.Stop() // so that some calls wait
	var wait sync.WaitGroup
	var locked atomic.Int64
	stop := make(chan struct{})
	for i := range 8 {
		wait.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				var r *http.Request
				switch i % 4 {
				case 0:
					r = ana.request("GET", "/rooms", nil)
				case 1:
					r = ana.request("POST", "/messages", api.NewMessage{To: self.ID, Text: "x"})
				case 2:
					r = ana.request("POST", "/people/find", api.FindPerson{Handle: "bo@" + w.Home.Name})
				case 3:
					r = ana.request("GET", "/export", nil)
				}
				answer, err := ana.http.Do(r)
				if err != nil {
					continue // an export that was cut off
				}
				b, _ := io.ReadAll(answer.Body)
				answer.Body.Close()
				switch {
				case answer.StatusCode == 423:
					locked.Add(1)
					time.Sleep(time.Millisecond)
				case answer.StatusCode == 200 && i%4 == 0 && !strings.Contains(string(b), self.ID):
					t.Errorf("the list is empty: %s", b)
				}
			}
		})
	}
	for range 3 {
		time.Sleep(100 * time.Millisecond)
		begun := time.Now()
		ana.must("POST", "/lock", nil, nil)
		if d := time.Since(begun); d > 5*time.Second {
			t.Errorf("locking took %v", d)
		}
		time.Sleep(50 * time.Millisecond)
		ana.must("POST", "/unlock", api.Unlock{Passphrase: phrase}, nil)
	}
	close(stop)
	wait.Wait()
	if locked.Load() == 0 {
		t.Error("nothing was refused")
	}
	w.Home.Start()
}

// TestIdle locks after a while without use.
func TestIdle(t *testing.T) {
	w := play.New(t)
	ana := deskOf(w, "ana")
	minutes := 5
	ana.must("PATCH", "/settings", api.SettingsChange{LockAfter: &minutes}, nil)
	ana.must("PUT", "/custody", api.SetCustody{Custody: api.CustodyPassphrase, New: phrase}, nil)
	for range 4 { // used by a person
		w.Clock.Advance(4 * time.Minute)
		ana.must("PUT", "/window", api.Window{Name: "w", Visible: true, Used: true}, nil)
	}
	if ana.state().Phase != api.PhaseOpen {
		t.Fatal("it locked while it was used")
	}
	for range 6 { // the window only looks
		w.Clock.Advance(time.Minute)
		ana.must("PUT", "/window", api.Window{Name: "w", Visible: true}, nil)
	}
	ana.eventually("locked", func() bool { w.Clock.Advance(idleCheck); return ana.state().Phase == api.PhaseLocked })
}

// desktop is a pretended one.
type desktop struct {
	mu      sync.Mutex
	notices []OSNotice
	opened  []string
	gone    []string // withdrawn, by their tags
	login   bool
}

func (d *desktop) Open(url string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = append(d.opened, url)
	return nil
}

func (d *desktop) Notify(n OSNotice) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notices = append(d.notices, n)
	return nil
}

func (d *desktop) Withdraw(tag string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = append(d.gone, tag)
	return nil
}

func (d *desktop) withdrawn(tag string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.gone, tag)
}

func (d *desktop) AtLogin() (bool, error)   { return d.login, nil }
func (d *desktop) SetAtLogin(on bool) error { d.login = on; return nil }

func (d *desktop) last() (n OSNotice, count int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.notices) > 0 {
		n = d.notices[len(d.notices)-1]
	}
	return n, len(d.notices)
}

// TestNotices has messages come while windows are seen, and not.
func TestNotices(t *testing.T) {
	w := play.New(t)
	desk := &desktop{}
	ana := deskOf(w, "ana")
	bo := deskOf(w, "bo", func(o *Options) { o.Desktop = desk })
	room := meet(t, ana, bo)
	bo.eventually("told of the request", func() bool { n, _ := desk.last(); return strings.Contains(n.Text+n.Title, "ana") })
	hears := bo.listen()
	says := func(text string) {
		t.Helper()
		ana.must("POST", "/messages", api.NewMessage{To: room, Text: text}, nil)
		hears.wait(text, func(e api.Event) bool { return e.Type == api.EventMessage && e.Message.Text == text })
		hears.wait("the room", func(e api.Event) bool { return e.Type == api.EventRoom })
	}
	set := func(how string) { bo.must("PATCH", "/settings", api.SettingsChange{Notify: &how}, nil) }
	told := func(title, text string) {
		t.Helper()
		bo.eventually("told", func() bool { n, _ := desk.last(); return n.Title == title && n.Text == text })
	}
	says("the *first*\nline")
	told("ana", "the first line")
	set("sender")
	says("second")
	told("ana", "A new message")
	set("plain")
	says("third")
	told("sotto", "A new message")
	bo.must("PUT", "/window", api.Window{Name: "w", Language: "es"}, nil)
	says("third in Spanish")
	told("sotto", "Un mensaje nuevo")
	german := "de"
	bo.must("PATCH", "/settings", api.SettingsChange{Language: &german}, nil)
	says("third in German")
	told("sotto", "Eine neue Nachricht")
	bo.refused("PUT", "/window", api.Window{Name: "w", Language: "xx"}, "malformed")
	n, before := desk.last()
	n.Click()
	if len(desk.opened) != 1 || !strings.Contains(desk.opened[0], "#open=") || !strings.HasSuffix(desk.opened[0], "&room="+room) {
		t.Error(desk.opened)
	}
	quiet := func(why string) {
		t.Helper()
		says(why)
		if n, count := desk.last(); count != before {
			t.Errorf("%s: %+v", why, n)
		}
	}
	bo.must("PUT", "/window", api.Window{Name: "w", Visible: true, Room: room}, nil)
	quiet("he looks at it")
	bo.must("PUT", "/window", api.Window{Name: "w", Visible: false, Room: room, Notifies: true}, nil)
	quiet("the browser tells of it")
	w.Clock.Advance(windowLife) // hidden windows speak late
	quiet("the browser still tells of it")
	w.Clock.Advance(notifyLife)
	says("the window said nothing for long")
	bo.eventually("told once more", func() bool { _, count := desk.last(); return count == before+1 })
	before++
	bo.must("PUT", "/window", api.Window{Name: "w", Visible: false, Room: room, Notifies: true}, nil)
	bo.must("PUT", "/window", api.Window{Name: "w", Visible: false, Room: room}, nil)
	says("the browser may not any more")
	bo.eventually("told by the app", func() bool { _, count := desk.last(); return count == before+1 })
	before++
	forever := int64(-1)
	bo.must("PATCH", "/rooms/"+room+"/mine", api.RoomMine{MutedUntil: &forever}, nil)
	quiet("it is muted")
	if bo.state().Unread != 0 {
		t.Error("what is muted counts")
	}
	none := int64(0)
	bo.must("PATCH", "/rooms/"+room+"/mine", api.RoomMine{MutedUntil: &none}, nil)
	set("off")
	quiet("it is off")
	yes := true
	var s api.Settings
	bo.must("PATCH", "/settings", api.SettingsChange{AtLogin: &yes}, &s)
	if !s.AtLogin || !desk.login {
		t.Error("not at login")
	}
	ana.refused("PATCH", "/settings", api.SettingsChange{AtLogin: &yes}, "no desktop")
}

// TestPresence tells that somebody is here while a window is looked at.
func TestPresence(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	yes := true
	bo.must("PATCH", "/settings", api.SettingsChange{Presence: &yes}, nil)
	hears := ana.listen()
	bo.must("PUT", "/window", api.Window{Name: "w", Visible: true}, nil)
	hears.wait("here", func(e api.Event) bool { return e.Type == api.EventHere && e.On && e.Person == selfID(bo) })
	if !ana.room(room).Here {
		t.Error("he is not here")
	}
	bo.must("PUT", "/window", api.Window{Name: "w", Visible: false}, nil)
	w.Clock.Advance(goneAfter)
	hears.wait("gone", func(e api.Event) bool { return e.Type == api.EventHere && !e.On })
	bo.refused("PUT", "/window", api.Window{Name: "", Visible: true}, "malformed")
}

// TestServerAway sends while the server is away, and hears of both.
func TestServerAway(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	hears := ana.listen()
	w.Home.Stop()
	hears.wait("down", func(e api.Event) bool { return e.Type == api.EventHosts && !e.Hosts[0].Up })
	var m api.Message
	ana.must("POST", "/messages", api.NewMessage{To: room, Text: "later"}, &m)
	if m.State != "queued" {
		t.Errorf("%+v", m)
	}
	var who api.Who
	ana.must("GET", "/messages/"+m.ID+"/who", nil, &who)
	if who.Keeps[0].Value != "not-there" {
		t.Errorf("%+v", who.Keeps)
	}
	ana.refused("POST", "/messages/"+m.ID+"/retry", nil, "not failed")
	w.Home.Start()
	up, delivered := false, false // in whichever order: the home server has two connections
	hears.wait("up and delivered", func(e api.Event) bool {
		up = up || e.Type == api.EventHosts && e.Hosts[0].Up
		delivered = delivered || e.Type == api.EventChanged && e.Message.ID == m.ID && e.Message.State == "delivered"
		return up && delivered
	})
}

// TestEnd deletes an account: the server has none any more, and the home is empty.
func TestEnd(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	meet(t, ana, bo)
	ana.refused("DELETE", "/account", api.EndAccount{Handle: bo.handle()}, "not yours")
	w.Home.Stop()
	ana.refused("DELETE", "/account", api.EndAccount{Handle: ana.handle()}, "unreachable")
	if s := ana.state(); s.Phase != api.PhaseOpen || s.Self.Handle != ana.handle() {
		t.Fatalf("%+v", s)
	}
	w.Home.Start()
	ana.eventually("up", func() bool { s := ana.state(); return s.Hosts[0].Up })
	key, err := os.ReadFile(filepath.Join(ana.home, "key"))
	if err != nil {
		t.Fatal(err)
	}
	e := ana.listen()
	ana.must("DELETE", "/account", api.EndAccount{Handle: ana.handle()}, nil)
	e.wait("the end", func(e api.Event) bool { return e.Type == api.EventPhase })
	if s := ana.state(); s.Phase != api.PhaseNew || s.Self != nil {
		t.Errorf("%+v", s)
	}
	if now, err := os.ReadFile(filepath.Join(ana.home, "key")); err != nil || string(now) == string(key) {
		t.Error("the key is still there", err)
	}
	bo.refused("POST", "/people/find", api.FindPerson{Handle: ana.handle()}, "no such handle")
	var free api.NameInfo
	ana.must("GET", "/names?handle=cy@"+w.Home.Name, nil, &free)
	if !free.Free || free.Handle != "cy@"+w.Home.Name {
		t.Errorf("%+v", free)
	}
	ana.must("GET", "/names?handle=bo@"+w.Home.Name, nil, &free)
	if free.Free || free.Text == "" {
		t.Errorf("%+v", free)
	}
	var info api.ServerInfo
	ana.must("GET", "/servers?host="+w.Home.Name, nil, &info)
	if !info.Open || info.Host != w.Home.Name {
		t.Errorf("%+v", info)
	}
	ana.refused("POST", "/account", api.NewAccount{Handle: "cy@" + w.Home.Name, Passphrase: "short"}, "unfit passphrase")
	ana.must("POST", "/account", api.NewAccount{Handle: "cy@" + w.Home.Name, Name: "Cy", Passphrase: phrase}, nil)
	if s := ana.state(); s.Self.Name != "Cy" || s.Custody != api.CustodyPassphrase {
		t.Errorf("%+v", s)
	}
}

// TestSlowListener ends a stream that nobody reads, and nothing else.
func TestSlowListener(t *testing.T) {
	b := newBroker()
	slow, quick := b.listen(""), b.listen("")
	<-quick.events
	for range queued + 1 {
		b.send(api.Event{Type: api.EventRooms})
		<-quick.events
	}
	n := 0
	for range slow.events {
		n++
	}
	if n != queued {
		t.Errorf("%d events before the end", n)
	}
	b.send(api.Event{Type: api.EventRooms})
	if _, ok := <-quick.events; !ok {
		t.Error("the other one was ended, too")
	}
	b.close()
	if _, ok := <-quick.events; ok {
		t.Error("it goes on after the end")
	}
	if _, ok := <-b.listen("").events; !ok { // hello
		t.Error("no hello")
	}
}

// TestSearch finds what was said.
func TestSearch(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	ana.must("POST", "/messages", api.NewMessage{To: room, Text: "🎉 the <b>contract</b> is signed"}, nil)
	var f api.Found
	bo.eventually("found", func() bool { bo.must("GET", "/search?q=contra", nil, &f); return len(f.Hits) == 1 })
	h := f.Hits[0]
	if h.Room != "ana" || len(h.Marks) != 2 || h.Message.Room != room {
		t.Fatalf("%+v", h)
	}
	units := []rune(h.Snippet) // of them the first takes two units
	if got := string(units[h.Marks[0]-1 : h.Marks[1]-1]); !strings.HasPrefix(got, "contract") {
		t.Errorf("%q in %q", got, h.Snippet)
	}
	bo.must("GET", "/search?from=me&room="+room, nil, &f)
	if len(f.Hits) != 0 {
		t.Errorf("%+v", f)
	}
	bo.must("PUT", "/messages/"+h.Message.ID+"/star", api.SetOn{On: true}, nil)
	bo.must("GET", "/search?starred=true", nil, &f)
	if len(f.Hits) != 1 {
		t.Errorf("%+v", f)
	}
	bo.refused("GET", "/search", nil, "malformed")
	bo.refused("GET", "/search?q=x&from=nobody", nil, "malformed")
	var s api.Storage
	bo.must("GET", "/storage", nil, &s)
	if s.Database == 0 || s.Messages < 2 || len(s.Rooms) != 1 || s.Rooms[0].Name != "ana" {
		t.Errorf("%+v", s)
	}
	var p api.Page
	bo.must("GET", "/rooms/"+room+"/messages?around="+h.Message.ID+"&limit=10", nil, &p)
	if p.Target != h.Message.ID {
		t.Errorf("%+v", p)
	}
	var q api.QR
	bo.must("GET", "/qr?text=hello", nil, &q)
	if rows := strings.Split(q.Rows, "\n"); len(rows) != 21 || len(rows[0]) != 21 {
		t.Error(q.Rows)
	}
	bo.refused("POST", "/server", api.NewServer{}, "no server")
	bo.refused("DELETE", "/server", nil, "no server")
	bo.must("POST", "/quit", nil, nil)
	<-bo.app.Done()
}

// TestLinkShownOnce opens sotto with an invitation: it is there until a window has shown
// it, or until an account was made with it.
func TestLinkShownOnce(t *testing.T) {
	w := play.New(t)
	ana := deskOf(w, "ana")
	var l api.Link
	ana.must("POST", "/me/links", api.NewLink{Hours: 1}, &l)

	bo := newDesk(w, "bo")
	bo.app.Open(l.URL)
	if s := bo.state(); s.Invitation != l.URL {
		t.Fatalf("before it was shown: %+v", s)
	}
	bo.must("POST", "/account", api.NewAccount{Handle: bo.handle(), Invitation: l.URL}, nil)
	if s := bo.state(); s.Invitation != "" {
		t.Errorf("after it was spent: %+v", s)
	}

	ana.app.Open("https://example.org/i#x")
	if s := ana.state(); s.Invitation != "https://example.org/i#x" {
		t.Fatalf("before it was shown: %+v", s)
	}
	ana.must("DELETE", "/invitation", nil, nil)
	if s := ana.state(); s.Invitation != "" {
		t.Errorf("after it was shown: %+v", s)
	}
}
