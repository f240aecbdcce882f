package server

import (
	"bytes"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sotto/internal/wire"
)

// hears waits for a message of a meeting, over for its end.
func (p *peer) hears(want string) {
	p.t.Helper()
	var got wire.Met
	p.event(wire.EventMet, &got)
	if got.Over || string(got.Message) != want {
		p.t.Fatalf("heard %.40q (over: %v), not %.40q", got.Message, got.Over, want)
	}
}

func (p *peer) over() {
	p.t.Helper()
	var got wire.Met
	p.event(wire.EventMet, &got)
	if !got.Over || len(got.Message) != 0 {
		p.t.Fatalf("heard %.40q, and no end", got.Message)
	}
}

func say(s string) wire.Say { return wire.Say{Message: []byte(s)} }

func (x *person) visit(msg string) wire.Visit {
	return wire.Visit{Handle: x.h.String(), Message: []byte(msg)}
}

// noMeetings waits until no meeting stands: ends that come with a connection's are seen late.
func (r *rig) noMeetings() {
	r.t.Helper()
	for range 500 {
		if r.s.meetings.Count() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatal("a meeting without its side")
}

func TestMeeting(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana, guest := r.person("ana"), r.open("/v1/log")
	ana.must(wire.OpMeet, wire.Done{}, nil)
	guest.must(wire.OpVisit, ana.visit("share"), nil)
	ana.hears("share")
	ana.must(wire.OpMeetSay, say("share too"), nil)
	guest.hears("share too")
	guest.must(wire.OpVisitSay, say("tag"), nil)
	ana.must(wire.OpMeetSay, say("tag too"), nil)
	ana.hears("tag")
	guest.hears("tag too")
	ana.must(wire.OpMeetEnd, wire.Done{}, nil)
	ana.must(wire.OpMeetEnd, wire.Done{}, nil)
	guest.over()
	guest.refused(wire.CodeNoMeeting, wire.OpVisitSay, say("x"))
	ana.refused(wire.CodeNoMeeting, wire.OpMeetSay, say("x"))
	guest.refused(wire.CodeNoMeeting, wire.OpVisit, ana.visit("x"))
}

// Every refusal; what has no meeting is refused in the same words as nobody's handle.
func TestMeetingRefusals(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana, bo, guest := r.person("ana"), r.person("bo"), r.open("/v1/log")
	stranger := r.open("/v1/account")
	for _, op := range []wire.Op{wire.OpMeet, wire.OpMeetSay, wire.OpMeetEnd} {
		stranger.refused(wire.CodeNotAuthenticated, op, wire.Done{})
		guest.refused(wire.CodeUnknownOp, op, wire.Done{})
	}
	ana.refused(wire.CodeUnknownOp, wire.OpVisit, ana.visit("x"))
	ana.refused(wire.CodeUnknownOp, wire.OpVisitSay, say("x"))
	ana.refused(wire.CodeMalformed, wire.OpMeet, say("x"))
	ana.refused(wire.CodeMalformed, wire.OpMeetEnd, say("x"))
	ana.refused(wire.CodeNoMeeting, wire.OpMeetSay, say("x"))
	guest.refused(wire.CodeNoMeeting, wire.OpVisitSay, say("x"))

	bo.must(wire.OpMeet, wire.Done{}, nil)
	first := r.open("/v1/log")
	first.must(wire.OpVisit, bo.visit("x"), nil)
	var words string
	for _, handle := range []string{
		ana.h.String(),             // has no meeting
		bo.h.String(),              // has its visitor
		"nobody@" + r.host(),       // is not there
		"bo@elsewhere.example.org", // lives elsewhere
		"bo", "", "\x00", "@" + r.host(),
	} {
		err := guest.call(wire.OpVisit, wire.Visit{Handle: handle, Message: []byte("x")}, nil)
		if wire.CodeOf(err) != wire.CodeNoMeeting {
			t.Errorf("%q: %v", handle, err)
		} else if words == "" {
			words = err.Error()
		} else if words != err.Error() {
			t.Errorf("%q: refused in its own words: %v", handle, err)
		}
	}
	ana.must(wire.OpMeet, wire.Done{}, nil)
	ana.refused(wire.CodeOrder, wire.OpMeetSay, say("anybody?"))
	long := string(make([]byte, wire.MaxMeetingMessage))
	guest.refused(wire.CodeMalformed, wire.OpVisit, ana.visit(""))
	guest.refused(wire.CodeTooLarge, wire.OpVisit, ana.visit(long+"x"))
	guest.must(wire.OpVisit, ana.visit(long), nil)
	ana.hears(long)
	for p, op := range map[*peer]wire.Op{guest: wire.OpVisitSay, ana.peer: wire.OpMeetSay} {
		p.refused(wire.CodeMalformed, op, say(""))
		p.refused(wire.CodeTooLarge, op, say(long+"x"))
		p.must(op, say(long), nil)
	}
	ana.hears(long)
	guest.hears(long)
	for range wire.MaxMeetingBytes/wire.MaxMeetingMessage - 2 {
		guest.must(wire.OpVisitSay, say(long), nil)
		ana.hears(long)
	}
	guest.refused(wire.CodeQuota, wire.OpVisitSay, say("x"))
}

// Whoever's connection ends has left.
func TestMeetingSidesLeave(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana, guest := r.person("ana"), r.open("/v1/log")
	ana.must(wire.OpMeet, wire.Done{}, nil)
	guest.must(wire.OpVisit, ana.visit("1"), nil)
	ana.hears("1")
	guest.c.CloseNow()
	ana.over()
	again := r.open("/v1/log")
	again.refused(wire.CodeNoMeeting, wire.OpVisit, ana.visit("2"))

	ana.must(wire.OpMeet, wire.Done{}, nil)
	again.must(wire.OpVisit, ana.visit("3"), nil)
	ana.hears("3")
	ana.c.CloseNow()
	again.over()
	r.noMeetings()

	// Nobody has come yet.
	other := r.again(ana)
	other.must(wire.OpMeet, wire.Done{}, nil)
	other.c.CloseNow()
	r.noMeetings()
}

// The last one opened counts, also on another connection; a visit leaves the one before.
func TestMeetingIsOne(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana, bo, guest := r.person("ana"), r.person("bo"), r.open("/v1/log")
	ana.must(wire.OpMeet, wire.Done{}, nil)
	guest.must(wire.OpVisit, ana.visit("1"), nil)
	ana.hears("1")
	ana.must(wire.OpMeet, wire.Done{}, nil) // it knows that the first is over
	guest.over()
	other := r.again(ana)
	other.must(wire.OpMeet, wire.Done{}, nil)
	ana.over()
	ana.must(wire.OpMeetEnd, wire.Done{}, nil) // not that of the other connection
	guest.must(wire.OpVisit, ana.visit("2"), nil)
	other.hears("2")
	bo.must(wire.OpMeet, wire.Done{}, nil)
	guest.must(wire.OpVisit, bo.visit("3"), nil)
	other.over()
	bo.hears("3")
	guest.refused(wire.CodeNoMeeting, wire.OpVisit, ana.visit("4"))
	bo.over()
}

func TestMeetingExpires(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	pass := func(d time.Duration) time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
		return now
	}
	r := start(t, Options{Now: func() time.Time { return pass(0) }}, ServeOptions{})
	ana, guest := r.person("ana"), r.open("/v1/log")
	ana.must(wire.OpMeet, wire.Done{}, nil)
	guest.must(wire.OpVisit, ana.visit("1"), nil)
	ana.hears("1")
	pass(wire.MeetingTime - time.Millisecond)
	guest.must(wire.OpVisitSay, say("2"), nil)
	ana.hears("2")
	r.s.Tick(pass(time.Millisecond))
	ana.over()
	guest.over()
	ana.must(wire.OpMeet, wire.Done{}, nil)
	pass(wire.MeetingTime)
	guest.refused(wire.CodeNoMeeting, wire.OpVisit, ana.visit("3"))
	ana.over()
}

