package sim

import (
	"sotto/internal/client"
	"sotto/internal/wire"
)

// onDid is an attack in what the host says that it did with a change of a room.
func onDid(f func(a *assault, d *wire.Did)) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
			if e.Entry.Did != nil {
				f(a, e.Entry.Did)
				p.show(*e)
				a.try()
			}
		})}
	}
}

// didAttacks are lies about what the host did with a change of a room.
var didAttacks = []*HostAttack{
	{
		Name: "by another", Does: "says that a good change was made with another's cursor", Everybody: true, Shows: ByNothing,
		begin: onDid(func(_ *assault, d *wire.Did) { d.By[0] ^= 1 }),
	},
	{
		Name: "a change that was none", Does: "says that a change of the room changed nothing", Told: []string{client.NoticeJunk, client.NoticeFork},
		begin: func(a *assault) tricks {
			return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
				if e.Entry.Did != nil {
					e.Entry.Did = nil
					p.show(*e)
					a.try()
				}
			})}
		},
	},
	{
		Name: "a message that changed the room", Does: "says that a member's own message took the write token", Told: noticeFork,
		begin: func(a *assault) tricks {
			return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
				if a.e.author(e.Entry.Bytes) == p.l.d && e.Entry.Did == nil {
					e.Entry.Did = &wire.Did{}
					p.show(*e)
					a.try()
				}
			})}
		},
	},
	{
		Name: "another token", Does: "says that a change made another write token valid", Everybody: true, Told: noticeFork,
		begin: onDid(func(_ *assault, d *wire.Did) { d.Next[0] ^= 1 }),
	},
	{
		Name: "another token, to one", Does: "says to one reader that a change made another write token valid", Told: noticeFork,
		begin: onDid(func(_ *assault, d *wire.Did) { d.Next[0] ^= 1 }),
	},
	{
		Name: "somebody added", Does: "says that a change added a cursor that it did not", Everybody: true, Told: noticeFork,
		begin: onDid(func(_ *assault, d *wire.Did) { d.Added = append(d.Added, wire.NewCursor{Tag: wire.Tag{1}}) }),
	},
	{
		Name: "somebody ended", Does: "says that a change ended a cursor that it did not", Everybody: true, Told: noticeFork,
		begin: onDid(func(_ *assault, d *wire.Did) { d.Ended = append(d.Ended, d.By) }),
	},
	{
		Name: "another's message that changed the room", Does: "says that somebody else's message took the write token", Told: noticeFork,
		begin: func(a *assault) tricks {
			return tricks{down: onEntries(func(p *passing, e *wire.EntryEvent) {
				if by := a.e.author(e.Entry.Bytes); by != nil && by != p.l.d && e.Entry.Did == nil && a.once(2) {
					e.Entry.Did = &wire.Did{}
					p.show(*e)
					a.try()
				}
			})}
		},
	},
}
