package mls

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"time"
)

// refused checks the class and the reason, so that no case fails for another
// reason than its own.
func refused(t *testing.T, err, class error, reason string) {
	t.Helper()
	wants(t, err, class)
	if !strings.Contains(err.Error(), reason) {
		t.Fatalf("refused because of %q, want %q", err, reason)
	}
}

// resign signs a key package again after it was changed.
func resign(kp *KeyPackage, key ed25519.PrivateKey) *KeyPackage {
	kp.Leaf.sign(key, nil, 0)
	var e encoder
	kp.encodeUnsigned(&e)
	kp.Signature = signWithLabel(key, "KeyPackageTBS", e.b)
	return kp
}

func TestKeyPackageValidation(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(kp *KeyPackage)
		reason string // empty: valid
	}{
		{"as made", func(*KeyPackage) {}, ""},
		{"version", func(kp *KeyPackage) { kp.version = 2 }, "version"},
		{"source", func(kp *KeyPackage) { kp.Leaf.Source = sourceUpdate }, "does not come from a key package"},
		{"same keys", func(kp *KeyPackage) { kp.InitKey = kp.Leaf.EncryptionKey }, "are the same"},
		{"init key", func(kp *KeyPackage) { kp.InitKey = kp.InitKey[1:] }, "init key"},
		{"encryption key", func(kp *KeyPackage) { kp.Leaf.EncryptionKey = nil }, "encryption key"},
		{"own versions", func(kp *KeyPackage) { kp.Leaf.Capabilities.Versions = nil }, "versions"},
		{"own suites", func(kp *KeyPackage) { kp.Leaf.Capabilities.Suites = []uint16{7} }, "suites"},
		{"own credential", func(kp *KeyPackage) { kp.Leaf.Capabilities.Credentials = nil }, "credential type"},
		{"own extension", func(kp *KeyPackage) { kp.Leaf.Extensions = []Extension{{0xF3F3, nil}} }, "0xf3f3"},
		{"package extension", func(kp *KeyPackage) { kp.Extensions = []Extension{{0xF3F3, nil}} }, "0xf3f3"},
		{"extension twice", func(kp *KeyPackage) { kp.Extensions = []Extension{{ExtLastResort, nil}, {ExtLastResort, nil}} }, "twice"},
		{"leaf extension twice", func(kp *KeyPackage) { kp.Leaf.Extensions = []Extension{{1, nil}, {1, nil}} }, "twice"},
		{"too early", func(kp *KeyPackage) { kp.Leaf.NotBefore = uint64(today.Unix()) + 1 }, "not begun"},
		{"too late", func(kp *KeyPackage) { kp.Leaf.NotAfter = uint64(today.Unix()) - 1 }, "is over"},
		{"backwards", func(kp *KeyPackage) { kp.Leaf.NotAfter = 5 }, "before it begins"},
		{"too long", func(kp *KeyPackage) { kp.Leaf.NotAfter = 1 << 62 }, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newPlayer(XWing, "ana")
			c.change(x.kp.Public)
			err := resign(x.kp.Public, x.cfg.Signer).Validate(today)
			if c.reason == "" {
				ok(t, err)
				return
			}
			refused(t, err, ErrInvalidKey, c.reason)
		})
	}
	x := newPlayer(XWing, "ana")
	x.kp.Public.Signature[3] ^= 1
	refused(t, x.kp.Public.Validate(today), ErrInvalidKey, "signature")
	x = newPlayer(XWing, "ana")
	x.kp.Public.Leaf.Signature[3] ^= 1
	refused(t, x.kp.Public.Validate(today), ErrInvalidKey, "signature")
	x = newPlayer(XWing, "ana")
	x.kp.Public.Suite = 2
	wants(t, x.kp.Public.Validate(today), ErrInvalidKey)
	back := must(ParseKeyPackageSecrets(newPlayer(XWing, "bo").kp.Marshal()))
	ok(t, back.Public.Validate(today))
}

// forgery is a commit that its maker did not validate.
type forgery struct {
	proposals []PendingProposal
	path      bool
	change    func(c *commit)      // before it is signed
	leaf      func(l *LeafNode)    // of the path, before it is signed
	tree      func(ch *change)     // before the path is made
	secrets   func(s *pathSecrets) // before they are encrypted
}

func byValue(sender uint32, list ...Proposal) (out []PendingProposal) {
	for _, p := range list {
		out = append(out, PendingProposal{Proposal: p, Sender: sender})
	}
	return out
}

