package command

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"sotto/internal/app"
	"sotto/internal/desktop"
)

// system is this machine's desktop for the app of one home.
type system struct{ *desktop.Desktop }

// Notify implements app.Desktop.
func (s *system) Notify(n app.OSNotice) error { return s.Desktop.Notify(desktop.Notice(n)) }

// newSystem is the desktop for a home. Another home than the usual one has entries of its
// own, and takes no links: those are for who has one home.
func newSystem(program, home string) *system {
	o := desktop.Options{Program: []string{program}}
	if !usual(home) {
		h := sha256.Sum256([]byte(home))
		o.Name = "sotto-" + hex.EncodeToString(h[:4])
		o.Program = append(o.Program, "--home", home)
	}
	return &system{desktop.New(o)}
}

func usual(home string) bool {
	dir, err := DefaultHome()
	return err == nil && dir == home
}

// takeLinks has the system hand links to this sotto, where it lets programs have them.
func (s *system) takeLinks(home string) error {
	if !usual(home) || !hasScreen() {
		return nil
	}
	if err := s.TakeLinks(); err != nil && !errors.Is(err, desktop.ErrNone) {
		return err
	}
	return nil
}
