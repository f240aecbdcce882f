package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// ErrPicture is a picture of which nobody knows what it says beside the picture.
var ErrPicture = errors.New("this picture is damaged, so what the camera wrote into it cannot be taken out: send it as it is, or not at all")

// StripPicture is a JPEG, PNG or WebP without what cameras and programs write into it: places,
// times, names of devices and people, small copies, comments, what lies behind its end. How it is
// to be turned stays, and so do its colours. What is none of these comes back as it is.
//
// What stays is listed, so that a kind of note that is invented tomorrow goes as well.
func StripPicture(b []byte) ([]byte, error) {
	var out []byte
	ok := true
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		out, ok = stripJPEG(b)
	case bytes.HasPrefix(b, []byte(pngHead)):
		out, ok = stripPNG(b)
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		out, ok = stripWebP(b)
	default:
		return b, nil
	}
	if !ok {
		return nil, ErrPicture
	}
	return out, nil
}

// stripJPEG copies the segments of a JPEG (ITU-T T.81, annex B) that make the picture.
func stripJPEG(b []byte) (out []byte, ok bool) {
	var kept []byte
	turn := uint16(0)
	for at := 2; ; {
		for at+1 < len(b) && b[at] == 0xff && b[at+1] == 0xff { // fill bytes
			at++
		}
		if at+2 > len(b) || b[at] != 0xff {
			return nil, false
		}
		marker := b[at+1]
		if marker == 0xd9 { // EOI; what follows is no part of it
			kept = append(kept, 0xff, 0xd9)
			break
		}
		if at+4 > len(b) {
			return nil, false
		}
		end := at + 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		if end < at+4 || end > len(b) {
			return nil, false
		}
		body := b[at+4 : end]
		if marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) && turn == 0 {
			turn = orientation(body[6:])
		}
		if keepJPEG(marker, body) {
			kept = append(kept, b[at:end]...)
		}
		at = end
		if marker == 0xda { // SOS: the picture itself, to the next marker
			scan := at
			for at+1 < len(b) && (b[at] != 0xff || b[at+1] == 0 || b[at+1] >= 0xd0 && b[at+1] <= 0xd7) {
				at++
			}
			kept = append(kept, b[scan:at]...)
		}
	}
	out = append(out, 0xff, 0xd8)
	if turn > 1 {
		note := append([]byte("Exif\x00\x00"), turned(turn)...)
		out = append(out, 0xff, 0xe1)
		out = binary.BigEndian.AppendUint16(out, uint16(len(note)+2))
		out = append(out, note...)
	}
	return append(out, kept...), true
}

// keepJPEG says whether a segment is of the picture: frames, tables, scans; of the notes JFIF
// without its small copy, the colour profile, and Adobe's, which says how colours are coded.
func keepJPEG(marker byte, body []byte) bool {
	switch {
	case marker == 0xe0:
		return bytes.HasPrefix(body, []byte("JFIF\x00")) && len(body) == 14
	case marker == 0xe2:
		return bytes.HasPrefix(body, []byte("ICC_PROFILE\x00"))
	case marker == 0xee:
		return bytes.HasPrefix(body, []byte("Adobe")) && len(body) == 12
	case marker >= 0xe0 && marker <= 0xef, marker == 0xfe:
		return false
	}
	return marker >= 0xc0 && marker <= 0xdf
}

const pngHead = "\x89PNG\r\n\x1a\n"

// keptPNG are the chunks that make a PNG (PNG specification, third edition, section 11).
var keptPNG = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "cHRM": true, "gAMA": true, "iCCP": true, "sBIT": true, "sRGB": true,
	"cICP": true, "mDCV": true, "cLLI": true, "bKGD": true, "hIST": true, "pHYs": true, "acTL": true, "fcTL": true, "fdAT": true,
}

func stripPNG(b []byte) (out []byte, ok bool) {
	out = append(out, pngHead...)
	for rest := b[len(pngHead):]; len(rest) >= 12; {
		size := uint64(binary.BigEndian.Uint32(rest))
		if size+12 > uint64(len(rest)) {
			return nil, false
		}
		kind, body := string(rest[4:8]), rest[8:8+size]
		switch {
		case keptPNG[kind]:
			out = append(out, rest[:size+12]...)
		case kind == "eXIf":
			if turn := orientation(body); turn > 1 {
				out = appendPNG(out, kind, turned(turn))
			}
		}
		if kind == "IEND" {
			return out, true
		}
		rest = rest[size+12:]
	}
	return nil, false
}

func appendPNG(out []byte, kind string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	begin := len(out)
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[begin:]))
}

// stripWebP copies the chunks of a WebP (RFC 9649, section 2.7) that make the picture.
func stripWebP(b []byte) (out []byte, ok bool) {
	end := uint64(binary.LittleEndian.Uint32(b[4:])) + 8
	if end > uint64(len(b)) || end < 12 {
		return nil, false
	}
	out = append(out, b[:12]...)
	flags, turn := -1, uint16(0)
	for rest := b[12:end]; len(rest) > 0; {
		if len(rest) < 8 {
			return nil, false
		}
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		whole := 8 + size + size&1
		if whole > uint64(len(rest)) {
			return nil, false
		}
		switch string(rest[:4]) {
		case "VP8X":
			flags = len(out) + 8
			fallthrough
		case "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP":
			if string(rest[:4]) == "VP8X" && size < 10 {
				return nil, false
			}
			out = append(out, rest[:whole]...)
		case "EXIF":
			turn = orientation(bytes.TrimPrefix(rest[8:8+size], []byte("Exif\x00\x00")))
		}
		rest = rest[whole:]
	}
	if flags >= 0 {
		out[flags] &^= 0x0c // there is no Exif and no XMP any more
		if turn > 1 {
			out[flags] |= 0x08
			note := turned(turn)
			out = append(out, "EXIF"...)
			out = binary.LittleEndian.AppendUint32(out, uint32(len(note)))
			out = append(out, note...)
		}
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out, true
}

// orientation reads how a picture is to be turned (Exif 2.32, tag 0x0112), 0 for nothing said.
func orientation(tiff []byte) uint16 {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
	default:
		return 0
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == 0x0112 && order.Uint16(entries[2:]) == 3 {
			if v := order.Uint16(entries[8:]); v >= 1 && v <= 8 {
				return v
			}
			return 0
		}
		entries = entries[12:]
	}
	return 0
}

// turned is a note that says this alone.
func turned(v uint16) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	binary.BigEndian.PutUint16(b[18:], v)
	return b
}
