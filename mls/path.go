package mls

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
)

// updatePath is UpdatePath (RFC 9420 section 7.6).
type updatePath struct {
	leaf  *LeafNode
	nodes []updatePathNode
}

type updatePathNode struct {
	key     []byte
	secrets []hpkeCiphertext
}

func (p *updatePath) encode(e *encoder) {
	p.leaf.encode(e)
	e.vec(func() {
		for i := range p.nodes {
			e.bytes(p.nodes[i].key)
			e.vec(func() {
				for j := range p.nodes[i].secrets {
					p.nodes[i].secrets[j].encode(e)
				}
			})
		}
	})
}

func (p *updatePath) decode(d *decoder) {
	p.leaf = new(LeafNode)
	p.leaf.decode(d)
	v := d.vec()
	for v.more() {
		n := updatePathNode{key: v.bytes()}
		w := v.vec()
		for w.more() {
			var c hpkeCiphertext
			c.decode(w)
			n.secrets = append(n.secrets, c)
		}
		v.end(w)
		p.nodes = append(p.nodes, n)
	}
	d.end(v)
}

// mergePath puts new keys on a filtered direct path and answers the parent hash
// the leaf must carry (RFC 9420 section 7.5). Hashes go from root to leaf.
func (t *tree) mergePath(leaf uint32, steps []pathStep, keys [][]byte) (leafParentHash []byte) {
	t.blankPath(leaf)
	for i := len(steps) - 1; i >= 0; i-- {
		n := &treeNode{key: keys[i], parentHash: leafParentHash}
		t.nodes[steps[i].node] = n
		leafParentHash = parentHash(n, t.hash(steps[i].copath))
	}
	return leafParentHash
}

// pathSecrets are the secrets of a path its maker or a receiver knows.
type pathSecrets struct {
	priv   map[uint32][]byte // by node
	path   map[uint32][]byte // path secrets by node, for joiners
	public map[uint32][]byte
	commit []byte // the secret after the last node
}

func (s *pathSecrets) erase() {
	if s == nil {
		return
	}
	for _, m := range []map[uint32][]byte{s.priv, s.path} {
		for _, v := range m {
			clear(v)
		}
	}
	clear(s.commit)
}

// derivePath walks a path secret up the nodes (RFC 9420 section 7.4). It
// overwrites first.
func (suite CipherSuite) derivePath(first []byte, nodes []uint32) (*pathSecrets, error) {
	s := &pathSecrets{priv: map[uint32][]byte{}, path: map[uint32][]byte{}, public: map[uint32][]byte{}}
	secret := first
	for _, n := range nodes {
		seed := deriveSecret(secret, "node")
		priv, pub, err := suite.deriveKeyPair(seed)
		clear(seed)
		if err != nil {
			return nil, err
		}
		s.priv[n], s.public[n], s.path[n] = priv, pub, secret
		secret = deriveSecret(secret, "path")
	}
	s.commit = secret
	return s, nil
}

func nodesOf(steps []pathStep) []uint32 {
	list := make([]uint32, len(steps))
	for i, s := range steps {
		list[i] = s.node
	}
	return list
}

// renewPath gives a leaf and its path fresh keys in t and answers the UpdatePath
// without its ciphertexts. leaf is the new leaf, all but keys and signature.
func (t *tree) renewPath(suite CipherSuite, rand io.Reader, own uint32, leaf LeafNode, signer ed25519.PrivateKey, groupID []byte) (*updatePath, *pathSecrets, error) {
	first, err := random(rand, hashSize)
	if err != nil {
		return nil, nil, err
	}
	steps := t.filteredPath(own)
	s, err := suite.derivePath(first, nodesOf(steps))
	if err != nil {
		return nil, nil, err
	}
	leafPriv, leafPub, err := suite.generateKeyPair(rand)
	if err != nil {
		return nil, nil, err
	}
	s.priv[leafNode(own)] = leafPriv
	p := &updatePath{leaf: &leaf}
	var keys [][]byte
	for _, step := range steps {
		keys = append(keys, s.public[step.node])
		p.nodes = append(p.nodes, updatePathNode{key: s.public[step.node]})
	}
	leaf.EncryptionKey, leaf.Source, leaf.NotBefore, leaf.NotAfter = leafPub, sourceCommit, 0, 0
	leaf.ParentHash = t.mergePath(own, steps, keys)
	leaf.sign(signer, groupID, own)
	t.set(leafNode(own), &treeNode{leaf: &leaf})
	return p, s, nil
}

