package store

import (
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
)

// Register is something that this person's devices keep alike (room.Register), as the self
// room has it.
type Register struct {
	What   room.What
	Of     []byte
	Value  []byte // empty: nothing
	Time   uint64 // Unix milliseconds
	Device wire.DeviceName
}

const registerColumns = `what, of, value, time, device`

func scanRegister(r *sqlite.Row) (x Register, err error) {
	x.What, x.Of, x.Value, x.Time = room.What(r.Int(0)), r.Bytes(1), r.Bytes(2), uint64(r.Int(3))
	r.Array(4, x.Device[:])
	return x, nil
}

// Register finds a register; nil when there is none.
func (t Tx) Register(what room.What, of []byte) (*Register, error) {
	var x Register
	ok, err := t.one(`SELECT `+registerColumns+` FROM registers WHERE what = ? AND of = ?`, func(r *sqlite.Row) (err error) { x, err = scanRegister(r); return err }, what, of)
	if err != nil || !ok {
		return nil, err
	}
	return &x, nil
}

// Registers are all registers, in order.
func (t Tx) Registers() ([]Register, error) {
	return collect(t, `SELECT `+registerColumns+` FROM registers ORDER BY what, of`, scanRegister)
}

// RegistersOf are the registers of a kind, in order.
func (t Tx) RegistersOf(what room.What) ([]Register, error) {
	return collect(t, `SELECT `+registerColumns+` FROM registers WHERE what = ? ORDER BY of`, scanRegister, what)
}

// PutRegister keeps a register in the place of what it said before. said: the other devices
// have it from the self room.
func (t Tx) PutRegister(x Register, said bool) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO registers (what, of, value, time, device, said) VALUES (?,?,?,?,?,?)`, x.What, x.Of, nonNil(x.Value), x.Time, x.Device, said)
}

// nonNil is b, or an empty slice: a nil one would be NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// SetSaid notes that the self room has a register as it is here.
func (t Tx) SetSaid(what room.What, of []byte) error {
	return t.tx.Exec(`UPDATE registers SET said = 1 WHERE what = ? AND of = ? AND said = 0`, what, of)
}

// UnsayRegisters notes that somebody may not have the registers: each is to be said again, until
// it is read.
func (t Tx) UnsayRegisters() error { return t.tx.Exec(`UPDATE registers SET said = 0 WHERE said = 1`) }

// Unsaid are registers that are to be said again, the first ones in order.
func (t Tx) Unsaid(limit int) ([]Register, error) {
	return collect(t, `SELECT `+registerColumns+` FROM registers INDEXED BY registers_unsaid WHERE said = 0 ORDER BY what, of LIMIT ?`, scanRegister, limit)
}

// CountRegisters counts all registers, and those of a kind.
func (t Tx) CountRegisters(what room.What) (all, of int64, err error) {
	_, err = t.one(`SELECT (SELECT COUNT(*) FROM registers), (SELECT COUNT(*) FROM registers WHERE what = ?)`, func(r *sqlite.Row) error { return r.Scan(&all, &of) }, what)
	return all, of, err
}

// PruneRegisters forgets the oldest registers that say nothing, but for so many.
func (t Tx) PruneRegisters(keep int) error {
	return t.tx.Exec(`DELETE FROM registers WHERE (what, of) IN (SELECT what, of FROM registers INDEXED BY registers_empty WHERE length(value) = 0
		ORDER BY time DESC, what DESC, of DESC LIMIT -1 OFFSET ?)`, keep)
}

// Change is something that this device said of a register and that it has not read in the
// self room yet.
type Change struct {
	What  room.What
	Of    []byte
	Value []byte
	Time  uint64 // Unix milliseconds
	Due   int64  // not to be sent before
	Sent  bool   // it is in the outbox
}

const changeColumns = `what, of, value, time, due, sent`

func scanChange(r *sqlite.Row) (x Change, err error) {
	x.What, x.Of, x.Value, x.Time = room.What(r.Int(0)), r.Bytes(1), r.Bytes(2), uint64(r.Int(3))
	x.Due, x.Sent = r.Int(4), r.Bool(5)
	return x, nil
}

// Change finds what this device said of a register; nil when there is nothing.
func (t Tx) Change(what room.What, of []byte) (*Change, error) {
	var x Change
	ok, err := t.one(`SELECT `+changeColumns+` FROM register_changes WHERE what = ? AND of = ?`, func(r *sqlite.Row) (err error) { x, err = scanChange(r); return err }, what, of)
	if err != nil || !ok {
		return nil, err
	}
	return &x, nil
}

// PutChange keeps what this device says of a register, in the place of what it said before.
func (t Tx) PutChange(x Change) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO register_changes (what, of, value, time, due, sent) VALUES (?,?,?,?,?,?)`, x.What, x.Of, nonNil(x.Value), x.Time, x.Due, x.Sent)
}

// DropChange forgets what this device said of a register: it was read, or is outdone.
func (t Tx) DropChange(what room.What, of []byte) error {
	return t.tx.Exec(`DELETE FROM register_changes WHERE what = ? AND of = ?`, what, of)
}

// UnsentChanges are the changes that are not in the outbox, in order.
func (t Tx) UnsentChanges() ([]Change, error) {
	return collect(t, `SELECT `+changeColumns+` FROM register_changes WHERE sent = 0 ORDER BY what, of`, scanChange)
}

// UnsendChanges notes that nothing of the changes is in an outbox any more.
func (t Tx) UnsendChanges() error {
	return t.tx.Exec(`UPDATE register_changes SET sent = 0 WHERE sent = 1`)
}

// RoomsOf are the rooms of a kind, the lowest id first.
func (t Tx) RoomsOf(kind room.Kind) ([]Room, error) {
	return collect(t, `SELECT `+roomColumns+` FROM rooms WHERE kind = ? ORDER BY room`, scanRoom, kind)
}

// Starred are the messages that the person wants to find again.
func (t Tx) Starred() ([]Message, error) {
	return collect(t, `SELECT `+messageColumns+` FROM messages WHERE at IS NOT NULL AND flags & ? = ? ORDER BY at`, scanMessage, FlagStarred|FlagHidden, FlagStarred)
}

// SeenBefore is the last shown message of a room that stands before everything that the
// person has not seen there; nil when there is none.
func (t Tx) SeenBefore(id room.ID) (*Message, error) {
	pos, some, err := t.FirstUnseen(id)
	if err != nil {
		return nil, err
	}
	if !some {
		pos = 1 << 62
	}
	var m Message
	ok, err := t.one(`SELECT `+messageColumns+` FROM messages `+shown+` AND pos < ? ORDER BY pos DESC LIMIT 1`, func(r *sqlite.Row) (err error) { m, err = scanMessage(r); return err }, id, pos)
	if err != nil || !ok {
		return nil, err
	}
	return &m, nil
}
