package client

import (
	"errors"
	"io"
	"io/fs"

	"sotto/internal/archive"
	"sotto/internal/backup"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// restoreRun is a restore under way: one chunk after the other, each in one transaction with
// the place after it.
type restoreRun struct {
	c      *Client
	at     *restoring
	file   io.Closer // of a file that is open
	reader *backup.Reader
	passed uint64        // chunks that were read again after a crash
	index  *backup.Index // of a backup at the home server
}

func (r *restoreRun) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file, r.reader = nil, nil
	}
}

// step takes the next chunk.
func (r *restoreRun) step() {
	c := r.c
	if c.closed || c.restore != r {
		r.close()
		return
	}
	if r.at.From != nil {
		r.fetch()
		return
	}
	var chunk archive.Chunk
	c.aside(func() (err error) {
		if r.reader == nil {
			if err := r.reopen(); err != nil {
				return err
			}
		}
		for ; r.passed < r.at.Next; r.passed++ {
			if _, err := r.reader.Next(); err != nil {
				return err
			}
		}
		chunk, err = r.reader.Next()
		r.passed++
		return err
	}, func(err error) {
		if err != nil {
			r.end(err)
			return
		}
		r.take(chunk, chunk.Last)
	})
}

// reopen opens the file again after a crash.
func (r *restoreRun) reopen() (err error) {
	if r.reader, r.file, err = openBackup(r.c.o.Files, r.at.Path); err != nil {
		return err
	}
	_, err = r.reader.Open(r.at.Key)
	return errors.Join(err, r.c.ownBackup(r.reader))
}

// fetch gets the next chunk from the home server. What is gone there, or damaged, does not
// hold up the rest.
func (r *restoreRun) fetch() {
	if r.index == nil {
		r.c.fetchPart(r.at.From.Index, func(b []byte, err error) {
			var x backup.Index
			if err == nil {
				x, err = backup.ParseIndex(b)
			}
			if err != nil {
				r.wait(err)
				return
			}
			r.index = &x
			r.step()
		})
		return
	}
	if r.at.Next >= uint64(len(r.index.Parts)) {
		r.take(archive.Chunk{}, true)
		return
	}
	r.c.fetchPart(r.index.Parts[r.at.Next], func(b []byte, err error) {
		var chunk archive.Chunk
		if err == nil {
			chunk, err = archive.Decode(b, 0)
			clear(b)
		}
		if lost(err) {
			r.c.log.Warn("a part of a backup is lost", "why", err)
			r.at.Lost++
			err = nil
		}
		if err != nil {
			r.wait(err)
			return
		}
		r.take(chunk, false)
	})
}

// lost says whether a part of a backup will not be had by asking again.
func lost(err error) bool {
	return errors.Is(err, wire.Refuse(wire.CodeNoBlob, "")) || errors.Is(err, backup.ErrDamaged) || errors.Is(err, backup.ErrCut) ||
		errors.Is(err, backup.ErrInvalid) || errors.Is(err, archive.ErrInvalid)
}

// wait tries again when a server may be reached again; else it is over.
func (r *restoreRun) wait(err error) {
	if errors.Is(err, ErrUnreachable) && !r.c.closed {
		r.c.timer("restore", transferTry, r.step)
		return
	}
	r.end(err)
}

// take takes a chunk and goes on to the next one, in one transaction.
func (r *restoreRun) take(chunk archive.Chunk, last bool) {
	c := r.c
	if c.restore != r {
		r.close()
		return
	}
	next := *r.at
	next.Next++
	next.Got += uint64(len(chunk.Messages))
	next.Total = max(next.Total, chunk.Total)
	next.Done = last
	keep := func(tx store.Tx, after *[]func()) error {
		if last && next.Lost > 0 {
			if err := c.tellRestoreLost(tx, after, next.Lost); err != nil {
				return err
			}
		}
		return tx.SetFact(factRestore, wire.Marshal(next))
	}
	err := c.update(func(tx store.Tx, after *[]func()) error {
		if err := c.takeRestored(tx, after, chunk); err != nil {
			return err
		}
		return keep(tx, after)
	})
	if errors.Is(err, archive.ErrInvalid) { // one that makes no sense does not hold up the rest
		c.log.Warn("a part of a backup makes no sense", "why", err)
		next.Lost++
		err = c.update(keep)
	}
	if err != nil {
		r.end(err)
		return
	}
	*r.at = next
	if last {
		r.over()
		return
	}
	c.emit(Event{Kind: EventBackup})
	c.post(r.step)
}

// end ends a restore that cannot go on. A database that failed is another matter: it goes on
// once that is open again.
func (r *restoreRun) end(err error) {
	c := r.c
	if errors.Is(err, io.EOF) {
		err = backup.ErrInvalid
	}
	next := *r.at
	next.Why = reasonOf(err)
	if errors.Is(err, fs.ErrNotExist) {
		next.Why = "the file of the backup is not there any more"
	}
	if e := c.write(func(tx store.Tx) error { return tx.SetFact(factRestore, wire.Marshal(next)) }); e != nil {
		c.fail("keeping how a restore ended", e)
		r.close()
		c.restore = nil // it goes on when the database is open again
		return
	}
	*r.at = next
	r.over()
}

// over closes what was restored from.
func (r *restoreRun) over() {
	c := r.c
	r.close()
	c.restore = nil
	clear(r.at.Key[:])
	if r.at.Remove {
		c.aside(func() error { return c.o.Files.Remove(r.at.Path) }, func(err error) {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				c.fail("removing the file of a backup that was restored", err)
			}
		})
	}
	c.emit(Event{Kind: EventBackup})
	c.settle()
	c.pump()
}
