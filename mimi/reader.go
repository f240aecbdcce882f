package mimi

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// CBOR major types, RFC 8949 section 3.1.
const (
	majorUint byte = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// Simple values, RFC 8949 section 3.3.
const (
	simpleFalse = 20
	simpleTrue  = 21
	simpleNull  = 22
)

// reader walks deterministic CBOR. A general decoder accepts several
// encodings of one value; this one accepts one, so it can name what is wrong
// and never allocates for a length that the input only claims.
type reader struct {
	b     []byte
	off   int
	parts int // parts begun so far, against MaxParts
}

// head is the start of a data item. For major type 7, arg holds the simple
// value or the bits of the float, and info tells which.
type head struct {
	major, info byte
	arg         uint64
}

func (r *reader) fail(class error, format string, args ...any) error {
	return fmt.Errorf("%w: %s at byte %d", class, fmt.Sprintf(format, args...), r.off)
}

// head reads the initial byte and its argument, in shortest form only
// (RFC 8949 section 4.2.1).
func (r *reader) head() (head, error) {
	if r.off >= len(r.b) {
		return head{}, r.fail(ErrMalformed, "ends early")
	}
	h := head{major: r.b[r.off] >> 5, info: r.b[r.off] & 31}
	switch {
	case h.info < 24:
		h.arg = uint64(h.info)
		r.off++
		return h, nil
	case h.info == 31:
		return head{}, r.fail(ErrNotDeterministic, "indefinite length")
	case h.info > 27:
		return head{}, r.fail(ErrMalformed, "reserved length")
	}
	n := 1 << (h.info - 24)
	if len(r.b)-r.off-1 < n {
		return head{}, r.fail(ErrMalformed, "ends early")
	}
	var wide [8]byte
	copy(wide[8-n:], r.b[r.off+1:r.off+1+n])
	h.arg = binary.BigEndian.Uint64(wide[:])
	if h.major != majorSimple && h.arg < smallestArg[h.info-24] {
		return head{}, r.fail(ErrNotDeterministic, "longer than needed")
	}
	r.off += 1 + n
	return h, nil
}

// smallestArg[i] is the least argument that needs 1<<i octets.
var smallestArg = [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}

// expect reads a head of one major type.
func (r *reader) expect(major byte, name string) (uint64, error) {
	start := r.off
	h, err := r.head()
	if err != nil {
		return 0, err
	}
	if h.major != major {
		r.off = start
		return 0, r.fail(ErrMalformed, "%s has the wrong type", name)
	}
	return h.arg, nil
}

// uint reads an unsigned integer of at most max.
func (r *reader) uint(max uint64, name string) (uint64, error) {
	v, err := r.expect(majorUint, name)
	if err != nil {
		return 0, err
	}
	if v > max {
		return 0, r.fail(ErrMalformed, "%s is out of range", name)
	}
	return v, nil
}

// array reads the head of an array of exactly n items.
func (r *reader) array(n uint64, name string) error {
	got, err := r.expect(majorArray, name)
	if err == nil && got != n {
		return r.fail(ErrMalformed, "%s has %d items, not %d", name, got, n)
	}
	return err
}

func (r *reader) bool(name string) (bool, error) {
	v, err := r.expect(majorSimple, name)
	if err != nil {
		return false, err
	}
	// Floats share the major type; none of their heads is one byte long.
	if v != simpleFalse && v != simpleTrue || r.b[r.off-1] != 0xe0|byte(v) {
		return false, r.fail(ErrMalformed, "%s is not a boolean", name)
	}
	return v == simpleTrue, nil
}

// null consumes a null if one is next.
func (r *reader) null() bool {
	if r.off < len(r.b) && r.b[r.off] == 0xe0|simpleNull {
		r.off++
		return true
	}
	return false
}

// take returns the next n bytes of the input, which the result shares.
func (r *reader) take(n uint64, max int, name string) ([]byte, error) {
	if n > uint64(max) {
		return nil, r.fail(ErrTooLarge, "%s is longer than %d", name, max)
	}
	if n > uint64(len(r.b)-r.off) {
		return nil, r.fail(ErrMalformed, "%s ends early", name)
	}
	s := r.b[r.off : r.off+int(n)]
	r.off += int(n)
	return s, nil
}

// bytes reads a byte string into memory of its own; an empty one is nil.
func (r *reader) bytes(max int, name string) ([]byte, error) {
	n, err := r.expect(majorBytes, name)
	if err != nil {
		return nil, err
	}
	s, err := r.take(n, max, name)
	return append([]byte(nil), s...), err
}

func (r *reader) text(max int, name string) (string, error) {
	n, err := r.expect(majorText, name)
	if err != nil {
		return "", err
	}
	s, err := r.take(n, max, name)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(s) { // section 6.2
		return "", r.fail(ErrUTF8, "%s", name)
	}
	return string(s), nil
}

// end refuses what follows the last item.
func (r *reader) end() error {
	if r.off != len(r.b) {
		return r.fail(ErrTrailing, "%d more", len(r.b)-r.off)
	}
	return nil
}
