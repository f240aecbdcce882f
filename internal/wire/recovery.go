package wire

// Recover lets a device into an account whose devices are lost (OpRecover). All statements
// are signed by the recovery key of the chain: the first adds the device, the others each
// revoke one. They are taken together or not at all, so that no device of the account can
// act between them.
type Recover struct {
	Handle string   `cbor:"1,keyasint"`
	Head   Hash     `cbor:"2,keyasint"` // hash of the statement that the first one follows
	Signed [][]byte `cbor:"3,keyasint"` // 1 to MaxChain
}

// Record is an account's recovery record (OpRecord, and the answer to OpRecordGet): sealed,
// so that nobody reads it without the 24 words.
type Record struct {
	Sealed []byte `cbor:"1,keyasint,omitempty"` // at most MaxRecord bytes; absent in an answer: there is none
}
