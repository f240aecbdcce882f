package mls

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

func wants(t testing.TB, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Fatalf("got %v, want %v", err, class)
	}
}

func TestLife(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo", "cy", "dee", "eli")
		for _, n := range []string{"ana", "bo", "cy", "dee", "eli"} {
			p.says(n, "hello from "+n)
		}
		p.commit("bo", CommitParams{ForcePath: true})
		p.commit("cy", CommitParams{})
		p.says("dee", "after two paths")
		p.remove("ana", "cy")
		p.says("bo", "without cy")
		p.add("eli", "fay", "gus", "hal", "ivy")
		p.commit("fay", CommitParams{})
		p.remove("gus", "ana", "bo")
		p.says("hal", "who is left")
		p.remove("dee", "ivy", "hal", "gus", "fay", "eli")
		if g := p.as("dee").g; g.MemberCount() != 1 {
			t.Fatal(g.MemberCount())
		}
		p.says("dee", "alone")
		p.commit("dee", CommitParams{})
		p.add("dee", "jo")
		p.says("jo", "hi")
	})
}

// TestRandomLife lets twelve names come, go, update and speak in a fixed random order.
func TestRandomLife(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		rnd := rand.New(rand.NewPCG(7, uint64(suite)))
		p := open(t, suite, "p0", "p1", "p2")
		for step := range 60 {
			var active []string
			for _, x := range p.all {
				if x.g.Active() {
					active = append(active, x.name)
				}
			}
			by := active[rnd.IntN(len(active))]
			other := active[rnd.IntN(len(active))]
			switch n := rnd.IntN(6); {
			case n == 0 && len(active) < 14:
				p.add(by, fmt.Sprint("x", step), fmt.Sprint("y", step))
			case n <= 1 && len(active) > 2 && other != by:
				p.remove(by, other)
			case n == 2 && other != by:
				m, err := p.as(other).g.Propose(UpdateProposal(NewLeaf{}))
				ok(t, err)
				p.hear(other, m)
				p.commit(by, CommitParams{Pending: true})
			case n == 3:
				c := newPlayer(suite, fmt.Sprint("z", step))
				p.commit(by, CommitParams{ForcePath: true, Proposals: []Proposal{AddProposal(c.kp.Public)}})
			default:
				p.commit(by, CommitParams{})
			}
			p.says(by, "still here")
		}
	})
}

// hear gives a proposal to everyone but its sender.
func (p *play) hear(from string, message []byte) {
	p.t.Helper()
	for _, x := range p.all {
		if x.name == from || !x.g.Active() {
			x.reload(p.t)
			continue
		}
		r, err := x.g.Open(message)
		ok(p.t, err)
		if r.Kind != KindProposal || r.Proposal == nil {
			p.t.Fatal("not a proposal")
		}
		x.reload(p.t)
	}
}

func TestProposalsByReference(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo", "cy", "dee")
		for from, prop := range map[string]Proposal{
			"bo": RemoveProposal(p.leaf("bo")), // leaving
			"cy": UpdateProposal(NewLeaf{Signer: signerOf("cy, new key"), Credential: &Credential{CredentialBasic, []byte("cy 2")}}),
		} {
			m, err := p.as(from).g.Propose(prop)
			ok(t, err)
			p.hear(from, m)
		}
		s, err := p.as("dee").g.Commit(CommitParams{Pending: true})
		ok(t, err)
		p.deliver("dee", s)
		if p.as("bo").g.Active() {
			t.Fatal("bo is still there")
		}
		if id := p.as("ana").g.Member(p.leaf("cy")).Credential.Identity; string(id) != "cy 2" {
			t.Fatalf("%q", id)
		}
		p.says("cy", "with the new key")
		// A committer does not commit its own leaving.
		m, err := p.as("ana").g.Propose(RemoveProposal(p.leaf("ana")))
		ok(t, err)
		p.hear("ana", m)
		s, err = p.as("ana").g.Commit(CommitParams{Pending: true})
		ok(t, err)
		if len(s.Removed()) != 0 || len(s.Proposals()) != 0 {
			t.Fatal("ana removed herself")
		}
		s.Erase()
		p.commit("cy", CommitParams{Pending: true})
		p.says("dee", "two left")
	})
}

