package command

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sotto/internal/room"
)

// path is a file that a person named; ~ is their directory. A command that another process
// handed over means the directory of that one.
func (x *IO) path(name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return filepath.Join(dir, rest)
		}
	}
	if x.Dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(x.Dir, name)
}

// picture reads a picture to be shown to others.
func (x *IO) picture(name string) ([]byte, error) {
	f, err := os.Open(x.path(name))
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, room.MaxPicture+1))
	switch {
	case err != nil:
		return nil, unreadable(name, err)
	case len(b) == 0:
		return nil, fail("malformed", "%s is empty", name)
	case len(b) > room.MaxPicture:
		return nil, fail("too large", "a picture has at most %d KiB: make it smaller first", room.MaxPicture>>10)
	}
	return b, nil
}

func unreadable(name string, err error) error {
	return fail("file", "%s could not be read: %s", name, bare(err))
}

// bare is an error of a file without its name, which the person knows.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// save writes a new file that only this user may read. Whatever goes wrong, no half of one
// is left, and no file that is there is overwritten.
func (x *IO) save(name string, write func(io.Writer) error) (size int64, err error) {
	path := x.path(name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, fail("file", "%s is there already: choose another name", name)
	}
	if err != nil {
		return 0, fail("file", "%s could not be written: %s", name, bare(err))
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if info, e := f.Stat(); e == nil {
		size = info.Size()
	}
	return size, errors.Join(err, f.Close())
}
