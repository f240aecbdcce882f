package client

import (
	"context"
	"encoding/hex"
	"errors"
	"path/filepath"
	"time"

	"sotto/internal/backup"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Facts of backups.
const (
	factBackup      = "backup"       // backupPlan
	factBackupState = "backup state" // backupState
)

// Times of scheduled backups.
const (
	Daily        = 24 * time.Hour
	Weekly       = 7 * Daily
	backupRetry  = 5 * time.Minute // after a failure, at longer and longer distances
	backupLast   = 6 * time.Hour   // the longest of them
	backupTold   = 3               // so many failures in a row are told
	backupsKept  = 3               // files in a folder
	foreverNever = int64(1<<63 - 1)
)

// Errors of backups.
var (
	ErrBackingUp  = errors.New("a backup is under way already")
	ErrNoBackup   = errors.New("where is the backup to go? Name a file, a folder or the home server")
	ErrNoFile     = errors.New("this file is there already and is no backup of sotto: choose another name")
	ErrServerOnly = errors.New("a backup at the home server opens with the 24 words alone: write them down first")
)

// backupPlan is when and where this device makes backups by itself.
type backupPlan struct {
	Every  int64        `cbor:"1,keyasint,omitempty"` // milliseconds; 0: not by itself
	Folder string       `cbor:"2,keyasint,omitempty"`
	Server bool         `cbor:"3,keyasint,omitempty"`
	Lock   *backup.Lock `cbor:"4,keyasint,omitempty"` // what a passphrase for files became
	Mark   string       `cbor:"5,keyasint,omitempty"` // of this device's files in the folder
}

// backupState is how the last runs went.
type backupState struct {
	Time     int64     `cbor:"1,keyasint,omitempty"` // when the last one that was made was begun
	Looked   int64     `cbor:"2,keyasint,omitempty"` // when it was last found that nothing has changed since, or made
	Size     int64     `cbor:"3,keyasint,omitempty"`
	Messages int64     `cbor:"4,keyasint,omitempty"`
	Sum      wire.Hash `cbor:"5,keyasint,omitempty"` // of what it holds
	Path     string    `cbor:"6,keyasint,omitempty"`
	Words    wire.Hash `cbor:"7,keyasint,omitempty"` // of the recovery key that opens it
	Tries    uint64    `cbor:"8,keyasint,omitempty"` // failures since
	Tried    int64     `cbor:"9,keyasint,omitempty"`
	Why      string    `cbor:"10,keyasint,omitempty"`
	Code     uint64    `cbor:"11,keyasint,omitempty"` // of a refusal
	// at the home server
	Pointer []byte       `cbor:"12,keyasint,omitempty"` // as it stands there
	Index   *backup.Part `cbor:"13,keyasint,omitempty"`
	Until   int64        `cbor:"14,keyasint,omitempty"` // when the first of its blobs ends
	Trying  []byte       `cbor:"15,keyasint,omitempty"` // a pointer that may stand there
}

// BackupPlan is when and where this device makes backups by itself.
type BackupPlan struct {
	Every      time.Duration // 0, Daily or Weekly
	Folder     string        // absolute; "" with Server
	Server     bool          // at the home server
	Passphrase string        // for files, beside the words or in their place; "": as it was
}

// BackupStatus is how backups stand on this device.
type BackupStatus struct {
	Plan       BackupPlan // without its passphrase
	Locked     bool       // files have a passphrase
	Last       int64      // when the last one was begun, Unix milliseconds; 0: there is none
	Path       string     // of it, in the folder
	Size       int64      // bytes
	Messages   int64
	Next       int64 // when one is due; 0: never
	Until      int64 // one at the home server that is never renewed ends then
	Tries      int   // failures in a row
	Err        error // the last of them
	Running    bool
	Done, Of   int64 // messages that the run has read, and all
	Offer      *BackupOffer
	Restore    *RestoreStatus
	HaveServer bool // the last one is at the home server
}

// BackupOffer is a backup at the home server that this device found when it came back by the
// words.
type BackupOffer struct {
	Time, Size, Messages int64
}

// Backups answers how backups stand.
func (c *Client) Backups() (out BackupStatus, err error) {
	c.on(func() {
		if !c.opened {
			err = ErrNoAccount
			return
		}
		err = c.read(func(tx store.Tx) error {
			plan, state, err := c.backupFacts(tx)
			if err != nil {
				return err
			}
			out.Plan = BackupPlan{Every: msDuration(plan.Every), Folder: plan.Folder, Server: plan.Server}
			out.Locked = plan.Lock != nil
			out.Last, out.Path, out.Size, out.Messages, out.Until, out.HaveServer = state.Time, state.Path, state.Size, state.Messages, state.Until, state.Pointer != nil
			out.Tries, out.Err = int(min(state.Tries, 1<<30)), state.err()
			if out.Next = c.backupDue(plan, state); out.Next == foreverNever {
				out.Next = 0
			}
			if s := c.saving; s != nil {
				out.Running, out.Done, out.Of = true, int64(s.place.Messages), int64(max(s.place.Total, s.place.Messages))
			}
			p, err := loadFact[backup.Pointer](tx, factOffer)
			if err == nil && p != nil {
				out.Offer = &BackupOffer{Time: p.Time, Size: int64(min(p.Size, 1<<62)), Messages: int64(min(p.Count, 1<<62))}
			}
			r, e := loadFact[restoring](tx, factRestore)
			if r != nil {
				out.Restore = r.status()
			}
			return errors.Join(err, e)
		})
	})
	return out, err
}

func (s backupState) err() error {
	switch {
	case s.Why == "":
		return nil
	case s.Code != 0:
		return &wire.Error{Code: wire.Code(s.Code), Sentence: s.Why}
	}
	return errors.New(s.Why)
}

// backupFacts reads the plan and the state, which are empty at first.
func (c *Client) backupFacts(tx store.Tx) (backupPlan, backupState, error) {
	p, err := loadFact[backupPlan](tx, factBackup)
	if p == nil {
		p = new(backupPlan)
	}
	s, e := loadFact[backupState](tx, factBackupState)
	if s == nil {
		s = new(backupState)
	}
	return *p, *s, errors.Join(err, e)
}

// SetBackups changes when and where this device makes backups by itself.
func (c *Client) SetBackups(ctx context.Context, p BackupPlan) error {
	lock, err := c.newLock(p.Passphrase)
	if err != nil {
		return err
	}
	switch {
	case p.Every != 0 && p.Every != Daily && p.Every != Weekly:
		return wire.Refuse(wire.CodeMalformed, "backups are made daily, weekly, or not by themselves")
	case p.Server && p.Folder != "":
		return wire.Refuse(wire.CodeMalformed, "backups go to a folder or to the home server")
	case p.Every != 0 && !p.Server && p.Folder == "":
		return ErrNoBackup
	case p.Folder != "" && !filepath.IsAbs(p.Folder):
		return wire.Refuse(wire.CodeMalformed, "the folder of backups is named from the root")
	}
	if p.Folder != "" {
		if _, err := c.o.Files.Names(p.Folder); err != nil {
			return err
		}
	}
	return c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		done(c.update(func(tx store.Tx, after *[]func()) error {
			old, state, err := c.backupFacts(tx)
			if err != nil {
				return err
			}
			next := backupPlan{Every: p.Every.Milliseconds(), Folder: p.Folder, Server: p.Server, Lock: old.Lock, Mark: old.Mark}
			if lock != nil {
				next.Lock = lock
			}
			if next.Mark == "" {
				var b [4]byte
				c.random(b[:])
				next.Mark = hex.EncodeToString(b[:])
			}
			if (p.Server || p.Folder != "") && c.chain.Recovery() == nil && (p.Server || next.Lock == nil) {
				if p.Server {
					return ErrServerOnly
				}
				return backup.ErrNoWay
			}
			if old.Server != next.Server || old.Folder != next.Folder || lock != nil { // the last one is somewhere else
				state = backupState{Pointer: state.Pointer, Index: state.Index}
			}
			state.Tries, state.Why, state.Code = 0, "", 0
			if err := tx.SetFact(factBackupState, wire.Marshal(state)); err != nil {
				return err
			}
			*after = append(*after, func() {
				c.emit(Event{Kind: EventBackup})
				c.post(c.backUpIfDue)
			})
			return tx.SetFact(factBackup, wire.Marshal(next))
		}))
	})
}

