package play

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// Tests of a connection at whose other end somebody says nonsense, nothing, or half of it.

// A host that would speak another version of the protocol is not spoken to.
func TestOtherVersion(t *testing.T) {
	for _, path := range []string{"/v1/log", "/v1/account"} {
		for _, version := range []uint16{0, 2, 1 << 15} {
			t.Run(fmt.Sprint(path[4:], version), func(t *testing.T) {
				f := newFaithless(t)
				asked := 0
				f.Up(func(p *Passing) {
					if p.Path == path && p.Op != wire.OpHello {
						asked++
					}
				})
				f.Down(func(p *Passing) {
					if p.Path == path && p.Answer && p.Op == wire.OpHello {
						change(p, func(h *wire.Hello) { h.Version = version })
					}
				})
				f.Cut(path)
				f.bo.Later("says why", time.Second, func() bool {
					for _, h := range f.bo.Client.Hosts() {
						if h.Home == (path == "/v1/account") && !h.Up && h.Err != nil && strings.Contains(h.Err.Error(), "version") {
							return true
						}
					}
					return false
				}, func() any { return f.bo.Client.Hosts() })
				var n int
				f.with(func() { n = asked })
				f.Clock.Advance(time.Minute)
				f.bo.Eventually("tries again", func() bool { return f.bo.fails(path) > 2 }, func() any { return f.bo.Client.Hosts() })
				f.with(func() {
					if asked != n {
						t.Errorf("%d requests in another version", asked-n)
					}
				})
				f.Honest()
				f.Clock.Advance(2 * time.Minute)
				f.works()
			})
		}
	}
}

// fails is how often a path's connection failed in a row.
func (p *Person) fails(path string) int {
	for _, h := range p.Client.Hosts() {
		if h.Home == (path == "/v1/account") {
			return h.Fails
		}
	}
	return 0
}

// What is no frame, too large, or not asked for ends the connection, which comes back.
func TestGarbage(t *testing.T) {
	f := newFaithless(t)
	ref := uint32(0)
	f.Down(func(p *Passing) { p.entry(func(e *wire.EntryEvent) { ref = e.Ref }) })
	f.works()
	event := func(op wire.Op, body any) []byte { return wire.EncodeFrame(0, uint16(op), body) }
	for _, c := range []struct {
		name  string
		bytes []byte
		falls bool
	}{
		{"nothing", nil, true},
		{"noise", bytes.Repeat([]byte{0xc3, 0x5a}, 500), true},
		{"a text", []byte("HTTP/1.1 200 OK\r\n\r\n"), true},
		{"too large", wire.EncodeFrame(0, uint16(wire.EventEntry), wire.EntryEvent{Ref: ref, Entry: wire.Entry{Bytes: make([]byte, wire.MaxFrame)}}), true},
		{"trailing bytes", append(event(wire.EventEnded, wire.EndedEvent{Ref: 1 << 30}), 0), true},
		{"deeply nested", bytes.Repeat([]byte{0x81}, 100_000), true},
		{"an answer to nobody", wire.EncodeFrame(1<<40, 0, wire.Done{}), true},
		{"a refusal of nothing", wire.EncodeError(1<<40, wire.Refuse(wire.CodeQuota, "no")), true},
		{"an unknown event", event(200, wire.Done{}), true},
		{"an event of the other connection", event(wire.EventInbox, wire.InboxEvent{Seq: 1 << 40}), true},
		{"an event of another form", event(wire.EventEntry, wire.Done{}), true},
		{"a part out of order", event(wire.EventPart, wire.PartEvent{Ref: ref, Index: 3}), true},
		{"an entry without its parts", event(wire.EventEntry, wire.EntryEvent{Ref: ref, Parts: 2, Entry: wire.Entry{Seq: 1 << 40}}), true},
		{"an entry for nobody", event(wire.EventEntry, wire.EntryEvent{Ref: 1 << 30, Entry: wire.Entry{Seq: 1}}), false},
		{"a part for nobody", event(wire.EventPart, wire.PartEvent{Ref: 1 << 30, Index: 7, Piece: []byte{1}}), false},
		{"an end for nobody", event(wire.EventEnded, wire.EndedEvent{Ref: 1 << 30, Code: wire.CodeNoCursor}), false},
		{"a signal", event(wire.EventSignal, wire.SignalEvent{Ref: ref, Payload: []byte("?")}), false},
		{"an end", event(wire.EventEnded, wire.EndedEvent{Ref: ref, Code: wire.CodeInternal}), false},
		{"an end by another reader", event(wire.EventEnded, wire.EndedEvent{Ref: ref, Code: wire.CodeOrder}), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := f.hellos()
			f.Say("/v1/log", c.bytes)
			if c.falls {
				f.bo.Later("connects anew", time.Second, func() bool { return f.hellos() > before }, func() any { return nil })
			} else {
				f.bo.Steps()
				f.Clock.Advance(time.Minute + time.Second)
			}
			f.works()
		})
	}
	f.bo.Told(client.NoticeElsewhere)
	for name, b := range map[string][]byte{
		"noise": {1, 2, 3}, "an answer to nobody": wire.EncodeFrame(1<<40, 0, wire.Done{}), "an unknown event": event(200, wire.Done{}),
		"an event of another form": event(wire.EventInbox, wire.Done{}),
		"an invitation of nobody":  event(wire.EventInbox, wire.InboxEvent{Seq: 1, Bytes: []byte("junk")}),
	} {
		f.Say("/v1/account", b)
		f.bo.Steps()
		f.Clock.Advance(time.Minute)
		f.invites("after " + name)
	}
	f.bo.notTold(client.NoticeFork, client.NoticeCopy)
	if n := f.bo.Room(f.ana.Handle).Number; n != 1 {
		t.Errorf("generation %d", n)
	}
}

