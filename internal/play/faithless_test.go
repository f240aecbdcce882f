package play

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Tests of a host that does not keep its word towards one of two: each says what the
// person is told, and that afterwards the room works, with everything in it once.

// holds waits until a conversation holds exactly these texts, in whichever order.
func (p *Person) holds(to string, want ...string) {
	p.w.T.Helper()
	want = slices.Sorted(slices.Values(want))
	var got []string
	p.Eventually("holds "+strings.Join(want, " | "), func() bool {
		got = p.Texts(to)
		slices.Sort(got)
		return slices.Equal(got, want)
	}, func() any { return got })
}

// faithless is a pair of which bo's host is not honest to him.
type faithless struct {
	*World
	ana, bo *Person
	*Between
	said []string
	tick time.Duration
}

func newFaithless(t *testing.T) *faithless {
	w := New(t)
	f := &faithless{World: w, ana: w.Person("ana")}
	f.bo, f.Between = w.Watched("bo", w.Home)
	f.ana.Send(f.bo.Handle, "hi")
	accept(t, f.bo, f.ana.Handle)
	f.said = []string{"hi"}
	f.settled()
	return f
}

// settled waits until both have everything that was said; in ticks when somebody waits for
// the clock.
func (f *faithless) settled() {
	f.T.Helper()
	if f.tick != 0 {
		f.ana.Later("both have everything", f.tick, func() bool {
			return len(f.bo.Texts(f.ana.Handle)) >= len(f.said) && len(f.ana.Texts(f.bo.Handle)) >= len(f.said)
		}, func() any {
			return fmt.Sprintf("ana %q, bo %q", f.ana.Texts(f.bo.Handle), f.bo.Texts(f.ana.Handle))
		})
	}
	f.bo.holds(f.ana.Handle, f.said...)
	f.ana.holds(f.bo.Handle, f.said...)
	f.bo.Sync()
	f.ana.Sync()
}

// say lets somebody write, whether it arrives or not.
func (f *faithless) say(p *Person, text string) {
	f.T.Helper()
	p.Write(other(p, f.ana, f.bo).Handle, text)
	f.said = append(f.said, text)
}

// works says that both can write, and have all.
func (f *faithless) works() {
	f.T.Helper()
	f.say(f.ana, fmt.Sprintf("%d, by ana", len(f.said)))
	f.say(f.bo, fmt.Sprintf("%d, by bo", len(f.said)))
	f.settled()
}

// invites has ana invite bo, whom she knows, into a new room, and bo enter it.
func (f *faithless) invites(title string) {
	f.T.Helper()
	ctx, cancel := f.ana.patience()
	defer cancel()
	if _, err := f.ana.Client.CreateRoom(ctx, title, []string{f.bo.Handle}); err != nil {
		f.T.Fatal(err)
	}
	f.bo.Eventually("is in "+title, func() bool { return f.bo.Room(title).State == store.RoomActive }, func() any { return nil })
}

// letIn is works after bo lost his place: what ana writes before he is back is not for him.
func (f *faithless) letIn() {
	f.T.Helper()
	f.tick = 100 * time.Millisecond
	f.say(f.bo, "let me in")
	f.settled()
	f.works()
	f.tick = 0
}

// moves is works after the room moved on.
func (f *faithless) moves() {
	f.T.Helper()
	f.Clock.Advance(5 * time.Second) // members take turns
	f.bo.Eventually("the room moved", func() bool { return f.bo.Room(f.ana.Handle).Number == 2 }, func() any { return f.bo.Room(f.ana.Handle).Number })
	f.bo.Told(client.NoticeMoved)
	f.ana.Told(client.NoticeMoved)
	f.works()
}

// entry changes an entry on its way; the answer is whether it was one.
func (p *Passing) entry(f func(*wire.EntryEvent)) bool {
	if !p.event(wire.EventEntry) {
		return false
	}
	change(p, f)
	return true
}

func TestDroppedEntry(t *testing.T) {
	f := newFaithless(t)
	dropped := false
	f.Down(func(p *Passing) {
		if !dropped && p.event(wire.EventEntry) {
			dropped, p.Drop = true, true
		}
	})
	f.say(f.ana, "dropped")
	f.ana.Sync()
	f.say(f.ana, "shown")
	f.bo.Told(client.NoticeFork)
	f.Honest()
	f.moves()
}

func TestReorderedEntries(t *testing.T) {
	f := newFaithless(t)
	var first *wire.Frame
	f.Down(func(p *Passing) {
		switch {
		case !p.event(wire.EventEntry):
		case first == nil:
			held := p.Frame
			first, p.Drop = &held, true
		case first.Body != nil:
			p.Tell(p.Frame)
			p.Frame, first.Body = *first, nil
		}
	})
	f.say(f.ana, "first")
	f.ana.Sync()
	f.say(f.ana, "second")
	f.bo.Told(client.NoticeFork)
	f.Honest()
	f.moves()
}

