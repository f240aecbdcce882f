package store

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Outgoing is something that this device has to say in a room. Once sealed, its bytes
// are those that are sent, again and again, until they are read in the log or their
// epoch is over.
type Outgoing struct {
	ID         int64
	Room       room.ID
	Kind       room.PayloadKind
	Body       []byte
	Message    *mimi.MessageID
	Generation uint64 // sealed for; 0 not sealed
	Epoch      uint64
	Entry      []byte
	Hash       *wire.Hash
}

const outboxColumns = `id, room, kind, body, message, generation, epoch, entry, hash`

func scanOutgoing(r *sqlite.Row) (Outgoing, error) {
	var o Outgoing
	err := r.Scan(&o.ID, &o.Room, &o.Kind, &o.Body, &o.Message, &o.Generation, &o.Epoch, &o.Entry, &o.Hash)
	return o, err
}

// Enqueue adds to the outbox and answers the row.
func (t Tx) Enqueue(o Outgoing) (int64, error) {
	err := t.tx.Exec(`INSERT INTO outbox (room, kind, body, message) VALUES (?,?,?,?)`, o.Room, o.Kind, o.Body, o.Message)
	return t.tx.LastID(), err
}

// EnqueueFirst adds to the outbox before everything that waits there, which is sealed anew.
func (t Tx) EnqueueFirst(id room.ID, some []Outgoing) error {
	if len(some) == 0 {
		return nil
	}
	if err := t.Unseal(id, 0, 0); err != nil {
		return err
	}
	var last int64
	if _, err := t.one(`SELECT COALESCE(MAX(id), 0) FROM outbox`, func(r *sqlite.Row) error { return r.Scan(&last) }); err != nil {
		return err
	}
	for _, o := range some {
		if _, err := t.Enqueue(o); err != nil {
			return err
		}
	}
	if err := t.tx.Exec(`INSERT INTO outbox (room, kind, body, message) SELECT room, kind, body, message FROM outbox
		WHERE room = ? AND id <= ? ORDER BY id`, id, last); err != nil {
		return err
	}
	return t.tx.Exec(`DELETE FROM outbox WHERE room = ? AND id <= ?`, id, last)
}

// OutgoingProposal is the kind of an outgoing entry that is an MLS proposal: good in its
// epoch only, never sealed anew.
const OutgoingProposal room.PayloadKind = 0

// EnqueueProposal adds a sealed proposal to the outbox.
func (t Tx) EnqueueProposal(id room.ID, generation, epoch uint64, entry []byte, hash wire.Hash) error {
	return t.tx.Exec(`INSERT INTO outbox (room, kind, body, generation, epoch, entry, hash) VALUES (?,?,?,?,?,?,?)`,
		id, OutgoingProposal, []byte{}, generation, epoch, entry, hash)
}

// OutboxWaits says whether a room has something to say.
func (t Tx) OutboxWaits(id room.ID) (bool, error) {
	return t.one(`SELECT 1 FROM outbox WHERE room = ? LIMIT 1`, func(*sqlite.Row) error { return nil }, id)
}

// Outbox is a room's outbox in order.
func (t Tx) Outbox(id room.ID, limit int) ([]Outgoing, error) {
	return collect(t, `SELECT `+outboxColumns+` FROM outbox WHERE room = ? ORDER BY id LIMIT ?`, scanOutgoing, id, limit)
}

// SetSealed keeps the bytes of an outgoing entry.
func (t Tx) SetSealed(o Outgoing) error {
	return t.tx.Exec(`UPDATE outbox SET generation = ?, epoch = ?, entry = ?, hash = ? WHERE id = ?`, o.Generation, o.Epoch, o.Entry, o.Hash, o.ID)
}

// Unseal forgets sealed bytes of a room that are not of the generation and epoch given:
// they are sealed anew. Those of another generation may yet be read in its log, or were by
// others, and so they take the place where they are read last; those of an epoch that is over
// have no place there any more.
func (t Tx) Unseal(id room.ID, generation, epoch uint64) error {
	if err := t.tx.Exec(`INSERT OR IGNORE INTO past (room, generation, epoch, hash, message) SELECT room, generation, epoch, hash, message FROM outbox
		WHERE room = ? AND generation > 0 AND generation <> ? AND hash IS NOT NULL`, id, generation); err != nil {
		return err
	}
	if err := t.tx.Exec(`DELETE FROM past WHERE room = ? AND generation = ? AND epoch <> ?`, id, generation, epoch); err != nil {
		return err
	}
	return t.tx.Exec(`UPDATE outbox SET kind = CASE WHEN kind = ? AND generation <> ? THEN ? ELSE kind END, generation = 0, epoch = 0, entry = NULL, hash = NULL
		WHERE room = ? AND generation > 0 AND (generation <> ? OR epoch <> ?)`, room.PayloadContent, generation, room.PayloadAgain, id, generation, epoch)
}

