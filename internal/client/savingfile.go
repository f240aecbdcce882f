package client

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io/fs"
	"path/filepath"

	"sotto/internal/archive"
	"sotto/internal/backup"
	"sotto/internal/identity"
	"sotto/internal/wire"
)

// errSame says that nothing has changed since the last backup.
var errSame = errors.New("nothing has changed since the last backup")

// fileRun is a backup that goes into a file. It stands beside its place until it is whole, was
// written down by the disk, and was read again to its end.
type fileRun struct {
	path     string
	mark     string // of scheduled ones in a folder
	keep     int    // so many of these; -1: it is none of them
	lock     *backup.Lock
	last     wire.Hash // of what the last one holds
	lastPath string    // and where it is: with the same content the new one is not kept

	c     *Client
	key   archive.Key
	about backup.About
	to    backup.To
	keys  *identity.Keys
	file  backup.File
	out   *bufio.Writer
	w     *backup.Writer
	sum   hash.Hash
	got   backup.Report
}

// saveFile begins a backup that goes into a file.
func (c *Client) saveFile(r *fileRun, done func(backup.Report, wire.Hash, error)) {
	r.c, r.sum, r.keys = c, sha256.New(), c.keys
	r.about = backup.About{Account: c.chain.ID(), Handle: c.self.String(), Time: c.nowMS()}
	r.to = backup.To{Words: c.chain.Recovery(), Lock: r.lock}
	c.random(r.key[:])
	c.random(r.to.Nonce[:])
	c.save(r, func(err error) {
		clear(r.key[:])
		done(r.got, wire.Hash(r.sum.Sum(nil)), err)
	})
}

// take writes a chunk. The first one makes the file.
func (r *fileRun) take(chunk archive.Chunk, done func(error)) {
	r.c.aside(func() error {
		if r.w == nil {
			if err := r.begin(); err != nil {
				return err
			}
		}
		b := archive.Encode(chunk)
		r.sum.Write(b)
		clear(b)
		return r.w.Chunk(chunk)
	}, done)
}

// begin makes the file, where nothing else than a backup gives way to it.
func (r *fileRun) begin() (err error) {
	if r.to.Words == nil && r.to.Lock == nil {
		return backup.ErrNoWay
	}
	files := r.c.o.Files
	switch there, err := files.Open(r.path); {
	case err == nil:
		_, err = backup.NewReader(there)
		if err = errors.Join(err, there.Close()); errors.Is(err, backup.ErrNone) {
			return ErrNoFile
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := files.Remove(backup.Partial(r.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if r.file, err = files.Create(backup.Partial(r.path)); err != nil {
		return err
	}
	r.out = bufio.NewWriterSize(r.file, 1<<18)
	r.w, err = backup.NewWriter(r.out, r.key, r.to, r.about, r.keys)
	return err
}

// finish puts the file into its place.
func (r *fileRun) finish(done func(error)) { r.c.aside(r.put, done) }

func (r *fileRun) put() error {
	files, partial := r.c.o.Files, backup.Partial(r.path)
	err := errors.Join(r.out.Flush(), r.file.Sync(), r.file.Close())
	r.file = nil
	if err == nil {
		r.got, err = r.verify(partial)
	}
	if err != nil {
		return err
	}
	if r.lastPath != "" && r.last == wire.Hash(r.sum.Sum(nil)) {
		if f, err := files.Open(r.lastPath); err == nil {
			return errors.Join(errSame, f.Close(), files.Remove(partial))
		}
	}
	if err := files.Rename(partial, r.path); err != nil {
		return err
	}
	if err := files.Sync(filepath.Dir(r.path)); err != nil {
		return err
	}
	if r.keep < 0 {
		return nil
	}
	return backup.Prune(files, filepath.Dir(r.path), r.mark, r.keep)
}

// verify reads what was written.
func (r *fileRun) verify(path string) (backup.Report, error) {
	f, err := r.c.o.Files.Open(path)
	if err != nil {
		return backup.Report{}, err
	}
	defer f.Close()
	return backup.Check(f, func(*backup.Reader) (archive.Key, error) { return r.key, nil }, func(*backup.Reader) error { return nil })
}

// abort removes what there is of the file.
func (r *fileRun) abort() {
	if r.c.closed {
		return
	}
	r.c.aside(func() error {
		var err error
		if r.file != nil {
			err = r.file.Close()
		}
		if r.w != nil {
			err = errors.Join(err, r.c.o.Files.Remove(backup.Partial(r.path)))
		}
		return err
	}, func(err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.c.log.Info("what there is of a backup could not be removed", "why", err)
		}
	})
}
