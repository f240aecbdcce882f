package sqlite

import (
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// blockSize is the cipher's: a file consists of sealed blocks of 4 KiB.
const blockSize = 4096

// blocks is a file system between the cipher and the disk that hides the last block
// of a file while it is not whole. A power cut may leave one, a write that was under
// way at the end of the log; the cipher cannot open it and answers a short read, which
// SQLite does not expect inside the size that it was told, so that the database would
// not open although nothing of it is lost.
type blocks struct{ vfs.VFS }

// OpenFilename opens a file and everything that its name carries.
func (b blocks) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(b.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &blockFile{f}, flags, nil
}

// blockFile forwards what SQLite uses in locking mode EXCLUSIVE. It offers no shared
// memory and no memory mapping on purpose.
type blockFile struct{ vfs.File }

func (f *blockFile) Size() (int64, error) {
	n, err := f.File.Size()
	return n / blockSize * blockSize, err
}

func (f *blockFile) Unwrap() vfs.File             { return f.File }
func (f *blockFile) LockState() vfs.LockLevel     { return vfsutil.WrapLockState(f.File) }
func (f *blockFile) HasMoved() (bool, error)      { return vfsutil.WrapHasMoved(f.File) }
func (f *blockFile) SizeHint(n int64) error       { return vfsutil.WrapSizeHint(f.File, n) }
func (f *blockFile) SyncSuper(super string) error { return vfsutil.WrapSyncSuper(f.File, super) }
