package directory

import (
	"encoding/binary"
	"time"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// Key prefixes. A name holds no zero byte, so a zero byte ends it.
const (
	prefixAccount    = "Da"
	prefixChain      = "Dc"
	prefixDevice     = "Dd"
	prefixOneTime    = "Dk"
	prefixLastResort = "Dl"
	prefixQuota      = "Dq"
	prefixInvitation = "Di"
	prefixInvited    = "Dj"
	prefixWeek       = "Dw"
	prefixRest       = "Dr"
	prefixDeparted   = "Dx"
	prefixRecord     = "Db"
	prefixBackup     = "Du"
	prefixKept       = "Dn"
	prefixMoved      = "Dm"
	rowRetiring      = "Dz"
)

// Rows declares what the directory stores.
var Rows = engine.Inventory{
	{Prefix: prefixAccount, Holds: "a handle's name, whether the operator suspended it, and whether the account has moved away", Until: "the account is deleted"},
	{Prefix: prefixKept, Holds: "a handle that is kept for an account that is about to move here, and that account", Until: "it has moved here, 7 days"},
	{Prefix: prefixMoved, Holds: "until when an account that moved away is kept its inboxes and its recovery record", Until: "30 days after the move, or it comes back"},
	{Prefix: rowRetiring, Holds: "when the operator will switch this server off, and why", Until: "the operator takes it back"},
	{Prefix: prefixChain, Holds: "the account's chain of signed statements, which is public", Until: "the account is deleted"},
	{Prefix: prefixDevice, Holds: "a device's inbox and its public capability, which are public", Until: "the device is revoked, the account has moved away or is deleted"},
	{Prefix: prefixOneTime, Holds: "a device's one-time key packages, and the day each was published", Until: "somebody claims it, 60 days, the device is revoked, the account has moved away or is deleted"},
	{Prefix: prefixLastResort, Holds: "a device's last-resort key package for a suite", Until: "it is replaced, the device is revoked, the account has moved away or is deleted"},
	{Prefix: prefixQuota, Holds: "how many logs and blob bytes an account asked for today, and how many bytes of blobs that it asked for end on which day: numbers only", Until: "the next day that it asks, or a day after the last of these"},
	{Prefix: prefixInvitation, Holds: "hashes of invitation codes that nobody has used, and of one that a person made, the account", Until: "used, or its time is up: 30 days at most; of a person's also when the account is suspended or deleted"},
	{Prefix: prefixInvited, Holds: "which of these codes an account has made", Until: "as these"},
	{Prefix: prefixWeek, Holds: "how many invitation codes an account has made this week, as a number", Until: "two weeks later, or the account is deleted"},
	{Prefix: prefixRest, Holds: "the name of a deleted handle", Until: "a year after the deletion"},
	{Prefix: prefixRecord, Holds: "an account's recovery record, sealed and padded: its size is all the server knows of it", Until: "it is replaced, the account is deleted, or it has moved away and a device says so"},
	{Prefix: prefixBackup, Holds: "where an account's backup is, sealed, 4 KiB", Until: "it is replaced or taken away, or the account deleted"},
	{Prefix: prefixDeparted, Holds: "the identity of a device whose inbox is being erased", Until: "the inbox is erased, within a minute"},
}

type accountRow struct {
	Suspended bool `cbor:"1,keyasint,omitempty"`
	Moved     bool `cbor:"2,keyasint,omitempty"` // its chain names a handle elsewhere
}

type deviceRow struct {
	Inbox      wire.InboxName `cbor:"1,keyasint"`
	Capability wire.Secret    `cbor:"2,keyasint"`
}

type quotaRow struct {
	Day   uint64 `cbor:"1,keyasint"`
	Logs  uint64 `cbor:"2,keyasint"`
	Bytes uint64 `cbor:"3,keyasint"`
	Keeps []kept `cbor:"4,keyasint,omitempty"` // by day
}

// kept is how many bytes of blobs that an account asked for live until the end of a day.
type kept struct {
	Day   uint64 `cbor:"1,keyasint"`
	Bytes uint64 `cbor:"2,keyasint"`
}

type untilRow struct {
	Until uint64 `cbor:"1,keyasint"` // Unix seconds
}

// keptRow is a handle that is kept for an account.
type keptRow struct {
	Until   uint64    `cbor:"1,keyasint"` // Unix seconds
	Account wire.Hash `cbor:"2,keyasint"`
}

// invitationRow is a code that nobody has used. By is the account that made it; nil: the
// operator did.
type invitationRow struct {
	Until uint64     `cbor:"1,keyasint"` // Unix seconds
	By    *wire.Hash `cbor:"2,keyasint,omitempty"`
}

// weekRow counts the codes that an account made in a week.
type weekRow struct {
	Week  uint64 `cbor:"1,keyasint"`
	Codes uint64 `cbor:"2,keyasint"`
}

// weekOf numbers weeks, which begin on Monday at 0:00 UTC. 1970 began on a Thursday.
func weekOf(t time.Time) uint64 { return uint64(dayOf(t)+3) / 7 }

func accountKey(name string) []byte { return []byte(prefixAccount + name) }

func keptKey(name string) []byte { return []byte(prefixKept + name) }

func movedKey(name string) []byte { return []byte(prefixMoved + name) }

func recordKey(name string) []byte { return []byte(prefixRecord + name) }

func backupKey(name string) []byte { return []byte(prefixBackup + name) }

func chainKey(name string) []byte { return []byte(prefixChain + name + "\x00") }

func statementKey(name string, position int) []byte {
	return binary.BigEndian.AppendUint16(chainKey(name), uint16(position))
}

// key is prefix, name, zero, device.
func deviceKey(prefix, name string, device wire.DeviceName) []byte {
	return append([]byte(prefix+name+"\x00"), device[:]...)
}

func suiteKey(prefix, name string, device wire.DeviceName, suite uint16) []byte {
	return binary.BigEndian.AppendUint16(deviceKey(prefix, name, device), suite)
}

// oneTimeKey is suiteKey, day, half of the package's hash: the oldest comes first.
func oneTimeKey(name string, device wire.DeviceName, suite uint16, day uint32, hash [32]byte) []byte {
	return append(binary.BigEndian.AppendUint32(suiteKey(prefixOneTime, name, device, suite), day), hash[:packageHash]...)
}

const packageHash = 16

// splitOneTime is the part of a one-time package's key before the day, and the day.
func splitOneTime(key []byte) (suite []byte, day uint32) {
	n := len(key) - packageHash
	return key[:n-4], binary.BigEndian.Uint32(key[n-4:])
}

// suiteOf reads the suite at the end of a key.
func suiteOf(key []byte) uint16 { return binary.BigEndian.Uint16(key[len(key)-2:]) }

// firstDay is the earliest day on which a one-time package that is still good at a time
// was published. It may have been published at that day's beginning.
func firstDay(now time.Time) uint32 {
	return uint32(max(0, dayOf(now)-int64(wire.KeyPackageLife/(24*time.Hour))+1))
}

func dayOf(t time.Time) int64 { return t.Unix() / 86400 }

// end is the first key after all that begin with prefix.
func end(prefix string) []byte {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return b[:i+1]
		}
	}
	return nil
}

// dropPrefix erases all keys that begin with p.
func dropPrefix(b *engine.Batch, p []byte) { b.DeleteRange(p, end(string(p))) }
