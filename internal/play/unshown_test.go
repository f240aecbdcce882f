package play

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Tests of a host that names places and does not show them.

// passes lets time pass, second by second, until something is so: more than that at once
// would look to the device like a host that does not answer.
func (f *faithless) passes(what string, so func() bool) {
	f.T.Helper()
	f.bo.Later(what, time.Second, func() bool {
		return so()
	}, func() any { return f.bo.kinds() })
}

func (f *faithless) passesUntilTold() {
	f.T.Helper()
	f.passes("it is told", func() bool { return f.bo.count(client.NoticeFork) > 0 })
}

// A host that says it stored a message far ahead of everything, and did not: told after half
// a minute, and sent again.
func TestStoredFarAhead(t *testing.T) {
	f := newFaithless(t)
	var lies atomic.Int64
	f.Up(func(p *Passing) {
		if p.Op == wire.OpAppend {
			lies.Add(1)
			p.answer(wire.OK, wire.Appended{Seq: 1 << 60, TimeMS: 1})
		}
	})
	if m := f.bo.Send(f.ana.Handle, "stored?"); m.State != store.Stored {
		t.Fatalf("state %v", m.State)
	}
	f.said = append(f.said, "stored?")
	f.say(f.ana, "the log goes on")
	f.bo.Eventually("has it", func() bool { return slices.Contains(f.bo.Texts(f.ana.Handle), "the log goes on") }, func() any { return nil })
	f.bo.notTold(client.NoticeFork)
	f.passesUntilTold()
	before := lies.Load()
	f.passes("it is sent again", func() bool { return lies.Load() > before })
	before = lies.Load()
	f.passes("and again", func() bool { return lies.Load() > before })
	if n := f.bo.count(client.NoticeFork); n != 1 {
		t.Errorf("told %d times", n)
	}
	f.Honest()
	f.tick = time.Second
	f.settled()
	f.works()
	if n := f.bo.Room(f.ana.Handle).Number; n != 1 {
		t.Errorf("generation %d", n)
	}
}

// A host that says it stored a message at a place that was read long ago: told at once, and
// sent again after a while, not as fast as it can be.
func TestStoredLongAgo(t *testing.T) {
	f := newFaithless(t)
	var lies atomic.Int64
	f.Up(func(p *Passing) {
		if p.Op == wire.OpAppend {
			lies.Add(1)
			p.answer(wire.OK, wire.Appended{Seq: 1, TimeMS: 1})
		}
	})
	f.say(f.bo, "stored?")
	f.bo.Told(client.NoticeFork)
	for range 20 {
		f.bo.Steps()
	}
	if n := lies.Load(); n != 1 {
		t.Errorf("appended %d times", n)
	}
	if s := f.bo.lastState(f.ana.Handle); s != store.Queued {
		t.Errorf("the message is %v", s)
	}
	f.Honest()
	f.tick = time.Second
	f.settled()
	f.works()
}

// A host that names a head and shows nothing of it: told after half a minute, and the
// connection is made anew, until it does.
func TestHeadNeverShown(t *testing.T) {
	f := newFaithless(t)
	var watches atomic.Int64
	repents, stuck := false, map[*Line]bool{}
	f.Down(func(p *Passing) {
		p.Drop = p.event(wire.EventEntry) && stuck[p.Line]
		if p.Answer && p.Op == wire.OpWatch && !repents {
			watches.Add(1)
			stuck[p.Line] = true // for good: what it showed later would come after what is missing
			change(p, func(w *wire.Watching) { w.States[0].Head += 5 })
		}
	})
	f.Cut("/v1/log")
	f.passes("watches", func() bool { return watches.Load() > 0 })
	f.say(f.bo, "held back")
	f.bo.notTold(client.NoticeFork)
	f.passes("watches again", func() bool { return watches.Load() > 1 })
	f.passesUntilTold()
	f.passes("and again", func() bool { return watches.Load() > 2 })
	if n := f.bo.count(client.NoticeFork); n != 1 {
		t.Errorf("told %d times", n)
	}
	f.with(func() { repents = true })
	f.tick = time.Second
	f.settled()
	f.works()
	if n := f.bo.Room(f.ana.Handle).Number; n != 1 {
		t.Errorf("generation %d", n)
	}
}

