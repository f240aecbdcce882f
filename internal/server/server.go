// Package server is a home server: it puts logs, inboxes, blobs and the directory
// behind one listener. cmd/sotto and tests use it. It never reads what it carries:
// it imports neither mls nor the client.
//
// Who owns what: a Server owns the engine and the services upon it. A Session is one
// connection's state; its transport calls Frame and Close from one goroutine, while
// the services call it back from any. A socket is the WebSocket below a session: one
// goroutine reads it, and one more writes it while there is something to write.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/identity"
	"sotto/internal/server/blobs"
	"sotto/internal/server/config"
	"sotto/internal/server/directory"
	"sotto/internal/server/engine"
	"sotto/internal/server/inbox"
	"sotto/internal/server/logs"
	"sotto/internal/server/meeting"
	"sotto/internal/server/page"
	"sotto/internal/wire"
)

// Options make a Server.
type Options struct {
	Dir  string           // the data directory
	FS   vfs.FS           // nil: the disk
	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand
	Log  *slog.Logger     // nil: silent
	Host string           // host part of its handles; empty: where Serve listens
	Open bool             // registration without an invitation

	Limits config.Limits // zero: the defaults
	Far    blobs.Far     // where whole files are kept; nil: in the data directory

	Executable  string // this program, which the invitation page offers; empty: it does not
	ProgramsDir string // programs for other systems, sotto-GOOS-GOARCH[.exe]; empty: none

	ProxyHeader string         // in which a proxy names its client; empty: none does
	Proxies     []netip.Prefix // whose header counts

	// Spawn runs work beside the caller, each in its turn; nil: goroutines. With it nothing
	// happens by itself: the owner, a simulator, calls Tick and Sweep.
	Spawn func(func())
}

// Server is a home server. Safe for concurrent use.
type Server struct {
	o        Options
	fs       vfs.FS
	lock     io.Closer
	db       *engine.DB
	logs     *logs.Logs
	inboxes  *inbox.Inboxes
	blobs    *blobs.Blobs
	uploads  uploads
	dir      *directory.Directory
	meetings *meeting.Meetings
	started  time.Time
	policy   atomic.Pointer[policy]
	pin      atomic.Pointer[wire.Hash] // of a server that vouches for itself
	staged   atomic.Int64              // bytes of entries that arrive in parts
	page     *page.Page
	relay    atomic.Pointer[relaying] // while it listens
	secure   atomic.Bool              // it speaks TLS
	stop     chan struct{}
	closing  sync.Once
	wait     sync.WaitGroup // socket readers, and work beside them

	mu       sync.Mutex
	ended    bool
	sessions map[*Session]struct{}
	devices  map[string]map[*Session]struct{} // authenticated ones, by inbox owner
	sockets  map[*socket]struct{}
	perAddr  map[netip.Prefix]uint64 // sockets of one address
}

// Inventory is every kind of row that this server stores. Beside the engine stand the
// ciphertext files of blobs, the certificates got by ACME or the key of one of its own, a
// lock and a socket.
func Inventory() engine.Inventory {
	return slices.Concat(engine.Rows, logs.Rows, inbox.Rows, directory.Rows, blobs.Rows)
}

// New opens the data directory and makes a server that does not listen yet. One
// server at a time opens a directory.
func New(o Options) (s *Server, err error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Limits == (config.Limits{}) {
		o.Limits = config.Default().Limits
	}
	if o.Host != "" {
		if o.Host, err = wire.ParseHost(o.Host); err != nil {
			return nil, err
		}
	}
	s = &Server{
		o: o, fs: o.FS, started: o.Now(), stop: make(chan struct{}),
		sessions: map[*Session]struct{}{}, devices: map[string]map[*Session]struct{}{},
		sockets: map[*socket]struct{}{}, perAddr: map[netip.Prefix]uint64{},
		uploads: uploads{open: map[identity.ID]map[blobs.Name]bool{}},
	}
	s.policy.Store(newPolicy(o.Open, o.Limits))
	s.meetings = meeting.New(meeting.Options{
		Now: o.Now, ByHand: o.Spawn != nil, Max: func() uint64 { return s.policy.Load().limits.Meetings },
	})
	s.page = page.New(page.Options{
		Host: func() string { return s.dir.Host() }, Log: o.Log,
		Off: o.Executable == "" && o.ProgramsDir == "", Executable: o.Executable, Dir: o.ProgramsDir,
		Admit:  func(r *http.Request) error { return s.policy.Load().programs.take(addressKey(s.remote(r)), s.o.Now()) },
		Refuse: s.fail,
		Patient: func(w http.ResponseWriter) http.ResponseWriter {
			return &patientWriter{w, http.NewResponseController(w)}
		},
	})
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.closeStores())
	}
	return s, nil
}

