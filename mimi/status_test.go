package mimi

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// The example of message-status section 5 reports on four of the content
// draft's examples; its encoding is given there in hexadecimal.
func TestReportExample(t *testing.T) {
	report := Report{
		{readEDN(t, "original").id, Read}, {readEDN(t, "reply").id, Read},
		{readEDN(t, "mention").id, Unread}, {readEDN(t, "expiring").id, Expired},
	}
	want := unhex(t, "84"+
		"82 5820 017ce54837404c3696e0c747b985cb172716d0ed0a3d249ca63ace7d82a096f4 02"+
		"82 5820 015354973c2b65ca937bf1e035ae53a5ab80e947afa43d46920d4202e5cc0b27 02"+
		"82 5820 018d825adf9f6be00dcafc5704c4102f5022e74219d0b603e4ba7622654042af 00"+
		"82 5820 01e59db8173939facc2c8a4a0f0ae8d0c7a11a81239626630c9464a8d6717a03 03")
	b, err := report.Marshal()
	if err != nil || !bytes.Equal(b, want) {
		t.Fatalf("%x, %v", b, err)
	}
	c, err := NewReport(random(), report)
	c = sent(t, c, err)
	got, err := c.Report()
	if c.Kind() != KindStatus || err != nil || !reflect.DeepEqual(got, report) {
		t.Errorf("%v %v, %v", c.Kind(), got, err)
	}
	if _, ok := c.Text(); ok || len(c.Attachments()) != 0 {
		t.Error("a report is shown")
	}
}

func TestHostileReports(t *testing.T) {
	one := "82" + idHex + "02"
	for name, test := range map[string]struct {
		hex   string
		class error
	}{
		"none":               {"80", nil},
		"unknown status":     {"81 82" + idHex + "18ff", nil},
		"status 256":         {"81 82" + idHex + "190100", ErrMalformed},
		"empty":              {"", ErrMalformed},
		"cut short":          {"82" + one, ErrMalformed},
		"trailing":           {"81" + one + "00", ErrTrailing},
		"twice":              {"82" + one + one, ErrDuplicate},
		"another hash":       {"81 82 5820" + strings.Repeat("02", 32) + "02", ErrUnknown},
		"short ID":           {"81 82 4101 02", ErrMalformed},
		"three items":        {"81 83" + idHex + "02 00", ErrMalformed},
		"indefinite":         {"9f" + one + "ff", ErrNotDeterministic},
		"1025":               {"99 0401", ErrTooMany},
		"2^64-1":             {"9b ffffffffffffffff", ErrTooMany},
		"a map":              {"a0", ErrMalformed},
		"status as negative": {"81 82" + idHex + "20", ErrMalformed},
	} {
		report, err := ParseReport(unhex(t, test.hex))
		if !errors.Is(err, test.class) || (err == nil) != (test.class == nil) {
			t.Errorf("%s: %v, %v; want %v", name, report, err, test.class)
		}
	}
	if _, err := NewReport(random(), make(Report, MaxReports+1)); !errors.Is(err, ErrTooMany) {
		t.Error(err)
	}
	if _, err := parsed(t, "original").Report(); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if Failed.String() != "failed" || Status(9).String() != "status 9" {
		t.Error("names")
	}
}
