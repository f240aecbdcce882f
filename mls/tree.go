package mls

import (
	"iter"
	"slices"
)

// maxLeaves bounds the tree, so that a small hostile input cannot ask for much
// memory: 65,536 members.
const maxLeaves = 1 << 16

// treeNode is a leaf or a parent (RFC 9420 section 7.1). It is never changed
// once it stands in a tree, so trees share nodes.
type treeNode struct {
	leaf *LeafNode // a leaf; the other fields are a parent's

	key        []byte
	parentHash []byte
	unmerged   []uint32 // ascending
}

func (n *treeNode) encryptionKey() []byte {
	if n.leaf != nil {
		return n.leaf.EncryptionKey
	}
	return n.key
}

func (n *treeNode) encode(e *encoder) {
	if n.leaf != nil {
		e.u8(1)
		n.leaf.encode(e)
		return
	}
	e.u8(2)
	n.encodeParent(e)
}

func (n *treeNode) encodeParent(e *encoder) {
	e.bytes(n.key)
	e.bytes(n.parentHash)
	e.length(4 * len(n.unmerged))
	for _, u := range n.unmerged {
		e.u32(u)
	}
}

func (n *treeNode) decode(d *decoder) {
	switch d.u8() {
	case 1:
		n.leaf = new(LeafNode)
		n.leaf.decode(d)
	case 2:
		n.key, n.parentHash = d.bytes(), d.bytes()
		v := d.vec()
		for v.more() {
			u := v.u32()
			if len(n.unmerged) > 0 && u <= n.unmerged[len(n.unmerged)-1] {
				v.fail("unmerged leaves are not in order")
			}
			n.unmerged = append(n.unmerged, u)
		}
		d.end(v)
	default:
		d.fail("node type")
	}
}

// tree is a ratchet tree (RFC 9420 section 7). Copies share nodes and hashes:
// a clone costs two slices of pointers.
type tree struct {
	nodes  []*treeNode       // of a full tree; nil is blank
	hashes []*[hashSize]byte // nil where a node below changed
}

func newTree(leaves uint32) *tree {
	w := nodeWidth(leaves)
	return &tree{make([]*treeNode, w), make([]*[hashSize]byte, w)}
}

func (t *tree) clone() *tree { return &tree{slices.Clone(t.nodes), slices.Clone(t.hashes)} }

func (t *tree) leaves() uint32 { return uint32(len(t.nodes)+1) / 2 }
func (t *tree) root() uint32   { return rootOf(t.leaves()) }

func (t *tree) at(node uint32) *treeNode {
	if int64(node) >= int64(len(t.nodes)) {
		return nil
	}
	return t.nodes[node]
}

func (t *tree) leaf(leaf uint32) *LeafNode {
	if leaf >= t.leaves() {
		return nil
	}
	if n := t.nodes[leafNode(leaf)]; n != nil {
		return n.leaf
	}
	return nil
}

func (t *tree) members() iter.Seq2[uint32, *LeafNode] {
	return func(yield func(uint32, *LeafNode) bool) {
		for i := 0; i < len(t.nodes); i += 2 {
			if n := t.nodes[i]; n != nil && !yield(uint32(i/2), n.leaf) {
				return
			}
		}
	}
}

// set replaces a node; the hashes above it have to be computed again.
func (t *tree) set(node uint32, n *treeNode) {
	t.nodes[node] = n
	t.stale(node)
}

func (t *tree) stale(node uint32) {
	root := t.root()
	for t.hashes[node] = nil; node != root; t.hashes[node] = nil {
		node = parentOf(node)
	}
}

// blankPath blanks the ancestors of a leaf.
func (t *tree) blankPath(leaf uint32) {
	for _, n := range directPath(leafNode(leaf), t.leaves()) {
		t.nodes[n] = nil
	}
	t.stale(leafNode(leaf))
}

// add puts a leaf in the leftmost blank place (RFC 9420 section 12.1.1).
func (t *tree) add(l *LeafNode) (uint32, error) {
	leaf, err := t.vacant()
	if err != nil {
		return 0, err
	}
	for _, p := range directPath(leafNode(leaf), t.leaves()) {
		if n := t.nodes[p]; n != nil {
			i, _ := slices.BinarySearch(n.unmerged, leaf)
			t.nodes[p] = &treeNode{key: n.key, parentHash: n.parentHash, unmerged: slices.Insert(slices.Clone(n.unmerged), i, leaf)}
		}
	}
	t.set(leafNode(leaf), &treeNode{leaf: l})
	return leaf, nil
}