// Visits are metered by address, tried or done, and meetings over all accounts.
func TestMeetingsAreMetered(t *testing.T) {
	l := wide()
	l.VisitsPerMinute, l.Meetings = 3, 1
	r := start(t, Options{Limits: l}, ServeOptions{})
	ana, bo, guest := r.person("ana"), r.person("bo"), r.open("/v1/log")
	for range 3 {
		guest.refused(wire.CodeNoMeeting, wire.OpVisit, ana.visit("1"))
	}
	ana.must(wire.OpMeet, wire.Done{}, nil)
	r.open("/v1/log").refused(wire.CodeSlowDown, wire.OpVisit, ana.visit("1"))
	bo.refused(wire.CodeSlowDown, wire.OpMeet, wire.Done{})
	ana.must(wire.OpMeet, wire.Done{}, nil)
	ana.must(wire.OpMeetEnd, wire.Done{}, nil)
	bo.must(wire.OpMeet, wire.Done{}, nil)
}

// A device that is removed, or whose account is deleted, holds no meeting.
func TestMeetingEndsWithTheAccount(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana, guest := r.person("ana"), r.open("/v1/log")
	ana.must(wire.OpMeet, wire.Done{}, nil)
	guest.must(wire.OpVisit, ana.visit("1"), nil)
	other := r.again(ana)
	other.must(wire.OpDelete, wire.Done{}, nil)
	guest.over()
	r.noMeetings()
	guest.refused(wire.CodeNoMeeting, wire.OpVisit, ana.visit("1"))
}

