package client

import (
	"context"
	"errors"
	"io"

	"sotto/internal/archive"
	"sotto/internal/backup"
	"sotto/internal/recovery"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Facts of restoring.
const (
	factRestore = "restore"      // restoring
	factOffer   = "backup offer" // backup.Pointer, of what stood at the home server when this device came back by the words
)

// Errors of restoring.
var (
	ErrRestoring   = errors.New("a backup is being restored here already")
	ErrNoServer    = errors.New("there is no backup at your home server")
	ErrServerWords = errors.New("a backup at the home server opens with the 24 words")
)

// restoring is how far a backup was taken, durable: after a crash it goes on there, or, of a file,
// passes over what it has. What is here already stays as it is.
type restoring struct {
	Path   string          `cbor:"1,keyasint,omitempty"`
	Key    archive.Key     `cbor:"2,keyasint"`
	Next   uint64          `cbor:"3,keyasint,omitempty"` // chunk
	Got    uint64          `cbor:"4,keyasint,omitempty"` // messages
	Total  uint64          `cbor:"5,keyasint,omitempty"`
	From   *backup.Pointer `cbor:"6,keyasint,omitempty"` // at the home server
	Remove bool            `cbor:"7,keyasint,omitempty"` // the file, when it is over
	Done   bool            `cbor:"8,keyasint,omitempty"`
	Time   int64           `cbor:"9,keyasint,omitempty"`  // when the backup was made
	Lost   uint64          `cbor:"10,keyasint,omitempty"` // chunks that could not be taken
	Why    string          `cbor:"11,keyasint,omitempty"` // it ended
}

// RestoreStatus is how far a restore is, or how the last one ended.
type RestoreStatus struct {
	Got, Total int64 // messages
	Time       int64 // when the backup was made
	Done       bool
	Lost       int   // parts that were gone or damaged
	Err        error // why it ended before the end
}

func (r *restoring) status() *RestoreStatus {
	s := &RestoreStatus{Got: int64(min(r.Got, 1<<62)), Total: int64(min(max(r.Total, r.Got), 1<<62)), Time: r.Time, Done: r.Done, Lost: int(min(r.Lost, 1<<30))}
	if r.Why != "" {
		s.Err = errors.New(r.Why)
	}
	return s
}

// RestoreSecret opens a backup: the 24 words, or a passphrase.
type RestoreSecret struct {
	Words, Passphrase string
}

// open says how a backup's key is opened.
func (s RestoreSecret) open() (func(*backup.Reader) (archive.Key, error), error) {
	secret := backup.Secret{Passphrase: s.Passphrase}
	if s.Words != "" {
		w, err := recovery.Parse(s.Words)
		if err != nil {
			return nil, err
		}
		defer w.Erase()
		if secret.Words, err = w.Keys(); err != nil {
			return nil, err
		}
	}
	return func(r *backup.Reader) (archive.Key, error) { return r.Key(secret) }, nil
}

// RestoreFile begins to take what a backup of this account holds, and answers when it was
// opened. What is here already stays as it is. remove has the file removed when it is over.
func (c *Client) RestoreFile(ctx context.Context, path string, secret RestoreSecret, remove bool) error {
	open, err := secret.open()
	if err != nil {
		return err
	}
	return c.wait(ctx, func(done func(error)) {
		if err := c.mayRestore(); err != nil {
			done(err)
			return
		}
		r := &restoring{Path: path, Remove: remove}
		run := &restoreRun{c: c, at: r}
		c.restore = run
		chain := c.chain.Clone()
		c.aside(func() (err error) {
			run.reader, run.file, err = openBackup(c.o.Files, path)
			if err == nil {
				r.Key, err = open(run.reader)
			}
			var about backup.About
			if err == nil {
				about, err = run.reader.Open(r.Key)
				r.Time = about.Time
			}
			if err == nil {
				err = run.reader.By(chain)
			}
			return err
		}, func(err error) {
			if err == nil {
				err = c.write(func(tx store.Tx) error { return tx.SetFact(factRestore, wire.Marshal(*r)) })
			}
			if err != nil {
				run.close()
				c.restore = nil
				done(err)
				return
			}
			done(nil)
			run.step()
		})
	})
}

func openBackup(files backup.Files, path string) (*backup.Reader, io.Closer, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, nil, err
	}
	r, err := backup.NewReader(f)
	return r, f, err
}

