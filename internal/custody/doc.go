// Package custody keeps the 32-byte key of a home's database: in a file, under a
// passphrase, or in the system's keyring. internal/command and internal/app use it. It
// knows neither the database nor the network.
//
// The file HOME/key is either the 32 bytes themselves (File), or a record in which they
// are sealed under a passphrase (Passphrase) or under a secret that the system's keyring
// keeps (Keyring). So the database is never encrypted anew when its custody changes, and
// a change is one rename: whatever stops it, the file that stands opens.
//
// What each is good for: File keeps the database from somebody who gets it without the
// file beside it; Passphrase and Keyring also from somebody who gets the whole home, as in
// a backup, a synced folder or a disk that was taken out. Nothing here helps against
// somebody who is on the machine as this user while the home is open.
package custody

import (
	"crypto/rand"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"time"
)

// Kind says what guards the key.
type Kind string

// The kinds.
const (
	File       Kind = "file"
	Passphrase Kind = "passphrase"
	Keyring    Kind = "keyring"
)

// KeySize is the size of a database's key, bytes.
const KeySize = 32

// MinPassphrase is how many characters a new passphrase has at least.
const MinPassphrase = 8

// maxPassphrase is how many bytes a passphrase may have.
const maxPassphrase = 1024

// Errors that a person can do something about.
var (
	ErrNone    = errors.New("there is no key here")
	ErrMissing = errors.New("the file \"key\" is missing beside the database, and without it nobody can open that: put it back")
	ErrDamaged = errors.New("the file \"key\" is not one that this program has written: put the right one back")
	ErrNewer   = errors.New("the file \"key\" was written by a newer sotto")
	ErrLocked  = errors.New("this home is locked: it opens with its passphrase")
	ErrWrong   = errors.New("this is not the passphrase")
	ErrShort   = errors.New("a passphrase has at least 8 characters; a few words are easier to keep in mind than a few signs")
	ErrBadText = errors.New("a passphrase is one line of text of at most 1,000 characters")
	ErrKeyring = errors.New("the system's keyring does not answer: log in to a desktop session, or unlock it there")
	ErrLost    = errors.New("the system's keyring does not hold the secret of this home any more")
	ErrBusy    = errors.New("another sotto is changing what guards this home; try again in a moment")
)

// Options of a Custody. The zero value is for people; tests give others.
type Options struct {
	Ring Ring      // nil: the system's keyring
	Rand io.Reader // nil: the system's randomness
	Cost *Cost     // of new passphrases; nil: measured on this machine

	step   func(name string) error                      // before each step of a change; tests end it there
	derive func(passphrase, salt []byte, c Cost) []byte // argon2id; a quick one where tests are about something else
}

// Custody is what guards the key of one home. Its methods may be called from any
// goroutine and from several processes.
type Custody struct {
	home string
	o    Options
}

// At is the custody of a home directory, which need not exist.
func At(home string, o Options) *Custody {
	if o.Ring == nil {
		o.Ring = systemRing{}
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.step == nil {
		o.step = func(string) error { return nil }
	}
	if o.derive == nil {
		o.derive = derive
	}
	return &Custody{home: home, o: o}
}

// The names in a home. What begins with tempPrefix is a change that was interrupted.
const (
	DatabaseName = "sotto.db" // whose key this is
	keyName      = "key"
	oldName      = "key.old"
	lockName     = "key.lock"
	tempPattern  = "key-*"
)

func (c *Custody) path(name string) string { return filepath.Join(c.home, name) }

// Cost is what it takes to try one passphrase (argon2id, RFC 9106).
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// The bounds of a cost. Below the floor a file is not written and not read: nobody wins
// by making a passphrase cheap to guess. Above the ceiling it is not read: a file that
// somebody put there must not be able to exhaust memory or keep a processor for minutes.
var (
	floor   = Cost{Memory: 64 << 10, Passes: 3, Threads: 1}
	ceiling = Cost{Memory: 512 << 10, Passes: 8, Threads: 8}
)

func (c Cost) sound() bool {
	return c.Memory >= floor.Memory && c.Memory <= ceiling.Memory &&
		c.Passes >= floor.Passes && c.Passes <= ceiling.Passes &&
		c.Threads >= floor.Threads && c.Threads <= ceiling.Threads
}

// wanted is how long trying a passphrase should take on the machine that sets it, and
// most the memory that measuring goes up to: a home is opened on small machines too.
const (
	wanted     = 400 * time.Millisecond
	mostMemory = 256 << 10 // KiB
)

// calibrate finds a cost for this machine: RFC 9106 section 4's second recommendation
// (64 MiB, 3 passes, 4 threads), with as much more memory as the time allows.
func calibrate() Cost {
	c := Cost{Memory: floor.Memory, Passes: floor.Passes, Threads: uint8(min(4, runtime.NumCPU()))}
	salt := make([]byte, saltSize)
	for {
		begin := time.Now()
		clear(derive([]byte("how fast is this machine"), salt, c))
		if 2*time.Since(begin) > wanted || 2*c.Memory > mostMemory {
			return c
		}
		c.Memory *= 2
	}
}

// lockTime is how long a change waits for another one. Deriving a key takes about half a
// second.
const lockTime = 5 * time.Second
