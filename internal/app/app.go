package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/handover"
	"sotto/internal/wire"
)

// What stands in a home beside the device itself.
const (
	socketFile = "sotto.sock" // where other sotto processes hand over their commands
	apiFile    = "app.sock"   // the API for this user's programs
	portFile   = "port"       // the port on loopback that was used last
	lockFile   = "app.lock"   // held by the one app of this home
)

// Clock is the app's time.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) (stop func())
}

// Device is a device that is open.
type Device struct {
	Client *client.Client
	Close  func() error
}

// LocalServer is a home server that can be started on this computer.
type LocalServer interface {
	Start(ctx context.Context, host string) (api.LocalServer, error)
	Stop() error
	State() *api.LocalServer // nil: there is none
	// Invite makes an invitation to it, if it runs under this host, and says with which key
	// (SHA-256 of its SPKI) it vouches for itself; zero: with none.
	Invite(host string) (code string, pin wire.Hash, ok bool)
}

// Desktop is what the operating system does for the person.
type Desktop interface {
	Open(url string) error // shows an address in a browser
	Notify(n OSNotice) error
	Withdraw(tag string) error // takes the notice with a tag back, if it is there
	AtLogin() (bool, error)
	SetAtLogin(on bool) error
}

// OSNotice is a notice of the operating system. Click, if there is one, is called when
// the person clicks on it. One with a Tag takes the place of the last one with the same, where
// the system can do that; elsewhere it is shown beside it.
type OSNotice struct {
	Title, Text string
	Tag         string
	Click       func()
}

// Options is what an app takes from outside. Home, Open and Custody are required.
type Options struct {
	Home    string
	Version string
	Port    int // 0: the one that was used last, if it is free
	Custody *custody.Custody
	// Keyring says whether the system has a keyring; nil: it has none.
	Keyring func() bool
	// Open opens the device with its key. It makes the database when there is none.
	Open func(key [32]byte) (*Device, error)
	// Empty removes everything from the home, after the account was deleted.
	Empty func() error
	// Guest runs the command of another sotto process on the device; the client is nil
	// while the app is locked.
	Guest   func(ctx context.Context, c *client.Client, r handover.Request, x handover.IO) int
	Server  LocalServer // nil: no servers here
	Desktop Desktop     // nil: none
	Clock   Clock       // nil: the system's
	Log     *slog.Logger
	UI      fs.FS  // the built interface; nil: there is none
	Link    string // a link that sotto was opened with
}

// App is the app of one home.
type App struct {
	o        Options
	log      *slog.Logger
	sessions *sessions
	events   *broker
	windows  *windows
	reports  *reports
	limit    *limiter
	mux      *http.ServeMux
	address  string // host:port on loopback
	release  func()
	quit     chan struct{}
	quitOnce sync.Once

	mu       sync.Mutex
	phase    api.Phase
	in       *inside    // nil while locked
	moves    sync.Mutex // held while the phase changes
	link     string
	used     time.Time // a window used the API last
	ended    bool
	stopIdle func()
	telling  chan struct{} // closed when the last notice about a call was shown

	keyring          func() bool
	loopback, socket *http.Server
	holder           *handover.Holder
	ln, local        net.Listener
	wait             sync.WaitGroup
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// ErrRunning says that an app runs for the home already.
var ErrRunning = errors.New("sotto runs already for this home")

// New makes the app of a home, and opens the device unless it is locked. Serve serves it;
// Close has to be called.
func New(o Options) (*App, error) {
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.Custody.Make(); err != nil {
		return nil, err
	}
	release, err := lockHome(filepath.Join(o.Home, lockFile))
	if err != nil {
		return nil, err
	}
	a := &App{
		o: o, log: o.Log, release: release, quit: make(chan struct{}), link: o.Link,
		sessions: newSessions(o.Clock), events: newBroker(), reports: &reports{}, limit: newLimiter(o.Clock), used: o.Clock.Now(),
	}
	a.windows = newWindows(o.Clock, a.presence)
	a.keyring = sync.OnceValue(func() bool { return o.Keyring != nil && o.Keyring() })
	go a.keyring() // it may take seconds; whoever asks first waits for it
	a.mux = a.routes()
	if err := a.begin(); err != nil {
		release()
		return nil, err
	}
	return a, nil
}

// Listen takes the port on loopback, the socket of the API, and the socket for the
// commands of other processes. Address is known after it.
func (a *App) Listen() error {
	var err error
	if a.ln, err = a.listenLoopback(); err != nil {
		return err
	}
	a.address = a.ln.Addr().String()
	if a.local, err = handover.Listen(filepath.Join(a.o.Home, apiFile)); err != nil {
		a.log.Warn("no socket for programs", "why", err) // the path may be too long
	}
	if a.o.Guest != nil {
		a.holder, err = handover.Hold(filepath.Join(a.o.Home, socketFile), true, a.guest)
		if err != nil {
			a.log.Warn("no socket for commands", "why", err)
		}
	}
	a.loopback = a.server(a.guarded())
	a.wait.Go(func() { a.serve(a.loopback, a.ln) })
	if a.local != nil {
		a.socket = a.server(a.trusted())
		a.wait.Go(func() { a.serve(a.socket, a.local) })
	}
	a.idle()
	return nil
}

func (a *App) serve(s *http.Server, ln net.Listener) {
	if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		a.log.Error("serving", "why", err)
	}
}

