package sim

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mls"
)

// junkAttacks post with a valid token what is no message of the room. Without a swap it
// is passed over, and told.
var junkAttacks = []MemberAttack{
	{
		Name: "random bytes", Does: "posts bytes that are no entry", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for _, n := range []int{1, 29, 300, 5000} {
				m.put(func() []byte { return m.bytes(n) })
			}
		},
	},
	{
		Name: "sealed noise", Does: "posts entries whose seal is good and whose inside is noise", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for _, n := range []int{0, 1, 20, 2000} {
				m.put(func() []byte { return m.seal(room.Inner{Message: m.bytes(n)}) })
			}
		},
	},
	{
		Name: "broken message", Does: "posts her own messages, each with a byte changed or cut off", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for i := range 6 {
				m.put(func() []byte {
					b, _, err := m.Group.Seal(nil, []byte("?"))
					if err != nil {
						return nil
					}
					if at := m.rng.IntN(len(b)); i%2 == 0 {
						b[at] ^= 1 << m.rng.IntN(8)
					} else {
						b = b[:at]
					}
					return m.seal(room.Inner{Message: b})
				})
			}
		},
	},
	{
		Name: "another group", Does: "posts messages of a group of her own that has the room's context", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for _, id := range [][]byte{m.bytes(32), m.Group.GroupID()} {
				own := m.Group.Member(m.Group.OwnLeaf())
				g, err := mls.NewGroup(m.config(), id, own.Credential, m.Ctx.Extensions())
				if err != nil {
					m.cannot(err)
					return
				}
				m.put(func() []byte {
					b, _, err := g.Seal(nil, []byte("?"))
					if err != nil {
						return nil
					}
					return m.seal(room.Inner{Message: b})
				})
			}
		},
	},
	{
		Name: "old epoch", Does: "seals a message, moves the room to the next epoch and posts it there", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			old, _, err := m.Group.Seal(nil, wire.Marshal(m.payload(room.PayloadContent, []byte("late"))))
			if err != nil {
				m.cannot(err)
				return
			}
			m.renew()
			m.put(func() []byte { return m.seal(room.Inner{Message: old}) })
		},
	},
	{
		Name: "content type", Does: "posts messages that say of themselves that they are commits or proposals", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for _, kind := range []byte{2, 3, 4} {
				m.put(func() []byte {
					b, _, err := m.Group.Seal(nil, []byte("?"))
					if err != nil {
						return nil
					}
					// version, wire format, group id with its length, epoch; then the type
					b[4+1+len(m.Group.GroupID())+8] = kind
					return m.seal(room.Inner{Message: b})
				})
			}
		},
	},
	{
		Name: "public message", Does: "posts a commit as a PublicMessage", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			m.put(func() []byte {
				s, err := m.Group.Commit(mls.CommitParams{ForcePath: true, Public: true, OmitTree: true})
				if err != nil {
					return nil
				}
				return m.seal(room.Inner{Message: s.Message()})
			})
		},
	},
	{
		Name: "repeated messages", Does: "seals messages of others once more and posts them: to their author it is his own, which he does not remember", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for range 8 {
				m.sleep(500 * time.Millisecond)
				if m.over() {
					return
				}
				for _, e := range slices.Clone(m.heard) {
					inner, err := room.OpenEntry(m.Group, m.Gen.Log, e.Bytes)
					if err != nil {
						continue // of an epoch before
					}
					m.put(func() []byte { return m.seal(inner) })
					break
				}
			}
		},
	},
	{
		Name: "repeated entries", Does: "posts entries of others again, byte by byte, while they stand and when they are erased", May: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for range 8 {
				m.ack()
				m.sleep(500 * time.Millisecond)
				if n := len(m.heard); n > 0 && !m.over() {
					m.put(func() []byte { return m.heard[m.rng.IntN(n)].Bytes })
				}
			}
		},
		Effect: nothingNew,
	},
	{
		Name: "skipped generations", Does: "uses up a thousand keys for each message that she posts, and once more than may be skipped", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for _, n := range []int{1000, 1000, 1200} {
				m.put(func() []byte {
					var b []byte
					for range n {
						b, _, _ = m.Group.Seal(nil, wire.Marshal(m.payload(99, nil)))
					}
					return m.seal(room.Inner{Message: b})
				})
			}
		},
	},
	{
		Name: "commit without a swap", Does: "posts a good commit that swaps no token", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			m.put(func() []byte {
				s, err := m.Group.Commit(mls.CommitParams{ForcePath: true, OmitTree: true})
				if err != nil {
					return nil
				}
				return m.seal(room.Inner{Message: s.Message()})
			})
		},
	},
	{
		Name: "entry too large", Does: "posts entries beyond what a log takes", Within: soon,
		Try: func(m *Mallory) {
			for _, n := range []int{wire.MaxEntry + 1, wire.MaxSwap + 1} {
				m.put(func() []byte { return m.bytes(n) })
			}
			m.put(func() []byte { return []byte{} })
		},
	},
}