func (s *Server) open() (err error) {
	path := func(name string) string { return s.fs.PathJoin(s.o.Dir, name) }
	if err := engine.MakeDir(s.fs, s.o.Dir); err != nil {
		return fmt.Errorf("server: data directory: %w", err)
	}
	if s.lock, err = s.fs.Lock(path("lock")); err != nil {
		return fmt.Errorf("server: another server has the data directory %s open: %w", s.o.Dir, err)
	}
	if s.db, err = engine.Open(engine.Options{Dir: path("db"), FS: s.fs, Now: s.o.Now, Log: s.o.Log, ByHand: s.o.Spawn != nil}); err != nil {
		return err
	}
	if s.dir, err = directory.Open(s.db, directory.Options{Now: s.o.Now, Rand: s.o.Rand}); err != nil {
		return err
	}
	s.dir.SetHost(s.o.Host)
	if s.inboxes, err = inbox.Open(s.db, inbox.Options{Now: s.o.Now, Log: s.o.Log}); err != nil {
		return err
	}
	s.blobs, err = blobs.Open(s.db, blobs.Options{
		Dir: path("blobs"), FS: s.fs, Now: s.o.Now, Rand: s.o.Rand,
		MaxBytes: func() uint64 { return s.policy.Load().limits.BlobBytes }, Far: s.o.Far,
	})
	if err != nil {
		return err
	}
	if s.logs, err = logs.Open(s.db, logs.Options{Now: s.o.Now, Log: s.o.Log, Later: s.o.Spawn}); err != nil {
		return err
	}
	return s.dropDeparted()
}

func (s *Server) closeStores() error {
	var errs []error
	if s.logs != nil {
		errs = append(errs, s.logs.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Close ends all connections and sessions and closes the data directory.
func (s *Server) Close() (err error) {
	s.closing.Do(func() {
		close(s.stop)
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
		for _, x := range s.openSessions() {
			x.out.Close(errGoingAway)
			x.Close()
		}
		for _, c := range s.openSockets() {
			time.AfterFunc(lingerTime, c.fail) // also one that does not read
		}
		s.wait.Wait()
		err = s.closeStores()
	})
	return err
}

// spawn runs work that reads the stores; Close waits for it, and none begins after.
func (s *Server) spawn(f func()) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.wait.Add(1)
	s.mu.Unlock()
	if s.o.Spawn != nil {
		s.wait.Done() // the owner, who calls Close, knows of it
		s.o.Spawn(f)
		return
	}
	go func() {
		defer s.wait.Done()
		f()
	}()
}

// putAway brings whole files to where they are kept, beside the caller, until the server ends.
func (s *Server) putAway() {
	if s.o.Far == nil {
		return
	}
	s.spawn(func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ended := make(chan struct{})
		defer close(ended)
		go func() {
			select {
			case <-s.stop:
				cancel()
			case <-ended:
			}
		}()
		if err := s.blobs.Move(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("files were not put away, and are tried again in a minute", "err", err)
		}
	})
}

// Reload takes over what a running server can change: who may register, and limits.
func (s *Server) Reload(open bool, limits config.Limits) {
	s.policy.Store(newPolicy(open, limits))
	s.o.Log.Info("configuration read again", "open", open)
}

// Sweep makes what was erased so far leave every file of the engine now, not within
// wire.ErasedWithin.
func (s *Server) Sweep() error { return s.db.Sweep() }

// Settle returns when nothing happens in the background; see engine.DB.
func (s *Server) Settle() { s.db.Settle() }

// Tick does the housekeeping of a minute. Serve calls it; a simulator may.
func (s *Server) Tick(now time.Time) {
	s.logs.Tick(now)
	s.inboxes.Tick(now)
	s.meetings.Tick(now)
	if r := s.relay.Load(); r != nil {
		r.Tick(now)
	}
	for _, x := range []struct {
		what string
		err  error
	}{{"blobs", s.blobs.Tick(now)}, {"directory", s.dir.Tick(now)}, {"departed", s.dropDeparted()}} {
		if x.err != nil {
			s.o.Log.Error("housekeeping failed, and is tried again in a minute", "what", x.what, "err", x.err)
		}
	}
	s.uploads.tick(s.blobs.Unfinished)
	s.putAway()
	for _, x := range s.openSessions() {
		x.dropStale(now)
	}
}

func (s *Server) openSessions() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Session, 0, len(s.sessions))
	for x := range s.sessions {
		out = append(out, x)
	}
	return out
}

// dropDeparted erases the inboxes of devices that are gone.
func (s *Server) dropDeparted() error {
	owners, err := s.dir.Departed()
	if err != nil {
		return err
	}
	for _, o := range owners {
		if err := s.inboxes.Drop(o); err != nil {
			return err
		}
		if err := s.dir.Dropped(o); err != nil {
			return err
		}
	}
	return nil
}

// endDevice ends the connections of a device that is gone, or whose account is
// suspended, and what is relayed for it.
func (s *Server) endDevice(owner []byte, why *wire.Error) {
	if r := s.relay.Load(); r != nil {
		defer r.End(string(owner))
	}
	s.mu.Lock()
	var open []*Session
	for x := range s.devices[string(owner)] {
		open = append(open, x)
	}
	s.mu.Unlock()
	for _, x := range open {
		x.out.Close(why)
	}
}

var errGoingAway = wire.Refuse(wire.CodeSlowDown, "the server is stopping; connect again in a moment")
