package blobs

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// A blob that is put in pieces, after draft-ietf-httpbis-resumable-upload: what was answered
// for is durable, and whoever puts it goes on where that ends. Its file stands in its place
// from the first piece on; the row says that it is no blob yet, and how much of it counts.

const prefixUpload = "Bu"

type uploadRow struct {
	Size   uint64    `cbor:"1,keyasint"`
	Until  uint64    `cbor:"2,keyasint"` // of the blob, Unix seconds
	Erase  wire.Hash `cbor:"3,keyasint"`
	Ticket wire.Hash `cbor:"4,keyasint"`
	Offset uint64    `cbor:"5,keyasint,omitempty"` // bytes that are durable
	Idle   uint64    `cbor:"6,keyasint"`           // without a piece it is given up then, Unix seconds
}

// over says whether an upload is given up.
func (r uploadRow) over(now uint64) bool { return now >= min(r.Until, r.Idle) }

// Progress is how far a blob has come.
type Progress struct {
	Offset, Size uint64
}

// Complete says whether it is whole.
func (p Progress) Complete() bool { return p.Offset == p.Size }

var (
	errTaken     = wire.Refuse(wire.CodeMalformed, "another blob has this name: take a random one")
	errNoUpload  = wire.Refuse(wire.CodeNoBlob, "no such blob is waited for here: it was given up, or its time is up")
	errSilent    = wire.Refuse(wire.CodeOffset, "the piece ended before its end; what came of it is kept")
	errElsewhere = wire.Refuse(wire.CodeOffset, "this piece does not begin where the last one ended")
)

