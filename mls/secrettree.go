package mls

import (
	"slices"
)

// Ratchets of a leaf (RFC 9420 section 9).
const (
	ratchetHandshake   uint8 = 0
	ratchetApplication uint8 = 1
)

// messageKey encrypts one message.
type messageKey struct {
	key   [keySize]byte
	nonce [nonceSize]byte
}

type ratchetID struct {
	leaf uint32
	kind uint8
}

type skippedID struct {
	ratchetID
	generation uint32
}

// ratchet holds the secret of its next generation.
type ratchet struct {
	next    uint32
	secret  [hashSize]byte
	skipped []uint32 // generations whose keys are kept, ascending
}

// secretTree derives the keys of messages (RFC 9420 section 9). It holds the
// secrets of the highest nodes that were not opened yet, so it starts as one
// secret and splits as senders speak; a secret that was used is gone.
//
// step computes what a message needs and changes nothing; take makes it so.
type secretTree struct {
	leaves   uint32
	nodes    map[uint32]*[hashSize]byte
	ratchets map[ratchetID]*ratchet
	skipped  map[skippedID]*messageKey
	dirty    map[recordKey]struct{} // records to be written again or deleted
}

func emptySecretTree(leaves uint32) *secretTree {
	return &secretTree{
		leaves: leaves, nodes: map[uint32]*[hashSize]byte{}, ratchets: map[ratchetID]*ratchet{},
		skipped: map[skippedID]*messageKey{}, dirty: map[recordKey]struct{}{},
	}
}

// newSecretTree takes ownership of the encryption secret and overwrites it.
func newSecretTree(leaves uint32, encryption []byte) *secretTree {
	t := emptySecretTree(leaves)
	root := new([hashSize]byte)
	copy(root[:], encryption)
	clear(encryption)
	t.nodes[rootOf(leaves)] = root
	t.dirty[nodeSecretKey(rootOf(leaves))] = struct{}{}
	return t
}

// ratchetStep is one message's worth of change to a secretTree.
type ratchetStep struct {
	id         ratchetID
	generation uint32
	key        messageKey
	old        bool // the key was among the skipped ones

	opened bool // the leaf was opened for this: top is used up, siblings and ratchets are new
	top    uint32
	nodes  []openedNode
	other  ratchet // the leaf's other ratchet

	next    ratchet // state of the ratchet after the message
	skipped []messageKey
	first   uint32 // generation of skipped[0]
}

type openedNode struct {
	node   uint32
	secret [hashSize]byte
}

// open derives both ratchets of a leaf from the lowest secret above it.
func (t *secretTree) open(s *ratchetStep, leaf uint32) (pair [2]ratchet, err error) {
	node := leafNode(leaf)
	path := append([]uint32{node}, directPath(node, t.leaves)...)
	at := slices.IndexFunc(path, func(n uint32) bool { return t.nodes[n] != nil })
	if at < 0 {
		return pair, fail(ErrGeneration, "no secret for leaf %d", leaf)
	}
	s.opened, s.top = true, path[at]
	s.nodes = make([]openedNode, 0, at) // no growth, so no copies of secrets are left behind
	secret := slices.Clone(t.nodes[path[at]][:])
	for ; at > 0; at-- {
		down := expandWithLabel(secret, "tree", []byte("left"), hashSize)
		aside := expandWithLabel(secret, "tree", []byte("right"), hashSize)
		if path[at-1] == rightOf(path[at]) {
			down, aside = aside, down
		}
		s.nodes = append(s.nodes, openedNode{siblingOf(path[at-1]), [hashSize]byte(aside)})
		clear(aside)
		clear(secret)
		secret = down
	}
	for kind, label := range []string{"handshake", "application"} {
		v := expandWithLabel(secret, label, nil, hashSize)
		copy(pair[kind].secret[:], v)
		clear(v)
	}
	clear(secret)
	return pair, nil
}

