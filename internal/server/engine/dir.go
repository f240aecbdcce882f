package engine

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// MakeDir makes a directory and those above it that are missing, and makes their names
// durable: files that were synced in a directory that a power cut takes away are gone.
func MakeDir(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	}
	above := fs.PathDir(dir)
	if above != dir {
		if err := MakeDir(fs, above); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	d, err := fs.OpenDir(above)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
