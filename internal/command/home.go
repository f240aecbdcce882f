package command

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sotto/internal/client"
	"sotto/internal/custody"
)

// A home directory holds one device: sotto.db, which is encrypted under the key that
// internal/custody guards (the file key), and while a process holds it sotto.sock.
const (
	databaseFile = "sotto.db"
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

// passphraseVariable holds the passphrase of a home for commands that open it themselves.
// While the app runs they need none: they go through it.
const passphraseVariable = "SOTTO_PASSPHRASE"

// guardOf is what guards the key of a home.
func guardOf(home string) *custody.Custody { return custody.At(home, custody.Options{}) }

// readKey opens the key of a home that exists; client.ErrNoAccount when there is none.
func readKey(home string) ([32]byte, error) {
	key, err := guardOf(home).Open([]byte(os.Getenv(passphraseVariable)))
	switch {
	case errors.Is(err, custody.ErrNone):
		err = client.ErrNoAccount
	case errors.Is(err, custody.ErrMissing):
		err = fail("wrong key", "the file \"key\" is missing in %s: without it nobody can open the database", home)
	case errors.Is(err, custody.ErrDamaged):
		err = fail("wrong key", "the file \"key\" in %s is not one that sotto has written: put the right one back", home)
	case errors.Is(err, custody.ErrLocked):
		err = fail("locked", "this home has a passphrase: start sotto and unlock it, or put the passphrase into the variable %s", passphraseVariable)
	}
	return key, err
}

// makeHome makes the directory and its key, unless they are there.
func makeHome(home string) error { return guardOf(home).Make() }

// empty says whether the home's database was never written.
func empty(home string) bool {
	info, err := os.Stat(filepath.Join(home, databaseFile))
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}