// step finds the key of a generation. forward bounds how many generations may
// be skipped.
func (t *secretTree) step(id ratchetID, generation, forward uint32) (*ratchetStep, error) {
	if id.leaf >= t.leaves {
		return nil, fail(ErrUnknownSender, "leaf %d", id.leaf)
	}
	s := &ratchetStep{id: id, generation: generation}
	if r := t.ratchets[id]; r != nil {
		s.next = *r
	} else {
		pair, err := t.open(s, id.leaf)
		if err != nil {
			return nil, err
		}
		s.next, s.other = pair[id.kind], pair[1-id.kind]
	}
	if generation < s.next.next {
		k := t.skipped[skippedID{id, generation}]
		if k == nil {
			s.erase()
			return nil, fail(ErrGeneration, "%d was used", generation)
		}
		s.key, s.old = *k, true
		return s, nil
	}
	if generation-s.next.next > forward || generation == 1<<32-1 {
		s.erase()
		return nil, fail(ErrGeneration, "%d is too far ahead of %d", generation, s.next.next)
	}
	s.first = s.next.next
	s.skipped = make([]messageKey, 0, generation-s.first)
	for s.next.next < generation {
		s.skipped = append(s.skipped, s.next.advance())
	}
	s.key = s.next.advance()
	return s, nil
}

// send is step for the next generation of our own ratchet.
func (t *secretTree) send(id ratchetID) (*ratchetStep, error) {
	var next uint32
	if r := t.ratchets[id]; r != nil {
		next = r.next
	}
	return t.step(id, next, 0)
}

// take applies a step; at most keep skipped keys stay for each ratchet.
func (t *secretTree) take(s *ratchetStep, keep uint32) {
	defer s.erase()
	if s.old {
		t.forget(skippedID{s.id, s.generation})
		r := t.ratchets[s.id]
		if i, ok := slices.BinarySearch(r.skipped, s.generation); ok {
			r.skipped = slices.Delete(r.skipped, i, i+1)
		}
		return
	}
	if s.opened {
		t.openedBy(s)
	}
	r := t.ratchets[s.id]
	r.next, r.secret = s.next.next, s.next.secret
	t.dirty[ratchetKey(s.id)] = struct{}{}
	for i := range s.skipped {
		g := s.first + uint32(i)
		k := s.skipped[i]
		t.skipped[skippedID{s.id, g}] = &k
		t.dirty[skippedKey(skippedID{s.id, g})] = struct{}{}
		r.skipped = append(r.skipped, g)
	}
	for uint32(len(r.skipped)) > keep {
		t.forget(skippedID{s.id, r.skipped[0]})
		r.skipped = slices.Delete(r.skipped, 0, 1)
	}
}

func (t *secretTree) openedBy(s *ratchetStep) {
	clear(t.nodes[s.top][:])
	delete(t.nodes, s.top)
	t.dirty[nodeSecretKey(s.top)] = struct{}{}
	for _, n := range s.nodes {
		secret := n.secret
		t.nodes[n.node] = &secret
		t.dirty[nodeSecretKey(n.node)] = struct{}{}
	}
	other := ratchetID{s.id.leaf, 1 - s.id.kind}
	t.ratchets[s.id] = &ratchet{}
	t.ratchets[other] = &ratchet{next: s.other.next, secret: s.other.secret}
	t.dirty[ratchetKey(other)] = struct{}{}
}

func (t *secretTree) forget(id skippedID) {
	if k := t.skipped[id]; k != nil {
		*k = messageKey{}
		delete(t.skipped, id)
		t.dirty[skippedKey(id)] = struct{}{}
	}
}

// erase overwrites everything; every record becomes dirty so that Flush deletes it.
func (t *secretTree) erase() {
	for n, s := range t.nodes {
		clear(s[:])
		t.dirty[nodeSecretKey(n)] = struct{}{}
	}
	for id, r := range t.ratchets {
		*r = ratchet{}
		t.dirty[ratchetKey(id)] = struct{}{}
	}
	for id, k := range t.skipped {
		*k = messageKey{}
		t.dirty[skippedKey(id)] = struct{}{}
	}
	clear(t.nodes)
	clear(t.ratchets)
	clear(t.skipped)
}

// erase overwrites the step's copies of secrets.
func (s *ratchetStep) erase() {
	if s == nil {
		return
	}
	s.key, s.other, s.next = messageKey{}, ratchet{}, ratchet{}
	clear(s.nodes)
	clear(s.skipped)
}

// advance answers the key of the next generation and moves past it.
func (r *ratchet) advance() (k messageKey) {
	key := deriveTreeSecret(r.secret[:], "key", r.next, keySize)
	nonce := deriveTreeSecret(r.secret[:], "nonce", r.next, nonceSize)
	next := deriveTreeSecret(r.secret[:], "secret", r.next, hashSize)
	copy(k.key[:], key)
	copy(k.nonce[:], nonce)
	copy(r.secret[:], next)
	clear(key)
	clear(nonce)
	clear(next)
	r.next++
	return k
}
