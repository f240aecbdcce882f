package command

import (
	"bytes"
	"context"
	"errors"

	"sotto/internal/client"
	"sotto/internal/custody"
)

// Passphrase changes what guards the key of a home.
type Passphrase struct {
	Remove  bool   `help:"Take the passphrase away: the key lies beside the database again." xor:"to"`
	Keyring bool   `help:"Let the system's keyring guard the key instead." xor:"to"`
	Show    bool   `help:"Only tell what guards it." xor:"to"`
	NewFile string `help:"The file that holds the new passphrase, for scripts. Otherwise a terminal is asked, twice." placeholder:"FILE" xor:"to"`
}

// RunHome changes it. The database stays as it is, and so does a sotto that has it open.
func (o Passphrase) RunHome(ctx context.Context, home string, x *IO) error {
	guard := custody.At(home, custody.Options{})
	kind, err := guard.Kind()
	switch {
	case errors.Is(err, custody.ErrNone):
		return client.ErrNoAccount
	case err != nil:
		return err
	case o.Show:
		o.tell(kind, x)
		return nil
	}
	to := custody.Passphrase
	switch {
	case o.Remove:
		to = custody.File
	case o.Keyring:
		to = custody.Keyring
	}
	var old []byte
	if kind == custody.Passphrase {
		// The old one first: who cannot say it has nothing to change here.
		old, err = x.withPassphrase(ctx, func(b []byte) error {
			key, err := guard.Open(b)
			clear(key[:])
			return err
		})
		defer clear(old)
		if err != nil {
			return err
		}
	}
	var next []byte
	if to == custody.Passphrase {
		if next, err = o.next(ctx, x); err != nil {
			return err
		}
		defer clear(next)
	}
	if err := guard.Change(to, old, next); err != nil {
		return err
	}
	o.tell(to, x)
	return nil
}

// next is the new passphrase.
func (o Passphrase) next(ctx context.Context, x *IO) ([]byte, error) {
	if o.NewFile != "" {
		return passphraseFile(x.path(o.NewFile))
	}
	first, err := x.ask(ctx, "New passphrase: ")
	if errors.Is(err, custody.ErrLocked) {
		return nil, Usage("give the new passphrase on a terminal, or with --new-file FILE")
	}
	if err != nil {
		return nil, err
	}
	again, err := x.ask(ctx, "Once more: ")
	defer clear(again)
	if err == nil && !bytes.Equal(first, again) {
		err = fail("wrong passphrase", "the two are not the same; nothing was changed")
	}
	if err != nil {
		clear(first)
		return nil, err
	}
	return first, nil
}

func (Passphrase) tell(kind custody.Kind, x *IO) {
	text := map[custody.Kind]string{
		custody.File:       "The key lies beside the database: whoever gets both can read it.",
		custody.Passphrase: "The key is under a passphrase. Nobody can open this home without it, and nobody can tell it to you.",
		custody.Keyring:    "The key is under a secret that the system's keyring keeps.",
	}[kind]
	x.say(struct {
		Type    string       `json:"type"` // "custody"
		Custody custody.Kind `json:"custody"`
	}{"custody", kind}, "%s", text)
}