// newLock makes a lock of a passphrase, which takes a while; nil of none.
func (c *Client) newLock(passphrase string) (*backup.Lock, error) {
	if passphrase == "" {
		return nil, nil
	}
	var salt [16]byte
	c.on(func() { c.random(salt[:]) })
	return backup.NewLock(salt, passphrase)
}

// backupDue is when the next backup is due, Unix milliseconds.
func (c *Client) backupDue(p backupPlan, s backupState) int64 {
	if p.Every == 0 || !p.Server && p.Folder == "" || c.unlinked() {
		return foreverNever
	}
	next := s.Looked + p.Every
	if s.Looked == 0 || c.wordsChanged(p, s) {
		next = 0
	}
	if s.Until != 0 {
		next = min(next, s.Until-renewBefore.Milliseconds())
	}
	if s.Tries > 0 {
		next = max(next, s.Tried+min(backupRetry<<min(s.Tries-1, 10), backupLast).Milliseconds())
	}
	return next
}

// wordsChanged says whether other words open the last backup than those of the account.
func (c *Client) wordsChanged(p backupPlan, s backupState) bool {
	return s.Words != c.wordsHash() && (p.Server || p.Lock == nil || c.chain.Recovery() != nil)
}

// wordsHash names the account's recovery key; zeros where it has none.
func (c *Client) wordsHash() wire.Hash {
	if r := c.chain.Recovery(); r != nil {
		return hashOf(r.Seal)
	}
	return wire.Hash{}
}

