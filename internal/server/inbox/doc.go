// Package inbox keeps the inboxes: what one device reads and others may put
// invitations into. Strangers share the small quota of the public capability; every
// private capability has a quota of its own, so that strangers cannot crowd contacts
// out.
//
// The sessions of /v1/log put into inboxes, the account's session makes, watches and
// empties them. An inbox knows its owner as opaque bytes and its senders not at all.
//
// An inbox's state in memory (box.go) is its record and who watches it; it is read
// when somebody asks for the inbox and forgotten when nobody does. As in package logs
// a change is applied under the inbox's lock and waited for without it, and readers
// see only what is durable.
package inbox
