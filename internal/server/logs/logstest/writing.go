package logstest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sotto/internal/wire"
)

func testCreate(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	c := r.create("ana", "bo")
	again, err := w.Logs.Create(c)
	if err != nil || again.Chain != wire.EmptyChain(r.Log) {
		t.Fatal(again, err)
	}
	r.Say("hi")
	if _, err := w.Logs.Create(c); err != nil {
		t.Fatal(err)
	}
	c.TTL++
	_, err = w.Logs.Create(c)
	wantCode(t, err, wire.CodeLogExists)
	if s := r.State("bo"); s.Head != 1 || s.Acked != 0 || s.First != 1 || s.Code != wire.OK {
		t.Fatalf("%+v", s)
	}
}

func testCreateLimits(t *testing.T, w *World) {
	r := &Room{t: t, w: w, Log: Name("x")}
	for _, c := range []struct {
		change func(*wire.Create)
		code   wire.Code
	}{
		{func(c *wire.Create) { c.Cursors = nil }, wire.CodeMalformed},
		{func(c *wire.Create) { c.TTL = uint64(wire.MaxEntryLifetime/time.Second) + 1 }, wire.CodeMalformed},
		{func(c *wire.Create) { c.TTL = 1 }, wire.CodeMalformed},
		{func(c *wire.Create) { c.Cursors = append(c.Cursors, c.Cursors[0]) }, wire.CodeCursors},
		{func(c *wire.Create) {
			for i := range wire.MaxCursorsLeaf {
				c.Cursors = append(c.Cursors, wire.NewCursor{Tag: Tag("ana"), Hash: Secret("%d", i).Hash()})
			}
		}, wire.CodeCursors},
		{func(c *wire.Create) {
			for i := range wire.MaxCursorsCreate {
				c.Cursors = append(c.Cursors, r.Cursor(fmt.Sprint(i)))
			}
		}, wire.CodeCursors},
		{func(c *wire.Create) {}, wire.OK},
	} {
		x := r.create("ana")
		c.change(&x)
		known, err := w.Logs.Vet(x)
		wantCode(t, err, c.code)
		_, err = w.Logs.Create(x)
		wantCode(t, err, c.code)
		again, err := w.Logs.Vet(x)
		if wantCode(t, err, c.code); known || again != (err == nil) {
			t.Fatalf("known is %v, and then %v", known, again)
		}
	}
}

func testAppend(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	one := r.Say("one")
	if want := wire.NextChain(wire.EmptyChain(r.Log), 1, []byte("one")); one.Seq != 1 || one.Chain != want || one.TimeMS != uint64(w.Clock.Now().UnixMilli()) {
		t.Fatalf("%+v", one)
	}
	w.Clock.Pass(-time.Hour) // a clock that goes back does not take arrival with it
	if two := r.Say("two"); two.Seq != 2 || two.TimeMS < one.TimeMS || two.Chain != wire.NextChain(one.Chain, 2, []byte("two")) {
		t.Fatalf("%+v", two)
	}
	r.Reads("ana", 0, "one", "two")
	r.Reads("bo", 1, "two")
	a := r.Entry()
	a.Token = Secret("wrong")
	_, err := w.Logs.Append(a, []byte("no"))
	wantCode(t, err, wire.CodeStaleToken)
	a = r.Entry()
	a.Log = Name("nowhere")
	_, err = w.Logs.Append(a, []byte("no"))
	wantCode(t, err, wire.CodeNoLog)
}

func testAppendLimits(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	_, err := w.Logs.Append(r.Entry(), make([]byte, wire.MaxEntry+1))
	wantCode(t, err, wire.CodeTooLarge)
	_, err = w.Logs.Append(r.Entry(), nil)
	wantCode(t, err, wire.CodeMalformed)
	_, err = w.Logs.Append(r.Commit("ana", nil, nil), make([]byte, wire.MaxSwap+1))
	wantCode(t, err, wire.CodeTooLarge)
	if _, err = w.Logs.Append(r.Entry(), make([]byte, wire.MaxEntry)); err != nil {
		t.Fatal(err)
	}
	if _, err = w.Logs.Append(r.Commit("ana", nil, nil), make([]byte, wire.MaxSwap)); err != nil {
		t.Fatal(err)
	}
	if s := r.State("bo"); s.Head != 2 {
		t.Fatalf("%+v", s)
	}
}

