package sim

import (
	"bytes"
	"slices"

	"sotto/internal/client"
	"sotto/internal/wire"
)

var noticeFork = []string{client.NoticeFork}

// onEntries is a trick with what a watcher is shown.
func onEntries(f func(p *passing, e *wire.EntryEvent)) func(*passing) {
	return func(p *passing) {
		if p.event(wire.EventEntry) {
			e := body[wire.EntryEvent](p)
			f(p, &e)
		}
	}
}

// show puts an entry event in the place of the one that passes.
func (p *passing) show(e wire.EntryEvent) {
	p.frame.Body, p.altered = wire.Marshal(e), true
}

// altering is an attack that changes every third entry.
func altering(f func(a *assault, e *wire.EntryEvent)) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
			if a.once(3) {
				f(a, e)
				p.show(*e)
				a.try()
			}
		})}
	}
}

// entryAttacks are what a host can do with the entries that it shows to a reader.
var entryAttacks = []*HostAttack{
	{
		Name: "an entry left out", Does: "does not show one reader some of the entries", Told: noticeFork,
		begin: func(a *assault) tricks {
			return tricks{down: onEntries(func(p *passing, _ *wire.EntryEvent) {
				if a.once(3) {
					p.drop = true
					a.try()
				}
			})}
		},
	},
	{
		Name: "a member's entries left out", Does: "shows nobody but themselves what one member writes", Everybody: true, Told: noticeFork,
		begin: func(a *assault) tricks {
			var muted *Device
			return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
				by := a.e.author(e.Entry.Bytes)
				if muted == nil {
					muted = by
				}
				if by != nil && by == muted && p.l.d != by {
					p.drop = true
					a.try()
				}
			})}
		},
	},
	{
		Name: "entries out of order", Does: "shows one reader two entries in the other order", Told: noticeFork,
		begin: func(a *assault) tricks {
			held := map[*passage]map[uint32]wire.EntryEvent{}
			return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
				if held[p.passage] == nil {
					held[p.passage] = map[uint32]wire.EntryEvent{}
				}
				first, ok := held[p.passage][e.Ref]
				if !ok {
					held[p.passage][e.Ref], p.drop = *e, true
					return
				}
				delete(held[p.passage], e.Ref)
				p.invent(wire.EventEntry, *e)
				p.show(first)
				a.try()
			})}
		},
	},
	{
		Name: "an entry repeated", Does: "shows one reader entries again in their old places", Shows: ByNothing,
		begin: func(a *assault) tricks {
			all := map[wire.LogName][]wire.EntryEvent{}
			return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
				for _, x := range all[p.log] {
					x.Ref = e.Ref
					p.invent(wire.EventEntry, x)
					a.try()
				}
				all[p.log] = append(all[p.log], *e)
				if n := len(all[p.log]); n > 4 {
					all[p.log] = all[p.log][n-4:]
				}
			})}
		},
	},
	{
		Name: "a byte changed", Does: "changes a byte of an entry", Told: noticeFork,
		begin: altering(func(a *assault, e *wire.EntryEvent) {
			e.Entry.Bytes[a.rng.IntN(len(e.Entry.Bytes))] ^= 1 << a.rng.IntN(8)
		}),
	},
	{
		Name: "an entry padded", Does: "appends to the bytes of an entry", Told: noticeFork,
		begin: altering(func(a *assault, e *wire.EntryEvent) {
			e.Entry.Bytes = append(e.Entry.Bytes, make([]byte, 1+a.rng.IntN(1000))...)
		}),
	},
	{
		Name: "an entry cut", Does: "leaves bytes of an entry out", Told: noticeFork,
		begin: altering(func(a *assault, e *wire.EntryEvent) {
			e.Entry.Bytes = e.Entry.Bytes[:a.rng.IntN(len(e.Entry.Bytes))]
		}),
	},
	{
		Name: "an entry too large", Does: "shows an entry longer than an entry may be", Told: noticeFork,
		begin: altering(func(_ *assault, e *wire.EntryEvent) { e.Entry.Bytes = make([]byte, wire.MaxEntry+1) }),
	},
	{
		Name: "a running hash changed", Does: "names another running hash than the entry has", Told: noticeFork,
		begin: altering(func(a *assault, e *wire.EntryEvent) { e.Entry.Chain[a.rng.IntN(32)] ^= 1 }),
	},
	{
		Name: "an entry renumbered", Does: "shows an entry under another number", Told: noticeFork,
		begin: altering(func(a *assault, e *wire.EntryEvent) {
			e.Entry.Seq = []uint64{0, e.Entry.Seq - 1, e.Entry.Seq + 1, e.Entry.Seq + 1000, 1<<64 - 1}[a.rng.IntN(5)]
		}),
	},
	{
		Name: "times far off", Does: "says that entries arrived a thousand years from now, at the beginning of time, or at the end of it", Everybody: true, Shows: ByNothing,
		begin: func(a *assault) tricks {
			return tricks{down: func(p *passing) {
				now := uint64(a.e.h.w.now.UnixMilli())
				at := []uint64{now + 1000*365*24*3_600_000, 0, 1<<64 - 1, 1 << 63}[a.rng.IntN(4)]
				switch {
				case p.event(wire.EventEntry):
					change(p, func(e *wire.EntryEvent) { e.Entry.TimeMS = at })
				case p.is(wire.OpAppend):
					change(p, func(r *wire.Appended) { r.TimeMS = at })
				case p.is(wire.OpHello):
					change(p, func(h *wire.Hello) { h.TimeMS = at })
				case p.event(wire.EventInbox):
					change(p, func(e *wire.InboxEvent) { e.TimeMS = at })
				default:
					return
				}
				a.try()
			}}
		},
	},
	{
		Name: "pieces out of order", Does: "shows an entry in pieces that are not in their order", Shows: ByTrouble,
		begin: pieces(func(p *passing, e wire.EntryEvent) {
			p.invent(wire.EventPart, wire.PartEvent{Ref: e.Ref, Index: 1, Piece: e.Entry.Bytes[:8]})
			p.invent(wire.EventPart, wire.PartEvent{Ref: e.Ref, Index: 0, Piece: e.Entry.Bytes[8:16]})
		}),
	},
	{
		Name: "pieces missing", Does: "announces more pieces of an entry than come", Shows: ByTrouble,
		begin: pieces(func(p *passing, e wire.EntryEvent) {
			p.invent(wire.EventPart, wire.PartEvent{Ref: e.Ref, Piece: e.Entry.Bytes[:8]})
			e.Parts = 2
			p.show(e)
		}),
	},
	{
		Name: "pieces without end", Does: "begins an entry in pieces and never ends it", Shows: ByTrouble,
		begin: pieces(func(p *passing, e wire.EntryEvent) {
			for i := range 32 {
				p.invent(wire.EventPart, wire.PartEvent{Ref: e.Ref, Index: uint16(i), Piece: bytes.Repeat([]byte{7}, wire.PartSize)})
			}
		}),
	},
	{
		Name: "garbage appended", Does: "puts entries of its own into the log, with the write token that it was shown", Everybody: true, Told: []string{client.NoticeJunk},
		begin: appending(func(a *assault, log wire.LogName, _ [][]byte) []byte {
			b := make([]byte, 1+a.rng.IntN(2000))
			for i := range b {
				b[i] = byte(a.rng.Uint32())
			}
			return b
		}),
	},
	{
		Name: "an old entry appended", Does: "puts an entry into its log again when everybody has read it", Everybody: true,
		Told: []string{client.NoticeJunk},
		begin: appending(func(a *assault, log wire.LogName, old [][]byte) []byte {
			if len(old) < 3 {
				return nil
			}
			return old[a.rng.IntN(len(old)-2)]
		}),
	},
}

// pieces is an attack in the pieces of every third entry.
func pieces(f func(p *passing, e wire.EntryEvent)) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
			if a.once(3) {
				f(p, *e)
				a.try()
			}
		})}
	}
}

// appending is an attack that puts entries into logs now and then: those that of
// answers, from what was shown of the log before.
func appending(of func(a *assault, log wire.LogName, old [][]byte) []byte) func(*assault) tricks {
	return func(a *assault) tricks {
		old := map[wire.LogName][][]byte{}
		pen := a.e.pen()
		return tricks{
			down: onEntries(func(p *passing, e *wire.EntryEvent) {
				if e.Entry.Did != nil || slices.ContainsFunc(old[p.log], func(b []byte) bool { return bytes.Equal(b, e.Entry.Bytes) }) {
					return
				}
				old[p.log] = append(old[p.log], e.Entry.Bytes)
				if !a.once(4) {
					return
				}
				if b := of(a, p.log, old[p.log]); b != nil {
					pen.write(wire.Append{Log: p.log, Token: a.e.tokens[p.log], Entry: b})
					a.try()
				}
			}),
			end: pen.close,
		}
	}
}
