package sim

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/server"
)

// errPower is what a disk without power answers.
var errPower = errors.New("the power is off")

// fault is how one sync of a server's log fails.
type fault uint8

const (
	faultCrash fault = iota + 1 // the power goes in the middle of it
	faultFail                   // it is not done, and says so
	faultLie                    // it is done, and says that it is not
)

// disk is a server's disk in memory. Its faults strike syncs of the write-ahead log,
// which a server makes in a certain order, and so does a power cut.
type disk struct {
	vfs.FS
	w   *World
	mem *vfs.MemFS
	rng *rand.Rand

	mu    sync.Mutex
	syncs int   // of the write-ahead log, so far
	at    int   // the fault strikes the sync of this number
	kind  fault // of the fault
	full  bool
	fails int // faults that struck
	off   bool
	keep  *vfs.MemFS // what the power cut left for certain
}

func newDisk(w *World, name string) *disk {
	mem := vfs.NewCrashableMem()
	return &disk{FS: mem, mem: mem, w: w, rng: w.Draws("disk of " + name)}
}

// inject has the n-th sync of the log from now fail; 1 is the next.
func (d *disk) inject(n int, kind fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.kind = d.syncs+n, kind
}

// fill makes the disk full, or gives it room again.
func (d *disk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
	if full {
		d.fails++
	}
}

// failing says whether the disk has failed at all: then the server may complain.
func (d *disk) failing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fails > 0 || d.off || d.full
}

func (d *disk) cutPower() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.powerOff()
}

// powerOff is called with mu held.
func (d *disk) powerOff() {
	if !d.off {
		d.off = true
		d.keep = d.mem.CrashClone(vfs.CrashCloneCfg{})
	}
}

// write says whether something that changes the disk may go on.
func (d *disk) write(grows bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.off:
		return errPower
	case d.full && grows:
		return syscall.ENOSPC
	}
	return nil
}

// sync is a sync of the log.
func (d *disk) sync(do func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return errPower
	}
	d.syncs++
	if d.syncs != d.at {
		return do()
	}
	d.fails++
	switch d.kind {
	case faultCrash:
		d.powerOff()
		return errPower
	case faultLie:
		_ = do()
	}
	return syscall.EIO
}

// survivor is the disk after a power cut: what was synced, and of the log's last part as
// much as chance had reach the disk.
func (d *disk) survivor(s *server.Server) *disk {
	if d.keep == nil {
		d.cutPower()
	}
	next := &disk{FS: d.keep, mem: d.keep, w: d.w, rng: d.rng}
	if s == nil {
		return next
	}
	d.off = false // so that all that was written can be seen
	d.at = 0
	s.Settle()
	d.off = true
	names, err := d.mem.List("data/db")
	if err != nil {
		return next
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".log") {
			d.tear(next, "data/db/"+name)
		}
	}
	return next
}

// tear gives the survivor a beginning of what the log had after its last sync.
func (d *disk) tear(next *disk, name string) {
	now := contents(d.mem, name)
	safe := contents(next.mem, name)
	if len(now) <= len(safe) {
		return
	}
	n := len(safe)
	switch d.rng.IntN(3) {
	case 0: // nothing more reached it
		return
	case 1:
		n = len(now)
	default:
		n += d.rng.IntN(len(now) - len(safe))
	}
	f, err := next.mem.Create(name, "sim")
	if err != nil {
		return
	}
	_, _ = f.Write(now[:n])
	_ = f.Sync()
	_ = f.Close()
	if dir, err := next.mem.OpenDir("data/db"); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
}

// contents is a whole file; nil when there is none.
func contents(fs vfs.FS, name string) []byte {
	info, err := fs.Stat(name)
	if err != nil || info.Size() == 0 {
		return nil
	}
	f, err := fs.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, info.Size())
	if n, err := f.ReadAt(b, 0); err != nil && n < len(b) {
		return b[:n]
	}
	return b
}

// clone is an independent copy of what the disk holds.
func (d *disk) clone() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	mem := d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
	return &disk{FS: mem, mem: mem, w: d.w, rng: d.rng}
}

// files calls f with every file of the disk.
func (d *disk) files(f func(name string, content []byte)) { walk(d.mem, "data", f) }

func walk(fs vfs.FS, dir string, f func(string, []byte)) {
	names, err := fs.List(dir)
	if err != nil {
		return
	}
	for _, n := range names {
		path := fs.PathJoin(dir, n)
		if info, err := fs.Stat(path); err == nil && info.IsDir() {
			walk(fs, path, f)
			continue
		}
		f(path, contents(fs, path))
	}
}

// Create implements vfs.FS.
func (d *disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := d.write(true); err != nil {
		return nil, err
	}
	f, err := d.mem.Create(name, c)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d, strings.HasSuffix(name, ".log")}, nil
}

// OpenReadWrite implements vfs.FS.
func (d *disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	if err := d.write(false); err != nil {
		return nil, err
	}
	f, err := d.mem.OpenReadWrite(name, c, o...)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d, strings.HasSuffix(name, ".log")}, nil
}

// OpenDir implements vfs.FS.
func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.mem.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d, false}, nil
}

// Link implements vfs.FS.
func (d *disk) Link(o, n string) error { return d.change(func() error { return d.mem.Link(o, n) }) }

// Rename implements vfs.FS.
func (d *disk) Rename(o, n string) error { return d.change(func() error { return d.mem.Rename(o, n) }) }

// Remove implements vfs.FS.
func (d *disk) Remove(n string) error { return d.change(func() error { return d.mem.Remove(n) }) }

// RemoveAll implements vfs.FS.
func (d *disk) RemoveAll(n string) error { return d.change(func() error { return d.mem.RemoveAll(n) }) }

func (d *disk) change(do func() error) error {
	if err := d.write(false); err != nil {
		return err
	}
	return do()
}

// GetDiskUsage implements vfs.FS: a disk with room, or none.
func (d *disk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return vfs.DiskUsage{TotalBytes: 1 << 40, UsedBytes: 1 << 40}, nil
	}
	return vfs.DiskUsage{AvailBytes: 1 << 39, TotalBytes: 1 << 40, UsedBytes: 1 << 39}, nil
}

// Unwrap implements vfs.FS.
func (d *disk) Unwrap() vfs.FS { return d.mem }

// diskFile is an open file; log says that it is of the write-ahead log.
type diskFile struct {
	vfs.File
	d   *disk
	log bool
}

func (f *diskFile) Write(b []byte) (int, error) {
	if err := f.d.write(true); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

func (f *diskFile) Sync() error {
	if f.log {
		return f.d.sync(f.File.Sync)
	}
	return f.d.change(f.File.Sync)
}

func (f *diskFile) SyncData() error {
	if f.log {
		return f.d.sync(f.File.SyncData)
	}
	return f.d.change(f.File.SyncData)
}

func (f *diskFile) SyncTo(n int64) (full bool, err error) {
	do := func() error {
		full, err = f.File.SyncTo(n)
		return err
	}
	if f.log {
		return full, f.d.sync(do)
	}
	return full, f.d.change(do)
}
