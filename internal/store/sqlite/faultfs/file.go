package faultfs

import (
	"bytes"
	"io"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

var _ vfs.VFS = (*Disk)(nil)

// Open opens a file. Temporary files, which have no name, are not on the disk.
func (d *Disk) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == "" {
		return &vfsutil.SliceFile{}, flags | vfs.OPEN_MEMORY, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, flags, power(sqlite3.CANTOPEN_FULLPATH)
	}
	f := d.files[name]
	if f == nil {
		if flags&vfs.OPEN_CREATE == 0 {
			return nil, flags, sqlite3.CANTOPEN
		}
		f = new(inode)
		d.files[name] = f
	}
	if d.locks[name] == nil {
		d.locks[name] = new(lock)
	}
	return &file{disk: d, inode: f, lock: d.locks[name]}, flags, nil
}

// Delete removes a file. Without syncDir it may come back after a crash.
func (d *Disk) Delete(name string, syncDir bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[name] == nil {
		return sqlite3.IOERR_DELETE_NOENT
	}
	done, err := d.strike(false, sqlite3.IOERR_DELETE)
	if !done {
		return err
	}
	d.gone[name] = d.files[name]
	delete(d.files, name)
	if syncDir && err == nil {
		clear(d.gone)
	}
	return err
}

// Access says whether a file is there.
func (d *Disk) Access(name string, _ vfs.AccessFlag) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return false, power(sqlite3.IOERR_ACCESS)
	}
	return d.files[name] != nil, nil
}

// FullPathname is the name itself: there is one directory.
func (d *Disk) FullPathname(name string) (string, error) { return name, nil }

// file is an open file.
type file struct {
	disk  *Disk
	inode *inode
	lock  *lock
	level vfs.LockLevel
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off {
		return 0, power(sqlite3.IOERR_READ)
	}
	n := 0
	if off < int64(len(f.inode.now)) {
		n = copy(p, f.inode.now[off:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	// A disk of real size has room for what it has already: only growth fails.
	grows := off+int64(len(p)) > int64(len(f.inode.now))
	done, err := f.disk.strike(grows, sqlite3.IOERR_WRITE)
	if done {
		f.inode.do(change{off, append([]byte{}, p...)})
		f.disk.written += int64(len(p))
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *file) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	done, err := f.disk.strike(size > int64(len(f.inode.now)), sqlite3.IOERR_TRUNCATE)
	if done {
		f.inode.do(change{off: size})
	}
	return err
}

func (f *file) Sync(vfs.SyncFlag) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	done, err := f.disk.strike(false, sqlite3.IOERR_FSYNC)
	if done && !f.disk.off {
		f.inode.sync()
	}
	return err
}

func (f *file) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off {
		return 0, power(sqlite3.IOERR_FSTAT)
	}
	return int64(len(f.inode.now)), nil
}

func (f *file) Close() error { return f.Unlock(vfs.LOCK_NONE) }

// SectorSize and DeviceCharacteristics promise nothing: a write may harm its block.
func (f *file) SectorSize() int { return 4096 }

func (f *file) DeviceCharacteristics() vfs.DeviceCharacteristic { return 0 }

// lock is who holds a file: as in SQLite, many that share, of which one may reserve
// and then, alone, exclude.
type lock struct {
	shared             int
	reserved, excluded *file
}

func (f *file) Lock(level vfs.LockLevel) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	l := f.lock
	if f.level >= level {
		return nil
	}
	if l.excluded != nil && l.excluded != f {
		return sqlite3.BUSY
	}
	switch level {
	case vfs.LOCK_SHARED:
		l.shared++
	case vfs.LOCK_RESERVED:
		if l.reserved != nil && l.reserved != f {
			return sqlite3.BUSY
		}
		l.reserved = f
	case vfs.LOCK_EXCLUSIVE:
		if l.shared > 1 || l.reserved != nil && l.reserved != f {
			return sqlite3.BUSY
		}
		l.excluded = f
	}
	f.level = level
	return nil
}

func (f *file) Unlock(level vfs.LockLevel) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	l := f.lock
	if f.level <= level {
		return nil
	}
	if l.excluded == f {
		l.excluded = nil
	}
	if l.reserved == f {
		l.reserved = nil
	}
	if level == vfs.LOCK_NONE {
		l.shared--
	}
	f.level = level
	return nil
}

func (f *file) CheckReservedLock() (bool, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return f.lock.reserved != nil || f.lock.excluded != nil, nil
}

// LockState is the level this file holds.
func (f *file) LockState() vfs.LockLevel {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return f.level
}

// Contains says in which file of the disk the bytes can be found, "" when in none.
func (d *Disk) Contains(b []byte) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range sorted(d.files) {
		if bytes.Contains(d.files[name].now, b) {
			return name
		}
	}
	return ""
}
