package mls

import "math/bits"

// The array-based tree of RFC 9420 appendix C. Trees are full: leaf i is node
// 2i, the root of a tree of n leaves is node n-1, n a power of two.

func leafNode(leaf uint32) uint32  { return 2 * leaf }
func isLeaf(node uint32) bool      { return node&1 == 0 }
func nodeLevel(node uint32) int    { return bits.TrailingZeros32(^node) }
func rootOf(leaves uint32) uint32  { return leaves - 1 }
func nodeWidth(leaves uint32) int  { return 2*int(leaves) - 1 }
func leftOf(node uint32) uint32    { return node ^ (1 << (nodeLevel(node) - 1)) }
func rightOf(node uint32) uint32   { return node ^ (3 << (nodeLevel(node) - 1)) }
func parentOf(node uint32) uint32  { k := nodeLevel(node); return node&^(1<<(k+1)) | 1<<k }
func siblingOf(node uint32) uint32 { return node ^ (2 << nodeLevel(node)) }

// span answers the first leaf under a node and the one after the last.
func span(node uint32) (first, end uint32) {
	k := nodeLevel(node)
	first = (node - (1<<k - 1)) / 2
	return first, first + 1<<k
}

func under(leaf, node uint32) bool {
	first, end := span(node)
	return leaf >= first && leaf < end
}

// directPath lists the ancestors of a node, lowest first, the root last.
func directPath(node, leaves uint32) []uint32 {
	root := rootOf(leaves)
	var path []uint32
	for node != root {
		node = parentOf(node)
		path = append(path, node)
	}
	return path
}

// commonAncestor is the lowest node above both leaves.
func commonAncestor(a, b uint32) uint32 {
	x, y := leafNode(a), leafNode(b)
	for x != y {
		if nodeLevel(x) <= nodeLevel(y) {
			x = parentOf(x)
		} else {
			y = parentOf(y)
		}
	}
	return x
}

// leavesFor is the size of the smallest full tree with room for n leaves.
func leavesFor(n uint32) uint32 {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len32(n-1)
}
