package app

import (
	"sotto/internal/app/api"
)

func recoveryOf(c *call) (api.Recovery, error) {
	r, err := c.c.Recovery()
	out := api.Recovery{Set: r.Set, At: r.At, Places: r.Places, Record: r.Record}
	if r.Back != nil {
		out.Back = &api.Back{People: r.Back.People, Rooms: r.Back.Rooms}
	}
	return out, err
}

// makeWords makes words. Whoever sits down at an open window must not be able to set those of
// an account that has none: where a passphrase guards the key, it is asked for.
func makeWords(c *call, in api.MakeWords) (out api.NewWords, err error) {
	if err := c.proved(in.Passphrase); err != nil {
		return out, err
	}
	list, err := c.c.MakeWords(c.ctx, in.Old)
	if err != nil {
		return out, err
	}
	r, err := c.c.Recovery()
	return api.NewWords{Words: list[:], Places: r.Places}, err
}

func confirmWords(c *call, in api.ConfirmWords) (api.Recovery, error) {
	if err := c.c.ConfirmWords(c.ctx, in.Words); err != nil {
		return api.Recovery{}, err
	}
	return recoveryOf(c)
}

func dropWords(c *call) error {
	c.c.DropWords()
	return nil
}

// recoverAccount makes this device the only one of an account, by its words.
func recoverAccount(c *call, in api.RecoverAccount) (api.Self, error) {
	if err := c.mayTake(in.Backup, in.Words); err != nil {
		return api.Self{}, err
	}
	self, err := c.entered(in.Passphrase, func() error { return c.c.Recover(c.ctx, in.Handle, in.Words, in.Name) })
	if err == nil && in.Backup != "" {
		// The account is here, whatever becomes of the backup: how that goes stands in it.
		from := api.RestoreBackup{From: in.Backup, Words: in.Words}
		if in.Backup == api.RestoreServer {
			from.Words = "" // where it is came with the account
		}
		if err := c.restore(from); err != nil {
			c.app.log.Warn("a backup was not restored", "why", err)
		}
	}
	return self, err
}
