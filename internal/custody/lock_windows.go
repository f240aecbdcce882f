package custody

import (
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// lock keeps other processes from changing the custody meanwhile. It waits for them for
// a while.
func (c *Custody) lock(wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(c.path(lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
		if err == nil {
			return func() { f.Close() }, nil
		}
		if time.Now().After(end) {
			f.Close()
			return nil, ErrBusy
		}
	}
}
