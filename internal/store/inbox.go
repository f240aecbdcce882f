package store

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
)

// InvitationState says what an invitation waits for.
type InvitationState uint8

// The states of an invitation.
const (
	Request  InvitationState = 1 // the person's word
	Accepted InvitationState = 2 // the client enters the room
	Held     InvitationState = 3 // the time from which its sender is entitled to it
)

// Invitation is an invitation that waits.
type Invitation struct {
	ID      int64
	Room    room.ID
	Account identity.ID
	Handle  string // as the inviter says; checked after acceptance
	Text    string // the first message
	Body    []byte // room.Invitation
	Chain   *identity.Chain
	Device  wire.DeviceName
	Arrived int64
	State   InvitationState
	Name    string // that the inviter shows: their claim
	Later   bool   // the person said "not now"
}

// Invitations are those in a state, oldest first.
func (t Tx) Invitations(s InvitationState) ([]Invitation, error) {
	return collect(t, `SELECT id, room, account, handle, text, body, chain, device, arrived, state, name, later FROM invitations WHERE state = ? ORDER BY id`, func(r *sqlite.Row) (Invitation, error) {
		var i Invitation
		var chain []byte
		if err := r.Scan(&i.ID, &i.Room, &i.Account, &i.Handle, &i.Text, &i.Body, &chain, &i.Device, &i.Arrived, &i.State, &i.Name, &i.Later); err != nil {
			return i, err
		}
		c, err := decodeChain(chain)
		i.Chain = c
		return i, err
	}, s)
}

// How many invitations of one account wait: anybody can write any number.
const (
	heldInvitations = 8  // to one room that this device is in
	requests        = 32 // of a stranger
)

// AddInvitation keeps an invitation. Of those that wait for long the latest ones of an
// account are kept.
func (t Tx) AddInvitation(i Invitation) error {
	err := t.tx.Exec(`INSERT INTO invitations (room, account, handle, text, body, chain, device, arrived, state, name) VALUES (?,?,?,?,?,?,?,?,?,?)`,
		i.Room, i.Account, i.Handle, i.Text, i.Body, encodeChain(i.Chain), i.Device, i.Arrived, i.State, i.Name)
	switch {
	case err != nil:
		return err
	case i.State == Held:
		return t.tx.Exec(`DELETE FROM invitations WHERE state = ? AND account = ? AND room = ? AND id NOT IN
			(SELECT id FROM invitations WHERE state = ? AND account = ? AND room = ? ORDER BY id DESC LIMIT ?)`,
			Held, i.Account, i.Room, Held, i.Account, i.Room, heldInvitations)
	case i.State == Request:
		return t.tx.Exec(`DELETE FROM invitations WHERE state = ? AND account = ? AND id NOT IN
			(SELECT id FROM invitations WHERE state = ? AND account = ? ORDER BY id DESC LIMIT ?)`,
			Request, i.Account, Request, i.Account, requests)
	}
	return nil
}

// SetInvitation changes what an invitation waits for.
func (t Tx) SetInvitation(id int64, s InvitationState) error {
	return t.tx.Exec(`UPDATE invitations SET state = ? WHERE id = ?`, s, id)
}

// PutOffRequests notes that the person does not want to decide now on an account's requests that
// arrived through a time, Unix milliseconds.
func (t Tx) PutOffRequests(account identity.ID, through int64) error {
	return t.tx.Exec(`UPDATE invitations SET later = 1 WHERE account = ? AND state = ? AND arrived <= ?`, account, Request, through)
}

// DropRequests forgets an account's requests.
func (t Tx) DropRequests(account identity.ID) error {
	return t.tx.Exec(`DELETE FROM invitations WHERE account = ? AND state = ?`, account, Request)
}

// DropInvitation forgets an invitation.
func (t Tx) DropInvitation(id int64) error {
	return t.tx.Exec(`DELETE FROM invitations WHERE id = ?`, id)
}

// FirstTime notes that an inbox entry is acted on and says whether it is for the first
// time.
func (t Tx) FirstTime(hash wire.Hash, now int64) (bool, error) {
	err := t.tx.Exec(`INSERT OR IGNORE INTO letters_read (hash, time) VALUES (?,?)`, hash, now)
	return t.tx.Changes() > 0, err
}