// receivers is the resolution of a copath node without the leaves that the same
// commit adds; they get their secrets from the welcome.
func (t *tree) receivers(copath uint32, added []uint32) []uint32 {
	return slices.DeleteFunc(t.resolution(copath), func(n uint32) bool {
		return isLeaf(n) && slices.Contains(added, n/2)
	})
}

// encryptPath fills in the ciphertexts (RFC 9420 section 7.5). In a tree of
// blank parents that is one encapsulation for each member, so they are spread
// over the processors.
func (t *tree) encryptPath(suite CipherSuite, p *updatePath, s *pathSecrets, own uint32, added []uint32, context []byte) error {
	type job struct {
		node, place int
		key, secret []byte
	}
	var jobs []job
	for i, step := range t.filteredPath(own) {
		to := t.receivers(step.copath, added)
		p.nodes[i].secrets = make([]hpkeCiphertext, len(to))
		for j, n := range to {
			jobs = append(jobs, job{i, j, t.nodes[n].encryptionKey(), s.path[step.node]})
		}
	}
	return parallel(len(jobs), func(i int) (err error) {
		j := jobs[i]
		p.nodes[j.node].secrets[j.place], err = suite.encryptWithLabel(j.key, "UpdatePathNode", context, j.secret)
		return err
	})
}

// parallel runs fn for 0..n-1 on every processor and answers one of the errors.
func parallel(n int, fn func(int) error) error {
	workers := min(runtime.GOMAXPROCS(0), n)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += workers {
				errs[w] = fn(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkPath compares the shape of a received path with the tree: a node for each
// step, a ciphertext for each receiver, keys that the suite can use.
func (t *tree) checkPath(suite CipherSuite, p *updatePath, steps []pathStep, added []uint32) error {
	if len(p.nodes) != len(steps) {
		return fail(ErrInvalidCommit, "path of %d nodes instead of %d", len(p.nodes), len(steps))
	}
	for i, n := range p.nodes {
		if _, err := suite.publicKey(n.key); err != nil {
			return fail(ErrInvalidCommit, "path node %d: %v", i, err)
		}
		if want := len(t.receivers(steps[i].copath, added)); len(n.secrets) != want {
			return fail(ErrInvalidCommit, "path node %d has %d ciphertexts instead of %d", i, len(n.secrets), want)
		}
	}
	return nil
}

// decryptPath finds our ciphertext and derives what it opens (RFC 9420 section 7.5).
func (t *tree) decryptPath(suite CipherSuite, p *updatePath, steps []pathStep, own uint32, priv map[uint32][]byte, added []uint32, context []byte) (*pathSecrets, error) {
	for i, step := range steps {
		if !under(own, step.copath) {
			continue
		}
		for j, n := range t.receivers(step.copath, added) {
			if priv[n] == nil || (isLeaf(n) && n != leafNode(own)) || j >= len(p.nodes[i].secrets) {
				continue
			}
			secret, err := suite.decryptWithLabel(priv[n], "UpdatePathNode", context, p.nodes[i].secrets[j])
			if err != nil {
				return nil, err
			}
			return suite.openPath(secret, p, steps, i)
		}
	}
	return nil, fail(ErrInvalidCommit, "its path holds no secret for us")
}

// openPath derives the path from step i up and compares it with the keys sent.
func (suite CipherSuite) openPath(secret []byte, p *updatePath, steps []pathStep, i int) (*pathSecrets, error) {
	if len(secret) != hashSize {
		return nil, fail(ErrInvalidCommit, "path secret of %d bytes", len(secret))
	}
	s, err := suite.derivePath(secret, nodesOf(steps[i:]))
	if err != nil {
		return nil, err
	}
	for ; i < len(steps); i++ {
		if !bytes.Equal(s.public[steps[i].node], p.nodes[i].key) {
			s.erase()
			return nil, fail(ErrInvalidCommit, "path secret does not fit the key of node %d", steps[i].node)
		}
	}
	return s, nil
}

// carryKeys answers the private keys we have in the new tree: those whose node
// kept its key, and fresh ones.
func (e *epoch) carryKeys(next *tree, fresh map[uint32][]byte) map[uint32][]byte {
	priv := map[uint32][]byte{}
	for n, k := range e.priv {
		was, is := e.tree.at(n), next.at(n)
		if was != nil && is != nil && bytes.Equal(was.encryptionKey(), is.encryptionKey()) {
			priv[n] = bytes.Clone(k)
		}
	}
	maps.Copy(priv, fresh)
	return priv
}
