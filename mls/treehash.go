package mls

import (
	"bytes"
	"slices"
)

// hash is the tree hash of a node (RFC 9420 section 7.8); it is computed once
// and shared by every copy of the tree.
func (t *tree) hash(node uint32) *[hashSize]byte {
	if h := t.hashes[node]; h != nil {
		return h
	}
	var h [hashSize]byte
	if isLeaf(node) {
		h = leafHash(node/2, t.nodes[node])
	} else {
		h = parentNodeHash(t.nodes[node], t.hash(leftOf(node)), t.hash(rightOf(node)))
	}
	t.hashes[node] = &h
	return &h
}

func (t *tree) rootHash() []byte { return t.hash(t.root())[:] }

func leafHash(leaf uint32, n *treeNode) [hashSize]byte {
	var e encoder
	e.u8(1)
	e.u32(leaf)
	e.bool(n != nil)
	if n != nil {
		n.leaf.encode(&e)
	}
	return hash(e.b)
}

func parentNodeHash(n *treeNode, left, right *[hashSize]byte) [hashSize]byte {
	var e encoder
	e.u8(2)
	e.bool(n != nil)
	if n != nil {
		n.encodeParent(&e)
	}
	e.bytes(left[:])
	e.bytes(right[:])
	return hash(e.b)
}

// hashWithout is the tree hash of a node as if these leaves had not been added
// (the original sibling tree hash of RFC 9420 section 7.9).
func (t *tree) hashWithout(node uint32, gone []uint32) *[hashSize]byte {
	first, end := span(node)
	i, _ := slices.BinarySearch(gone, first)
	j, _ := slices.BinarySearch(gone, end)
	if i == j {
		return t.hash(node)
	}
	gone = gone[i:j]
	var h [hashSize]byte
	if isLeaf(node) {
		h = leafHash(node/2, nil)
		return &h
	}
	n := t.nodes[node]
	if n != nil {
		left := slices.DeleteFunc(slices.Clone(n.unmerged), func(u uint32) bool {
			_, ok := slices.BinarySearch(gone, u)
			return ok
		})
		n = &treeNode{key: n.key, parentHash: n.parentHash, unmerged: left}
	}
	h = parentNodeHash(n, t.hashWithout(leftOf(node), gone), t.hashWithout(rightOf(node), gone))
	return &h
}

// parentHash of a parent with this copath child (RFC 9420 section 7.9).
func parentHash(n *treeNode, sibling *[hashSize]byte) []byte {
	var e encoder
	e.bytes(n.key)
	e.bytes(n.parentHash)
	e.bytes(sibling[:])
	sum := hash(e.b)
	return sum[:]
}

// storedParentHash is the parent_hash field of a node, if it has one.
func (n *treeNode) storedParentHash() ([]byte, bool) {
	if n.leaf != nil {
		return n.leaf.ParentHash, n.leaf.Source == sourceCommit
	}
	return n.parentHash, true
}

// checkParentHashes verifies that every parent is parent-hash valid: that
// exactly one descendant vouches for it (RFC 9420 section 7.9.2).
func (t *tree) checkParentHashes() error {
	for i := 1; i < len(t.nodes); i += 2 {
		p := uint32(i)
		if t.nodes[p] == nil {
			continue
		}
		if n := t.vouchers(p, leftOf(p), rightOf(p)) + t.vouchers(p, rightOf(p), leftOf(p)); n != 1 {
			return fail(ErrInvalidTree, "parent %d is vouched for by %d nodes", p, n)
		}
	}
	return nil
}

// vouchers counts the nodes D in the resolution of c whose parent hash is that
// of p with sibling s, everything else there being unmerged at p.
func (t *tree) vouchers(p, c, s uint32) (count int) {
	parent := t.nodes[p]
	want := parentHash(parent, t.hashWithout(s, parent.unmerged))
	resolution := t.resolution(c)
	var unmerged []uint32
	for _, u := range parent.unmerged {
		if under(u, c) {
			unmerged = append(unmerged, leafNode(u))
		}
	}
	if len(unmerged)+1 != len(resolution) {
		return 0
	}
	for _, d := range resolution {
		h, ok := t.nodes[d].storedParentHash()
		if !ok || !bytes.Equal(h, want) {
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(resolution), func(n uint32) bool { return n == d })
		slices.Sort(rest)
		if slices.Equal(rest, unmerged) {
			count++
		}
	}
	return count
}
