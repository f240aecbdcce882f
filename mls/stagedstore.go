package mls

import (
	"bytes"
	"crypto/ed25519"
	"maps"
	"slices"
)

// An own staged commit has to survive a crash between sending the message and
// reading it back. Its encoding holds what differs from the group's epoch.

// Marshal encodes everything Merge needs, secrets too, relative to the epoch it
// was staged in. It must not have been merged or erased: then it answers nil.
func (s *StagedCommit) Marshal() []byte {
	if s.next == nil || s.merged {
		return nil
	}
	var e encoder
	e.u8(recordVersion)
	e.bytes(s.base)
	e.bytes(s.message)
	e.vec(func() {
		for _, w := range s.welcomes {
			e.bytes(w)
		}
	})
	for _, list := range [][]uint32{s.added, s.removed, s.updated} {
		e.length(4 * len(list))
		for _, v := range list {
			e.u32(v)
		}
	}
	e.u32(s.committer)
	for _, b := range []bool{s.external, s.hasPath, s.own, s.removes} {
		e.bool(b)
	}
	e.bytes(s.aad)
	e.vec(func() {
		for i := range s.proposals {
			s.proposals[i].encode(&e)
		}
	})
	e.bytes(s.signer)
	s.next.marshalFrom(&e, s.from)
	return e.b
}

// marshalFrom encodes an epoch that no message was sent in yet; its tree as
// what differs from base.
func (n *epoch) marshalFrom(e *encoder, base *tree) {
	n.context.encode(e)
	e.bytes(n.confirmationTag)
	for _, s := range n.secrets.all() {
		e.bytes(*s)
	}
	var root []byte
	if n.keys != nil {
		if s := n.keys.nodes[rootOf(n.keys.leaves)]; s != nil {
			root = s[:]
		}
	}
	e.bytes(root)
	e.u32(n.tree.leaves())
	e.vec(func() {
		for i, node := range n.tree.nodes {
			if node == base.at(uint32(i)) {
				continue
			}
			e.u32(uint32(i))
			e.bool(node != nil)
			if node != nil {
				node.encode(e)
			}
		}
	})
	e.vec(func() {
		for _, node := range slices.Sorted(maps.Keys(n.priv)) {
			e.u32(node)
			e.bytes(n.priv[node])
		}
	})
}

// ParseStagedCommit reads what Marshal wrote; g must be in the epoch in which it
// was staged.
func ParseStagedCommit(g *Group, b []byte) (*StagedCommit, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	d := &decoder{b: bytes.Clone(b)}
	if v := d.u8(); v != recordVersion {
		return nil, fail(ErrState, "record version %d", v)
	}
	s := &StagedCommit{base: d.bytes(), message: d.bytes(), from: g.now.tree}
	if d.err == nil && !bytes.Equal(s.base, g.now.interim) {
		return nil, ErrStale
	}
	v := d.vec()
	for v.more() {
		s.welcomes = append(s.welcomes, v.bytes())
	}
	d.end(v)
	s.added, s.removed, s.updated = d.u32s(), d.u32s(), d.u32s()
	s.committer = d.u32()
	s.external, s.hasPath, s.own, s.removes = d.optional(), d.optional(), d.optional(), d.optional()
	s.aad = d.bytes()
	v = d.vec()
	for v.more() {
		var p PendingProposal
		p.decode(v)
		s.proposals = append(s.proposals, p)
	}
	d.end(v)
	if key := d.bytes(); len(key) == ed25519.PrivateKeySize {
		s.signer = key
	}
	if d.err != nil {
		return nil, asState(d.err)
	}
	var err error
	if s.next, err = parseEpochFrom(d, g.now, s.removes); err != nil {
		return nil, err
	}
	return s, nil
}

func (d *decoder) u32s() (list []uint32) {
	v := d.vec()
	for v.more() {
		list = append(list, v.u32())
	}
	d.end(v)
	return list
}

func parseEpochFrom(d *decoder, g *epoch, removed bool) (*epoch, error) {
	n := &epoch{own: g.own, priv: map[uint32][]byte{}}
	n.context.decode(d)
	n.confirmationTag = d.bytes()
	size := hashSize
	if removed {
		size = 0
	}
	for _, s := range n.secrets.all() {
		if *s = d.bytes(); len(*s) != size {
			d.fail("secret of %d bytes", len(*s))
		}
	}
	if n.secrets.encryption = d.bytes(); len(n.secrets.encryption) != size {
		d.fail("secret of %d bytes", len(n.secrets.encryption))
	}
	n.tree = treeFrom(d, g.tree)
	v := d.vec()
	for v.more() {
		node := v.u32()
		n.priv[node] = v.bytes()
	}
	d.end(v)
	if err := d.finish(); err != nil {
		return nil, asState(err)
	}
	switch {
	case n.context.epoch != g.context.epoch+1 || !bytes.Equal(n.context.groupID, g.context.groupID) || n.context.suite != g.context.suite:
		return nil, fail(ErrState, "not the next epoch of this group")
	case n.tree.checkUnmerged() != nil || !bytes.Equal(n.tree.rootHash(), n.context.treeHash):
		return nil, fail(ErrState, "the staged tree does not have its tree hash")
	case removed:
		n.secrets, n.encoded, n.priv = epochSecrets{}, n.context.marshal(), nil
		return n, nil
	case n.tree.leaf(n.own) == nil || n.priv[leafNode(n.own)] == nil:
		return nil, fail(ErrState, "our leaf is missing")
	}
	n.begin()
	return n, nil
}

// treeFrom reads the changes to a tree. It always answers a tree; d knows
// whether it is any good.
func treeFrom(d *decoder, base *tree) *tree {
	leaves := d.u32()
	if d.err == nil && (leaves == 0 || leaves > maxLeaves || leavesFor(leaves) != leaves) {
		d.fail("tree of %d leaves", leaves)
	}
	if d.err != nil {
		leaves = 1
	}
	t := newTree(leaves)
	copy(t.nodes, base.nodes)
	if leaves == base.leaves() {
		copy(t.hashes, base.hashes)
	}
	v := d.vec()
	for v.more() {
		i := v.u32()
		var n *treeNode
		if v.optional() {
			n = new(treeNode)
			n.decode(v)
		}
		if v.err == nil && (int64(i) >= int64(len(t.nodes)) || n != nil && (n.leaf != nil) != isLeaf(i)) {
			v.fail("node %d", i)
		}
		if v.err == nil {
			t.set(i, n)
		}
	}
	d.end(v)
	return t
}
