package room

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	_ "image/jpeg" // what image.DecodeConfig knows
	_ "image/png"

	"sotto/internal/wire"
)

// ErrPicture is a picture that is not taken.
var ErrPicture = fmt.Errorf("%w: a picture is a PNG, JPEG or WebP of at most 32 KiB and 1024 by 1024 pixels", ErrJunk)

// CheckPicture looks at a picture's first bytes, its size and its bounds. It decodes
// nothing else: that is for whoever shows it.
func CheckPicture(b []byte) error {
	if len(b) == 0 || len(b) > MaxPicture {
		return ErrPicture
	}
	var w, h int
	switch PictureType(b) {
	case "image/png", "image/jpeg":
		c, _, err := image.DecodeConfig(bytes.NewReader(b))
		if err != nil {
			return ErrPicture
		}
		w, h = c.Width, c.Height
	case "image/webp":
		w, h = webpBounds(b)
	}
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide {
		return ErrPicture
	}
	return nil
}

// PictureType is a picture's media type by its first bytes, "" for none that is taken.
func PictureType(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case len(b) > 16 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}

// webpBounds are the bounds in a WebP file's first chunk (RFC 9649 sections 2.5 to 2.7), 0
// for what moves or is none.
func webpBounds(b []byte) (w, h int) {
	if len(b) < 30 {
		return 0, 0
	}
	body := b[20:]
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(body[at:])) }
	u24 := func(at int) int { return u16(at) | int(body[at+2])<<16 }
	switch string(b[12:16]) {
	case "VP8 ": // 3 bytes of frame tag, 3 of start code
		if string(body[3:6]) == "\x9d\x01\x2a" {
			return u16(6) & 0x3fff, u16(8) & 0x3fff
		}
	case "VP8L":
		if body[0] == 0x2f {
			bits := binary.LittleEndian.Uint32(body[1:])
			return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1
		}
	case "VP8X":
		const animation = 0x02
		if body[0]&animation == 0 {
			return u24(4) + 1, u24(7) + 1
		}
	}
	return 0, 0
}

// PictureRef is what a context's Picture holds: which picture the room has. Its bytes travel
// as PayloadPicture.
type PictureRef struct {
	Hash    wire.Hash `cbor:"1,keyasint"` // SHA-256
	Version uint64    `cbor:"2,keyasint"` // Unix milliseconds of the change
}

// PictureOf reads a context's Picture; nil where the room has none.
func (c Context) PictureOf() *PictureRef {
	var p PictureRef
	if len(c.Picture) == 0 || wire.Unmarshal(c.Picture, &p) != nil || p.Version == 0 || p.Version > maxVersion {
		return nil
	}
	return &p
}

// ParsePicture reads the body of PayloadPicture: a picture.
func ParsePicture(b []byte) (wire.Hash, error) {
	return sha256.Sum256(b), CheckPicture(b)
}

// Pin is the body of PayloadPin: a message is pinned in its room, or is no more.
type Pin struct {
	Message [32]byte `cbor:"1,keyasint"`
	On      bool     `cbor:"2,keyasint,omitempty"`
}

// ParsePin reads the body of PayloadPin.
func ParsePin(b []byte) (Pin, error) {
	var p Pin
	if err := wire.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%w: pin: %w", ErrJunk, err)
	}
	return p, nil
}