func TestContextExtensionsAndNewLeaf(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo", "cy")
		exts := []Extension{{appExtension, []byte("v2")}, RequiredCapabilities{Extensions: []uint16{appExtension}, Credentials: []uint16{CredentialBasic}}.Extension()}
		p.commit("bo", CommitParams{Proposals: []Proposal{GroupContextExtensionsProposal(exts)}})
		if got := p.as("cy").g.ContextExtensions(); len(got) != 2 || string(got[0].Data) != "v2" {
			t.Fatal(got)
		}
		_, err := p.as("bo").g.Commit(CommitParams{Proposals: []Proposal{GroupContextExtensionsProposal([]Extension{{0xF0FF, nil}})}})
		wants(t, err, ErrInvalidCommit)
		p.commit("cy", CommitParams{NewLeaf: &NewLeaf{Signer: signerOf("cy 2"), Credential: &Credential{CredentialBasic, []byte("cy 2")}}})
		p.says("cy", "signed with the new key")
		p.add("cy", "dee")
		p.says("dee", "invited by the new key")
		s, err := p.as("ana").g.Commit(CommitParams{NewLeaf: &NewLeaf{Signer: signerOf("ana 2")}, Proposals: []Proposal{AddProposal(newPlayer(suite, "eli").kp.Public)}})
		ok(t, err)
		p.deliver("ana", s)
		p.says("ana", "new key and an add")
	})
}

func TestPSK(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo")
		for _, x := range p.all {
			x.cfg.PSK = func(id PSKID) ([]byte, bool) { return []byte("shared"), string(id.ID) == "k" }
			x.reload(t)
		}
		epoch := p.as("ana").g.Epoch()
		p.commit("bo", CommitParams{Proposals: []Proposal{PSKProposal([]byte("k")), ResumptionPSKProposal([]byte("the room"), epoch)}})
		c := newPlayer(suite, "cy")
		s := p.commit("ana", CommitParams{Proposals: []Proposal{PSKProposal([]byte("k")), AddProposal(c.kp.Public)}})
		_, err := JoinGroup(c.cfg, s.Welcomes()[0], c.kp, nil)
		wants(t, err, ErrPSK)
		c.cfg.PSK = p.as("ana").cfg.PSK
		c.g, err = JoinGroup(c.cfg, s.Welcomes()[0], c.kp, nil)
		ok(t, err)
		p.all = append(p.all, c)
		p.agree()
		_, err = p.as("ana").g.Commit(CommitParams{Proposals: []Proposal{PSKProposal([]byte("unknown"))}})
		wants(t, err, ErrPSK)
	})
}

func TestRace(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo", "cy")
		won, err := p.as("ana").g.Commit(CommitParams{})
		ok(t, err)
		lost, err := p.as("bo").g.Commit(CommitParams{Proposals: []Proposal{RemoveProposal(p.leaf("cy"))}})
		ok(t, err)
		r, err := p.as("bo").g.Open(won.Message())
		ok(t, err)
		lost.Erase()
		wants(t, p.as("bo").g.Merge(lost), ErrStale)
		ok(t, p.as("bo").g.Merge(r.Staged))
		wants(t, p.as("bo").g.Merge(r.Staged), ErrStale)
		ok(t, p.as("ana").g.Merge(won))
		_, err = p.as("ana").g.Open(lost.Message())
		wants(t, err, ErrWrongEpoch)
		r, err = p.as("cy").g.Open(won.Message())
		ok(t, err)
		ok(t, p.as("cy").g.Merge(r.Staged))
		p.agree()
		p.remove("bo", "cy")
	})
}

