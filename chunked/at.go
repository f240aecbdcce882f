package chunked

import (
	"errors"
	"io"
)

// Sealing reads a file as it is when it is sealed, at any place. What it reads must not change:
// see Cipher.Seal. Past its end the file is padded with zeros to padded bytes.
type Sealing struct {
	c            *Cipher
	src          io.ReaderAt
	size, padded int64
}

// NewSealing seals size bytes of src, padded to padded bytes, which is at least size.
func NewSealing(c *Cipher, src io.ReaderAt, size, padded int64) *Sealing {
	return &Sealing{c, src, size, padded}
}

// Size is how many bytes there are to read.
func (s *Sealing) Size() int64 { return SealedSize(s.padded) }

// ReadAt reads from any place. A place at which a chunk begins costs no copy.
func (s *Sealing) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("chunked: a place before the beginning")
	}
	if off < HeaderSize {
		n = copy(p, s.c.header[off:])
	}
	var buf []byte
	for n < len(p) {
		at := off + int64(n) - HeaderSize
		chunk, skip := at/sealedChunk, at%sealedChunk
		start := chunk * ChunkSize
		if start > s.padded {
			return n, io.EOF
		}
		size := min(s.padded-start, ChunkSize)
		if skip >= size+TagSize {
			return n, io.EOF
		}
		if skip == 0 && int64(len(p)-n) >= size+TagSize { // in place
			plain := p[n : n+int(size)]
			if err := s.plain(plain, start); err != nil {
				return n, err
			}
			n += len(s.c.Seal(plain[:0], chunk, plain))
			continue
		}
		if buf == nil {
			buf = make([]byte, sealedChunk)
			defer clear(buf)
		}
		if err := s.plain(buf[:size], start); err != nil {
			return n, err
		}
		n += copy(p[n:], s.c.Seal(buf[:0], chunk, buf[:size])[skip:])
	}
	return n, nil
}

// plain reads the padded file.
func (s *Sealing) plain(p []byte, off int64) error {
	have := max(min(s.size-off, int64(len(p))), 0)
	if have > 0 {
		if n, err := s.src.ReadAt(p[:have], off); int64(n) < have {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	clear(p[have:])
	return nil
}

// Opening reads what a sealed file holds, at any place: each chunk is verified before a byte of
// it is handed out.
type Opening struct {
	c      *Cipher
	src    io.ReaderAt
	sealed int64
	size   int64
}

// NewOpening opens a sealed file of so many bytes. It verifies key and length: the last chunk
// must open.
func NewOpening(key Key, context []byte, src io.ReaderAt, sealed int64) (*Opening, error) {
	plain, err := PlainSize(sealed)
	if err != nil {
		return nil, err
	}
	var header [HeaderSize]byte
	if n, err := src.ReadAt(header[:], 0); n < len(header) {
		return nil, cut(err)
	}
	c, err := Open(key, header, context)
	if err != nil {
		return nil, err
	}
	o := &Opening{c, src, sealed, plain}
	_, err = o.chunk(make([]byte, sealedChunk), plain/ChunkSize)
	return o, err
}

// cut is a source that ends too early.
func cut(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrLength
	}
	return err
}

// Size is how many bytes there are to read, with their padding.
func (o *Opening) Size() int64 { return o.size }

// ReadAt reads from any place.
func (o *Opening) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("chunked: a place before the beginning")
	}
	buf := make([]byte, sealedChunk)
	defer clear(buf)
	for n < len(p) {
		at := off + int64(n)
		if at >= o.size {
			return n, io.EOF
		}
		plain, err := o.chunk(buf, at/ChunkSize)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], plain[at%ChunkSize:])
	}
	return n, nil
}

func (o *Opening) chunk(buf []byte, chunk int64) ([]byte, error) {
	at := HeaderSize + chunk*sealedChunk
	sealed := buf[:min(o.sealed-at, sealedChunk)]
	if n, err := o.src.ReadAt(sealed, at); n < len(sealed) {
		return nil, cut(err)
	}
	return o.c.Unseal(buf[:0], chunk, sealed)
}
