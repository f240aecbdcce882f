package backup

import (
	"bufio"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"sotto/internal/archive"
	"sotto/internal/wire"
)

const (
	streamInfo = "sotto backup v1"
	segment    = 64 << 10 // bytes of what is sealed at once
	tag        = 16
	smallest   = 4 << 10 // bytes that are sealed at least
)

// streamKey seals what follows a header: nothing in that can be changed without notice.
func streamKey(key archive.Key, header wire.Hash) (cipher.AEAD, error) {
	b, err := hkdf.Key(sha256.New, key[:], header[:], streamInfo, 32)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	return gcm(b)
}

// nonce says which segment it is, and whether it is the last: as in STREAM (Hoang, Reyhanitabar,
// Rogaway, Vizár, 2015), segments can be neither dropped, reordered nor cut off unnoticed.
func nonce(index uint64, last bool) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 3, 12), index)
	if last {
		return append(b, 1)
	}
	return append(b, 0)
}

// padded rounds a length up so that it tells O(log log n) bits (Padmé; Nikitin et al., PURBs,
// PoPETs 2019, section 4).
func padded(n uint64) uint64 {
	if n <= smallest {
		return smallest
	}
	e := bits.Len64(n) - 1
	mask := uint64(1)<<(e-bits.Len(uint(e))) - 1
	return (n + mask) &^ mask
}

// sealing seals what is written to it, in segments. close pads.
type sealing struct {
	to    io.Writer
	aead  cipher.AEAD
	index uint64
	len   uint64 // written so far
	buf   []byte // that waits, at most a segment
}

func (s *sealing) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		if len(s.buf) == segment { // more comes: it is not the last
			if err := s.flush(false); err != nil {
				return n, err
			}
		}
		k := min(segment-len(s.buf), len(b))
		s.buf = append(s.buf, b[:k]...)
		b, n, s.len = b[k:], n+k, s.len+uint64(k)
	}
	return n, nil
}

func (s *sealing) flush(last bool) error {
	sealed := s.aead.Seal(nil, nonce(s.index, last), s.buf, nil)
	clear(s.buf)
	s.buf = s.buf[:0]
	s.index++
	_, err := s.to.Write(sealed)
	return err
}

// close writes zeros up to a length that tells little, and the last segment.
func (s *sealing) close() error {
	zeros := make([]byte, segment)
	for left := padded(s.len) - s.len; left > 0; {
		k := min(left, segment)
		if _, err := s.Write(zeros[:k]); err != nil {
			return err
		}
		left -= k
	}
	return s.flush(true)
}

// opening opens what a sealing has written.
type opening struct {
	from  *bufio.Reader
	aead  cipher.AEAD
	index uint64
	len   uint64 // read so far
	buf   []byte
	rest  []byte // of buf, not read yet
	over  bool
}

func (o *opening) Read(b []byte) (int, error) {
	if len(o.rest) == 0 {
		if o.over {
			return 0, io.EOF
		}
		if err := o.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

// next opens the next segment.
func (o *opening) next() error {
	if o.buf == nil {
		o.buf = make([]byte, segment+tag)
	}
	n, err := io.ReadFull(o.from, o.buf[:segment+tag])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if n <= tag {
		return ErrCut
	}
	_, err = o.from.Peek(1)
	last := err != nil
	if last && !errors.Is(err, io.EOF) {
		return err
	}
	sealed := o.buf[:n]
	plain, err := o.aead.Open(nil, nonce(o.index, last), sealed, nil)
	if err != nil {
		return o.why(sealed, last)
	}
	o.len += uint64(len(plain))
	o.rest, o.over = plain, last
	o.index++
	return nil
}

// why tells a file whose end is missing from one that is damaged: a whole one has a length
// that padding gives.
func (o *opening) why(sealed []byte, last bool) error {
	if !last {
		return ErrDamaged
	}
	if _, err := o.aead.Open(nil, nonce(o.index, false), sealed, nil); err == nil {
		return ErrCut
	}
	if n := o.len + uint64(len(sealed)-tag); n != padded(n) {
		return ErrCut
	}
	return ErrDamaged
}