// forge makes the message; the confirmation tag is junk unless everything else
// was right.
func forge(t *testing.T, g *Group, f forgery) []byte {
	t.Helper()
	c := &commit{}
	for i := range f.proposals {
		c.proposals = append(c.proposals, proposalOrRef{proposal: &f.proposals[i].Proposal})
	}
	ch, err := g.now.applyProposals(f.proposals, author{leaf: g.now.own}, g.rules(false))
	if err != nil {
		ch = &change{tree: g.now.tree.clone(), extensions: g.now.context.extensions}
	}
	if f.path {
		if f.tree != nil {
			f.tree(ch)
		}
		leaf, _ := g.renewed(nil)
		p, s, err := ch.tree.renewPath(g.cfg.Suite, g.cfg.Rand, g.now.own, leaf, g.signer, g.groupID)
		ok(t, err)
		if f.leaf != nil {
			f.leaf(p.leaf)
			p.leaf.sign(g.signer, g.groupID, g.now.own)
		}
		if f.secrets != nil {
			f.secrets(s)
		}
		context := g.now.provisional(ch)
		ok(t, ch.tree.encryptPath(g.cfg.Suite, p, s, g.now.own, ch.added, context.marshal()))
		c.path = p
	}
	if f.change != nil {
		f.change(c)
	}
	a := g.authored(contentCommit, nil)
	a.content.commit = c
	a.sign(g.signer, g.now.encoded)
	a.confirmationTag = make([]byte, hashSize)
	m, _, err := g.framePrivate(a, ratchetHandshake)
	ok(t, err)
	return m
}

