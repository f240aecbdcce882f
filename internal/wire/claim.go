package wire

import (
	"bytes"
	"crypto/sha256"
)

// An entry that comes with a swap begins by naming it, where the server can read it: the
// byte SwapEntry, then the swap's Claim. The server refuses one that names another swap, and
// an entry without a swap that begins so. So members who are shown an entry and what the
// server did know, when the two do not fit, that it is the server that lies; and when they
// fit, that whoever made the entry asked for this.

// The first byte of an entry.
const (
	PlainEntry byte = 1
	SwapEntry  byte = 2
)

// Claim is the hash by which an entry names its swap.
func (s Swap) Claim() Hash {
	return sha256.Sum256(append([]byte("sotto swap v1"), Marshal(s)...))
}

// Swap is the swap that the server says it did; nil for nothing.
func (d *Did) Swap() *Swap {
	if d == nil {
		return nil
	}
	return &Swap{Next: d.Next, Add: d.Added, End: d.Ended}
}

// Fits says whether an entry names this swap; nil is none.
func (s *Swap) Fits(entry []byte) bool {
	named := len(entry) > 0 && entry[0] == SwapEntry
	if s == nil || !named {
		return s == nil && !named
	}
	claim := s.Claim()
	return bytes.HasPrefix(entry[1:], claim[:])
}
