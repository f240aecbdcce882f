package mediafile

import (
	"encoding/binary"
	"io"
	"math"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"
)

// longestGap bounds the silence that is written where nothing came: what is longer was a
// pause of the call.
const longestGap = time.Minute

// silence is an Opus packet of 20 ms without a frame: decoders fill it (RFC 6716 section 3.2.1).
var silence = []byte{0x08}

// Sound writes Opus into an Ogg file.
type Sound struct {
	w     *oggwriter.OggWriter
	ended time.Duration
}

// NewSound begins a file of sound. It closes w, if w can be closed, when it is closed.
func NewSound(w io.Writer) (*Sound, error) {
	o, err := oggwriter.NewWith(w, opusRate, 2)
	if err != nil {
		return nil, err
	}
	return &Sound{w: o}, nil
}

// Write adds a packet that is heard at a time after the beginning. Gaps are written as silence,
// so that a recording is as long as what it records.
func (s *Sound) Write(data []byte, at time.Duration) error {
	lasts, err := OpusDuration(data)
	if err != nil {
		return nil // the other side sent junk: nobody hears it
	}
	const step = 20 * time.Millisecond
	if gap := at - s.ended; gap >= step && gap <= longestGap {
		for ; at-s.ended >= step; s.ended += step {
			if err := s.w.WriteRTP(&rtp.Packet{Payload: silence}); err != nil {
				return err
			}
		}
	}
	s.ended = max(at, s.ended) + lasts
	return s.w.WriteRTP(&rtp.Packet{Payload: data})
}

// Close ends the file.
func (s *Sound) Close() error { return s.w.Close() }

// Pictures writes VP8, VP9 or AV1 into an IVF file. Its time base is a millisecond.
type Pictures struct {
	w     io.WriteSeeker
	codec string
	n     uint32
	err   error
}

// NewPictures begins a file of pictures of a codec.
func NewPictures(w io.WriteSeeker, codec string) *Pictures {
	return &Pictures{w: w, codec: codec}
}

// Write adds a picture that is seen at a time after the beginning. The first has to be a key
// frame; what comes before one is left out.
func (p *Pictures) Write(data []byte, at time.Duration) error {
	if p.n == 0 {
		if !KeyFrame(p.codec, data) {
			return nil
		}
		p.head(data)
	}
	if p.n == math.MaxUint32 || len(data) > maxFrame {
		return p.err
	}
	var h [ivfPicture]byte
	binary.LittleEndian.PutUint32(h[:], uint32(len(data)))
	binary.LittleEndian.PutUint64(h[4:], uint64(max(at, 0)/time.Millisecond))
	p.write(h[:])
	p.write(data)
	p.n++
	return p.err
}

func (p *Pictures) head(first []byte) {
	h := make([]byte, ivfHead)
	copy(h, ivfMagic)
	binary.LittleEndian.PutUint16(h[6:], ivfHead)
	for code, codec := range fourCC {
		if codec == p.codec {
			copy(h[8:], code)
		}
	}
	if p.codec == VP8 && len(first) >= 10 { // RFC 6386 section 9.1
		binary.LittleEndian.PutUint16(h[12:], binary.LittleEndian.Uint16(first[6:])&0x3fff)
		binary.LittleEndian.PutUint16(h[14:], binary.LittleEndian.Uint16(first[8:])&0x3fff)
	}
	binary.LittleEndian.PutUint32(h[16:], 1000)
	binary.LittleEndian.PutUint32(h[20:], 1)
	p.write(h)
}

func (p *Pictures) write(b []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

// Close writes how many pictures there are into the head.
func (p *Pictures) Close() error {
	if p.err != nil || p.n == 0 {
		return p.err
	}
	if _, err := p.w.Seek(24, io.SeekStart); err != nil {
		return err
	}
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], p.n)
	p.write(n[:])
	return p.err
}
