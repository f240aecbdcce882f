package mimi

import (
	"bytes"
	"math"
)

// maxInteger bounds integer keys, so that a float64 can hold them exactly
// (section 6.2).
const maxInteger = 1<<53 - 1

// Tags of big integers, RFC 8949 section 3.4.3.
const (
	tagBigUint     = 2
	tagBigNegative = 3
)

// value walks one item of any type inside an extension. depth is the level of
// the container that holds it; section 6.3 counts tags, maps and arrays.
func (r *reader) value(depth int) error {
	h, err := r.head()
	if err != nil {
		return err
	}
	if h.major >= majorArray && h.major <= majorTag {
		if depth++; depth > MaxExtensionDepth {
			return r.fail(ErrTooDeep, "extension value")
		}
	}
	switch h.major {
	case majorBytes:
		_, err = r.take(h.arg, MaxMessage, "extension value")
	case majorText:
		r.off -= headLen(h.arg)
		_, err = r.text(MaxMessage, "extension value")
	case majorArray:
		err = r.repeat(h.arg, func() error { return r.value(depth) })
	case majorMap:
		err = r.sortedMap(h.arg, func() error { return r.innerKey() }, func() error { return r.value(depth) })
	case majorTag:
		err = r.tagged(h.arg, depth)
	case majorSimple:
		err = r.simple(h)
	}
	return err
}

// repeat calls f n times; every f consumes a byte or fails, so a claimed
// length costs nothing beyond the input.
func (r *reader) repeat(n uint64, f func() error) error {
	for ; n > 0; n-- {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// sortedMap walks n pairs whose encoded keys must strictly ascend
// (RFC 8949 section 4.2.1).
func (r *reader) sortedMap(n uint64, key, value func() error) error {
	var last []byte
	return r.repeat(n, func() error {
		start := r.off
		if err := key(); err != nil {
			return err
		}
		k := r.b[start:r.off]
		if last != nil {
			switch c := bytes.Compare(last, k); {
			case c == 0:
				return r.fail(ErrDuplicate, "map key")
			case c > 0:
				return r.fail(ErrNotDeterministic, "map keys out of order")
			}
		}
		last = k
		return value()
	})
}

// innerKey walks a key of a map inside an extension: an integer, a text or a
// byte string (section 6.2).
func (r *reader) innerKey() error {
	h, err := r.head()
	if err != nil {
		return err
	}
	switch h.major {
	case majorUint, majorNegative:
		return r.checkInteger(h)
	case majorBytes:
		_, err = r.take(h.arg, MaxMessage, "map key")
		return err
	case majorText:
		r.off -= headLen(h.arg)
		_, err = r.text(MaxMessage, "map key")
		return err
	}
	return r.fail(ErrMalformed, "map key has the wrong type")
}

// checkInteger holds an integer key to ±(2^53-1); a negative one is -1-arg.
func (r *reader) checkInteger(h head) error {
	max := uint64(maxInteger)
	if h.major == majorNegative {
		max--
	}
	if h.arg > max {
		return r.fail(ErrMalformed, "integer key out of range")
	}
	return nil
}

// tagged walks the content of a tag. A big integer that fits a plain one must
// be written as one (section 6.1).
func (r *reader) tagged(tag uint64, depth int) error {
	if tag != tagBigUint && tag != tagBigNegative {
		return r.value(depth)
	}
	b, err := r.bytes(MaxMessage, "big integer")
	if err == nil && (len(b) <= 8 || b[0] == 0) {
		return r.fail(ErrNotDeterministic, "big integer longer than needed")
	}
	return err
}

// simple checks a simple value or a float.
func (r *reader) simple(h head) error {
	switch h.info {
	case 24: // two octets are for 32 and up: RFC 8949 section 3.3
		if h.arg < 32 {
			return r.fail(ErrMalformed, "simple value in two octets")
		}
	case 25:
		if h.arg&0x7c00 == 0x7c00 && h.arg&0x3ff != 0 && h.arg != 0x7e00 {
			return r.fail(ErrMalformed, "NaN with a payload") // section 6.2
		}
	case 26:
		return r.float(float64(math.Float32frombits(uint32(h.arg))), fitsHalf)
	case 27:
		return r.float(math.Float64frombits(h.arg), func(f float64) bool { return float64(float32(f)) == f })
	}
	return nil
}

// float refuses a NaN that is not the half-width one, and a float that a
// shorter form holds exactly.
func (r *reader) float(f float64, fitsShorter func(float64) bool) error {
	if math.IsNaN(f) || fitsShorter(f) {
		return r.fail(ErrNotDeterministic, "float longer than needed")
	}
	return nil
}

// fitsHalf reports whether IEEE 754 binary16 holds f exactly: eleven
// significant bits, multiples of 2^-24, at most 65504.
func fitsHalf(f float64) bool {
	if f == 0 || math.IsInf(f, 0) {
		return true
	}
	fraction, _ := math.Frexp(f)
	whole := func(x float64) bool { return x == math.Trunc(x) }
	return math.Abs(f) <= 65504 && whole(f*(1<<24)) && whole(fraction*(1<<11))
}

// headLen is the length of the shortest head with this argument.
func headLen(arg uint64) int {
	for i, least := range smallestArg {
		if arg < least {
			if i == 0 {
				return 1
			}
			return 1 + 1<<(i-1)
		}
	}
	return 9
}
