package logstest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"sotto/internal/wire"
)

func testEnded(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	r.Say("one")
	end := r.Swap("ana", nil, []string{"bo"})
	r.Say("secret")
	s := r.State("bo")
	if s.Code != wire.CodeCursorEnded || s.End != 2 || s.Head != 2 || s.Chain != end.Chain {
		t.Fatalf("%+v", s)
	}
	r.Reads("bo", 0, "one", "commit 0 by ana")
	wantCode(t, w.Logs.Ack(wire.Ack{Secret: r.Of("bo"), Through: 3}), wire.CodePastHead)
	r.Acks("bo", 1)
	r.Reads("bo", 1, "commit 0 by ana")
	r.Acks("bo", 2)
	wantCode(t, w.Logs.Ack(wire.Ack{Secret: r.Of("bo"), Through: 2}), wire.CodeNoCursor)
	_, err := w.Logs.Read(wire.Read{Secret: r.Of("bo"), Limit: 1000})
	wantCode(t, err, wire.CodeNoCursor)
}

func testEndedHoldsItsOwn(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo", "cy")
	r.Say("1")
	r.Swap("ana", nil, []string{"bo"})
	r.Say("3")
	r.Swap("ana", nil, []string{"cy"})
	r.Say("5")
	r.Acks("cy", 3)
	r.Acks("ana", 5) // 3 and 5 are needed by nobody any more
	if s := r.State("ana"); s.First != 1 || s.Head != 5 {
		t.Fatalf("%+v", s)
	}
	r.Reads("ana", 0, "1", "commit 0 by ana", "commit 1 by ana")
	r.Reads("bo", 0, "1", "commit 0 by ana")
	r.Acks("bo", 2)
	r.Reads("ana", 0, "commit 1 by ana")
	r.Say("6")
	r.Acks("cy", 4)
	r.Reads("ana", 0, "6")
	if s := r.State("ana"); s.First != 6 {
		t.Fatalf("%+v", s)
	}
}

func testClaim(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	mine := Secret("mine")
	if err := w.Logs.Claim(wire.Claim{Secret: r.Of("bo"), Next: mine.Hash()}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.Logs.Claim(wire.Claim{Secret: r.Of("bo"), Next: mine.Hash()}), wire.CodeNoCursor)
	_, err := w.Logs.Read(wire.Read{Secret: r.Of("bo")})
	wantCode(t, err, wire.CodeNoCursor)
	r.Say("hi")
	if a, err := w.Logs.Read(wire.Read{Secret: mine, Limit: 10}); err != nil || len(a.Entries) != 1 {
		t.Fatal(a, err)
	}
	if err := w.Logs.Claim(wire.Claim{Secret: mine, Next: mine.Hash()}); err != nil { // keeps its secret
		t.Fatal(err)
	}
	if err := w.Logs.Ack(wire.Ack{Secret: mine, Through: 1}); err != nil {
		t.Fatal(err)
	}
}

func testSecretsNotShared(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	q := NewRoom(t, w, "b", "zoe")
	theirs := r.Of("ana").Hash()
	_, err := w.Logs.Create(wire.Create{Log: Name("c"), Cursors: []wire.NewCursor{{Hash: theirs}}})
	wantCode(t, err, wire.CodeCursors)
	a := q.Commit("zoe", nil, nil)
	a.Swap.Add = []wire.NewCursor{{Hash: theirs}}
	_, err = w.Logs.Append(a, []byte("x"))
	wantCode(t, err, wire.CodeCursors)
	wantCode(t, w.Logs.Claim(wire.Claim{Secret: q.Of("zoe"), Next: theirs}), wire.CodeCursors)
	r.Say("hi")
	r.Reads("ana", 0, "hi")
}

func testAck(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	wantCode(t, w.Logs.Ack(wire.Ack{Secret: Secret("x"), Through: 0}), wire.CodeNoCursor)
	for i := range 4 {
		r.Say(fmt.Sprint(i + 1))
	}
	wantCode(t, w.Logs.Ack(wire.Ack{Secret: r.Of("ana"), Through: 5}), wire.CodePastHead)
	r.Acks("ana", 3)
	r.Acks("ana", 1) // goes nowhere
	if s := r.State("ana"); s.Acked != 3 || s.First != 1 {
		t.Fatalf("%+v", s)
	}
	r.Reads("ana", 0, "1", "2", "3", "4")
	r.Acks("bo", 2)
	r.Reads("bo", 0, "3", "4")
	if s := r.State("bo"); s.First != 3 || s.Acked != 2 || s.Head != 4 {
		t.Fatalf("%+v", s)
	}
	r.Acks("bo", 4)
	r.Acks("ana", 4)
	if s := r.State("bo"); s.First != 5 || s.Head != 4 {
		t.Fatalf("%+v", s)
	}
	r.Say("5")
	r.Reads("bo", 4, "5")
}

