package wire

import (
	"crypto/sha256"
	"encoding/binary"
)

// Names and secrets of the log.
type (
	// LogName is a log's address at its host: random, never reused for LogNameRest.
	LogName [16]byte
	// Hash is a SHA-256 hash.
	Hash [32]byte
	// Secret is 32 bytes that give a right: a write token, a cursor secret, a capability.
	Secret [32]byte
	// Tag names a leaf's cursor to the members, and nobody to the server.
	Tag [16]byte
	// InboxName is an inbox's address at its host.
	InboxName [16]byte
)

// Hash is what a server keeps of a secret.
func (s Secret) Hash() Hash { return sha256.Sum256(s[:]) }

// Hello is the first frame both ways (OpHello). The server's answer carries a
// nonce for Auth and the version chosen: the highest both accept.
type Hello struct {
	Lowest  uint16 `cbor:"1,keyasint"`
	Highest uint16 `cbor:"2,keyasint"`
	Nonce   []byte `cbor:"3,keyasint,omitempty"` // server: 32 bytes, for Auth
	Version uint16 `cbor:"4,keyasint,omitempty"` // server: the version chosen
	TimeMS  uint64 `cbor:"5,keyasint,omitempty"` // server: its clock, Unix milliseconds
	// Retiring is there when the server will be switched off.
	Retiring *Retiring `cbor:"6,keyasint,omitempty"`
}

// NewCursor registers a place and a right to read.
type NewCursor struct {
	Tag  Tag  `cbor:"1,keyasint"`
	Hash Hash `cbor:"2,keyasint"` // of the cursor's first secret
}

// Create opens a log (OpCreate, on /v1/account). Sent again with equal content it
// answers as the first time did.
type Create struct {
	Log     LogName     `cbor:"1,keyasint"`
	Token   Hash        `cbor:"2,keyasint"` // of the first write token
	Cursors []NewCursor `cbor:"3,keyasint"`
	TTL     uint64      `cbor:"4,keyasint"` // lifetime of an entry, seconds
}

// Created answers Create: the running hash of the empty log.
type Created struct {
	Chain Hash `cbor:"1,keyasint"`
}

// Swap makes an append an MLS commit: it spends the write token, installs the next
// one, and adds and ends cursors, in one atomic step.
type Swap struct {
	Next Hash        `cbor:"1,keyasint"` // of the next write token
	Add  []NewCursor `cbor:"2,keyasint,omitempty"`
	End  []Tag       `cbor:"3,keyasint,omitempty"` // cursors that end at this entry
}

// Append adds one entry (OpAppend). With Swap the appender shows its own cursor,
// so that members learn whose cursor installed a token nobody can follow.
type Append struct {
	Log    LogName `cbor:"1,keyasint"`
	Token  Secret  `cbor:"2,keyasint"`
	Entry  []byte  `cbor:"3,keyasint"` // or the last piece of it, after Parts
	Parts  uint16  `cbor:"4,keyasint,omitempty"`
	Swap   *Swap   `cbor:"5,keyasint,omitempty"`
	Cursor *Secret `cbor:"6,keyasint,omitempty"` // with Swap, and only then
}

// Part is a piece of an entry longer than a frame. The pieces of one entry are sent
// in order on one connection, directly before their Append.
type Part struct {
	Index uint16 `cbor:"1,keyasint"`
	Piece []byte `cbor:"2,keyasint"`
}

// Appended answers Append.
type Appended struct {
	Seq    uint64 `cbor:"1,keyasint"`
	Chain  Hash   `cbor:"2,keyasint"`
	TimeMS uint64 `cbor:"3,keyasint"` // time of arrival, Unix milliseconds
}

// Signal goes to the devices watching now (OpSignal) and is not stored.
type Signal struct {
	Log     LogName `cbor:"1,keyasint"`
	Token   Secret  `cbor:"2,keyasint"`
	Payload []byte  `cbor:"3,keyasint"`
}

// Place is a cursor to watch. Ref is the watcher's own short name for it on this
// connection; entries and signals carry it.
type Place struct {
	Ref    uint32 `cbor:"1,keyasint"`
	Secret Secret `cbor:"2,keyasint"`
	After  uint64 `cbor:"3,keyasint"` // entries with a greater sequence number
}

// Watch asks for entries after the places, then for new ones (OpWatch). Credit, in
// bytes of entries, is the connection's: the server stops when it is spent.
type Watch struct {
	Places []Place `cbor:"1,keyasint"`
	Credit uint64  `cbor:"2,keyasint"`
}

// PlaceState is the state of one watched cursor.
type PlaceState struct {
	Ref   uint32 `cbor:"1,keyasint"`
	Code  Code   `cbor:"2,keyasint"` // OK, CodeNoCursor, CodeCursorEnded (End is set, still readable)
	Head  uint64 `cbor:"3,keyasint,omitempty"`
	Chain Hash   `cbor:"4,keyasint,omitempty"` // running hash at Head
	Acked uint64 `cbor:"5,keyasint,omitempty"` // what this cursor has acknowledged
	End   uint64 `cbor:"6,keyasint,omitempty"` // the cursor ended with this entry
	First uint64 `cbor:"7,keyasint,omitempty"` // the oldest entry that still stands, Head+1 if none
}

