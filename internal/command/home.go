package command

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sotto/internal/client"
)

// A home directory holds one device: sotto.db, which is encrypted under the 32 random
// bytes of the file key, and while a process holds it sotto.sock. Whoever may read the
// directory has both: the encryption keeps the database from somebody who gets the
// file without the key (a backup, a synced folder), not from somebody who is on the
// machine as this user. A passphrase that encrypts the key comes later.
const (
	databaseFile = "sotto.db"
	keyFile      = "key"
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

// readKey reads the key of a home that exists; client.ErrNoAccount when there is none.
func readKey(home string) (key [32]byte, err error) {
	b, err := os.ReadFile(filepath.Join(home, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(home, databaseFile)); err == nil {
			return key, fail("wrong key", "the file \"key\" is missing in %s: without it nobody can open the database", home)
		}
		return key, client.ErrNoAccount
	}
	if err != nil {
		return key, err
	}
	if len(b) != len(key) {
		return key, fail("wrong key", "the file \"key\" in %s has %d bytes instead of %d: put the right one back", home, len(b), len(key))
	}
	return [32]byte(b), nil
}

// makeHome makes the directory and its key, unless they are there. The key is durable
// before anything is encrypted with it.
func makeHome(home string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("making the home directory: %w", err)
	}
	if err := os.Chmod(home, 0o700); err != nil {
		return err
	}
	if _, err := readKey(home); !errors.Is(err, client.ErrNoAccount) {
		return err
	}
	key := make([]byte, 32)
	rand.Read(key)
	f, err := os.CreateTemp(home, keyFile+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// Link refuses to replace a key that another process made at the same moment.
	if err := os.Link(f.Name(), filepath.Join(home, keyFile)); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(f.Name(), filepath.Join(home, keyFile)); err != nil { // a file system without links
			return err
		}
	}
	return syncDir(home)
}

// empty says whether the home's database was never written.
func empty(home string) bool {
	info, err := os.Stat(filepath.Join(home, databaseFile))
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}
