// Package sqlite is the base of a device's encrypted database: one SQLite file whose
// pages are sealed with Adiantum before they reach the file system. The store builds
// its tables on it; it knows no table itself, no clock and no network.
//
// One connection, one goroutine. A DB belongs to the goroutine that opened it, and
// the file belongs to one process: the write-ahead log runs in locking mode
// EXCLUSIVE, so its index lives in memory, no shared-memory file is needed (an
// in-memory file system is enough for tests), and a second process is told ErrInUse.
//
// What the encryption gives: without the key no byte of a page, of the log or of a
// journal can be read. Adiantum is a wide-block cipher without authentication, so
// each page also carries a checksum inside the encryption: a page that somebody
// changed without the key is reported as ErrCorrupt instead of being believed. What
// it does not give: who copies the file twice sees which 4 KiB blocks changed between
// the copies, and may put an old file, or an old block, back in its place.
//
// Deleted rows: secure_delete overwrites them with zeros inside their page, and the
// page's older versions leave the write-ahead log when it is checkpointed: on Close,
// when the log has grown to checkpointPages, and whenever the owner calls Checkpoint,
// which it should do when it falls idle and after erasing keys. The blocks that the
// file system then frees hold ciphertext still; the disk decides how long.
package sqlite
