package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/dial"
	"sotto/internal/handover"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
	"sotto/mimi"
)

// The exit codes.
const (
	ExitOK          = 0
	ExitFailed      = 1 // refused, or it failed
	ExitUsage       = 2 // the arguments make no sense
	ExitUnreachable = 3 // no server was reached; what is queued goes when sotto next runs
)

// Failure is what a person is told when a command fails: a stable code and a sentence.
type Failure struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Exit int    `json:"-"`
}

func (f *Failure) Error() string { return f.Text }

func fail(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Text: fmt.Sprintf(format, args...), Exit: ExitFailed}
}

// Usage is arguments that make no sense together.
func Usage(format string, args ...any) *Failure {
	return &Failure{Code: "usage", Text: fmt.Sprintf(format, args...), Exit: ExitUsage}
}

func unreachable(format string, args ...any) *Failure {
	return &Failure{Code: "unreachable", Text: fmt.Sprintf(format, args...), Exit: ExitUnreachable}
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
	{client.ErrTooLong, "too long", ""},
	{client.ErrUnsure, "ambiguous", ""},
	{client.ErrClosed, "stopped", "sotto was stopped before this was done"},
	{sqlite.ErrKey, "wrong key", "the file \"key\" in this home does not open its database, or the database's beginning is damaged: put the right key file back, or restore both from a backup"},
	{sqlite.ErrCorrupt, "damaged", ""},
	{sqlite.ErrFull, "disk full", ""},
	{sqlite.ErrInUse, "in use", ""},
	{sqlite.ErrNotOurs, "damaged", ""},
	{sqlite.ErrNewer, "version", ""},
	{sqlite.ErrUnknown, "disk", ""},
	{sqlite.ErrClosed, "disk", "the disk failed, and the database could not be opened again: free some space and try again"},
	{custody.ErrMissing, "wrong key", ""},
	{custody.ErrDamaged, "wrong key", ""},
	{custody.ErrNewer, "version", ""},
	{custody.ErrLocked, "locked", "this home is locked: give its passphrase, on a terminal or with --passphrase-file FILE"},
	{custody.ErrWrong, "wrong passphrase", ""},
	{custody.ErrShort, "unfit passphrase", ""},
	{custody.ErrBadText, "unfit passphrase", ""},
	{custody.ErrKeyring, "no keyring", ""},
	{custody.ErrLost, "no keyring", "the system's keyring does not hold the secret of this home any more: without it nobody can open the database; restore the keyring from a backup"},
	{custody.ErrBusy, "in use", ""},
	{handover.ErrLost, "stopped", ""},
	{handover.ErrOther, "version", ""},
	{mimi.ErrTooLarge, "too long", "this is too long for a message"},
	{mimi.ErrUTF8, "malformed", "this is not UTF-8 text"},
	{mimi.ErrMalformed, "malformed", ""},
	{mimi.ErrExpiry, "malformed", "this is not a time after which a message can expire"},
	{fs.ErrPermission, "permission", ""},
	{context.Canceled, "interrupted", "stopped before this was done"},
}

// Explain is what a person is told about an error.
func Explain(err error) *Failure {
	var f *Failure
	var refusal *wire.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, dial.ErrPrivate):
		return fail("private address", "%s", privateText)
	case errors.Is(err, client.ErrServerKey):
		return fail("server key", "%s", client.ErrServerKey)
	case errors.Is(err, client.ErrServerUnknown):
		return fail("server key", "%s", client.ErrServerUnknown)
	case errors.Is(err, client.ErrUnreachable):
		return unreachable("%s: %s", client.ErrUnreachable, reason(err))
	case errors.Is(err, context.DeadlineExceeded):
		return &Failure{Code: "timeout", Text: "no answer in time; try again, or wait longer with --timeout", Exit: ExitUnreachable}
	case errors.As(err, &refusal):
		return fail(refusal.Code.String(), "%s", refusal.Error())
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
			return fail(s.code, "%s", text)
		}
	}
	return fail("failed", "%s", err)
}

// reason is why a host is unreachable, without the request's address.
func reason(err error) string {
	var u *url.Error
	switch {
	case errors.Is(err, dial.ErrPrivate):
		return privateText
	case errors.As(err, &u):
		return u.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), client.ErrUnreachable.Error()+": ")
}

const privateText = "this server has an address in a private range, which is not contacted unless you say --allow-private HOST"
