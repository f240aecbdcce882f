package backup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"sotto/internal/archive"
	"sotto/internal/identity"
	"sotto/internal/wire"
)

// Reader reads a backup, chunk by chunk. It holds one segment and one chunk.
type Reader struct {
	from   *bufio.Reader
	header Header
	sum    wire.Hash
	stream *opening
	signed vouched
	about  About
	next   uint64
	done   bool
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	out := &Reader{from: bufio.NewReaderSize(r, segment+tag+1)}
	var err error
	out.header, out.sum, err = readHeader(out.from)
	return out, err
}

// Words says whether 24 words open it, and Passphrase whether a passphrase does.
func (r *Reader) Words() bool { return r.header.Words != nil }

// Passphrase says whether a passphrase opens it.
func (r *Reader) Passphrase() bool { return r.header.Locked != nil }

// Key opens the key of the backup. Whoever has it needs no secret any more.
func (r *Reader) Key(s Secret) (archive.Key, error) { return s.open(r.header) }

// Open opens the backup with its key, and reads whose it is. Nobody has vouched for that
// before By has said so.
func (r *Reader) Open(key archive.Key) (About, error) {
	aead, err := streamKey(key, r.sum)
	if err != nil {
		return About{}, err
	}
	r.stream = &opening{from: r.from, aead: aead}
	b, err := r.record(maxAbout)
	if err != nil {
		return About{}, err
	}
	if wire.Unmarshal(b, &r.signed) != nil || wire.Unmarshal(r.signed.Body, &r.about) != nil {
		return About{}, ErrInvalid
	}
	if h, err := wire.ParseHandle(r.about.Handle); err != nil || h.String() != r.about.Handle {
		return About{}, ErrInvalid
	}
	return r.about, nil
}

// By says whether the backup is of an account, and made by a device that it has ever had:
// ErrOther, ErrForged.
func (r *Reader) By(chain *identity.Chain) error {
	switch {
	case r.about.Account != chain.ID():
		return ErrOther
	case !r.signed.by(aboutContext, chain, r.sum):
		return ErrForged
	}
	return nil
}

// record reads the next record, nil at the end of them.
func (r *Reader) record(limit int) ([]byte, error) {
	var head [4]byte
	if err := r.full(head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 {
		return nil, nil
	}
	if n > uint32(limit) {
		return nil, ErrInvalid
	}
	b := make([]byte, n)
	return b, r.full(b)
}

func (r *Reader) full(b []byte) error {
	_, err := io.ReadFull(r.stream, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrInvalid // it is whole, and ends within a record
	}
	return err
}

// Next reads the next chunk; io.EOF after the last one, once all that follows was looked at.
func (r *Reader) Next() (c archive.Chunk, err error) {
	if r.stream == nil {
		return c, ErrInvalid
	}
	if r.done {
		return c, io.EOF
	}
	b, err := r.record(archive.MaxChunk)
	if err != nil {
		return c, err
	}
	if b == nil {
		return c, ErrInvalid // the last chunk is missing
	}
	defer clear(b)
	if c, err = archive.Decode(b, r.next); err != nil {
		return c, err
	}
	r.next++
	if !c.Last {
		return c, nil
	}
	r.done = true
	return c, r.end()
}

// end reads what follows the last chunk: the end of the records, and zeros.
func (r *Reader) end() error {
	if b, err := r.record(0); err != nil {
		return err
	} else if b != nil {
		return ErrInvalid
	}
	content := r.stream.len - uint64(len(r.stream.rest))
	b := make([]byte, segment)
	for {
		n, err := r.stream.Read(b)
		for _, x := range b[:n] {
			if x != 0 {
				return ErrInvalid
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if r.stream.len != padded(content) {
		return ErrInvalid
	}
	return nil
}
