package wire

// Reserve keeps a handle for an account that is about to move here (OpReserve), for
// ReserveTime. A server that is not open demands an invitation, which is spent. Nothing is
// signed for it: a statement that names the handle is made when the handle can be had.
type Reserve struct {
	Handle     string `cbor:"1,keyasint"`
	Account    Hash   `cbor:"2,keyasint"` // hash of its genesis statement
	Invitation string `cbor:"3,keyasint,omitempty"`
}

// Enter brings an account to the handle that its chain has moved to (OpEnter), or, where the
// account is known here, what its chain has since. Whoever holds the chain may say it: every
// statement in it is signed.
type Enter struct {
	Signed [][]byte `cbor:"1,keyasint"` // the whole chain, oldest statement first
}

// Leave lets go of what a server holds for an account that has moved away (OpLeave).
type Leave struct {
	Inbox  bool `cbor:"1,keyasint,omitempty"` // of this device, with what is in it
	Record bool `cbor:"2,keyasint,omitempty"` // the account's recovery record
}

// Retiring says that a server will be switched off: in the answer to Hello, and as an event
// when that is decided, or taken back (On is 0 then).
type Retiring struct {
	On     uint64 `cbor:"1,keyasint"`           // Unix milliseconds
	Reason string `cbor:"2,keyasint,omitempty"` // for people, at most MaxReason bytes
}