func TestCommitValidation(t *testing.T) {
	suite := X25519
	p := open(t, suite, "ana", "bo", "cy", "dee")
	ana, bo := p.as("ana"), p.as("bo")
	a, b, c := p.leaf("ana"), p.leaf("bo"), p.leaf("cy")
	add := func(change func(x *player)) Proposal {
		x := newPlayer(suite, "new")
		if change != nil {
			change(x)
			resign(x.kp.Public, x.cfg.Signer)
		}
		return AddProposal(x.kp.Public)
	}
	psk := func(id PSKID) Proposal { return Proposal{Type: ProposalPSK, PSK: &id} }
	nonce := make([]byte, 32)
	update := Proposal{Type: ProposalUpdate, Leaf: must(bo.g.updateFor(b))}
	firstKey := func(c *commit) *[]byte { return &c.path.nodes[0].key }
	list := func(l ...Proposal) []PendingProposal { return byValue(a, l...) }
	for _, f := range []struct {
		name   string
		f      forgery
		class  error
		reason string
	}{
		{"junk tag", forgery{path: true}, ErrInvalidCommit, "confirmation tag"},
		{"empty without path", forgery{}, ErrInvalidCommit, "needs a path"},
		{"remove without path", forgery{proposals: list(RemoveProposal(c))}, ErrInvalidCommit, "needs a path"},
		{"extensions without path", forgery{proposals: list(GroupContextExtensionsProposal(nil))}, ErrInvalidCommit, "needs a path"},
		{"removes itself", forgery{proposals: list(RemoveProposal(a)), path: true}, ErrInvalidCommit, "removes the committer"},
		{"removes nobody", forgery{proposals: list(RemoveProposal(77)), path: true}, ErrInvalidCommit, "blank"},
		{"removes twice", forgery{proposals: list(RemoveProposal(c), RemoveProposal(c)), path: true}, ErrInvalidCommit, "twice"},
		{"updates itself", forgery{proposals: list(update), path: true}, ErrInvalidCommit, "update by the committer"},
		{"external init", forgery{proposals: list(Proposal{Type: ProposalExternalInit, KEMOutput: nonce}), path: true}, ErrInvalidCommit, "external init"},
		{"re-init", forgery{proposals: list(Proposal{Type: ProposalReInit, ReInit: &ReInit{Version: 1, Suite: suite}})}, ErrUnsupported, "re-initialisation"},
		{"psk nonce", forgery{proposals: list(psk(PSKID{Type: PSKExternal, Nonce: nonce[1:]}))}, ErrInvalidCommit, "nonce"},
		{"psk branch", forgery{proposals: list(psk(PSKID{Type: PSKResumption, Usage: usageBranch, Nonce: nonce}))}, ErrInvalidCommit, "branch"},
		{"psk re-init", forgery{proposals: list(psk(PSKID{Type: PSKResumption, Usage: usageReInit, Nonce: nonce}))}, ErrInvalidCommit, "re-initialisation"},
		{"psk twice", forgery{proposals: list(psk(PSKID{Type: PSKExternal, Nonce: nonce}), psk(PSKID{Type: PSKExternal, Nonce: nonce}))}, ErrInvalidCommit, "twice"},
		{"psk unknown", forgery{proposals: list(psk(PSKID{Type: PSKExternal, Nonce: nonce}))}, ErrPSK, ""},
		{"extensions twice", forgery{proposals: list(GroupContextExtensionsProposal(nil), GroupContextExtensionsProposal(nil)), path: true}, ErrInvalidCommit, "twice"},
		{"an extension twice", forgery{proposals: list(GroupContextExtensionsProposal([]Extension{{appExtension, nil}, {appExtension, nil}})), path: true}, ErrInvalidCommit, "twice"},
		{"extension nobody knows", forgery{proposals: list(GroupContextExtensionsProposal([]Extension{{0xF0F1, nil}})), path: true}, ErrInvalidCommit, "0xf0f1"},
		{"required nobody has", forgery{proposals: list(GroupContextExtensionsProposal([]Extension{RequiredCapabilities{Proposals: []uint16{0xF0F2}}.Extension()})), path: true}, ErrInvalidCommit, "0xf0f2"},
		{"required malformed", forgery{proposals: list(GroupContextExtensionsProposal([]Extension{{ExtRequiredCapabilities, nonce}})), path: true}, ErrMalformed, ""},
		{"add of a member", forgery{proposals: list(add(func(x *player) { x.cfg.Signer = signerOf("cy") }))}, ErrInvalidCommit, "signature key of leaf"},
		{"add of the same twice", forgery{proposals: list(add(nil), add(nil))}, ErrInvalidCommit, "signature key of leaf"},
		{"add with a used key", forgery{proposals: list(add(func(x *player) { x.kp.Public.Leaf.EncryptionKey = bo.g.Member(c).EncryptionKey }))}, ErrInvalidCommit, "encryption key of node"},
		{"add of another suite", forgery{proposals: list(AddProposal(newPlayer(XWing, "x").kp.Public))}, ErrInvalidCommit, "cipher suite"},
		{"add without the extension", forgery{proposals: list(add(func(x *player) { x.kp.Public.Leaf.Capabilities.Extensions = []uint16{ExtLastResort} }))}, ErrInvalidCommit, "0xf100"},
		{"add without our credentials", forgery{proposals: list(add(func(x *player) {
			x.kp.Public.Leaf.Credential = Credential{Type: CredentialX509}
			x.kp.Public.Leaf.Capabilities.Credentials = []uint16{CredentialX509}
		}))}, ErrInvalidCommit, "credential type"},
		{"add that lives too long", forgery{proposals: list(add(func(x *player) { x.kp.Public.Leaf.NotAfter = 1 << 60 }))}, ErrInvalidCommit, "longer"},
		{"unknown reference", forgery{path: true, change: func(c *commit) { c.proposals = []proposalOrRef{{ref: nonce}} }}, ErrInvalidCommit, "never received"},
		{"leaf source", forgery{path: true, leaf: func(l *LeafNode) { l.Source = sourceUpdate }}, ErrInvalidCommit, "comes from a commit"},
		{"leaf parent hash", forgery{path: true, leaf: func(l *LeafNode) { l.ParentHash = nonce }}, ErrInvalidCommit, "parent hash"},
		{"leaf signature", forgery{path: true, change: func(c *commit) { c.path.leaf.Signature[0] ^= 1 }}, ErrInvalidLeaf, "signature"},
		{"leaf keeps its key", forgery{path: true, leaf: func(l *LeafNode) { l.EncryptionKey = bo.g.Member(a).EncryptionKey }}, ErrInvalidCommit, "keeps"},
		{"leaf takes a key", forgery{path: true, leaf: func(l *LeafNode) { l.EncryptionKey = bo.g.Member(c).EncryptionKey }}, ErrInvalidCommit, "stands in node"},
		{"leaf drops the extension", forgery{path: true, leaf: func(l *LeafNode) { l.Capabilities.Extensions = nil }}, ErrInvalidCommit, "0xf100"},
		{"leaf drops credentials", forgery{path: true, leaf: func(l *LeafNode) { l.Capabilities.Credentials = nil }}, ErrInvalidLeaf, "credential"},
		{"node takes a key", forgery{path: true, change: func(c *commit) { *firstKey(c) = bo.g.Member(2).EncryptionKey }}, ErrInvalidCommit, "stands in node"},
		{"node with the leaf's key", forgery{path: true, change: func(c *commit) { *firstKey(c) = c.path.leaf.EncryptionKey }}, ErrInvalidCommit, "stands in the path twice"},
		{"node key", forgery{path: true, change: func(c *commit) { *firstKey(c) = nonce[1:] }}, ErrInvalidCommit, "path node 0"},
		{"node missing", forgery{path: true, change: func(c *commit) { c.path.nodes = c.path.nodes[1:] }}, ErrInvalidCommit, "nodes instead of"},
		{"ciphertext missing", forgery{path: true, change: func(c *commit) { c.path.nodes[1].secrets = c.path.nodes[1].secrets[1:] }}, ErrInvalidCommit, "ciphertexts"},
		{"ciphertext broken", forgery{path: true, change: func(c *commit) { c.path.nodes[0].secrets[0].ciphertext[0] ^= 1 }}, ErrDecrypt, ""},
		{"other path secret", forgery{path: true, secrets: func(s *pathSecrets) { s.path[1] = bytes.Repeat([]byte{9}, 32) }}, ErrInvalidCommit, "does not fit"},
		{"short path secret", forgery{path: true, secrets: func(s *pathSecrets) { s.path[1] = []byte{9} }}, ErrInvalidCommit, "path secret of"},
	} {
		t.Run(f.name, func(t *testing.T) {
			before := bo.state(t)
			_, err := bo.g.Open(forge(t, ana.g, f.f))
			refused(t, err, f.class, f.reason)
			same(t, "state", bo.state(t), before)
		})
	}
	p.commit("ana", CommitParams{})
}

