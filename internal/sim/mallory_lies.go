package sim

import (
	"math"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/wire"
)

// lyingAttacks say of the room's history, or of the time, what is not so. The person is
// told who says so; nothing else comes of it.
var lyingAttacks = []MemberAttack{
	{
		Name: "a fork that never was", Does: "says that the host shows her another history", Told: []string{client.NoticeFork}, Within: soon,
		Try: func(m *Mallory) {
			for i := range 100 {
				p := m.payload(room.PayloadContent, m.text("what I saw"))
				p.Chain[i%32] ^= 1
				m.message(wire.Marshal(p))
			}
		},
	},
	{
		Name: "entries that never were", Does: "says that the host shows her more than others", Told: []string{client.NoticeFork}, Within: soon,
		Try: func(m *Mallory) {
			for range 25 {
				for _, n := range []uint64{1000, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
					p := m.payload(room.PayloadContent, m.text("what I saw"))
					p.Seq += n - min(n, p.Seq)
					m.message(wire.Marshal(p))
				}
			}
		},
	},
	{
		Name: "a clock of her own", Does: "says that it is 1970, or the end of time", Within: soon,
		Try: func(m *Mallory) {
			for _, t := range []uint64{0, 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
				p := m.payload(room.PayloadContent, m.text("what time is it?"))
				p.TimeMS = t
				m.message(wire.Marshal(p))
			}
		},
	},
	{
		Name: "leaves halfway", Does: "proposes to leave, goes on writing, and says that she did not mean it", May: passedOver, Out: true, Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			for !m.over() {
				m.propose(removeSelf(m))
				m.say(room.PayloadContent, m.text("I am still here"))
				m.say(room.PayloadJoined, wire.Marshal(room.Joined{Host: m.d.Home.Name, Inbox: wire.InboxName(m.bytes(16)), Capability: m.secret()}))
				m.sleep(500 * time.Millisecond)
			}
			m.say(room.PayloadContent, m.text("and here"))
		},
	},
}
