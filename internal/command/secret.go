package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"

	"sotto/internal/client"
	"sotto/internal/custody"
)

// attempts is how often a person may mistype a passphrase.
const attempts = 3

// openKey opens the key of a home. A passphrase comes from the file that x names, or from
// the terminal; without either, custody.ErrLocked.
func (x *IO) openKey(ctx context.Context, guard *custody.Custody) (key [custody.KeySize]byte, err error) {
	kind, err := guard.Kind()
	if errors.Is(err, custody.ErrNone) {
		return key, client.ErrNoAccount
	}
	if err != nil || kind != custody.Passphrase {
		if err == nil {
			key, err = guard.Open(nil)
		}
		return key, err
	}
	if x.opened != nil { // this process has asked already
		return *x.opened, nil
	}
	passphrase, err := x.withPassphrase(ctx, func(passphrase []byte) (err error) {
		key, err = guard.Open(passphrase)
		return err
	})
	clear(passphrase)
	if err == nil {
		kept := key
		x.opened = &kept
	}
	return key, err
}

// withPassphrase calls use with the passphrase, again as long as a person mistypes it. It
// answers the one that was right; the caller overwrites it.
func (x *IO) withPassphrase(ctx context.Context, use func(passphrase []byte) error) ([]byte, error) {
	if x.Secret != "" {
		passphrase, err := passphraseFile(x.path(x.Secret))
		if err != nil {
			return nil, err
		}
		return passphrase, use(passphrase)
	}
	for n := 1; ; n++ {
		passphrase, err := x.ask(ctx, "Passphrase: ")
		if err != nil {
			return nil, err
		}
		if err = use(passphrase); err == nil || !errors.Is(err, custody.ErrWrong) || n == attempts {
			return passphrase, err
		}
		clear(passphrase)
		(&IO{Out: x.Err}).printf("That is not it.\n")
	}
}

// ask asks a terminal for a passphrase without showing it. When ctx ends, the terminal
// shows again what is typed; the read that nobody waits for ends with the process.
func (x *IO) ask(ctx context.Context, prompt string) ([]byte, error) {
	in, ok := x.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, custody.ErrLocked
	}
	to := &IO{Out: x.Err}
	to.printf("%s", prompt)
	defer to.printf("\n")
	before, err := term.GetState(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	type answer struct {
		b   []byte
		err error
	}
	typed := make(chan answer, 1)
	go func() {
		b, err := term.ReadPassword(int(in.Fd()))
		typed <- answer{b, err}
	}()
	select {
	case a := <-typed:
		if errors.Is(a.err, io.EOF) {
			a.err = custody.ErrLocked
		}
		return a.b, a.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(int(in.Fd()), before))
	}
}

// passphraseFile reads the first line of a file.
func passphraseFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fail("locked", "the passphrase could not be read: %s", err)
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, 8<<10)).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fail("locked", "the passphrase could not be read: %s", err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}