func (a *App) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
}

// listenLoopback takes the port that was asked for, or the one of last time, or a free
// one. The origin of the interface, and what a browser keeps for it, hangs on the port.
func (a *App) listenLoopback() (net.Listener, error) {
	path := filepath.Join(a.o.Home, portFile)
	port := a.o.Port
	if port == 0 {
		port = lastPort(path)
	}
	ln, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil && a.o.Port == 0 && port != 0 {
		ln, err = net.Listen("tcp4", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("listening on this computer: %w", err)
	}
	keepPort(path, ln.Addr().(*net.TCPAddr).Port)
	return ln, nil
}

// Done is closed when the app was asked to end.
func (a *App) Done() <-chan struct{} { return a.quit }

// Quit asks the app to end.
func (a *App) Quit() { a.quitOnce.Do(func() { close(a.quit) }) }

// Close ends everything: streams, requests, commands of others, and the device.
func (a *App) Close() error {
	a.Quit()
	if a.holder != nil {
		a.holder.Close()
	}
	a.events.close()
	for _, s := range []*http.Server{a.loopback, a.socket} {
		if s != nil {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			if s.Shutdown(ctx) != nil {
				s.Close()
			}
			cancel()
		}
	}
	if a.ln != nil && a.loopback == nil {
		a.ln.Close()
	}
	a.windows.close()
	a.mu.Lock()
	a.ended = true
	if a.stopIdle != nil {
		a.stopIdle()
	}
	a.mu.Unlock()
	a.moves.Lock()
	err := a.shut(api.PhaseLocked)
	a.moves.Unlock()
	a.wait.Wait()
	a.release()
	return err
}

// Address is where the interface is served, host:port.
func (a *App) Address() string { return a.address }

// Opening is an address that opens a window: it holds a token that works once and soon.
func (a *App) Opening() string {
	return "http://" + a.address + "/#open=" + a.sessions.token()
}

// Open takes a link that sotto was opened with once more.
func (a *App) Open(link string) {
	if link == "" {
		return
	}
	a.mu.Lock()
	a.link = link
	a.mu.Unlock()
	a.events.send(api.Event{Type: api.EventOpen, Text: link})
}

// spent forgets the link that sotto was opened with, if it is this one; "" is any.
func (a *App) spent(link string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if link == "" || link == a.link {
		a.link = ""
	}
}

func (a *App) now() time.Time { return a.o.Clock.Now() }

func lastPort(path string) int {
	b, err := os.ReadFile(path)
	var port int
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscanf(string(b), "%d\n", &port); err != nil || port < 1024 || port > 65535 {
		return 0
	}
	return port
}

func keepPort(path string, port int) {
	_ = os.WriteFile(path, fmt.Appendf(nil, "%d\n", port), 0o600) // without it another port is taken next time
}