func (f *faithless) hellos() int { return f.Sent(wire.OpHello) }

// Answers that never come: the call ends by the clock, the connection comes back, and what
// was asked is asked again, once.
func TestNoAnswer(t *testing.T) {
	for _, op := range []wire.Op{wire.OpAppend, wire.OpWatch, wire.OpAck, wire.OpCredit, wire.OpHello} {
		t.Run(fmt.Sprint(op), func(t *testing.T) {
			f := newFaithless(t)
			silent := 0
			f.Down(func(p *Passing) {
				if p.Path == "/v1/log" && p.Answer && p.Op == op {
					p.Drop = true
					silent++
				}
			})
			f.Cut("/v1/log")
			f.say(f.bo, "by bo")
			f.say(f.ana, "by ana")
			f.bo.Eventually("it is silent", func() bool {
				var n int
				f.with(func() { n = silent })
				f.Clock.Advance(100 * time.Millisecond)
				return n > 0
			}, func() any { return nil })
			before := f.hellos()
			f.Clock.Advance(31 * time.Second)
			f.bo.Later("connects anew", time.Second, func() bool { return f.hellos() > before }, func() any { return nil })
			f.Anew("/v1/log") // it may be silent about the last of them still
			f.tick = 100 * time.Millisecond
			f.settled()
			f.works()
			if n := f.bo.Room(f.ana.Handle).Number; n != 1 {
				t.Errorf("generation %d", n)
			}
		})
	}
}

// A server that closes in the middle of an entry in parts: it is read whole afterwards.
func TestClosedMidPart(t *testing.T) {
	f := newFaithless(t)
	cut := true
	f.Down(func(p *Passing) {
		p.entry(func(e *wire.EntryEvent) {
			b := e.Entry.Bytes
			for i := range 2 {
				piece := wire.PartEvent{Ref: e.Ref, Index: uint16(i), Piece: b[i*50 : i*50+50]}
				p.Tell(wire.Frame{Number: uint16(wire.EventPart), Body: wire.Marshal(piece)})
			}
			e.Parts, e.Entry.Bytes = 2, b[100:]
			if cut {
				cut = false
				p.Cut()
			}
		})
	})
	f.say(f.ana, "in pieces")
	f.settled()
	f.works() // in pieces, uncut
	f.bo.notTold(client.NoticeFork, client.NoticeJunk)
	if cut {
		t.Error("nothing was cut")
	}
}

// Cut at every moment: whatever the client was about to hear is lost with the connection.
func TestCutAnywhere(t *testing.T) {
	f := newFaithless(t)
	for k := 1; k <= 12; k++ {
		n := 0
		f.Down(func(p *Passing) {
			if n++; p.Path == "/v1/log" && n == k {
				p.Cut()
			}
		})
		f.works()
	}
	f.bo.notTold(client.NoticeFork, client.NoticeJunk, client.NoticeCopy)
}

// A connection that is cut brings nothing any more, even if more was read from it already:
// the stage does not take a frame out of the middle, which is what clients alarm about.
func TestCutIsAnEnd(t *testing.T) {
	f := newFaithless(t)
	l := &lingering{}
	between := f.bo.Mutate
	f.bo.Mutate = func(o *client.Options) {
		l.Network, o.Network = o.Network, l
		between(o)
	}
	f.bo.Away()
	f.bo.Back()
	f.works()
	cut := false
	f.Down(func(p *Passing) {
		if !cut && p.event(wire.EventEntry) {
			cut = true
			p.Cut()
		}
	})
	f.say(f.ana, "cut off")
	f.say(f.ana, "after the cut")
	f.bo.Eventually("more comes after the cut", func() bool { return l.late.Load() > 0 }, func() any { return cut })
	f.bo.Steps()
	l.gone()
	f.settled()
	f.works()
	f.bo.notTold(client.NoticeFork, client.NoticeJunk, client.NoticeCopy)
}

// lingering is a network whose connections, once closed, go on until they are gone, as one
// does for a moment of which more was read already.
type lingering struct {
	client.Network
	late    atomic.Int32 // entries that came on closed connections
	mu      sync.Mutex
	closing []client.Conn
}

type lingerer struct {
	client.Conn
	n      *lingering
	closed atomic.Bool
}

// Dial implements client.Network.
func (n *lingering) Dial(host, path string, private bool, up func(client.Conn), frame func([]byte), down func(error)) {
	c := &lingerer{n: n}
	n.Network.Dial(host, path, private, func(conn client.Conn) {
		c.Conn = conn
		up(c)
	}, func(raw []byte) {
		closed := c.closed.Load()
		frame(raw)
		if f, err := wire.DecodeFrame(raw); err == nil && closed && f.ID == 0 && wire.Op(f.Number) == wire.EventEntry {
			n.late.Add(1)
		}
	}, down)
}

// Close implements client.Conn.
func (c *lingerer) Close() {
	c.closed.Store(true)
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	c.n.closing = append(c.n.closing, c.Conn)
}

// gone ends what was closed.
func (n *lingering) gone() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.closing {
		c.Close()
	}
}
