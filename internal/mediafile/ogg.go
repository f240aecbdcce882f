package mediafile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// The Ogg page of RFC 3533 section 6. Numbers are little-endian.
const (
	oggMagic    = "OggS"
	pageHead    = 23 // bytes after the magic, before the segment table
	continued   = 1  // the page begins with the rest of a packet
	begins      = 2  // the first page of a stream
	ends        = 4  // the last one
	noGranule   = ^uint64(0)
	firstSound  = 2      // the page after those of the two headers
	opusRate    = 48_000 // granules a second, whatever the sound was sampled with
	longestOpus = 120 * time.Millisecond
)

// ogg reads one logical stream of Opus. Its packets lie in pages, many in one or one in many.
type ogg struct {
	r      *bufio.Reader
	serial uint32
	page   uint32 // number of the page that is next
	last   bool   // the page at hand is the last

	sizes   []byte // segment table of the page at hand, what is left of it
	granule uint64 // of the page at hand: where its last whole packet ends
	partial []byte // a packet that goes on on the next page

	place uint64 // granules that the packets so far have taken, and gaps between them
	base  uint64 // granule of the beginning: a file cut out of a longer one begins anywhere
}

// newOgg reads the two headers of RFC 7845 section 5. The magic of the first page is read.
func newOgg(r io.Reader) (*ogg, error) {
	o := &ogg{r: bufio.NewReader(r)}
	if err := o.readPage(true); err != nil {
		return nil, err
	}
	head, err := o.packet()
	if err != nil {
		return nil, cut(err)
	}
	switch {
	case len(head) < 19 || string(head[:8]) != "OpusHead":
		return nil, wrong("its sound is not Opus")
	case head[8]>>4 != 0:
		return nil, wrong("its version of Opus in Ogg is %d", head[8])
	case head[9] == 0 || head[9] > 2 || head[18] != 0:
		return nil, wrong("it has %d channels; calls take one or two", head[9])
	case len(o.sizes) > 0:
		return nil, wrong("its first page has more than the header")
	}
	tags, err := o.packet()
	if err != nil {
		return nil, cut(err)
	}
	if len(tags) < 8 || string(tags[:8]) != "OpusTags" {
		return nil, wrong("it has no tags after its header")
	}
	return o, nil
}

func (o *ogg) Codec() string { return Opus }

// Next answers the next packet. Where a page's granule is ahead of its packets the file has
// a gap, which passes in silence.
func (o *ogg) Next() (Frame, error) {
	at := o.place
	data, err := o.packet()
	if err != nil {
		return Frame{}, err
	}
	lasts, err := OpusDuration(data)
	if err != nil {
		return Frame{}, err
	}
	o.place += uint64(lasts * opusRate / time.Second)
	if gap := int64(o.granule - o.base - o.place); len(o.sizes) == 0 && o.granule != noGranule && gap > 0 {
		switch {
		case o.page == firstSound+1:
			o.base = uint64(gap)
		case gap > 24*3600*opusRate:
			return Frame{}, wrong("its page %d is more than a day after the one before it", o.page-1)
		default:
			at += uint64(gap)
			o.place += uint64(gap)
		}
	}
	return Frame{Data: data, At: time.Duration(at) * time.Second / opusRate, Key: true}, nil
}

// packet answers the next whole packet.
func (o *ogg) packet() ([]byte, error) {
	for {
		for len(o.sizes) > 0 {
			n := o.sizes[0]
			o.sizes = o.sizes[1:]
			if len(o.partial)+int(n) > maxPacket {
				return nil, wrong("a packet on its page %d is larger than %d bytes", o.page-1, maxPacket)
			}
			at := len(o.partial)
			o.partial = append(o.partial, make([]byte, n)...)
			if _, err := io.ReadFull(o.r, o.partial[at:]); err != nil {
				return nil, cut(err)
			}
			if n < 255 {
				whole := o.partial
				o.partial = nil
				return whole, nil
			}
		}
		if o.last {
			return nil, io.EOF
		}
		var magic [4]byte
		switch _, err := io.ReadFull(o.r, magic[:]); {
		case errors.Is(err, io.EOF) && o.partial == nil:
			return nil, io.EOF // many files lack the flag at their end
		case err != nil:
			return nil, cut(err)
		case string(magic[:]) != oggMagic:
			return nil, wrong("no page where page %d should be", o.page)
		}
		if err := o.readPage(false); err != nil {
			return nil, err
		}
	}
}

// readPage reads the head of a page, after its magic. The checksum is not looked at: it
// guards against a bad disk, and a packet that is wrong harms nobody.
func (o *ogg) readPage(first bool) error {
	var h [pageHead]byte
	if _, err := io.ReadFull(o.r, h[:]); err != nil {
		return cut(err)
	}
	flags, serial, number := h[1], binary.LittleEndian.Uint32(h[10:]), binary.LittleEndian.Uint32(h[14:])
	if first {
		o.serial = serial
	}
	switch {
	case h[0] != 0:
		return wrong("its version of Ogg is %d", h[0])
	case first != (flags&begins != 0) || serial != o.serial:
		return wrong("it has several streams; calls take files of one")
	case number != o.page:
		return wrong("its page %d is followed by page %d", int64(o.page)-1, number)
	case (flags&continued != 0) != (o.partial != nil):
		return wrong("a packet is cut off between its pages %d and %d", int64(o.page)-1, number)
	}
	o.page++
	o.last = flags&ends != 0
	o.granule = binary.LittleEndian.Uint64(h[2:])
	o.sizes = make([]byte, h[22])
	if _, err := io.ReadFull(o.r, o.sizes); err != nil {
		return cut(err)
	}
	return nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return wrong("it ends in the middle")
	}
	return err
}

// OpusDuration is how long a packet sounds, by its first bytes: RFC 6716 sections 3.1 and 3.2.
func OpusDuration(packet []byte) (time.Duration, error) {
	if len(packet) == 0 {
		return 0, wrong("a packet of Opus is empty")
	}
	config, n := packet[0]>>3, time.Duration(0)
	switch packet[0] & 3 {
	case 0:
		n = 1
	case 1, 2:
		n = 2
	default:
		if len(packet) < 2 || packet[1]&63 == 0 {
			return 0, wrong("a packet of Opus has no frames")
		}
		n = time.Duration(packet[1] & 63)
	}
	one := 2500 * time.Microsecond << (config & 3) // CELT
	switch {
	case config < 12: // SILK
		one = []time.Duration{10, 20, 40, 60}[config&3] * time.Millisecond
	case config < 16: // both
		one = []time.Duration{10, 20}[config&1] * time.Millisecond
	}
	if n*one > longestOpus {
		return 0, wrong("a packet of Opus lasts %v", n*one)
	}
	return n * one, nil
}
