package play

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
)

// bosPhone is another device of Bo's that is in the room with Ana.
func bosPhone(t *testing.T, ana, bo *Person) *Person {
	t.Helper()
	phone := bo.device(t, "phone")
	account := must(bo.Client.Self()).Account
	ana.Eventually("both devices of Bo's", func() bool { return ana.devicesIn(bo.Handle, account) == 2 }, func() any { return nil })
	phone.Eventually("the conversation", func() bool { return phone.Room(ana.Handle).Name != "" }, func() any { return must(phone.Client.Rooms()) })
	phone.Sync()
	return phone
}

// Both devices of Bo's ring. He answers on the phone; the other one stops, and shows where the
// call is. The end on one is the end on all, with one row in each conversation.
func TestCallRingsEverywhere(t *testing.T) {
	_, ana, bo := pairOf(t)
	phone := bosPhone(t, ana, bo)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	phone.rings(v.ID)
	for _, p := range []*Person{ana, bo, phone} {
		p.until(v.ID, "both ring", func(v client.Call) bool { return v.Devices == 2 })
	}
	if _, err := phone.answers(v.ID); err != nil {
		t.Fatal(err)
	}
	elsewhere := bo.until(v.ID, "answered elsewhere", func(v client.Call) bool { return v.Stage == client.StageTalking && len(v.Words) == 2 })
	if elsewhere.Rings || elsewhere.Here || elsewhere.End != client.EndElsewhere {
		t.Fatalf("%+v", elsewhere)
	}
	if err := bo.Client.EndCall(v.ID, client.EndDeclined); err != nil { // too late to decline: it hangs up
		t.Fatal(err)
	}
	for _, p := range []*Person{ana, bo, phone} {
		p.over(v.ID, client.EndHungUp)
	}
	ana.tells(bo.Handle, "call.talked.own")
	bo.tells(ana.Handle, "call.talked")
	phone.tells(ana.Handle, "call.talked")
}

// Both devices answer at the same moment: one counts, on all four sides of the wire.
func TestBothDevicesAnswer(t *testing.T) {
	_, ana, bo := pairOf(t)
	phone := bosPhone(t, ana, bo)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	phone.rings(v.ID)
	type result struct {
		by  *Person
		err error
	}
	results := make(chan result, 2)
	for _, p := range []*Person{bo, phone} {
		go func() {
			_, err := p.Client.AnswerCall(patient(t), v.ID, SDP(p.Home), "")
			results <- result{p, err}
		}()
	}
	var holder *Person
	for range 2 {
		r := <-results
		switch {
		case r.err == nil && holder == nil:
			holder = r.by
		case !errors.Is(r.err, client.ErrCallOver):
			t.Fatalf("%s: %v", r.by.Name, r.err)
		}
	}
	if holder == nil {
		t.Fatal("no answer counts")
	}
	words := ana.talks(v.ID).Words
	here := 0
	for _, p := range []*Person{bo, phone} {
		got := p.talks(v.ID)
		if !slices.Equal(got.Words, words) || got.Here != (p == holder) {
			t.Fatalf("%+v", got)
		}
		if got.Here {
			here++
		}
	}
	if m := must(ana.Client.Media(v.ID)); here != 1 || m.Answer != SDP(holder.Home) {
		t.Fatalf("%d %+v", here, m)
	}
}

// Ana and Bo call each other at the same moment. The one whose offer is second answers the first:
// both wanted to talk, and there is one call.
func TestBothCall(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, between := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	kept := between.keep()
	one := ana.calls(bo.Handle).ID
	ana.Sync()
	lost := bo.calls(ana.Handle).ID // he has not heard of hers yet
	kept.release(0)
	gone := bo.until(lost, "gives way", func(v client.Call) bool { return v.Stage == client.StageOver })
	if gone.Instead == nil || *gone.Instead != one || gone.Here {
		t.Fatalf("%+v", gone)
	}
	if _, err := bo.answers(one); err != nil {
		t.Fatal(err)
	}
	if x, y := ana.talks(one), bo.talks(one); !slices.Equal(x.Words, y.Words) || !x.Here || !y.Here {
		t.Fatalf("%+v %+v", x, y)
	}
	for _, p := range []*Person{ana, bo} {
		if live := must(p.Client.Calls()); len(live) != 1 {
			t.Fatalf("%+v", live)
		}
	}
	if err := ana.Client.EndCall(one, client.EndHungUp); err != nil {
		t.Fatal(err)
	}
	bo.over(one, client.EndHungUp)
	ana.over(one, client.EndHungUp)
	if rows := append(ana.rows(bo.Handle), bo.rows(ana.Handle)...); len(rows) != 2 {
		t.Fatalf("%+v", rows)
	}
}

