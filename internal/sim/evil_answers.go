package sim

import (
	"time"

	"sotto/internal/wire"
)

// onAppends is an attack in the answers to appends that hold no change of a room.
func onAppends(f func(a *assault, r *wire.Appended)) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{down: func(p *passing) {
			if p.is(wire.OpAppend) {
				change(p, func(r *wire.Appended) { f(a, r) })
				a.try()
			}
		}}
	}
}

// refusing is an attack that refuses what victims ask, without having looked at it.
func refusing(code wire.Code, ops ...wire.Op) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{up: func(p *passing) {
			for _, op := range ops {
				if p.op == op {
					p.refuse(code)
					a.try()
					return
				}
			}
		}}
	}
}

// answerAttacks are lies in answers to what a device asks of a log.
var answerAttacks = []*HostAttack{
	{
		Name: "stored and dropped", Does: "says that it stored messages and drops every other one", Told: noticeFork,
		begin: func(a *assault) tricks {
			next := map[wire.LogName]uint64{}
			return tricks{
				up: func(p *passing) {
					if p.op == wire.OpAppend && body[wire.Append](p).Swap == nil && next[p.log] != 0 && a.once(2) {
						p.reply(wire.OK, wire.Appended{Seq: next[p.log] + 1, TimeMS: 1})
						a.try()
					}
				},
				down: onEntries(func(p *passing, e *wire.EntryEvent) { next[p.log] = e.Entry.Seq }),
			}
		},
	},
	{
		Name: "stored far ahead", Does: "says that it stored a message at a number far ahead, and drops it", Told: noticeFork, Within: 4 * time.Minute, begin: storedAt(1 << 60),
	},
	{
		Name: "stored long ago", Does: "says that it stored a message at a number of long ago, and drops it", Told: noticeFork, Within: 4 * time.Minute, begin: storedAt(1),
	},
	{
		Name: "another running hash stored", Does: "answers an append with a running hash that is none", Shows: ByNothing,
		begin: onAppends(func(a *assault, r *wire.Appended) { r.Chain[a.rng.IntN(32)] ^= 1 }),
	},
	{
		Name: "stale for ever", Does: "refuses what one member writes as out of date, and shows nothing that changed", Told: noticeFork,
		begin: refusing(wire.CodeStaleToken, wire.OpAppend),
	},
	{
		Name: "the log is gone", Does: "refuses what one member writes: there is no such log", Shows: ByQueued, Ends: true,
		begin: refusing(wire.CodeNoLog, wire.OpAppend),
	},
	{
		Name: "the log is full", Does: "refuses what one member writes: the log is full", Shows: ByQueued, Ends: true,
		begin: refusing(wire.CodeLogFull, wire.OpAppend),
	},
	{
		Name: "slow down for ever", Does: "asks one member to write later, by longer than there is time", Shows: ByQueued, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{up: func(p *passing) {
				if p.op == wire.OpAppend {
					p.reply(wire.CodeSlowDown, wire.Failure{Sentence: "later", AfterMS: []uint64{1<<64 - 1, 1 << 40, 1 << 62}[a.rng.IntN(3)]})
					a.try()
				}
			}}
		},
	},
	{
		Name: "a refusal of no meaning", Does: "refuses with codes that nobody knows, and bodies that are no refusal", Shows: ByQueued, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{up: func(p *passing) {
				if p.op == wire.OpAppend {
					p.reply(wire.Code(1000+a.rng.IntN(1000)), wire.Done{})
					a.try()
				}
			}}
		},
	},
	{
		Name: "acks refused", Does: "refuses to take what a device acknowledges", Shows: ByNothing, begin: refusing(wire.CodePastHead, wire.OpAck),
	},
	{
		Name: "acks dropped", Does: "says that it took what a device acknowledges and forgets it", Shows: ByNothing,
		begin: func(a *assault) tricks {
			return tricks{up: func(p *passing) {
				if p.op == wire.OpAck {
					p.reply(wire.OK, wire.Done{})
					a.try()
				}
			}}
		},
	},
	{
		Name: "claims refused", Does: "refuses to let newcomers take their places", Shows: ByNothing, Ends: true, begin: refusing(wire.CodeInternal, wire.OpClaim),
	},
	{
		Name: "claims of no place", Does: "says that there is no place for a newcomer", Told: noticeFork, Loses: true, Ends: true, begin: refusing(wire.CodeNoCursor, wire.OpClaim),
	},
	{
		Name: "answers that are none", Does: "answers with bodies that are something else", Shows: ByNothing, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{down: func(p *passing) {
				if p.is(wire.OpAppend) || p.is(wire.OpAck) || p.is(wire.OpClaim) {
					p.frame.Body, p.altered = wire.Marshal(wire.ServerInfo{Host: "?"}), true
					a.try()
				}
			}}
		},
	},
	{
		Name: "answers to nobody", Does: "answers requests that were never made", Shows: ByTrouble, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{down: func(p *passing) {
				if p.answer && a.once(5) {
					p.l.toDevice(wire.EncodeFrame(1<<60, 0, wire.Done{}))
					a.try()
				}
			}}
		},
	},
	{
		Name: "noise", Does: "sends bytes that are no frame", Shows: ByTrouble, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{down: func(p *passing) {
				if a.once(5) {
					b := make([]byte, a.rng.IntN(400))
					for i := range b {
						b[i] = byte(a.rng.Uint32())
					}
					p.l.toDevice(b)
					a.try()
				}
			}}
		},
	},
}

// storedAt drops what is appended, and answers that it stands under a number.
func storedAt(seq uint64) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{up: func(p *passing) {
			if p.op == wire.OpAppend && body[wire.Append](p).Swap == nil && a.once(3) {
				p.reply(wire.OK, wire.Appended{Seq: seq, TimeMS: 1})
				a.try()
			}
		}}
	}
}
