//go:build !windows

package custody

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lock keeps other processes from changing the custody meanwhile. It waits for them for
// a while. The file stays: removing
// it would let two hold a lock of the same name.
func (c *Custody) lock(wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(c.path(lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Now().After(end) {
			f.Close()
			return nil, ErrBusy
		}
	}
}
