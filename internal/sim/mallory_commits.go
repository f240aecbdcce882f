package sim

import (
	"slices"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mls"
)

// commitAttacks are commits that the rules do not allow to a plain member: the room moves
// on without her.
var commitAttacks = []MemberAttack{
	forbidden("removes a member", "removes somebody", func(m *Mallory) turn { return removal(m.others(false)[:1]) }),
	forbidden("removes an admin", "removes the one who manages the room", func(m *Mallory) turn {
		x := removal(m.others(true)[:1])
		x.Proposals = append(x.Proposals, m.context(m.Ctx.WithAdmin(m.others(true)[0].Account, false).WithAdmin(m.self(), true)))
		return x
	}),
	forbidden("removes everybody", "removes all others", func(m *Mallory) turn {
		x := removal(slices.Concat(m.others(true), m.others(false)))
		x.Proposals = append(x.Proposals, m.context(alone(m.Ctx, m.self())))
		return x
	}),
	forbidden("takes a role", "makes herself an admin", func(m *Mallory) turn { return m.changes(m.Ctx.WithAdmin(m.self(), true)) }),
	forbidden("takes roles away", "makes herself the only admin", func(m *Mallory) turn { return m.changes(alone(m.Ctx, m.self())) }),
	forbidden("renames", "gives the room another title", func(m *Mallory) turn { return m.changes(titled(m.Ctx, "hers")) }),
	forbidden("title of megabytes", "gives it a title of two megabytes", func(m *Mallory) turn { return m.changes(titled(m.Ctx, strings.Repeat("x", 2<<20))) }),
	forbidden("lets messages disappear", "sets the time after which messages disappear", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.Disappear = 1
		return m.changes(ctx)
	}),
	forbidden("another log", "has the room's context name another log", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.Log[0] ^= 1
		return m.changes(ctx)
	}),
	forbidden("another room key", "has the context name another key, under which all cursors have other names", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.Key[0] ^= 1
		return m.changes(ctx)
	}),
	forbidden("newer rules", "has the room follow rules that nobody knows", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.Rules = room.Rules + 1
		return m.changes(ctx)
	}),
	forbidden("no context", "takes the room's context away", func(m *Mallory) turn {
		return turn{CommitParams: mls.CommitParams{Proposals: []mls.Proposal{mls.GroupContextExtensionsProposal(nil)}}}
	}),
	forbidden("becomes somebody else", "renews her leaf under another's name", func(m *Mallory) turn {
		cred := m.Group.Member(m.others(true)[0].Index).Credential
		return turn{CommitParams: mls.CommitParams{NewLeaf: &mls.NewLeaf{Credential: &cred}}}
	}),
	forbidden("another signature key", "renews her leaf with a key that her chain does not hold", func(m *Mallory) turn {
		k, _ := identity.NewKeys(m.rand)
		return turn{CommitParams: mls.CommitParams{NewLeaf: &mls.NewLeaf{Signer: k.Signature}}}
	}),
	forbidden("adds a stranger", "adds somebody of her own making, proven", func(m *Mallory) turn {
		k, _ := identity.NewKeys(m.rand)
		chain, err := identity.Verify([][]byte{k.Genesis(wire.Handle{Name: "eve", Host: m.d.Home.Name}, m.w.Now())})
		if err != nil {
			return turn{}
		}
		return m.adds(k, chain, room.Proof{Account: chain.ID(), Statements: chain.Statements(0)})
	}),
	forbidden("adds a device that no chain holds", "adds a device of her account that she never told anybody", func(m *Mallory) turn {
		k, _ := identity.NewKeys(m.rand)
		return m.adds(k, m.Chain)
	}),
	forbidden("adds a device of another", "adds a device of somebody else's account, by a statement that she signed herself", func(m *Mallory) turn {
		k, _ := identity.NewKeys(m.rand)
		chain := m.Known[m.others(true)[0].Account]
		s := m.Keys.AddDevice(chain, k, m.w.Now())
		return m.adds(k, chain, room.Proof{Account: chain.ID(), From: uint32(chain.Len()), Statements: [][]byte{s}})
	}),
	forbidden("proof of a stranger", "adds the chain of a stranger to what the group knows", func(m *Mallory) turn {
		k, _ := identity.NewKeys(m.rand)
		chain, err := identity.Verify([][]byte{k.Genesis(wire.Handle{Name: "eve", Host: m.d.Home.Name}, m.w.Now())})
		if err != nil {
			return turn{}
		}
		return turn{CommitParams: mls.CommitParams{ForcePath: true}, proofs: []room.Proof{{Account: chain.ID(), Statements: chain.Statements(0)}}}
	}),
	forbidden("pre-shared key", "mixes in a key that only she knows", func(m *Mallory) turn {
		return turn{CommitParams: mls.CommitParams{ForcePath: true, Proposals: []mls.Proposal{mls.PSKProposal([]byte("hers"))}}}
	}),
	forbidden("resumption key", "mixes in the group's own resumption secret, which all can follow", func(m *Mallory) turn {
		p := mls.ResumptionPSKProposal(m.Group.GroupID(), m.Group.Epoch())
		return turn{CommitParams: mls.CommitParams{ForcePath: true, Proposals: []mls.Proposal{p}}}
	}),
	forbidden("secret proposal", "commits a proposal that she never posted", func(m *Mallory) turn {
		if _, err := m.Group.Propose(mls.RemoveProposal(m.others(false)[0].Index)); err != nil {
			return turn{}
		}
		own := m.Group.Pending()
		return turn{CommitParams: mls.CommitParams{Refs: [][]byte{own[len(own)-1].Ref}}}
	}),
	{
		Name: "forged proposals", Does: "proposes to remove others, to add a stranger and to rename the room, and commits it by reference", Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) {
			for !m.over() { // others may commit in between, and the proposals are gone
				epoch := m.Group.Epoch()
				m.propose(mls.RemoveProposal(m.others(false)[0].Index))
				m.propose(m.context(titled(m.Ctx, "hers")))
				m.sleep(300 * time.Millisecond)
				if m.Group.Epoch() != epoch {
					continue
				}
				m.commit(func() turn {
					var refs [][]byte
					for _, p := range m.Group.Pending() {
						refs = append(refs, p.Ref)
					}
					return turn{CommitParams: mls.CommitParams{Refs: refs, ForcePath: true}}
				})
				m.sleep(time.Second)
			}
		},
	},
	{
		Name: "poisoned path", Does: "renews the group's secrets with a path that all can follow but one plain member", Told: passedOver, Within: 2 * time.Minute, Shuts: true,
		Try: func(m *Mallory) { m.poison(func() []room.Leaf { return m.others(false)[:1] }) },
	},
	{
		Name: "lets in whom she shut out", Does: "does so, and then invites that one into a group of her own that lies in the room's log", Told: passedOver, Within: 2 * time.Minute, Shuts: true,
		Try: func(m *Mallory) {
			hurt := m.others(false)[:1]
			m.poison(func() []room.Leaf { return hurt })
			for _, d := range m.w.honest() {
				l := m.leaf(d)
				for i := 0; l != nil && l.Account == hurt[0].Account && i < 10; i++ {
					m.invite(d, func(c *room.Context, i *room.Invitation) { c.Log, c.Before, i.At.Seq = m.Gen.Log, nil, m.Gen.Seq+1 })
					m.sleep(100 * time.Millisecond)
				}
			}
		},
	},
	{
		Name: "poisoned path of an admin", Does: "does so to the one who manages the room", Told: passedOver, Within: 2 * time.Minute, Shuts: true,
		Try: func(m *Mallory) { m.poison(func() []room.Leaf { return m.others(true) }) },
	},
	{
		Name: "poisoned path of all", Does: "makes a path that nobody can follow", Told: []string{client.NoticeMoved, client.NoticeJunk}, Out: true, Within: 3 * time.Minute,
		Try: func(m *Mallory) {
			m.poison(func() []room.Leaf { return slices.Concat(m.others(true), m.others(false)) })
		},
	},
}