// A host that shows nothing any more on one connection, not even what this device has written:
// after half a minute the connection is made anew, and everything is there.
func TestStuckWatch(t *testing.T) {
	f := newFaithless(t)
	var stuck *Line
	f.Down(func(p *Passing) {
		if p.event(wire.EventEntry) && (stuck == nil || stuck == p.Line) {
			stuck, p.Drop = p.Line, true
		}
	})
	f.say(f.bo, "into nothing")
	f.bo.Eventually("it is stored", func() bool { return f.bo.lastState(f.ana.Handle) == store.Stored }, func() any { return nil })
	f.passesUntilTold()
	f.tick = time.Second
	f.settled()
	f.works()
	if n := f.bo.Room(f.ana.Handle).Number; n != 1 {
		t.Errorf("generation %d", n)
	}
}

// Nothing of what bo missed is left when he comes back after longer than the host keeps
// entries: no fault of the host's, and he can write.
func TestEverythingExpired(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Mutate = func(o *client.Options) { o.TTL = time.Hour }
	ana.Away()
	ana.Back()
	group(t, "club", ana, bo)
	ana.Send("club", "one")
	bo.Reads("club", "one")
	bo.Sync()
	bo.Away()
	for _, text := range []string{"two", "three"} {
		ana.Send("club", text)
	}
	ana.Sync()
	ana.Away() // nobody renews a leaf meanwhile
	w.Clock.Advance(2 * time.Hour)
	w.Home.Server.Tick(w.Clock.Now())
	bo.Back()
	bo.Told(client.NoticeExpired)
	bo.Send("club", "four")
	bo.Reads("club", "one", "four")
	ana.Back()
	ana.Reads("club", "one", "two", "three", "four")
	bo.notTold(client.NoticeFork)
}

// A home server that numbers an entry of the inbox far ahead: it is not read so, and what
// comes after it is not missed.
func TestInboxFarAhead(t *testing.T) {
	const far = 1 << 60
	for name, lie := range map[string]func(p *Passing) bool{
		"an entry": func(p *Passing) (lied bool) {
			if lied = p.event(wire.EventInbox); lied {
				change(p, func(e *wire.InboxEvent) { e.Seq = far })
			}
			return lied
		},
		"and the head": func(p *Passing) (lied bool) {
			if p.Answer && p.Op == wire.OpInbox {
				change(p, func(s *wire.InboxState) { s.Head = far })
			}
			if lied = p.event(wire.EventInbox); lied {
				change(p, func(e *wire.InboxEvent) { e.Seq = far })
			}
			return lied
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFaithless(t)
			f.Cut("/v1/account")
			lied := false
			f.Down(func(p *Passing) { lied = lie(p) || lied })
			act(t, f.ana, "makes a room", func(ctx context.Context) error {
				_, err := f.ana.Client.CreateRoom(ctx, "first", []string{f.bo.Handle})
				return err
			})
			f.bo.Eventually("the lie is told", func() (is bool) { f.with(func() { is = lied }); return is }, func() any { return nil })
			f.bo.Steps()
			f.Anew("/v1/account")
			f.invites("second")
			for _, title := range []string{"first", "second"} {
				f.bo.Eventually("is in "+title, func() bool { return f.bo.Room(title).State == store.RoomActive }, func() any { return nil })
				f.ana.Send(title, "in "+title)
				f.bo.Reads(title, "in "+title)
			}
		})
	}
}

// A home server that goes back to an old copy, whose inbox begins again before what the device
// has read there: told, and read on from there.
func TestInboxWentBack(t *testing.T) {
	w := New(t)
	far := w.Host()
	ana, bo := w.Person("ana"), w.PersonAt("bo", far)
	ana.Send(bo.Handle, "one")
	accept(t, bo, ana.Handle)
	far.goesBack(func() {
		for _, title := range []string{"first", "second", "third"} {
			act(t, ana, "makes a room", func(ctx context.Context) error {
				_, err := ana.Client.CreateRoom(ctx, title, []string{bo.Handle})
				return err
			})
			bo.Eventually("is in "+title, func() bool { return bo.Room(title).State == store.RoomActive }, func() any { return nil })
		}
		bo.Sync()
	})
	bo.Told(client.NoticeFork)
	// Three key packages that bo has used are given out again, which nobody can undo.
	for _, title := range []string{"4", "5", "6", "last"} {
		act(t, ana, "makes a room", func(ctx context.Context) error {
			_, err := ana.Client.CreateRoom(ctx, title, []string{bo.Handle})
			return err
		})
	}
	bo.Eventually("is in it", func() bool { return bo.Room("last").State == store.RoomActive }, func() any { return bo.kinds() })
	ana.Send("last", "here you are")
	bo.Reads("last", "here you are")
}
