package mls

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// Writer takes the records of a group.
type Writer interface {
	Put(key, value []byte)
	Delete(key []byte)
}

// Reader gives them back. Range visits every key with the prefix, in any order.
type Reader interface {
	Get(key []byte) ([]byte, bool)
	Range(prefix []byte, fn func(key, value []byte) error) error
}

// recordKey is the key of a record: a letter and numbers, big-endian.
//
//	g                      the epoch: context, transcript, secrets
//	n node                 a node of the ratchet tree
//	p node                 one of our HPKE private keys
//	s node                 a secret of the secret tree
//	r leaf kind            a ratchet
//	k leaf kind generation the key of a skipped message
//	q serial               a pending proposal
type recordKey struct {
	letter byte
	a      uint32
	kind   uint8
	b      uint32
}

var groupKey = recordKey{letter: 'g'}

func nodeKey(node uint32) recordKey       { return recordKey{letter: 'n', a: node} }
func privateKeyKey(node uint32) recordKey { return recordKey{letter: 'p', a: node} }
func nodeSecretKey(node uint32) recordKey { return recordKey{letter: 's', a: node} }
func ratchetKey(id ratchetID) recordKey   { return recordKey{letter: 'r', a: id.leaf, kind: id.kind} }
func pendingKey(serial uint32) recordKey  { return recordKey{letter: 'q', a: serial} }
func skippedKey(id skippedID) recordKey {
	return recordKey{letter: 'k', a: id.leaf, kind: id.kind, b: id.generation}
}

func (k recordKey) bytes() []byte {
	b := []byte{k.letter}
	if k.letter == 'g' {
		return b
	}
	b = binary.BigEndian.AppendUint32(b, k.a)
	if k.letter == 'r' || k.letter == 'k' {
		b = append(b, k.kind)
	}
	if k.letter == 'k' {
		b = binary.BigEndian.AppendUint32(b, k.b)
	}
	return b
}

func parseRecordKey(b []byte) (k recordKey, err error) {
	d := decoder{b: b}
	k.letter = d.u8()
	if k.letter != 'g' {
		k.a = d.u32()
	}
	if k.letter == 'r' || k.letter == 'k' {
		k.kind = d.u8()
	}
	if k.letter == 'k' {
		k.b = d.u32()
	}
	if d.finish() != nil {
		return k, fail(ErrState, "record key %x", b)
	}
	return k, nil
}

func (k recordKey) compare(o recordKey) int {
	return cmp.Or(cmp.Compare(k.letter, o.letter), cmp.Compare(k.a, o.a), cmp.Compare(k.kind, o.kind), cmp.Compare(k.b, o.b))
}

// Flush hands every record that changed since the last Flush to w, to be
// applied as one atomic step. Values are secret. Key and value slices are
// overwritten after the call to w returns: copy what must be kept. When the step
// fails, Erase the group and load it again: it is ahead of its store, and
// nothing it sealed since the last step may leave.
func (g *Group) Flush(w Writer) error {
	if g.now != nil {
		for k := range g.now.keys.dirty {
			g.dirty[k] = struct{}{}
		}
		clear(g.now.keys.dirty)
	}
	g.dirtyNodes()
	keys := make([]recordKey, 0, len(g.dirty))
	for k := range g.dirty {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, recordKey.compare)
	for _, k := range keys {
		key := k.bytes()
		value := g.record(k)
		if value == nil {
			w.Delete(key)
			continue
		}
		w.Put(key, value)
		clear(value)
	}
	clear(g.dirty)
	return nil
}

// dirtyNodes compares the tree with what the store has; nodes are never changed
// in place, so pointers tell.
func (g *Group) dirtyNodes() {
	if _, changed := g.dirty[groupKey]; !changed {
		return
	}
	var nodes []*treeNode
	if g.now != nil {
		nodes = g.now.tree.nodes
	}
	for i := range max(len(nodes), len(g.flushed)) {
		var was, is *treeNode
		if i < len(g.flushed) {
			was = g.flushed[i]
		}
		if i < len(nodes) {
			is = nodes[i]
		}
		if was != is {
			g.dirty[nodeKey(uint32(i))] = struct{}{}
		}
	}
	g.flushed = nodes
}

// record encodes a record as it is now; nil when there is none.
func (g *Group) record(k recordKey) []byte {
	if k == groupKey {
		return g.groupRecord()
	}
	if g.now == nil {
		return nil
	}
	switch k.letter {
	case 'n':
		if n := g.now.tree.at(k.a); n != nil {
			var e encoder
			n.encode(&e)
			return e.b
		}
	case 'p':
		return bytes.Clone(g.now.priv[k.a])
	case 's':
		if s := g.now.keys.nodes[k.a]; s != nil {
			return slices.Clone(s[:])
		}
	case 'r':
		if r := g.now.keys.ratchets[ratchetID{k.a, k.kind}]; r != nil {
			return append(binary.BigEndian.AppendUint32(nil, r.next), r.secret[:]...)
		}
	case 'k':
		if m := g.now.keys.skipped[skippedID{ratchetID{k.a, k.kind}, k.b}]; m != nil {
			return append(slices.Clone(m.key[:]), m.nonce[:]...)
		}
	case 'q':
		return g.pendingRecord(k.a)
	}
	return nil
}

const recordVersion = 1

func (g *Group) groupRecord() []byte {
	if g.erased {
		return nil
	}
	e := encoder{make([]byte, 0, 512)}
	if g.now != nil {
		e.b = make([]byte, 0, len(g.now.encoded)+1024) // no growth: it holds secrets
	}
	e.u8(recordVersion)
	e.bool(g.now != nil)
	e.u16(uint16(g.cfg.Suite))
	e.bytes(g.groupID)
	e.u64(g.number)
	if g.now != nil {
		e.u32(g.now.own)
		e.u32(g.now.tree.leaves())
		g.now.context.encode(&e)
		e.bytes(g.now.confirmationTag)
		for _, s := range g.now.secrets.all() {
			e.bytes(*s)
		}
	}
	return e.b
}

func (p *PendingProposal) encode(e *encoder) {
	p.Proposal.encode(e)
	e.u32(p.Sender)
	e.bool(p.External)
	e.bool(p.ByReference)
	e.bytes(p.Ref)
}

func (p *PendingProposal) decode(d *decoder) {
	p.Proposal.decode(d)
	p.Sender = d.u32()
	p.External, p.ByReference = d.optional(), d.optional()
	p.Ref = d.bytes()
}

func (g *Group) pendingRecord(serial uint32) []byte {
	i := slices.IndexFunc(g.pending, func(p *pendingProposal) bool { return p.serial == serial })
	if i < 0 {
		return nil
	}
	p := g.pending[i]
	var e encoder
	p.encode(&e)
	e.bytes(p.leafPriv)
	e.bytes(p.signer)
	return e.b
}