// vacant answers the leftmost blank leaf, extending the tree when there is none
// (RFC 9420 section 7.7).
func (t *tree) vacant() (uint32, error) {
	for i := 0; i < len(t.nodes); i += 2 {
		if t.nodes[i] == nil {
			return uint32(i / 2), nil
		}
	}
	leaf := t.leaves()
	if leaf >= maxLeaves {
		return 0, fail(ErrUnsupported, "more than %d members", maxLeaves)
	}
	w := nodeWidth(2 * leaf)
	t.nodes = append(t.nodes, make([]*treeNode, w-len(t.nodes))...)
	t.hashes = append(t.hashes, make([]*[hashSize]byte, w-len(t.hashes))...)
	return leaf, nil
}

// update replaces a leaf and blanks the way to the root (RFC 9420 section 12.1.2).
func (t *tree) update(leaf uint32, l *LeafNode) {
	t.set(leafNode(leaf), &treeNode{leaf: l})
	t.blankPath(leaf)
}

// remove blanks a leaf and the way to the root, and halves the tree while its
// right half is empty (RFC 9420 section 12.1.3).
func (t *tree) remove(leaf uint32) {
	t.set(leafNode(leaf), nil)
	t.blankPath(leaf)
	for t.leaves() > 1 {
		half := t.leaves() / 2
		for l := half; l < t.leaves(); l++ {
			if t.nodes[leafNode(l)] != nil {
				return
			}
		}
		t.nodes = slices.Clip(t.nodes[:nodeWidth(half)])
		t.hashes = slices.Clip(t.hashes[:nodeWidth(half)])
	}
}

// resolution is RFC 9420 section 4.1.1.
func (t *tree) resolution(node uint32) []uint32 { return t.resolve(nil, node) }

func (t *tree) resolve(list []uint32, node uint32) []uint32 {
	n := t.nodes[node]
	switch {
	case n != nil:
		list = append(list, node)
		for _, u := range n.unmerged {
			list = append(list, leafNode(u))
		}
		return list
	case isLeaf(node):
		return list
	}
	return t.resolve(t.resolve(list, leftOf(node)), rightOf(node))
}

// empty says that a resolution is empty, without building it.
func (t *tree) empty(node uint32) bool {
	if t.nodes[node] != nil {
		return false
	}
	return isLeaf(node) || t.empty(leftOf(node)) && t.empty(rightOf(node))
}

// pathStep is a node of a filtered direct path with the child of it that is not
// on the path.
type pathStep struct{ node, copath uint32 }

// filteredPath is RFC 9420 section 4.1.2: ancestors of a leaf whose other child
// has someone to encrypt to, lowest first.
func (t *tree) filteredPath(leaf uint32) (path []pathStep) {
	below := leafNode(leaf)
	for _, n := range directPath(below, t.leaves()) {
		if s := siblingOf(below); !t.empty(s) {
			path = append(path, pathStep{n, s})
		}
		below = n
	}
	return path
}

// marshal is the ratchet_tree of RFC 9420 section 12.4.3.3: up to the last node
// that is not blank.
func (t *tree) marshal() []byte {
	last := len(t.nodes)
	for last > 0 && t.nodes[last-1] == nil {
		last--
	}
	var e encoder
	e.vec(func() {
		for _, n := range t.nodes[:last] {
			e.bool(n != nil)
			if n != nil {
				n.encode(&e)
			}
		}
	})
	return e.b
}

// parseTree reads a ratchet_tree; b must not change afterwards.
func parseTree(b []byte) (*tree, error) {
	d := decoder{b: b}
	v := d.vec()
	var nodes []*treeNode
	for v.more() {
		if len(nodes) >= nodeWidth(maxLeaves) {
			v.fail("more than %d leaves", maxLeaves)
			break
		}
		var n *treeNode
		if v.optional() {
			n = new(treeNode)
			n.decode(v)
			if v.err == nil && (n.leaf != nil) != (len(nodes)%2 == 0) {
				v.fail("node %d is of the wrong kind", len(nodes))
			}
		}
		nodes = append(nodes, n)
	}
	d.end(v)
	if err := d.finish(); err != nil {
		return nil, err
	}
	if len(nodes)%2 == 0 || nodes[len(nodes)-1] == nil {
		return nil, fail(ErrMalformed, "a ratchet tree ends with a leaf")
	}
	t := newTree(leavesFor(uint32(len(nodes)+1) / 2))
	copy(t.nodes, nodes)
	return t, nil
}
