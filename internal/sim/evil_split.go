package sim

import (
	"sotto/internal/wire"
)

// split is a room whose host keeps two logs for it: half of its members read and write
// the real one, the other half one that begins where the attack does. In each everything
// is as it should be.
type split struct {
	a     *assault
	other map[wire.LogName]*otherLog
}

// otherLog is the second log, with those who watch it.
type otherLog struct {
	split    uint64 // the last entry that both have
	entries  []wire.Entry
	token    wire.Hash // 0: the one that the first append shows
	watchers []watcher
}

type watcher struct {
	p   *passage
	ref uint32
}

func newSplit(a *assault) *split { return &split{a, map[wire.LogName]*otherLog{}} }

func (s *split) tricks() tricks { return tricks{up: s.up, down: s.down} }

// begins is where a second log begins: after what the device has been shown.
func (s *split) begin(p *passing, e wire.Entry) {
	o := &otherLog{split: e.Seq, entries: []wire.Entry{e}}
	s.other[p.log] = o
	for _, l := range s.a.e.h.lines {
		if l.evil == nil || !s.a.e.half(l.d) {
			continue
		}
		for ref := uint32(1); ref < 1<<10; ref++ {
			if log, ok := l.evil.refs[ref]; ok && log == p.log {
				o.watchers = append(o.watchers, watcher{l.evil, ref})
			}
		}
	}
}

func (s *split) down(p *passing) {
	if !p.event(wire.EventEntry) {
		return
	}
	e := body[wire.EntryEvent](p).Entry
	o := s.other[p.log]
	if o == nil && e.Did == nil {
		s.begin(p, e) // both halves get this one
		return
	}
	if o != nil && e.Seq > o.split && s.a.e.half(p.l.d) {
		p.drop = true
	}
}

func (s *split) up(p *passing) {
	o := s.other[p.log]
	if o == nil || !s.a.e.half(p.l.d) {
		return
	}
	switch p.op {
	case wire.OpAppend:
		s.append(p, o, body[wire.Append](p))
	case wire.OpAck:
		p.reply(wire.OK, wire.Done{})
	}
}

// append takes an entry into the second log and shows it to those who read there.
func (s *split) append(p *passing, o *otherLog, a wire.Append) {
	if o.token != (wire.Hash{}) && o.token != a.Token.Hash() {
		p.refuse(wire.CodeStaleToken)
		return
	}
	last := o.entries[len(o.entries)-1]
	for _, x := range o.entries {
		if string(x.Bytes) == string(a.Entry) {
			p.reply(wire.OK, wire.Appended{Seq: x.Seq, Chain: x.Chain, TimeMS: x.TimeMS})
			return
		}
	}
	e := wire.Entry{Seq: last.Seq + 1, TimeMS: uint64(s.a.e.h.w.now.UnixMilli()), Bytes: a.Entry, Chain: wire.NextChain(last.Chain, last.Seq+1, a.Entry)}
	if a.Swap != nil {
		e.Did = &wire.Did{Next: a.Swap.Next, Added: a.Swap.Add, Ended: a.Swap.End, By: s.a.e.cursors[a.Cursor.Hash()].tag}
		o.token = a.Swap.Next
	}
	o.entries = append(o.entries, e)
	p.reply(wire.OK, wire.Appended{Seq: e.Seq, Chain: e.Chain, TimeMS: e.TimeMS})
	for _, w := range o.watchers {
		w.p.invent(wire.EventEntry, wire.EntryEvent{Ref: w.ref, Entry: e})
	}
	s.a.try()
}
