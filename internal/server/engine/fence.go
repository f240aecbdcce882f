package engine

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fence stands between one Pebble instance and its files, and makes a failed write
// the same thing as a crash.
//
// Pebble cannot go on after a failed write of its log or its manifest: it panics
// with a lock held or calls Fatalf. Nor may it, because after a failed fsync nobody
// knows what the disk holds (Rebello et al., "Can Applications Recover from fsync
// Failures?", ATC 2020). So the first failure shuts the fence: from then on nothing
// of this instance reaches the disk, which stays as a crash would have left it.
// Commits look at the fence after their fsync and fail; a new instance with a new
// fence opens the directory later, as after a crash (heal.go).
//
// Until then the shut instance goes on answering reads. Log and manifest therefore
// take its writes and forget them, and a flush goes to memory, so that a commit that
// waits inside Pebble for room in the memtables ends. Compactions fail.
type fence struct {
	vfs.FS
	onShut func(error)

	shut atomic.Pointer[error]
	// ops is held shared by every write, so that quiet can wait for those that
	// passed the check before the fence shut.
	ops sync.RWMutex

	mu     sync.Mutex
	shadow *vfs.MemFS // what was made after the fence shut
}

var errShut = errors.New("the database is shut after a failed write")

// pause keeps Pebble, which retries without delay, from spinning behind a shut fence.
const pause = 5 * time.Millisecond

func newFence(fs vfs.FS, onShut func(error)) *fence { return &fence{FS: fs, onShut: onShut} }

// failure is what shut the fence, or nil.
func (f *fence) failure() error {
	if p := f.shut.Load(); p != nil {
		return *p
	}
	return nil
}

// fail shuts the fence for err.
func (f *fence) fail(err error) {
	if f.shut.CompareAndSwap(nil, &err) && f.onShut != nil {
		f.onShut(err)
	}
}

// quiet returns when no write is under way any more.
func (f *fence) quiet() {
	f.ops.Lock()
	defer f.ops.Unlock()
}

// do runs one write and returns what Pebble is to see: soft writes never fail.
func (f *fence) do(soft bool, write func() error) error {
	f.ops.RLock()
	defer f.ops.RUnlock()
	if f.failure() != nil {
		if soft {
			return nil
		}
		return errShut
	}
	err := write()
	if err == nil {
		return nil
	}
	f.fail(err)
	if soft {
		return nil
	}
	return err
}

// soft names the files whose failures Pebble must not see.
func soft(base string) bool {
	return strings.HasSuffix(base, ".log") || strings.HasPrefix(base, "MANIFEST-") || strings.HasPrefix(base, "marker.")
}

func (f *fence) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if f.failure() == nil {
		var file vfs.File
		err := f.do(false, func() (err error) {
			file, err = f.FS.Create(name, category)
			return err
		})
		if err == nil {
			return &fencedFile{File: file, fence: f, soft: soft(f.PathBase(name))}, nil
		}
		if !soft(f.PathBase(name)) {
			return nil, err
		}
	}
	if category == "pebble-compaction" {
		time.Sleep(pause)
		return nil, errShut
	}
	return f.hidden().Create(f.PathBase(name), category)
}

// hidden is the file system in memory behind a shut fence. It is flat.
func (f *fence) hidden() *vfs.MemFS {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shadow == nil {
		f.shadow = vfs.NewMem()
	}
	return f.shadow
}

// isHidden says whether name was made behind the shut fence.
func (f *fence) isHidden(name string) bool {
	if f.failure() == nil {
		return false
	}
	_, err := f.hidden().Stat(f.PathBase(name))
	return err == nil
}

func (f *fence) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if f.isHidden(name) {
		return f.hidden().Open(f.PathBase(name), opts...)
	}
	return f.FS.Open(name, opts...)
}

func (f *fence) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	var file vfs.File
	err := f.do(false, func() (err error) {
		file, err = f.FS.OpenReadWrite(name, category, opts...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &fencedFile{File: file, fence: f, soft: soft(f.PathBase(name))}, nil
}

func (f *fence) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &fencedFile{File: file, fence: f, soft: true}, nil
}

func (f *fence) Stat(name string) (vfs.FileInfo, error) {
	if f.isHidden(name) {
		return f.hidden().Stat(f.PathBase(name))
	}
	return f.FS.Stat(name)
}

// ReuseForWrite makes a fresh file and removes the old one: a file that is used
// again keeps, past its end, what was erased.
func (f *fence) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Remove(oldname); err != nil {
		return nil, err
	}
	return f.Create(newname, category)
}

func (f *fence) Link(oldname, newname string) error {
	return f.do(true, func() error { return f.FS.Link(oldname, newname) })
}

func (f *fence) Rename(oldname, newname string) error {
	return f.do(true, func() error { return f.FS.Rename(oldname, newname) })
}

// Remove does not shut the fence: a file that stands too long is found again.
func (f *fence) Remove(name string) error {
	f.ops.RLock()
	defer f.ops.RUnlock()
	if f.failure() != nil {
		return nil
	}
	return f.FS.Remove(name)
}

func (f *fence) RemoveAll(name string) error {
	f.ops.RLock()
	defer f.ops.RUnlock()
	if f.failure() != nil {
		return nil
	}
	return f.FS.RemoveAll(name)
}

func (f *fence) MkdirAll(dir string, perm os.FileMode) error {
	return f.do(false, func() error { return f.FS.MkdirAll(dir, perm) })
}

// Lock locks nothing: the DB holds the directory's lock across its instances.
func (f *fence) Lock(string) (io.Closer, error) { return nothing{}, nil }

func (f *fence) Unwrap() vfs.FS { return f.FS }

type nothing struct{}

func (nothing) Close() error { return nil }

// fencedFile is a file whose writes go through the fence.
type fencedFile struct {
	vfs.File
	fence *fence
	soft  bool
}

func (x *fencedFile) Write(p []byte) (int, error) {
	n := len(p)
	err := x.fence.do(x.soft, func() error {
		m, err := x.File.Write(p)
		if err != nil && !x.soft {
			n = m
		}
		return err
	})
	if err != nil && n == len(p) {
		n = 0
	}
	return n, err
}

// Preallocate is only a hint: where there is no room, the write will tell.
func (x *fencedFile) Preallocate(offset, length int64) error {
	x.fence.ops.RLock()
	defer x.fence.ops.RUnlock()
	if x.fence.failure() == nil {
		_ = x.File.Preallocate(offset, length)
	}
	return nil
}

func (x *fencedFile) Sync() error     { return x.fence.do(x.soft, x.File.Sync) }
func (x *fencedFile) SyncData() error { return x.fence.do(x.soft, x.File.SyncData) }

func (x *fencedFile) SyncTo(length int64) (full bool, err error) {
	err = x.fence.do(x.soft, func() (err error) {
		full, err = x.File.SyncTo(length)
		return err
	})
	return full, err
}

func (x *fencedFile) Close() error {
	err := x.File.Close()
	if err != nil && x.soft {
		x.fence.fail(err)
		return nil
	}
	return err
}