// adminAttacks are commits that not even an admin may make.
var adminAttacks = []MemberAttack{
	asAdminOf(forbidden("admin: title of megabytes", "gives the room a title of two megabytes", func(m *Mallory) turn { return m.changes(titled(m.Ctx, strings.Repeat("x", 2<<20))) })),
	asAdminOf(forbidden("admin: another log", "has the context name another log", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.Log[0] ^= 1
		return m.changes(ctx)
	})),
	asAdminOf(forbidden("admin: crowd of admins", "names a thousand admins", func(m *Mallory) turn {
		ctx := m.Ctx
		for range 1000 {
			ctx = ctx.WithAdmin(identity.ID(m.secret()), true)
		}
		return m.changes(ctx)
	})),
	asAdminOf(forbidden("admin: unsorted admins", "names the admins in another order", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.Admins = slices.Clone(ctx.Admins)
		slices.Reverse(ctx.Admins)
		return m.changes(ctx)
	})),
	asAdminOf(forbidden("admin: adds a device of another", "adds a device of somebody else's account, by a statement that she signed herself", func(m *Mallory) turn {
		k, _ := identity.NewKeys(m.rand)
		chain := m.Known[m.others(true)[0].Account]
		s := m.Keys.AddDevice(chain, k, m.w.Now())
		return m.adds(k, chain, room.Proof{Account: chain.ID(), From: uint32(chain.Len()), Statements: [][]byte{s}})
	})),
	asAdminOf(forbidden("admin: newer rules", "has the room follow rules that no program knows yet", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.Rules = room.Rules + 1
		return m.changes(ctx)
	})),
	asAdminOf(forbidden("admin: another kind", "makes a conversation of two of the room", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.Kind = room.Pair
		return m.changes(ctx)
	})),
	asAdminOf(forbidden("admin: entries of a minute", "lets entries live for a minute", func(m *Mallory) turn {
		ctx := m.Ctx
		ctx.TTL = 60
		return m.changes(ctx)
	})),
}