// Nobody answers: the caller gives up after a minute, and Bo finds a missed call among what he has
// not seen.
func TestMissedCall(t *testing.T) {
	w, ana, bo := pairOf(t)
	if err := bo.Client.SeenThrough(bo.Room(ana.Handle).ID, nil); err != nil {
		t.Fatal(err)
	}
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	ana.until(v.ID, "ringing", func(v client.Call) bool { return v.Stage == client.StageRinging })
	w.Clock.Advance(61 * time.Second)
	ana.over(v.ID, client.EndMissed)
	bo.over(v.ID, client.EndMissed)
	row := bo.tells(ana.Handle, "call.missed")
	ana.tells(bo.Handle, "call.missed.own")
	if _, err := bo.answers(v.ID); !errors.Is(err, client.ErrCallOver) {
		t.Fatalf("answering a missed call: %v", err)
	}
	if n := must(bo.Client.OverviewOf(row.Room)).Unseen; n != 1 {
		t.Fatalf("%d not seen", n)
	}
	if err := bo.Client.SeenThrough(row.Room, nil); err != nil {
		t.Fatal(err)
	}
	if n := must(bo.Client.OverviewOf(row.Room)).Unseen; n != 0 {
		t.Fatalf("%d not seen", n)
	}
	if err := bo.Client.SetSettings(func(s *client.Settings) { s.Retention = 1 }); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(25 * time.Hour)
	bo.Eventually("nothing is kept of it", func() bool { return len(bo.rows(ana.Handle)) == 0 && len(must(bo.Client.CallsPast(nil, 10))) == 0 }, func() any { return bo.rows(ana.Handle) })
}

// Ana's app dies while it rings. Bo's ring ends by the clock, whatever the server shows; when Ana
// is back she ends the call, and calls again.
func TestCallerDies(t *testing.T) {
	w, ana, bo := pairOf(t)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	ana.Away()
	w.Clock.Advance(61 * time.Second)
	bo.until(v.ID, "rings no more", func(v client.Call) bool { return !v.Rings && v.Stage == client.StageOver })
	if _, err := bo.answers(v.ID); !errors.Is(err, client.ErrCallOver) {
		t.Fatalf("answering a call that rings no more: %v", err)
	}
	w.Clock.Advance(20 * time.Second)
	bo.over(v.ID, client.EndMissed)
	bo.tells(ana.Handle, "call.missed")
	ana.Back()
	ana.over(v.ID, client.EndMissed)
	ana.Sync()
	bo.Sync()
	again := ana.calls(bo.Handle)
	bo.rings(again.ID)
}

// An app dies in the middle of a call. When it is back it holds none any more, and says so: the
// call ends for both.
func TestTalkerDies(t *testing.T) {
	for _, dies := range []string{"ana", "bo"} {
		t.Run(dies, func(t *testing.T) {
			_, ana, bo := pairOf(t)
			v := ana.calls(bo.Handle)
			bo.rings(v.ID)
			must(bo.answers(v.ID))
			ana.talks(v.ID)
			bo.talks(v.ID)
			who, other := ana, bo
			if dies == "bo" {
				who, other = bo, ana
			}
			who.Away()
			who.Back()
			who.over(v.ID, client.EndFailed)
			other.over(v.ID, client.EndFailed)
		})
	}
}

// Bo is in a call with Ana when Cy calls: it does not ring, on no device, and Cy hears that he is
// busy. After it Cy gets through.
func TestBusy(t *testing.T) {
	w, ana, bo := pairOf(t)
	cy := w.Person("cy")
	friends(t, cy, bo)
	phone := bosPhone(t, ana, bo)
	phone.Eventually("the other conversation", func() bool { return phone.Room(cy.Handle).Name != "" }, func() any { return nil })
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	must(bo.answers(v.ID))
	phone.talks(v.ID)

	second := cy.calls(bo.Handle)
	cy.over(second.ID, client.EndBusy)
	cy.tells(bo.Handle, "call.busy.own")
	for _, p := range []*Person{bo, phone} {
		if got := p.over(second.ID, client.EndBusy); got.Devices != 0 {
			t.Fatalf("%+v", got)
		}
		p.tells(cy.Handle, "call.busy")
	}
	if _, err := bo.Client.StartCall(client.NewCall{Room: bo.Room(cy.Handle).ID, SDP: SDP("bo")}); !errors.Is(err, client.ErrInCall) {
		t.Fatalf("two calls at once: %v", err)
	}
	if err := bo.Client.EndCall(v.ID, client.EndHungUp); err != nil {
		t.Fatal(err)
	}
	phone.over(v.ID, client.EndHungUp)
	third := cy.calls(bo.Handle)
	bo.rings(third.ID)
	phone.rings(third.ID)
}