func testIdempotence(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	r.Say("x")
	first := r.Say("one")
	old := r.Entry()
	commit := r.Commit("ana", []string{"cy"}, nil)
	w.Clock.Pass(wire.SwapInterval)
	done, err := w.Logs.Append(commit, []byte("commit"))
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(time.Minute)
	if again, err := w.Logs.Append(commit, []byte("commit")); err != nil || again != done {
		t.Fatal(again, err)
	}
	r.Epoch++
	for _, a := range []wire.Append{old, r.Entry()} { // the token it came with, and the current one
		if again, err := w.Logs.Append(a, []byte("one")); err != nil || again != first {
			t.Fatal(again, err)
		}
	}
	r.Swap("ana", nil, nil)
	stranger := old
	stranger.Token = Secret("guess")
	_, err = w.Logs.Append(stranger, []byte("one")) // no oracle for who stands there
	wantCode(t, err, wire.CodeStaleToken)
	between := old
	between.Token = r.Token(1) // a token of the log, and not the entry's
	_, err = w.Logs.Append(between, []byte("one"))
	wantCode(t, err, wire.CodeStaleToken)
	for _, p := range []string{"ana", "bo"} {
		r.Acks(p, first.Seq)
	}
	_, err = w.Logs.Append(old, []byte("one")) // erased: it stands no more
	wantCode(t, err, wire.CodeStaleToken)
	if again := r.Say("one"); again.Seq != 5 {
		t.Fatal(again)
	}
}

func testSwap(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	r.Say("before")
	a := r.Commit("ana", []string{"cy", "di"}, []string{"bo", "nobody"})
	got := r.Swap("ana", []string{"cy", "di"}, []string{"bo", "nobody"})
	if got.Seq != 2 {
		t.Fatal(got)
	}
	e := r.Reads("ana", 1, "commit 0 by ana")[0]
	if e.Did == nil || e.Did.Next != a.Swap.Next || fmt.Sprint(e.Did.Added) != fmt.Sprint(a.Swap.Add) ||
		fmt.Sprint(e.Did.Ended) != fmt.Sprint(a.Swap.End) || e.Did.By != Tag("ana") {
		t.Fatalf("%+v", e.Did)
	}
	if e := r.Reads("ana", 0, "before", "commit 0 by ana")[0]; e.Did != nil {
		t.Fatal("an entry without swap did something")
	}
	if s := r.State("cy"); s.Acked != 2 || s.Head != 2 || s.Code != wire.OK {
		t.Fatalf("%+v", s)
	}
	r.Reads("cy", 0) // what came before its time is not its to read
	stale := r.Entry()
	stale.Token = r.Token(0)
	_, err := w.Logs.Append(stale, []byte("late"))
	wantCode(t, err, wire.CodeStaleToken)
	r.Say("after")
	r.Reads("cy", 0, "after")
	r.Reads("bo", 0, "before", "commit 0 by ana")
}

func testSwapRefusals(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	other := NewRoom(t, w, "b", "zoe")
	refused := func(code wire.Code, change func(*wire.Append)) {
		t.Helper()
		a := r.Commit("ana", []string{"cy"}, []string{"bo"})
		change(&a)
		_, err := w.Logs.Append(a, []byte("commit"))
		wantCode(t, err, code)
	}
	refused(wire.CodeMalformed, func(a *wire.Append) { a.Cursor = nil })
	refused(wire.CodeMalformed, func(a *wire.Append) { a.Swap = nil })
	refused(wire.CodeStaleToken, func(a *wire.Append) { a.Token = Secret("x") })
	refused(wire.CodeNoCursor, func(a *wire.Append) { s := Secret("x"); a.Cursor = &s })
	refused(wire.CodeNoCursor, func(a *wire.Append) { s := other.Of("zoe"); a.Cursor = &s })
	refused(wire.CodeCursors, func(a *wire.Append) {
		for i := range wire.MaxAdds {
			a.Swap.Add = append(a.Swap.Add, r.Cursor(fmt.Sprint(i)))
		}
	})
	if s := r.State("bo"); s.Head != 0 || s.Code != wire.OK {
		t.Fatalf("a refused swap did something: %+v", s)
	}
	r.Swap("ana", nil, []string{"bo"})
	_, err := w.Logs.Append(r.Commit("ana", nil, nil), []byte("too soon"))
	wantCode(t, err, wire.CodeTooSoon)
	var e *wire.Error
	if e = err.(*wire.Error); e.After <= 0 || e.After > wire.SwapInterval {
		t.Fatal(e.After)
	}
	r.Say("an entry is not too soon")
	w.Clock.Pass(e.After)
	refused(wire.CodeCursorEnded, func(a *wire.Append) { s := r.Of("bo"); a.Cursor = &s })
	if _, err := w.Logs.Append(r.Commit("ana", nil, nil), []byte("in time")); err != nil {
		t.Fatal(err)
	}
}

func testTwoCursors(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	add := func(n int, end []wire.Tag) error {
		w.Clock.Pass(wire.SwapInterval)
		a := r.Commit("ana", nil, nil)
		a.Swap.End = end
		for range n {
			r.n++
			a.Swap.Add = append(a.Swap.Add, wire.NewCursor{Tag: Tag("bo"), Hash: Secret("bo %d", r.n).Hash()})
		}
		_, err := w.Logs.Append(a, fmt.Append(nil, r.n))
		if err == nil {
			r.Epoch++
		}
		return err
	}
	wantCode(t, add(2, nil), wire.CodeCursors)
	if err := add(1, nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, add(1, nil), wire.CodeCursors)
	if err := add(2, []wire.Tag{Tag("bo")}); err != nil { // both end, two begin
		t.Fatal(err)
	}
	wantCode(t, add(1, nil), wire.CodeCursors)
}

