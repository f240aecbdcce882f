package wire

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// golden is the numbers and names as they were first released. A line is added for a
// new code; none is ever changed.
var golden = []string{
	"ok", "malformed", "too large", "version", "unknown operation", "not authenticated",
	"stale token", "no such log", "no such cursor", "cursor ended", "past the head", "log full",
	"quota", "slow down", "no such handle", "handle taken", "invitation needed", "bad chain",
	"head moved", "inbox full", "bad capability", "no such blob", "storage full", "suspended",
	"internal error", "log exists", "too soon", "out of order", "too many cursors", "no such meeting",
	"moved away", "retired", "backup moved", "no relay", "code 34", "code 35", "wrong offset",
}

func TestCodesAreStable(t *testing.T) {
	if len(golden) != int(codeEnd) {
		t.Errorf("%d codes, %d in the table", codeEnd, len(golden))
	}
	if len(golden) != len(codeNames) {
		t.Errorf("%d names, %d in the table", len(codeNames), len(golden))
	}
	seen := map[string]bool{}
	for i, want := range golden {
		if got := Code(i).String(); got != want || seen[got] {
			t.Errorf("code %d is %q, not %q", i, got, want)
		}
		seen[want] = true
	}
	if got := Code(60000).String(); got != "code 60000" {
		t.Error(got)
	}
	for op, want := range map[Op]uint16{
		OpHello: 1, OpAppend: 2, OpPart: 3, OpSignal: 4, OpWatch: 5, OpCredit: 6, OpRead: 7, OpAck: 8, OpClaim: 9,
		OpPut: 10, OpUnwatch: 11, OpDrop: 12, OpVisit: 13, OpVisitSay: 14, OpRegister: 32, OpAuth: 33, OpStatement: 34, OpPublish: 35, OpCount: 36, OpInbox: 37,
		OpInboxAck: 38, OpCapability: 39, OpCreate: 40, OpTicket: 41, OpDelete: 42,
		OpInvite: 43, OpMeet: 44, OpMeetSay: 45, OpMeetEnd: 46, OpBackup: 53, OpRelays: 54, OpUpload: 55,
		OpReserve: 50, OpEnter: 51, OpLeave: 52, EventRetiring: 70,
		EventEntry: 64, EventSignal: 65, EventEnded: 66, EventPart: 67, EventInbox: 68, EventMet: 69,
	} {
		if uint16(op) != want {
			t.Errorf("operation %d was %d", op, want)
		}
	}
}

// TestHeadersAreStable: other clients send them.
func TestHeadersAreStable(t *testing.T) {
	for got, want := range map[string]string{HeaderTicket: "Sotto-Ticket", HeaderErase: "Sotto-Erase", HeaderCode: "Sotto-Code",
		HeaderOffset: "Upload-Offset", HeaderComplete: "Upload-Complete", HeaderLength: "Upload-Length", TypePiece: "application/partial-upload"} {
		if got != want {
			t.Errorf("%q was %q", got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	stale := fmt.Errorf("append: %w", Refuse(CodeStaleToken, "somebody else was first"))
	if !errors.Is(stale, Refuse(CodeStaleToken, "")) || errors.Is(stale, Refuse(CodeNoLog, "")) {
		t.Error("errors.Is does not compare codes")
	}
	for want, err := range map[Code]error{
		OK: nil, CodeStaleToken: stale, CodeInternal: errors.New("x"), CodeMalformed: fmt.Errorf("y: %w", ErrMalformed),
	} {
		if got := CodeOf(err); got != want {
			t.Errorf("%v has code %v", err, got)
		}
	}
	if Refuse(CodeQuota, "").Error() != "quota" || stale.Error() != "append: somebody else was first" {
		t.Error("sentences")
	}
}

func TestErrorsCross(t *testing.T) {
	wait := Refuse(CodeSlowDown, "wait a little")
	wait.After = 1500 * time.Millisecond
	past := Refuse(CodeTooSoon, "now")
	past.After = -time.Second
	for _, c := range []struct {
		in       error
		code     Code
		sentence string
		after    time.Duration
	}{
		{wait, CodeSlowDown, "wait a little", wait.After},
		{past, CodeTooSoon, "now", 0},
		{errors.New("disk /dev/sda is broken"), CodeInternal, "something went wrong at the server", 0},
		{ErrMalformed, CodeMalformed, "the server could not read this request", 0},
		{Refuse(Code(999), "from the future"), Code(999), "from the future", 0},
	} {
		f, err := DecodeFrame(EncodeError(5, c.in))
		if err != nil {
			t.Fatal(err)
		}
		var got *Error
		if !errors.As(f.Err(), &got) || got.Code != c.code || got.Sentence != c.sentence || got.After != c.after {
			t.Errorf("%v became %+v", c.in, f.Err())
		}
	}
	if f, err := DecodeFrame(EncodeFrame(1, uint16(OK), Done{})); err != nil || f.Err() != nil {
		t.Error("success is an error")
	}
	if err := (Frame{Number: 9, Body: []byte{0xff}}).Err(); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if err := (Frame{Number: 9, Body: Marshal(Failure{Sentence: "x", AfterMS: 1<<64 - 1})}).Err(); err.(*Error).After < 0 {
		t.Error("a wait that overflows")
	}
}
