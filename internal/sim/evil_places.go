package sim

import (
	"sotto/internal/client"
	"sotto/internal/wire"
)

// onPlaces is an attack in what a watch is answered: f alters a place's state, and says
// whether it did.
func onPlaces(f func(a *assault, p *passing, s *wire.PlaceState, after uint64) bool) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{down: func(p *passing) {
			if !p.is(wire.OpWatch) {
				return
			}
			change(p, func(w *wire.Watching) {
				for i := range w.States {
					if s := &w.States[i]; a.at(p.refs[s.Ref]) && f(a, p, s, p.places[i].After) {
						a.try()
					}
				}
			})
		}}
	}
}

// ending is an attack that ends watches that go on.
func ending(code wire.Code) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
			if a.once(5) {
				p.invent(wire.EventEnded, wire.EndedEvent{Ref: e.Ref, Code: code})
				a.try()
			}
		})}
	}
}

// placeAttacks are lies about a log's end and about places in it.
var placeAttacks = []*HostAttack{
	{
		Name: "the end forgotten", Does: "shows one reader a log that ends before the last entries that they had read", Cuts: true, Told: noticeFork,
		begin: onPlaces(func(a *assault, p *passing, s *wire.PlaceState, after uint64) bool {
			if s.Head < 2 || s.Code != wire.OK || after < 1 {
				return false
			}
			s.Head, s.Chain[0], s.Acked = after-1, s.Chain[0]^1, min(s.Acked, after-1)
			return true
		}),
	},
	{
		Name: "the end forgotten for all", Does: "shows everybody a log that ends before the last entries that they had read", Cuts: true, Everybody: true, Told: noticeFork,
		begin: onPlaces(func(a *assault, p *passing, s *wire.PlaceState, after uint64) bool {
			if s.Head < 2 || s.Code != wire.OK || after < 1 {
				return false
			}
			s.Head, s.Chain[0], s.Acked = after-1, s.Chain[0]^1, min(s.Acked, after-1)
			return true
		}),
	},
	{
		Name: "another end", Does: "names another running hash at the end of a log", Cuts: true, Told: noticeFork,
		begin: onPlaces(func(a *assault, _ *passing, s *wire.PlaceState, after uint64) bool {
			s.Chain[a.rng.IntN(32)] ^= 1
			return s.Code == wire.OK && s.Head == after
		}),
	},
	{
		Name: "an empty log", Does: "shows one reader a log in which nothing was ever written", Cuts: true, Told: noticeFork,
		begin: onPlaces(func(_ *assault, _ *passing, s *wire.PlaceState, after uint64) bool {
			if s.Head == 0 || after == 0 {
				return false
			}
			*s = wire.PlaceState{Ref: s.Ref}
			return true
		}),
	},
	{
		Name: "acknowledged beyond", Does: "says that a device has acknowledged more than it has", Ends: true, Cuts: true, Loses: true, Told: []string{client.NoticeCopy},
		begin: onPlaces(func(a *assault, _ *passing, s *wire.PlaceState, after uint64) bool {
			s.Head = max(s.Head, after) + 5
			s.Acked = []uint64{after + 1, s.Head, 1<<64 - 1}[a.rng.IntN(3)]
			return s.Code == wire.OK
		}),
	},
	{
		Name: "a head never shown", Does: "says that there are entries and does not show them", Cuts: true, Told: noticeFork, AtEnd: true, Ends: true,
		begin: onPlaces(func(_ *assault, _ *passing, s *wire.PlaceState, after uint64) bool {
			s.Head = max(s.Head, after) + 5
			return s.Code == wire.OK
		}),
	},
	{
		Name: "everything withheld", Does: "shows one reader nothing any more", Told: noticeFork, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{down: onEntries(func(p *passing, _ *wire.EntryEvent) {
				p.drop = true
				a.try()
			})}
		},
	},
	{
		Name: "a place forgotten", Does: "says that it does not know a device's place", Ends: true, Cuts: true, Loses: true, Told: noticeFork,
		begin: onPlaces(func(_ *assault, _ *passing, s *wire.PlaceState, _ uint64) bool {
			*s = wire.PlaceState{Ref: s.Ref, Code: wire.CodeNoCursor}
			return true
		}),
	},
	{
		Name: "a place forgotten on the way", Does: "ends a watch because it does not know the place any more", Ends: true, Loses: true, Told: noticeFork, begin: ending(wire.CodeNoCursor),
	},
	{
		Name: "read elsewhere", Does: "says that another connection reads with a device's rights", Told: []string{client.NoticeElsewhere}, begin: ending(wire.CodeOrder),
	},
	{
		Name: "a watch ended", Does: "ends watches as if the device had been removed", Shows: ByNothing, begin: ending(wire.CodeCursorEnded),
	},
	{
		Name: "a watch ended for nothing", Does: "ends watches with codes that mean nothing there", Shows: ByNothing, begin: ending(wire.Code(999)),
	},
	{
		Name: "a place that has ended", Does: "says that a device's right to read ended with the last entry", Cuts: true, Shows: ByNothing,
		begin: onPlaces(func(_ *assault, _ *passing, s *wire.PlaceState, after uint64) bool {
			if s.Code != wire.OK {
				return false
			}
			s.Code, s.End = wire.CodeCursorEnded, max(s.Head, 1)
			return true
		}),
	},
	{
		Name: "a place with another code", Does: "answers a watch with a code that means nothing there", Cuts: true, Shows: ByQueued, Ends: true,
		begin: onPlaces(func(_ *assault, _ *passing, s *wire.PlaceState, _ uint64) bool {
			s.Code = wire.CodeQuota
			return true
		}),
	},
	{
		Name: "places mixed up", Does: "answers a watch with the states of other places, or too few", Cuts: true, Shows: ByTrouble, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{down: func(p *passing) {
				if p.is(wire.OpWatch) {
					change(p, func(w *wire.Watching) { w.States = w.States[:len(w.States)-1] })
					a.try()
				}
			}}
		},
	},
}