// Bo is away. When he is back he finds a missed call, which does not ring.
func TestCallsWhoIsAway(t *testing.T) {
	w, ana, bo := pairOf(t)
	bo.Away()
	v := ana.calls(bo.Handle)
	ana.Sync()
	w.Clock.Advance(61 * time.Second)
	ana.over(v.ID, client.EndMissed)
	ana.Sync()
	w.Clock.Advance(time.Hour)
	bo.Back()
	rang := false
	bo.Client.Subscribe(func(e client.Event) { rang = rang || e.Call != nil && e.Call.Rings })
	bo.over(v.ID, client.EndMissed)
	bo.tells(ana.Handle, "call.missed")
	bo.Sync()
	if rang {
		t.Error("it rang after an hour")
	}
}

// A call is declined, and taken back before anybody answers.
func TestDeclined(t *testing.T) {
	_, ana, bo := pairOf(t)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	if err := bo.Client.EndCall(v.ID, client.EndDeclined); err != nil {
		t.Fatal(err)
	}
	ana.over(v.ID, client.EndDeclined)
	bo.over(v.ID, client.EndDeclined)
	bo.tells(ana.Handle, "call.declined")

	back := ana.calls(bo.Handle)
	if err := ana.Client.EndCall(back.ID, client.EndHungUp); err != nil { // perhaps before it left
		t.Fatal(err)
	}
	ana.over(back.ID, client.EndMissed)
	ana.Sync()
	bo.Sync()
	for _, c := range must(bo.Client.Calls()) {
		t.Errorf("%+v", c)
	}
	if _, err := bo.Client.AnswerCall(context.Background(), room.CallID{1}, SDP("bo"), ""); !errors.Is(err, client.ErrNoCall) {
		t.Errorf("answering no call: %v", err)
	}
}

// The room moves to another server while it rings: the call goes on there.
func TestRoomMovesWhileItRings(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.PersonAt("bo", w.Host())
	friends(t, ana, bo)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	if err := bo.Client.MoveRoom(patient(t), ana.Handle, ""); err != nil {
		t.Fatal(err)
	}
	bo.Eventually("the room moved", func() bool { return bo.Room(ana.Handle).Number == 2 }, func() any { return bo.Room(ana.Handle) })
	bo.Sync()
	if _, err := bo.answers(v.ID); err != nil {
		t.Fatal(err)
	}
	if x, y := ana.talks(v.ID), bo.talks(v.ID); !slices.Equal(x.Words, y.Words) {
		t.Fatalf("%+v %+v", x, y)
	}
}

// A device that is linked later has the calls of before, with all that is known of them.
func TestCallsInHistory(t *testing.T) {
	_, ana, bo := pairOf(t)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	must(bo.answers(v.ID))
	ana.talks(v.ID)
	if err := ana.Client.EndCall(v.ID, client.EndHungUp); err != nil {
		t.Fatal(err)
	}
	bo.over(v.ID, client.EndHungUp)
	missed := ana.calls(bo.Handle)
	bo.rings(missed.ID)
	if err := ana.Client.EndCall(missed.ID, client.EndHungUp); err != nil {
		t.Fatal(err)
	}
	bo.over(missed.ID, client.EndMissed)
	phone := bosPhone(t, ana, bo)
	var got []client.Call
	phone.Eventually("both calls", func() bool { got = must(phone.Client.CallsPast(nil, 10)); return len(got) == 2 }, func() any { return got })
	want := must(bo.Client.CallsPast(nil, 10))
	if !reflect.DeepEqual(got, want) || got[0].End != client.EndMissed || got[1].Answered == 0 {
		t.Fatalf("%+v\n%+v", got, want)
	}
	if page := must(phone.Client.CallsPast(&got[0].ID, 10)); len(page) != 1 || page[0].ID != v.ID {
		t.Fatalf("%+v", page)
	}
	rows := phone.rows(ana.Handle)
	if len(rows) != 2 || rows[0].Call == nil || rows[0].Call.ID != v.ID {
		t.Fatalf("%+v", rows)
	}
}

