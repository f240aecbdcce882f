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
