// Package homeserver runs a home server beside the app, as a process of its own: the same
// program with the command server. internal/command gives it to the app, which therefore
// knows no server; a server that crashes takes no messages on this device with it. It lives
// as long as the app, starts again when it fails, and starts with the app the next time
// until it is stopped.
//
// Nobody registers there without an invitation. On the own network it vouches for itself by
// a key (docs/protocol.md, "Servers that vouch for themselves").
package homeserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/durable"
	"sotto/internal/wire"
)

// Options of a Server. Dir and Program are required.
type Options struct {
	Dir     string   // where it keeps its data, and what is written down of it
	Program []string // this program, and what comes before the command server
	Log     *slog.Logger
	Least   time.Duration // between two starts of one that fails; 0: a second
	Most    time.Duration // the same, after it has failed again and again; 0: a minute
}

// Server is the home server of a home, whether it runs or not. Safe for concurrent use.
type Server struct {
	o Options

	moves sync.Mutex // one start or stop at a time
	mu    sync.Mutex
	kept  *kept  // nil: there is none
	run   *run   // nil: it is stopped
	why   string // it does not run although it should
}

// kept is what is written down.
type kept struct {
	Host string `json:"host"` // the part of handles after the @
	Port uint16 `json:"port"`
}

// ErrStarting is a server that has not said in time that it serves.
var errStarting = errors.New("the home server did not start in time")

// startTime is how long a server may take to say that it serves.
const startTime = 30 * time.Second

// New makes the server of a directory. Nothing runs before Resume or Start.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Least == 0 {
		o.Least = time.Second
	}
	if o.Most == 0 {
		o.Most = time.Minute
	}
	return &Server{o: o}
}

func (s *Server) path() string { return filepath.Join(s.o.Dir, "server.json") }

func (s *Server) data() string { return filepath.Join(s.o.Dir, "data") }

// read reads what was written down; nil when no server is to run.
func (s *Server) read() (*kept, error) {
	b, err := os.ReadFile(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k := &kept{}
	if err := json.Unmarshal(b, k); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", s.path(), err)
	}
	return k, k.check()
}

func (k *kept) check() error {
	if h, err := wire.ParseHost(k.Host); err != nil || h != k.Host || k.Port == 0 {
		return errors.New("what is written down of the home server makes no sense")
	}
	return nil
}

// Resume starts the server again that ran when the app ended, and does not wait for it.
func (s *Server) Resume() {
	s.moves.Lock()
	defer s.moves.Unlock()
	k, err := s.read()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.why = err.Error()
		s.o.Log.Error("the home server does not start", "err", err)
	case k != nil && s.run == nil:
		s.kept, s.run = k, s.start(k, nil)
	}
}

// Start starts a server under a name or an address of this computer, and waits until it
// serves; "" finds an address, or takes the one that handles here have already.
func (s *Server) Start(ctx context.Context, host string) (api.LocalServer, error) {
	s.moves.Lock()
	defer s.moves.Unlock()
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return api.LocalServer{}, err
	}
	k, err := s.choose(host)
	if err != nil {
		return api.LocalServer{}, err
	}
	s.mu.Lock()
	old := s.run
	same := old != nil && s.kept != nil && *s.kept == *k
	s.mu.Unlock()
	if same && old.serving() != nil {
		return *s.State(), nil
	}
	if old != nil {
		old.end()
	}
	ready := make(chan error, 1)
	r := s.start(k, ready)
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case err = <-ready:
	case <-timer.C:
		err = errStarting
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		err = s.keep(k)
	}
	s.mu.Lock()
	s.run, s.kept, s.why = r, k, ""
	if err != nil {
		s.run, s.kept = nil, nil
	}
	s.mu.Unlock()
	if err != nil {
		r.end()
		return api.LocalServer{}, err
	}
	return *s.State(), nil
}

func (s *Server) keep(k *kept) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return durable.Replace(s.path(), b)
}

// Stop ends it, and it does not start with the app any more. Its data stay.
func (s *Server) Stop() error {
	s.moves.Lock()
	defer s.moves.Unlock()
	err := os.Remove(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	s.end()
	s.mu.Lock()
	s.kept, s.why = nil, ""
	s.mu.Unlock()
	return err
}

// Close ends it with the app.
func (s *Server) Close() {
	s.moves.Lock()
	defer s.moves.Unlock()
	s.end()
}

func (s *Server) end() {
	s.mu.Lock()
	r := s.run
	s.run = nil
	s.mu.Unlock()
	if r != nil {
		r.end()
	}
}

// State is how it is; nil when there is none.
func (s *Server) State() *api.LocalServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.kept == nil && s.why == "":
		return nil
	case s.kept == nil:
		return &api.LocalServer{Why: s.why, Reach: []api.Reach{}}
	}
	out := api.LocalServer{Host: s.kept.Host, Reach: []api.Reach{}}
	if s.run == nil {
		return &out
	}
	v := s.run.serving()
	if out.Running = v != nil; !out.Running {
		out.Why = s.run.trouble()
		return &out
	}
	out.Reach = reach(s.kept.Host, s.kept.Port, v.tried.Load())
	return &out
}

// Invite makes an invitation for the person who runs the server, if it runs under this
// host, and says with which key it vouches for itself; zero: with none.
func (s *Server) Invite(host string) (code string, pin wire.Hash, ok bool) {
	s.mu.Lock()
	var v *serving
	if s.run != nil && s.kept != nil && s.kept.Host == host {
		v = s.run.serving()
	}
	s.mu.Unlock()
	if v == nil {
		return "", pin, false
	}
	code, err := s.invite()
	if err != nil {
		s.o.Log.Error("no invitation could be made", "err", err)
		return "", pin, false
	}
	return code, v.pin, true
}
