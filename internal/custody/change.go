package custody

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"sotto/internal/durable"
)

// Change changes what guards the key. old is the passphrase until now, where there is one;
// next the new one, for Passphrase.
//
// The order: a new secret goes into the keyring (if that is where it goes); the new file is
// written beside the old one and made durable; the old one gets a second name; a rename
// puts the new one in its place, and is made durable; the old file is overwritten and
// unlinked, and its secret taken out of the keyring. A crash before the rename leaves the
// old custody, one after it the new one; what is left over goes with the next Open.
func (c *Custody) Change(to Kind, old, next []byte) error {
	if to == Passphrase {
		if err := longEnough(next); err != nil {
			return err
		}
	}
	unlock, err := c.lock(lockTime)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.clean(); err != nil {
		return err
	}
	key, err := c.open(old)
	if err != nil {
		return err
	}
	defer clear(key[:])
	content, entry, err := c.guarded(to, key[:], next)
	if err != nil {
		return err
	}
	defer clear(content)
	if err := c.replace(content); err != nil {
		if entry != nil && !c.names(*entry) {
			_ = c.o.Ring.Delete(entry.String())
		}
		return fmt.Errorf("what guards this home could not be changed: %w", err)
	}
	return c.clean()
}

// guarded is the key file for a kind of custody, and the keyring's entry it needs.
func (c *Custody) guarded(to Kind, key, passphrase []byte) (content []byte, entry *entryName, err error) {
	r := record{Version: version}
	var secret []byte
	switch to {
	case File:
		return append([]byte(nil), key...), nil, nil
	case Passphrase:
		cost := c.o.Cost
		if cost == nil {
			measured := calibrate()
			cost = &measured
		}
		if !cost.sound() {
			return nil, nil, fmt.Errorf("custody: a cost of %+v is out of bounds", *cost)
		}
		r.Guard, r.Argon = guardPassphrase, &argon{Memory: cost.Memory, Passes: cost.Passes, Threads: cost.Threads}
		if _, err := io.ReadFull(c.o.Rand, r.Argon.Salt[:]); err != nil {
			return nil, nil, err
		}
		text, err := normal(passphrase)
		if err != nil {
			return nil, nil, err
		}
		defer clear(text)
		secret = c.o.derive(text, r.Argon.Salt[:], *cost)
	case Keyring:
		r.Guard, r.Entry, entry = guardKeyring, new(entryName), new(entryName)
		secret = make([]byte, 32)
		if _, err := io.ReadFull(c.o.Rand, r.Entry[:]); err != nil {
			return nil, nil, err
		}
		*entry = *r.Entry
		if _, err := io.ReadFull(c.o.Rand, secret); err != nil {
			return nil, nil, err
		}
		if err := c.o.step("keyring"); err != nil {
			return nil, nil, err
		}
		if err := c.store(*entry, secret); err != nil {
			return nil, nil, err
		}
	default:
		return nil, nil, fmt.Errorf("custody: %q is no kind of custody", to)
	}
	if err := r.seal(secret, key, c.o.Rand); err != nil {
		return nil, nil, err
	}
	return r.encode(), entry, nil
}

// store puts a secret into the keyring and looks whether it is there: nothing depends on
// a keyring that says yes and keeps nothing.
func (c *Custody) store(name entryName, secret []byte) error {
	if err := c.o.Ring.Set(name.String(), secret); err != nil {
		return err
	}
	kept, err := c.o.Ring.Get(name.String())
	defer clear(kept)
	if err == nil && string(kept) != string(secret) {
		err = ErrKeyring
	}
	return err
}

// names says whether the key file names an entry of the keyring, or may.
func (c *Custody) names(e entryName) bool {
	bare, r, err := c.read()
	return err != nil || bare == nil && r.Entry != nil && *r.Entry == e
}

// replace puts content in the place of the key file, which gets the name of an old one.
func (c *Custody) replace(content []byte) error {
	if err := c.o.step("write"); err != nil {
		return err
	}
	name, err := c.temp(content)
	if err != nil {
		return err
	}
	defer os.Remove(name) // without effect after the rename
	if err := c.o.step("link"); err != nil {
		return err
	}
	// Where there are no links, the old file is kept open to be overwritten after.
	var open *os.File
	if err := os.Link(c.path(keyName), c.path(oldName)); err != nil {
		if open, err = os.OpenFile(c.path(keyName), os.O_WRONLY, 0); err != nil {
			return err
		}
		defer open.Close()
	}
	if err := c.o.step("rename"); err != nil {
		return err
	}
	if err := os.Rename(name, c.path(keyName)); err != nil {
		return err
	}
	if err := c.o.step("sync"); err != nil {
		return err
	}
	if err := durable.Names(c.home); err != nil {
		return err
	}
	if open != nil {
		return overwrite(open)
	}
	return nil
}

// sweep ends what an interrupted change has left, unless a change is under way.
func (c *Custody) sweep() {
	left, _ := filepath.Glob(c.path(tempPattern))
	if _, err := os.Lstat(c.path(oldName)); err != nil && len(left) == 0 {
		return
	}
	if unlock, err := c.lock(0); err == nil {
		defer unlock()
		_ = c.clean() // the next one tries again
	}
}

// clean removes what is left of a change. The caller holds the lock.
func (c *Custody) clean() error {
	left, err := filepath.Glob(c.path(tempPattern))
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := c.erase(name); err != nil {
			return err
		}
	}
	old, err := os.Lstat(c.path(oldName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := os.Lstat(c.path(keyName))
	if err != nil {
		return err // keep the only one there is
	}
	if os.SameFile(old, now) { // it was stopped before the rename: the file has two names
		return errors.Join(os.Remove(c.path(oldName)), durable.Names(c.home))
	}
	if b, err := readSome(c.path(oldName)); err == nil {
		if _, r, err := parse(b); err == nil && r.Entry != nil && !c.names(*r.Entry) {
			_ = c.o.Ring.Delete(r.Entry.String()) // of no use to anybody without the file
		}
		clear(b)
	}
	return c.erase(c.path(oldName))
}

// erase overwrites a file and unlinks it.
//
// What overwriting gives: on a disk that writes in place, the bytes are gone. A flash
// drive writes elsewhere and lets the old block stand until it needs it; a file system
// that copies on write, or has snapshots, does the same. There the old file may be found
// by whoever reads the raw medium, so a key that lay bare on such a disk is only as safe
// as the encryption of that disk. To be sure, begin a new home there.
func (c *Custody) erase(name string) error {
	if err := c.o.step("overwrite"); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(overwrite(f), f.Close()); err != nil {
		return err
	}
	if err := c.o.step("unlink"); err != nil {
		return err
	}
	return errors.Join(os.Remove(name), durable.Names(c.home))
}

func overwrite(f *os.File) error {
	noise := make([]byte, maxFile)
	rand.Read(noise)
	_, err := f.WriteAt(noise, 0)
	return errors.Join(err, f.Sync())
}