// updateFor makes a signed Update leaf.
func (g *Group) updateFor(leaf uint32) (*LeafNode, error) {
	var p Proposal
	p.renew = &NewLeaf{}
	err := g.makeUpdate(&p, &pendingProposal{})
	return p.Leaf, err
}

func TestUpdateValidation(t *testing.T) {
	p := open(t, X25519, "ana", "bo", "cy")
	bo, cy := p.as("bo").g, p.as("cy").g
	for _, c := range []struct {
		reason string
		change func(l *LeafNode)
	}{
		{"does not say so", func(l *LeafNode) { l.Source = sourceCommit }},
		{"keeps its encryption key", func(l *LeafNode) { l.EncryptionKey = bo.Member(bo.OwnLeaf()).EncryptionKey }},
	} {
		leaf := must(bo.updateFor(bo.OwnLeaf()))
		c.change(leaf)
		leaf.sign(bo.signer, bo.groupID, bo.OwnLeaf())
		a := bo.authored(contentProposal, nil)
		a.content.proposal = &Proposal{Type: ProposalUpdate, Leaf: leaf}
		a.sign(bo.signer, bo.now.encoded)
		m, _, err := bo.framePrivate(a, ratchetHandshake)
		ok(t, err)
		_, err = cy.Open(m)
		refused(t, err, ErrInvalidLeaf, c.reason)
	}
	leaf := must(bo.updateFor(0))
	leaf.sign(bo.signer, bo.groupID, 0) // for another leaf index
	a := bo.authored(contentProposal, nil)
	a.content.proposal = &Proposal{Type: ProposalUpdate, Leaf: leaf}
	a.sign(bo.signer, bo.now.encoded)
	m, _, err := bo.framePrivate(a, ratchetHandshake)
	ok(t, err)
	_, err = cy.Open(m)
	refused(t, err, ErrInvalidLeaf, "signature")
}

