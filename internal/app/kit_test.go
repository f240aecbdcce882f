package app

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/dial"
	"sotto/internal/handover"
	"sotto/internal/play"
	"sotto/internal/store"
)

// TestMain fails when goroutines are left over.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

var discard = slog.New(slog.DiscardHandler)

// desk is a person's machine: an app with a window open on it.
type desk struct {
	t      testing.TB
	w      *play.World
	name   string
	home   string
	app    *App
	mutate func(*Options)

	http *http.Client // the browser
	key  string       // of the window
}

// desk starts an app in a home without an account and opens a window.
func newDesk(w *play.World, name string, mutate ...func(*Options)) *desk {
	d := &desk{t: w.T, w: w, name: name, home: w.T.TempDir()}
	if len(mutate) > 0 {
		d.mutate = mutate[0]
	}
	w.T.Cleanup(d.end)
	d.start()
	return d
}

// deskOf starts an app with an account at the home server.
func deskOf(w *play.World, name string, mutate ...func(*Options)) *desk {
	d := newDesk(w, name, mutate...)
	var self api.Self
	d.must("POST", "/account", api.NewAccount{Handle: d.handle()}, &self)
	if self.Handle != d.handle() {
		d.t.Fatalf("%s is %q", name, self.Handle)
	}
	return d
}

func (d *desk) handle() string { return d.name + "@" + d.w.Home.Name }

// cheap is a custody whose passphrases cost as little as may be.
func cheap(home string) *custody.Custody {
	return custody.At(home, custody.Options{Cost: &custody.Cost{Memory: 64 << 10, Passes: 3, Threads: 1}})
}

func (d *desk) start() {
	d.t.Helper()
	o := Options{
		Home: d.home, Version: "test", Custody: cheap(d.home), Clock: d.w.Clock,
		Open: func(key [32]byte) (*Device, error) {
			network := dial.New(dial.Options{})
			c, err := client.Open(client.Options{Store: store.Options{Path: filepath.Join(d.home, "sotto.db"), Key: key},
				Network: network, Clock: d.w.Clock, Log: d.w.Log, Suite: d.w.Suite, PrivateHosts: []string{"*"}})
			if err != nil {
				network.Close()
				return nil, err
			}
			return &Device{Client: c, Close: func() error { defer network.Close(); return c.Close() }}, nil
		},
		Guest: func(context.Context, *client.Client, handover.Request, handover.IO) int { return 0 },
		Log:   d.w.Log,
	}
	if os.Getenv("SOTTO_LOG") != "" {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if d.mutate != nil {
		d.mutate(&o)
	}
	a, err := New(o)
	if err != nil {
		d.t.Fatal(err)
	}
	d.app = a
	if err := a.Listen(); err != nil {
		d.t.Fatal(err)
	}
	d.window()
}

// window opens a window: the token of the address is exchanged.
func (d *desk) window() {
	d.t.Helper()
	jar, _ := cookiejar.New(nil)
	d.http, d.key = &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}, "none"
	_, token, _ := strings.Cut(d.app.Opening(), "#open=")
	var s api.Session
	d.must("POST", "/session", api.OpenSession{Token: token}, &s)
	d.key = s.Key
}

func (d *desk) end() {
	if d.app == nil {
		return
	}
	if err := d.app.Close(); err != nil {
		d.t.Errorf("%s: %v", d.name, err)
	}
	d.app = nil
}

// request is what the interface sends.
func (d *desk) request(method, path string, in any) *http.Request {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			d.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, "http://"+d.app.Address()+apiPrefix+path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != "GET" {
		r.Header.Set("Origin", "http://"+d.app.Address())
	}
	r.Header.Set(keyHeader, d.key)
	return r
}

// do sends a request and reads the answer.
func (d *desk) do(r *http.Request) (int, []byte, http.Header) {
	d.t.Helper()
	answer, err := d.http.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer.StatusCode, b, answer.Header
}

// must does a call that has to succeed.
func (d *desk) must(method, path string, in, out any) {
	d.t.Helper()
	status, b, _ := d.do(d.request(method, path, in))
	if status/100 != 2 {
		d.t.Fatalf("%s %s: %d %s", method, path, status, b)
	}
	if out != nil {
		read(d.t, b, out)
	}
}

// read decodes an answer, which has nothing that its type does not know.
func read(t testing.TB, b []byte, out any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// refused does a call that has to be refused with a code.
func (d *desk) refused(method, path string, in any, code string) api.Failure {
	d.t.Helper()
	return d.refusedAs(d.request(method, path, in), code)
}

func (d *desk) refusedAs(r *http.Request, code string) api.Failure {
	d.t.Helper()
	status, b, _ := d.do(r)
	var f api.Failure
	if status/100 == 2 {
		d.t.Fatalf("%s %s was done: %s", r.Method, r.URL.Path, b)
	}
	read(d.t, b, &f)
	if f.Code != code || f.Text == "" {
		d.t.Fatalf("%s %s: %d %+v, not %q", r.Method, r.URL.Path, status, f, code)
	}
	return f
}

func (d *desk) state() (s api.State) {
	d.t.Helper()
	d.must("GET", "/state", nil, &s)
	return s
}

// socket is a program of the same user.
func (d *desk) socket() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return handover.Dial(filepath.Join(d.home, apiFile))
	}}}
}

// ear listens to the events.
type ear struct {
	d      *desk
	events chan api.Event
	stop   func()
}

// listen opens the stream; it returns after the first event.
func (d *desk) listen() *ear { d.t.Helper(); return d.listenAs("") }

// listenAs does so as a window of a name.
func (d *desk) listenAs(window string) *ear {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	answer, err := d.http.Do(d.request("GET", "/events?window="+window, nil).WithContext(ctx))
	if err != nil || answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		d.t.Fatal(err, answer)
	}
	e := &ear{d: d, events: make(chan api.Event, 10_000)}
	done := make(chan struct{})
	e.stop = func() { cancel(); <-done }
	d.t.Cleanup(e.stop)
	go func() {
		defer close(done)
		defer answer.Body.Close()
		defer close(e.events)
		readEvents(answer.Body, func(x api.Event) { e.events <- x })
	}()
	e.wait("hello", func(x api.Event) bool { return x.Type == api.EventHello })
	return e
}

func readEvents(r io.Reader, f func(api.Event)) {
	var buf []byte
	b := make([]byte, 32<<10)
	for {
		n, err := r.Read(b)
		buf = append(buf, b[:n]...)
		for {
			part, rest, ok := bytes.Cut(buf, []byte("\n\n"))
			if !ok {
				break
			}
			buf = rest
			if data, ok := bytes.CutPrefix(part, []byte("data: ")); ok {
				var x api.Event
				if json.Unmarshal(data, &x) == nil {
					f(x)
				}
			}
		}
		if err != nil {
			return
		}
	}
}

// wait waits for an event.
func (e *ear) wait(what string, is func(api.Event) bool) api.Event {
	e.d.t.Helper()
	late := time.After(play.Patience)
	for {
		select {
		case x, ok := <-e.events:
			if !ok {
				e.d.t.Fatalf("%s: the stream ended before %s", e.d.name, what)
			}
			if is(x) {
				return x
			}
		case <-late:
			e.d.t.Fatalf("%s: %s did not come", e.d.name, what)
		}
	}
}

// eventually waits until something holds.
func (d *desk) eventually(what string, holds func() bool) {
	d.t.Helper()
	for end := time.Now().Add(play.Patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("%s: %s did not come to be", d.name, what)
		}
	}
}
