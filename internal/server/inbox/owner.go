package inbox

import (
	"bytes"

	"sotto/internal/wire"
)

// Make makes the inbox of owner, an opaque key of 1 to 256 bytes, one inbox each: an
// inbox that the owner had under another name ends with what it holds. Made again
// under the same name it only gets the new public capability. Durable when it
// returns. Refusals: CodeCapability when the name belongs to somebody else,
// CodeMalformed for a bad owner, CodeStorageFull.
func (in *Inboxes) Make(name wire.InboxName, owner []byte, public wire.Secret) error {
	if len(owner) == 0 || len(owner) > 256 {
		return wire.Refuse(wire.CodeMalformed, "an inbox belongs to somebody")
	}
	in.owners.Lock()
	defer in.owners.Unlock()
	old, had, err := in.Of(owner)
	if err != nil {
		return err
	}
	x := in.acquire(name)
	wait, err := in.makeLocked(x, owner, public)
	x.mu.Unlock()
	defer in.release(x)
	if err != nil {
		return err
	}
	if err := wait(); err != nil || !had || old == name {
		return err
	}
	return in.drop(old)
}

func (in *Inboxes) makeLocked(x *box, owner []byte, public wire.Secret) (func() error, error) {
	e, err := in.edit(x)
	if err != nil {
		return nil, err
	}
	if x.exists && !bytes.Equal(x.rec.Owner, owner) {
		e.b.Drop()
		return nil, errCapability()
	}
	e.begins = true
	e.rec.Owner, e.rec.Public = bytes.Clone(owner), public.Hash()
	e.b.Set(ownerKey(owner), x.name[:])
	return e.commit()
}

// SetPublic replaces the public capability. Refusals: CodeCapability for an unknown
// inbox, CodeStorageFull.
func (in *Inboxes) SetPublic(name wire.InboxName, public wire.Secret) error {
	return in.change(name, func(e *edit) error {
		e.rec.Public = public.Hash()
		return nil
	})
}

// Of is the name of the owner's inbox, false when there is none.
func (in *Inboxes) Of(owner []byte) (wire.InboxName, bool, error) {
	var name wire.InboxName
	v, ok, err := in.db.Get(ownerKey(owner))
	if err != nil || !ok || len(v) != len(name) {
		return name, false, err
	}
	return wire.InboxName(v), true, nil
}

// Drop erases the owner's inbox with everything in it. No inbox is no error.
func (in *Inboxes) Drop(owner []byte) error {
	in.owners.Lock()
	defer in.owners.Unlock()
	name, ok, err := in.Of(owner)
	if err != nil || !ok {
		return err
	}
	return in.drop(name)
}

// drop erases an inbox, and its owner's note when that still names it. Called with
// owners held.
func (in *Inboxes) drop(name wire.InboxName) error {
	x := in.acquire(name)
	defer in.release(x)
	wait, err := in.changeLocked(x, func(e *edit) error {
		now, ok, err := in.Of(e.rec.Owner)
		if err != nil {
			return err
		}
		if ok && now == name {
			e.b.Delete(ownerKey(e.rec.Owner))
		}
		e.redue(0)
		e.b.DeleteRange(boxKey(name, ""), boxKey(name, "\xff"))
		e.b.Shrinks()
		e.over = true
		return nil
	})
	tell := x.watchers()
	x.mu.Unlock()
	if wire.CodeOf(err) == wire.CodeCapability {
		return nil // gone already
	}
	if err != nil {
		return err
	}
	err = wait()
	for _, ready := range tell {
		ready() // Next says that the inbox is gone
	}
	return err
}

// Capabilities adds and drops private capabilities by the hashes of their secrets.
// What came by a dropped capability stays until it is read or old. Durable when it
// returns. Refusals: CodeCapability for an unknown inbox, CodeQuota past
// wire.MaxCapabilities, CodeStorageFull.
func (in *Inboxes) Capabilities(name wire.InboxName, add, drop []wire.Hash) error {
	return in.change(name, func(e *edit) error {
		seen := map[wire.Hash]bool{} // what stands after the change
		has := func(h wire.Hash) (bool, error) {
			if s, ok := seen[h]; ok {
				return s, nil
			}
			return in.db.View(boxKey(name, kindCapability, h[:]...), func([]byte) error { return nil })
		}
		for _, h := range drop {
			ok, err := has(h)
			if err != nil {
				return err
			}
			if ok {
				e.b.Delete(boxKey(name, kindCapability, h[:]...))
				e.rec.Private--
				seen[h] = false
			}
		}
		for _, h := range add {
			ok, err := has(h)
			if err != nil {
				return err
			}
			if !ok {
				e.setCount(h, 0)
				e.rec.Private++
				seen[h] = true
			}
		}
		if e.rec.Private > wire.MaxCapabilities {
			return wire.Refuse(wire.CodeQuota, "an inbox has at most %d private capabilities", wire.MaxCapabilities)
		}
		return nil
	})
}
