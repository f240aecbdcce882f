//go:build linux && chaos

package chaos

import (
	"encoding/binary"
	"net/netip"
)

// segment is an IPv4 packet (RFC 791) that carries TCP (RFC 9293), on its way.
type segment struct {
	b        []byte
	from, to netip.AddrPort
	seq, ack uint32
	flags    byte
	tcp      int // where its header begins
	body     int // where its contents begin
}

// Flags of TCP.
const (
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

const protocolTCP = 6

// flow names a connection, the same in both directions.
type flow struct{ a, b netip.AddrPort }

func (s segment) flow() flow {
	if s.from.Compare(s.to) < 0 {
		return flow{s.from, s.to}
	}
	return flow{s.to, s.from}
}

// addresses are where an IPv4 packet comes from and goes to.
func addresses(b []byte) (from, to netip.Addr, ok bool) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return from, to, false
	}
	return netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20])), true
}

// parseSegment reads a packet that is a whole TCP segment.
func parseSegment(b []byte) (s segment, ok bool) {
	from, to, ok := addresses(b)
	if !ok || b[9] != protocolTCP || binary.BigEndian.Uint16(b[6:])&0x3fff != 0 { // a fragment
		return s, false
	}
	head := int(b[0]&15) * 4
	if size := int(binary.BigEndian.Uint16(b[2:])); size != len(b) || head < 20 || head+20 > size {
		return s, false
	}
	t := b[head:]
	s = segment{
		b: b, tcp: head, body: head + int(t[12]>>4)*4, flags: t[13],
		from: netip.AddrPortFrom(from, binary.BigEndian.Uint16(t)), to: netip.AddrPortFrom(to, binary.BigEndian.Uint16(t[2:])),
		seq: binary.BigEndian.Uint32(t[4:]), ack: binary.BigEndian.Uint32(t[8:]),
	}
	return s, s.body >= head+20 && s.body <= len(b)
}

// contents is how many bytes of the stream the segment carries.
func (s segment) contents() int { return len(s.b) - s.body }

// first is the segment with only the first n bytes of its contents.
func (s segment) first(n int) []byte {
	b := append([]byte{}, s.b[:s.body+n]...)
	seal(b, s.tcp)
	return b
}

// resets are what tells both ends that the connection is gone: the receiver after n bytes
// of the segment's contents, and the sender.
func (s segment) resets(n int) (receiver, sender []byte) {
	return bare(s.from, s.to, s.seq+uint32(n), s.ack), bare(s.to, s.from, s.ack, s.seq+uint32(s.contents()))
}

// bare is a segment that resets a connection.
func bare(from, to netip.AddrPort, seq, ack uint32) []byte {
	b := make([]byte, 40)
	b[0], b[8], b[9] = 0x45, 64, protocolTCP
	copy(b[12:], from.Addr().AsSlice())
	copy(b[16:], to.Addr().AsSlice())
	t := b[20:]
	binary.BigEndian.PutUint16(t, from.Port())
	binary.BigEndian.PutUint16(t[2:], to.Port())
	binary.BigEndian.PutUint32(t[4:], seq)
	binary.BigEndian.PutUint32(t[8:], ack)
	t[12], t[13] = 5<<4, flagRST|flagACK
	seal(b, 20)
	return b
}

// seal sets the lengths and checksums of a packet that was changed.
func seal(b []byte, tcp int) {
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[10:], 0)
	binary.BigEndian.PutUint16(b[10:], fold(sum(0, b[:tcp])))
	t := b[tcp:]
	binary.BigEndian.PutUint16(t[16:], 0)
	pseudo := sum(uint32(protocolTCP)+uint32(len(t)), b[12:20])
	binary.BigEndian.PutUint16(t[16:], fold(sum(pseudo, t)))
}

// sum adds up 16 bits at a time (RFC 1071).
func sum(n uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		n += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		n += uint32(b[0]) << 8
	}
	return n
}

func fold(n uint32) uint16 {
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return ^uint16(n)
}
