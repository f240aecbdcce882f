package app

import (
	"errors"
	"os"

	win "golang.org/x/sys/windows"
)

// lockHome takes the lock of the one app of a home until release or the process's end.
func lockHome(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	const flags = win.LOCKFILE_EXCLUSIVE_LOCK | win.LOCKFILE_FAIL_IMMEDIATELY
	if err := win.LockFileEx(win.Handle(f.Fd()), flags, 0, 1, 0, &win.Overlapped{}); err != nil {
		f.Close()
		if errors.Is(err, win.ERROR_LOCK_VIOLATION) {
			return nil, ErrRunning
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}
