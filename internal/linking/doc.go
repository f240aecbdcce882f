// Package linking is what two devices of one person say to each other when the old one links
// the new one: a code that the old one shows and the new one is told, a key exchange that a
// server in between cannot enter with less than the code, two words that both show, and the
// statement by which the new device enters the account's chain. It knows no network: bytes
// go in, bytes come out (docs/protocol.md section 26).
//
//	new → old   1  share
//	old → new   2  share, tag
//	new → old   3  tag, sealed: device, label
//	            both show two words; the person says on the old device that they match
//	old → new   4  sealed: chain, proposed statement
//	new → old   5  sealed: possession
//	old → new   6  sealed: signed statement
package linking

import "errors"

// What can go wrong, for people to read.
var (
	// ErrCode is another code than the one that the old device shows, or somebody in between
	// who does not know it.
	ErrCode = errors.New("the code is not the one that the other device shows")
	// ErrTalk is what no device of this program says.
	ErrTalk = errors.New("the other device said something that makes no sense")
	// ErrHandle is a chain of another handle than the one that was typed.
	ErrHandle = errors.New("the other device belongs to another account than the one that was typed")
)
