package mls

import (
	"encoding/binary"
)

// The presentation language of RFC 9420 section 2.1: big-endian integers and
// vectors whose length is a QUIC-style integer of 1, 2 or 4 bytes, always the
// shortest that fits.

const maxVector = 1<<30 - 1

// decoder reads from b. The first failure sticks and empties b, so a loop over
// the elements of a vector ends; every length is checked against what is left
// before anything is allocated. Byte strings alias the input.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fail(ErrMalformed, format, args...)
	}
	d.b = nil
}

func (d *decoder) more() bool { return len(d.b) > 0 }

// take answers the next n bytes.
func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.fail("needs %d bytes, has %d", n, len(d.b))
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) u8() uint8 {
	if v := d.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (d *decoder) u16() uint16 {
	if v := d.take(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if v := d.take(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if v := d.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// length reads the header of a vector (section 2.1.2). Lengths that are not
// minimal and the 8-byte form are malformed.
func (d *decoder) length() int {
	if len(d.b) == 0 {
		d.fail("vector without a length")
		return 0
	}
	switch d.b[0] >> 6 {
	case 0:
		return int(d.u8())
	case 1:
		n := int(d.u16() & 0x3fff)
		if d.err == nil && n < 1<<6 {
			d.fail("length %d in 2 bytes", n)
		}
		return n
	case 2:
		n := int(d.u32() & 0x3fffffff)
		if d.err == nil && n < 1<<14 {
			d.fail("length %d in 4 bytes", n)
		}
		return n
	}
	d.fail("length of more than 30 bits")
	return 0
}

// bytes reads opaque<V>.
func (d *decoder) bytes() []byte {
	n := d.length()
	if d.err != nil {
		return nil
	}
	return d.take(n)
}

// vec answers a decoder over the next vector; close it with end.
func (d *decoder) vec() *decoder { return &decoder{b: d.bytes(), err: d.err} }

// end takes over a failure of a vector's decoder.
func (d *decoder) end(v *decoder) {
	if v.err != nil && d.err == nil {
		d.err, d.b = v.err, nil
	}
}

func (d *decoder) u16s() []uint16 {
	v := d.vec()
	list := make([]uint16, 0, len(v.b)/2)
	for v.more() {
		list = append(list, v.u16())
	}
	d.end(v)
	return list
}

// optional reads the presence byte of optional<T>.
func (d *decoder) optional() bool {
	switch d.u8() {
	case 0:
		return false
	case 1:
		return d.err == nil
	}
	d.fail("presence is neither 0 nor 1")
	return false
}

// finish fails when bytes are left over.
func (d *decoder) finish() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail("%d bytes too many", len(d.b))
	}
	return d.err
}

// encoder appends to b.
type encoder struct{ b []byte }

func (e *encoder) raw(v []byte) { e.b = append(e.b, v...) }
func (e *encoder) u8(v uint8)   { e.b = append(e.b, v) }
func (e *encoder) u16(v uint16) { e.b = binary.BigEndian.AppendUint16(e.b, v) }
func (e *encoder) u32(v uint32) { e.b = binary.BigEndian.AppendUint32(e.b, v) }
func (e *encoder) u64(v uint64) { e.b = binary.BigEndian.AppendUint64(e.b, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.u8(1)
	} else {
		e.u8(0)
	}
}

func (e *encoder) length(n int) {
	switch {
	case n < 1<<6:
		e.u8(uint8(n))
	case n < 1<<14:
		e.u16(uint16(n) | 1<<14)
	case n <= maxVector:
		e.u32(uint32(n) | 2<<30)
	default:
		panic("mls: vector of more than 2^30 bytes")
	}
}

func (e *encoder) bytes(v []byte) {
	e.length(len(v))
	e.raw(v)
}

func (e *encoder) text(v string) {
	e.length(len(v))
	e.b = append(e.b, v...)
}

// vec encodes what fill appends as one vector.
func (e *encoder) vec(fill func()) {
	start := len(e.b)
	e.b = append(e.b, 0, 0, 0, 0) // room for the longest header
	fill()
	n := len(e.b) - start - 4
	var head encoder
	head.b = make([]byte, 0, 4)
	head.length(n)
	copy(e.b[start:], head.b)
	copy(e.b[start+len(head.b):], e.b[start+4:])
	e.b = e.b[:start+len(head.b)+n]
}

func (e *encoder) u16s(list []uint16) {
	e.length(2 * len(list))
	for _, v := range list {
		e.u16(v)
	}
}
