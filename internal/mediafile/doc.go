// Package mediafile reads and writes the files of a headless call: Opus in Ogg (RFC 3533,
// RFC 7845) and VP8, VP9 or AV1 in IVF. Frames are passed as they are; nothing is decoded.
// It is used by calls of the command line, and knows no network and no clock.
//
// Readers are strict: a file that is not as its format has it is refused with what is wrong
// and where. They need memory for one frame, however long the file is.
package mediafile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// The codecs, by their media types (RFC 7587, RFC 7741, RFC 9628, the AV1 payload format).
const (
	Opus = "audio/opus"
	VP8  = "video/VP8"
	VP9  = "video/VP9"
	AV1  = "video/AV1"
)

// maxFrame bounds what one packet of sound or one picture may take.
const (
	maxPacket = 61_298  // bytes: what an Ogg file with frames of 20 ms may need, RFC 7845 section 6
	maxFrame  = 4 << 20 // bytes: a key frame in 4K is less
)

// ErrFormat is the error of a file that is not as its format has it.
var ErrFormat = errors.New("not a file of sound or pictures as sotto plays them")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

// Frame is a packet of sound or a picture.
type Frame struct {
	Data []byte
	At   time.Duration // since the beginning of the file
	Key  bool          // can be shown without those before it; true of all sound
}

// Reader reads a file's frames in the order of their times.
type Reader interface {
	Codec() string
	Next() (Frame, error) // io.EOF at the end
}

// File is an open file.
type File struct {
	Reader
	file *os.File
}

// Open opens a file by what it begins with.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := Read(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{r, f}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Read reads a file by what it begins with.
func Read(r io.Reader) (Reader, error) {
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, wrong("it is too short")
	}
	switch string(magic[:]) {
	case oggMagic:
		return newOgg(r)
	case ivfMagic:
		return newIVF(r)
	}
	return nil, wrong("it is neither Ogg nor IVF")
}
