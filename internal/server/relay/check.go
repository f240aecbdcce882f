package relay

import (
	"encoding/binary"
	"net/netip"
)

// What a packet or a frame on a stream may be: the first two bits tell STUN (00) from
// data on a channel (01), RFC 8656 section 12.
const (
	headSTUN    = 20
	headChannel = 4
	maxFrame    = 1600 // of STUN, and of data on a channel with its head
	maxData     = maxFrame - headChannel
	maxPeers    = 64 // XOR-PEER-ADDRESS in one CreatePermission, permissions and channels of one allocation
	cookie      = 0x2112A442

	firstChannel, lastChannel = 0x4000, 0x4FFF
)

// The methods of STUN that are served (RFC 8489 section 18.3, RFC 8656 section 18), as
// message types: requests, and the one indication.
const (
	typeBinding    = 0x0001
	typeAllocate   = 0x0003
	typeRefresh    = 0x0004
	typePermission = 0x0008
	typeChannel    = 0x0009
	typeSend       = 0x0016
)

const (
	attrChannelNumber = 0x000C
	attrPeer          = 0x0012
	attrIntegrity     = 0x0008
)

// request is what check found.
type request struct {
	kind    uint16
	channel uint16       // of typeChannel
	peers   []netip.Addr // of typePermission, typeChannel and typeSend
	code    integrity    // zero: it proves nothing
}

// check says whether b is one whole request that this relay serves: what it lets pass
// is all that pion/turn ever parses. RFC 6062 (TCP to peers) is not served, so its
// methods are dropped.
func check(b []byte) (q request, ok bool) {
	if len(b) < headSTUN || len(b) > maxFrame || binary.BigEndian.Uint32(b[4:]) != cookie {
		return q, false
	}
	q.kind = binary.BigEndian.Uint16(b)
	switch q.kind {
	case typeBinding, typeAllocate, typeRefresh, typePermission, typeChannel, typeSend:
	default:
		return q, false
	}
	if n := int(binary.BigEndian.Uint16(b[2:])); n%4 != 0 || n != len(b)-headSTUN {
		return q, false
	}
	for rest := b[headSTUN:]; len(rest) > 0; {
		if len(rest) < 4 {
			return q, false
		}
		kind, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		padded := (n + 3) &^ 3
		if len(rest) < 4+padded {
			return q, false
		}
		value := rest[4 : 4+n]
		switch kind {
		case attrChannelNumber:
			if n != 4 {
				return q, false
			}
			q.channel = binary.BigEndian.Uint16(value)
		case attrIntegrity:
			if n != len(q.code) {
				return q, false
			}
			if q.code == (integrity{}) {
				q.code = integrity(value)
			}
		case attrPeer:
			a, ok := xorAddress(value, b)
			if !ok || len(q.peers) == maxPeers {
				return q, false
			}
			q.peers = append(q.peers, a)
		}
		rest = rest[4+padded:]
	}
	return q, true
}

// xorAddress reads an address that is hidden as in RFC 8489 section 14.2.
func xorAddress(value, message []byte) (netip.Addr, bool) {
	var family byte
	if len(value) > 1 {
		family = value[1]
	}
	switch {
	case family == 1 && len(value) == 8, family == 2 && len(value) == 20:
	default:
		return netip.Addr{}, false
	}
	var a [16]byte
	n := copy(a[:], value[4:])
	for i := range n {
		a[i] ^= message[4+i]
	}
	if n == 4 {
		return netip.AddrFrom4([4]byte(a[:4])), true
	}
	return netip.AddrFrom16(a).Unmap(), true
}

// channelData reads the head of data on a channel: n bytes of it follow. In a datagram
// padding may follow them.
func channelData(b []byte) (channel uint16, n int, ok bool) {
	if len(b) < headChannel {
		return 0, 0, false
	}
	channel = binary.BigEndian.Uint16(b)
	n = int(binary.BigEndian.Uint16(b[2:]))
	if channel < firstChannel || channel > lastChannel || n > len(b)-headChannel || len(b)-headChannel-n > 3 {
		return 0, 0, false
	}
	return channel, n, true
}

// frameSize is how long the frame is that begins with these four bytes of a stream, with
// its padding; not ok: nothing of ours begins so. RFC 8656 sections 3.2 and 12.5.
func frameSize(head []byte) (n int, ok bool) {
	n = int(binary.BigEndian.Uint16(head[2:]))
	switch kind := binary.BigEndian.Uint16(head); {
	case kind < 0x4000:
		n += headSTUN
	case kind <= lastChannel:
		n = headChannel + (n+3)&^3
	default:
		return 0, false
	}
	return n, n <= maxFrame
}

// Speaks says whether the first byte of a connection is that of STUN, not of TLS (0x16)
// or of HTTP (a letter): a request's type begins with 0 or 1.
func Speaks(first byte) bool { return first <= 1 }
