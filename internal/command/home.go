package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sotto/internal/custody"
)

// A home directory holds one device: sotto.db, which is encrypted under a key that
// internal/custody guards, and while a process holds it sotto.sock.
const (
	databaseFile = custody.DatabaseName
	socketFile   = "sotto.sock"
)

// DefaultHome is where the device lives unless --home says otherwise.
func DefaultHome() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", Usage("there is no place for a home directory: say where with --home DIR")
	}
	return filepath.Join(dir, "sotto"), nil
}

// empty says whether the home's database was never written.
func empty(home string) bool {
	info, err := os.Stat(filepath.Join(home, databaseFile))
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}
