package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Op names what a frame asks for or tells.
type Op uint16

// Operations of /v1/log, which carries no account.
const (
	OpHello    Op = 1  // Hello, first frame both ways
	OpAppend   Op = 2  // Append -> Appended
	OpPart     Op = 3  // Part: the next piece of an entry longer than one frame -> Done
	OpSignal   Op = 4  // Signal -> Done
	OpWatch    Op = 5  // Watch -> Watching
	OpCredit   Op = 6  // Credit -> Done
	OpRead     Op = 7  // Read -> ReadAnswer
	OpAck      Op = 8  // Ack -> Done
	OpClaim    Op = 9  // Claim -> Done
	OpPut      Op = 10 // Put -> Done
	OpUnwatch  Op = 11 // Unwatch -> Done
	OpDrop     Op = 12 // Drop -> Done
	OpVisit    Op = 13 // Visit -> Done
	OpVisitSay Op = 14 // Say -> Done
)

// Operations of /v1/account. All but OpHello, OpRegister, OpAuth, OpRecover, OpReserve
// and OpEnter need OpAuth first.
const (
	OpRegister   Op = 32 // Register -> Done
	OpAuth       Op = 33 // Auth -> Done
	OpStatement  Op = 34 // Statement -> Done
	OpPublish    Op = 35 // Publish -> KeyPackageCount
	OpCount      Op = 36 // Done -> KeyPackageCount
	OpInbox      Op = 37 // InboxWatch -> InboxState
	OpInboxAck   Op = 38 // InboxAck -> Done
	OpCapability Op = 39 // Capability -> Done
	OpCreate     Op = 40 // Create -> Created
	OpTicket     Op = 41 // TicketRequest -> Ticket
	OpDelete     Op = 42 // Done -> Done: the account ends
	OpInvite     Op = 43 // Invite -> Invited
	OpMeet       Op = 44 // Done -> Done: opens this account's meeting
	OpMeetSay    Op = 45 // Say -> Done
	OpMeetEnd    Op = 46 // Done -> Done
	OpRecover    Op = 47 // Recover -> Done
	OpRecord     Op = 48 // Record -> Done
	OpRecordGet  Op = 49 // Done -> Record
	OpReserve    Op = 50 // Reserve -> Done
	OpEnter      Op = 51 // Enter -> Done
	OpLeave      Op = 52 // Leave -> Done: of an account that has moved away
	OpBackup     Op = 53 // Backup -> Backup
	OpRelays     Op = 54 // Done -> Relays
	OpUpload     Op = 55 // UploadRequest -> Done
)

// Events, which the server sends with request id 0.
const (
	EventEntry    Op = 64 // EntryEvent
	EventSignal   Op = 65 // SignalEvent
	EventEnded    Op = 66 // EndedEvent
	EventPart     Op = 67 // PartEvent: a piece of the entry event that follows
	EventInbox    Op = 68 // InboxEvent
	EventMet      Op = 69 // Met
	EventRetiring Op = 70 // Retiring, on both paths
)

// Frame is one WebSocket message: [id, number, body]. From a client the number is
// an Op and the id is its own, never 0. From a server the number is a Code when
// the id is that of a request, and an Op when the id is 0.
type Frame struct {
	_      struct{} `cbor:",toarray"`
	ID     uint64
	Number uint16
	Body   cbor.RawMessage
}

// EncodeFrame puts body, one of this package's nouns, into a frame.
func EncodeFrame(id uint64, number uint16, body any) []byte {
	return Marshal(Frame{ID: id, Number: number, Body: Marshal(body)})
}

// EncodeError puts a refusal into the answer to request id.
func EncodeError(id uint64, err error) []byte {
	f := Failure{Sentence: "something went wrong at the server"}
	code := CodeOf(err)
	if e, ok := asError(err); ok {
		f = Failure{Sentence: e.Sentence, AfterMS: uint64(max(0, e.After.Milliseconds()))}
	} else if code == CodeMalformed {
		f.Sentence = "the server could not read this request"
	}
	return EncodeFrame(id, uint16(code), f)
}

// DecodeFrame takes a frame apart. The body is decoded by DecodeBody.
func DecodeFrame(b []byte) (Frame, error) {
	var f Frame
	if len(b) > MaxFrame {
		return f, Refuse(CodeTooLarge, "a frame of %d bytes is over the limit of %d", len(b), MaxFrame)
	}
	if err := Unmarshal(b, &f); err != nil {
		return f, err
	}
	return f, nil
}

// Err is the refusal that an answer carries, or nil.
func (f Frame) Err() error {
	if f.Number == uint16(OK) {
		return nil
	}
	var x Failure
	if err := Unmarshal(f.Body, &x); err != nil {
		return fmt.Errorf("a refusal with code %d: %w", f.Number, err)
	}
	return &Error{Code: Code(f.Number), Sentence: x.Sentence, After: time.Duration(min(x.AfterMS, 1<<40)) * time.Millisecond}
}

// Failure is the body of an answer whose code is not OK.
type Failure struct {
	Sentence string `cbor:"1,keyasint"`
	AfterMS  uint64 `cbor:"2,keyasint,omitempty"` // try again after so many milliseconds
}

// Done is the empty body.
type Done struct{}

func asError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