// VetUpload says what Begin would answer, and changes nothing. Known is a request that was
// granted before.
func (b *Blobs) VetUpload(r wire.UploadRequest, most uint64) (known bool, err error) {
	most = min(most, wire.MaxUpload)
	switch {
	case r.Size == 0 || r.TTL == 0:
		return false, wire.Refuse(wire.CodeMalformed, "a blob has a size and a lifetime")
	case r.Size > most:
		return false, wire.Refuse(wire.CodeTooLarge, "this server takes files of up to %d bytes, encrypted; this one has %d", most, r.Size)
	case r.TTL > uint64(wire.MaxBlobLifetime/time.Second):
		return false, wire.Refuse(wire.CodeTooLarge, "a blob lives at most %d days", wire.MaxBlobLifetime/(24*time.Hour))
	}
	known, taken, err := b.taken(r)
	if err != nil || known {
		return known, err
	}
	if taken {
		return false, errTaken
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes+b.reserved+r.Size > b.o.MaxBytes() {
		return false, errFull
	}
	return false, nil
}

// taken says whether a name is in use, and whether it is by what an equal request was granted.
func (b *Blobs) taken(r wire.UploadRequest) (known, taken bool, err error) {
	if v, ok, err := b.db.Get(rowKey(prefixUpload, r.Blob)); err != nil || ok {
		var row uploadRow
		if err == nil {
			err = wire.Unmarshal(v, &row)
		}
		same := row.Size == r.Size && row.Erase == r.Erase && row.Ticket == r.Ticket
		return err == nil && same && !row.over(b.now()), true, err
	}
	if row, ok, err := b.row(r.Blob); err != nil || ok {
		return err == nil && row.Size == r.Size && row.Erase == r.Erase && row.Ticket == r.Ticket, true, err
	}
	_, ok, err := b.db.Get(rowKey(prefixTicket, r.Blob))
	return false, ok, err
}

// Begin grants an upload. A request that is equal but for the lifetime, of which less is left when
// it comes again, is answered alike, and changes nothing.
func (b *Blobs) Begin(r wire.UploadRequest, most uint64) error {
	if err := b.begin(r.Blob, 0); err != nil {
		return err
	}
	defer func() { b.finish(r.Blob, 0, 0, 0) }()
	known, err := b.VetUpload(r, most)
	if err != nil || known {
		return err
	}
	now := b.now()
	row := uploadRow{Size: r.Size, Until: now + r.TTL, Erase: r.Erase, Ticket: r.Ticket, Idle: now + uint64(wire.UploadIdle/time.Second)}
	batch := b.db.NewBatch()
	batch.Set(rowKey(prefixUpload, r.Blob), wire.Marshal(row))
	if err := b.db.CommitWait(batch); err != nil {
		return err
	}
	b.mu.Lock()
	b.reserved += r.Size
	b.mu.Unlock()
	return nil
}

// Unfinished says whether a blob is still waited for.
func (b *Blobs) Unfinished(n Name) bool {
	_, ok, err := b.upload(n)
	return err == nil && ok
}

// upload reads an upload that is not given up.
func (b *Blobs) upload(n Name) (row uploadRow, ok bool, err error) {
	v, ok, err := b.db.Get(rowKey(prefixUpload, n))
	if err != nil || !ok {
		return row, false, err
	}
	err = wire.Unmarshal(v, &row)
	return row, err == nil && !row.over(b.now()), err
}

// Progress is how far a blob has come, for whoever has its ticket. It ends a piece under way:
// who asks has lost the connection on which that one comes.
func (b *Blobs) Progress(n Name, ticket wire.Secret) (Progress, error) {
	if err := b.entitled(n, ticket); err != nil {
		return Progress{}, err
	}
	b.interrupt(n)
	return b.progress(n)
}

// entitled holds a ticket against that of an upload or of the blob that it became.
func (b *Blobs) entitled(n Name, ticket wire.Secret) error {
	row, ok, err := b.upload(n)
	want := row.Ticket
	if err == nil && !ok {
		var whole blobRow
		whole, ok, err = b.blob(n)
		want = whole.Ticket
	}
	if err != nil {
		return err
	}
	if h := ticket.Hash(); !ok || subtle.ConstantTimeCompare(h[:], want[:]) != 1 {
		return errNoUpload
	}
	return nil
}

func (b *Blobs) progress(n Name) (Progress, error) {
	if row, ok, err := b.upload(n); err != nil || ok {
		return Progress{row.Offset, row.Size}, err
	}
	row, ok, err := b.blob(n)
	if err == nil && !ok {
		err = errNoUpload
	}
	return Progress{row.Size, row.Size}, err
}

// piece is one that is being written.
type piece struct {
	stop func()
	done chan struct{}
}

// interrupt ends a piece under way, and waits until what came of it is durable.
func (b *Blobs) interrupt(n Name) {
	b.mu.Lock()
	p := b.pieces[n]
	b.mu.Unlock()
	if p != nil {
		p.stop()
		<-p.done
	}
}

// Append writes a piece of so many bytes at an offset, and answers how far the blob has come:
// what it says is durable, also after an error. stop ends the reading of r, from another
// goroutine. The last piece makes it a blob.
func (b *Blobs) Append(n Name, ticket wire.Secret, at, size uint64, r io.Reader, stop func()) (Progress, error) {
	if err := b.entitled(n, ticket); err != nil {
		return Progress{}, err
	}
	if size > wire.MaxPiece {
		return Progress{}, wire.Refuse(wire.CodeTooLarge, "a piece has at most %d bytes", wire.MaxPiece)
	}
	b.interrupt(n)
	p := &piece{stop, make(chan struct{})}
	if err := b.begin(n, 0); err != nil {
		return Progress{}, err
	}
	b.mu.Lock()
	b.pieces[n] = p
	b.mu.Unlock()
	row, ok, err := b.upload(n)
	became := false
	defer func() {
		b.mu.Lock()
		delete(b.pieces, n)
		b.mu.Unlock()
		if became {
			b.finish(n, row.Size, 1, int64(row.Size))
		} else {
			b.finish(n, 0, 0, 0)
		}
		close(p.done)
	}()
	switch {
	case err != nil:
		return Progress{}, err
	case !ok || at != row.Offset:
		now, err := b.progress(n)
		if err == nil && (ok || at != now.Offset || size > 0) {
			err = errElsewhere
		}
		return now, err
	case size > row.Size-row.Offset:
		return Progress{row.Offset, row.Size}, wire.Refuse(wire.CodeTooLarge, "this piece goes beyond the end of the blob")
	}
	got, err := b.extend(n, row, size, r)
	if got == 0 && err != nil {
		return Progress{row.Offset, row.Size}, err
	}
	row.Offset += got
	row.Idle = b.now() + uint64(wire.UploadIdle/time.Second)
	batch := b.db.NewBatch()
	whole := row.Offset == row.Size
	if whole {
		batch.Delete(rowKey(prefixUpload, n))
		batch.Set(rowKey(prefixBlob, n), wire.Marshal(blobRow{Size: row.Size, Until: row.Until, Erase: row.Erase, Ticket: row.Ticket}))
	} else {
		batch.Set(rowKey(prefixUpload, n), wire.Marshal(row))
	}
	if e := b.db.CommitWait(batch); e != nil {
		return Progress{row.Offset - got, row.Size}, errors.Join(err, e)
	}
	became = whole
	return Progress{row.Offset, row.Size}, err
}

// extend writes what comes after the row's offset and makes it durable. What of a piece came
// counts, whatever ended it.
func (b *Blobs) extend(n Name, row uploadRow, size uint64, r io.Reader) (uint64, error) {
	if err := b.shelf(n); err != nil {
		return 0, fmt.Errorf("blobs: %w", err)
	}
	f, err := b.o.FS.OpenReadWrite(b.pathOf(n), vfs.WriteCategoryUnspecified)
	if err != nil {
		return 0, fmt.Errorf("blobs: %w", err)
	}
	got, err := b.copyAt(f, int64(row.Offset), r, int64(size))
	if e := errors.Join(f.SyncData(), f.Close()); e != nil {
		return 0, fmt.Errorf("blobs: %w", e)
	}
	if row.Offset == 0 {
		if e := b.syncDir(b.dirOf(n)); e != nil {
			return 0, fmt.Errorf("blobs: %w", e)
		}
	}
	return uint64(got), err
}

// copyAt writes up to size bytes of r, and says how many. Bytes that the disk refused are those
// of a full one.
func (b *Blobs) copyAt(f vfs.File, at int64, r io.Reader, size int64) (got int64, err error) {
	buf := b.buffers.Get().(*[]byte)
	defer b.buffers.Put(buf)
	for got < size {
		n, err := r.Read((*buf)[:min(int64(len(*buf)), size-got)])
		if n > 0 {
			if _, err := f.WriteAt((*buf)[:n], at+got); err != nil {
				return got, errors.Join(errFull, err)
			}
			got += int64(n)
		}
		if err != nil && got < size {
			return got, errSilent
		}
	}
	return got, nil
}

// openUploads counts what is waited for, and takes back what a crash left counted and not
// written.
func (b *Blobs) openUploads() error {
	batch, lost := b.db.NewBatch(), false
	err := b.db.Scan([]byte(prefixUpload), end(prefixUpload), func(k, v []byte) (bool, error) {
		var row uploadRow
		if err := wire.Unmarshal(v, &row); err != nil {
			return false, err
		}
		b.reserved += row.Size
		info, err := b.o.FS.Stat(b.pathOf(Name(k[len(prefixUpload):])))
		if row.Offset > 0 && (err != nil || uint64(info.Size()) < row.Offset) {
			row.Offset, lost = 0, true
			batch.Set(append([]byte(nil), k...), wire.Marshal(row))
		}
		return true, nil
	})
	if err != nil || !lost {
		return err
	}
	return b.db.CommitWait(batch)
}

// giveUp removes what there is of an upload.
func (b *Blobs) giveUp(n Name) error {
	b.interrupt(n)
	if err := b.begin(n, 0); err != nil {
		return err
	}
	freed := uint64(0)
	defer func() { b.finish(n, freed, 0, 0) }()
	v, ok, err := b.db.Get(rowKey(prefixUpload, n))
	if err != nil || !ok {
		return err
	}
	var row uploadRow
	if err := wire.Unmarshal(v, &row); err != nil {
		return err
	}
	if err := b.remove(n); err != nil {
		return err
	}
	batch := b.db.NewBatch()
	batch.Shrinks()
	batch.Delete(rowKey(prefixUpload, n))
	if err := b.db.CommitWait(batch); err != nil {
		return err
	}
	freed = row.Size
	return nil
}

// tickUploads gives up what nobody puts any more.
func (b *Blobs) tickUploads(now uint64) error {
	over, err := collect(b.db, prefixUpload, func(r uploadRow) bool { return r.over(now) })
	for _, n := range over {
		if err := b.giveUp(n); err != nil && err != errBusy {
			return err
		}
	}
	return err
}

// collect are the names of the rows of a kind for which something holds, 10,000 at most.
func collect[T any](db *engine.DB, prefix string, holds func(T) bool) (out []Name, err error) {
	err = db.Scan([]byte(prefix), end(prefix), func(k, v []byte) (bool, error) {
		var row T
		err := wire.Unmarshal(v, &row)
		if err == nil && holds(row) {
			out = append(out, Name(k[len(prefix):]))
		}
		return len(out) < 10_000, err
	})
	return out, err
}
