package server

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"sotto/internal/wire"
)

func TestAppendWatchAck(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	m := ana.room(2)
	w, x := r.open("/v1/log"), r.open("/v1/log")
	var watching wire.Watching
	w.must(wire.OpWatch, wire.Watch{Places: []wire.Place{{Ref: 7, Secret: m.cursors[0]}, {Ref: 8, Secret: random[wire.Secret]()}}, Credit: 1 << 20}, &watching)
	if len(watching.States) != 2 || watching.States[0].Code != wire.OK || watching.States[0].Ref != 7 ||
		watching.States[1].Code != wire.CodeNoCursor || watching.States[1].Ref != 8 {
		t.Fatalf("%+v", watching)
	}
	chain := wire.EmptyChain(m.log)
	for i := uint64(1); i <= 3; i++ {
		text := fmt.Sprint("entry ", i)
		var a wire.Appended
		x.must(wire.OpAppend, m.append(text), &a)
		chain = wire.NextChain(chain, i, []byte(text))
		if a.Seq != i || a.Chain != chain {
			t.Fatalf("%+v", a)
		}
		var e wire.EntryEvent
		w.event(wire.EventEntry, &e)
		if e.Ref != 7 || e.Entry.Seq != i || string(e.Entry.Bytes) != text || e.Entry.Chain != chain || e.Entry.TimeMS != a.TimeMS {
			t.Fatalf("%+v", e)
		}
	}
	var again wire.Appended
	x.must(wire.OpAppend, m.append("entry 2"), &again)
	if again.Seq != 2 {
		t.Fatalf("a retry made entry %d", again.Seq)
	}
	var read wire.ReadAnswer
	x.must(wire.OpRead, wire.Read{Secret: m.cursors[1], After: 1, Limit: 1 << 20}, &read)
	if len(read.Entries) != 2 || read.State.Head != 3 {
		t.Fatalf("%+v", read)
	}
	x.must(wire.OpAck, wire.Ack{Secret: m.cursors[1], Through: 3}, nil)
	next := random[wire.Secret]()
	x.must(wire.OpClaim, wire.Claim{Secret: m.cursors[1], Next: next.Hash()}, nil)
	x.refused(wire.CodeNoCursor, wire.OpAck, wire.Ack{Secret: m.cursors[1], Through: 3})
	x.refused(wire.CodePastHead, wire.OpAck, wire.Ack{Secret: next, Through: 4})

	x.must(wire.OpSignal, wire.Signal{Log: m.log, Token: m.token, Payload: []byte("typing")}, nil)
	var s wire.SignalEvent
	w.event(wire.EventSignal, &s)
	if s.Ref != 7 || string(s.Payload) != "typing" {
		t.Fatalf("%+v", s)
	}
	// A second watch ends the first.
	x.must(wire.OpWatch, wire.Watch{Places: []wire.Place{{Ref: 1, Secret: m.cursors[0], After: 3}}, Credit: 1}, &watching)
	var ended wire.EndedEvent
	w.event(wire.EventEnded, &ended)
	if ended.Ref != 7 || ended.Code != wire.CodeOrder {
		t.Fatalf("%+v", ended)
	}
	x.must(wire.OpUnwatch, wire.Unwatch{Ref: 1}, nil)
}

// A device that has read all that it wants gives its cursor up.
func TestDrop(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	m := r.person("ana").room(2)
	w, x := r.open("/v1/log"), r.open("/v1/log")
	w.must(wire.OpWatch, wire.Watch{Places: []wire.Place{{Ref: 7, Secret: m.cursors[0]}}, Credit: 1 << 20}, &wire.Watching{})
	x.must(wire.OpDrop, wire.Drop{Secret: m.cursors[0]}, nil)
	var ended wire.EndedEvent
	w.event(wire.EventEnded, &ended)
	if ended.Ref != 7 || ended.Code != wire.CodeNoCursor {
		t.Fatalf("%+v", ended)
	}
	x.refused(wire.CodeNoCursor, wire.OpDrop, wire.Drop{Secret: m.cursors[0]})
	x.must(wire.OpAppend, m.append("one"), &wire.Appended{})
	x.must(wire.OpDrop, wire.Drop{Secret: m.cursors[1]}, nil)
	x.refused(wire.CodeNoLog, wire.OpAppend, m.append("two"))
}

