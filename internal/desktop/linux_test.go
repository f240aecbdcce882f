package desktop

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// TestPrograms runs real processes: xdg-open, notify-send, xdg-mime, as scripts of this test.
func TestPrograms(t *testing.T) {
	dir := scripts(t, "xdg-open", "notify-send", "xdg-mime")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+dir+"/none")
	t.Setenv("XDG_DATA_HOME", dir)
	d := New(Options{Program: []string{"/opt/sotto"}})
	defer d.Close()
	if err := d.Open("http://127.0.0.1:7777/#open=abc"); err != nil {
		t.Fatal(err)
	}
	if got := argsOf(t, dir, "xdg-open"); !slices.Equal(got, []string{"http://127.0.0.1:7777/#open=abc"}) {
		t.Errorf("%q", got)
	}
	if err := d.Notify(Notice{Title: "--help " + hostile, Text: hostile}); err != nil {
		t.Fatal(err)
	}
	got := argsOf(t, dir, "notify-send")
	if len(got) != 5 || got[2] != "--" || !strings.HasPrefix(got[3], "--help \"; touch") || strings.Contains(got[4], "<b>") || !strings.Contains(got[4], "&lt;b&gt;") {
		t.Errorf("%q", got)
	}
	if err := d.TakeLinks(); err != nil {
		t.Fatal(err)
	}
	if got := argsOf(t, dir, "xdg-mime"); !slices.Equal(got, []string{"default", "sotto.desktop", "x-scheme-handler/sotto"}) {
		t.Errorf("%q", got)
	}
	for _, file := range []string{"applications/sotto.desktop", "icons/hicolor/scalable/apps/sotto.svg"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "xdg-mime.args")); err != nil {
		t.Fatal(err)
	}
	if err := d.TakeLinks(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "xdg-mime.args")); err == nil {
		t.Error("what is so already was done again")
	}
	scripts(t)
	if err := d.Notify(Notice{Title: "a"}); err == nil {
		t.Error("a notice was shown by nobody")
	}
}

// service shows notices on a bus of its own, as a desktop does.
type service struct {
	conn *dbus.Conn
	can  []string

	mu     sync.Mutex
	shown  []shown
	closed []uint32
}

type shown struct {
	title, text string
	actions     []string
	replaces    uint32
}

func (s *service) GetCapabilities() ([]string, *dbus.Error) { return s.can, nil }

func (s *service) Notify(_ string, replaces uint32, _, title, text string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = append(s.shown, shown{title, text, actions, replaces})
	if replaces != 0 {
		return replaces, nil
	}
	return uint32(len(s.shown)), nil
}

func (s *service) CloseNotification(id uint32) *dbus.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = append(s.closed, id)
	return nil
}

func (s *service) last() shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown[len(s.shown)-1]
}

func (s *service) tell(t *testing.T, name string, id uint32, what any) {
	t.Helper()
	if err := s.conn.Emit(noticesPath, noticesName+"."+name, id, what); err != nil {
		t.Fatal(err)
	}
}

