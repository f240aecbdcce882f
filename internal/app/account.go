package app

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"sotto/internal/app/api"
	"sotto/internal/custody"
	"sotto/internal/explain"
	"sotto/internal/wire"
)

// createAccount makes the account of this device. What is wrong with the passphrase is
// told before anything is made.
func createAccount(c *call, in api.NewAccount) (api.Self, error) {
	if in.Passphrase != "" && utf8.RuneCountInString(in.Passphrase) < custody.MinPassphrase {
		return api.Self{}, custody.ErrShort
	}
	code, err := c.mayRegister(in)
	if err != nil {
		return api.Self{}, err
	}
	if err := c.c.CreateAccount(c.ctx, in.Handle, code); err != nil {
		return api.Self{}, err
	}
	if in.Invitation != "" {
		c.app.spent(in.Invitation)
	}
	c.app.registered()
	if in.Name != "" {
		if _, err := changeProfile(c, api.Profile{Name: &in.Name}); err != nil {
			return api.Self{}, err
		}
	}
	if in.Passphrase != "" {
		if err := c.app.o.Custody.Change(custody.Passphrase, nil, []byte(in.Passphrase)); err != nil {
			return api.Self{}, err
		}
	}
	return c.self()
}

// mayRegister is the right to register: what the person was given, or what the home server
// beside this app gives to who runs it.
func (c *call) mayRegister(in api.NewAccount) (string, error) {
	s := c.app.o.Server
	h, err := wire.ParseHandle(in.Handle)
	if err != nil || in.Invitation != "" || s == nil {
		return c.invitationCode(in.Invitation, in.Handle)
	}
	code, pin, ok := s.Invite(h.Host)
	if !ok {
		return "", nil
	}
	return code, c.openServer(h.Host, pin)
}

// deleteAccount ends the account and everything here. The requests under way are ended
// first, as for locking; when the home server does not agree, all is as before.
func deleteAccount(c *call, in api.EndAccount) error {
	a := c.app
	a.moves.Lock()
	defer a.moves.Unlock()
	a.mu.Lock()
	in0, phase := a.in, a.phase
	a.mu.Unlock()
	switch {
	case phase == api.PhaseLocked:
		return ErrLocked
	case phase == api.PhaseNew:
		return errNoAccount
	}
	self, err := in0.Client.Self()
	if err != nil {
		return err
	}
	if h, err := wire.ParseHandle(in.Handle); err != nil || h.String() != self.Handle {
		return explain.Refuse("not yours", "type %s to delete it", self.Handle)
	}
	return a.deleteAccount(c.ctx, in0)
}

// deleteAccount does it; moves is held.
func (a *App) deleteAccount(ctx context.Context, in *inside) error {
	a.mu.Lock()
	a.in = nil
	a.mu.Unlock()
	in.cancel()
	in.uses.Wait()
	in.relay.stop()
	if err := in.Client.DeleteAccount(ctx); err != nil {
		again := a.inside(in.Device)
		a.mu.Lock()
		a.in = again
		a.mu.Unlock()
		a.events.send(api.Event{Type: api.EventPhase})
		return err
	}
	err := errors.Join(in.Close(), a.empty())
	if err == nil {
		err = a.o.Custody.Make()
	}
	if err != nil {
		a.setPhase(api.PhaseLocked)
		return err
	}
	return a.open("")
}

func (a *App) setPhase(p api.Phase) {
	a.mu.Lock()
	a.phase = p
	a.mu.Unlock()
	a.events.send(api.Event{Type: api.EventPhase})
}

func (a *App) empty() error { return EmptyHome(a.o.Home) }

// EmptyHome removes a device's files: first the key, overwritten, so that whatever a disk
// keeps of the database cannot be opened. Nothing may have the database open.
func EmptyHome(home string) error {
	key := filepath.Join(home, "key")
	var failed error
	for _, name := range []string{key, filepath.Join(home, "key.old")} {
		failed = errors.Join(failed, overwrite(name))
	}
	for _, ending := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(filepath.Join(home, custody.DatabaseName) + ending); !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// overwrite puts noise in the place of a file and removes it. See custody for what that
// gives on which disk.
func overwrite(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	noise := make([]byte, 512)
	rand.Read(noise)
	_, err = f.WriteAt(noise, 0)
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(name))
}
