// Package explain says what a person is told about an error: a stable code and a sentence
// that says what happened and what to do. The command line (internal/command) and the
// app's local interface (internal/app) share it, so that a code means the same in both.
// It knows the client's errors and no server.
package explain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"sotto/internal/archive"
	"sotto/internal/backup"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/dial"
	"sotto/internal/handover"
	"sotto/internal/linking"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Sort is how something failed, by what a caller may do about it.
type Sort int

// The sorts.
const (
	Failed      Sort = iota // refused, or it failed
	Usage                   // what was asked makes no sense
	Unreachable             // no server was reached; what is queued goes when it is
)

// Failure is what a person is told.
type Failure struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Sort Sort   `json:"-"`
}

func (f *Failure) Error() string { return f.Text }

// Refuse is a failure with a code and a sentence.
func Refuse(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Text: fmt.Sprintf(format, args...)}
}

// sentinels are errors that carry no code of their own. The first that fits counts; a
// text replaces the error's own words.
var sentinels = []struct {
	is   error
	code string
	text string
}{
	{client.ErrNoAccount, "no account", ""},
	{client.ErrAccount, "account exists", ""},
	{client.ErrNoRoom, "no such room", ""},
	{client.ErrNotMember, "not a member", ""},
	{client.ErrChanged, "handle changed", ""},
	{client.ErrPaused, "paused", ""},
	{client.ErrTooLong, "too long", ""},
	{client.ErrUnsure, "ambiguous", ""},
	{client.ErrGone, "no such message", ""},
	{client.ErrNotFailed, "not failed", ""},
	{client.ErrInside, "still inside", ""},
	{client.ErrOtherDevices, "other devices", ""},
	{client.ErrUnlinked, "unlinked", ""},
	{client.ErrNoCall, "no such call", ""},
	{client.ErrCallOver, "call over", ""},
	{client.ErrInCall, "in a call", ""},
	{client.ErrCallAlone, "not for two", ""},
	{client.ErrCallRound, "other round", ""},
	{client.ErrCallElse, "call elsewhere", ""},
	{client.ErrCallSDP, "malformed", ""},
	{client.ErrCandidates, "malformed", ""},
	{client.ErrNoLinking, "no linking", ""},
	{client.ErrLinkingOver, "linking over", ""},
	{client.ErrLinkingCancelled, "linking over", ""},
	{linking.ErrCode, "wrong code", ""},
	{client.ErrWords, "wrong words", ""},
	{client.ErrOldWords, "words needed", ""},
	{client.ErrNoWords, "no words", ""},
	{client.ErrNoMaking, "no words made", ""},
	{client.ErrRecovering, "in use", ""},
	{client.ErrBackingUp, "in use", ""},
	{client.ErrRestoring, "in use", ""},
	{client.ErrNoBackup, "no backup", ""},
	{client.ErrNoServer, "no backup", ""},
	{client.ErrNoFile, "file", ""},
	{client.ErrServerOnly, "no key", ""},
	{client.ErrServerWords, "words needed", ""},
	{backup.ErrNoWay, "no key", ""},
	{backup.ErrNone, "not a backup", ""},
	{backup.ErrNewer, "version", ""},
	{archive.ErrNewer, "version", ""},
	{backup.ErrCut, "cut backup", ""},
	{backup.ErrDamaged, "damaged backup", ""},
	{backup.ErrInvalid, "damaged backup", ""},
	{archive.ErrInvalid, "damaged backup", ""},
	{backup.ErrForged, "forged backup", ""},
	{backup.ErrOther, "other account", ""},
	{backup.ErrWords, "wrong words", ""},
	{backup.ErrPassphrase, "wrong passphrase", ""},
	{backup.ErrNotWords, "passphrase needed", ""},
	{backup.ErrNotPassphrase, "words needed", ""},
	{backup.ErrShort, "unfit passphrase", ""},
	{client.ErrGoing, "in use", ""},
	{client.ErrElsewhere, "moved elsewhere", ""},
	{client.ErrOldHome, "old server away", ""},
	{linking.ErrTalk, "linking over", ""},
	{linking.ErrHandle, "wrong code", ""},
	{client.ErrClosed, "stopped", "sotto was stopped before this was done"},
	{sqlite.ErrKey, "wrong key", "the file \"key\" in this home does not open its database, or the database's beginning is damaged: put the right key file back, or restore both from a backup"},
	{sqlite.ErrCorrupt, "damaged", ""},
	{sqlite.ErrFull, "disk full", ""},
	{sqlite.ErrInUse, "in use", ""},
	{sqlite.ErrNotOurs, "damaged", ""},
	{sqlite.ErrNewer, "version", ""},
	{sqlite.ErrUnknown, "disk", ""},
	{sqlite.ErrClosed, "disk", "the disk failed, and the database could not be opened again: free some space and try again"},
	{handover.ErrLost, "stopped", ""},
	{handover.ErrOther, "version", ""},
	{mimi.ErrTooLarge, "too long", "this is too long for a message"},
	{mimi.ErrUTF8, "malformed", "this is not UTF-8 text"},
	{mimi.ErrMalformed, "malformed", ""},
	{mimi.ErrExpiry, "malformed", "this is not a time after which a message can expire"},
	{custody.ErrMissing, "wrong key", ""},
	{custody.ErrDamaged, "wrong key", ""},
	{custody.ErrNewer, "version", ""},
	{custody.ErrLocked, "locked", ""},
	{custody.ErrWrong, "wrong passphrase", ""},
	{custody.ErrShort, "unfit passphrase", ""},
	{custody.ErrBadText, "unfit passphrase", ""},
	{custody.ErrKeyring, "no keyring", ""},
	{custody.ErrLost, "no keyring", "the system's keyring does not hold the secret of this home any more: without it nobody can open the database; restore the keyring from a backup"},
	{custody.ErrBusy, "in use", ""},
	{fs.ErrPermission, "permission", ""},
	{context.Canceled, "interrupted", "stopped before this was done"},
}

