package logs

import (
	"encoding/binary"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// Keys. Everything of one log stands under "Lo" and its name, so that one log is one
// neighbourhood of the engine's sweeps:
//
//	Lo <name 16> 0                 the log's record
//	Lo <name 16> c <id 4>          a cursor
//	Lo <name 16> e <seq 8>         an entry
//	Lo <name 16> h <SHA-256 32>    where the entry with this hash stands
//	Ls <SHA-256 of a secret 32>    the log and cursor that the secret opens
//	Lr <name 16>                   a name that is not given out again yet
//	Lx <milliseconds 8> <name 16>  when to look after a log (tick.go)
const (
	logPrefix    = "Lo"
	secretPrefix = "Ls"
	restPrefix   = "Lr"
	duePrefix    = "Lx"

	kindRecord = "0"
	kindCursor = "c"
	kindEntry  = "e"
	kindHash   = "h"

	afterHashes = "i" // no hash key is greater
)

// Rows declares what this package keeps.
var Rows = engine.Inventory{
	{Prefix: logPrefix, Name: 16, Kind: kindRecord, Holds: "a log: hash of its write token, head, running hash, lifetime of its entries, time of its last swap", Until: "its last cursor is gone"},
	{Prefix: logPrefix, Name: 16, Kind: kindCursor, Holds: "a cursor: its tag, hash of its secret, its place, when it was added, the week it was last used", Until: "its device gives it up, it ended and was read out, nobody claimed it in 7 days, or nobody used it for 120 days"},
	{Prefix: logPrefix, Name: 16, Kind: kindEntry, Holds: "an entry: ciphertext, time of arrival, running hash, hash of the token it came with, what a swap changed", Until: "every cursor has passed it, or its lifetime is over"},
	{Prefix: logPrefix, Name: 16, Kind: kindHash, Holds: "the SHA-256 of an entry's ciphertext", Until: "the entry is erased"},
	{Prefix: secretPrefix, Holds: "the SHA-256 of a cursor's secret, and which cursor it opens", Until: "the cursor is gone or its secret replaced"},
	{Prefix: restPrefix, Holds: "the name of a log that is over", Until: "90 days after"},
	{Prefix: duePrefix, Holds: "when a log is looked after next", Until: "then"},
}

func logKey(name wire.LogName, kind string, more ...byte) []byte {
	k := make([]byte, 0, len(logPrefix)+len(name)+len(kind)+max(len(more), 32))
	k = append(k, logPrefix...)
	k = append(k, name[:]...)
	k = append(k, kind...)
	return append(k, more...)
}

func entryKey(name wire.LogName, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(logKey(name, kindEntry), seq)
}

func cursorKey(name wire.LogName, id uint32) []byte {
	return binary.BigEndian.AppendUint32(logKey(name, kindCursor), id)
}

func hashKey(name wire.LogName, h wire.Hash) []byte { return logKey(name, kindHash, h[:]...) }

func secretKey(h wire.Hash) []byte { return append([]byte(secretPrefix), h[:]...) }

func restKey(name wire.LogName) []byte { return append([]byte(restPrefix), name[:]...) }

func dueKey(ms uint64, name wire.LogName) []byte {
	return append(binary.BigEndian.AppendUint64([]byte(duePrefix), ms), name[:]...)
}

// seqOf reads the sequence number at the end of an entry's key.
func seqOf(key []byte) uint64 {
	if len(key) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key[len(key)-8:])
}
