package command

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/handover"
)

// running is an app as the command runs it, with a program of the same user that talks to it.
type running struct {
	t    *testing.T
	home string
	http *http.Client
	end  context.CancelFunc
	done chan error
}

func runApp(t *testing.T, home string) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, home: home, end: cancel, done: make(chan error, 1)}
	r.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return handover.Dial(filepath.Join(home, apiSocket))
	}}}
	go func() {
		r.done <- App{NoWindow: true}.Run(ctx, home, &IO{Out: io.Discard, Err: io.Discard}, nil)
	}()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := handover.Dial(filepath.Join(home, apiSocket)); err == nil {
			c.Close()
			return r
		}
		if time.Now().After(end) {
			t.Fatal("the app does not start")
		}
	}
}

func (r *running) stop() {
	r.end()
	if err := <-r.done; err != nil {
		r.t.Error(err)
	}
}

func (r *running) call(method, path string, in, out any) {
	r.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			r.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	q, err := http.NewRequest(method, "http://app/api/v1"+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	a, err := r.http.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	if a.StatusCode/100 != 2 {
		r.t.Fatalf("%s %s: %d %s", method, path, a.StatusCode, b)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			r.t.Fatal(err)
		}
	}
}

// TestLocalServer starts a home server beside the app, makes the first account there
// without an invitation, and finds both again the next time.
func TestLocalServer(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	r := runApp(t, home)
	var s api.LocalServer
	r.call("POST", "/server", api.NewServer{Host: "127.0.0.1"}, &s)
	if !s.Running || !strings.HasPrefix(s.Host, "127.0.0.1:") || len(s.Reach) != 1 || s.Reach[0].Who != "this computer" || !s.Reach[0].Sure {
		t.Errorf("%+v", s)
	}
	var info api.ServerInfo
	r.call("GET", "/servers?host="+s.Host, nil, &info)
	if info.Open {
		t.Error("anybody may register")
	}
	var self api.Self
	r.call("POST", "/account", api.NewAccount{Handle: "ana@" + s.Host, Name: "Ana"}, &self)
	if self.Handle != "ana@"+s.Host || self.Name != "Ana" {
		t.Errorf("%+v", self)
	}
	r.stop()
	r = runApp(t, home)
	var state api.State
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r.call("GET", "/state", nil, &state)
		if len(state.Hosts) > 0 && state.Hosts[0].Up {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", state)
		}
	}
	if state.Server == nil || !state.Server.Running || state.Server.Host != s.Host {
		t.Errorf("%+v", state.Server)
	}
	r.call("DELETE", "/server", nil, nil)
	r.call("GET", "/state", nil, &state)
	r.stop()
	r = runApp(t, home)
	defer r.stop()
	var after api.State
	r.call("GET", "/state", nil, &after)
	if after.Server != nil {
		t.Errorf("it starts again: %+v", after.Server)
	}
}

// TestOwnNetwork starts one that vouches for itself, where this computer has such an address.
func TestOwnNetwork(t *testing.T) {
	if ownAddress() == "127.0.0.1" {
		t.Skip("this computer has no address on a private network")
	}
	r := runApp(t, filepath.Join(t.TempDir(), "home"))
	defer r.stop()
	var s api.LocalServer
	r.call("POST", "/server", api.NewServer{Host: ownAddress()}, &s)
	if !s.Running || s.Reach[0].Who != "network" || s.Reach[0].Sure {
		t.Errorf("%+v", s)
	}
	var self api.Self
	r.call("POST", "/account", api.NewAccount{Handle: "ana@" + s.Host}, &self)
	if self.Handle != "ana@"+s.Host {
		t.Errorf("%+v", self)
	}
	r.call("DELETE", "/server", nil, nil)
}
