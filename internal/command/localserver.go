package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/server"
	"sotto/internal/wire"
)

// localServer is a home server beside the app, in the home's directory server. It lives as
// long as the app, and starts with it the next time until it is stopped. Nobody registers
// there without an invitation; who runs it needs none.
type localServer struct {
	dir string
	log *slog.Logger

	mu      sync.Mutex
	s       *server.Server
	cancel  context.CancelFunc
	over    chan struct{} // closed when Serve has returned
	kept    keptServer
	failure error
}

// keptServer is what is written down of it.
type keptServer struct {
	Host string `json:"host"` // of handles, and where it listens
}

// localPort is the port that a home server takes if it is free.
const localPort = 7700

func newLocalServer(home string, log *slog.Logger) *localServer {
	return &localServer{dir: filepath.Join(home, "server"), log: log}
}

func (l *localServer) path() string { return filepath.Join(l.dir, "app.json") }

// resume starts the server again that ran when the app ended.
func (l *localServer) resume() {
	b, err := os.ReadFile(l.path())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var k keptServer
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		err = l.serve(k)
	}
	if err != nil {
		l.failure = err
		l.log.Error("the home server does not start", "why", err)
	}
}

// Start starts a server under a name or an address of this computer; "" finds one.
func (l *localServer) Start(_ context.Context, host string) (api.LocalServer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.s != nil {
		return l.state(), nil
	}
	k := l.kept
	if b, err := os.ReadFile(l.path()); err == nil && host == "" {
		_ = json.Unmarshal(b, &k) // handles live under the name that it had
	}
	if host != "" || k.Host == "" {
		at, err := chooseHost(host)
		if err != nil {
			return api.LocalServer{}, err
		}
		k = keptServer{Host: at}
	}
	if err := l.serve(k); err != nil {
		return api.LocalServer{}, fail("server", "%s", err)
	}
	b, err := json.Marshal(k)
	if err == nil {
		err = os.WriteFile(l.path(), b, 0o600)
	}
	return l.state(), err
}

// chooseHost is where a server listens and what stands in its handles.
func chooseHost(host string) (string, error) {
	if host == "" {
		host = ownAddress()
	}
	normal, err := wire.ParseHost(host)
	if err != nil {
		return "", err
	}
	if _, _, err := net.SplitHostPort(normal); err == nil {
		return normal, nil
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(normal, strconv.Itoa(localPort)))
	if err != nil {
		ln, err = net.Listen("tcp", net.JoinHostPort(normal, "0"))
	}
	if err != nil {
		return "", fail("server", "%s is no address of this computer: %s", normal, err)
	}
	defer ln.Close()
	return net.JoinHostPort(normal, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)), nil
}

// ownAddress is an address of this computer on its network, or else its own alone.
func ownAddress() string {
	list, err := net.InterfaceAddrs()
	if err == nil {
		for _, a := range list {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsPrivate() {
				return p.Addr().String()
			}
		}
	}
	return "127.0.0.1"
}

// serve starts it; mu is held.
func (l *localServer) serve(k keptServer) error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	s, err := server.New(server.Options{Dir: filepath.Join(l.dir, "data"), Log: l.log, Host: k.Host})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, over := make(chan struct{}), make(chan struct{})
	var failed error
	go func() {
		defer close(over)
		failed = s.Serve(ctx, server.ServeOptions{Listen: k.Host, Own: !onLoopback(k.Host), Ready: func(netip.AddrPort) { close(ready) }})
	}()
	select {
	case <-ready:
	case <-over:
		cancel()
		return errors.Join(failed, s.Close())
	}
	l.s, l.cancel, l.over, l.kept, l.failure = s, cancel, over, k, nil
	return nil
}

func onLoopback(host string) bool {
	h, err := wire.ParseHost(host)
	return err == nil && wire.Loopback(h)
}

// Stop ends it; it does not start by itself any more. Its data stay.
func (l *localServer) Stop() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := os.Remove(l.path())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	l.failure = nil
	return errors.Join(err, l.end())
}

// close ends it with the app.
func (l *localServer) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end()
}

func (l *localServer) end() error {
	if l.s == nil {
		return nil
	}
	l.cancel()
	<-l.over
	err := l.s.Close()
	l.s = nil
	return err
}

// State is how it is; nil when there is none.
func (l *localServer) State() *api.LocalServer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.s == nil && l.failure == nil {
		return nil
	}
	s := l.state()
	return &s
}

func (l *localServer) state() api.LocalServer {
	out := api.LocalServer{Host: l.kept.Host, Running: l.s != nil}
	if l.failure != nil {
		out.Why = l.failure.Error()
		return out
	}
	return withReach(out)
}

// withReach says who can reach a server at its address. What a firewall or a router on the
// way does nobody here knows, so that only this computer is sure.
func withReach(s api.LocalServer) api.LocalServer {
	name, _, err := net.SplitHostPort(s.Host)
	if err != nil {
		name = s.Host
	}
	a, err := netip.ParseAddr(name)
	switch {
	case onLoopback(s.Host):
		s.Reach = []api.Reach{{Address: s.Host, Who: "this computer", Sure: true, Text: "Only programs on this computer reach it: good for trying out."}}
	case err == nil && a.IsPrivate(), err == nil && a.IsLinkLocalUnicast():
		s.Reach = []api.Reach{{Address: s.Host, Who: "network", Text: "People on your own network reach it, unless a firewall on this computer is in the way. From elsewhere nobody does."}}
	default:
		s.Reach = []api.Reach{{Address: s.Host, Who: "everybody", Text: fmt.Sprintf("Everybody who can reach %s does, if your router and your firewall let them.", name)}}
	}
	return s
}

// Invite makes an invitation for the person who runs the server, and says with which key
// it vouches for itself.
func (l *localServer) Invite(host string) (code string, pin wire.Hash, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.s == nil || host != l.kept.Host {
		return "", pin, false
	}
	i, err := l.s.Invite(1, time.Hour)
	if err != nil || len(i.Codes) != 1 {
		l.log.Error("no invitation could be made", "why", err)
		return "", pin, false
	}
	return i.Codes[0], l.s.Pin(), true
}
