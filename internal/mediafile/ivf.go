package mediafile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"time"
)

// IVF: a head of 32 bytes, then for each picture its size and its time in units of the
// head's time base. Numbers are little-endian.
const (
	ivfMagic   = "DKIF"
	ivfHead    = 32
	ivfPicture = 12
)

var fourCC = map[string]string{"VP80": VP8, "VP90": VP9, "AV01": AV1}

type ivf struct {
	r        *bufio.Reader
	codec    string
	num, den uint32 // a unit is num/den seconds
	n        int    // pictures read
	first    uint64
	last     uint64
}

// newIVF reads the head. Its magic is read.
func newIVF(r io.Reader) (*ivf, error) {
	v := &ivf{r: bufio.NewReader(r)}
	var h [ivfHead - len(ivfMagic)]byte
	if _, err := io.ReadFull(v.r, h[:]); err != nil {
		return nil, cut(err)
	}
	v.codec = fourCC[string(h[4:8])]
	v.den, v.num = binary.LittleEndian.Uint32(h[12:]), binary.LittleEndian.Uint32(h[16:])
	size := binary.LittleEndian.Uint16(h[2:])
	switch {
	case binary.LittleEndian.Uint16(h[:]) != 0 || size < ivfHead || size > 4096:
		return nil, wrong("its version of IVF is not 0")
	case v.codec == "":
		return nil, wrong("its pictures are %q; calls take VP80, VP90 and AV01", h[4:8])
	case v.num == 0 || v.den == 0:
		return nil, wrong("it has no time base")
	}
	_, err := v.r.Discard(int(size) - ivfHead)
	if err != nil {
		return nil, cut(err)
	}
	return v, nil
}

func (v *ivf) Codec() string { return v.codec }

// Next answers the next picture.
func (v *ivf) Next() (Frame, error) {
	var h [ivfPicture]byte
	if _, err := io.ReadFull(v.r, h[:]); errors.Is(err, io.EOF) {
		return Frame{}, io.EOF
	} else if err != nil {
		return Frame{}, cut(err)
	}
	size, at := binary.LittleEndian.Uint32(h[:]), binary.LittleEndian.Uint64(h[4:])
	if v.n == 0 {
		v.first, v.last = at, at
	}
	switch {
	case size == 0 || size > maxFrame:
		return Frame{}, wrong("its picture %d has %d bytes; at most %d are taken", v.n, size, maxFrame)
	case at < v.last:
		return Frame{}, wrong("its picture %d is before the one before it", v.n)
	}
	passed, ok := scale(at-v.first, uint64(v.num)*uint64(time.Second), uint64(v.den))
	if !ok || passed > uint64(24*time.Hour) {
		return Frame{}, wrong("its picture %d is more than a day after the first", v.n)
	}
	v.last = at
	v.n++
	data := make([]byte, size)
	if _, err := io.ReadFull(v.r, data); err != nil {
		return Frame{}, cut(err)
	}
	return Frame{Data: data, At: time.Duration(passed), Key: KeyFrame(v.codec, data)}, nil
}

// scale is a*b/c, where it fits.
func scale(a, b, c uint64) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, c)
	return q, true
}

// KeyFrame says whether a picture can be shown without those before it.
func KeyFrame(codec string, b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch codec {
	case VP8: // RFC 6386 section 9.1
		return b[0]&1 == 0
	case VP9: // the uncompressed header: marker 2 bits, profile 2, a reserved one in profile 3, show existing, frame type
		b0 := b[0]
		if b0&0x30 == 0x30 {
			return b0&0x06 == 0
		}
		return b0&0x0c == 0
	case AV1: // a key frame comes with a sequence header
		return sequenceHeader(b)
	}
	return true
}

// sequenceHeader looks for an OBU of that type in a temporal unit (AV1 section 5.3).
func sequenceHeader(b []byte) bool {
	for len(b) > 0 {
		if b[0]>>3&15 == 1 {
			return true
		}
		head := 1 + int(b[0]>>2&1)
		if b[0]&2 == 0 || len(b) < head { // the last one may lack its size
			return false
		}
		size, n := binary.Uvarint(b[head:])
		if n <= 0 || size > uint64(len(b)-head-n) {
			return false
		}
		b = b[head+n+int(size):]
	}
	return false
}