func testDrop(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo", "cy")
	wantCode(t, w.Logs.Drop(Secret("x")), wire.CodeNoCursor)
	for i := range 3 {
		r.Say(fmt.Sprint(i + 1))
	}
	r.Acks("ana", 2)
	r.Acks("cy", 3)
	var ear Ear
	watch, _ := w.Logs.Watch(wire.Place{Secret: r.Of("bo"), After: 3}, &ear)
	if err := w.Logs.Drop(r.Of("bo")); err != nil {
		t.Fatal(err)
	}
	ear.wants(t, false, nil, wire.CodeNoCursor)
	take(t, watch, 100)
	watch.Close()
	wantCode(t, w.Logs.Drop(r.Of("bo")), wire.CodeNoCursor)
	wantCode(t, w.Logs.Ack(wire.Ack{Secret: r.Of("bo"), Through: 1}), wire.CodeNoCursor)
	_, err := w.Logs.Append(r.Commit("bo", nil, nil), []byte("x"))
	wantCode(t, err, wire.CodeNoCursor)
	r.Reads("ana", 0, "3") // the others had passed what went before
	w.Logs = w.Restart()
	r.Reads("ana", 0, "3")
	wantCode(t, w.Logs.Drop(r.Of("bo")), wire.CodeNoCursor)
	// The secret is free again, and so is the place under the tag.
	r.Swap("ana", []string{"bo"}, nil)
	r.Reads("bo", 0)
}