func testFull(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo", "mal")
	big := make([]byte, wire.MaxEntry)
	n := wire.MaxLogBytes / len(big)
	for i := range n {
		big[0], big[1] = byte(i), byte(i>>8)
		if _, err := w.Logs.Append(r.Entry(), big); err != nil {
			t.Fatal(i, err)
		}
	}
	_, err := w.Logs.Append(r.Entry(), []byte("more"))
	wantCode(t, err, wire.CodeLogFull)
	// Mal acknowledges nothing. There is room for who removes her, and when all others
	// have read what stands there, her ended cursor does not keep it.
	r.Swap("ana", nil, []string{"mal"})
	n++
	_, err = w.Logs.Append(r.Entry(), []byte("more"))
	wantCode(t, err, wire.CodeLogFull)
	r.Acks("ana", uint64(n))
	_, err = w.Logs.Append(r.Entry(), []byte("more"))
	wantCode(t, err, wire.CodeLogFull)
	r.Acks("bo", 10)
	r.Say("more")
	r.Acks("bo", uint64(n))
	if s := r.State("ana"); s.First != uint64(n)+1 || s.Head != uint64(n)+1 {
		t.Fatalf("%+v", s)
	}
}

func testAsync(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana")
	var wg sync.WaitGroup
	var seqs sync.Map
	var want []string
	for i := range 100 {
		wg.Add(1)
		entry := fmt.Append(nil, i)
		want = append(want, fmt.Sprint(i))
		w.Logs.AppendAsync(r.Entry(), entry, func(a wire.Appended, err error) {
			defer wg.Done()
			if err != nil || a.Seq != uint64(i)+1 {
				t.Errorf("%d: %v %v", i, a, err)
			}
			if _, twice := seqs.LoadOrStore(a.Seq, i); twice {
				t.Errorf("%d twice", a.Seq)
			}
		})
		clear(entry) // it is ours again
	}
	wg.Wait()
	r.Reads("ana", 0, want...)
	a := r.Entry()
	a.Token = Secret("x")
	wg.Add(1)
	w.Logs.AppendAsync(a, []byte("x"), func(_ wire.Appended, err error) {
		defer wg.Done()
		wantCode(t, err, wire.CodeStaleToken)
	})
	wg.Wait()
	if s := r.State("ana"); s.Head != 100 {
		t.Fatalf("%+v", s)
	}
}

// testRaces has two who swap race for each epoch among others who append.
func testRaces(t *testing.T, w *World) {
	r := NewRoom(t, w, "a", "ana", "bo")
	var won [2]atomic.Int64
	for epoch := range 60 {
		r.Epoch = epoch
		w.Clock.Pass(wire.SwapInterval)
		var wg sync.WaitGroup
		var wins atomic.Int64
		for i, who := range []string{"ana", "bo"} {
			wg.Go(func() {
				_, err := w.Logs.Append(r.Commit(who, nil, nil), fmt.Appendf(nil, "%d %s", epoch, who))
				switch wire.CodeOf(err) {
				case wire.OK:
					wins.Add(1)
					won[i].Add(1)
				case wire.CodeStaleToken:
				default:
					t.Errorf("%v", err)
				}
			})
		}
		for i := range 62 {
			wg.Go(func() {
				_, err := w.Logs.Append(r.Entry(), fmt.Appendf(nil, "%d entry %d", epoch, i))
				if c := wire.CodeOf(err); c != wire.OK && c != wire.CodeStaleToken {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Fatalf("%d swaps won epoch %d", wins.Load(), epoch)
		}
	}
	// The log is a clean sequence of epochs: no entry of an epoch follows its commit.
	epoch := 0
	var chain = wire.EmptyChain(r.Log)
	var last uint64
	for {
		a, err := w.Logs.Read(wire.Read{Secret: r.Of("ana"), After: last, Limit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Entries) == 0 {
			break
		}
		for _, e := range a.Entries {
			var of int
			if _, err := fmt.Sscan(string(e.Bytes), &of); err != nil || of != epoch {
				t.Fatalf("%q in epoch %d", e.Bytes, epoch)
			}
			if last++; e.Seq != last {
				t.Fatalf("%d follows %d", e.Seq, last-1)
			}
			if chain = wire.NextChain(chain, e.Seq, e.Bytes); chain != e.Chain {
				t.Fatal("running hash")
			}
			if e.Did != nil {
				epoch++
			}
		}
	}
	if epoch != 60 {
		t.Fatal(epoch)
	}
}
