package backup

import (
	"errors"
	"io"

	"sotto/internal/archive"
)

// Report is what a backup holds.
type Report struct {
	About
	Messages int64
	People   int
	Rooms    int // of which it knows more than messages
	Size     int64
}

// counting counts what is read.
type counting struct {
	io.Reader
	n int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}

// Check reads a backup to its end. unlock opens its key; whose is asked once it is known
// whose the backup is.
func Check(from io.Reader, unlock func(*Reader) (archive.Key, error), whose func(*Reader) error) (out Report, err error) {
	n := &counting{Reader: from}
	r, err := NewReader(n)
	if err != nil {
		return out, err
	}
	key, err := unlock(r)
	if err != nil {
		return out, err
	}
	defer clear(key[:])
	if out.About, err = r.Open(key); err == nil {
		err = whose(r)
	}
	if err != nil {
		return out, err
	}
	for {
		c, err := r.Next()
		if errors.Is(err, io.EOF) {
			out.Size = n.n
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out.Messages += int64(len(c.Messages))
		out.People += len(c.People)
		out.Rooms += len(c.Rooms)
	}
}
