package mimi

import (
	"fmt"
	"math"
	"time"
)

// Expiry asks the receiver to delete a message (section 4.1). It is a request
// to an honest client; nothing enforces it.
type Expiry struct {
	Relative bool   // Seconds count from when the receiver reads the message
	Seconds  uint32 // if not Relative: seconds since 1970
}

// reasonable is how far away section 9.1 lets an expiry lie.
const reasonable = 366 * 24 * time.Hour

// Deadline is when to delete the message. read is when this client's person
// read it; it counts for a relative expiry only.
func (e Expiry) Deadline(read time.Time) time.Time {
	if e.Relative {
		return read.Add(time.Duration(e.Seconds) * time.Second)
	}
	return time.Unix(int64(e.Seconds), 0).UTC()
}

// Check gives ErrExpiry when the expiry lies more than a year from now. Such
// a message is nonsense and to be discarded (section 9.1). Parse does not
// call it, for it has no clock and old messages are read from storage.
func (e Expiry) Check(now time.Time) error {
	if d := e.Deadline(now).Sub(now); d > reasonable || d < -reasonable {
		return fmt.Errorf("%w: %v away", ErrExpiry, d)
	}
	return nil
}

// ExpireAt asks that the message be deleted at t, rounded down to a second,
// read or not. Times before 1970 and after 2106 are ErrExpiry.
func (c *Content) ExpireAt(t time.Time) error {
	return c.expire(false, t.Unix())
}

// ExpireAfterRead asks that the message be deleted d after it was read. d is
// whole seconds, at least one; less is ErrExpiry.
func (c *Content) ExpireAfterRead(d time.Duration) error {
	if d < time.Second {
		return fmt.Errorf("%w: %v after reading", ErrExpiry, d)
	}
	return c.expire(true, int64(d/time.Second))
}

func (c *Content) expire(relative bool, seconds int64) error {
	if seconds < 0 || seconds > math.MaxUint32 {
		return fmt.Errorf("%w: %d seconds", ErrExpiry, seconds)
	}
	c.Expires = &Expiry{Relative: relative, Seconds: uint32(seconds)}
	return nil
}

func (e *Expiry) append(b []byte) []byte {
	if e == nil {
		return appendNull(b)
	}
	return appendUint(appendBool(appendArray(b, 2), e.Relative), uint64(e.Seconds))
}
