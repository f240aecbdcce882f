package directory

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// Register opens the account that a genesis statement names. Without open it takes
// an invitation, which is spent. The same genesis again answers as the first time.
func (d *Directory) Register(r wire.Register, open bool) (*Account, error) {
	chain, err := identity.Verify([][]byte{r.Genesis})
	if err != nil {
		return nil, badChain(err)
	}
	name, err := d.Name(chain.Handle())
	if err != nil {
		return nil, err
	}
	defer d.lock(name).Unlock()
	switch old, err := d.load(name); {
	case err == nil && old.Chain.ID() == chain.ID():
		return old, nil
	case err == nil:
		return nil, wire.Refuse(wire.CodeHandleTaken, "somebody has the handle %s; choose another", chain.Handle())
	case !errors.Is(err, errNoHandle):
		return nil, err
	}
	if err := d.free(name, chain.Handle(), chain.ID()); err != nil {
		return nil, err
	}
	b := d.db.NewBatch()
	if !open {
		d.invitations.Lock()
		defer d.invitations.Unlock()
		if err := d.spendInvitation(b, r.Invitation); err != nil {
			b.Drop()
			return nil, err
		}
	}
	return d.found(b, name, chain)
}

// found makes an account of a chain. The name is locked; b is committed.
func (d *Directory) found(b *engine.Batch, name string, chain *identity.Chain) (*Account, error) {
	b.Set(accountKey(name), wire.Marshal(accountRow{}))
	for i, s := range chain.Statements(0) {
		b.Set(statementKey(name, i), s)
	}
	b.Delete(keptKey(name))
	if err := d.change(name, b); err != nil {
		return nil, err
	}
	d.accounts.Add(1)
	a := &Account{Name: name, Chain: chain}
	d.remember(a)
	return a, nil
}

// free refuses a name that nobody has and that an account cannot have all the same.
func (d *Directory) free(name, handle string, id identity.ID) error {
	if resting, err := d.rests(name); err != nil || resting {
		return orRefusal(err, wire.CodeHandleTaken, "the handle %s was deleted and rests for a year; choose another", handle)
	}
	kept, err := d.kept(name)
	if err == nil && kept != nil && kept.Account != wire.Hash(id) {
		err = wire.Refuse(wire.CodeHandleTaken, "the handle %s is kept for somebody who is moving here; choose another", handle)
	}
	return err
}

func (d *Directory) rests(name string) (bool, error) {
	v, ok, err := d.db.Get([]byte(prefixRest + name))
	if err != nil || !ok {
		return false, err
	}
	var row untilRow
	err = wire.Unmarshal(v, &row)
	return uint64(d.o.Now().Unix()) < row.Until, err
}

// Authenticate checks that a connection that was given nonce speaks for a device.
// A handle that nobody has and a wrong signature get the same refusal.
func (d *Directory) Authenticate(a wire.Auth, nonce []byte) (*Account, error) {
	refused := wire.Refuse(wire.CodeNotAuthenticated, "this handle, device and signature do not belong together")
	name, err := d.Name(a.Handle)
	if err != nil {
		return nil, refused
	}
	acc, err := d.Account(name)
	if errors.Is(err, errNoHandle) {
		return nil, refused
	} else if err != nil {
		return nil, err
	}
	device, ok := acc.Chain.Device(a.Device)
	message := wire.AuthMessage(nonce, d.Host(), a.Handle, a.Device)
	if !ok || !ed25519.Verify(ed25519.PublicKey(device.Signature), message, a.Signature) {
		return nil, refused
	}
	if acc.Suspended {
		return nil, wire.Refuse(wire.CodeSuspended, "the operator of this server has suspended the account")
	}
	return acc, nil
}

// State adds to a chain, by compare-and-swap on its head. It answers the account and
// the devices that it revoked: their key packages and inboxes' rows are gone with it,
// the inboxes are the caller's to drop (Departed). The same statement again answers
// as the first time did.
func (d *Directory) State(name string, s wire.Statement) (*Account, []wire.DeviceName, error) {
	return d.state(name, s.Head, s.Signed)
}

