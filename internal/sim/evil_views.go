package sim

import (
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// tale is the history of a log as a host tells it to one device: some entries left out,
// others put in, in another order; all numbered and hashed as if it were so.
type tale struct {
	seq   uint64 // of the last entry told
	chain wire.Hash
	real  map[uint64]uint64 // the place in the log of what was told, by the number told
	known bool              // the beginning was seen
}

// tell numbers an entry as the next one of the tale.
func (t *tale) tell(e wire.Entry) wire.Entry {
	real := e.Seq
	if !t.known {
		t.known, t.seq, t.chain = true, e.Seq, e.Chain // up to here it is the log's
	} else {
		t.seq++
		e.Seq, e.Chain = t.seq, wire.NextChain(t.chain, t.seq, e.Bytes)
		t.chain = e.Chain
	}
	t.real[e.Seq] = real
	return e
}

// place is where in the log something is that was told under a number.
func (t *tale) place(told uint64) uint64 {
	if real, ok := t.real[told]; ok {
		return real
	}
	return told
}

// tales are the histories that devices are told.
type tales map[*Device]map[wire.LogName]*tale

func (x tales) of(d *Device, log wire.LogName) *tale {
	if x[d] == nil {
		x[d] = map[wire.LogName]*tale{}
	}
	if x[d][log] == nil {
		x[d][log] = &tale{real: map[uint64]uint64{}}
	}
	return x[d][log]
}

// retelling is an attack that tells another history: next answers what a device is told
// when an entry of the log comes, in order.
func retelling(make func(a *assault) (next func(p *passing, e wire.Entry) []wire.Entry)) func(*assault) tricks {
	return func(a *assault) tricks {
		all, next := tales{}, make(a)
		return tricks{
			up: func(p *passing) {
				switch p.op {
				case wire.OpAck:
					change(p, func(x *wire.Ack) { x.Through = all.of(p.l.d, p.log).place(x.Through) })
				case wire.OpWatch:
					change(p, func(w *wire.Watch) {
						for i, x := range w.Places {
							w.Places[i].After = all.of(p.l.d, p.refs[x.Ref]).place(x.After)
						}
					})
				}
			},
			down: func(p *passing) {
				t := all.of(p.l.d, p.log)
				switch {
				case p.is(wire.OpAppend) && t.known:
					change(p, func(r *wire.Appended) { r.Seq += t.seq - t.real[t.seq] })
				case p.is(wire.OpWatch):
					change(p, func(w *wire.Watching) {
						for i, s := range w.States {
							t := all.of(p.l.d, p.refs[s.Ref])
							if t.known && a.at(p.refs[s.Ref]) {
								w.States[i].Head, w.States[i].Chain, w.States[i].Acked = max(t.seq, s.Head), t.chain, min(s.Acked, t.seq)
							}
						}
					})
				case p.event(wire.EventEntry):
					p.retell(t, next)
				}
			},
		}
	}
}

// retell shows, in the place of an entry, what a tale makes of it.
func (p *passing) retell(t *tale, next func(p *passing, e wire.Entry) []wire.Entry) {
	e := body[wire.EntryEvent](p)
	if e.Parts > 0 {
		return
	}
	p.drop = true
	for _, x := range next(p, e.Entry) {
		p.invent(wire.EventEntry, wire.EntryEvent{Ref: e.Ref, Entry: t.tell(x)})
	}
}

// viewAttacks show people different histories of one log, each with running hashes that
// are right in themselves.
var viewAttacks = []*HostAttack{
	{
		Name: "a member's entries hidden", Does: "shows one reader a history without what one member writes", Told: noticeFork, Ends: true, Loses: true, Mends: 26 * time.Hour,
		begin: retelling(func(a *assault) func(p *passing, e wire.Entry) []wire.Entry {
			hidden := map[wire.LogName]*Device{}
			return func(p *passing, e wire.Entry) []wire.Entry {
				by := a.e.author(e.Bytes)
				if hidden[p.log] == nil && by != p.l.d {
					hidden[p.log] = by
				}
				if by != nil && by == hidden[p.log] && e.Did == nil {
					a.try()
					return nil
				}
				return []wire.Entry{e}
			}
		}),
	},
	{
		Name: "entries in another order", Does: "shows one reader a history in which entries stand in another order", Told: noticeFork, Ends: true, Loses: true, Mends: 26 * time.Hour,
		begin: retelling(func(a *assault) func(p *passing, e wire.Entry) []wire.Entry {
			held := map[wire.LogName]*wire.Entry{}
			return func(p *passing, e wire.Entry) []wire.Entry {
				first := held[p.log]
				switch {
				case e.Did != nil && first != nil:
					held[p.log] = nil
					return []wire.Entry{*first, e}
				case e.Did != nil:
					return []wire.Entry{e}
				case first == nil:
					held[p.log] = &e
					return nil
				}
				held[p.log] = nil
				a.try()
				return []wire.Entry{e, *first}
			}
		}),
	},
	{
		Name: "an old entry as new", Does: "shows one reader a history in which an entry of somebody else's stands again", Told: []string{client.NoticeJunk}, Ends: true, Loses: true, Mends: 26 * time.Hour,
		begin: retelling(func(a *assault) func(p *passing, e wire.Entry) []wire.Entry {
			return again(a, func(p *passing, e wire.Entry) bool { return a.e.author(e.Bytes) != p.l.d })
		}),
	},
	{
		Name: "an own entry as new", Does: "shows one reader a history in which an entry of their own stands again", Told: []string{client.NoticeJunk},
		begin: retelling(func(a *assault) func(p *passing, e wire.Entry) []wire.Entry {
			return again(a, func(p *passing, e wire.Entry) bool { return a.e.author(e.Bytes) == p.l.d })
		}),
	},
	{
		Name: "an entry altered throughout", Does: "shows one reader a history with an entry of its own making in the place of a real one", Told: []string{client.NoticeJunk}, Ends: true, Loses: true, Mends: 26 * time.Hour,
		begin: retelling(func(a *assault) func(p *passing, e wire.Entry) []wire.Entry {
			return func(p *passing, e wire.Entry) []wire.Entry {
				if e.Did == nil && a.once(4) {
					e.Bytes = append([]byte{}, e.Bytes...)
					e.Bytes[len(e.Bytes)/2] ^= 1
					a.try()
				}
				return []wire.Entry{e}
			}
		}),
	},
	{
		Name: "two histories", Does: "leaves different entries out of what it shows to two halves of a room", Everybody: true, Told: noticeFork, Ends: true, Loses: true, Mends: 26 * time.Hour,
		begin: retelling(func(a *assault) func(p *passing, e wire.Entry) []wire.Entry {
			return func(p *passing, e wire.Entry) []wire.Entry {
				if e.Did == nil && a.e.half(p.l.d) == (e.Seq%4 == 0) && e.Seq%2 == 0 && a.e.author(e.Bytes) != p.l.d {
					a.try()
					return nil
				}
				return []wire.Entry{e}
			}
		}),
	},
	{
		Name: "two logs", Does: "keeps two logs in the place of one: each half of a room reads and writes one of them", Everybody: true, Told: noticeFork, Ends: true, AtEnd: true,
		begin: func(a *assault) tricks { return newSplit(a).tricks() },
	},
}

// half says in which half of a forked room somebody is: a host tells people apart by
// their addresses.
func (e *Evil) half(d *Device) bool { return d.addr.As4()[3]%2 == 0 }

// again tells now and then an entry of before that fits, as a new one.
func again(a *assault, fits func(p *passing, e wire.Entry) bool) func(p *passing, e wire.Entry) []wire.Entry {
	old := map[wire.LogName]wire.Entry{}
	last := a.since
	return func(p *passing, e wire.Entry) []wire.Entry {
		out := []wire.Entry{e}
		if x, ok := old[p.log]; ok && a.e.h.w.now.Sub(last) > 5*time.Second {
			out, last = append(out, x), a.e.h.w.now
			out[1].Seq = e.Seq
			a.try()
		}
		if e.Did == nil && fits(p, e) {
			old[p.log] = e
		}
		return out
	}
}
