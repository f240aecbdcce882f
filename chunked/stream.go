package chunked

import (
	"errors"
	"io"
)

// Writer seals what is written to it. Close seals the last chunk; without it the file is cut,
// and nobody opens it.
type Writer struct {
	c     *Cipher
	to    io.Writer
	buf   [sealedChunk]byte
	have  int
	chunk int64
	err   error
}

// NewWriter writes the header of a file, and seals what comes after it.
func NewWriter(to io.Writer, c *Cipher) (*Writer, error) {
	_, err := to.Write(c.header[:])
	return &Writer{c: c, to: to}, err
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 && w.err == nil {
		k := copy(w.buf[w.have:ChunkSize], p)
		w.have, n, p = w.have+k, n+k, p[k:]
		if w.have == ChunkSize {
			w.flush()
		}
	}
	return n, w.err
}

func (w *Writer) flush() {
	if w.chunk >= MaxSize/ChunkSize {
		w.err = ErrLength
		return
	}
	_, w.err = w.to.Write(w.c.Seal(w.buf[:0], w.chunk, w.buf[:w.have]))
	w.chunk, w.have = w.chunk+1, 0
}

var errClosed = errors.New("chunked: written after the end")

// Close seals the last chunk. It does not close what is written to.
func (w *Writer) Close() error {
	if w.err == nil {
		w.flush()
	}
	err := w.err
	if err == nil {
		w.err = errClosed
	}
	clear(w.buf[:])
	return err
}

// Reader opens a sealed file from its beginning to its end.
type Reader struct {
	c     *Cipher
	from  io.Reader
	buf   [sealedChunk]byte
	left  []byte // verified and not read yet
	chunk int64
	err   error
}

// NewReader reads the header and checks the key.
func NewReader(from io.Reader, key Key, context []byte) (*Reader, error) {
	var header [HeaderSize]byte
	if _, err := io.ReadFull(from, header[:]); err != nil {
		return nil, cut(err)
	}
	c, err := Open(key, header, context)
	return &Reader{c: c, from: from}, err
}

// Read implements io.Reader. io.EOF comes only after a last chunk that opened.
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.next()
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

func (r *Reader) next() {
	n, err := io.ReadFull(r.from, r.buf[:])
	last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case err != nil && !last:
		r.err = err
	case last && n < TagSize, !last && r.chunk >= MaxSize/ChunkSize:
		r.err = ErrLength
	default:
		if r.left, r.err = r.c.Unseal(r.buf[:0], r.chunk, r.buf[:n]); r.err == nil && last {
			r.err = io.EOF
		}
		r.chunk++
	}
}
