package app

import (
	"slices"
	"testing"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/play"
)

func callEvent(id string, so func(api.Call) bool) func(api.Event) bool {
	return func(e api.Event) bool { return e.Type == api.EventCall && e.Call.ID == id && so(*e.Call) }
}

// A call through the interface of both: what each hears, and what stands in the conversation.
func TestCall(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	hears, anaHears := bo.listenAs("bowindow"), ana.listenAs("anawindow")

	ana.refused("POST", "/calls", api.NewCall{Room: room, SDP: "v=0\r\n"}, "malformed")
	var x, y api.Call
	ana.must("POST", "/calls", api.NewCall{Room: room, SDP: play.SDP("ana"), Window: "anawindow", Video: true}, &x)
	if x.Stage != api.CallCalling || !x.Here || x.Window != "anawindow" || x.Name != "bo" || !x.Video {
		t.Fatalf("%+v", x)
	}
	ana.refused("POST", "/calls", api.NewCall{Room: room, SDP: play.SDP("ana"), Window: "anawindow"}, "in a call")
	k := play.Candidate(1)
	ana.must("POST", "/calls/"+x.ID+"/candidates", api.NewCandidates{Candidates: []api.Candidate{{Mid: k.Mid, Candidate: k.Candidate}, {}}}, nil)
	got := hears.wait("ringing", callEvent(x.ID, func(c api.Call) bool { return c.Rings })).Call
	if got.Stage != api.CallRinging || got.Outgoing || got.Name != "ana" || !got.Video || got.Compared {
		t.Fatalf("%+v", got)
	}
	anaHears.wait("that it rings there", callEvent(x.ID, func(c api.Call) bool { return c.Stage == api.CallRinging && c.Devices == 1 }))
	m := hears.wait("candidates", func(e api.Event) bool { return e.Type == api.EventMedia && len(e.Media.Candidates) == 2 }).Media
	if m.Offer != play.SDP("ana") || m.Candidates[0].Candidate != k.Candidate || m.Candidates[1].Candidate != "" {
		t.Fatalf("%+v", m)
	}

	bo.must("POST", "/calls/"+x.ID+"/answer", api.CallDescription{SDP: play.SDP("bo"), Window: "bowindow"}, &y)
	if y.Stage != api.CallTalking || !y.Here || y.Window != "bowindow" {
		t.Fatalf("%+v", y)
	}
	bo.refused("POST", "/calls/"+x.ID+"/answer", api.CallDescription{SDP: play.SDP("bo")}, "in a call")
	words := hears.wait("words", callEvent(x.ID, func(c api.Call) bool { return len(c.Words) == 2 })).Call.Words
	m = anaHears.wait("the answer", func(e api.Event) bool { return e.Type == api.EventMedia && e.Media.Answer != "" }).Media
	if m.Answer != play.SDP("bo") {
		t.Fatalf("%+v", m)
	}
	anaHears.wait("the same words", callEvent(x.ID, func(c api.Call) bool { return slices.Equal(c.Words, words) }))
	ana.must("PUT", "/calls/"+x.ID+"/matched", api.SetOn{On: true}, nil)

	var round api.CallMedia
	ana.must("POST", "/calls/"+x.ID+"/renew", api.CallDescription{SDP: play.SDP("ana")}, &round)
	if round.Round != 1 || round.Offer != "" {
		t.Fatalf("%+v", round)
	}
	hears.wait("the renewal", func(e api.Event) bool { return e.Type == api.EventMedia && e.Media.Round == 1 && e.Media.Offer != "" })
	bo.refused("POST", "/calls/"+x.ID+"/renewed/2", api.CallDescription{SDP: play.SDP("bo")}, "other round")
	bo.must("POST", "/calls/"+x.ID+"/renewed/1", api.CallDescription{SDP: play.SDP("bo")}, nil)
	anaHears.wait("its answer", func(e api.Event) bool { return e.Type == api.EventMedia && e.Media.Round == 1 && e.Media.Answer != "" })

	bo.must("POST", "/calls/"+x.ID+"/end", api.EndCall{End: api.EndHungUp, Text: "Got to run"}, nil)
	row := anaHears.wait("the row", func(e api.Event) bool { return e.Type == api.EventMessage && e.Message.Event == "call" }).Message
	anaHears.wait("the end", callEvent(x.ID, func(c api.Call) bool { return c.Stage == api.CallOver && c.End == api.EndHungUp && c.Matched }))
	if row.Kind != "event" || row.Said == nil || row.Said.Key != "call.talked.own" || row.Call == nil || row.Call.ID != x.ID || row.Room != room {
		t.Fatalf("%+v", row)
	}
	ana.eventually("the words that go with it", func() bool { return slices.Contains(ana.texts(room), "Got to run") })
	var live, past []api.Call
	bo.must("GET", "/calls", nil, &live)
	bo.must("GET", "/calls/past?limit=5", nil, &past)
	if len(live) != 0 || len(past) != 1 || past[0].ID != x.ID || past[0].Answered == 0 {
		t.Fatalf("%+v %+v", live, past)
	}
	bo.refused("GET", "/calls/"+x.ID+"/media", nil, "call over")
	bo.refused("GET", "/calls/00000000000000000000000000000000", nil, "no such call")
}