// backUpIfDue begins a scheduled backup when its time has come.
func (c *Client) backUpIfDue() {
	if c.closed || c.chain == nil || !c.opened || c.saving != nil || c.restore != nil || c.halfway() {
		return
	}
	var plan backupPlan
	var state backupState
	if err := c.read(func(tx store.Tx) (err error) { plan, state, err = c.backupFacts(tx); return err }); err != nil {
		c.fail("reading the plan of backups", err)
		return
	}
	if c.backupDue(plan, state) > c.nowMS() || plan.Server && (c.account == nil || !c.account.link.up) {
		return
	}
	c.backUp(plan, state, false, func(error) {})
}

// BackUp makes a backup now, where the plan says.
func (c *Client) BackUp(ctx context.Context) error {
	return c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		var plan backupPlan
		var state backupState
		err := c.read(func(tx store.Tx) (err error) { plan, state, err = c.backupFacts(tx); return err })
		switch {
		case err != nil:
		case !plan.Server && plan.Folder == "":
			err = ErrNoBackup
		case c.saving != nil: // one that was due: it is as good
			c.until(func() (bool, error) { return c.saving == nil, nil }, func(err error) {
				e := c.read(func(tx store.Tx) (err error) { _, state, err = c.backupFacts(tx); return err })
				done(errors.Join(err, e, state.err()))
			})
			return
		}
		if err != nil {
			done(err)
			return
		}
		c.backUp(plan, state, true, done)
	})
}

// BackUpTo makes a backup in a file now, for the 24 words, a passphrase, or both. A backup that
// is there gives way once the new one is whole.
func (c *Client) BackUpTo(ctx context.Context, path, passphrase string) (out backup.Report, err error) {
	lock, err := c.newLock(passphrase)
	if err != nil {
		return out, err
	}
	err = c.wait(ctx, func(done func(error)) {
		switch {
		case !c.opened:
			done(ErrNoAccount)
			return
		case c.saving != nil:
			done(ErrBackingUp)
			return
		}
		c.saveFile(&fileRun{path: path, lock: lock, keep: -1}, func(r backup.Report, _ wire.Hash, err error) {
			out = r
			done(err)
		})
	})
	return out, err
}

// CheckBackup reads a backup to its end and says what it holds. It needs no account; where
// there is one, the backup has to be its own.
func (c *Client) CheckBackup(path string, secret RestoreSecret) (out backup.Report, err error) {
	s, err := secret.open()
	if err != nil {
		return out, err
	}
	f, err := c.o.Files.Open(path)
	if err != nil {
		return out, err
	}
	defer f.Close()
	return backup.Check(f, s, c.ownBackup)
}

// ownBackup says whether a backup is of this device's account; anybody's is, where there is none.
func (c *Client) ownBackup(r *backup.Reader) (err error) {
	c.on(func() {
		if c.chain != nil {
			err = r.By(c.chain)
		}
	})
	return err
}

// aside does what may take long, as files do, beside the queue; done runs on it. A simulator
// has it done at once.
func (c *Client) aside(work func() error, done func(error)) {
	c.pending++
	c.beside(work, func(err error) {
		c.pending--
		done(err)
	})
}
