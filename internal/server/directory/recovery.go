package directory

import (
	"bytes"
	"crypto/sha256"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// Recover adds a device with the recovery key, and revokes others with it: see wire.Recover.
// It answers as State does.
func (d *Directory) Recover(r wire.Recover) (*Account, []wire.DeviceName, error) {
	name, err := d.Name(r.Handle)
	if err != nil {
		return nil, nil, err
	}
	if len(r.Signed) == 0 || len(r.Signed) > wire.MaxChain {
		return nil, nil, wire.Refuse(wire.CodeMalformed, "a recovery takes 1 to %d statements", wire.MaxChain)
	}
	for i, signed := range r.Signed {
		s, err := identity.ReadStatement(signed)
		if err != nil {
			return nil, nil, badChain(err)
		}
		want := identity.RevokeDevice
		switch {
		case i == 0:
			want = identity.AddDevice
		case i == len(r.Signed)-1 && s.Kind == identity.Move && s.Handle == r.Handle: // back to where it was moved away
			want = identity.Move
		}
		if s.Kind != want || s.Signer != nil {
			return nil, nil, wire.Refuse(wire.CodeBadChain, "a recovery is a device that the recovery key adds, others that it revokes, and perhaps the way back to this handle")
		}
	}
	a, err := d.Account(name)
	if err != nil {
		return nil, nil, err
	}
	if a.Suspended {
		return nil, nil, wire.Refuse(wire.CodeSuspended, "the operator of this server has suspended the account")
	}
	return d.state(name, r.Head, r.Signed...)
}

// SetRecord keeps an account's recovery record in place of the one before.
func (d *Directory) SetRecord(name string, device wire.DeviceName, sealed []byte) error {
	defer d.lock(name).Unlock()
	a, err := d.home(name, device)
	if err != nil {
		return err
	}
	if a.Chain.Recovery() == nil {
		return wire.Refuse(wire.CodeOrder, "an account without a recovery key has no recovery record")
	}
	b := d.db.NewBatch()
	b.Set(recordKey(name), sealed)
	return d.change(name, b)
}

// Record is an account's recovery record, nil when there is none.
func (d *Directory) Record(name string) ([]byte, error) {
	sealed, _, err := d.db.Get(recordKey(name))
	return sealed, err
}

// SetBackup keeps where an account's backup is, in place of what it replaces: two devices that
// both keep one notice each other. The same again is done already.
func (d *Directory) SetBackup(name string, device wire.DeviceName, q wire.Backup) error {
	defer d.lock(name).Unlock()
	a, err := d.active(name, device)
	if err != nil {
		return err
	}
	if a.Chain.Recovery() == nil && q.Sealed != nil {
		return wire.Refuse(wire.CodeOrder, "an account without a recovery key has no backup here")
	}
	have, err := d.Backup(name)
	if err != nil || bytes.Equal(have, q.Sealed) {
		return err
	}
	standing := wire.Hash{}
	if have != nil {
		standing = sha256.Sum256(have)
	}
	if standing != *q.Replaces {
		return wire.Refuse(wire.CodeBackupMoved, "another device has put its backup here")
	}
	b := d.db.NewBatch()
	if q.Sealed == nil {
		b.Shrinks()
		b.Delete(backupKey(name))
	} else {
		b.Set(backupKey(name), q.Sealed)
	}
	return d.change(name, b)
}

// Backup is where an account's backup is, nil when there is none.
func (d *Directory) Backup(name string) ([]byte, error) {
	sealed, _, err := d.db.Get(backupKey(name))
	return sealed, err
}
