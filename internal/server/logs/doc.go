// Package logs is the server's one primitive for everything that waits: a log is an
// ordered list of opaque entries, a cursor is a device's place in it and its right
// to read it, and the write token is the compare-and-swap on the epoch of the people
// who share the log (docs/protocol.md, "The log").
//
// The sessions of /v1/log use it, and the account's session creates logs with it. It
// must never know who anybody is: no account, no handle, no address, no key but the
// hashes of secrets.
//
// How it works. Each log has a state in memory (state.go) that is read from the
// engine when the log is asked for and forgotten when it is idle. A change is made in
// three steps: under the log's lock an edit is computed from the state (edit.go), put
// into a batch and applied by the engine; the lock is given up; the engine's group
// fsync is waited for. What is not durable yet is shown to nobody: readers see a log
// through its durable head. After a failed write the engine opens anew with the next
// generation, and a state of an earlier generation is read again before it is used.
//
// Watchers are called after the log's lock is given up (log.unlock).
package logs
