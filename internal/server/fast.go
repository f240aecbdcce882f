package server

import (
	"encoding/binary"

	"sotto/internal/wire"
)

// The one frame that comes by the thousand is the plain append, so it is read and
// answered without reflection. What is not exactly in the form that wire.EncodeFrame
// gives it goes the general way; FuzzPlainAppend holds the two to the same reading.

// plainAppend reads [id, OpAppend, {1: log, 2: token, 3: entry}]. The entry is a part
// of b.
func plainAppend(b []byte) (id uint64, a wire.Append, ok bool) {
	if len(b) > wire.MaxFrame || len(b) < 1 || b[0] != 0x83 {
		return 0, a, false
	}
	id, b, ok = head(b[1:], 0x00)
	if !ok || id == 0 || len(b) < 2+2+16+3+32+1 || b[0] != byte(wire.OpAppend) || b[1] != 0xa3 || b[2] != 0x01 || b[3] != 0x50 {
		return 0, a, false
	}
	a.Log = wire.LogName(b[4:20])
	if b = b[20:]; b[0] != 0x02 || b[1] != 0x58 || b[2] != 0x20 {
		return 0, a, false
	}
	a.Token = wire.Secret(b[3:35])
	if b = b[35:]; len(b) < 2 || b[0] != 0x03 {
		return 0, a, false
	}
	n, b, ok := head(b[1:], 0x40)
	if !ok || n != uint64(len(b)) {
		return 0, a, false
	}
	a.Entry = b
	return id, a, true
}

// head reads a CBOR head (RFC 8949 section 3) of one major type.
func head(b []byte, major byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 || b[0]&0xe0 != major {
		return 0, nil, false
	}
	size := 0
	switch x := b[0] & 0x1f; {
	case x < 24:
		return uint64(x), b[1:], true
	case x <= 27:
		size = 1 << (x - 24)
	}
	if size == 0 || len(b) < 1+size {
		return 0, nil, false
	}
	for _, c := range b[1 : 1+size] {
		n = n<<8 | uint64(c)
	}
	// The shortest form only, as everywhere on the wire (RFC 8949 section 4.2.1).
	short := size > 1 && n>>(4*size) == 0 || n < 24
	return n, b[1+size:], !short
}

// encodeAppended is the answer to an append, as wire.EncodeFrame writes it.
func encodeAppended(id uint64, r wire.Appended) []byte {
	b := make([]byte, 0, 1+9+1+1+1+9+3+32+1+9)
	b = putHead(append(b, 0x83), id)
	b = append(b, byte(wire.OK), 0xa3, 0x01)
	b = putHead(b, r.Seq)
	b = append(b, 0x02, 0x58, 0x20)
	b = append(b, r.Chain[:]...)
	return putHead(append(b, 0x03), r.TimeMS)
}

// putHead appends an unsigned integer in its shortest form.
func putHead(b []byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, byte(n))
	case n < 1<<8:
		return append(b, 0x18, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 0x19), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, 0x1a), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 0x1b), n)
}