// OutgoingByHash finds an outgoing entry by the hash of its bytes; nil when there is none.
func (t Tx) OutgoingByHash(id room.ID, h wire.Hash) (*Outgoing, error) {
	var o Outgoing
	ok, err := t.one(`SELECT `+outboxColumns+` FROM outbox WHERE room = ? AND hash = ?`, func(r *sqlite.Row) (err error) { o, err = scanOutgoing(r); return err }, id, h)
	if err != nil || !ok {
		return nil, err
	}
	return &o, nil
}

// PastByHash finds an own entry of a generation that is not sent any more by the hash of its
// bytes; nil when there is none.
func (t Tx) PastByHash(id room.ID, generation uint64, h wire.Hash) (*Outgoing, error) {
	o := Outgoing{Room: id}
	ok, err := t.one(`SELECT message FROM past WHERE room = ? AND generation = ? AND hash = ?`, func(r *sqlite.Row) error { return r.Scan(&o.Message) }, id, generation, h)
	if err != nil || !ok {
		return nil, err
	}
	return &o, nil
}

// withdraw takes a message out of the outbox. Its entry may be on its way.
func (t Tx) withdraw(message mimi.MessageID) error {
	if err := t.tx.Exec(`INSERT OR IGNORE INTO past (room, generation, epoch, hash, message) SELECT room, generation, epoch, hash, message FROM outbox
		WHERE message = ? AND hash IS NOT NULL`, message); err != nil {
		return err
	}
	return t.tx.Exec(`DELETE FROM outbox WHERE message = ?`, message)
}

// Sent drops an outgoing entry that was read in the log, or that is not to be sent.
func (t Tx) Sent(id int64) error { return t.tx.Exec(`DELETE FROM outbox WHERE id = ?`, id) }

// DropUnsealed takes out of a room's outbox what is of a kind and was not sealed yet: something
// newer takes its place.
func (t Tx) DropUnsealed(id room.ID, kind room.PayloadKind) error {
	return t.tx.Exec(`DELETE FROM outbox WHERE room = ? AND kind = ? AND entry IS NULL`, id, kind)
}

// MoveOutbox gives what waits in one room to another. Entries on their way may yet be read
// where they were sent.
func (t Tx) MoveOutbox(from, to room.ID) error {
	if err := t.Unseal(from, 0, 0); err != nil {
		return err
	}
	return t.tx.Exec(`UPDATE outbox SET room = ? WHERE room = ?`, to, from)
}

// DropOutbox drops everything that waits in a room, its messages failed.
func (t Tx) DropOutbox(id room.ID) error {
	if err := t.tx.Exec(`UPDATE messages SET state = 5, why = ?, code = ? WHERE room = ? AND state = 1`, "you are not in this room any more", "not a member", id); err != nil {
		return err
	}
	return t.tx.Exec(`DELETE FROM outbox WHERE room = ?`, id)
}

// Staged is our own commit on its way.
type Staged struct {
	Room       room.ID
	Generation uint64
	Epoch      uint64
	Entry      []byte
	Hash       wire.Hash
	Token      wire.Secret
	Swap       []byte // wire.Swap
	Commit     []byte // mls.StagedCommit
	Proofs     []byte // []room.Proof
	Guests     []byte // the client's: who is invited when it is merged
}

// Staged finds the commit on its way in a generation; nil when there is none.
func (t Tx) Staged(id room.ID, generation uint64) (*Staged, error) {
	var s Staged
	ok, err := t.one(`SELECT room, generation, epoch, entry, hash, token, swap, commits, proofs, guests FROM staged WHERE room = ? AND generation = ?`, func(r *sqlite.Row) error {
		return r.Scan(&s.Room, &s.Generation, &s.Epoch, &s.Entry, &s.Hash, &s.Token, &s.Swap, &s.Commit, &s.Proofs, &s.Guests)
	}, id, generation)
	if err != nil || !ok {
		return nil, err
	}
	return &s, nil
}

