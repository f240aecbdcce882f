package backup

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Files is where backups are kept. A test puts a disk that fails in its place.
type Files interface {
	// Create makes a file that is not there and that only this user may read.
	Create(path string) (File, error)
	Open(path string) (io.ReadCloser, error)
	Rename(from, to string) error
	Remove(path string) error
	// Names are the names in a directory.
	Names(dir string) ([]string, error)
	// Sync makes the names in a directory durable.
	Sync(dir string) error
}

// File is a file that is being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Disk is the file system of this machine.
type Disk struct{}

// Create makes a file.
func (Disk) Create(path string) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// Open opens a file. A pipe or a device could hold whoever reads it for ever.
func (Disk) Open(path string) (io.ReadCloser, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a file")}
	}
	return os.Open(path)
}

// Rename puts a file in the place of another.
func (Disk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove removes a file.
func (Disk) Remove(path string) error { return os.Remove(path) }

// Names are the names in a directory.
func (Disk) Names(dir string) (out []string, err error) {
	list, err := os.ReadDir(dir)
	for _, e := range list {
		if e.Type().IsRegular() {
			out = append(out, e.Name())
		}
	}
	return out, err
}

// Sync makes the names in a directory durable, where a system has that.
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

// partial ends the name of a file that is not whole.
const partial = ".partial"

// Partial is where a backup stands until it is whole.
func Partial(path string) string { return path + partial }

// Name is that of a scheduled backup in a folder. mark tells those of one device from all
// others: nothing in it says whose it is.
func Name(mark string, at time.Time) string {
	return "sotto-" + mark + "-" + at.UTC().Format("20060102-150405") + Extension
}

// Prune removes from a folder what a device has begun there and not ended, and all of its
// scheduled backups but the last ones.
func Prune(f Files, dir, mark string, keep int) error {
	names, err := f.Names(dir)
	if err != nil {
		return err
	}
	var whole []string
	for _, n := range names {
		switch {
		case !strings.HasPrefix(n, "sotto-"+mark+"-"):
		case strings.HasSuffix(n, Extension+partial):
			err = errors.Join(err, f.Remove(filepath.Join(dir, n)))
		case strings.HasSuffix(n, Extension):
			whole = append(whole, n)
		}
	}
	slices.Sort(whole) // by their time
	for len(whole) > keep {
		err = errors.Join(err, f.Remove(filepath.Join(dir, whole[0])))
		whole = whole[1:]
	}
	return err
}
