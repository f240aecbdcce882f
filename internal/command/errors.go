package command

import (
	"errors"

	"sotto/internal/custody"
	"sotto/internal/explain"
)

// The exit codes.
const (
	ExitOK          = 0
	ExitFailed      = 1 // refused, or it failed
	ExitUsage       = 2 // the arguments make no sense
	ExitUnreachable = 3 // no server was reached; what is queued goes when sotto next runs
)

// Failure is what a person is told when a command fails: a stable code and a sentence.
type Failure = explain.Failure

// exits are the exit codes by the sort of failure.
var exits = map[explain.Sort]int{explain.Failed: ExitFailed, explain.Usage: ExitUsage, explain.Unreachable: ExitUnreachable}

func fail(code, format string, args ...any) *Failure { return explain.Refuse(code, format, args...) }

// Usage is arguments that make no sense together.
func Usage(format string, args ...any) *Failure {
	f := explain.Refuse("usage", format, args...)
	f.Sort = explain.Usage
	return f
}

func unreachable(format string, args ...any) *Failure {
	f := explain.Refuse("unreachable", format, args...)
	f.Sort = explain.Unreachable
	return f
}

// Explain is what a person is told about an error.
func Explain(err error) *Failure {
	f := explain.Error(err)
	switch {
	case f.Code == "timeout":
		f.Text = "no answer in time; try again, or wait longer with --timeout"
	case errors.Is(err, custody.ErrLocked):
		f.Text = "this home is locked: give its passphrase, on a terminal or with --passphrase-file FILE"
	}
	return f
}

// reason is why a host is unreachable, without the request's address.
func reason(err error) string { return explain.Reason(err) }
