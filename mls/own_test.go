package mls

import (
	"bytes"
	"maps"
	"slices"
	"testing"
)

// What says that it is ours proves nothing unless it is made with a key that we have not
// used yet, and signed: any member can write our leaf into the sender data, or post again
// what we sent.
func TestOwnMessage(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo", "cy")
		ana, bo := p.as("ana"), p.as("bo")
		ours, _, err := ana.g.Seal(nil, []byte("once"))
		ok(t, err)
		ok(t, ana.g.Flush(ana.store))
		copied := &player{name: "ana", cfg: ana.cfg, store: maps.Clone(ana.store)}
		copied.g, err = LoadGroup(copied.cfg, copied.store)
		ok(t, err)
		_, err = ana.g.Open(ours)
		wants(t, err, ErrOwnMessage)

		theirs, _, err := bo.g.Seal(nil, []byte("by bo"))
		ok(t, err)
		for _, generation := range []uint32{0, 1, 2, 1 << 20, 1<<32 - 1} {
			m := bo.sealAs(t, theirs, ana.g.OwnLeaf(), generation)
			before := ana.state(t)
			if _, err := ana.g.Open(m); err == nil || slices.Contains([]error{ErrCopy}, err) {
				t.Errorf("a message that bo made, with generation %d: %v", generation, err)
			}
			same(t, "state", ana.state(t), before)
		}

		later, _, err := ana.g.Seal(nil, []byte("by the later one"))
		ok(t, err)
		before := copied.state(t)
		_, err = copied.g.Open(later)
		wants(t, err, ErrCopy)
		commit := ana.must(CommitParams{ForcePath: true}).Message()
		_, err = copied.g.Open(commit)
		wants(t, err, ErrCopy)
		same(t, "state", copied.state(t), before)
	})
}

// sealAs gives a message of x other sender data.
func (x *player) sealAs(t *testing.T, message []byte, leaf, generation uint32) []byte {
	d := decoder{b: message}
	d.u16()
	d.u16()
	var m privateMessage
	m.decode(&d)
	ok(t, d.finish())
	m.sealSenderData(x.g.now.secrets.senderData, senderData{leaf: leaf, generation: generation})
	var e encoder
	e.u16(mls10)
	e.u16(wirePrivate)
	m.encode(&e)
	return e.b
}

// A path that opens for others and not for us says so, and whose it is.
func TestPoisonedPath(t *testing.T) {
	eachSuite(t, func(t *testing.T, suite CipherSuite) {
		p := open(t, suite, "ana", "bo", "cy", "dee")
		bo := p.as("bo")
		p.commit("bo", CommitParams{ForcePath: true})
		hurt := bo.g.Member(p.leaf("cy"))
		key := bytes.Clone(hurt.EncryptionKey)
		other := newPlayer(suite, "nobody")
		copy(hurt.EncryptionKey, other.kp.Public.Leaf.EncryptionKey)
		s := bo.must(CommitParams{ForcePath: true})
		copy(hurt.EncryptionKey, key)
		before := p.as("cy").state(t)
		r, err := p.as("cy").g.Open(s.Message())
		wants(t, err, ErrPath)
		if r == nil || r.Kind != KindCommit || r.Sender != p.leaf("bo") || r.Staged != nil {
			t.Errorf("%+v", r)
		}
		same(t, "state", p.as("cy").state(t), before)
		for _, name := range []string{"ana", "dee"} {
			_, err := p.as(name).g.Open(s.Message())
			ok(t, err)
		}
	})
}
