package mls

import (
	"crypto/ed25519"
	"crypto/hpke"
	"testing"
)

// externalCommit joins from outside (RFC 9420 section 12.4.3.2); the library
// only reads such commits, so the test makes one. It answers the message and the
// authenticator of the new epoch.
func externalCommit(t *testing.T, g *Group, name string, extra ...Proposal) (message, authenticator []byte) {
	t.Helper()
	suite := g.cfg.Suite
	_, pub, err := suite.deriveKeyPair(g.now.secrets.external)
	ok(t, err)
	k, err := suite.publicKey(pub)
	ok(t, err)
	kem, sender, err := hpke.NewSender(k, hpke.HKDFSHA256(), hpke.AES128GCM(), nil)
	ok(t, err)
	init, err := sender.Export("MLS 1.0 external init secret", hashSize)
	ok(t, err)
	list := byValue(0, append(extra, Proposal{Type: ProposalExternalInit, KEMOutput: kem})...)
	for i := range list {
		list[i].External = true
	}
	ch, err := g.now.applyProposals(list, author{external: true}, g.rules(false))
	ok(t, err)
	x := newPlayer(suite, name)
	own, err := ch.tree.vacant()
	ok(t, err)
	p, s, err := ch.tree.renewPath(suite, g.cfg.Rand, own, x.kp.Public.Leaf, x.cfg.Signer, g.groupID)
	ok(t, err)
	next := &epoch{context: g.now.provisional(ch), tree: ch.tree, own: own}
	ok(t, ch.tree.encryptPath(suite, p, s, own, nil, next.context.marshal()))
	m := publicMessage{authContent: authContent{wire: wirePublic, content: framedContent{
		groupID: g.groupID, epoch: g.number, contentType: contentCommit, commit: &commit{path: p},
	}}}
	m.content.sender.kind = senderNewMemberCommit
	for i := range list {
		m.content.commit.proposals = append(m.content.commit.proposals, proposalOrRef{proposal: &list[i].Proposal})
	}
	m.sign(x.cfg.Signer, g.now.encoded)
	confirmed := hash(g.now.interim, m.confirmedHashInput())
	next.context.confirmed = confirmed[:]
	context := next.context.marshal()
	next.secrets = deriveEpoch(memberSecret(joinerSecret(init, s.commit, context), make([]byte, hashSize)), context)
	m.confirmationTag = mac(next.secrets.confirmation, confirmed[:])
	var e encoder
	e.u16(mls10)
	e.u16(wirePublic)
	m.encode(&e)
	return e.b, next.secrets.authenticator
}

func TestExternalCommit(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo", "cy", "dee")
		m, _ := externalCommit(t, p.as("ana").g, "eve")
		_, err := p.as("bo").g.Open(m)
		wants(t, err, ErrUnsupported)
		for _, x := range p.all {
			x.cfg.AllowPublic = true
			x.reload(t)
		}
		_, err = p.as("bo").g.Open(m)
		wants(t, err, ErrUnsupported)
		for _, x := range p.all {
			x.cfg.AllowExternal = true
			x.reload(t)
		}
		m, auth := externalCommit(t, p.as("ana").g, "eli", RemoveProposal(p.leaf("cy")))
		for _, x := range p.all {
			r, err := x.g.Open(m)
			ok(t, err)
			if !r.Staged.External() || string(r.Staged.Member(r.Staged.Committer()).Credential.Identity) != "eli" {
				t.Fatal("not eli")
			}
			if r.Staged.RemovesSelf() != (x.name == "cy") {
				t.Fatal("who is removed?")
			}
			ok(t, x.g.Merge(r.Staged))
			x.reload(t)
			if x.name != "cy" {
				same(t, "authenticator", x.g.EpochAuthenticator(), auth)
			}
		}
		p.says("dee", "eli came from outside")
		p.commit("bo", CommitParams{})
		before := p.as("bo").state(t)
		for i := range m {
			bad := append([]byte(nil), m...)
			bad[i] ^= 1
			if _, err := p.as("bo").g.Open(bad); err == nil {
				t.Fatal("opened")
			}
		}
		same(t, "state", p.as("bo").state(t), before)
		for _, c := range []Proposal{AddProposal(newPlayer(suite, "fay").kp.Public), {Type: ProposalExternalInit, KEMOutput: []byte{1}}, GroupContextExtensionsProposal(nil)} {
			_, err := p.as("bo").g.now.applyProposals([]PendingProposal{{Proposal: c}, {Proposal: Proposal{Type: ProposalExternalInit}}}, author{external: true}, p.as("bo").g.rules(false))
			wants(t, err, ErrInvalidCommit)
		}
	})
}

func TestExternalProposals(t *testing.T) {
	p := open(t, X25519, "ana", "bo", "cy")
	var e encoder
	e.vec(func() {
		e.bytes(signerOf("service").Public().(ed25519.PublicKey))
		c := BasicCredential([]byte("service"))
		c.encode(&e)
	})
	p.commit("ana", CommitParams{Proposals: []Proposal{GroupContextExtensionsProposal([]Extension{{appExtension, nil}, {ExtExternalSenders, e.b}})}})
	for _, x := range p.all {
		x.cfg.AllowPublic, x.cfg.AllowExternal = true, true
		x.reload(t)
	}
	send := func(kind uint8, name string, prop Proposal) ([]byte, error) {
		g := p.as("ana").g
		m := publicMessage{authContent: authContent{wire: wirePublic, content: framedContent{
			groupID: g.groupID, epoch: g.number, contentType: contentProposal, proposal: &prop, sender: sender{kind: kind},
		}}}
		m.sign(signerOf(name), g.now.encoded)
		var e encoder
		e.u16(mls10)
		e.u16(wirePublic)
		m.encode(&e)
		for _, x := range p.all {
			if _, err := x.g.Open(e.b); err != nil {
				return nil, err
			}
		}
		return e.b, nil
	}
	_, err := send(senderExternal, "mallory", RemoveProposal(p.leaf("cy")))
	wants(t, err, ErrSignature)
	_, err = send(senderExternal, "service", Proposal{Type: ProposalUpdate, Leaf: must(p.as("cy").g.updateFor(0))})
	wants(t, err, ErrMalformed)
	_, err = send(senderNewMemberProposal, "service", RemoveProposal(p.leaf("cy")))
	wants(t, err, ErrMalformed)
	_, err = send(senderExternal, "service", RemoveProposal(p.leaf("cy")))
	ok(t, err)
	_, err = send(senderNewMemberProposal, "dee", AddProposal(newPlayer(X25519, "dee").kp.Public))
	ok(t, err)
	s := p.commit("bo", CommitParams{Pending: true})
	if len(s.Removed()) != 1 || len(s.Added()) != 1 {
		t.Fatal(s.Removed(), s.Added())
	}
}
