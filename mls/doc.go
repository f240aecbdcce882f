// Package mls is the Messaging Layer Security protocol, RFC 9420, for rooms:
// key packages, groups, commits, welcomes, application messages and exporters.
//
// It knows no network, no storage and no clock of its own: bytes go in and
// out, time and randomness are injected, and state is handed to a [Writer] in
// small records (see [Group.Flush]).
//
// # What is here
//
// All of RFC 9420 that members of a group need, proven by the working group's
// vectors: suites X25519 and XWing, key packages, add, update, remove, PSK and
// group context extensions proposals, commits by value and by reference, welcomes,
// messages private and public, exporters, external commits and proposals as
// seen by members. Not here: making an external commit or a GroupInfo for one
// (section 12.4.3.2), re-initialisation and branching (sections 11.2 and 11.3;
// parsed and refused), GREASE values (section 13.5; understood, not sent), and
// past epochs: a message of another epoch is refused.
//
// Signatures of X.509 credentials' chains and every other question of identity
// (section 5.3.1) belong to Config.Policy, and for a tree that was joined to the
// caller, who looks at Members.
//
// # Ownership
//
// A [Group], its [StagedCommit] values and everything they return belong to
// one goroutine. Nothing in this package locks. Values returned by accessors
// ([LeafNode], [Extension] slices) are shared with the group and must not be
// modified.
//
// # Order of durable steps
//
// [Group.Seal], [Group.Propose], [Group.Commit] and [Group.Open] move a ratchet
// forward. Flush to durable storage before a sealed message leaves the machine:
// a group that is loaded from an older state would use a key twice.
//
// # Randomness and erasure
//
// Config.Rand feeds path secrets, PSK nonces, reuse guards and group secrets.
// The standard library's crypto/hpke insists on the system's source when it
// encapsulates and generates key pairs; here key pairs are derived from bytes
// of Config.Rand with DeriveKeyPair, so only encapsulation ignores it.
//
// Used secrets are overwritten with zeros. What cannot be reached is the
// standard library's own copies (expanded AEAD and HPKE keys) and copies the
// garbage collector's stack growth made; they die with their memory.
package mls
