package mls

import (
	"bytes"
	"maps"
	"slices"
	"testing"
)

// state is everything the group would write, as bytes.
func (x *player) state(t testing.TB) []byte {
	t.Helper()
	ok(t, x.g.Flush(x.store))
	fresh := memory{}
	full := *x.g
	full.dirty, full.flushed = map[recordKey]struct{}{groupKey: {}}, nil
	for n := range full.now.priv {
		full.dirty[privateKeyKey(n)] = struct{}{}
	}
	for n := range full.now.keys.nodes {
		full.dirty[nodeSecretKey(n)] = struct{}{}
	}
	for id := range full.now.keys.ratchets {
		full.dirty[ratchetKey(id)] = struct{}{}
	}
	for id := range full.now.keys.skipped {
		full.dirty[skippedKey(id)] = struct{}{}
	}
	for _, q := range full.pending {
		full.dirty[pendingKey(q.serial)] = struct{}{}
	}
	ok(t, full.Flush(fresh))
	if !maps.EqualFunc(fresh, x.store, bytes.Equal) {
		t.Fatalf("%s: the store differs from the group: %d and %d records", x.name, len(x.store), len(fresh))
	}
	var b []byte
	for _, k := range slices.Sorted(maps.Keys(fresh)) {
		b = append(append(b, k...), fresh[k]...)
	}
	return b
}

// holds says whether a secret stands anywhere in the store.
func (x *player) holds(secret []byte) bool {
	for _, v := range x.store {
		if bytes.Contains(v, secret) {
			return true
		}
	}
	return false
}

func TestForwardSecrecy(t *testing.T) {
	p := open(t, XWing, "ana", "bo", "cy")
	ana, bo := p.as("ana"), p.as("bo")
	root := bytes.Clone(bo.g.now.keys.nodes[rootOf(4)][:])
	leaf := ratchetID{ana.g.OwnLeaf(), ratchetApplication}
	if !bo.holds(root) {
		t.Fatal("the encryption secret is not in the store yet")
	}
	var used [][]byte
	used = append(used, root)
	for range 3 {
		m, gen, err := ana.g.Seal(nil, []byte("text"))
		ok(t, err)
		step, err := bo.g.now.keys.step(leaf, gen, 10)
		ok(t, err)
		used = append(used, bytes.Clone(step.key.key[:]))
		if r := bo.g.now.keys.ratchets[leaf]; r != nil {
			used = append(used, bytes.Clone(r.secret[:]))
		}
		_, err = bo.g.Open(m)
		ok(t, err)
		_, err = bo.g.Open(m)
		wants(t, err, ErrGeneration)
	}
	bo.state(t)
	ana.state(t)
	for i, s := range used {
		if bo.holds(s) || ana.holds(s) {
			t.Fatalf("secret %d is still stored", i)
		}
	}
	var old [][]byte
	for _, x := range p.all {
		for _, s := range x.g.now.secrets.all() {
			old = append(old, bytes.Clone(*s))
		}
		for n, k := range x.g.now.priv {
			if n == leafNode(ana.g.OwnLeaf()) {
				old = append(old, bytes.Clone(k))
			}
		}
		for _, s := range x.g.now.keys.nodes {
			old = append(old, bytes.Clone(s[:]))
		}
		for _, r := range x.g.now.keys.ratchets {
			old = append(old, bytes.Clone(r.secret[:]))
		}
	}
	secrets := bo.g.now.secrets
	p.commit("ana", CommitParams{})
	if !bytes.Equal(secrets.exporter, make([]byte, hashSize)) && bo.g.now != nil {
		// reload made a new Group of bo, but the old one's memory was overwritten by Merge
		t.Fatal("the old epoch's exporter secret is still in memory")
	}
	for _, x := range p.all {
		x.state(t)
		for i, s := range old {
			if x.holds(s) {
				t.Fatalf("%s still stores old secret %d", x.name, i)
			}
		}
	}
}

func TestSkipping(t *testing.T) {
	p := open(t, XWing, "ana", "bo")
	ana, bo := p.as("ana"), p.as("bo")
	bo.cfg.MaxForward = 5
	bo.reload(t)
	var messages [][]byte
	for range 12 {
		m, _, err := ana.g.Seal(nil, []byte("x"))
		ok(t, err)
		messages = append(messages, m)
	}
	_, err := bo.g.Open(messages[6])
	wants(t, err, ErrGeneration)
	_, err = bo.g.Open(messages[5])
	ok(t, err)
	bo.reload(t)
	_, err = bo.g.Open(messages[2])
	ok(t, err)
	_, err = bo.g.Open(messages[2])
	wants(t, err, ErrGeneration)
	bo.state(t)
	_, err = bo.g.Open(messages[10])
	ok(t, err)
	bo.reload(t)
	for i, want := range map[int]error{0: ErrGeneration, 1: ErrGeneration, 3: ErrGeneration, 4: nil, 6: nil, 9: nil, 11: nil} {
		if _, err := bo.g.Open(messages[i]); want == nil && err != nil || want != nil && err == nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	bo.state(t)
}

func TestTampering(t *testing.T) {
	p := open(t, XWing, "ana", "bo", "cy")
	ana, bo := p.as("ana"), p.as("bo")
	ana.cfg.Padding = 64
	ana.reload(t)
	app, _, err := ana.g.Seal([]byte("aad"), []byte("text"))
	ok(t, err)
	prop, err := ana.g.Propose(RemoveProposal(p.leaf("cy")))
	ok(t, err)
	commit := ana.must(CommitParams{}).Message()
	before := bo.state(t)
	for _, m := range [][]byte{app, prop, commit} {
		for i := range m {
			for _, bit := range []byte{1, 0x80} {
				bad := bytes.Clone(m)
				bad[i] ^= bit
				if _, err := bo.g.Open(bad); err == nil {
					t.Fatalf("byte %d changed and opened", i)
				}
			}
		}
		for i := range min(len(m), 300) {
			if _, err := bo.g.Open(m[:i]); err == nil {
				t.Fatalf("cut at %d and opened", i)
			}
		}
		if _, err := bo.g.Open(append(bytes.Clone(m), 0)); err == nil {
			t.Fatal("longer and opened")
		}
	}
	same(t, "state", bo.state(t), before)
	for _, m := range [][]byte{app, prop, commit} {
		_, err := bo.g.Open(m)
		ok(t, err)
	}
}

func TestTamperedWelcome(t *testing.T) {
	p := open(t, X25519, "ana", "bo")
	d := newPlayer(X25519, "dee")
	s := p.as("ana").must(CommitParams{ForcePath: true, Proposals: []Proposal{AddProposal(d.kp.Public)}})
	w := s.Welcomes()[0]
	for i := range w {
		bad := bytes.Clone(w)
		bad[i] ^= 1
		if _, err := JoinGroup(d.cfg, bad, d.kp, nil); err == nil {
			t.Fatalf("byte %d changed and joined", i)
		}
	}
	tree := s.RatchetTree()
	for i := range tree {
		bad := bytes.Clone(tree)
		bad[i] ^= 1
		if _, err := JoinGroup(d.cfg, w, d.kp, bad); err == nil {
			t.Fatalf("byte %d of the tree changed and joined", i)
		}
	}
	_, err := JoinGroup(d.cfg, w, d.kp, tree)
	ok(t, err)
	_, err = JoinGroup(d.cfg, w, newPlayer(X25519, "dee").kp, nil)
	wants(t, err, ErrInvalidWelcome)
}