func TestChangedEntry(t *testing.T) {
	for name, lie := range map[string]func(*wire.Entry){
		"its bytes":        func(e *wire.Entry) { e.Bytes[20] ^= 1 },
		"its running hash": func(e *wire.Entry) { e.Chain[0] ^= 1 },
		"cut":              func(e *wire.Entry) { e.Bytes = e.Bytes[:40] },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFaithless(t)
			f.Down(func(p *Passing) { p.entry(func(e *wire.EntryEvent) { lie(&e.Entry) }) })
			f.say(f.ana, "changed")
			f.bo.Told(client.NoticeFork)
			f.Honest()
			f.moves()
		})
	}
}

// The same entry again, in its old place: nobody notices.
func TestRepeatedEvents(t *testing.T) {
	f := newFaithless(t)
	var all []wire.Frame
	f.Down(func(p *Passing) {
		if p.event(wire.EventEntry) {
			all = append(all, p.Frame)
			for _, x := range all {
				p.Tell(x)
			}
		}
	})
	for range 3 {
		f.works()
	}
	f.bo.notTold(client.NoticeFork, client.NoticeJunk, client.NoticeCopy)
}

// retold is a history of its own that the host shows: entries left out, others put in,
// everything numbered and hashed as if it were so.
type retold struct {
	seq   uint64 // as shown
	chain wire.Hash
	real  map[uint64]uint64 // real place of a shown one
	off   int64             // shown - real, for what comes
	leave func(e wire.Entry) bool
	put   func(e wire.Entry) *wire.Entry // after an entry
	ref   uint32                         // of the log, the first one seen
}

// retell shows a device another history from now on.
func (b *Between) retell(r *retold) {
	r.real = map[uint64]uint64{}
	real := func(shown uint64) uint64 {
		if n, ok := r.real[shown]; ok {
			return n
		}
		return shown
	}
	b.Up(func(p *Passing) {
		switch p.Op {
		case wire.OpAck:
			change(p, func(a *wire.Ack) { a.Through = real(a.Through) })
		}
	})
	b.Down(func(p *Passing) {
		switch {
		case p.Answer && p.Op == wire.OpAppend && p.Frame.Number == 0:
			change(p, func(a *wire.Appended) { a.Seq = uint64(int64(a.Seq) + r.off) })
		case p.event(wire.EventEntry):
			change(p, func(e *wire.EntryEvent) {
				if r.ref == 0 {
					r.ref = e.Ref
				}
				if e.Ref != r.ref {
					return
				}
				if r.leave != nil && r.leave(e.Entry) {
					r.off--
					p.Drop = true
					return
				}
				r.number(&e.Entry)
				if r.put == nil {
					return
				}
				if more := r.put(e.Entry); more != nil {
					p.Drop = true
					p.Tell(wire.Frame{Number: uint16(wire.EventEntry), Body: wire.Marshal(*e)})
					r.off++
					more.Seq = e.Entry.Seq // as if it were the real one before the next
					x := wire.EntryEvent{Ref: e.Ref, Entry: *more}
					x.Entry.Seq = r.real[e.Entry.Seq]
					r.number(&x.Entry)
					p.Tell(wire.Frame{Number: uint16(wire.EventEntry), Body: wire.Marshal(x)})
				}
			})
		}
	})
}

// number gives an entry its place in the history that is shown.
func (r *retold) number(e *wire.Entry) {
	real := e.Seq
	e.Seq = uint64(int64(real) + r.off)
	if r.chain != (wire.Hash{}) {
		e.Chain = wire.NextChain(r.chain, e.Seq, e.Bytes)
	}
	r.seq, r.chain = e.Seq, e.Chain
	r.real[e.Seq] = real
}

// An entry of somebody else's once more, as if it were new: junk, passed over.
func TestRepeatedEntry(t *testing.T) {
	f := newFaithless(t)
	var old *wire.Entry
	f.retell(&retold{put: func(e wire.Entry) *wire.Entry {
		if old == nil {
			old = &e
			return old
		}
		return nil
	}})
	f.say(f.ana, "twice?")
	f.bo.Told(client.NoticeJunk)
	f.works()
	f.bo.notTold(client.NoticeCopy)
}

// An entry of the device's own once more, as if it were new: the key is used up, so it
// proves nothing, and is junk. Nobody can have a device give up its secrets so.
func TestRepeatedOwnEntry(t *testing.T) {
	f := newFaithless(t)
	var own *wire.Entry
	f.retell(&retold{put: func(e wire.Entry) *wire.Entry {
		if own == nil {
			own = &e
			return own
		}
		return nil
	}})
	f.say(f.bo, "twice?")
	f.bo.Told(client.NoticeJunk)
	f.works()
	f.bo.notTold(client.NoticeCopy)
}