// state is State for some statements, which are taken together or not at all.
func (d *Directory) state(name string, head wire.Hash, signed ...[]byte) (*Account, []wire.DeviceName, error) {
	defer d.lock(name).Unlock()
	old, err := d.load(name)
	if err != nil {
		return nil, nil, err
	}
	if n := old.Chain.Len() - len(signed); n > 0 && slices.EqualFunc(old.Chain.Statements(n), signed, bytes.Equal) {
		return old, nil, nil
	}
	if old.Chain.Head() != head {
		return nil, nil, wire.Refuse(wire.CodeHeadMoved, "the account's chain has grown meanwhile: look it up, and decide anew")
	}
	chain := old.Chain.Clone()
	for _, s := range signed {
		if err := chain.Append(s); err != nil {
			return nil, nil, badChain(err)
		}
	}
	return d.grow(old, chain)
}

// grow puts an account's longer chain in the place of the one before. The name is locked.
func (d *Directory) grow(old *Account, chain *identity.Chain) (*Account, []wire.DeviceName, error) {
	name := old.Name
	h, err := wire.ParseHandle(chain.Handle())
	if err != nil || h.Host == d.Host() && h.Name != name {
		return nil, nil, wire.Refuse(wire.CodeBadChain, "an account cannot move to another handle of the same server")
	}
	next := &Account{Name: name, Chain: chain, Suspended: old.Suspended, Moved: h.Host != d.Host()}
	b := d.db.NewBatch()
	for i, s := range chain.Statements(old.Chain.Len()) {
		b.Set(statementKey(name, old.Chain.Len()+i), s)
	}
	var revoked []wire.DeviceName
	for _, dev := range old.Chain.ActiveDevices() {
		if _, still := chain.Device(dev.Name); !still {
			revoked = append(revoked, dev.Name)
			d.dropDevice(b, old, dev.Name)
		}
	}
	if next.Moved != old.Moved {
		d.invitations.Lock()
		defer d.invitations.Unlock()
		if err := d.crossed(b, next); err != nil {
			b.Drop()
			return nil, nil, err
		}
	}
	if err := d.change(name, b); err != nil {
		return nil, nil, err
	}
	switch {
	case next.Moved && !old.Moved:
		d.moved.Add(1)
	case old.Moved && !next.Moved:
		d.moved.Add(-1)
	}
	d.remember(next)
	return next, revoked, nil
}

// Suspend suspends an account, or lifts it.
func (d *Directory) Suspend(name string, suspended bool) (*Account, error) {
	defer d.lock(name).Unlock()
	old, err := d.load(name)
	if err != nil {
		return nil, err
	}
	b := d.db.NewBatch()
	b.Set(accountKey(name), wire.Marshal(accountRow{suspended, old.Moved}))
	if suspended { // nor may anybody come in by its invitations
		d.invitations.Lock()
		defer d.invitations.Unlock()
		if err := d.dropInvitations(b, old.Chain.ID()); err != nil {
			b.Drop()
			return nil, err
		}
	}
	if err := d.change(name, b); err != nil {
		return nil, err
	}
	next := &Account{Name: name, Chain: old.Chain, Suspended: suspended, Moved: old.Moved}
	d.remember(next)
	return next, nil
}

// Delete ends an account. Its name rests for HandleRest; its inboxes are the caller's
// to drop (Departed).
func (d *Directory) Delete(name string) (*Account, error) {
	defer d.lock(name).Unlock()
	old, err := d.load(name)
	if err != nil {
		return nil, err
	}
	b := d.db.NewBatch()
	b.Shrinks()
	for _, dev := range old.Chain.ActiveDevices() {
		d.dropDevice(b, old, dev.Name)
	}
	b.Delete(accountKey(name))
	b.Delete(recordKey(name))
	b.Delete(backupKey(name))
	b.Delete(movedKey(name))
	dropPrefix(b, chainKey(name))
	id := old.Chain.ID()
	b.Delete(append([]byte(prefixQuota), id[:]...))
	b.Delete(weekKey(id))
	d.invitations.Lock()
	defer d.invitations.Unlock()
	if err := d.dropInvitations(b, id); err != nil {
		b.Drop()
		return nil, err
	}
	b.Set([]byte(prefixRest+name), wire.Marshal(untilRow{uint64(d.o.Now().Add(HandleRest).Unix())}))
	if err := d.change(name, b); err != nil {
		return nil, err
	}
	d.accounts.Add(-1)
	if old.Moved {
		d.moved.Add(-1)
	}
	d.forget(name)
	return old, nil
}

func badChain(err error) error {
	return wire.Refuse(wire.CodeBadChain, "%v", err)
}

func orRefusal(err error, c wire.Code, sentence string, args ...any) error {
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	return wire.Refuse(c, sentence, args...)
}
