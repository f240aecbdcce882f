package sim

import (
	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mls"
)

// cursorAttacks are commits that are good, with a swap that has the host do something
// else: the room moves on without her.
var cursorAttacks = []MemberAttack{
	swapped("ends a cursor", "ends another's cursor", func(m *Mallory, s *wire.Swap) { s.End = append(s.End, m.tag(m.others(false)[0])) }),
	swapped("ends all cursors", "ends the cursors of all others", func(m *Mallory, s *wire.Swap) {
		for _, admin := range []bool{true, false} {
			for _, l := range m.others(admin) {
				s.End = append(s.End, m.tag(l))
			}
		}
	}),
	swapped("ends her own cursor", "ends her own cursor with it", func(m *Mallory, s *wire.Swap) {
		s.End = append(s.End, m.Ctx.Tag(m.Keys.Device().Signature))
	}),
	swapped("adds a cursor", "adds a cursor of her own", func(m *Mallory, s *wire.Swap) {
		s.Add = append(s.Add, wire.NewCursor{Tag: m.Ctx.Tag(m.Keys.Device().Signature), Hash: m.secret().Hash()})
	}),
	swapped("adds a cursor in another's name", "adds a second cursor under another's name", func(m *Mallory, s *wire.Swap) {
		s.Add = append(s.Add, wire.NewCursor{Tag: m.tag(m.others(true)[0]), Hash: m.secret().Hash()})
	}),
	swapped("adds fifty cursors", "adds as many cursors as a swap may, for nobody", func(m *Mallory, s *wire.Swap) {
		for range wire.MaxAdds {
			s.Add = append(s.Add, wire.NewCursor{Tag: wire.Tag(m.bytes(16)), Hash: m.secret().Hash()})
		}
	}),
	swapped("ends thousands of cursors", "ends as many cursors as a swap may, of nobody", func(m *Mallory, s *wire.Swap) {
		for range wire.MaxCursorsCreate {
			s.End = append(s.End, wire.Tag(m.bytes(16)))
		}
	}),
	swapped("another token", "installs a token that only she knows", func(m *Mallory, s *wire.Swap) { s.Next = m.secret().Hash() }),
	swapped("the present token", "installs the token that is spent", func(m *Mallory, s *wire.Swap) {
		if t, err := room.Token(m.Group, m.Gen.Log); err == nil {
			s.Next = t.Hash()
		}
	}),
	asAdminOf(swapped("admin: ends a cursor twice", "removes somebody and ends the cursor twice", func(m *Mallory, s *wire.Swap) {
		s.End = append(s.End, s.End...)
	}, func(m *Mallory) []mls.Proposal {
		return []mls.Proposal{mls.RemoveProposal(m.others(false)[0].Index)}
	})),
	asAdminOf(swapped("admin: leaves a cursor", "removes somebody and lets the cursor stand", func(m *Mallory, s *wire.Swap) { s.End = nil }, func(m *Mallory) []mls.Proposal {
		return []mls.Proposal{mls.RemoveProposal(m.others(false)[0].Index)}
	})),
	{
		Name: "refused cursors", Does: "asks for more cursors than the host gives: too many added, too many ended, three of one name, one secret twice", Within: soon,
		Try: func(m *Mallory) {
			for _, f := range []func(s *wire.Swap){
				func(s *wire.Swap) { s.Add = make([]wire.NewCursor, wire.MaxAdds+1) },
				func(s *wire.Swap) { s.End = make([]wire.Tag, wire.MaxCursorsCreate+1) },
				func(s *wire.Swap) {
					for range wire.MaxCursorsLeaf {
						s.Add = append(s.Add, wire.NewCursor{Tag: m.tag(m.others(true)[0]), Hash: m.secret().Hash()})
					}
				},
				func(s *wire.Swap) {
					one := m.secret().Hash()
					s.Add = []wire.NewCursor{{Tag: wire.Tag{1}, Hash: one}, {Tag: wire.Tag{2}, Hash: one}}
				},
			} {
				m.commit(func() turn { return turn{CommitParams: mls.CommitParams{ForcePath: true}, swap: f} })
			}
		},
	},
	{
		Name: "foreign cursor", Does: "reads, acknowledges, claims and gives up with cursors that are not hers, and acknowledges what is not there", Within: soon,
		Try: func(m *Mallory) {
			for range 20 {
				if m.over() || !m.host.ready() {
					return
				}
				s := m.secret()
				for _, x := range []struct {
					op   wire.Op
					body any
				}{
					{wire.OpRead, wire.Read{Secret: s, Limit: 1 << 20}}, {wire.OpAck, wire.Ack{Secret: s, Through: 1}},
					{wire.OpDrop, wire.Drop{Secret: s}}, {wire.OpClaim, wire.Claim{Secret: s, Next: m.secret().Hash()}},
					{wire.OpAck, wire.Ack{Secret: m.Gen.Secret, Through: 1 << 62}},
					{wire.OpPut, wire.Put{Inbox: wire.InboxName(m.bytes(16)), Capability: s, Entry: m.bytes(100)}},
				} {
					_, err := m.host.call(x.op, x.body)
					m.tried(err)
				}
			}
		},
	},
}

// tag names the cursor of a leaf.
func (m *Mallory) tag(l room.Leaf) wire.Tag { return m.Ctx.Tag(l.Key) }

// swapped is an attack by a good commit with another swap than belongs to it.
func swapped(name, does string, change func(m *Mallory, s *wire.Swap), proposals ...func(m *Mallory) []mls.Proposal) MemberAttack {
	return MemberAttack{
		Name: name, Does: does, Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			m.commit(func() turn {
				x := turn{CommitParams: mls.CommitParams{ForcePath: true}, swap: func(s *wire.Swap) { change(m, s) }}
				for _, p := range proposals {
					x.Proposals = p(m)
				}
				return x
			})
		},
	}
}
