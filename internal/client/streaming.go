package client

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sotto/chunked"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mimi"
)

// FileReader reads a file of a message at any place: from this machine where it is here, else from
// its server, of which only what is read is asked. Each chunk is verified before a byte of it is
// handed out. One reader is one goroutine's.
type FileReader struct {
	c     *Client
	ctx   context.Context
	file  room.File
	local io.ReaderAt
	close func() error

	cipher *chunked.Cipher
	at     int64  // where is read next
	from   int64  // of window, in the file
	window []byte // that was verified
	ahead  int64  // chunks that are asked for next
}

const (
	aheadLeast = 4  // chunks that a reader asks for after a jump
	aheadMost  = 64 // when it reads on
)

// OpenFile opens a file of a message to be read.
func (c *Client) OpenFile(ctx context.Context, id mimi.MessageID, part int64) (*FileReader, error) {
	r := &FileReader{c: c, ctx: ctx, close: func() error { return nil }}
	err := ErrClosed
	path := ""
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			m, f, err := c.fileOf(tx, id, part)
			if err != nil {
				return err
			}
			r.file = f
			all, err := c.filesOf(tx, *m)
			if err == nil && (all[part].State == FileHere || all[part].Own) {
				path = all[part].Path
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if path != "" {
		if src, err := c.o.Disk.Open(path); err == nil {
			if size, _, err := src.Info(); err == nil && size == int64(r.file.Size) {
				r.local, r.close = src, src.Close
				return r, nil
			}
			_ = src.Close() // it is another file now
		}
	}
	if r.file.Until != 0 && c.now().Unix() >= int64(r.file.Until) {
		return nil, ErrFileGone
	}
	header, err := r.get(0, chunked.HeaderSize)
	if err != nil {
		return nil, err
	}
	if r.cipher, err = chunked.Open(r.file.Key, [chunked.HeaderSize]byte(header), r.file.Context()); err != nil {
		return nil, err
	}
	return r, nil
}

// File is what is read.
func (r *FileReader) File() room.File { return r.file }

// Close ends it.
func (r *FileReader) Close() error {
	clear(r.window)
	return r.close()
}

// Seek implements io.Seeker.
func (r *FileReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += int64(r.file.Size)
	}
	if offset < 0 {
		return 0, errors.New("a place before the beginning of a file")
	}
	r.at = offset
	return offset, nil
}

// Read implements io.Reader.
func (r *FileReader) Read(p []byte) (int, error) {
	size := int64(r.file.Size)
	if r.at >= size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), size-r.at)]
	if r.local != nil {
		n, err := r.local.ReadAt(p, r.at)
		r.at += int64(n)
		return n, err
	}
	if r.at < r.from || r.at >= r.from+int64(len(r.window)) {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.window[r.at-r.from:])
	r.at += int64(n)
	return n, nil
}

// fill asks for the chunks at the place that is read next: more of them as long as one after the
// other is read.
func (r *FileReader) fill() error {
	if r.at == r.from+int64(len(r.window)) && r.at > 0 {
		r.ahead = min(2*r.ahead, aheadMost)
	} else {
		r.ahead = aheadLeast
	}
	first := r.at / chunked.ChunkSize
	start := chunked.HeaderSize + first*(chunked.ChunkSize+chunked.TagSize)
	b, err := r.get(start, min(start+r.ahead*(chunked.ChunkSize+chunked.TagSize), int64(r.file.Sealed))-start)
	if err != nil {
		return err
	}
	r.window = r.window[:0]
	for i := first; len(b) > 0; i++ {
		n := min(len(b), chunked.ChunkSize+chunked.TagSize)
		if r.window, err = r.cipher.Unseal(r.window, i, b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	r.from = first * chunked.ChunkSize
	return nil
}

// get asks for a run of bytes of the ciphertext.
func (r *FileReader) get(at, size int64) ([]byte, error) {
	q := Request{
		Host: r.file.Host, Method: "GET", Path: blobPath(r.file.Blob), Limit: size,
		Header: map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", at, at+size-1)},
	}
	r.c.on(func() { q.Private = r.c.mayBePrivate(q.Host) })
	type answer struct {
		Answer
		err error
	}
	ch := make(chan answer, 1)
	r.c.o.Network.Do(q, func(a Answer, err error) { ch <- answer{a, err} })
	select {
	case a := <-ch:
		switch {
		case a.err != nil:
			return nil, fmt.Errorf("%w: %w", ErrUnreachable, a.err)
		case a.Status == 404:
			return nil, ErrFileGone
		case a.Status != 206:
			return nil, refusal(a.Answer)
		case int64(len(a.Body)) != size:
			return nil, errJunk
		}
		return a.Body, nil
	case <-r.ctx.Done():
		return nil, r.ctx.Err()
	}
}