// bus starts a private bus with a service that can so much.
func bus(t *testing.T, can ...string) *service {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("no dbus-daemon here")
	}
	cmd := exec.Command(daemon, "--session", "--nofork", "--nopidfile", "--print-address=1", "--address=unix:tmpdir="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(address)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &service{conn: conn, can: can}
	if err := conn.Export(s, noticesPath, noticesName); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName(noticesName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBus shows notices over a real bus: the text is escaped where it counts as markup, and
// a click on one is told once.
func TestBus(t *testing.T) {
	s := bus(t, "body", "body-markup", "actions")
	d := New(Options{Program: []string{"sotto"}})
	defer d.Close()
	clicked := make(chan string, 4)
	show := func(title string) {
		t.Helper()
		if err := d.Notify(Notice{Title: title, Text: hostile, Click: func() { clicked <- title }}); err != nil {
			t.Fatal(err)
		}
	}
	show("first")
	show("second")
	show("third")
	if got := s.last(); got.title != "third" || strings.Contains(got.text, "<") || !strings.Contains(got.text, "&lt;b&gt;&amp;amp;") || !slices.Equal(got.actions, []string{"default", "Open"}) {
		t.Errorf("%+v", got)
	}
	s.tell(t, "NotificationClosed", 1, uint32(2))
	s.tell(t, "ActionInvoked", 1, "default")
	s.tell(t, "ActionInvoked", 99, "default")
	s.tell(t, "ActionInvoked", 2, "default")
	s.tell(t, "ActionInvoked", 2, "default")
	s.tell(t, "ActionInvoked", 3, "default")
	var got []string
	for range 2 {
		select {
		case c := <-clicked:
			got = append(got, c)
		case <-time.After(10 * time.Second):
			t.Fatalf("only %v were clicked", got)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"second", "third"}) {
		t.Errorf("%v", got)
	}
	select {
	case c := <-clicked:
		t.Errorf("%s was clicked twice, or after it was closed", c)
	case <-time.After(50 * time.Millisecond):
	}
	if err := d.Notify(Notice{Title: "not to be clicked"}); err != nil || len(s.last().actions) != 0 {
		t.Errorf("%+v, %v", s.last(), err)
	}
	d.mu.Lock()
	held := len(d.bus.wait)
	d.mu.Unlock()
	if held != 0 {
		t.Errorf("%d clicks are waited for", held)
	}
}

// TestPlainBus: who takes no markup gets the text as it is; a bus that has gone is found
// again.
func TestPlainBus(t *testing.T) {
	s := bus(t, "body")
	d := New(Options{Program: []string{"sotto"}})
	defer d.Close()
	click := func() { t.Error("clicked") }
	if err := d.Notify(Notice{Title: "a", Text: "1 < 2 & 3", Click: click}); err != nil {
		t.Fatal(err)
	}
	if got := s.last(); got.text != "1 < 2 & 3" || len(got.actions) != 0 {
		t.Errorf("%+v", got)
	}
	again := bus(t, "body", "actions")
	s.conn.Close()
	d.bus.conn.Close()
	if err := d.Notify(Notice{Title: "b", Text: "over another bus"}); err != nil {
		t.Fatal(err)
	}
	if got := again.last(); got.text != "over another bus" {
		t.Errorf("%+v", got)
	}
}

// TestManyClicks: what nobody clicks on is forgotten by and by.
func TestManyClicks(t *testing.T) {
	bus(t, "actions")
	d := New(Options{Program: []string{"sotto"}})
	defer d.Close()
	for range 3 * mostClicks {
		if err := d.Notify(Notice{Title: "a", Click: func() {}}); err != nil {
			t.Fatal(err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.bus.wait) != mostClicks || len(d.bus.order) != mostClicks {
		t.Errorf("%d clicks are waited for", len(d.bus.wait))
	}
}

// TestTags has a notice take another's place, and taken back.
func TestTags(t *testing.T) {
	s := bus(t, "body", "actions")
	d := New(Options{Program: []string{"sotto"}})
	defer d.Close()
	if err := d.Withdraw("call"); err != nil {
		t.Fatal(err)
	}
	clicked := make(chan string, 4)
	for _, title := range []string{"rings", "was missed"} {
		if err := d.Notify(Notice{Title: title, Tag: "call", Click: func() { clicked <- title }}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.last(); got.title != "was missed" || got.replaces != 1 {
		t.Fatalf("%+v", got)
	}
	s.tell(t, "ActionInvoked", 1, "default")
	select {
	case c := <-clicked:
		if c != "was missed" {
			t.Errorf("%q was clicked", c)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no click")
	}
	if err := d.Notify(Notice{Title: "rings again", Tag: "other"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Withdraw("other"); err != nil {
			t.Fatal(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.closed, []uint32{3}) {
		t.Errorf("%v were taken back", s.closed)
	}
}
