package blobs

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/wire"
)

func (b *Blobs) dirOf(n Name) string {
	return b.o.FS.PathJoin(b.o.Dir, hex.EncodeToString(n[:1]))
}

func (b *Blobs) pathOf(n Name) string {
	return b.o.FS.PathJoin(b.dirOf(n), hex.EncodeToString(n[:]))
}

func (b *Blobs) exists(n Name) bool {
	_, err := b.o.FS.Stat(b.pathOf(n))
	return err == nil
}

func (b *Blobs) syncDir(dir string) error {
	d, err := b.o.FS.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (b *Blobs) remove(n Name) error {
	err := b.o.FS.Remove(b.pathOf(n))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = b.syncDir(b.dirOf(n))
	}
	if err != nil {
		return fmt.Errorf("blobs: erase: %w", err)
	}
	return nil
}

// Put stores a blob of exactly the ticket's size. Size is what the sender announces.
//
// The order that makes it atomic: write a file under tmp/, sync it, rename it to its
// place, sync the place's directory, and only then commit the row that makes it a
// blob, together with the end of its ticket. Until then nobody can read it, and Open
// erases it.
func (b *Blobs) Put(n Name, ticket wire.Secret, size int64, r io.Reader) error {
	h := ticket.Hash()
	if row, ok, err := b.blob(n); err != nil {
		return err
	} else if ok && subtle.ConstantTimeCompare(row.Ticket[:], h[:]) == 1 {
		return nil // the same put again: its answer was lost
	}
	if size < 1 || size > wire.MaxBlob {
		return wire.Refuse(wire.CodeTooLarge, "a blob has 1 to %d bytes", wire.MaxBlob)
	}
	if err := b.begin(n, uint64(size)); err != nil {
		return err
	}
	count, bytes := 0, int64(0)
	defer func() { b.finish(n, uint64(size), count, bytes) }()
	row, err := b.ticket(n, h)
	if err != nil {
		return err
	}
	if size != int64(row.Size) {
		return wire.Refuse(wire.CodeMalformed, "the ticket is for a blob of %d bytes", row.Size)
	}
	if err := b.write(n, size, r); err != nil {
		return err
	}
	batch := b.db.NewBatch()
	batch.Delete(rowKey(prefixTicket, n))
	batch.Set(rowKey(prefixBlob, n), wire.Marshal(blobRow{Size: row.Size, Until: b.now() + row.TTL, Erase: row.Erase, Ticket: h}))
	if err := b.db.CommitWait(batch); err != nil {
		return errors.Join(err, b.remove(n))
	}
	b.withdraw(row.Erase, n)
	count, bytes = 1, size
	return nil
}

// ticket reads a ticket that is good.
func (b *Blobs) ticket(n Name, h wire.Hash) (row ticketRow, err error) {
	v, ok, err := b.db.Get(rowKey(prefixTicket, n))
	if err != nil {
		return row, err
	}
	if ok {
		err = wire.Unmarshal(v, &row)
	}
	if err == nil && (!ok || subtle.ConstantTimeCompare(row.Ticket[:], h[:]) != 1 || b.now() >= row.Until) {
		err = errNoRight
	}
	return row, err
}

// write brings the file to its place. On an error nothing is left of it.
func (b *Blobs) write(n Name, size int64, r io.Reader) (err error) {
	tmp := b.o.FS.PathJoin(b.o.Dir, "tmp", hex.EncodeToString(n[:]))
	f, err := b.o.FS.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	got, short := io.Copy(f, io.LimitReader(r, size+1))
	switch {
	case short != nil || got < size:
		err = wire.Refuse(wire.CodeMalformed, "the blob ended after %d of %d bytes", got, size)
	case got > size:
		err = wire.Refuse(wire.CodeTooLarge, "the blob is longer than its ticket says")
	default:
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		if err = b.shelf(n); err == nil {
			err = b.o.FS.Rename(tmp, b.pathOf(n))
		}
	}
	if err != nil {
		_ = b.o.FS.Remove(tmp)
		return err
	}
	if err := b.syncDir(b.dirOf(n)); err != nil {
		return errors.Join(err, b.remove(n))
	}
	return nil
}

// shelf makes the directory of a blob, durably.
func (b *Blobs) shelf(n Name) error {
	dir := b.dirOf(n)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.made[dir] {
		return nil
	}
	if err := b.o.FS.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	b.made[dir] = true
	return b.syncDir(b.o.Dir)
}

// Blob is an open blob on the disk.
type Blob struct {
	*io.SectionReader
	file vfs.File
}

// Close closes the file.
func (b *Blob) Close() error { return b.file.Close() }

// Get opens a blob, wherever it lies.
func (b *Blobs) Get(n Name) (io.ReadSeekCloser, error) {
	row, ok, err := b.blob(n)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNoBlob
	}
	if row.Far {
		return b.openFar(n, int64(row.Size))
	}
	f, err := b.o.FS.Open(b.pathOf(n))
	if errors.Is(err, os.ErrNotExist) { // erased, or put away at this moment
		if row, ok, err := b.blob(n); err == nil && ok && row.Far {
			return b.openFar(n, int64(row.Size))
		}
		return nil, errNoBlob
	} else if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return &Blob{io.NewSectionReader(f, 0, int64(row.Size)), f}, nil
}
