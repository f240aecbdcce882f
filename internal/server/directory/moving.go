package directory

import (
	"errors"
	"time"

	"sotto/internal/identity"
	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// Reserve keeps a handle for an account that is about to move here. Without open it takes an
// invitation, which is spent. An account that had the handle before finds it kept.
func (d *Directory) Reserve(r wire.Reserve, open bool) error {
	name, err := d.Name(r.Handle)
	if err != nil {
		return err
	}
	defer d.lock(name).Unlock()
	id := identity.ID(r.Account)
	switch old, err := d.load(name); {
	case err == nil && old.Chain.ID() == id:
		return nil
	case err == nil:
		return wire.Refuse(wire.CodeHandleTaken, "somebody has the handle %s; choose another", r.Handle)
	case !errors.Is(err, errNoHandle):
		return err
	}
	if err := d.free(name, r.Handle, id); err != nil {
		return err
	}
	if kept, err := d.kept(name); err != nil || kept != nil {
		return err
	}
	b := d.db.NewBatch()
	if !open {
		d.invitations.Lock()
		defer d.invitations.Unlock()
		if err := d.spendInvitation(b, r.Invitation); err != nil {
			b.Drop()
			return err
		}
	}
	b.Set(keptKey(name), wire.Marshal(keptRow{uint64(d.o.Now().Add(wire.ReserveTime).Unix()), r.Account}))
	return d.db.CommitWait(b)
}

// kept is for whom a name is kept; nil: for nobody.
func (d *Directory) kept(name string) (*keptRow, error) {
	v, ok, err := d.db.Get(keptKey(name))
	if err != nil || !ok {
		return nil, err
	}
	row := new(keptRow)
	if err := wire.Unmarshal(v, row); err != nil || uint64(d.o.Now().Unix()) >= row.Until {
		return nil, err
	}
	return row, nil
}

// Enter takes in an account whose chain says that it lives here now, at a handle that was kept
// for it or was its own before. It answers as State does. A chain of which more is known here
// changes nothing.
func (d *Directory) Enter(e wire.Enter) (*Account, []wire.DeviceName, error) {
	if len(e.Signed) < 2 || len(e.Signed) > wire.MaxChain {
		return nil, nil, wire.Refuse(wire.CodeMalformed, "a chain that has moved has 2 to %d statements", wire.MaxChain)
	}
	chain, err := identity.Verify(e.Signed)
	if err != nil {
		return nil, nil, badChain(err)
	}
	name, err := d.Name(chain.Handle())
	if err != nil {
		return nil, nil, err
	}
	defer d.lock(name).Unlock()
	old, err := d.load(name)
	if errors.Is(err, errNoHandle) {
		a, err := d.takeIn(name, chain)
		return a, nil, err
	}
	switch {
	case err != nil:
		return nil, nil, err
	case old.Chain.ID() != chain.ID():
		return nil, nil, wire.Refuse(wire.CodeHandleTaken, "somebody has the handle %s", chain.Handle())
	case old.Suspended:
		return nil, nil, wire.Refuse(wire.CodeSuspended, "the operator of this server has suspended the account")
	case old.Chain.Includes(chain.Head(), chain.Len()):
		return old, nil, nil
	case !chain.Includes(old.Chain.Head(), old.Chain.Len()):
		return nil, nil, wire.Refuse(wire.CodeHeadMoved, "this server holds another chain of the account: both are signed")
	}
	return d.grow(old, chain)
}

// takeIn makes an account of a chain that began elsewhere. The name is locked.
func (d *Directory) takeIn(name string, chain *identity.Chain) (*Account, error) {
	kept, err := d.kept(name)
	if err != nil {
		return nil, err
	}
	if kept == nil || kept.Account != wire.Hash(chain.ID()) {
		return nil, wire.Refuse(wire.CodeInvitation, "the handle %s is not kept for this account: reserve it first", chain.Handle())
	}
	return d.found(d.db.NewBatch(), name, chain)
}

// crossed puts into b what follows when an account moves away, or comes back. Away it takes
// nothing new: nobody finds its devices here, nobody comes in by its invitations; what was put
// into its inboxes stays, for a while. The caller holds invitations, until b is durable.
func (d *Directory) crossed(b *engine.Batch, a *Account) error {
	b.Set(accountKey(a.Name), wire.Marshal(accountRow{a.Suspended, a.Moved}))
	if !a.Moved {
		b.Delete(movedKey(a.Name))
		return nil
	}
	b.Shrinks()
	for _, dev := range a.Chain.ActiveDevices() {
		d.dropPublished(b, a, dev.Name)
	}
	b.Set(movedKey(a.Name), wire.Marshal(untilRow{uint64(d.o.Now().Add(wire.MovedTime).Unix())}))
	return d.dropInvitations(b, a.Chain.ID())
}

// Leave lets go of what is held for an account that has moved away: a device's inbox, which is
// the caller's to drop (Departed), and its recovery record.
func (d *Directory) Leave(name string, device wire.DeviceName, l wire.Leave) error {
	defer d.lock(name).Unlock()
	a, err := d.active(name, device)
	if err != nil {
		return err
	}
	if !a.Moved {
		return wire.Refuse(wire.CodeOrder, "the account lives here: there is nothing to let go of")
	}
	b := d.db.NewBatch()
	b.Shrinks()
	if l.Inbox {
		d.dropDevice(b, a, device)
	}
	if l.Record {
		b.Delete(recordKey(name))
	}
	return d.change(name, b)
}

// emptyMoved erases what is left of accounts that moved away long ago: all but the chain, which
// says where they are.
func (d *Directory) emptyMoved(now time.Time) error {
	var names []string
	err := d.db.Scan([]byte(prefixMoved), end(prefixMoved), func(k, v []byte) (bool, error) {
		over, err := past(now)(v)
		if over {
			names = append(names, string(k[len(prefixMoved):]))
		}
		return len(names) < 1000, err
	})
	for _, name := range names {
		if err == nil {
			err = d.empty(name)
		}
	}
	return err
}

func (d *Directory) empty(name string) error {
	defer d.lock(name).Unlock()
	a, err := d.load(name)
	if err != nil {
		return err
	}
	b := d.db.NewBatch()
	b.Shrinks()
	b.Delete(movedKey(name))
	if a.Moved {
		for _, dev := range a.Chain.ActiveDevices() {
			d.dropDevice(b, a, dev.Name)
		}
		b.Delete(recordKey(name))
	}
	return d.change(name, b)
}
