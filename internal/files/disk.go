package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// System is the file system of transfers. A test puts one that fails in its place.
type System interface {
	// Open opens a regular file to be read.
	Open(path string) (Source, error)
	// Create makes a file that is not there and that only this user may read.
	Create(path string) (Target, error)
	// Reopen opens a file that Create made and that is not whole.
	Reopen(path string) (Target, error)
	// Place gives a file its name, durably, unless that is taken: fs.ErrExist.
	Place(from, to string) error
	Remove(path string) error
	// Names are the names in a directory; none if there is no such directory.
	Names(dir string) ([]string, error)
	MakeDir(dir string) error
	// Sync makes the names in a directory durable.
	Sync(dir string) error
	// Mark says of a file that it came from outside, where the system has such a mark.
	Mark(path string)
}

// Source is a file that is being read.
type Source interface {
	io.ReaderAt
	io.Closer
	// Info is its size in bytes, and when it was last changed.
	Info() (size int64, changed time.Time, err error)
}

// Target is a file that is being written.
type Target interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
}

// Disk is the file system of this machine.
type Disk struct{}

type source struct{ *os.File }

func (s source) Info() (int64, time.Time, error) {
	info, err := s.Stat()
	if err != nil {
		return 0, time.Time{}, err
	}
	return info.Size(), info.ModTime(), nil
}

// Open implements System. A pipe or a device could hold whoever reads it for ever.
func (Disk) Open(path string) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return source{f}, nil
}

// Create implements System.
func (Disk) Create(path string) (Target, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// Reopen implements System.
func (Disk) Reopen(path string) (Target, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // somebody put something else there
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a file")}
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

// Place implements System: by a second name, which no system gives where there is one. Where
// there are no second names it takes the name first and puts the file in its place.
func (Disk) Place(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		err = os.Remove(from)
	case !errors.Is(err, fs.ErrExist):
		var f *os.File
		if f, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			err = errors.Join(f.Close(), os.Rename(from, to))
		}
	}
	return errors.Join(err, Disk{}.Sync(filepath.Dir(to)))
}

// Remove implements System.
func (Disk) Remove(path string) error { return os.Remove(path) }

// Names implements System.
func (Disk) Names(dir string) (out []string, err error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out, err
}

// MakeDir implements System.
func (Disk) MakeDir(dir string) error { return os.MkdirAll(dir, 0o700) }

// Sync implements System, where a system has that.
func (Disk) Sync(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Mark implements System. A file system without marks has none.
func (Disk) Mark(path string) { mark(path) }