// claiming is an entry that names its swap.
func claiming(s *wire.Swap, rest []byte) []byte {
	claim := s.Claim()
	return slices.Concat([]byte{wire.SwapEntry}, claim[:], rest)
}

// An entry that names another swap than it comes with, or one that does not come, is refused,
// on every way in.
func TestEntryNamesItsSwap(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	m := r.person("ana").room(2)
	x := r.open("/v1/log")
	next := random[wire.Secret]()
	swap := &wire.Swap{Next: next.Hash(), End: []wire.Tag{m.tags[1]}}
	claim := swap.Claim()
	for name, c := range map[string]struct {
		entry []byte
		swap  *wire.Swap
	}{
		"no claim":            {[]byte("\x01 a commit"), swap},
		"another token":       {claiming(&wire.Swap{End: swap.End}, []byte("x")), swap},
		"nobody ended":        {claiming(&wire.Swap{Next: swap.Next}, []byte("x")), swap},
		"somebody added":      {claiming(&wire.Swap{Next: swap.Next, End: swap.End, Add: []wire.NewCursor{{}}}, []byte("x")), swap},
		"cut":                 {append([]byte{wire.SwapEntry}, claim[:31]...), swap},
		"a claim and no swap": {claiming(swap, []byte("x")), nil},
		"its beginning":       {[]byte{wire.SwapEntry}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := wire.Append{Log: m.log, Token: m.token, Entry: c.entry, Swap: c.swap}
			if c.swap != nil {
				a.Cursor = &m.cursors[0]
			}
			x.refused(wire.CodeMalformed, wire.OpAppend, a)
		})
	}
	x.must(wire.OpAppend, m.append("nothing was spent"), &wire.Appended{})
	x.must(wire.OpAppend, wire.Append{Log: m.log, Token: m.token, Entry: claiming(swap, []byte("x")), Swap: swap, Cursor: &m.cursors[0]}, &wire.Appended{})
}

func TestSwapInParts(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	m := ana.room(2)
	w, x := r.open("/v1/log"), r.open("/v1/log")
	var watching wire.Watching
	w.must(wire.OpWatch, wire.Watch{Places: []wire.Place{{Ref: 1, Secret: m.cursors[1]}}, Credit: wire.MaxCredit}, &watching)

	next := random[wire.Secret]()
	a := wire.Append{Log: m.log, Token: m.token, Swap: &wire.Swap{Next: next.Hash(), End: []wire.Tag{m.tags[1]}}, Cursor: &m.cursors[0]}
	entry := claiming(a.Swap, bytes.Repeat([]byte("0123456789abcdef"), (3<<20)/16))
	rest := entry
	for len(rest) > wire.PartSize {
		x.must(wire.OpPart, wire.Part{Index: a.Parts, Piece: rest[:wire.PartSize]}, nil)
		rest = rest[wire.PartSize:]
		a.Parts++
	}
	a.Entry = rest
	var done wire.Appended
	x.must(wire.OpAppend, a, &done)
	if done.Chain != wire.NextChain(wire.EmptyChain(m.log), 1, entry) {
		t.Fatal("another running hash")
	}
	var got []byte
	for range a.Parts {
		var p wire.PartEvent
		w.event(wire.EventPart, &p)
		got = append(got, p.Piece...)
	}
	var e wire.EntryEvent
	w.event(wire.EventEntry, &e)
	got = append(got, e.Entry.Bytes...)
	if !bytes.Equal(got, entry) || e.Parts != a.Parts || e.Entry.Did == nil || e.Entry.Did.By != m.tags[0] {
		t.Fatalf("%d bytes, %d parts", len(got), e.Parts)
	}
	var ended wire.EndedEvent
	w.event(wire.EventEnded, &ended)
	if ended.Code != wire.CodeCursorEnded {
		t.Fatalf("%+v", ended)
	}
	x.refused(wire.CodeStaleToken, wire.OpAppend, m.append("in the old epoch"))
	m.token = next
	x.must(wire.OpAppend, m.append("in the new epoch"), &done)

	x.refused(wire.CodeOrder, wire.OpPart, wire.Part{Index: 1, Piece: []byte("x")})
	x.must(wire.OpPart, wire.Part{Index: 0, Piece: []byte("x")}, nil)
	a = m.append("y")
	a.Parts = 2
	x.refused(wire.CodeOrder, wire.OpAppend, a)
	x.must(wire.OpPart, wire.Part{Index: 0, Piece: make([]byte, wire.PartSize)}, nil)
	for i := uint16(1); ; i++ {
		if err := x.call(wire.OpPart, wire.Part{Index: i, Piece: make([]byte, wire.PartSize)}, nil); err != nil {
			if wire.CodeOf(err) != wire.CodeTooLarge || int(i) != wire.MaxSwap/wire.PartSize {
				t.Fatal(i, err)
			}
			break
		}
	}
	if n := r.s.staged.Load(); n != 0 {
		t.Fatalf("%d bytes of pieces are still counted", n)
	}
}

