package mls

import (
	"bytes"
	"testing"
)

// Every decoder: no input may panic, and what is read is written back the same.

func FuzzParseKeyPackage(f *testing.F) {
	for _, s := range []CipherSuite{X25519, XWing} {
		f.Add(newPlayer(s, "ana").kp.Public.Marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kp, err := ParseKeyPackage(b)
		if err != nil {
			return
		}
		same(t, "again", kp.Marshal(), b)
		kp.Ref()
		_ = kp.Validate(today)
	})
}

func FuzzParseKeyPackageSecrets(f *testing.F) {
	f.Add(newPlayer(X25519, "ana").kp.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseKeyPackageSecrets(b); err == nil {
			same(t, "again", s.Marshal(), b)
		}
	})
}

// FuzzOpen feeds messages to a member; an error leaves no trace.
func FuzzOpen(f *testing.F) {
	p := open(f, X25519, "ana", "bo", "cy")
	for _, x := range p.all {
		x.cfg.AllowPublic, x.cfg.AllowExternal = true, true
		x.reload(f)
	}
	ana := p.as("ana")
	m, _, err := ana.g.Seal([]byte("aad"), []byte("text"))
	ok(f, err)
	f.Add(m)
	m, err = ana.g.Propose(RemoveProposal(2))
	ok(f, err)
	f.Add(m)
	x := newPlayer(X25519, "x")
	for _, public := range []bool{false, true} {
		f.Add(ana.must(CommitParams{Public: public, ForcePath: true, Proposals: []Proposal{AddProposal(x.kp.Public)}}).Message())
	}
	bo := p.as("bo")
	before := bo.state(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := bo.g.Open(b); err != nil {
			same(t, "state", bo.state(t), before)
			return
		}
		bo.g = must(LoadGroup(bo.cfg, bo.store))
	})
}

// FuzzContent feeds what stands inside the encryption: members may be hostile.
func FuzzContent(f *testing.F) {
	p := open(f, X25519, "ana", "bo")
	x := newPlayer(X25519, "x")
	add := AddProposal(x.kp.Public)
	for _, prop := range []*Proposal{&add, {Type: ProposalReInit, ReInit: &ReInit{}}, {Type: ProposalPSK, PSK: &PSKID{Type: PSKResumption, Usage: 1}}} {
		var e encoder
		e.raw([]byte{contentProposal})
		prop.encode(&e)
		f.Add(e.b)
	}
	g := p.as("ana").g
	c := commit{proposals: []proposalOrRef{{proposal: &add}, {ref: make([]byte, 32)}}}
	leaf, _ := g.renewed(nil)
	path, _, err := g.now.tree.clone().renewPath(X25519, g.cfg.Rand, 0, leaf, g.signer, g.groupID)
	ok(f, err)
	c.path = path
	e := encoder{[]byte{contentCommit}}
	c.encode(&e)
	f.Add(e.b)
	bo := p.as("bo").g
	f.Fuzz(func(t *testing.T, b []byte) {
		d := decoder{b: bytes.Clone(b)}
		a := g.authored(d.u8(), nil)
		a.content.decodeBody(&d)
		if d.finish() != nil {
			return
		}
		e := encoder{[]byte{a.content.contentType}}
		a.content.encodeBody(&e)
		same(t, "again", e.b, b)
		if a.content.commit != nil {
			if _, err := bo.receiveCommit(a, nil); err == nil {
				t.Fatal("a commit without a confirmation tag was staged")
			}
		}
	})
}

func FuzzJoin(f *testing.F) {
	p := open(f, X25519, "ana", "bo")
	x := newPlayer(X25519, "x")
	s := p.as("ana").must(CommitParams{ForcePath: true, Proposals: []Proposal{AddProposal(x.kp.Public)}})
	f.Add(s.Welcomes()[0], s.RatchetTree())
	f.Add(s.Welcomes()[0], []byte{})
	f.Fuzz(func(t *testing.T, w, tree []byte) {
		_, _ = JoinGroup(x.cfg, w, x.kp, tree)
		_, _ = WelcomeRefs(w)
	})
}

// FuzzSecrets feeds what stands inside a welcome's encryption.
func FuzzSecrets(f *testing.F) {
	var e encoder
	(&groupSecrets{joiner: make([]byte, 32), path: []byte{}, psks: []PSKID{{Type: PSKExternal}}}).encode(&e)
	f.Add(e.b)
	var i encoder
	(&groupInfo{context: groupContext{suite: X25519}, extensions: []Extension{{2, nil}}}).encode(&i)
	f.Add(i.b)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range []codec{new(groupSecrets), new(groupInfo), new(welcome), new(publicMessage), new(privateMessage), new(authContent)} {
			d := decoder{b: b}
			if v.decode(&d); d.finish() == nil {
				var e encoder
				v.encode(&e)
				same(t, "again", e.b, b)
			}
		}
		_, _ = parseRequiredCapabilities(b)
		_, _ = parseExternalSenders(b)
	})
}

func (a *authContent) encode(e *encoder) { e.raw(a.marshal()) }

func FuzzRatchetTree(f *testing.F) {
	p := open(f, X25519, "ana", "bo", "cy", "dee", "eli")
	p.commit("ana", CommitParams{})
	p.commit("cy", CommitParams{})
	p.add("cy", "fay")
	g := p.as("ana").g
	f.Add(g.RatchetTree())
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := parseTree(bytes.Clone(b))
		if err != nil {
			return
		}
		same(t, "again", tr.marshal(), b)
		_ = tr.validate(g.groupID, g.ContextExtensions(), rules{suite: X25519, longest: MaxLifetime})
		for i := range tr.nodes {
			if tr.checkUnmerged() == nil {
				tr.resolution(uint32(i))
			}
		}
		tr.rootHash()
	})
}

// FuzzLoad replaces one record of a stored group.
func FuzzLoad(f *testing.F) {
	p := open(f, X25519, "ana", "bo", "cy")
	bo := p.as("bo")
	_, err := p.as("cy").g.Propose(UpdateProposal(NewLeaf{}))
	ok(f, err)
	p.commit("ana", CommitParams{})
	_, err = bo.g.Propose(UpdateProposal(NewLeaf{Signer: signerOf("bo 2")}))
	ok(f, err)
	p.as("ana").g.Seal(nil, nil)
	m, _, err := p.as("ana").g.Seal(nil, nil)
	ok(f, err)
	_, err = bo.g.Open(m)
	ok(f, err)
	ok(f, bo.g.Flush(bo.store))
	for k, v := range bo.store {
		f.Add([]byte(k), v)
	}
	f.Fuzz(func(t *testing.T, k, v []byte) {
		store := memory{}
		for k, v := range bo.store {
			store[k] = v
		}
		store[string(k)] = v
		g, err := LoadGroup(bo.cfg, store)
		if err != nil || !g.Active() {
			return
		}
		_, _, _ = g.Seal(nil, []byte("x"))
		if s, err := g.Commit(CommitParams{Pending: true}); err == nil {
			s.Marshal()
			_ = g.Merge(s)
		}
		_ = g.Flush(store)
	})
}

func FuzzParseStagedCommit(f *testing.F) {
	p := open(f, X25519, "ana", "bo", "cy")
	g := p.as("ana").g
	x := newPlayer(X25519, "x")
	f.Add(p.as("ana").must(CommitParams{Proposals: []Proposal{RemoveProposal(1), AddProposal(x.kp.Public)}}).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseStagedCommit(g, b)
		if err != nil {
			return
		}
		s.RatchetTree()
		_, _ = s.Export("x", nil, 16)
		s.Marshal()
	})
}
