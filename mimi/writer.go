package mimi

import "encoding/binary"

// appendHead writes the shortest head (RFC 8949 section 4.2.1).
func appendHead(b []byte, major byte, arg uint64) []byte {
	major <<= 5
	switch headLen(arg) {
	case 1:
		return append(b, major|byte(arg))
	case 2:
		return append(b, major|24, byte(arg))
	case 3:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(arg))
	case 5:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(arg))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), arg)
}

func appendUint(b []byte, v uint64) []byte { return appendHead(b, majorUint, v) }

func appendBytes(b, s []byte) []byte {
	return append(appendHead(b, majorBytes, uint64(len(s))), s...)
}

func appendText(b []byte, s string) []byte {
	return append(appendHead(b, majorText, uint64(len(s))), s...)
}

func appendArray(b []byte, n int) []byte { return appendHead(b, majorArray, uint64(n)) }

func appendNull(b []byte) []byte { return append(b, 0xe0|simpleNull) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 0xe0|simpleTrue)
	}
	return append(b, 0xe0|simpleFalse)
}