func TestCrashBetweenCommitAndMerge(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo", "cy")
		p.commit("cy", CommitParams{})
		d := newPlayer(suite, "dee")
		s, err := p.as("ana").g.Commit(CommitParams{
			Proposals: []Proposal{RemoveProposal(p.leaf("bo")), AddProposal(d.kp.Public)}, NewLeaf: &NewLeaf{Signer: signerOf("ana 2")},
		})
		ok(t, err)
		raw := s.Marshal()
		p.as("ana").reload(t)
		back, err := ParseStagedCommit(p.as("ana").g, raw)
		ok(t, err)
		same(t, "marshal again", back.Marshal(), raw)
		same(t, "message", back.Message(), s.Message())
		same(t, "export", must(back.Export("t", nil, 16)), must(s.Export("t", nil, 16)))
		same(t, "tree", back.RatchetTree(), s.RatchetTree())
		if back.Epoch() != s.Epoch() || !back.Own() || back.Added()[0] != s.Added()[0] || len(back.Proposals()) != 2 {
			t.Fatal("lost something")
		}
		p.deliver("ana", back)
		d.g, err = JoinGroup(d.cfg, back.Welcomes()[0], d.kp, back.RatchetTree())
		ok(t, err)
		p.all = append(p.all, d)
		p.agree()
		p.says("dee", "hi")
		p.says("ana", "hi")
		_, err = ParseStagedCommit(p.as("ana").g, raw)
		wants(t, err, ErrStale)
		if back.Marshal() != nil {
			t.Fatal("a merged commit was encoded")
		}
		r, err := p.as("cy").g.Open(p.as("ana").must(CommitParams{}).Message())
		ok(t, err)
		again, err := ParseStagedCommit(p.as("cy").g, r.Staged.Marshal())
		ok(t, err)
		same(t, "received too", again.EpochAuthenticator(), r.Staged.EpochAuthenticator())
	})
}

func (x *player) must(c CommitParams) *StagedCommit { return must(x.g.Commit(c)) }

func TestRemoved(t *testing.T) {
	p := open(t, XWing, "ana", "bo", "cy")
	s := p.as("ana").must(CommitParams{Proposals: []Proposal{RemoveProposal(p.leaf("bo"))}})
	bo := p.as("bo").g
	r, err := bo.Open(s.Message())
	ok(t, err)
	if !r.Staged.RemovesSelf() || r.Staged.Member(r.Staged.Removed()[0]) != nil {
		t.Fatal("bo is not removed")
	}
	_, err = r.Staged.Export("x", nil, 16)
	wants(t, err, ErrRemoved)
	ok(t, bo.Merge(r.Staged))
	if bo.Active() || bo.Epoch() != s.Epoch() {
		t.Fatal("bo is active")
	}
	_, _, err = bo.Seal(nil, nil)
	wants(t, err, ErrRemoved)
	_, err = bo.Commit(CommitParams{})
	wants(t, err, ErrRemoved)
	_, err = bo.Propose(RemoveProposal(0))
	wants(t, err, ErrRemoved)
	_, err = bo.Open(s.Message())
	wants(t, err, ErrRemoved)
	_, err = bo.Export("x", nil, 16)
	wants(t, err, ErrRemoved)
	wants(t, bo.Merge(r.Staged), ErrRemoved)
	ok(t, bo.Flush(p.as("bo").store))
	if n := len(p.as("bo").store); n != 1 {
		t.Fatalf("%d records stay", n)
	}
	bo, err = LoadGroup(Config{Suite: XWing}, p.as("bo").store)
	ok(t, err)
	if bo.Active() || bo.OwnLeaf() != 0 || bo.MemberCount() != 0 || bo.LeafCount() != 0 || bo.Member(0) != nil || bo.TreeHash() != nil {
		t.Fatal("an inactive group answers")
	}
	bo.Erase()
	ok(t, bo.Flush(p.as("bo").store))
	if n := len(p.as("bo").store); n != 0 {
		t.Fatalf("%d records stay", n)
	}
}