// Nothing of a meeting is in a file or in the log, while it stands and after.
func TestMeetingLeavesNothing(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	dir := t.TempDir()
	r := start(t, Options{Dir: dir, Log: slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(b)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))}, ServeOptions{})
	ana, guest := r.person("ana"), r.open("/v1/log")
	ana.must(wire.OpMeet, wire.Done{}, nil)
	guest.must(wire.OpVisit, ana.visit("what the visitor said"), nil)
	ana.hears("what the visitor said")
	ana.must(wire.OpMeetSay, say("what the host said"), nil)
	guest.hears("what the host said")
	r.stop()
	if r.s.meetings.Count() != 0 {
		t.Error("a meeting outlives its server")
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		for _, word := range []string{"the visitor said", "the host said"} {
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%q in %s", word, path)
			}
		}
		return err
	})
	if err != nil || files < 3 {
		t.Error(files, err)
	}
	for _, word := range []string{"said", "meet", "ana"} {
		if bytes.Contains(log.Bytes(), []byte(word)) {
			t.Errorf("%q in the log: %s", word, log.Bytes())
		}
	}
}

// slow is an Out that nobody reads.
type slow struct{ recorder }

func (*slow) Queued() int { return 1 << 30 }

// A side that does not read loses the meeting, for both.
func TestMeetingOfASlowSide(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	ana.must(wire.OpMeet, wire.Done{}, nil)
	out := &slow{recorder{make(chan []byte, 10), make(chan *wire.Error, 10)}}
	x := r.s.Connect(Log, netip.MustParseAddr("192.0.2.1"), out)
	defer x.Close()
	x.Frame(fuzzHello)
	x.Frame(wire.EncodeFrame(2, uint16(wire.OpVisit), ana.visit("1")))
	ana.hears("1")
	ana.refused(wire.CodeNoMeeting, wire.OpMeetSay, say("2"))
	ana.over()
	for _, want := range []uint64{1, 2, 0} { // hello, the visit, its end
		f, err := wire.DecodeFrame(<-out.frames)
		if err != nil || f.ID != want || f.Err() != nil && want != 0 {
			t.Errorf("%+v, %v", f, err)
		}
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
