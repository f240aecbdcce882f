package custody

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"sotto/internal/durable"
)

// Make makes the home directory and a bare key, unless they are there. The key is durable
// before anything is encrypted with it.
func (c *Custody) Make() error {
	if err := os.MkdirAll(c.home, 0o700); err != nil {
		return fmt.Errorf("making the home directory: %w", err)
	}
	if err := os.Chmod(c.home, 0o700); err != nil {
		return err
	}
	if _, err := c.Kind(); !errors.Is(err, ErrNone) {
		return err
	}
	unlock, err := c.lock(lockTime)
	if err != nil {
		return err
	}
	defer unlock()
	key := make([]byte, KeySize)
	defer clear(key)
	if _, err := io.ReadFull(c.o.Rand, key); err != nil {
		return err
	}
	name, err := c.temp(key)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	// Link refuses to replace a key that is there already.
	if err := os.Link(name, c.path(keyName)); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(name, c.path(keyName)); err != nil { // a file system without links
			return err
		}
	}
	return durable.Names(c.home)
}

// temp writes a file of mode 0600 into the home and makes its content durable.
func (c *Custody) temp(content []byte) (name string, err error) {
	f, err := os.CreateTemp(c.home, tempPattern)
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// read reads the key file.
func (c *Custody) read() (bare *[KeySize]byte, r record, err error) {
	b, err := readSome(c.path(keyName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(c.path(DatabaseName)); err == nil {
			return nil, r, ErrMissing
		}
		return nil, r, ErrNone
	}
	if err != nil {
		return nil, r, err
	}
	defer clear(b)
	return parse(b)
}

// readSome reads no more of a file than a key file may have, and one byte.
func readSome(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Kind says what guards the key. ErrNone: there is no home here.
func (c *Custody) Kind() (Kind, error) {
	bare, r, err := c.read()
	switch {
	case err != nil:
		return "", err
	case bare != nil:
		clear(bare[:])
		return File, nil
	}
	return r.kind(), nil
}

// Open answers the key. passphrase counts for Passphrase alone; without one that answers
// ErrLocked. The caller overwrites the key when it is done with it.
func (c *Custody) Open(passphrase []byte) (key [KeySize]byte, err error) {
	c.sweep()
	return c.open(passphrase)
}

func (c *Custody) open(passphrase []byte) (key [KeySize]byte, err error) {
	bare, r, err := c.read()
	switch {
	case err != nil:
		return key, err
	case bare != nil:
		defer clear(bare[:])
		return *bare, nil
	}
	secret, err := c.secret(r, passphrase)
	if err != nil {
		return key, err
	}
	key, err = r.open(secret)
	switch {
	case err == nil:
		return key, nil
	case errors.Is(err, errSealed) && r.Guard == guardPassphrase:
		return key, ErrWrong
	case errors.Is(err, errSealed):
		return key, ErrDamaged
	}
	return key, err
}

// secret is what the seal of a record opens with.
func (c *Custody) secret(r record, passphrase []byte) ([]byte, error) {
	if r.Guard == guardKeyring {
		return c.o.Ring.Get(r.Entry.String())
	}
	if len(passphrase) == 0 {
		return nil, ErrLocked
	}
	text, err := normal(passphrase)
	if err != nil {
		return nil, ErrWrong
	}
	defer clear(text)
	return c.o.derive(text, r.Argon.Salt[:], r.Argon.cost()), nil
}