func TestPipelinedAppendsAnswerInOrder(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	m := ana.room(1)
	x := r.open("/v1/log")
	const n = 1500 // more than may be under way
	go func() {
		for i := range n {
			a := m.append(fmt.Sprint(i))
			if i%10 == 9 {
				a.Token = wire.Secret{}
			}
			x.send(wire.OpAppend, a)
		}
	}()
	seq := uint64(0)
	for i := range n {
		f, err := x.read()
		if err != nil {
			t.Fatal(err)
		}
		if f.ID != uint64(i)+2 {
			t.Fatalf("answer %d came in place of %d", f.ID, i+2)
		}
		if i%10 == 9 {
			if wire.CodeOf(f.Err()) != wire.CodeStaleToken {
				t.Fatal(f.Err())
			}
			continue
		}
		var a wire.Appended
		if err := wire.Unmarshal(f.Body, &a); err != nil || f.Number != 0 {
			t.Fatal(err, f.Err())
		}
		if seq++; a.Seq != seq {
			t.Fatalf("entry %d, not %d", a.Seq, seq)
		}
	}
}

func TestCreditAndTurns(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	a, b := ana.room(1), ana.room(1)
	x := r.open("/v1/log")
	big := make([]byte, 100<<10)
	for i := range 10 {
		for _, m := range []*room{a, b} {
			e := m.append("")
			big[1], e.Entry = byte(i), big
			x.must(wire.OpAppend, e, &wire.Appended{})
		}
	}
	w := r.open("/v1/log")
	w.must(wire.OpWatch, wire.Watch{Places: []wire.Place{{Ref: 1, Secret: a.cursors[0]}, {Ref: 2, Secret: b.cursors[0]}}, Credit: 400 << 10}, &wire.Watching{})
	turns := ""
	for range 4 {
		var e wire.EntryEvent
		w.event(wire.EventEntry, &e)
		turns += fmt.Sprint(e.Ref)
	}
	if turns != "1212" {
		t.Fatalf("turns %s", turns)
	}
	// The credit is spent: nothing more comes before the answer to the next request.
	w.must(wire.OpRead, wire.Read{Secret: a.cursors[0], Limit: 1}, &wire.ReadAnswer{})
	if len(w.events) != 0 {
		t.Fatal("fed beyond the credit")
	}
	w.must(wire.OpCredit, wire.Credit{Bytes: wire.MaxCredit}, nil)
	for range 16 {
		w.event(wire.EventEntry, &wire.EntryEvent{})
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Dir: dir, Host: "example.org"}, ServeOptions{})
	ana := r.person("ana")
	m := ana.room(1)
	x := r.open("/v1/log")
	x.must(wire.OpAppend, m.append("one"), &wire.Appended{})
	kp := wire.Publish{Suite: 1, OneTime: [][]byte{[]byte("kp")}}
	ana.must(wire.OpPublish, kp, &wire.KeyPackageCount{})
	if _, err := New(Options{Dir: dir}); err == nil {
		t.Fatal("two servers opened one data directory")
	}
	r.stop()

	r = start(t, Options{Dir: dir, Host: "example.org"}, ServeOptions{})
	p := r.again(ana)
	var n wire.KeyPackageCount
	p.must(wire.OpCount, wire.Done{}, &n)
	if n.OneTime != 1 {
		t.Fatalf("%+v", n)
	}
	y := r.open("/v1/log")
	var read wire.ReadAnswer
	y.must(wire.OpRead, wire.Read{Secret: m.cursors[0], Limit: 1000}, &read)
	if len(read.Entries) != 1 || string(read.Entries[0].Bytes) != "one" {
		t.Fatalf("%+v", read)
	}
	var a wire.Appended
	y.must(wire.OpAppend, m.append("two"), &a)
	if a.Seq != 2 {
		t.Fatalf("%+v", a)
	}
}
