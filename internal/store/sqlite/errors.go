package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/ncruces/go-sqlite3"
)

// What can be wrong. Every error of this package wraps one of these when it is one
// of them; the rest is a mistake in a statement or an error of the file system.
var (
	ErrKey        = errors.New("the key does not open this database: unlock with the right passphrase; if it is right, the file's beginning is damaged and only a backup or another device can help")
	ErrCorrupt    = errors.New("the database is damaged: restore a backup, or add this device again from another one")
	ErrFull       = errors.New("the disk is full: free some space and try again, nothing was changed")
	ErrInUse      = errors.New("another sotto is using this home directory: close it first, or choose another directory")
	ErrClosed     = errors.New("the database is closed")
	ErrNotOurs    = errors.New("this file is a database of another program")
	ErrNewer      = errors.New("the database was written by a newer sotto: update this one")
	ErrConstraint = errors.New("a constraint of the database was violated")
	// ErrUnknown is a commit that failed and could not be undone either. The database
	// holds the whole transaction or nothing of it; Close, Open and look.
	ErrUnknown = errors.New("the disk failed in the middle of a commit: open the database again to see what it holds")
)

// classify wraps an error of the library with the sentinel it amounts to.
func classify(err error) error {
	var sentinel error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqlite3.FULL), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		sentinel = ErrFull
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB),
		errors.Is(err, sqlite3.IOERR_DATA), errors.Is(err, sqlite3.IOERR_CORRUPTFS),
		errors.Is(err, sqlite3.IOERR_SHORT_READ):
		sentinel = ErrCorrupt
	case errors.Is(err, sqlite3.BUSY):
		sentinel = ErrInUse
	case errors.Is(err, sqlite3.CONSTRAINT):
		sentinel = ErrConstraint
	default:
		return err
	}
	if errors.Is(err, sentinel) {
		return err
	}
	return fmt.Errorf("%w (%w)", sentinel, err)
}
