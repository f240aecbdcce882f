// Package archive is a device's past outside of its database: what a new device gets from an
// old one, and what a backup holds. It is a row of chunks, each sealed by itself, so that a
// transfer goes on where it was cut and a reader needs no more memory than one chunk. The
// format has a version of its own (docs/protocol.md section 27); a reader takes every version
// up to its own, and none beyond.
package archive

import "errors"

// Version is that of the format which is written: 2 has calls.
const Version = 2

// Limits.
const (
	MaxChunk   = 3 << 20 // bytes of a sealed chunk
	chunkBytes = 1 << 20 // of content in one chunk, about
	chunkRows  = 2000    // records in one chunk
)

// What can be wrong with a chunk.
var (
	ErrSealed  = errors.New("this part of the history cannot be opened: it is damaged, or the key is another one")
	ErrNewer   = errors.New("this history was written by a newer sotto: update this one")
	ErrInvalid = errors.New("this part of the history makes no sense")
)
