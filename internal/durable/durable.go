// Package durable puts whole files on the disk so that a crash at any point leaves the old
// one or the new one, and never half of either. Whoever keeps something in a plain file
// uses it. It knows nothing of what is in them.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes a file that only its owner may read in the place of the one at path.
// What it returns without an error is on the disk.
func Replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // without effect after the rename
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return Names(filepath.Dir(path))
}
