package inbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"time"

	"sotto/internal/wire"
)

// Put adds an entry and returns when it is durable. An equal entry that stands is not
// added twice. Refusals: CodeCapability for an unknown inbox and a wrong capability
// alike, CodeInboxFull, CodeTooLarge, CodeMalformed for no bytes, CodeStorageFull.
func (in *Inboxes) Put(p wire.Put) error {
	if len(p.Entry) > wire.MaxInboxEntry {
		return wire.Refuse(wire.CodeTooLarge, "%d bytes are over an inbox's limit of %d", len(p.Entry), wire.MaxInboxEntry)
	}
	if len(p.Entry) == 0 {
		return wire.Refuse(wire.CodeMalformed, "an entry without bytes")
	}
	x := in.acquire(p.Inbox)
	defer in.release(x)
	var seq uint64
	wait, err := in.changeLocked(x, func(e *edit) (err error) {
		seq, err = e.put(p)
		return err
	})
	x.mu.Unlock()
	if err != nil {
		return err
	}
	if err := wait(); err != nil {
		return err
	}
	x.mu.Lock()
	var tell []func()
	if x.exists && x.durable < seq {
		x.durable = seq
		tell = x.watchers()
	}
	x.mu.Unlock()
	for _, ready := range tell {
		ready()
	}
	return nil
}

// Knows says whether a capability is one of the inbox's private ones.
func (in *Inboxes) Knows(name wire.InboxName, c wire.Secret) (bool, error) {
	h := c.Hash()
	return in.db.View(boxKey(name, kindCapability, h[:]...), func([]byte) error { return nil })
}

// put puts the entry into the edit, or finds it.
func (e *edit) put(p wire.Put) (seq uint64, err error) {
	name := e.x.name
	by, count, limit, life, err := e.admit(p.Capability.Hash())
	if err != nil {
		return 0, err
	}
	hash := sha256.Sum256(p.Entry)
	hashKey := boxKey(name, kindHash, hash[:]...)
	if found, err := e.in.db.View(hashKey, func(v []byte) error { seq = seqOf(v); return nil }); found || err != nil {
		return seq, err // its commit is waited for: the first time may not be durable yet
	}
	if count >= limit {
		return 0, wire.Refuse(wire.CodeInboxFull, "this person's inbox is full: try again when they have been online")
	}
	now := max(millis(e.in.now()), e.rec.Time)
	s := stored{time: now, until: now + uint64(life.Milliseconds()), by: by, bytes: p.Entry}
	e.rec.Head++
	e.rec.Time = now
	seq = e.rec.Head
	e.b.Set(entryKey(name, seq), s.encode())
	e.b.Set(hashKey, binary.BigEndian.AppendUint64(nil, seq))
	if by == (wire.Hash{}) {
		e.rec.Strangers++
	} else {
		e.setCount(by, count+1)
	}
	if e.rec.Due == 0 || s.until < e.rec.Due {
		e.redue(s.until)
	}
	return seq, nil
}

// admit says what a capability allows: which private one it is (zero: the public
// one), how many entries it holds of how many, and how long they live.
func (e *edit) admit(h wire.Hash) (by wire.Hash, count, limit uint64, life time.Duration, err error) {
	public := subtle.ConstantTimeCompare(h[:], e.rec.Public[:]) == 1
	private, err := e.in.db.View(boxKey(e.x.name, kindCapability, h[:]...), func(v []byte) error {
		count = seqOf(v)
		return nil
	})
	switch {
	case err != nil:
	case public:
		return by, e.rec.Strangers, wire.InboxStrangers, wire.InboxStrangerTime, nil
	case private:
		return h, count, wire.InboxPrivate, wire.InboxPrivateTime, nil
	default:
		err = errCapability()
	}
	return by, 0, 0, 0, err
}

func (e *edit) setCount(h wire.Hash, n uint64) {
	e.b.Set(boxKey(e.x.name, kindCapability, h[:]...), binary.BigEndian.AppendUint64(nil, n))
}
