// Package mimi reads and writes the content of messages as
// draft-ietf-mimi-content-08 defines it (texts, replies, edits, reactions,
// deletions, attachments, expiry), and the delivery and read reports of
// draft-mahy-mimi-message-status-01.
//
// A client uses it for the plaintext of its application messages. The package
// knows no network, storage, key or clock: salts come from an io.Reader that
// the caller passes, times are arguments. Servers have no use for it.
//
// Parse takes deterministic CBOR only (draft section 6.1), so a message has
// exactly one encoding: Marshal after Parse returns the same bytes, and a
// message ID computed from a Content is the ID of the bytes that came in.
//
// "Section" in comments means draft-ietf-mimi-content-08 unless another
// document is named.
package mimi
