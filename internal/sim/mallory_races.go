package sim

import (
	"time"

	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mls"
)

// racingAttacks are quick, or plenty: nothing in them is forbidden.
var racingAttacks = []MemberAttack{
	{
		Name: "always first", Does: "commits at every moment at which others could", Within: soon,
		Try: func(m *Mallory) {
			for !m.over() {
				m.commit(func() turn { return turn{CommitParams: mls.CommitParams{ForcePath: true}, keep: true} })
				m.sleep(10 * time.Millisecond)
			}
		},
	},
	{
		Name: "flood of junk", Does: "posts junk as fast as she can", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for range 300 {
				m.put(func() []byte { return m.bytes(300) })
			}
		},
	},
	{
		Name: "flood of proposals", Does: "proposes everything that can be proposed, a hundred times", Told: passedOver, Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			for range 25 {
				m.propose(m.context(titled(m.Ctx, "hers")))
				m.propose(mls.RemoveProposal(m.others(true)[0].Index))
				m.propose(mls.UpdateProposal(mls.NewLeaf{}))
				m.propose(mls.PSKProposal(m.bytes(8)))
			}
		},
	},
	{
		Name: "flood of signals", Does: "sends signals, which nobody knows yet, as fast as she can", Within: soon,
		Try: func(m *Mallory) {
			for i := range 200 {
				token, err := room.Token(m.Group, m.Gen.Log)
				if err != nil || m.over() || !m.host.ready() {
					return
				}
				_, err = m.host.call(wire.OpSignal, wire.Signal{Log: m.Gen.Log, Token: token, Payload: m.bytes(1 + i*100)})
				m.tried(err)
			}
		},
	},
	{
		Name: "asks to be let in", Does: "asks all others again and again to be let in again, also at a host of her choice", Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			for i := range 10 {
				for _, d := range m.w.honest() {
					if k, err := m.keyPackage(); err == nil {
						ask := room.Rejoin{Room: m.Gen.Room, Generation: m.Gen.Number, Seq: 1 << 62, KeyPackage: k,
							Joined: room.Joined{Host: []string{m.d.Home.Name, evilHost}[i%2], Inbox: wire.InboxName(m.bytes(16)), Capability: m.secret()}}
						m.letter(d, m.Chain, room.EnvelopeRejoin, wire.Marshal(ask))
					}
				}
				m.sleep(500 * time.Millisecond)
			}
		},
		Effect: uncontacted,
	},
}

func removeSelf(m *Mallory) mls.Proposal { return mls.RemoveProposal(m.Group.OwnLeaf()) }