// Watching answers Watch, a state for each place in its order.
type Watching struct {
	States []PlaceState `cbor:"1,keyasint"`
}

// Credit grants more bytes to this connection (OpCredit).
type Credit struct {
	Bytes uint64 `cbor:"1,keyasint"`
}

// Unwatch ends the watching of a cursor on this connection (OpUnwatch).
type Unwatch struct {
	Ref uint32 `cbor:"1,keyasint"`
}

// Read reads once (OpRead), at most Limit bytes of entries (at least one entry,
// never one in parts: that one needs Watch).
type Read struct {
	Secret Secret `cbor:"1,keyasint"`
	After  uint64 `cbor:"2,keyasint"`
	Limit  uint64 `cbor:"3,keyasint"`
}

// ReadAnswer answers Read.
type ReadAnswer struct {
	State   PlaceState `cbor:"1,keyasint"`
	Entries []Entry    `cbor:"2,keyasint,omitempty"`
}

// Did is what the server did when it took an entry that swapped the token. Members
// compute Next, Added and Ended from the commit; a difference makes it junk.
type Did struct {
	Next  Hash        `cbor:"1,keyasint"`
	Added []NewCursor `cbor:"2,keyasint,omitempty"`
	Ended []Tag       `cbor:"3,keyasint,omitempty"`
	By    Tag         `cbor:"4,keyasint"` // the cursor that the appender showed
}

// Entry is one ciphertext in a log, with its place and time of arrival.
type Entry struct {
	Seq    uint64 `cbor:"1,keyasint"`
	TimeMS uint64 `cbor:"2,keyasint"`
	Bytes  []byte `cbor:"3,keyasint"`
	Chain  Hash   `cbor:"4,keyasint"` // running hash after this entry
	Did    *Did   `cbor:"5,keyasint,omitempty"`
}

// EntryEvent brings an entry to a watcher. When Parts is not 0, so many PartEvents
// with the same Ref came directly before and hold the front of the entry's bytes.
type EntryEvent struct {
	Ref   uint32 `cbor:"1,keyasint"`
	Entry Entry  `cbor:"2,keyasint"`
	Parts uint16 `cbor:"3,keyasint,omitempty"`
}

// PartEvent is a piece of the entry that follows.
type PartEvent struct {
	Ref   uint32 `cbor:"1,keyasint"`
	Index uint16 `cbor:"2,keyasint"`
	Piece []byte `cbor:"3,keyasint"`
}

// SignalEvent brings a signal to a watcher.
type SignalEvent struct {
	Ref     uint32 `cbor:"1,keyasint"`
	Payload []byte `cbor:"2,keyasint"`
}

// EndedEvent ends a watch: CodeOrder when another connection watches the cursor
// now, CodeCursorEnded when the last readable entry was sent, CodeNoCursor when the
// cursor or its log is gone.
type EndedEvent struct {
	Ref  uint32 `cbor:"1,keyasint"`
	Code Code   `cbor:"2,keyasint"`
}

// Ack says that this device has everything through Through durably (OpAck).
type Ack struct {
	Secret  Secret `cbor:"1,keyasint"`
	Through uint64 `cbor:"2,keyasint"`
}

// Claim replaces a cursor's secret (OpClaim); the first claim makes the cursor the
// device's own.
type Claim struct {
	Secret Secret `cbor:"1,keyasint"`
	Next   Hash   `cbor:"2,keyasint"`
}

// Drop gives up a cursor (OpDrop): its device has read all that it wants. The cursor
// and its right to read are gone, a watch of it ends, and what all others have passed
// is erased. The last cursor's end is the log's. A second Drop finds CodeNoCursor,
// which a device that lost the first answer takes for success.
type Drop struct {
	Secret Secret `cbor:"1,keyasint"`
}

// Put adds an entry to an inbox (OpPut). An equal entry that still stands there is
// not added twice.
type Put struct {
	Inbox      InboxName `cbor:"1,keyasint"`
	Capability Secret    `cbor:"2,keyasint"`
	Entry      []byte    `cbor:"3,keyasint"`
}

// EmptyChain is the running hash of a log without entries.
func EmptyChain(log LogName) Hash {
	h := sha256.New()
	h.Write([]byte("sotto log v1"))
	h.Write(log[:])
	return Hash(h.Sum(nil))
}

// NextChain is the running hash after entry seq: SHA-256(c || seq, 8 bytes big
// endian || SHA-256(entry)).
func NextChain(c Hash, seq uint64, entry []byte) Hash {
	h := sha256.New()
	h.Write(c[:])
	h.Write(binary.BigEndian.AppendUint64(nil, seq))
	e := sha256.Sum256(entry)
	h.Write(e[:])
	return Hash(h.Sum(nil))
}
