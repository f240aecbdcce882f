//go:build linux

package netlab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"sotto/internal/mediafile"
)

// mark begins what a person's files say. It is in every packet of sound and in every picture,
// so that whoever hears it knows whose it is, and so that it would be found where it must not be.
func mark(name string) []byte { return []byte("the voice of " + name + ", in the clear ") }

// writeVoice writes so many packets of 20 ms. No decoder is needed to know them again.
func writeVoice(path, name string, packets int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	s, err := mediafile.NewSound(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	for n := range packets {
		if err := s.Write(voicePacket(name, n), time.Duration(n)*20*time.Millisecond); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	return s.Close()
}

func voicePacket(name string, n int) []byte {
	b := append([]byte{0xfc}, mark(name)...) // Opus: 20 ms, stereo, one frame
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

// writeFilm writes pictures of VP8: so many in a second, every tenth a key frame.
func writeFilm(path, name string, pictures, aSecond, size int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	p := mediafile.NewPictures(f, mediafile.VP8)
	for n := range pictures {
		b := []byte{1, 0, 0}
		if n%10 == 0 {
			b = []byte{0, 0, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0}
		}
		b = binary.BigEndian.AppendUint32(append(b, mark(name)...), uint32(n))
		b = append(b, make([]byte, max(0, size-len(b)))...)
		if err := p.Write(b, time.Duration(n)*time.Second/time.Duration(aSecond)); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(p.Close(), f.Close())
}

// heard counts the packets of a person in a recording, and holds that they are in order and
// as they were said. It answers the time of the last one, too.
func heard(path, name string) (n int, last time.Duration, err error) {
	f, err := mediafile.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	before := -1
	for {
		x, err := f.Next()
		if errors.Is(err, io.EOF) {
			return n, last, nil
		} else if err != nil {
			return n, last, err
		}
		at := bytes.Index(x.Data, mark(name))
		if at < 0 {
			continue
		}
		number := int(binary.BigEndian.Uint32(x.Data[at+len(mark(name)):]))
		if number <= before {
			return n, last, fmt.Errorf("%s: packet %d after packet %d", path, number, before)
		}
		n, before, last = n+1, number, x.At
	}
}