// PutStaged keeps a commit before it is sent.
func (t Tx) PutStaged(s Staged) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO staged (room, generation, epoch, entry, hash, token, swap, commits, proofs, guests) VALUES (?,?,?,?,?,?,?,?,?,?)`,
		s.Room, s.Generation, s.Epoch, s.Entry, s.Hash, s.Token, s.Swap, s.Commit, s.Proofs, s.Guests)
}

// DropStaged forgets a commit: it was merged, or another one won.
func (t Tx) DropStaged(id room.ID, generation uint64) error {
	return t.tx.Exec(`DELETE FROM staged WHERE room = ? AND generation = ?`, id, generation)
}

// Want is a change of a room that this device is to bring about.
type Want struct {
	ID    int64
	Room  room.ID
	Kind  uint8
	Body  []byte
	Due   int64 // Unix milliseconds
	Tries int64
}

func scanWant(r *sqlite.Row) (Want, error) {
	var w Want
	err := r.Scan(&w.ID, &w.Room, &w.Kind, &w.Body, &w.Due, &w.Tries)
	return w, err
}

// Wants are a room's wants in order.
func (t Tx) Wants(id room.ID) ([]Want, error) {
	return collect(t, `SELECT id, room, kind, body, due, tries FROM wants WHERE room = ? ORDER BY id`, scanWant, id)
}

// AllWants are the wants of all rooms.
func (t Tx) AllWants() ([]Want, error) {
	return collect(t, `SELECT id, room, kind, body, due, tries FROM wants ORDER BY id`, scanWant)
}

// AddWant notes a want unless the room has an equal one.
func (t Tx) AddWant(w Want) error {
	ok, err := t.one(`SELECT 1 FROM wants WHERE room = ? AND kind = ? AND body = ?`, func(*sqlite.Row) error { return nil }, w.Room, w.Kind, w.Body)
	if ok || err != nil {
		return err
	}
	return t.tx.Exec(`INSERT INTO wants (room, kind, body, due) VALUES (?,?,?,?)`, w.Room, w.Kind, w.Body, w.Due)
}

// SetWant keeps a want's body, time and tries.
func (t Tx) SetWant(w Want) error {
	return t.tx.Exec(`UPDATE wants SET body = ?, due = ?, tries = ? WHERE id = ?`, w.Body, w.Due, w.Tries, w.ID)
}

// DropWant forgets a want: it is done, or cannot be.
func (t Tx) DropWant(id int64) error { return t.tx.Exec(`DELETE FROM wants WHERE id = ?`, id) }

// DropWants forgets all wants of a room.
func (t Tx) DropWants(id room.ID) error { return t.tx.Exec(`DELETE FROM wants WHERE room = ?`, id) }

// Letter is an inbox entry on its way.
type Letter struct {
	ID         int64
	Host       string
	Inbox      wire.InboxName
	Capability wire.Secret
	Entry      []byte
	Due        int64
	Tries      int64
	Until      int64
}

// AddLetter posts a letter.
func (t Tx) AddLetter(l Letter) error {
	return t.tx.Exec(`INSERT INTO letters (host, inbox, capability, entry, due, until) VALUES (?,?,?,?,?,?)`, l.Host, l.Inbox, l.Capability, l.Entry, l.Due, l.Until)
}

// Letters are all letters on their way.
func (t Tx) Letters() ([]Letter, error) {
	return collect(t, `SELECT id, host, inbox, capability, entry, due, tries, until FROM letters ORDER BY id`, func(r *sqlite.Row) (l Letter, err error) {
		err = r.Scan(&l.ID, &l.Host, &l.Inbox, &l.Capability, &l.Entry, &l.Due, &l.Tries, &l.Until)
		return l, err
	})
}

// PutOff delays a letter.
func (t Tx) PutOff(l Letter) error {
	return t.tx.Exec(`UPDATE letters SET due = ?, tries = ? WHERE id = ?`, l.Due, l.Tries, l.ID)
}

// DropLetter forgets a letter: it has arrived, or never will.
func (t Tx) DropLetter(id int64) error { return t.tx.Exec(`DELETE FROM letters WHERE id = ?`, id) }

// Address is where a device takes what is sealed to it.
type Address struct {
	Account    identity.ID
	Device     wire.DeviceName
	Host       string
	Inbox      wire.InboxName
	Capability wire.Secret
}

// PutAddress keeps where a member's device takes invitations for a room.
func (t Tx) PutAddress(id room.ID, a Address) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO inboxes (room, account, device, host, inbox, capability) VALUES (?,?,?,?,?,?)`, id, a.Account, a.Device, a.Host, a.Inbox, a.Capability)
}

// Addresses are the addresses known in a room.
func (t Tx) Addresses(id room.ID) ([]Address, error) {
	return collect(t, `SELECT account, device, host, inbox, capability FROM inboxes WHERE room = ? ORDER BY account, device`, func(r *sqlite.Row) (a Address, err error) {
		err = r.Scan(&a.Account, &a.Device, &a.Host, &a.Inbox, &a.Capability)
		return a, err
	}, id)
}

// DropWantsOf forgets the wants of a kind in a room.
func (t Tx) DropWantsOf(id room.ID, kind uint8) error {
	return t.tx.Exec(`DELETE FROM wants WHERE room = ? AND kind = ?`, id, kind)
}