// ForgetRead forgets inbox entries acted on before a time.
func (t Tx) ForgetRead(before int64) error {
	return t.tx.Exec(`DELETE FROM letters_read WHERE time < ?`, before)
}

// KeyPackage is one of our key packages with its private keys.
type KeyPackage struct {
	Ref        wire.Hash
	Secrets    []byte
	LastResort bool
	Created    int64
}

// PutKeyPackage keeps a key package.
func (t Tx) PutKeyPackage(k KeyPackage) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO keypackages (ref, secrets, last, created) VALUES (?,?,?,?)`, k.Ref, k.Secrets, k.LastResort, k.Created)
}

// KeyPackage finds a key package of ours; nil when it was used up.
func (t Tx) KeyPackage(ref wire.Hash) (*KeyPackage, error) {
	var k KeyPackage
	ok, err := t.one(`SELECT ref, secrets, last, created FROM keypackages WHERE ref = ?`, func(r *sqlite.Row) error {
		return r.Scan(&k.Ref, &k.Secrets, &k.LastResort, &k.Created)
	}, ref)
	if err != nil || !ok {
		return nil, err
	}
	return &k, nil
}

// DropKeyPackage erases a key package that was used.
func (t Tx) DropKeyPackage(ref wire.Hash) error {
	return t.tx.Exec(`DELETE FROM keypackages WHERE ref = ?`, ref)
}

// DropOldKeyPackages erases key packages made before a time.
func (t Tx) DropOldKeyPackages(before int64) error {
	return t.tx.Exec(`DELETE FROM keypackages WHERE created < ?`, before)
}

// Capability is the private capability of our inbox for a room; ok says whether there is
// one, told whether the home server knows it.
func (t Tx) Capability(id room.ID) (secret wire.Secret, told, ok bool, err error) {
	ok, err = t.one(`SELECT secret, told FROM capabilities WHERE room = ?`, func(r *sqlite.Row) error { return r.Scan(&secret, &told) }, id)
	return secret, told, ok, err
}

// PutCapability keeps a room's capability.
func (t Tx) PutCapability(id room.ID, secret wire.Secret, told bool) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO capabilities (room, secret, told) VALUES (?,?,?)`, id, secret, told)
}

// Untold is a capability that the home server does not know yet.
type Untold struct {
	Room   room.ID
	Secret wire.Secret
}

// Untold are the capabilities that the home server does not know yet.
func (t Tx) Untold() ([]Untold, error) {
	return collect(t, `SELECT room, secret FROM capabilities WHERE told = 0 ORDER BY room LIMIT 256`, func(r *sqlite.Row) (u Untold, err error) {
		err = r.Scan(&u.Room, &u.Secret)
		return u, err
	})
}

// Untell notes that the home server knows none of the capabilities: it is another one.
func (t Tx) Untell() error { return t.tx.Exec(`UPDATE capabilities SET told = 0`) }

// Told notes that the home server knows the capabilities of these rooms.
func (t Tx) Told(ids []room.ID) error {
	for _, id := range ids {
		if err := t.tx.Exec(`UPDATE capabilities SET told = 1 WHERE room = ?`, id); err != nil {
			return err
		}
	}
	return nil
}

// Join is a device that was added by us and has not said so yet.
type Join struct {
	Room       room.ID
	Generation uint64
	Device     wire.DeviceName
	Account    identity.ID
	Since      int64
}

// AddJoin expects a device.
func (t Tx) AddJoin(j Join) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO joins (room, generation, device, account, since) VALUES (?,?,?,?,?)`, j.Room, j.Generation, j.Device, j.Account, j.Since)
}

// DropJoin expects it no more.
func (t Tx) DropJoin(id room.ID, generation uint64, device wire.DeviceName) error {
	return t.tx.Exec(`DELETE FROM joins WHERE room = ? AND generation = ? AND device = ?`, id, generation, device)
}

// LateJoins are the devices expected since before a time.
func (t Tx) LateJoins(before int64) ([]Join, error) {
	return collect(t, `SELECT room, generation, device, account, since FROM joins WHERE since < ? ORDER BY room, device`, func(r *sqlite.Row) (j Join, err error) {
		err = r.Scan(&j.Room, &j.Generation, &j.Device, &j.Account, &j.Since)
		return j, err
	}, before)
}