// Error is what a person is told about an error.
func Error(err error) *Failure {
	var f *Failure
	var refusal *wire.Error
	var undone *client.Undone
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &undone):
		return Refuse("change refused", "%s", undone)
	case errors.Is(err, dial.ErrPrivate):
		return Refuse("private address", "%s", privateText)
	case errors.Is(err, client.ErrServerKey):
		return Refuse("server key", "%s", client.ErrServerKey)
	case errors.Is(err, client.ErrServerUnknown):
		return Refuse("server key", "%s", client.ErrServerUnknown)
	case errors.Is(err, client.ErrUnreachable):
		return &Failure{Code: "unreachable", Text: client.ErrUnreachable.Error() + ": " + Reason(err), Sort: Unreachable}
	case errors.Is(err, client.ErrCallAway):
		return &Failure{Code: "unreachable", Text: client.ErrCallAway.Error(), Sort: Unreachable}
	case errors.Is(err, context.DeadlineExceeded):
		return &Failure{Code: "timeout", Text: "no answer in time; try again", Sort: Unreachable}
	case errors.As(err, &refusal):
		return Refuse(refusal.Code.String(), "%s", refusal.Error())
	}
	for _, s := range sentinels {
		if errors.Is(err, s.is) {
			text := s.text
			if text == "" {
				text = s.is.Error()
				if s.is == fs.ErrPermission {
					text = err.Error()
				}
			}
			return Refuse(s.code, "%s", text)
		}
	}
	return Refuse("failed", "%s", err)
}

// Reason is why a host is unreachable, without the request's address.
func Reason(err error) string {
	var u *url.Error
	switch {
	case errors.Is(err, dial.ErrPrivate):
		return privateText
	case errors.As(err, &u):
		return u.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), client.ErrUnreachable.Error()+": ")
}

const privateText = "this server has an address in a private range, which is not contacted unless you allow it by name (--allow-private HOST)"