// RestoreServer begins to take the backup at the home server. The words are not needed where
// this device came back by them and has not made a backup of its own since.
func (c *Client) RestoreServer(ctx context.Context, words string) error {
	return c.wait(ctx, func(done func(error)) {
		if err := c.mayRestore(); err != nil {
			done(err)
			return
		}
		var offer *backup.Pointer
		if err := c.read(func(tx store.Tx) (err error) { offer, err = loadFact[backup.Pointer](tx, factOffer); return err }); err != nil {
			done(err)
			return
		}
		if offer != nil && words == "" {
			done(c.restoreFrom(*offer))
			return
		}
		w, err := recovery.Parse(words)
		if words == "" {
			err = ErrServerWords
		}
		if err != nil {
			done(err)
			return
		}
		defer w.Erase()
		keys, err := w.Keys()
		if err != nil || !c.homeUp() {
			done(errors.Join(err, ErrUnreachable))
			return
		}
		ask(c.account.link, wire.OpBackup, wire.Backup{}, func(v wire.Backup, err error) {
			if err == nil && v.Sealed == nil {
				err = ErrNoServer
			}
			var p backup.Pointer
			if err == nil {
				p, err = backup.OpenPointer(keys, c.chain, v.Sealed)
			}
			if err == nil {
				err = c.mayRestore()
			}
			if err == nil {
				err = c.restoreFrom(p)
			}
			done(err)
		})
	})
}

func (c *Client) mayRestore() error {
	switch {
	case !c.opened:
		return ErrNoAccount
	case c.unlinked():
		return ErrUnlinked
	case c.restore != nil:
		return ErrRestoring
	case c.saving != nil:
		return ErrBackingUp
	}
	return nil
}

func (c *Client) restoreFrom(p backup.Pointer) error {
	r := &restoring{From: &p, Time: p.Time, Total: p.Count}
	if err := c.write(func(tx store.Tx) error { return tx.SetFact(factRestore, wire.Marshal(*r)) }); err != nil {
		return err
	}
	c.restore = &restoreRun{c: c, at: r}
	c.restore.step()
	return nil
}

// resumeRestore goes on with what was being restored when this device stopped.
func (c *Client) resumeRestore() {
	if c.restore != nil || c.closed || c.unlinked() {
		return
	}
	var r *restoring
	if err := c.read(func(tx store.Tx) (err error) { r, err = loadFact[restoring](tx, factRestore); return err }); err != nil {
		c.fail("reading how far a backup was restored", err)
		return
	}
	if r == nil || r.Done || r.Why != "" {
		return
	}
	c.restore = &restoreRun{c: c, at: r}
	c.restore.step()
}

// WaitRestored waits until what is being restored is here, or cannot be.
func (c *Client) WaitRestored(ctx context.Context) (out RestoreStatus, err error) {
	err = c.wait(ctx, func(done func(error)) {
		c.until(func() (bool, error) { return c.restore == nil, nil }, done)
	})
	if err != nil {
		return out, err
	}
	s, err := c.Backups()
	if err == nil && s.Restore != nil {
		out = *s.Restore
	}
	return out, err
}

// tellRestoreLost tells that parts of a backup could not be taken.
func (c *Client) tellRestoreLost(tx store.Tx, after *[]func(), n uint64) error {
	return c.notice(tx, after, nil, NoticeFailed, said.Of("backup.lost").Count(int64(min(n, 1<<30))))
}
