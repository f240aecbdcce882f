package wire

// Backup is where an account's backup at its home server is: sealed, so that nobody follows it
// without the 24 words (OpBackup). One that replaces nothing asks what stands. One that does
// is put in the place of what it names by its hash, or of nothing by zeros; without Sealed, that
// is forgotten. What stands is answered.
type Backup struct {
	Sealed   []byte `cbor:"1,keyasint,omitempty"` // at most MaxBackup bytes
	Replaces *Hash  `cbor:"2,keyasint,omitempty"` // SHA-256 of what stands
}