// testDropEnds drops a cursor that ended, and then the others.
func testDropEnds(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo", "cy")
	r.Say("1")
	r.Swap("ana", nil, []string{"bo"})
	r.Acks("ana", 2)
	r.Acks("cy", 2)
	r.Reads("bo", 0, "1", "commit 0 by ana")
	var ear Ear
	watch, _ := w.Logs.Watch(wire.Place{Secret: r.Of("bo")}, &ear)
	defer watch.Close()
	if err := w.Logs.Drop(r.Of("bo")); err != nil {
		t.Fatal(err)
	}
	ear.wants(t, true, nil, wire.CodeCursorEnded)
	r.Reads("cy", 0)
	r.Say("3")
	for _, p := range []string{"ana", "cy"} {
		if err := w.Logs.Drop(r.Of(p)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Logs.Append(r.Entry(), []byte("x"))
	wantCode(t, err, wire.CodeNoLog)
	_, err = w.Logs.Create(r.create("ana"))
	wantCode(t, err, wire.CodeLogExists) // the name rests
}

func testRead(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana")
	_, err := w.Logs.Read(wire.Read{Secret: Secret("x")})
	wantCode(t, err, wire.CodeNoCursor)
	for i := range 10 {
		r.Say(fmt.Sprintf("entry %d", i))
	}
	for _, c := range []struct {
		after, limit uint64
		want         int
	}{{0, 0, 1}, {0, 7, 1}, {0, 14, 2}, {0, 1 << 40, 10}, {9, 100, 1}, {10, 100, 0}, {99, 100, 0}, {1<<64 - 1, 100, 0}} {
		a, err := w.Logs.Read(wire.Read{Secret: r.Of("ana"), After: c.after, Limit: c.limit})
		if err != nil || len(a.Entries) != c.want {
			t.Errorf("after %d, limit %d: %d entries, %v", c.after, c.limit, len(a.Entries), err)
		}
	}
	if _, err := w.Logs.Append(r.Commit("ana", nil, nil), make([]byte, wire.MaxEntry+1)); err != nil {
		t.Fatal(err)
	}
	a, err := w.Logs.Read(wire.Read{Secret: r.Of("ana"), After: 9, Limit: wire.MaxSwap * 2})
	if err != nil || len(a.Entries) != 1 || a.State.Head != 11 {
		t.Fatal("an entry in parts was read, or one before it was not", len(a.Entries), err)
	}
}

func take(t testing.TB, watch Watch, max int, want ...string) {
	t.Helper()
	e, err := watch.Next(max)
	var got []string
	for _, e := range e {
		got = append(got, string(e.Bytes))
	}
	if err != nil || len(got) != len(want) || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("next gives %q, %v; want %q", got, err, want)
	}
}

func testWatch(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	r.Say("1")
	r.Say("22")
	var ear, late Ear
	if watch, s := w.Logs.Watch(wire.Place{Ref: 9, Secret: Secret("x")}, &ear); watch != nil || s.Code != wire.CodeNoCursor || s.Ref != 9 {
		t.Fatal(watch, s)
	}
	watch, s := w.Logs.Watch(wire.Place{Ref: 7, Secret: r.Of("bo")}, &ear)
	if s.Ref != 7 || s.Code != wire.OK || s.Head != 2 || s.First != 1 {
		t.Fatalf("%+v", s)
	}
	defer watch.Close()
	ear.wants(t, true, nil)
	take(t, watch, 0, "1")
	take(t, watch, 100, "22")
	take(t, watch, 100)
	second, s := w.Logs.Watch(wire.Place{Secret: r.Of("ana"), After: 2}, &late)
	defer second.Close()
	if s.Head != 2 {
		t.Fatalf("%+v", s)
	}
	late.wants(t, false, nil)
	r.Say("333")
	r.Say("4444")
	late.wants(t, true, nil)
	take(t, second, 7, "333", "4444")
	take(t, watch, 6, "333")
	take(t, watch, 6, "4444")
	r.Say("5")
	r.Acks("ana", 5)
	r.Acks("bo", 5)
	take(t, watch, 100) // erased meanwhile
	r.Say("6")
	take(t, watch, 100, "6")
	watch.Close()
	r.Say("7")
	take(t, watch, 100)
	take(t, second, 100, "6", "7")
	if _, err := w.Logs.Append(r.Commit("ana", nil, nil), make([]byte, wire.MaxSwap)); err != nil {
		t.Fatal(err)
	}
	if e, err := second.Next(100); err != nil || len(e) != 1 || len(e[0].Bytes) != wire.MaxSwap || e[0].Did == nil {
		t.Fatal("a large entry does not come", err)
	}
}

func testWatchTakenOver(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana")
	var first, second Ear
	a, _ := w.Logs.Watch(wire.Place{Secret: r.Of("ana")}, &first)
	b, s := w.Logs.Watch(wire.Place{Secret: r.Of("ana")}, &second)
	if s.Code != wire.OK {
		t.Fatalf("%+v", s)
	}
	first.wants(t, false, nil, wire.CodeOrder)
	r.Say("hi")
	take(t, a, 100)
	take(t, b, 100, "hi")
	a.Close() // of no effect on the second
	r.Say("ho")
	take(t, b, 100, "ho")
	second.wants(t, true, nil)
	b.Close()
	b.Close()
}

func testWatchEnds(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo", "cy")
	var bo, cy, di Ear
	b, _ := w.Logs.Watch(wire.Place{Secret: r.Of("bo")}, &bo)
	c, _ := w.Logs.Watch(wire.Place{Secret: r.Of("cy")}, &cy)
	r.Say("1")
	r.Swap("ana", []string{"di"}, []string{"bo", "cy"})
	r.Say("not for them")
	take(t, b, 100, "1", "commit 0 by ana")
	bo.wants(t, true, nil)
	take(t, b, 100)
	bo.wants(t, true, nil, wire.CodeCursorEnded)
	r.Acks("cy", 2) // vanishes without having taken it from the watch
	cy.wants(t, true, nil, wire.CodeCursorEnded)
	take(t, c, 100)
	again, s := w.Logs.Watch(wire.Place{Secret: r.Of("bo"), After: 1}, &bo)
	if s.Code != wire.CodeCursorEnded || s.End != 2 {
		t.Fatalf("%+v", s)
	}
	take(t, again, 100, "commit 0 by ana")
	d, _ := w.Logs.Watch(wire.Place{Secret: r.Of("di")}, &di)
	w.Clock.Pass(wire.CursorUnclaimed)
	w.Logs.Tick(w.Clock.Now())
	di.wants(t, true, nil, wire.CodeNoCursor)
	take(t, d, 100)
}

func testSignal(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo", "cy")
	var ana, bo, cy Ear
	for p, ear := range map[string]*Ear{"ana": &ana, "bo": &bo, "cy": &cy} {
		watch, _ := w.Logs.Watch(wire.Place{Secret: r.Of(p)}, ear)
		defer watch.Close()
	}
	s := wire.Signal{Log: r.Log, Token: r.Token(0), Payload: []byte("ring")}
	if err := w.Logs.Signal(s); err != nil {
		t.Fatal(err)
	}
	r.Swap("ana", nil, []string{"bo"})
	wantCode(t, w.Logs.Signal(s), wire.CodeStaleToken)
	s.Token, s.Payload = r.Token(1), []byte("typing")
	if err := w.Logs.Signal(s); err != nil {
		t.Fatal(err)
	}
	ana.wants(t, true, []string{"ring", "typing"})
	bo.wants(t, true, []string{"ring"})
	s.Payload = make([]byte, wire.MaxSignal+1)
	wantCode(t, w.Logs.Signal(s), wire.CodeTooLarge)
	s.Payload, s.Log = nil, Name("nowhere")
	wantCode(t, w.Logs.Signal(s), wire.CodeNoLog)
	if st := r.State("ana"); st.Head != 1 {
		t.Fatal("a signal was stored")
	}
}

func testExpiry(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo") // an hour
	r.Say("1")
	w.Clock.Pass(30 * time.Minute)
	r.Say("2")
	r.Say("3")
	w.Clock.Pass(30*time.Minute - time.Millisecond)
	w.Logs.Tick(w.Clock.Now())
	r.Reads("ana", 0, "1", "2", "3")
	w.Clock.Pass(time.Millisecond)
	w.Logs.Tick(w.Clock.Now())
	r.Reads("ana", 0, "2", "3")
	if s := r.State("ana"); s.First != 2 || s.Head != 3 {
		t.Fatalf("%+v", s)
	}
	r.Acks("ana", 2)
	w.Clock.Pass(30 * time.Minute)
	w.Logs.Tick(w.Clock.Now())
	r.Reads("bo", 0)
	if s := r.State("bo"); s.First != 4 || s.Head != 3 || s.Acked != 0 {
		t.Fatalf("%+v", s)
	}
	r.Say("4")
	r.Swap("ana", nil, []string{"bo"})
	r.Acks("ana", 5)
	r.Reads("bo", 0, "4", "commit 0 by ana")
	w.Clock.Pass(time.Hour)
	w.Logs.Tick(w.Clock.Now()) // nothing is left for bo to read
	_, err := w.Logs.Read(wire.Read{Secret: r.Of("bo")})
	wantCode(t, err, wire.CodeNoCursor)
}

func testUnclaimed(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	if err := w.Logs.Claim(wire.Claim{Secret: r.Of("ana"), Next: r.Of("ana").Hash()}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(wire.CursorUnclaimed - time.Hour)
	r.Swap("ana", []string{"cy"}, nil)
	w.Logs.Tick(w.Clock.Now())
	r.State("bo")
	w.Clock.Pass(time.Hour)
	w.Logs.Tick(w.Clock.Now())
	_, err := w.Logs.Read(wire.Read{Secret: r.Of("bo")})
	wantCode(t, err, wire.CodeNoCursor)
	r.State("cy")
	w.Clock.Pass(wire.CursorUnclaimed)
	w.Logs.Tick(w.Clock.Now())
	_, err = w.Logs.Read(wire.Read{Secret: r.Of("cy")})
	wantCode(t, err, wire.CodeNoCursor)
	r.State("ana")
	r.Say("still here")
}

// testAbandoned has everybody claim a cursor and use it in another way, and one stay
// away: after CursorAbandoned, and at most a week more, that one is gone, and when all
// stay away the log.
func testAbandoned(t *testing.T, w *World) {
	people := []string{"reads", "acks", "claims", "watches", "is away"}
	r := NewRoom(t, w, "a", people...)
	claim := func(p string) {
		if err := w.Logs.Claim(wire.Claim{Secret: r.Of(p), Next: r.Of(p).Hash()}); err != nil {
			t.Fatal(p, err)
		}
	}
	for _, p := range people {
		claim(p)
	}
	var ear Ear
	watch, _ := w.Logs.Watch(wire.Place{Secret: r.Of("watches")}, &ear)
	pass := func(d time.Duration) {
		w.Clock.Pass(d)
		w.Logs.Tick(w.Clock.Now())
	}
	const week = 7 * 24 * time.Hour
	pass(wire.CursorAbandoned - week)
	r.Reads("reads", 0)
	r.Acks("acks", 0)
	claim("claims")
	pass(week - time.Hour)
	if err := w.Logs.Ack(wire.Ack{Secret: Secret("nobody's")}); wire.CodeOf(err) != wire.CodeNoCursor {
		t.Fatal(err)
	}
	pass(week + 2*time.Hour)
	wantCode(t, w.Logs.Drop(r.Of("is away")), wire.CodeNoCursor)
	for range 2 {
		for _, p := range []string{"reads", "acks", "claims", "watches"} {
			// A refused ack finds the cursor and is no use of it.
			wantCode(t, w.Logs.Ack(wire.Ack{Secret: r.Of(p), Through: 9}), wire.CodePastHead)
		}
		ear.wants(t, false, nil)
		watch.Close()
		w.Logs = w.Restart() // a use is remembered
		w.Logs.Tick(w.Clock.Now())
		watch, _ = w.Logs.Watch(wire.Place{Secret: r.Of("watches")}, &ear)
	}
	watch.Close()
	pass(wire.CursorAbandoned + week)
	_, err := w.Logs.Append(r.Entry(), []byte("x"))
	wantCode(t, err, wire.CodeNoLog)
}

func testLogEnds(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	c := r.create("ana", "bo")
	r.Say("1")
	r.Swap("ana", nil, []string{"ana", "bo"})
	r.Acks("ana", 2)
	r.Reads("bo", 0, "1", "commit 0 by ana")
	r.Acks("bo", 2)
	w.Logs.Tick(w.Clock.Now())
	_, err := w.Logs.Append(r.Entry(), []byte("x"))
	wantCode(t, err, wire.CodeNoLog)
	_, err = w.Logs.Create(c)
	wantCode(t, err, wire.CodeLogExists)
	// The other way: nobody claims a cursor.
	q := NewRoom(t, w, "b", "zoe")
	q.Say("hello?")
	w.Clock.Pass(wire.CursorUnclaimed)
	w.Logs.Tick(w.Clock.Now())
	_, err = w.Logs.Append(q.Entry(), []byte("x"))
	wantCode(t, err, wire.CodeNoLog)
	w.Clock.Pass(wire.LogNameRest - wire.CursorUnclaimed - time.Second)
	w.Logs.Tick(w.Clock.Now())
	_, err = w.Logs.Create(c)
	wantCode(t, err, wire.CodeLogExists)
	w.Clock.Pass(time.Minute)
	w.Logs.Tick(w.Clock.Now())
	if _, err = w.Logs.Create(c); err != nil {
		t.Fatal(err)
	}
}

func testRestart(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	r.Say("1")
	last := r.Swap("ana", []string{"cy"}, []string{"bo"})
	three := r.Say("3")
	r.Acks("ana", 2)
	before := []wire.PlaceState{r.State("ana"), r.State("bo"), r.State("cy")}
	w.Logs = w.Restart()
	after := []wire.PlaceState{r.State("ana"), r.State("bo"), r.State("cy")}
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Fatalf("%+v\n%+v", before, after)
	}
	_, err := w.Logs.Append(r.Commit("ana", nil, nil), []byte("too soon"))
	wantCode(t, err, wire.CodeTooSoon)
	if again := r.Say("3"); again != three || again.Seq != last.Seq+1 {
		t.Fatal(again)
	}
	r.Reads("cy", 0, "3")
	r.Reads("bo", 0, "1", "commit 0 by ana")
	r.Say("4")
	r.Reads("ana", 2, "3", "4")
}

// testReaderRaces has everybody read, acknowledge and append at once: nobody misses
// an entry and nobody gets one twice.
func testReaderRaces(t *testing.T, w *World) {
	people := []string{"ana", "bo", "cy", "di"}
	r := NewRoom(t, w, "a", people...)
	const each, writers = 40, 8
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				if _, err := w.Logs.Append(r.Entry(), fmt.Appendf(nil, "%d %d", i, j)); err != nil {
					t.Errorf("%v", err)
				}
			}
		})
	}
	for _, p := range people {
		wg.Go(func() {
			bell := make(chan struct{}, 1)
			watch, s := w.Logs.Watch(wire.Place{Secret: r.Of(p)}, ring(bell))
			defer watch.Close()
			chain := wire.EmptyChain(r.Log)
			for at := uint64(0); at < each*writers; {
				got, err := watch.Next(200)
				if err != nil {
					t.Errorf("%v", err)
					return
				}
				if len(got) == 0 {
					<-bell
					continue
				}
				for _, e := range got {
					if at++; e.Seq != at {
						t.Errorf("%s gets %d for %d (%+v)", p, e.Seq, at, s)
						return
					}
					if chain = wire.NextChain(chain, e.Seq, e.Bytes); chain != e.Chain {
						t.Errorf("running hash at %d", e.Seq)
						return
					}
				}
				if err := w.Logs.Ack(wire.Ack{Secret: r.Of(p), Through: at}); err != nil {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
	if s := r.State("ana"); s.First != each*writers+1 {
		t.Fatalf("%+v", s)
	}
}

// ring is a watcher that rings a bell.
type ring chan struct{}

func (r ring) Ready(uint32) {
	select {
	case r <- struct{}{}:
	default:
	}
}
func (r ring) Signal(uint32, []byte)   {}
func (r ring) Ended(uint32, wire.Code) { r.Ready(0) }
