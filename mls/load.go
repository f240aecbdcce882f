package mls

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"slices"
)

// StoredSigner answers the signature key of our own leaf in a stored group: the
// key whose private half LoadGroup wants in Config.Signer. It is nil for a group
// we were removed from. A leaf changes its key when a commit with a
// NewLeaf.Signer is merged, our own or one that commits our Update.
func StoredSigner(r Reader) (ed25519.PublicKey, error) {
	raw, ok := r.Get(groupKey.bytes())
	if !ok {
		return nil, fail(ErrState, "no group record")
	}
	d := decoder{b: raw}
	d.take(1)
	active := d.optional()
	d.take(2)
	d.bytes()
	d.u64()
	own := d.u32()
	if !active {
		return nil, nil
	}
	node, _ := r.Get(nodeKey(leafNode(own)).bytes())
	var n treeNode
	nd := decoder{b: bytes.Clone(node), err: d.err}
	if n.decode(&nd); nd.finish() != nil || n.leaf == nil {
		return nil, fail(ErrState, "our leaf is missing")
	}
	return n.leaf.SignatureKey, nil
}

// LoadGroup reads a group that Flush wrote. A group we were removed from loads
// as an inactive one; cfg.Signer is then not needed.
func LoadGroup(cfg Config, r Reader) (*Group, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	raw, ok := r.Get(groupKey.bytes())
	if !ok {
		return nil, fail(ErrState, "no group record")
	}
	g := &Group{cfg: cfg, dirty: map[recordKey]struct{}{}}
	leaves, err := g.loadEpoch(bytes.Clone(raw))
	if err != nil || g.now == nil {
		return g.loaded(err)
	}
	g.now.tree, g.now.keys, g.now.priv = newTree(leaves), emptySecretTree(leaves), map[uint32][]byte{}
	for _, prefix := range "npsrkq" {
		err := r.Range([]byte{byte(prefix)}, func(key, value []byte) error {
			k, err := parseRecordKey(key)
			if err != nil {
				return err
			}
			return g.loadRecord(k, bytes.Clone(value))
		})
		if err != nil {
			return g.loaded(err)
		}
	}
	return g.loaded(g.loadCheck())
}

// loaded answers the group, or erases what was read of it.
func (g *Group) loaded(err error) (*Group, error) {
	if err != nil {
		if g.now != nil {
			g.now.erase()
		}
		return nil, err
	}
	return g, nil
}

func (g *Group) loadEpoch(raw []byte) (leaves uint32, err error) {
	d := decoder{b: raw}
	if v := d.u8(); v != recordVersion {
		return 0, fail(ErrState, "record version %d", v)
	}
	active := d.optional()
	if s := CipherSuite(d.u16()); s != g.cfg.Suite {
		return 0, fail(ErrArgument, "the group is of suite %#04x", uint16(s))
	}
	g.groupID, g.number = d.bytes(), d.u64()
	if !active {
		g.signer, g.cfg.Signer = nil, nil
		return 0, asState(d.finish())
	}
	e := &epoch{own: d.u32()}
	leaves = d.u32()
	e.context.decode(&d)
	e.confirmationTag = d.bytes()
	for _, s := range e.secrets.all() {
		if *s = d.bytes(); len(*s) != hashSize {
			d.fail("epoch secret of %d bytes", len(*s))
		}
	}
	if err := d.finish(); err != nil {
		return 0, asState(err)
	}
	if leaves == 0 || leaves > maxLeaves || leavesFor(leaves) != leaves || e.own >= leaves {
		return 0, fail(ErrState, "tree of %d leaves", leaves)
	}
	g.now = e
	return leaves, nil
}

func asState(err error) error {
	if err == nil {
		return nil
	}
	return fail(ErrState, "%v", err)
}

func (g *Group) loadRecord(k recordKey, value []byte) error {
	t, keys := g.now.tree, g.now.keys
	bad := fail(ErrState, "record %x", k.bytes())
	d := decoder{b: value}
	isNode := int64(k.a) < int64(len(t.nodes))
	id := ratchetID{k.a, k.kind}
	isRatchet := k.a < t.leaves() && k.kind <= ratchetApplication
	switch {
	case k.letter == 'n' && isNode:
		n := new(treeNode)
		n.decode(&d)
		if d.finish() != nil || (n.leaf != nil) != isLeaf(k.a) {
			return bad
		}
		t.nodes[k.a] = n
	case k.letter == 'p' && isNode && len(value) > 0:
		g.now.priv[k.a] = value
	case k.letter == 's' && isNode && len(value) == hashSize:
		keys.nodes[k.a] = (*[hashSize]byte)(value)
	case k.letter == 'r' && isRatchet && len(value) == 4+hashSize:
		r := keys.ratchet(id)
		r.next = d.u32()
		copy(r.secret[:], d.b)
	case k.letter == 'k' && isRatchet && len(value) == keySize+nonceSize:
		m := new(messageKey)
		copy(m.key[:], value)
		copy(m.nonce[:], value[keySize:])
		keys.skipped[skippedID{id, k.b}] = m
		r := keys.ratchet(id)
		i, _ := slices.BinarySearch(r.skipped, k.b)
		r.skipped = slices.Insert(r.skipped, i, k.b)
	case k.letter == 'q':
		return g.loadPending(k.a, &d)
	default:
		return bad
	}
	return nil
}

// ratchet answers the ratchet to be filled while loading.
func (t *secretTree) ratchet(id ratchetID) *ratchet {
	if t.ratchets[id] == nil {
		t.ratchets[id] = new(ratchet)
	}
	return t.ratchets[id]
}

func (g *Group) loadPending(serial uint32, d *decoder) error {
	p := &pendingProposal{serial: serial}
	p.decode(d)
	p.leafPriv, p.signer = d.bytes(), d.bytes()
	if err := d.finish(); err != nil {
		return asState(err)
	}
	if len(p.leafPriv) == 0 {
		p.leafPriv = nil
	}
	if len(p.signer) != ed25519.PrivateKeySize {
		p.signer = nil
	}
	i, _ := slices.BinarySearchFunc(g.pending, serial, func(p *pendingProposal, s uint32) int { return cmp.Compare(p.serial, s) })
	g.pending = slices.Insert(g.pending, i, p)
	g.serial = max(g.serial, serial+1)
	return nil
}

// loadCheck compares what was read with the tree hash and our own keys.
func (g *Group) loadCheck() error {
	e := g.now
	if e.context.suite != g.cfg.Suite || !bytes.Equal(e.tree.rootHash(), e.context.treeHash) {
		return fail(ErrState, "the stored tree does not have the group's tree hash")
	}
	own := e.tree.leaf(e.own)
	if own == nil || e.priv[leafNode(e.own)] == nil {
		return fail(ErrState, "our leaf is missing")
	}
	if len(g.cfg.Signer) != ed25519.PrivateKeySize || !bytes.Equal(g.cfg.Signer.Public().(ed25519.PublicKey), own.SignatureKey) {
		return fail(ErrArgument, "the signer is not that of our leaf")
	}
	if err := e.tree.checkUnmerged(); err != nil { // so that nothing below trips over them
		return asState(err)
	}
	for id := range e.keys.skipped {
		if r := e.keys.ratchets[id.ratchetID]; id.generation >= r.next {
			return fail(ErrState, "skipped key without its ratchet")
		}
	}
	g.signer = g.cfg.Signer
	e.encoded = e.context.marshal()
	e.interim = interimHash(e.context.confirmed, e.confirmationTag)
	g.flushed = e.tree.nodes
	return nil
}