func asAdminOf(a MemberAttack) MemberAttack {
	a.As = asAdmin
	return a
}

// forbidden is an attack by one commit.
func forbidden(name, does string, make func(m *Mallory) turn) MemberAttack {
	return MemberAttack{
		Name: name, Does: does, Told: movesOn, Out: true, Within: soon,
		Try: func(m *Mallory) { m.commit(func() turn { return make(m) }) },
	}
}

func removal(some []room.Leaf) turn {
	var x turn
	for _, l := range some {
		x.Proposals = append(x.Proposals, mls.RemoveProposal(l.Index))
	}
	return x
}

func alone(ctx room.Context, id identity.ID) room.Context {
	ctx.Admins = []identity.ID{id}
	return ctx
}

func titled(ctx room.Context, title string) room.Context {
	ctx.Title = title
	return ctx
}

func (m *Mallory) context(ctx room.Context) mls.Proposal {
	return mls.GroupContextExtensionsProposal(ctx.Extensions())
}

// changes is a commit that changes the room's context.
func (m *Mallory) changes(ctx room.Context) turn {
	return turn{CommitParams: mls.CommitParams{Proposals: []mls.Proposal{m.context(ctx)}}}
}

// adds is a commit that adds a device of her making.
func (m *Mallory) adds(k *identity.Keys, chain *identity.Chain, proofs ...room.Proof) turn {
	kp, err := mls.NewKeyPackage(m.rand, mls.KeyPackageParams{
		Suite: m.Gen.Suite, Signer: k.Signature, Credential: mls.BasicCredential(identity.CredentialOf(chain, k.Name).Marshal()),
		NotBefore: m.w.Now().Add(-time.Hour), NotAfter: m.w.Now().Add(time.Hour), Supported: []uint16{room.ExtContext},
	})
	if err != nil {
		m.cannot(err)
		return turn{}
	}
	return turn{CommitParams: mls.CommitParams{ForcePath: true, Proposals: []mls.Proposal{mls.AddProposal(kp.Public)}}, proofs: proofs}
}

// renew makes a good commit, and waits until it has its place.
func (m *Mallory) renew() {
	before := m.Group.Epoch()
	m.commit(func() turn { return turn{CommitParams: mls.CommitParams{ForcePath: true}, keep: true} })
	for range 50 {
		if m.over() || m.Group.Epoch() != before {
			return
		}
		m.sleep(100 * time.Millisecond)
	}
}

// poison makes a commit of which some get what they cannot open: while it is made, her
// own copy of their leaves holds other keys. The tree's hash is known by then: it was
// computed for the commit before.
func (m *Mallory) poison(some func() []room.Leaf) {
	m.renew()
	m.commit(func() turn {
		return turn{CommitParams: mls.CommitParams{ForcePath: true}, keep: true, around: func(do func()) {
			for _, l := range some() {
				n := m.Group.Member(l.Index)
				key := slices.Clone(n.EncryptionKey)
				copy(n.EncryptionKey, m.bytes(len(key)))
				defer copy(n.EncryptionKey, key)
			}
			do()
		}}
	})
}