func TestTreeValidation(t *testing.T) {
	p := open(t, X25519, "ana", "bo", "cy", "dee", "eli")
	p.commit("ana", CommitParams{})
	p.commit("cy", CommitParams{})
	p.add("cy", "fay") // unmerged where cy's path is
	g := p.as("ana").g
	r := rules{suite: X25519, longest: MaxLifetime}
	parent := func(t *tree, n uint32, change func(n *treeNode)) {
		v := *t.nodes[n]
		v.unmerged = slices.Clone(v.unmerged)
		change(&v)
		t.set(n, &v)
	}
	leaf := func(t *tree, i uint32, change func(l *LeafNode)) {
		l := *t.leaf(i)
		change(&l)
		t.set(leafNode(i), &treeNode{leaf: &l})
	}
	root := g.now.tree.root()
	for _, c := range []struct {
		reason string
		change func(t *tree)
	}{
		{"", func(*tree) {}},
		{"vouched", func(t *tree) { parent(t, root, func(n *treeNode) { n.key = bytes.Repeat([]byte{1}, 32) }) }},
		{"vouched", func(t *tree) { parent(t, root, func(n *treeNode) { n.parentHash = []byte{1} }) }},
		{"vouched", func(t *tree) { parent(t, root, func(n *treeNode) { n.unmerged = nil }) }},
		{"vouched", func(t *tree) { t.set(1, &treeNode{key: bytes.Repeat([]byte{1}, 32)}) }},
		{"not a member below", func(t *tree) { parent(t, root, func(n *treeNode) { n.unmerged = []uint32{6} }) }},
		{"not a member below", func(t *tree) { parent(t, 3, func(n *treeNode) { n.unmerged = []uint32{4} }) }},
		{"but not at node", func(t *tree) {
			parent(t, root, func(n *treeNode) { n.unmerged = []uint32{0, 5} })
		}},
	} {
		tr := g.now.tree.clone()
		c.change(tr)
		err := tr.validate(g.groupID, g.ContextExtensions(), r)
		if c.reason == "" {
			ok(t, err)
			continue
		}
		refused(t, err, ErrInvalidTree, c.reason)
	}
	flat := open(t, X25519, "ana", "bo", "cy", "dee", "eli", "fay").as("bo").g // no parents: no parent hashes to break
	for _, c := range []struct {
		reason string
		change func(t *tree)
	}{
		{"", func(*tree) {}},
		{"signature does not verify", func(t *tree) { leaf(t, 4, func(l *LeafNode) { l.Credential = BasicCredential([]byte("eve")) }) }},
		{"longer than", func(t *tree) {
			leaf(t, 4, func(l *LeafNode) { l.NotAfter = 1 << 62; l.sign(signerOf("eli"), nil, 0) })
		}},
		{"signature key of leaf", func(t *tree) { leaf(t, 4, func(l *LeafNode) { l.sign(signerOf("fay"), nil, 0) }) }},
		{"encryption key of node", func(t *tree) {
			leaf(t, 4, func(l *LeafNode) { l.EncryptionKey = t0key(t, 5); l.sign(signerOf("eli"), nil, 0) })
		}},
		{"0xf100", func(t *tree) {
			leaf(t, 4, func(l *LeafNode) { l.Capabilities.Extensions = nil; l.sign(signerOf("eli"), nil, 0) })
		}},
	} {
		tr := flat.now.tree.clone()
		c.change(tr)
		err := tr.validate(flat.groupID, flat.ContextExtensions(), r)
		if c.reason == "" {
			ok(t, err)
			continue
		}
		refused(t, err, ErrInvalidTree, c.reason)
	}
	for _, raw := range [][]byte{nil, {0}, {1, 0}, {1, 1}, {2, 0, 0}, {0x40, 1, 0}, append(g.RatchetTree(), 0)} {
		if _, err := parseTree(raw); err == nil {
			t.Fatalf("parsed %x", raw)
		}
	}
}

func t0key(t *tree, leaf uint32) []byte { return t.leaf(leaf).EncryptionKey }

func TestStrictLifetime(t *testing.T) {
	p := open(t, X25519, "ana", "bo")
	p.as("bo").cfg.StrictLifetime = true
	p.as("bo").cfg.Now = func() time.Time { return today.Add(31 * 24 * time.Hour) }
	p.as("bo").reload(t)
	x := newPlayer(X25519, "cy")
	s := p.as("ana").must(CommitParams{Proposals: []Proposal{AddProposal(x.kp.Public)}})
	_, err := p.as("bo").g.Open(s.Message())
	refused(t, err, ErrInvalidCommit, "is over")
	_, err = p.as("bo").g.Commit(CommitParams{Proposals: []Proposal{AddProposal(x.kp.Public)}})
	refused(t, err, ErrInvalidCommit, "is over")
	p.as("bo").cfg.StrictLifetime = false
	p.as("bo").reload(t)
	_, err = p.as("bo").g.Open(s.Message())
	ok(t, err)
}

func TestDecoder(t *testing.T) {
	for _, raw := range [][]byte{{}, {0x40}, {0x40, 0x3f}, {0x80, 0, 0x3f, 0xff}, {0xc0}, {0xc0, 0, 0, 0, 0, 0, 0, 1}, {5, 1, 2}, {0xbf, 0xff, 0xff, 0xff}} {
		d := decoder{b: raw}
		if d.bytes(); d.err == nil {
			t.Fatalf("%x was read", raw)
		}
		wants(t, d.err, ErrMalformed)
	}
	d := decoder{b: []byte{2}}
	if d.optional() || d.err == nil {
		t.Fatal("presence 2")
	}
}
