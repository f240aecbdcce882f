package app

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/explain"
	"sotto/internal/handover"
	"sotto/internal/store/sqlite"
)

// ErrLocked says that the keys are closed.
var ErrLocked = explain.Refuse("locked", "sotto is locked: unlock it first, with sotto or in its window")

// inside is what is open while the app is not locked: the device, and who uses it.
type inside struct {
	*Device
	ctx    context.Context // ends when the app is being locked
	cancel context.CancelFunc
	uses   sync.WaitGroup // requests and commands that work on it
	relay  *relay
}

// inUse is how long another sotto process may take to give the home up.
const inUse = 5 * time.Second

// begin opens the device unless the person has to unlock it.
func (a *App) begin() error {
	a.moves.Lock()
	defer a.moves.Unlock()
	err := a.open("")
	if errors.Is(err, custody.ErrLocked) || errors.Is(err, custody.ErrKeyring) {
		a.phase = api.PhaseLocked
		return a.alone()
	}
	return err
}

// alone makes sure that no other sotto process holds the home.
func (a *App) alone() error {
	end := time.Now().Add(inUse)
	for {
		c, err := handover.Dial(filepath.Join(a.o.Home, socketFile))
		if err != nil {
			return nil
		}
		c.Close()
		if time.Now().After(end) {
			return sqlite.ErrInUse
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// open opens the device; moves is held.
func (a *App) open(passphrase string) error {
	key, err := a.o.Custody.Open([]byte(passphrase))
	if err != nil {
		return err
	}
	defer clear(key[:])
	d, err := a.o.Open(key)
	for end := time.Now().Add(inUse); errors.Is(err, sqlite.ErrInUse) && time.Now().Before(end); d, err = a.o.Open(key) {
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	phase := api.PhaseOpen
	if _, err := d.Client.Self(); errors.Is(err, client.ErrNoAccount) {
		phase = api.PhaseNew
	} else if err == nil {
		err = d.Client.Start()
		if err != nil {
			return errors.Join(err, d.Close())
		}
	} else {
		return errors.Join(err, d.Close())
	}
	in := a.inside(d)
	a.mu.Lock()
	a.in, a.phase, a.used = in, phase, a.now()
	a.mu.Unlock()
	a.events.send(api.Event{Type: api.EventPhase})
	return nil
}

// inside begins to work on a device.
func (a *App) inside(d *Device) *inside {
	in := &inside{Device: d}
	in.ctx, in.cancel = context.WithCancel(context.Background())
	in.relay = a.follow(in)
	return in
}

// shut closes the device, if one is open, after the requests under way; moves is held.
func (a *App) shut(phase api.Phase) error {
	a.mu.Lock()
	in := a.in
	a.in, a.phase = nil, phase
	a.mu.Unlock()
	if in == nil {
		return nil
	}
	in.cancel()
	in.uses.Wait()
	in.relay.stop()
	err := in.Close()
	a.events.send(api.Event{Type: api.EventPhase})
	return err
}

// enter takes part in what is open; leave has to be called. In phase new only callers
// that say so get in.
func (a *App) enter(asNew bool) (in *inside, leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.in == nil:
		return nil, nil, ErrLocked
	case a.phase == api.PhaseNew && !asNew:
		return nil, nil, errNoAccount
	}
	in = a.in
	in.uses.Add(1)
	return in, in.uses.Done, nil
}

// errNoAccount is client.ErrNoAccount without a word of the command line.
var errNoAccount = explain.Refuse("no account", "there is no account here yet: make one first")

// registered notes that the device has an account now.
func (a *App) registered() {
	a.mu.Lock()
	fresh := a.phase == api.PhaseNew
	if fresh {
		a.phase = api.PhaseOpen
	}
	a.mu.Unlock()
	if fresh {
		a.events.send(api.Event{Type: api.EventPhase})
	}
}

// guest runs a command that another process hands over.
func (a *App) guest(ctx context.Context, r handover.Request, x handover.IO) int {
	in, leave, err := a.enter(true)
	if err != nil {
		return a.o.Guest(ctx, nil, r, x)
	}
	defer leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(in.ctx, cancel)()
	code := a.o.Guest(ctx, in.Client, r, x)
	if _, err := in.Client.Self(); err == nil {
		a.registered()
	}
	return code
}

// lock closes the keys. Messages wait at the server until they are opened again.
func (a *App) lock() error {
	kind, err := a.o.Custody.Kind()
	if err != nil {
		return err
	}
	if kind == custody.File {
		return explain.Refuse("no passphrase", "there is nothing to lock with: set a passphrase first")
	}
	a.moves.Lock()
	defer a.moves.Unlock()
	if a.Phase() != api.PhaseOpen {
		return nil
	}
	return a.shut(api.PhaseLocked)
}

// unlock opens the keys.
func (a *App) unlock(passphrase string) error {
	a.moves.Lock()
	defer a.moves.Unlock()
	if a.Phase() != api.PhaseLocked {
		return nil
	}
	if d := a.limit.wait("passphrase"); d > 0 {
		return slowDown(d)
	}
	err := a.open(passphrase)
	switch {
	case errors.Is(err, custody.ErrWrong):
		a.limit.miss("passphrase")
	case err == nil:
		a.limit.hit("passphrase")
	}
	return err
}

// Phase is how far the app is.
func (a *App) Phase() api.Phase {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.phase
}