// swapJunkAttacks take the write token away with what is no commit: the room moves on
// without her.
var swapJunkAttacks = []MemberAttack{
	{
		Name: "junk with a swap", Does: "posts bytes that are no entry and swaps the token for one that only she knows", Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			m.take(func(s wire.Swap) []byte { return named(s, m.bytes(300)) })
		},
	},
	{
		Name: "swap that no entry names", Does: "swaps the token with an entry that names another swap, or none", Within: soon,
		Try: func(m *Mallory) {
			for range 3 {
				m.again(func() error {
					return m.append(m.seal(room.Inner{Message: m.bytes(300)}), &wire.Swap{Next: m.secret().Hash()})
				})
				m.again(func() error {
					return m.append(named(wire.Swap{Next: m.secret().Hash()}, m.bytes(300)), &wire.Swap{Next: m.secret().Hash()})
				})
				m.put(func() []byte { return named(wire.Swap{Next: m.secret().Hash()}, m.bytes(300)) })
			}
		},
	},
	{
		Name: "sealed junk with a swap", Does: "does so with a good seal", Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			m.take(func(s wire.Swap) []byte { return m.sealSwap(room.Inner{Message: m.bytes(300)}, s) })
		},
	},
	{
		Name: "four megabytes with a swap", Does: "does so with as many bytes as a commit may have", Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			b := bytes.Repeat(binary.BigEndian.AppendUint64(nil, m.rng.Uint64()), wire.MaxSwap/8-8)
			m.take(func(s wire.Swap) []byte { return named(s, b) })
		},
	},
	{
		Name: "message with a swap", Does: "swaps the token with a message", Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			m.take(func(s wire.Swap) []byte {
				b, _, err := m.Group.Seal(nil, wire.Marshal(m.payload(99, nil)))
				if err != nil {
					return nil
				}
				return m.sealSwap(room.Inner{Message: b}, s)
			})
		},
	},
	{
		Name: "proposal with a swap", Does: "swaps the token with her wish to leave", Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			m.take(func(s wire.Swap) []byte {
				b, err := m.Group.Propose(mls.RemoveProposal(m.Group.OwnLeaf()))
				if err != nil {
					return nil
				}
				return m.sealSwap(room.Inner{Message: b}, s)
			})
		},
	},
	{
		Name: "public commit with a swap", Does: "makes a commit as a PublicMessage, with the swap that belongs to it", Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			m.commit(func() turn { return turn{CommitParams: mls.CommitParams{ForcePath: true, Public: true}} })
		},
	},
	{
		Name: "broken commit", Does: "makes a commit with a byte changed, with the swap that belongs to it", Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			m.commit(func() turn {
				return turn{CommitParams: mls.CommitParams{ForcePath: true}, message: func(b []byte) []byte {
					b = slices.Clone(b)
					b[len(b)-1-m.rng.IntN(100)] ^= 1
					return b
				}}
			})
		},
	},
}
