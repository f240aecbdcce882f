package wire

import (
	"errors"
	"fmt"
	"time"
)

// Code is the stable number of a refusal. 0 is success. Numbers are never reused.
type Code uint16

// The codes.
const (
	OK Code = iota
	CodeMalformed
	CodeTooLarge
	CodeVersion
	CodeUnknownOp
	CodeNotAuthenticated
	CodeStaleToken
	CodeNoLog
	CodeNoCursor
	CodeCursorEnded
	CodePastHead
	CodeLogFull
	CodeQuota
	CodeSlowDown
	CodeNoHandle
	CodeHandleTaken
	CodeInvitation
	CodeBadChain
	CodeHeadMoved
	CodeInboxFull
	CodeCapability
	CodeNoBlob
	CodeStorageFull
	CodeSuspended
	CodeInternal
	CodeLogExists
	CodeTooSoon
	CodeOrder
	CodeCursors
	CodeNoMeeting
	CodeMoved
	CodeRetired
	CodeBackupMoved
	CodeNoRelay
)

// The codes of files.
const (
	CodeOffset Code = 36 // a piece that does not begin where the last one ended
	codeEnd    Code = 37
)

var codeNames = [...]string{
	OK: "ok", CodeMalformed: "malformed", CodeTooLarge: "too large", CodeVersion: "version",
	CodeUnknownOp: "unknown operation", CodeNotAuthenticated: "not authenticated",
	CodeStaleToken: "stale token", CodeNoLog: "no such log", CodeNoCursor: "no such cursor",
	CodeCursorEnded: "cursor ended", CodePastHead: "past the head", CodeLogFull: "log full",
	CodeQuota: "quota", CodeSlowDown: "slow down", CodeNoHandle: "no such handle",
	CodeHandleTaken: "handle taken", CodeInvitation: "invitation needed", CodeBadChain: "bad chain",
	CodeHeadMoved: "head moved", CodeInboxFull: "inbox full", CodeCapability: "bad capability",
	CodeNoBlob: "no such blob", CodeStorageFull: "storage full", CodeSuspended: "suspended",
	CodeInternal: "internal error", CodeLogExists: "log exists", CodeTooSoon: "too soon",
	CodeOrder: "out of order", CodeCursors: "too many cursors", CodeNoMeeting: "no such meeting",
	CodeMoved: "moved away", CodeRetired: "retired", CodeBackupMoved: "backup moved",
	CodeNoRelay: "no relay",
	CodeOffset:  "wrong offset",
}

// String is the code's stable name.
func (c Code) String() string {
	if c < codeEnd && codeNames[c] != "" {
		return codeNames[c]
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// Error is a refusal: a stable code, a sentence for a person, and for CodeSlowDown
// and CodeTooSoon how long to wait.
type Error struct {
	Code     Code
	Sentence string
	After    time.Duration
}

func (e *Error) Error() string {
	if e.Sentence == "" {
		return e.Code.String()
	}
	return e.Sentence
}

// Is makes errors.Is compare by code, so that Refuse(CodeStaleToken, "") is a
// sentinel for every stale token.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refuse makes a refusal.
func Refuse(c Code, sentence string, args ...any) *Error {
	return &Error{Code: c, Sentence: fmt.Sprintf(sentence, args...)}
}

// CodeOf is the code that err carries: OK for nil, CodeMalformed for
// ErrMalformed, CodeInternal for an error that is no refusal.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, ErrMalformed):
		return CodeMalformed
	}
	return CodeInternal
}
