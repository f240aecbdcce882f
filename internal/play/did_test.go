package play

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/wire"
)

// Tests of a host that says something false of what it did with an entry.

// A false account of what the server did with a change of the room: of the device's own,
// or of another's.
func TestFalseDid(t *testing.T) {
	for name, lie := range map[string]func(*wire.Entry){
		"another token":  func(e *wire.Entry) { e.Did.Next[0] ^= 1 },
		"somebody added": func(e *wire.Entry) { e.Did.Added = []wire.NewCursor{{Tag: wire.Tag{1}}} },
		"somebody ended": func(e *wire.Entry) { e.Did.Ended = []wire.Tag{e.Did.By} },
		"nothing at all": func(e *wire.Entry) { e.Did = nil },
	} {
		for _, who := range []string{"own", "another's"} {
			t.Run(name+", "+who, func(t *testing.T) {
				f := newFaithless(t)
				f.Down(func(p *Passing) {
					p.entry(func(e *wire.EntryEvent) {
						if e.Entry.Did != nil {
							lie(&e.Entry)
						}
					})
				})
				by, to := f.bo, f.ana.Handle
				if who != "own" {
					by, to = f.ana, f.bo.Handle
				}
				go by.Client.SetDisappear(patient(t), to, time.Hour) // it may never be made
				f.bo.Later("the room moves", time.Second, func() bool {
					return f.bo.Room(f.ana.Handle).Number == 2
				}, func() any { return f.bo.Room(f.ana.Handle).Number })
				f.bo.Told(client.NoticeFork)
				f.Honest()
				f.tick = 100 * time.Millisecond
				f.works()
			})
		}
	}
}

// A false account of a change that ana made, told to one admin of a group: it is the host's
// fault and not hers. The room moves with everybody.
func TestFalseDidBlamesNobody(t *testing.T) {
	for name, lie := range map[string]func(*wire.Did){
		"another token":  func(d *wire.Did) { d.Next[0] ^= 1 },
		"somebody ended": func(d *wire.Did) { d.Ended = []wire.Tag{d.By} },
	} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			far := w.Host()
			ana, cy := w.PersonAt("ana", far), w.Person("cy")
			bo, bos := w.Watched("bo", w.Home)
			group(t, "club", ana, bo, cy)
			act(t, ana, "makes bo admin", func(ctx context.Context) error { return ana.Client.SetAdmin(ctx, "club", bo.Handle, true) })
			ana.Send("club", "one")
			for _, p := range []*Person{bo, cy} {
				p.Reads("club", "one")
			}
			for _, p := range []*Person{ana, bo, cy} {
				p.Sync()
			}
			bos.Down(func(p *Passing) {
				p.entry(func(e *wire.EntryEvent) {
					if e.Entry.Did != nil {
						lie(e.Entry.Did)
					}
				})
			})
			go ana.Client.Rename(patient(t), "club", "den") // it may be lost with the log
			bo.Later("the host's fault is told", time.Second, func() bool {
				return bo.count(client.NoticeFork) > 0
			}, func() any { return bo.kinds() })
			bos.Honest()
			id := bo.Room("club").ID
			for _, p := range []*Person{ana, bo, cy} {
				p.Later("moved with everybody", time.Second, func() bool {
					for _, r := range must(p.Client.Rooms()) {
						if r.ID == id {
							return r.Number == 2 && len(r.Members) == 3
						}
					}
					return false
				}, func() any { return p.kinds() })
			}
			bo.Write(hexID(id), "on we go")
			ana.Eventually("reads it", func() bool { return slices.Equal(ana.TextsIn(id), []string{"one", "on we go"}) }, func() any { return ana.TextsIn(id) })
		})
	}
}

func hexID(id room.ID) string { return fmt.Sprintf("%x", id[:]) }

// Whose cursor made a commit is of no matter while the commit is good.
func TestFalseBy(t *testing.T) {
	f := newFaithless(t)
	f.Down(func(p *Passing) {
		p.entry(func(e *wire.EntryEvent) {
			if e.Entry.Did != nil {
				e.Entry.Did.By = wire.Tag{9}
			}
		})
	})
	act(t, f.ana, "sets the time", func(ctx context.Context) error {
		return f.ana.Client.SetDisappear(ctx, f.bo.Handle, time.Hour)
	})
	f.works()
	if n := f.bo.Room(f.ana.Handle).Number; n != 1 {
		t.Errorf("generation %d", n)
	}
}

// A host that takes away a device's message as if it had changed the room.
func TestMessageWithDid(t *testing.T) {
	f := newFaithless(t)
	f.Down(func(p *Passing) {
		p.entry(func(e *wire.EntryEvent) { e.Entry.Did = &wire.Did{} })
	})
	f.say(f.bo, "a message, no change")
	f.bo.Told(client.NoticeFork)
	f.Honest()
	f.moves()
}
