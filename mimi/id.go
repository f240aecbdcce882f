package mimi

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// hashSHA256 is the first octet of a message ID: SHA-256 in the IANA Named
// Information hash algorithm registry (section 3.3).
const hashSHA256 = 0x01

// MessageID names a message: the hash algorithm's number, then the first 31
// octets of the hash (section 3.3).
type MessageID [32]byte

// String is the ID in hexadecimal.
func (id MessageID) String() string { return hex.EncodeToString(id[:]) }

// MessageID is the ID of a message that sender sent to room (section 3.3):
//
//	0x01 || SHA-256(len(sender) || sender || len(room) || room || message || salt)[0:31]
//
// with lengths of two octets, big-endian. The salt stands in the message too;
// its second copy stops a length extension.
//
// sender and room are the URIs that the receiver knows from MLS. When the
// message names others the error is ErrAddress: somebody copied it from
// elsewhere. URIs over MaxURI are ErrTooLarge.
func (c *Content) MessageID(sender, room string) (id MessageID, err error) {
	if len(sender) > MaxURI || len(room) > MaxURI {
		return id, fmt.Errorf("%w: sender or room URI", ErrTooLarge)
	}
	if s, named := c.SenderURI(); named && s != sender {
		return id, ErrAddress
	}
	if s, named := c.RoomURI(); named && s != room {
		return id, ErrAddress
	}
	message, err := c.Marshal()
	if err != nil {
		return id, err
	}
	b := appendURI(nil, sender)
	b = appendURI(b, room)
	b = append(b, message...)
	b = append(b, c.Salt[:]...)
	sum := sha256.Sum256(b)
	id[0] = hashSHA256
	copy(id[1:], sum[:])
	return id, nil
}

func appendURI(b []byte, uri string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(uri))), uri...)
}
