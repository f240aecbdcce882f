// Package play sets the stage for plays: tests in which Ana, Bo and others talk through
// real clients and a real server over real sockets. Time is real but can be moved on.
package play

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/dial"
	"sotto/internal/room"
	"sotto/internal/server"
	"sotto/internal/store"
	"sotto/mls"
)

// World is a stage: one clock, servers, people.
type World struct {
	T     testing.TB
	Clock *Clock
	Suite mls.CipherSuite
	Log   *slog.Logger
	Home  *Host // where people live unless said otherwise

	flight flight
}

// New sets a stage with one home server. Plays run side by side: they wait for each
// other's people, not for the processor.
func New(t testing.TB) *World {
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	w := &World{T: t, Clock: NewClock(), Suite: mls.XWing, Log: slog.New(slog.DiscardHandler)}
	if os.Getenv("SOTTO_LOG") != "" { // what the clients and the server log, for finding faults
		w.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	w.Home = w.Host()
	return w
}

// Host is a home server that can be stopped and started.
type Host struct {
	w      *World
	Name   string // host part of handles
	Dir    string
	Server *server.Server
	http   *http.Server
	end    func() error         // of a server that relays
	Relay  *server.RelayOptions // nil: calls are not relayed
	Mutate func(*server.Options)
	Wire   *Recorder // what stands between clients and server writes down here
}

// Host opens a server of its own on a free port.
func (w *World) Host() *Host {
	h := &Host{w: w, Dir: w.T.TempDir()}
	h.Start()
	w.T.Cleanup(h.Stop)
	return h
}

// Start starts the server, at the address it had before.
func (h *Host) Start() {
	t := h.w.T
	t.Helper()
	ln, err := listen(h.Name)
	if err != nil {
		t.Fatal(err)
	}
	h.Name = ln.Addr().String()
	if h.Wire != nil {
		ln = recording{ln, h.Wire}
	}
	o := server.Options{Dir: h.Dir, Now: h.w.Clock.Now, Host: h.Name, Open: true, Log: h.w.Log}
	if h.Mutate != nil {
		h.Mutate(&o)
	}
	if h.Server, err = server.New(o); err != nil {
		t.Fatal(err)
	}
	if h.Relay != nil {
		ln.Close()
		if err := h.serve(); err != nil {
			t.Fatal(err)
		}
		return
	}
	h.http = &http.Server{Handler: h.Server.Handler(), ErrorLog: slog.NewLogLogger(h.w.Log.Handler(), slog.LevelDebug)}
	go h.http.Serve(ln)
}

// listen listens where a server was before, or on a free port below those that a system gives
// to connections: no connection takes it while the server is stopped.
func listen(before string) (net.Listener, error) {
	if before != "" {
		return net.Listen("tcp", before)
	}
	for {
		ln, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 12_000+rand.IntN(20_000)))
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return ln, err
		}
	}
}

// Stop stops the server.
func (h *Host) Stop() {
	if h.Server == nil {
		return
	}
	if h.http != nil {
		h.http.Close()
	}
	if h.end != nil {
		if err := h.end(); err != nil {
			h.w.T.Error(err)
		}
	}
	if err := h.Server.Close(); err != nil {
		h.w.T.Error(err)
	}
	h.http, h.end, h.Server = nil, nil, nil
}

// Person is somebody with one device.
type Person struct {
	w      *World
	Name   string
	Handle string
	Home   string // directory
	Host   *Host
	Client *client.Client
	Net    *dial.Network
	Hosts  *Recorder // the hosts that the device contacted
	Mutate func(*client.Options)
}

// Person makes somebody with an account at the home server.
func (w *World) Person(name string) *Person { return w.PersonAt(name, w.Home) }

// PersonAt makes somebody with an account at a server.
func (w *World) PersonAt(name string, h *Host) *Person {
	w.T.Helper()
	p := w.Nobody(name, h)
	p.Open()
	ctx, cancel := p.patience()
	defer cancel()
	if err := p.Client.CreateAccount(ctx, p.Handle, ""); err != nil {
		w.T.Fatalf("%s: account: %v", name, err)
	}
	return p
}

// Nobody makes somebody without an account yet.
func (w *World) Nobody(name string, h *Host) *Person {
	p := &Person{w: w, Name: name, Handle: name + "@" + h.Name, Home: w.T.TempDir(), Host: h, Hosts: new(Recorder)}
	w.T.Cleanup(p.Away)
	return p
}

func (p *Person) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), Patience)
}

// Open opens the device without connecting.
func (p *Person) Open() {
	p.w.T.Helper()
	if err := p.open(); err != nil {
		p.w.T.Fatalf("%s: open: %v", p.Name, err)
	}
}

