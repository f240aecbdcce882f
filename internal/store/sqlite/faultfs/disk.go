// Package faultfs is a disk in memory that fails on demand: it loses power at the
// n-th write, is full, or says error although it has written. It is for tests and for
// the simulator, and is the file system of a sqlite.DB (Options.FS), below the
// cipher. The same calls with the same seed fail in the same way.
//
// What a disk keeps when the power goes is chosen for each write that no sync has
// covered, independently of all others, because a page cache writes back in any order:
// kept, lost, or torn into sectors of 512 bytes each of which is kept or lost. That is
// harsher than most real disks. A sync covers the file it is called on, and the name
// of that file in its directory; a removed file may come back unless the directory was
// synced.
package faultfs

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// Kind is how an operation fails.
type Kind int

// The kinds of faults.
const (
	None  Kind = iota
	Crash      // the power goes: this operation and all later ones fail, until Restart
	Full       // the disk is full: this and all later operations that need space fail, until Relieve
	Fail       // this one operation fails and does nothing
	Lie        // this one operation is done, and says it failed
)

// ErrPower is what every call answers after a crash.
var ErrPower = errors.New("faultfs: the power is off")

// Disk is a file system in memory, a vfs.VFS. It may be used from many goroutines.
type Disk struct {
	mu    sync.Mutex
	rng   *rand.Rand
	files map[string]*inode
	gone  map[string]*inode // removed, and the directory not synced since
	locks map[string]*lock

	ops     int    // writes, syncs, truncations, removals so far
	written int64  // bytes handed over so far
	at      int    // the fault strikes the operation of this number
	kinds   []Kind // and those after it
	full    bool
	off     bool
}

// New is an empty disk.
func New(seed uint64) *Disk {
	return &Disk{
		rng:   rand.New(rand.NewPCG(seed, 0x5d15c)),
		files: make(map[string]*inode), gone: make(map[string]*inode), locks: make(map[string]*lock),
	}
}

// Inject lets the n-th operation from now fail (1 is the next), and with more kinds the
// ones that follow it; None lets one through. What has not struck yet is replaced.
func (d *Disk) Inject(n int, kinds ...Kind) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.kinds = d.ops+n, slices.Clone(kinds)
}

// Relieve gives a full disk space again.
func (d *Disk) Relieve() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = false
	for i, k := range d.kinds {
		if k == Full {
			d.kinds[i] = None
		}
	}
}

// Ops counts the operations that change the disk: writes, syncs, truncations, removals.
func (d *Disk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops
}

// Written counts the bytes of all writes.
func (d *Disk) Written() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.written
}

// Crashed says whether the power is off.
func (d *Disk) Crashed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// Cut takes the power away now.
func (d *Disk) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// Restart takes the power away, if it is still on, and answers a new disk that holds
// what survived. The old one stays off.
func (d *Disk) Restart() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	next := New(d.rng.Uint64())
	keep, tear := d.luck()
	for _, name := range sorted(d.files) {
		next.files[name] = &inode{durable: d.files[name].survive(keep, tear)}
	}
	for _, name := range sorted(d.gone) {
		if next.files[name] == nil && d.rng.IntN(2) == 0 {
			next.files[name] = &inode{durable: d.gone[name].survive(keep, tear)}
		}
	}
	for _, f := range next.files {
		f.now = slices.Clone(f.durable)
	}
	return next
}

// Clone is an independent copy of what the files hold now, as a program that copies
// them would see it: an old copy, for later.
func (d *Disk) Clone() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := New(d.rng.Uint64())
	for name, f := range d.files {
		next.files[name] = &inode{durable: slices.Clone(f.now), now: slices.Clone(f.now)}
	}
	return next
}

// Files are the names on the disk, in order.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sorted(d.files)
}

// ReadFile is a copy of what a file holds now, nil when there is none.
func (d *Disk) ReadFile(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[name]; f != nil {
		return slices.Clone(f.now)
	}
	return nil
}

// WriteFile replaces a file, durably: to damage one.
func (d *Disk) WriteFile(name string, content []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[name] = &inode{durable: slices.Clone(content), now: slices.Clone(content)}
}

// strike counts an operation and says whether it is done and what it answers. grows
// is whether it needs space.
func (d *Disk) strike(grows bool, code sqlite3.ExtendedErrorCode) (done bool, err error) {
	if d.off {
		return false, power(code)
	}
	d.ops++
	if i := d.ops - d.at; i >= 0 && i < len(d.kinds) {
		switch d.kinds[i] {
		case Crash:
			d.off = true
			return true, power(code) // perhaps it reached the disk: survive decides
		case Full:
			d.full = true
		case Fail:
			return false, code
		case Lie:
			return true, code
		}
	}
	if d.full && grows {
		return false, sqlite3.FULL
	}
	return true, nil
}

func power(code sqlite3.ExtendedErrorCode) error { return vfs.SystemError(ErrPower, code) }

func sorted(m map[string]*inode) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