// The window that holds a call goes away: the call ends a moment later, unless it comes back.
func TestWindowHoldsCall(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	hears := bo.listen()
	window := ana.listenAs("one")
	var x api.Call
	ana.must("POST", "/calls", api.NewCall{Room: room, SDP: play.SDP("ana"), Window: "one"}, &x)
	hears.wait("ringing", callEvent(x.ID, func(c api.Call) bool { return c.Rings }))

	window.stop()
	ana.eventually("no window", func() bool { return !ana.app.events.hears("one") })
	window = ana.listenAs("one") // it was loaded anew
	w.Clock.Advance(windowBack + time.Second)
	ana.must("GET", "/calls/"+x.ID, nil, &x)
	if x.Stage == api.CallOver {
		t.Fatalf("%+v", x)
	}
	window.stop()
	ana.eventually("no window", func() bool { return !ana.app.events.hears("one") })
	w.Clock.Advance(windowBack + time.Second)
	hears.wait("the end", callEvent(x.ID, func(c api.Call) bool { return c.Stage == api.CallOver && c.End == api.EndMissed }))
}

// Without a window a notice of the system rings, says as much as notices are to say, opens a
// window, and goes; a call that was missed leaves one in its place.
func TestClosedWindowRings(t *testing.T) {
	w := play.New(t)
	screen := &desktop{}
	ana := deskOf(w, "ana")
	bo := deskOf(w, "bo", func(o *Options) { o.Desktop = screen })
	room := meet(t, ana, bo)
	calls := func() (x api.Call) {
		ana.must("POST", "/calls", api.NewCall{Room: room, SDP: play.SDP("ana")}, &x)
		return x
	}
	over := func(x api.Call, end api.CallEnd) {
		ana.must("POST", "/calls/"+x.ID+"/end", api.EndCall{End: api.EndHungUp}, nil)
		bo.eventually("the end", func() bool {
			bo.must("GET", "/calls/"+x.ID, nil, &x)
			return x.Stage == api.CallOver && x.Ended != 0 && x.End == end
		})
	}
	told := func(text, tag string) OSNotice {
		t.Helper()
		bo.eventually(text, func() bool { n, _ := screen.last(); return n.Text == text && n.Tag == tag })
		n, _ := screen.last()
		return n
	}
	x := calls()
	n := told("ana is calling", "call "+x.ID)
	n.Click()
	if len(screen.opened) != 1 {
		t.Errorf("%q", screen.opened)
	}
	over(x, api.EndMissed)
	told("You missed a call from ana", "call "+x.ID)
	if screen.withdrawn("call " + x.ID) {
		t.Error("it was taken back")
	}
	if r := bo.room(room); r.Unread == 0 || r.Last == nil || r.Last.Said == nil || r.Last.Said.Key != "call.missed" {
		t.Errorf("%+v", r.Room)
	}

	plain := "plain"
	bo.must("PATCH", "/settings", api.SettingsChange{Notify: &plain}, nil)
	x = calls()
	told("Somebody is calling", "call "+x.ID)
	over(x, api.EndMissed)
	told("A missed call", "call "+x.ID)

	x = calls()
	told("Somebody is calling", "call "+x.ID)
	bo.must("POST", "/calls/"+x.ID+"/end", api.EndCall{End: api.EndDeclined}, nil)
	bo.eventually("it rings no more", func() bool { return screen.withdrawn("call " + x.ID) })
	ana.eventually("the end", func() bool { ana.must("GET", "/calls/"+x.ID, nil, &x); return x.End == api.EndDeclined && x.Ended != 0 })

	hears := bo.listenAs("w")
	bo.must("PUT", "/window", api.Window{Name: "w", Visible: true}, nil)
	_, before := screen.last()
	x = calls()
	hears.wait("ringing", callEvent(x.ID, func(c api.Call) bool { return c.Rings }))
	if _, count := screen.last(); count != before {
		t.Error("two ring at once")
	}
	bo.must("POST", "/calls/"+x.ID+"/end", api.EndCall{End: api.EndDeclined}, nil)
	last := bo.page(room).Messages
	bo.eventually("the end", func() bool {
		last = bo.page(room).Messages
		return last[len(last)-1].Event == "call" && last[len(last)-1].Call.ID == x.ID
	})
	bo.must("POST", "/rooms/"+room+"/seen", api.Seen{Through: last[len(last)-1].ID}, nil)
	if r := bo.room(room); r.Unread != 0 {
		t.Errorf("%d unread", r.Unread)
	}
}

// Nobody is locked out in the middle of a call.
func TestCallKeepsOpen(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	hears, minutes := bo.listen(), 1
	ana.must("PUT", "/custody", api.SetCustody{Custody: api.CustodyPassphrase, New: phrase}, nil)
	ana.must("PATCH", "/settings", api.SettingsChange{LockAfter: &minutes}, nil)
	var x api.Call
	ana.must("POST", "/calls", api.NewCall{Room: room, SDP: play.SDP("ana")}, &x)
	hears.wait("ringing", callEvent(x.ID, func(c api.Call) bool { return c.Rings }))
	bo.must("POST", "/calls/"+x.ID+"/answer", api.CallDescription{SDP: play.SDP("bo")}, nil)
	ana.eventually("the words", func() bool { ana.must("GET", "/calls/"+x.ID, nil, &x); return len(x.Words) == 2 })
	for range 12 {
		w.Clock.Advance(idleCheck)
	}
	if p := ana.state().Phase; p != api.PhaseOpen {
		t.Fatalf("%s in a call", p)
	}
	bo.must("POST", "/calls/"+x.ID+"/end", api.EndCall{End: api.EndHungUp}, nil)
	ana.eventually("locked", func() bool { w.Clock.Advance(idleCheck); return ana.state().Phase == api.PhaseLocked })
}