// Two members are shown two histories: the next message of either tells the other.
func TestTwoHistories(t *testing.T) {
	f := newFaithless(t)
	leave := false
	f.retell(&retold{leave: func(e wire.Entry) bool {
		was := leave
		leave = false
		return was
	}})
	f.works()
	for _, p := range []*Person{f.ana, f.bo} {
		p.notTold(client.NoticeFork)
	}
	f.with(func() { leave = true })
	f.ana.Send(f.bo.Handle, "for ana's eyes only")
	f.ana.Sync()
	f.bo.Sync()
	f.ana.Send(f.bo.Handle, "two")
	f.bo.holds(f.ana.Handle, append(f.said, "two")...)
	f.bo.Told(client.NoticeFork)
	f.bo.Send(f.ana.Handle, "three")
	f.ana.holds(f.bo.Handle, append(f.said, "two", "three", "for ana's eyes only")...)
	f.ana.Told(client.NoticeFork)
}

// The state of a place as it once was, shown again: the host went back.
func TestReplayedWatch(t *testing.T) {
	f := newFaithless(t)
	var old *wire.Watching
	f.Down(func(p *Passing) {
		if p.Answer && p.Op == wire.OpWatch {
			change(p, func(w *wire.Watching) {
				if old == nil {
					old = &wire.Watching{States: slices.Clone(w.States)}
				}
				*w = *old
			})
		}
	})
	f.Cut("/v1/log")
	f.works()
	f.Cut("/v1/log")
	f.bo.Told(client.NoticeFork)
	f.Honest()
	f.moves()
}

// A head that went back, and one with another history.
func TestRolledBackHead(t *testing.T) {
	for name, lie := range map[string]func(*wire.PlaceState){
		"behind":         func(s *wire.PlaceState) { s.Head-- },
		"empty":          func(s *wire.PlaceState) { *s = wire.PlaceState{Ref: s.Ref} },
		"another":        func(s *wire.PlaceState) { s.Chain[3] ^= 1 },
		"another, ended": func(s *wire.PlaceState) { s.Chain[3] ^= 1; s.Code, s.End = wire.CodeCursorEnded, s.Head },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFaithless(t)
			f.Down(func(p *Passing) {
				if p.Answer && p.Op == wire.OpWatch {
					change(p, func(w *wire.Watching) { lie(&w.States[0]) })
				}
			})
			f.Cut("/v1/log")
			f.bo.Told(client.NoticeFork)
			f.Honest()
			f.moves()
		})
	}
}

// A place that is said to have acknowledged more than the device has: it takes itself for
// a copy, and is let in again.
func TestAckedBeyond(t *testing.T) {
	f := newFaithless(t)
	f.Down(func(p *Passing) {
		if p.Answer && p.Op == wire.OpWatch {
			change(p, func(w *wire.Watching) { w.States[0].Head += 5; w.States[0].Acked = w.States[0].Head })
		}
	})
	f.Cut("/v1/log")
	f.bo.Told(client.NoticeCopy)
	f.Honest()
	f.letIn()
}

// A host that says it stored a message and did not: told when the place is read, and sent
// again.
func TestStoredLie(t *testing.T) {
	f := newFaithless(t)
	place := uint64(0)
	f.Down(func(p *Passing) { p.entry(func(e *wire.EntryEvent) { place = e.Entry.Seq }) })
	f.works()
	f.Up(func(p *Passing) {
		if p.Op == wire.OpAppend {
			p.answer(wire.OK, wire.Appended{Seq: place + 1, TimeMS: 1})
		}
	})
	m := f.bo.Send(f.ana.Handle, "stored?")
	f.said = append(f.said, "stored?")
	if m.State != store.Stored {
		t.Fatalf("state %v", m.State)
	}
	f.Honest()
	f.say(f.ana, "in its place")
	f.bo.Told(client.NoticeFork)
	f.settled()
	f.works()
	if n := f.bo.Room(f.ana.Handle).Number; n != 1 {
		t.Errorf("generation %d", n)
	}
}

// A change is withheld and the device's messages are refused as out of date: after half a
// minute that is a fault, and the room moves.
func TestWithheldCommit(t *testing.T) {
	f := newFaithless(t)
	refused := 0
	f.Down(func(p *Passing) {
		p.Drop = p.event(wire.EventEntry)
		if p.Answer && p.Op == wire.OpAppend && wire.Code(p.Frame.Number) == wire.CodeStaleToken {
			refused++
		}
	})
	act(t, f.ana, "sets the time", func(ctx context.Context) error {
		return f.ana.Client.SetDisappear(ctx, f.bo.Handle, time.Hour)
	})
	f.say(f.bo, "out of date")
	f.bo.Eventually("is refused", func() (is bool) { f.with(func() { is = refused > 0 }); return is }, func() any { return nil })
	f.bo.Steps()
	f.bo.notTold(client.NoticeFork)
	f.Clock.Advance(31 * time.Second)
	f.bo.Told(client.NoticeFork)
	f.Honest()
	f.moves()
}
