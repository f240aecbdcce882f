// Package app is sotto on a person's machine: a process that holds one home, keeps its
// client connected, and serves the web interface and the local JSON API (package api) on
// loopback and on a unix socket. cmd/sotto starts it through internal/command, which gives
// it what this package must not know: how a device is opened, servers, arguments.
//
// Loopback is not trust. Other people's programs on this machine and every page in the
// browser reach the port, so that whatever comes there has to show what only a window
// that sotto itself opened can have: see guard.go and docs/threat-model.md.
//
// Ownership: App.mu guards the phase and what is open (inside.go); sessions, listeners of
// events and windows have a mutex each, of which none is held while another is taken.
// A request works on an inside that it entered; locking ends the requests under way,
// waits for them, and only then closes the client. Events come on the client's queue and
// are taken from there by one goroutine for each inside (relay.go).
package app
