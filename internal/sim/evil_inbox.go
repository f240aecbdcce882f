package sim

import (
	"time"

	"sotto/internal/wire"
)

// onInbox is a trick with what comes into an inbox.
func onInbox(f func(p *passing, e *wire.InboxEvent)) func(*passing) {
	return func(p *passing) {
		if p.event(wire.EventInbox) {
			e := body[wire.InboxEvent](p)
			f(p, &e)
		}
	}
}

// inboxAttacks are what a home server can do with the inboxes that it keeps. The victim
// of the tests lives there.
var inboxAttacks = []*HostAttack{
	{
		Name: "invitations dropped", Does: "loses invitations into an inbox, and says that it has them", AtHome: true, Shows: ByNothing, Ends: true, Mends: 26 * time.Hour,
		begin: func(a *assault) tricks {
			return tricks{down: onInbox(func(p *passing, _ *wire.InboxEvent) {
				p.drop = true
				a.try()
			})}
		},
	},
	{
		Name: "invitations held back", Does: "keeps invitations for two minutes", AtHome: true, Shows: ByNothing,
		begin: func(a *assault) tricks {
			return tricks{down: onInbox(func(p *passing, _ *wire.InboxEvent) {
				p.wait = 2 * time.Minute
				a.try()
			})}
		},
	},
	{
		Name: "invitations repeated", Does: "brings invitations again under their old numbers", AtHome: true, Shows: ByNothing,
		begin: func(a *assault) tricks {
			var all []wire.InboxEvent
			return tricks{down: onInbox(func(p *passing, e *wire.InboxEvent) {
				for _, x := range all {
					p.invent(wire.EventInbox, x)
					a.try()
				}
				all = append(all, *e)
			})}
		},
	},
	{
		Name: "invitations repeated as new", Does: "brings invitations again under new numbers", AtHome: true, Told: noticeFork, AtEnd: true, Ends: true,
		begin: func(a *assault) tricks {
			off := uint64(0) // how many were put between
			return tricks{
				up: func(p *passing) {
					switch p.op {
					case wire.OpInboxAck:
						change(p, func(x *wire.InboxAck) { x.Through -= min(off, x.Through) })
					case wire.OpInbox:
						change(p, func(x *wire.InboxWatch) { x.After -= min(off, x.After) })
					}
				},
				down: func(p *passing) {
					switch {
					case p.is(wire.OpInbox):
						change(p, func(x *wire.InboxState) { x.Head, x.Acked = x.Head+off, x.Acked+off })
					case p.event(wire.EventInbox):
						e := body[wire.InboxEvent](p)
						p.drop = true
						for range 2 {
							e.Seq += off
							p.invent(wire.EventInbox, e)
							e.Seq -= off
							off++
							a.try()
						}
						off--
					}
				},
			}
		},
	},
	{
		Name: "invitations out of order", Does: "brings two invitations in the other order, under each other's numbers", AtHome: true, Shows: ByNothing, Ends: true,
		begin: func(a *assault) tricks {
			var held *wire.InboxEvent
			return tricks{down: onInbox(func(p *passing, e *wire.InboxEvent) {
				if held == nil {
					held, p.drop = e, true
					return
				}
				held.Bytes, e.Bytes = e.Bytes, held.Bytes
				p.invent(wire.EventInbox, *held)
				p.frame.Body, p.altered = wire.Marshal(*e), true
				held = nil
				a.try()
			})}
		},
	},
	{
		Name: "invitations invented", Does: "brings invitations of its own making, and changed ones", AtHome: true, Shows: ByNothing, Ends: true, Mends: 26 * time.Hour,
		begin: func(a *assault) tricks {
			return tricks{down: onInbox(func(p *passing, e *wire.InboxEvent) {
				e.Bytes[a.rng.IntN(len(e.Bytes))] ^= 1
				p.frame.Body, p.altered = wire.Marshal(*e), true
				a.try()
			})}
		},
	},
	{
		Name: "puts dropped", Does: "says that it put invitations into inboxes and loses them", Everybody: true, Shows: ByNothing, Ends: true, Mends: 26 * time.Hour,
		begin: func(a *assault) tricks {
			return tricks{up: func(p *passing) {
				if p.op == wire.OpPut {
					p.reply(wire.OK, wire.Done{})
					a.try()
				}
			}}
		},
	},
	{
		Name: "invitations with huge numbers", Does: "brings an invitation under a number after which none can come", AtHome: true, Shows: ByNothing, Ends: true, Mends: 26 * time.Hour,
		begin: func(a *assault) tricks {
			return tricks{down: onInbox(func(p *passing, e *wire.InboxEvent) {
				e.Seq = []uint64{1<<64 - 1, 1 << 63, 1 << 40}[a.rng.IntN(3)]
				p.frame.Body, p.altered = wire.Marshal(*e), true
				a.try()
			})}
		},
	},
}
