package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"sotto/internal/wire"
)

// Far is where whole blobs are kept instead of the disk: a store for objects.
type Far interface {
	// Put stores a blob of so many bytes under its name: all of it or nothing, durably. What
	// was there under this name gives way.
	Put(ctx context.Context, name Name, size int64, r io.Reader) error
	// Open reads a blob of so many bytes from a place on. fs.ErrNotExist says that there is none.
	Open(ctx context.Context, name Name, from, size int64) (io.ReadCloser, error)
	// Remove removes a blob; one that is not there is removed.
	Remove(ctx context.Context, name Name) error
}

// farTime is how long one blob may take on its way, farStep how long a removal.
const (
	farTime = 2 * time.Hour
	farStep = 30 * time.Second
)

// Move brings whole blobs from the disk to Far. Until a blob is there it is handed out from the
// disk; its row says which of the two it is. It is called by and by; what fails stays where it is
// until the next time.
func (b *Blobs) Move(ctx context.Context) error {
	if b.o.Far == nil || !b.moving.TryLock() {
		return nil
	}
	defer b.moving.Unlock()
	waiting, err := collect(b.db, prefixBlob, func(r blobRow) bool { return !r.Far && b.now() < r.Until })
	for _, n := range waiting {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if e := b.move(ctx, n); e != nil && e != errBusy {
			err = errors.Join(err, e)
		}
	}
	return err
}

// move brings one: the object first, then the row, and the file goes last. After a crash before
// the row the object is written again; after it Open removes the file.
func (b *Blobs) move(ctx context.Context, n Name) error {
	if err := b.begin(n, 0); err != nil {
		return err
	}
	defer b.finish(n, 0, 0, 0)
	row, ok, err := b.row(n)
	if err != nil || !ok {
		return err
	}
	f, err := b.o.FS.Open(b.pathOf(n))
	if err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, farTime)
	err = b.o.Far.Put(ctx, n, int64(row.Size), io.NewSectionReader(f, 0, int64(row.Size)))
	cancel()
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("blobs: putting away: %w", err)
	}
	row.Far = true
	batch := b.db.NewBatch()
	batch.Set(rowKey(prefixBlob, n), wire.Marshal(row))
	if err := b.db.CommitWait(batch); err != nil {
		return err
	}
	return b.remove(n)
}

// forget removes a blob from both places. A blob that is on the disk may have been put away all
// the same, before a crash.
func (b *Blobs) forget(n Name) error {
	if b.o.Far != nil {
		ctx, cancel := context.WithTimeout(context.Background(), farStep)
		defer cancel()
		if err := b.o.Far.Remove(ctx, n); err != nil {
			return fmt.Errorf("blobs: erase: %w", err)
		}
	}
	return b.remove(n)
}

// sweepFar removes the files of blobs that were put away before a crash.
func (b *Blobs) sweepFar() error {
	away, err := collect(b.db, prefixBlob, func(r blobRow) bool { return r.Far })
	for _, n := range away {
		if err == nil && b.exists(n) {
			err = b.remove(n)
		}
	}
	return err
}

// farBlob reads a blob that was put away, from where it is asked to.
type farBlob struct {
	far  Far
	name Name
	size int64
	at   int64
	body io.ReadCloser
	from int64 // where body stands
}

func (f *farBlob) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, errors.New("blobs: a place before the beginning")
	}
	f.at = offset
	return offset, nil
}

func (f *farBlob) Read(p []byte) (int, error) {
	if f.at >= f.size {
		return 0, io.EOF
	}
	if f.body == nil || f.from != f.at {
		if err := f.Close(); err != nil {
			return 0, err
		}
		body, err := f.far.Open(context.Background(), f.name, f.at, f.size)
		if err != nil {
			return 0, err
		}
		f.body, f.from = body, f.at
	}
	n, err := f.body.Read(p)
	f.at, f.from = f.at+int64(n), f.from+int64(n)
	if errors.Is(err, io.EOF) && f.at < f.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close ends what is read.
func (f *farBlob) Close() error {
	if f.body == nil {
		return nil
	}
	body := f.body
	f.body = nil
	return body.Close()
}

// openFar opens a blob that was put away, and sees that it is there.
func (b *Blobs) openFar(n Name, size int64) (*farBlob, error) {
	f := &farBlob{far: b.o.Far, name: n, size: size}
	if b.o.Far == nil {
		return nil, errNoFar
	}
	body, err := b.o.Far.Open(context.Background(), n, 0, size)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errNoBlob
	}
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	f.body = body
	return f, nil
}

var errNoFar = errors.New("blobs: this blob lies in a store for objects that the configuration does not name any more")
