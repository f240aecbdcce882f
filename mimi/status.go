package mimi

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Status is what became of a message at the sender of a report
// (message-status section 3). Other values up to 255 are legal and unknown.
type Status uint8

// The statuses of message-status section 3.
const (
	Unread    Status = iota // not read yet, or marked so again
	Delivered               // a client received it
	Read                    // the person read it
	Expired                 // it expired
	Deleted                 // it was deleted
	Hidden                  // hidden locally, for example archived
	Failed                  // "error": it could not be received
)

var statusNames = [...]string{"unread", "delivered", "read", "expired", "deleted", "hidden", "failed"}

func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status %d", uint8(s))
}

// Receipt is the status of one message.
type Receipt struct {
	ID     MessageID
	Status Status
}

// Report is the receipts of one person for messages of one room. Which
// changes of status make sense is the caller's policy (message-status
// section 3), as is whether to send reports at all (section 6).
type Report []Receipt

// ParseReport reads the content of an application/mimi-message-status part
// (message-status section 4): at most MaxReports pairs, in deterministic CBOR
// like the messages themselves. The draft does not forbid naming a message
// twice; it would have two statuses at once, so that is ErrDuplicate here.
func ParseReport(b []byte) (Report, error) {
	r := &reader{b: b}
	if len(b) > MaxMessage {
		return nil, r.fail(ErrTooLarge, "report of %d octets", len(b))
	}
	n, err := r.expect(majorArray, "report")
	if err != nil {
		return nil, err
	}
	if n > MaxReports {
		return nil, r.fail(ErrTooMany, "%d receipts", n)
	}
	report := Report{}
	seen := map[MessageID]bool{}
	err = r.repeat(n, func() error {
		receipt, err := r.receipt()
		if err == nil && seen[receipt.ID] {
			err = r.fail(ErrDuplicate, "message ID")
		}
		seen[receipt.ID] = true
		report = append(report, receipt)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return report, nil
}

func (r *reader) receipt() (Receipt, error) {
	if err := r.array(2, "receipt"); err != nil {
		return Receipt{}, err
	}
	id, err := r.messageID("message ID")
	if err != nil {
		return Receipt{}, err
	}
	s, err := r.uint(math.MaxUint8, "status")
	return Receipt{id, Status(s)}, err
}

// Marshal writes the report; its errors are those of ParseReport.
func (report Report) Marshal() ([]byte, error) {
	b := appendArray(nil, len(report))
	for _, receipt := range report {
		b = appendArray(b, 2)
		b = appendBytes(b, receipt.ID[:])
		b = appendUint(b, uint64(receipt.Status))
	}
	if _, err := ParseReport(b); err != nil {
		return nil, fmt.Errorf("cannot send: %w", err)
	}
	return b, nil
}

// NewReport is a message that carries a report. Neither draft says how a
// report travels beside messages; a single part whose disposition is
// unspecified is what other implementations send.
func NewReport(rand io.Reader, report Report) (*Content, error) {
	b, err := report.Marshal()
	if err != nil {
		return nil, err
	}
	return newContent(rand, Part{Disposition: Unspecified, Body: Single{StatusMediaType, b}})
}

// Report is the status report of a KindStatus message. Messages of other
// kinds are ErrMalformed.
func (c *Content) Report() (Report, error) {
	if !c.isReport() {
		return nil, fmt.Errorf("%w: not a status report", ErrMalformed)
	}
	return ParseReport(c.Body.Body.(Single).Content)
}

func (c *Content) isReport() bool {
	s, ok := c.Body.Body.(Single)
	return ok && strings.EqualFold(s.ContentType, StatusMediaType)
}
