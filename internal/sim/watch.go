package sim

import (
	"bytes"
	"strings"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// mark stands in every text that people write here, and nowhere else.
const mark = "sotto-plain:"

// watch is what is checked all the time.
type watch struct {
	w       *World
	seen    int                     // appends
	samples []sample                // some of them
	all     bool                    // all of them from now on
	stored  map[mimi.MessageID]said // what somebody was told is durable at the host
}

// said is a message of which its author was told something.
type said struct {
	by    *Device
	text  string
	room  room.ID
	state store.MessageState
}

func (x *watch) init(w *World) { x.w, x.stored = w, map[mimi.MessageID]said{} }

// frame looks at what crosses the network.
func (x *watch) frame(l *line, up bool, b []byte) {
	x.w.Stats.Count("frames", 1)
	if up && l.path == "/v1/log" {
		x.sample(l, b)
	}
	if bytes.Contains(b, []byte(mark)) {
		x.w.Fail("a text crosses the network in plain, between %s and %s (up %v)", l.d.Name, l.h.Name, up)
	}
}

// ledger is what one device was told.
type ledger struct {
	notices map[string]int
	missing bool // it was told that something is missing here
}

func (s *ledger) init() { s.notices = map[string]int{} }

// heard takes the device's events.
func (d *Device) heard(e client.Event) {
	switch e.Kind {
	case client.EventNotice:
		d.seen.notices[e.Notice]++
		d.seen.missing = d.seen.missing || strings.Contains(e.Text, "is missing here")
		d.w.noticed(e.Notice)
		d.w.Stats.Count("notice "+e.Notice, 1)
		d.w.Log.Debug("told", "who", d.Name, "kind", e.Notice, "text", e.Text)
	case client.EventState:
		d.told(e.Message)
	case client.EventMessage:
		if e.Message != nil && e.Message.State == store.Received {
			d.w.Stats.Count("delivered", 1)
		}
	}
}

// told notes what the person was told of a message of theirs.
func (d *Device) told(m *store.Message) {
	if m == nil {
		return
	}
	if m.State >= store.Stored && m.State <= store.Read {
		s := d.w.Watch.stored[m.ID]
		if s.by == nil {
			d.w.Stats.Count("stored", 1)
		}
		d.w.Watch.stored[m.ID] = said{by: d, text: m.Text, room: m.Room, state: max(m.State, s.state)}
	}
}

// sample keeps some of the entries that are appended.
func (x *watch) sample(l *line, b []byte) {
	f, err := wire.DecodeFrame(b)
	if err != nil || wire.Op(f.Number) != wire.OpAppend {
		return
	}
	if x.seen++; x.seen%16 != 1 && !x.all {
		return
	}
	var a wire.Append
	if err := wire.Unmarshal(f.Body, &a); err == nil && a.Parts == 0 && len(a.Entry) > 64 {
		x.samples = append(x.samples, sample{host: l.h, by: l.d, log: a.Log, entry: a.Entry})
	}
}