func (p *Person) open() error {
	p.Net = dial.New(dial.Options{})
	o := client.Options{
		Store:   store.Options{Path: filepath.Join(p.Home, "sotto.db"), Key: sha256.Sum256([]byte(p.Name))},
		Network: watched{p.Net, p.Hosts, &p.w.flight}, Clock: p.w.Clock, Log: p.w.Log.With("who", p.Name), Suite: p.w.Suite, PrivateHosts: []string{"*"},
	}
	if p.Mutate != nil {
		p.Mutate(&o)
	}
	c, err := client.Open(o)
	p.Client = c
	return err
}

// Back opens the device and connects.
func (p *Person) Back() *Person {
	p.w.T.Helper()
	p.Open()
	if err := p.Client.Start(); err != nil {
		p.w.T.Fatalf("%s: start: %v", p.Name, err)
	}
	return p
}

// Away closes the device.
func (p *Person) Away() {
	if p.Client == nil {
		return
	}
	if err := p.Client.Close(); err != nil {
		p.w.T.Errorf("%s: close: %v", p.Name, err)
	}
	p.Net.Close()
	p.Client = nil
}

// Send writes and waits until the host has it.
func (p *Person) Send(to, text string) store.Message {
	p.w.T.Helper()
	m := p.Write(to, text)
	ctx, cancel := p.patience()
	defer cancel()
	out, err := p.Client.Settled(ctx, m.Room, []messageID{m.ID})
	if err != nil || len(out) != 1 {
		p.w.T.Fatalf("%s: sending %q: %v (%d)", p.Name, text, err, len(out))
	}
	return out[0]
}

// Write queues a message.
func (p *Person) Write(to, text string) store.Message {
	p.w.T.Helper()
	return p.Compose(to, client.Text(text))
}

// Compose queues what is composed.
func (p *Person) Compose(to string, what client.Compose) store.Message {
	p.w.T.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	m, err := p.Client.Send(ctx, to, what)
	if err != nil {
		p.w.T.Fatalf("%s: writing to %s: %v", p.Name, to, err)
	}
	return *m
}

// Sync waits until everything is read and sent.
func (p *Person) Sync() {
	p.w.T.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	if err := p.Client.Sync(ctx); err != nil {
		p.w.T.Fatalf("%s: sync: %v", p.Name, err)
	}
}

// Texts are the texts in a conversation, in order.
func (p *Person) Texts(to string) []string {
	p.w.T.Helper()
	id, err := p.Client.Resolve(to)
	if errors.Is(err, client.ErrNoRoom) {
		return nil
	}
	if err != nil {
		p.w.T.Fatalf("%s: %s: %v", p.Name, to, err)
	}
	return p.TextsIn(id)
}

// TextsIn are the texts of a room, in order.
func (p *Person) TextsIn(id room.ID) []string {
	p.w.T.Helper()
	list, err := p.Client.Messages(&id, 0, 1<<20)
	if err != nil {
		p.w.T.Fatal(err)
	}
	var out []string
	for _, m := range list {
		out = append(out, m.Text)
	}
	return out
}

// Reads waits until the conversation holds exactly these texts in this order.
func (p *Person) Reads(to string, want ...string) {
	p.w.T.Helper()
	var got []string
	p.Eventually("reads "+strings.Join(clipAll(want), " | "), func() bool {
		got = p.Texts(to)
		return slices.Equal(got, want)
	}, func() any { return clipAll(got) })
}

func clipAll(in []string) []string {
	if len(in) > 12 {
		in = append(slices.Clone(in[:12]), "…")
	}
	return in
}

// Eventually waits for a condition.
func (p *Person) Eventually(what string, ok func() bool, state func() any) {
	p.w.T.Helper()
	end := time.Now().Add(Patience)
	for !ok() {
		if time.Now().After(end) {
			notices, _ := p.Client.Notices(0)
			for _, n := range notices {
				p.w.T.Logf("%s was told (%s): %s", p.Name, n.Kind, n.Text)
			}
			p.w.T.Fatalf("%s: %s: not so: %v", p.Name, what, state())
		}
		time.Sleep(2 * time.Millisecond) // a poll of another process's progress, not a wait for time
	}
}

// Told waits until the person was told something of a kind.
func (p *Person) Told(kind string) {
	p.w.T.Helper()
	var got []string
	p.Eventually("told "+kind, func() bool {
		list, err := p.Client.Notices(0)
		if err != nil {
			p.w.T.Fatal(err)
		}
		got = nil
		for _, n := range list {
			got = append(got, n.Kind)
		}
		return slices.Contains(got, kind)
	}, func() any { return got })
}

// Room finds a room's state.
func (p *Person) Room(to string) client.RoomInfo {
	p.w.T.Helper()
	list, err := p.Client.Rooms()
	if err != nil {
		p.w.T.Fatal(err)
	}
	for _, r := range list {
		if r.Title == to || r.Name == to {
			return r
		}
	}
	return client.RoomInfo{}
}
