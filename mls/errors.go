package mls

import (
	"errors"
	"fmt"
)

// Classes of failure. Every error this package returns wraps one of them, or two
// when a rule about a part made the whole invalid (test with errors.Is); the text
// around it says what was wrong. It never holds a secret or a plaintext.
var (
	ErrMalformed      = errors.New("mls: malformed")         // bytes that do not follow the presentation language
	ErrUnsupported    = errors.New("mls: not supported")     // a version, suite, extension or message this package or this configuration refuses
	ErrDecrypt        = errors.New("mls: decryption failed") // AEAD or HPKE refused
	ErrSignature      = errors.New("mls: bad signature")     // a signature or a MAC did not verify
	ErrWrongGroup     = errors.New("mls: message of another group")
	ErrWrongEpoch     = errors.New("mls: message of another epoch")
	ErrGeneration     = errors.New("mls: generation already used or too far")
	ErrOwnMessage     = errors.New("mls: our own message")                   // says that it is of our own leaf; keys for it are gone, so it proves nothing
	ErrCopy           = errors.New("mls: our own message, of a later state") // proven: another copy of this state made it
	ErrPath           = errors.New("mls: a path that does not open for us")  // of a commit by a member; others may be able to follow it
	ErrUnknownSender  = errors.New("mls: sender is not in the group")
	ErrInvalidCommit  = errors.New("mls: invalid commit")       // RFC 9420 section 12.2 and 12.4
	ErrInvalidLeaf    = errors.New("mls: invalid leaf node")    // RFC 9420 section 7.3
	ErrInvalidKey     = errors.New("mls: invalid key package")  // RFC 9420 section 10.1
	ErrInvalidTree    = errors.New("mls: invalid ratchet tree") // RFC 9420 sections 7.9.2 and 12.4.3.1
	ErrInvalidWelcome = errors.New("mls: invalid welcome")      // RFC 9420 section 12.4.3.1
	ErrPSK            = errors.New("mls: pre-shared key not known")
	ErrPolicy         = errors.New("mls: refused by policy")  // also wraps the error the Policy returned
	ErrRemoved        = errors.New("mls: no longer a member") // the group is inactive, its secrets are gone
	ErrStale          = errors.New("mls: staged commit belongs to another epoch")
	ErrState          = errors.New("mls: stored state is damaged")
	ErrArgument       = errors.New("mls: invalid argument") // the caller asked for something that cannot be
)

// fail wraps a class with a detail; the detail may wrap a narrower class with %w.
func fail(class error, format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{class}, args...)...)
}
