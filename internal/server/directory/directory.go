// Package directory is the server's book of accounts: handle → chain, where each
// device takes invitations, its key packages; beside them invitation codes,
// suspended accounts, and names that rest after a deletion. The server's account
// sessions and its HTTPS lookups use it.
//
// It must never know what an account does: no rooms, no logs, no blobs, no addresses
// of machines. What it answers is durable before it answers.
package directory

import (
	"hash/maphash"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"sotto/internal/identity"
	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// HandleRest is how long a deleted handle belongs to nobody.
const HandleRest = 365 * 24 * time.Hour

// Options of a directory.
type Options struct {
	Now  func() time.Time
	Rand io.Reader
}

// Directory is safe for concurrent use. Changes of one account happen one after the
// other, under the lock of its name.
type Directory struct {
	db       *engine.DB
	o        Options
	host     atomic.Pointer[string]
	accounts atomic.Int64
	moved    atomic.Int64 // of these
	retiring atomic.Pointer[wire.Retiring]
	seed     maphash.Seed
	aged     int64          // the day whose old key packages are dropped; Tick's
	locks    [64]sync.Mutex // by name
	// Two registrations may race for one code. Taken after a name's lock.
	invitations sync.Mutex

	mu     sync.Mutex
	chains map[string]*Account // verified ones, at most maxCached
}

const maxCached = 4096

// Account is one account as the directory holds it. It is never changed, only
// replaced.
type Account struct {
	Name      string
	Chain     *identity.Chain
	Suspended bool
	Moved     bool // away: the chain names a handle elsewhere, and this is the forwarding
}

// Home refuses for an account that has moved away what only its home server does.
func (a *Account) Home() error {
	if a.Moved {
		return wire.Refuse(wire.CodeMoved, "this account has moved to %s", a.Chain.Handle())
	}
	return nil
}

// Owner is the opaque key under which a device's inbox is kept.
func (a *Account) Owner(device wire.DeviceName) []byte {
	id := a.Chain.ID()
	return append(id[:], device[:]...)
}

// Open readies the directory that db holds.
func Open(db *engine.DB, o Options) (*Directory, error) {
	d := &Directory{db: db, o: o, seed: maphash.MakeSeed(), chains: map[string]*Account{}}
	d.SetHost("")
	err := db.Scan([]byte(prefixAccount), end(prefixAccount), func(_, v []byte) (bool, error) {
		var row accountRow
		err := wire.Unmarshal(v, &row)
		d.accounts.Add(1)
		if row.Moved {
			d.moved.Add(1)
		}
		return true, err
	})
	if err == nil {
		err = d.loadRetiring()
	}
	return d, err
}

// SetHost says which host its handles have.
func (d *Directory) SetHost(host string) { d.host.Store(&host) }

// Host is the host part of its handles.
func (d *Directory) Host() string { return *d.host.Load() }

// Accounts counts those that live here, and those that moved away and are forwarded.
func (d *Directory) Accounts() (here, moved int) {
	moved = int(d.moved.Load())
	return int(d.accounts.Load()) - moved, moved
}

// Name is the name of a handle that lives here.
func (d *Directory) Name(handle string) (string, error) {
	h, err := wire.ParseHandle(handle)
	if err != nil {
		return "", err
	}
	if h.Host != d.Host() {
		return "", wire.Refuse(wire.CodeNoHandle, "handles of this server end in @%s", d.Host())
	}
	return h.Name, nil
}

func (d *Directory) lock(name string) *sync.Mutex {
	m := &d.locks[maphash.String(d.seed, name)%uint64(len(d.locks))]
	m.Lock()
	return m
}

var errNoHandle = wire.Refuse(wire.CodeNoHandle, "nobody has this handle here")

// Account is the account of that name.
func (d *Directory) Account(name string) (*Account, error) {
	d.mu.Lock()
	a := d.chains[name]
	d.mu.Unlock()
	if a != nil {
		return a, nil
	}
	defer d.lock(name).Unlock()
	return d.load(name)
}

// load reads an account that the cache does not hold. The name is locked.
func (d *Directory) load(name string) (*Account, error) {
	d.mu.Lock()
	a := d.chains[name]
	d.mu.Unlock()
	if a != nil {
		return a, nil
	}
	b, ok, err := d.db.Get(accountKey(name))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNoHandle
	}
	var row accountRow
	if err := wire.Unmarshal(b, &row); err != nil {
		return nil, err
	}
	var signed [][]byte
	p := chainKey(name)
	err = d.db.Scan(p, end(string(p)), func(_, v []byte) (bool, error) {
		signed = append(signed, append([]byte(nil), v...))
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	chain, err := identity.Verify(signed)
	if err != nil {
		return nil, err
	}
	a = &Account{Name: name, Chain: chain, Suspended: row.Suspended, Moved: row.Moved}
	d.remember(a)
	return a, nil
}

func (d *Directory) remember(a *Account) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.chains[a.Name]; !known && len(d.chains) >= maxCached {
		for k := range d.chains { // the map's order is random enough
			delete(d.chains, k)
			break
		}
	}
	d.chains[a.Name] = a
}

func (d *Directory) forget(name string) {
	d.mu.Lock()
	delete(d.chains, name)
	d.mu.Unlock()
}

// change makes a batch about one account durable. After a failure the rows may have
// been written all the same, so the cache forgets the account.
func (d *Directory) change(name string, b *engine.Batch) error {
	err := d.db.CommitWait(b)
	if err != nil {
		d.forget(name)
	}
	return err
}