// Both sides renew at the same moment: the first counts, and the other side answers it.
func TestBothRenew(t *testing.T) {
	_, ana, bo := pairOf(t)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	must(bo.answers(v.ID))
	ana.talks(v.ID)
	bo.talks(v.ID)
	type result struct {
		m   client.CallMedia
		err error
	}
	renew := func(p *Person, key string) chan result {
		out := make(chan result, 1)
		go func() { m, err := p.Client.Renew(patient(t), v.ID, SDP(key)); out <- result{m, err} }()
		return out
	}
	a, b := renew(ana, ana.Home+" calls"), renew(bo, bo.Home+" answers")
	x, y := <-a, <-b
	if x.err != nil || y.err != nil || x.m.Round != 1 && y.m.Round != 1 {
		t.Fatalf("%+v %+v", x, y)
	}
	ana.until(v.ID, "goes on", func(v client.Call) bool { return v.Stage == client.StageTalking })
	m := must(bo.Client.Media(v.ID))
	first, second, key := ana, bo, bo.Home+" answers"
	if m.Offer == "" { // his own was the first
		first, second, key = bo, ana, ana.Home+" calls"
	}
	second.Eventually("the round of the first", func() bool { return must(second.Client.Media(v.ID)).Offer != "" }, func() any { return nil })
	if err := second.Client.Renewed(v.ID, must(second.Client.Media(v.ID)).Round, SDP("another")); !errors.Is(err, client.ErrCallSDP) {
		t.Fatalf("another key: %v", err)
	}
	if err := second.Client.Renewed(v.ID, must(second.Client.Media(v.ID)).Round, SDP(key)); err != nil {
		t.Fatal(err)
	}
	first.Eventually("the answer", func() bool { return must(first.Client.Media(v.ID)).Answer != "" }, func() any { return must(first.Client.Media(v.ID)) })
	if err := ana.Client.AddCandidates(v.ID, 0, []room.Candidate{Candidate(1)}, false); !errors.Is(err, client.ErrCallRound) {
		t.Errorf("candidates of a round that is over: %v", err)
	}
	round := must(ana.Client.Media(v.ID)).Round
	if err := ana.Client.AddCandidates(v.ID, round, []room.Candidate{Candidate(9)}, false); err != nil {
		t.Fatal(err)
	}
	bo.Eventually("the candidate", func() bool { return slices.Contains(must(bo.Client.Media(v.ID)).Candidates, Candidate(9)) }, func() any { return must(bo.Client.Media(v.ID)) })
}

// Bo leaves the conversation in the middle of a call: it does not go on on his device.
func TestLeavesInACall(t *testing.T) {
	w, ana, bo := pairOf(t)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	must(bo.answers(v.ID))
	bo.talks(v.ID)
	if err := bo.Client.Leave(patient(t), ana.Handle); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(61 * time.Second)
	bo.over(v.ID, client.EndFailed)
}

// ahead is a clock that goes before another one, or behind it.
type ahead struct {
	*Clock
	by time.Duration
}

func (a ahead) Now() time.Time { return a.Clock.Now().Add(a.by) }

// Bo's clock is wrong by minutes. Calls ring all the same, both ways, since his device knows how
// much it is off; and one that nobody answers is missed.
func TestCallsByAnotherClock(t *testing.T) {
	for _, by := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		t.Run(by.String(), func(t *testing.T) {
			w := New(t)
			ana, bo := w.Person("ana"), w.Nobody("bo", w.Home)
			bo.Mutate = func(o *client.Options) { o.Clock = ahead{w.Clock, by} }
			bo.Open()
			if err := bo.Client.CreateAccount(patient(t), bo.Handle, ""); err != nil {
				t.Fatal(err)
			}
			friends(t, ana, bo)
			for _, who := range [][2]*Person{{ana, bo}, {bo, ana}} {
				v := who[0].calls(who[1].Handle)
				who[1].rings(v.ID)
				must(who[1].answers(v.ID))
				who[0].talks(v.ID)
				who[1].talks(v.ID)
				if err := who[0].Client.EndCall(v.ID, client.EndHungUp); err != nil {
					t.Fatal(err)
				}
				for _, p := range who {
					p.over(v.ID, client.EndHungUp)
				}
			}
			v := ana.calls(bo.Handle)
			bo.rings(v.ID)
			ana.until(v.ID, "ringing", func(v client.Call) bool { return v.Stage == client.StageRinging })
			w.Clock.Advance(61 * time.Second)
			for _, p := range []*Person{ana, bo} {
				p.over(v.ID, client.EndMissed)
			}
		})
	}
}