func TestPolicy(t *testing.T) {
	p := open(t, XWing, "ana", "bo", "cy")
	no := errors.New("only ana may remove")
	for _, x := range p.all {
		x.cfg.Policy = func(g *Group, s *StagedCommit) error {
			if len(s.Removed()) > 0 && string(g.Member(s.Committer()).Credential.Identity) != "ana" {
				return no
			}
			return nil
		}
		x.reload(t)
	}
	before := p.as("bo").state(t)
	_, err := p.as("bo").g.Commit(CommitParams{Proposals: []Proposal{RemoveProposal(p.leaf("cy"))}})
	wants(t, err, ErrPolicy)
	wants(t, err, no)
	same(t, "state", p.as("bo").state(t), before)
	p.as("bo").g.cfg.Policy = nil
	bad := p.as("bo").must(CommitParams{Proposals: []Proposal{RemoveProposal(p.leaf("cy"))}})
	before = p.as("ana").state(t)
	_, err = p.as("ana").g.Open(bad.Message())
	wants(t, err, no)
	same(t, "state", p.as("ana").state(t), before)
	p.remove("ana", "cy")
}

func TestErase(t *testing.T) {
	p := open(t, XWing, "ana", "bo")
	_, err := p.as("bo").g.Propose(UpdateProposal(NewLeaf{}))
	ok(t, err)
	p.says("ana", "hi")
	p.as("bo").state(t)
	secrets := p.as("bo").g.now.secrets
	p.as("bo").g.Erase()
	ok(t, p.as("bo").g.Flush(p.as("bo").store))
	if n := len(p.as("bo").store); n != 0 {
		t.Fatalf("%d records stay", n)
	}
	same(t, "init secret", secrets.init, make([]byte, hashSize))
	_, err = LoadGroup(p.as("bo").cfg, p.as("bo").store)
	wants(t, err, ErrState)
}

func TestArguments(t *testing.T) {
	p := open(t, X25519, "ana", "bo")
	g := p.as("ana").g
	before := p.as("ana").state(t)
	for _, c := range []CommitParams{
		{Proposals: []Proposal{UpdateProposal(NewLeaf{})}},
		{Proposals: []Proposal{{Type: ProposalAdd}}},
		{Proposals: []Proposal{{Type: 99}}},
		{Proposals: []Proposal{{Type: ProposalPSK, PSK: &PSKID{Type: 9}}}},
		{Refs: [][]byte{{1}}},
		{Public: true},
	} {
		if _, err := g.Commit(c); err == nil {
			t.Fatalf("committed %+v", c)
		}
	}
	for _, x := range []Proposal{{Type: ProposalAdd}, {Type: 99}, RemoveProposal(9), {Type: ProposalReInit, ReInit: &ReInit{}}, {Type: ProposalExternalInit}} {
		if _, err := g.Propose(x); err == nil {
			t.Fatalf("proposed %+v", x)
		}
	}
	_, err := g.Export("x", nil, 1<<20)
	wants(t, err, ErrArgument)
	same(t, "state", p.as("ana").state(t), before)
	cfg := p.as("ana").cfg
	cfg.Signer = signerOf("mallory")
	_, err = LoadGroup(cfg, p.as("ana").store)
	wants(t, err, ErrArgument)
	_, err = NewGroup(Config{Suite: 3, Signer: cfg.Signer}, nil, Credential{}, nil)
	wants(t, err, ErrUnsupported)
	_, err = NewGroup(Config{}, nil, Credential{}, nil)
	wants(t, err, ErrArgument)
	_, err = NewKeyPackage(nil, KeyPackageParams{Signer: cfg.Signer, Credential: Credential{Type: CredentialX509}})
	wants(t, err, ErrArgument)
}
