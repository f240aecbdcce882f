package sim

import (
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mls"
)

// movingAttacks use an admin's right to move the room.
var movingAttacks = []MemberAttack{
	asAdminOf(MemberAttack{
		Name: "admin: moves from the past", Does: "moves the room and says that all that counts ended five entries ago", Told: movesOn, Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			m.sleep(3 * time.Second)
			m.move(m.Gen.Seq-min(m.Gen.Seq, 5), room.Rules)
		},
	}),
	asAdminOf(MemberAttack{
		Name: "admin: moves from the future", Does: "moves the room and says that it went on for a thousand entries more", Told: movesOn, May: []string{client.NoticeFork}, Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			m.sleep(3 * time.Second)
			m.move(m.Gen.Seq+1000, room.Rules)
		},
	}),
	asAdminOf(MemberAttack{
		Name: "admin: moves to newer rules", Does: "moves the room to where rules hold that no program knows yet, with everybody in it", Told: []string{client.NoticeUpdate}, Within: soon,
		Try: func(m *Mallory) {
			m.sleep(3 * time.Second)
			m.move(m.Gen.Seq, room.Rules+1)
		},
	}),
	asAdminOf(MemberAttack{
		Name: "admin: moves again and again", Does: "moves the room to a new log every two seconds, with everybody in it", Told: movesOn, May: []string{client.NoticeJunk}, Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			for range 3 {
				m.move(m.Gen.Seq, room.Rules)
				m.sleep(2 * time.Second)
			}
		},
	}),
	asAdminOf(MemberAttack{
		Name: "admin: moves in one breath", Does: "moves the room three times without a pause", Told: movesOn, May: []string{client.NoticeJunk}, Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			m.sleep(3 * time.Second)
			for range 3 {
				m.move(m.Gen.Seq, room.Rules)
			}
		},
	}),
	asAdminOf(MemberAttack{
		Name: "admin: moves to two places", Does: "moves the room to two logs at once, each of which is to begin where the old one ended, at another entry", Told: movesOn, May: []string{client.NoticeJunk}, Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			m.sleep(3 * time.Second)
			before := *m
			m.move(m.Gen.Seq-min(m.Gen.Seq, 5), room.Rules)
			m.sleep(time.Second)
			m.Gen, m.Group, m.Ctx, m.Known, m.host, m.broken = before.Gen, before.Group, before.Ctx, before.Known, before.host, before.broken
			m.move(m.Gen.Seq, room.Rules)
		},
	}),
}

// move makes the next generation of the room, as an honest mover does but for the entry
// after which it says that nothing counted, and the rules.
func (m *Mallory) move(last uint64, rules uint16) {
	if m.over() {
		return
	}
	ctx, known := m.Ctx, room.Knowledge{m.Chain.ID(): m.Chain}
	ctx.Generation++
	ctx.Rules = rules
	ctx.Host, ctx.Log, ctx.Key = m.d.Home.Name, wire.LogName(m.bytes(16)), m.secret()
	ctx.Before = &room.Place{Log: m.Gen.Log, Seq: last, Chain: m.Gen.Chain}
	own := wire.NewCursor{Tag: ctx.Tag(m.Keys.Device().Signature)}
	next := m.Gen
	next.Number, next.Host, next.Log, next.Secret, next.Seq, next.Chain = ctx.Generation, ctx.Host, ctx.Log, m.secret(), 0, wire.EmptyChain(ctx.Log)
	own.Hash = next.Secret.Hash()
	create := wire.Create{Log: ctx.Log, TTL: ctx.TTL, Cursors: []wire.NewCursor{own}}
	var adds []mls.Proposal
	var guests []*Device
	var secrets []wire.Secret
	for _, d := range m.w.honest() {
		if m.leaf(d) == nil {
			continue
		}
		kp, chain := m.claim(d)
		if kp == nil {
			continue
		}
		secret := m.secret()
		adds, guests, secrets = append(adds, mls.AddProposal(kp)), append(guests, d), append(secrets, secret)
		known[chain.ID()] = chain
		create.Cursors = append(create.Cursors, wire.NewCursor{Tag: ctx.Tag(kp.LeafNode().SignatureKey), Hash: secret.Hash()})
	}
	g, err := mls.NewGroup(m.config(), m.bytes(32), mls.BasicCredential(identity.CredentialOf(m.Chain, m.Keys.Name).Marshal()), ctx.Extensions())
	if err != nil {
		m.cannot(err)
		return
	}
	s, err := g.Commit(mls.CommitParams{Proposals: adds, OmitTree: true, ForcePath: true})
	if err != nil {
		m.cannot(err)
		return
	}
	welcomes := s.Welcomes()
	if err := g.Merge(s); err != nil {
		m.cannot(err)
		return
	}
	token, err := room.Token(g, ctx.Log)
	if err != nil {
		m.cannot(err)
		return
	}
	create.Token = token.Hash()
	if m.account == nil {
		m.account = m.dial(m.d.Home.Name, "/v1/account")
		m.sleep(time.Second) // until she is known there
	}
	if !m.account.ready() {
		return
	}
	_, err = m.account.call(wire.OpCreate, create)
	m.tried(err)
	if err != nil {
		return
	}
	bundle := wire.Marshal(room.Bundle{Tree: g.RatchetTree(), Chains: known.Proofs()})
	for i, d := range guests {
		m.letter(d, m.Chain, room.EnvelopeInvitation, wire.Marshal(room.Invitation{
			Room: ctx.Room, Generation: ctx.Generation, Kind: ctx.Kind, Host: ctx.Host, At: room.Place{Log: ctx.Log, Chain: next.Chain},
			Cursor: secrets[i], Welcome: welcomes[i], Bundle: bundle, Title: ctx.Title, Move: &room.Move{From: *ctx.Before, Reason: "I like it so"},
		}))
	}
	m.Gen, m.Group, m.Ctx, m.Known, m.heard, m.broken = next, g, ctx, known, nil, false
	m.host = m.dial(ctx.Host, "/v1/log")
}
