package homeserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// What the stage plays in place of sotto, by the file that its first argument names: it
// counts its starts there, and does what the file says.
const stage = "sotto-homeserver-stage"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == stage {
		os.Exit(play(os.Args[2], os.Args[3:]))
	}
	goleak.VerifyTestMain(m)
}

// play is a server, or the command that asks one for an invitation.
func play(dir string, args []string) int {
	line := strings.Join(args, " ")
	if strings.HasSuffix(line, "invite --lifetime 1h") {
		fmt.Println(`{"type":"invitation","code":"abcd-efgh","link":"…"}`)
		return 0
	}
	f, _ := os.OpenFile(filepath.Join(dir, "starts"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	fmt.Fprintln(f, line)
	f.Close()
	how, _ := os.ReadFile(filepath.Join(dir, "how"))
	switch string(how) {
	case "refuse":
		fmt.Fprintln(os.Stderr, `time=now level=WARN msg="something"`)
		fmt.Fprintln(os.Stderr, `{"error":{"code":"server","text":"server: the port is taken"}}`)
		return 1
	case "babble":
		fmt.Println("good morning")
		return 0
	case "silent":
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	}
	pin := strings.Repeat("ab", 32)
	if !strings.Contains(line, "--self-signed") {
		pin = ""
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"type": "serving", "listen": "x", "host": "y", "pin": pin})
	if string(how) == "crash" {
		time.Sleep(20 * time.Millisecond)
		return 2
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

type rig struct {
	*Server
	t   *testing.T
	dir string
}

func server(t *testing.T, dir, how string) *rig {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{New(Options{Dir: filepath.Join(dir, "server"), Program: []string{exe, stage, dir}, Least: 10 * time.Millisecond, Most: 40 * time.Millisecond}), t, dir}
	r.how(how)
	t.Cleanup(r.Close)
	return r
}

func (r *rig) how(how string) {
	if err := os.WriteFile(filepath.Join(r.dir, "how"), []byte(how), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) starts() []string {
	b, _ := os.ReadFile(filepath.Join(r.dir, "starts"))
	return strings.FieldsFunc(string(b), func(c rune) bool { return c == '\n' })
}

func (r *rig) eventually(what string, f func() bool) {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("not so: %s", what)
		}
	}
}

// TestLife: started, seen, asked for an invitation, stopped with the app, started with it
// again, and stopped for good.
func TestLife(t *testing.T) {
	dir := t.TempDir()
	r := server(t, dir, "serve")
	if r.State() != nil {
		t.Fatal("there is one already")
	}
	st, err := r.Start(context.Background(), "10.1.2.3:7799")
	if err != nil || !st.Running || st.Host != "10.1.2.3:7799" || len(st.Reach) != 3 {
		t.Fatalf("%+v, %v", st, err)
	}
	if got := r.starts()[0]; !strings.HasSuffix(got, "--host 10.1.2.3:7799 --until-eof --listen :7799 --self-signed") || !strings.HasPrefix(got, "--json server --data "+filepath.Join(dir, "server", "data")) {
		t.Fatal(got)
	}
	if again, err := r.Start(context.Background(), ""); err != nil || again.Host != st.Host || len(r.starts()) != 1 {
		t.Fatal(again, err)
	}
	if code, pin, ok := r.Invite("10.1.2.3:7799"); !ok || code != "abcd-efgh" || pin[0] != 0xab {
		t.Fatal(code, pin, ok)
	}
	if _, _, ok := r.Invite("example.org"); ok {
		t.Fatal("it invites to another server")
	}
	r.Close()
	if st := r.State(); st == nil || st.Running {
		t.Fatal(st)
	}
	r = server(t, dir, "serve")
	r.Resume()
	r.eventually("it runs again", func() bool { st := r.State(); return st != nil && st.Running })
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if st := r.State(); st != nil {
		t.Fatal(st)
	}
	if _, err := os.Stat(filepath.Join(dir, "server")); err != nil {
		t.Error("its data went with it")
	}
	n := len(r.starts())
	r = server(t, dir, "serve")
	r.Resume()
	if r.State() != nil || len(r.starts()) != n {
		t.Fatal("it was stopped, and starts all the same")
	}
}

// TestFailures: what does not serve the first time is told and given up; what falls later is
// started again.
func TestFailures(t *testing.T) {
	r := server(t, t.TempDir(), "refuse")
	if _, err := r.Start(context.Background(), "10.1.2.3"); err == nil || err.Error() != "the port is taken" {
		t.Fatal(err)
	}
	if r.State() != nil {
		t.Fatal(r.State())
	}
	r.how("babble")
	if _, err := r.Start(context.Background(), "10.1.2.3"); err == nil {
		t.Fatal("it said good morning")
	}
	r.how("silent")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Start(ctx, "10.1.2.3"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	for _, host := range []string{"two words", "example.org", "sub.example.org:7700"} {
		if _, err := r.Start(context.Background(), host); err == nil {
			t.Fatal(host)
		}
	}
	r.how("crash")
	n := len(r.starts())
	if _, err := r.Start(context.Background(), "10.1.2.3"); err != nil {
		t.Fatal(err)
	}
	r.eventually("it is started again and again", func() bool { return len(r.starts()) > n+3 })
	r.how("refuse")
	r.eventually("its state says why", func() bool { st := r.State(); return !st.Running && st.Why == "the port is taken" })
	if _, _, ok := r.Invite("10.1.2.3:7700"); ok {
		t.Fatal("it invites although it does not run")
	}
	r.how("serve")
	r.eventually("it runs again by itself", func() bool { return r.State().Running })
	if err := os.WriteFile(filepath.Join(r.o.Dir, "server.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Close()
	broken := server(t, r.dir, "serve")
	broken.Resume()
	if st := broken.State(); st == nil || st.Why == "" {
		t.Fatal(st)
	}
}

// TestLoopback: on this computer alone it speaks without TLS, as devices do to it.
func TestLoopback(t *testing.T) {
	r := server(t, t.TempDir(), "serve")
	st, err := r.Start(context.Background(), "127.0.0.1:7798")
	if err != nil || len(st.Reach) != 1 || st.Reach[0].Who != "this computer" {
		t.Fatalf("%+v, %v", st, err)
	}
	if got := r.starts()[0]; !strings.HasSuffix(got, "--listen 127.0.0.1:7798") {
		t.Fatal(got)
	}
	if _, pin, ok := r.Invite("127.0.0.1:7798"); !ok || pin[0] != 0 {
		t.Fatal(pin, ok)
	}
}

func TestReach(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1:7700": "this computer", "localhost:7700": "this computer",
		"192.168.1.2:7700": "this computer, network, everybody", "nas.local:7700": "this computer, network, everybody",
		"8.8.8.8:7700": "this computer, network, everybody", "[fd00::1]:7700": "this computer, network, everybody",
	} {
		for _, tried := range []bool{true, false} {
			var who []string
			for i, r := range reach(host, 7700, tried) {
				who = append(who, r.Who)
				if r.Sure != (i == 0 && tried) || r.Text == "" || r.Said == nil {
					t.Errorf("%s: %+v", host, r)
				}
			}
			if got := strings.Join(who, ", "); got != want {
				t.Errorf("%s: %s", host, got)
			}
		}
	}
	for _, a := range Addresses() {
		if a.IsLoopback() || a.IsLinkLocalUnicast() || !a.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(a) {
			t.Errorf("%s is offered to others", a)
		}
	}
}

// TestPort: another port is taken where the usual one is not free.
func TestPort(t *testing.T) {
	if ln, err := net.Listen("tcp", ":7700"); err == nil {
		defer ln.Close()
	}
	r := server(t, t.TempDir(), "serve")
	st, err := r.Start(context.Background(), "10.9.8.7")
	if err != nil || strings.HasSuffix(st.Host, ":7700") || !strings.HasPrefix(st.Host, "10.9.8.7:") {
		t.Fatal(st, err)
	}
	// The host that handles here have already stays, port and all.
	again, err := r.Start(context.Background(), "10.9.8.7")
	if err != nil || again.Host != st.Host {
		t.Fatal(again, err)
	}
}
