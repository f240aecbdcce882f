package store

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
	"sotto/mimi"
)

// RoomLink is an invitation link to a room that this device made.
type RoomLink struct {
	ID      room.LinkID
	Room    room.ID
	Secret  wire.Secret
	Until   int64 // Unix milliseconds
	Approve bool  // somebody has to say yes
	Created int64
	Used    int64 // how many were let in by it
}

const linkColumns = `link, room, secret, until, approve, created, used`

func scanLink(r *sqlite.Row) (RoomLink, error) {
	var l RoomLink
	err := r.Scan(&l.ID, &l.Room, &l.Secret, &l.Until, &l.Approve, &l.Created, &l.Used)
	return l, err
}

// AddRoomLink keeps a link.
func (t Tx) AddRoomLink(l RoomLink) error {
	return t.tx.Exec(`INSERT INTO room_links (`+linkColumns+`) VALUES (?,?,?,?,?,?,?)`, l.ID, l.Room, l.Secret, l.Until, l.Approve, l.Created, l.Used)
}

// RoomLink finds a link; nil when there is none.
func (t Tx) RoomLink(id room.LinkID) (*RoomLink, error) {
	var l RoomLink
	ok, err := t.one(`SELECT `+linkColumns+` FROM room_links WHERE link = ?`, func(r *sqlite.Row) (err error) { l, err = scanLink(r); return err }, id)
	if err != nil || !ok {
		return nil, err
	}
	return &l, nil
}

// RoomLinks are a room's links, newest first.
func (t Tx) RoomLinks(id room.ID) ([]RoomLink, error) {
	return collect(t, `SELECT `+linkColumns+` FROM room_links WHERE room = ? ORDER BY created DESC, link`, scanLink, id)
}

// UseRoomLink counts somebody who was let in by a link.
func (t Tx) UseRoomLink(id room.LinkID) error {
	return t.tx.Exec(`UPDATE room_links SET used = used + 1 WHERE link = ?`, id)
}

// DropRoomLink forgets a link.
func (t Tx) DropRoomLink(id room.ID, link room.LinkID) error {
	return t.tx.Exec(`DELETE FROM room_links WHERE room = ? AND link = ?`, id, link)
}

// KnockState says what became of a knock.
type KnockState uint8

// The states of a knock.
const (
	KnockWaits   KnockState = 1 // for somebody's word
	KnockLetIn   KnockState = 2 // the room is to take them in
	KnockRefused KnockState = 3 // kept so that they do not ask again and again
)

// Knock is somebody who came by a link.
type Knock struct {
	ID      int64
	Room    room.ID
	Link    room.LinkID
	Account identity.ID
	Handle  string // as they say; checked before they are let in
	Name    string // that they show
	Time    int64
	State   KnockState
}

const knockColumns = `id, room, link, account, handle, name, time, state`

func scanKnock(r *sqlite.Row) (Knock, error) {
	var k Knock
	err := r.Scan(&k.ID, &k.Room, &k.Link, &k.Account, &k.Handle, &k.Name, &k.Time, &k.State)
	return k, err
}

// AddKnock keeps a knock; an account's earlier one at the room gives way.
func (t Tx) AddKnock(k Knock) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO knocks (room, link, account, handle, name, time, state) VALUES (?,?,?,?,?,?,?)`,
		k.Room, k.Link, k.Account, k.Handle, k.Name, k.Time, k.State)
}

// Knock finds a knock; nil when there is none.
func (t Tx) Knock(id int64) (*Knock, error) {
	return t.knock(`SELECT `+knockColumns+` FROM knocks WHERE id = ?`, id)
}

// KnockOf finds an account's knock at a room; nil when there is none.
func (t Tx) KnockOf(id room.ID, account identity.ID) (*Knock, error) {
	return t.knock(`SELECT `+knockColumns+` FROM knocks WHERE room = ? AND account = ?`, id, account)
}

func (t Tx) knock(sql string, args ...any) (*Knock, error) {
	var k Knock
	ok, err := t.one(sql, func(r *sqlite.Row) (err error) { k, err = scanKnock(r); return err }, args...)
	if err != nil || !ok {
		return nil, err
	}
	return &k, nil
}

// Knocks are a room's knocks in a state, oldest first.
func (t Tx) Knocks(id room.ID, s KnockState) ([]Knock, error) {
	return collect(t, `SELECT `+knockColumns+` FROM knocks WHERE room = ? AND state = ? ORDER BY id`, scanKnock, id, s)
}

// CountKnocks counts a room's knocks in a state since a time.
func (t Tx) CountKnocks(id room.ID, s KnockState, since int64) (n int64, err error) {
	_, err = t.one(`SELECT COUNT(*) FROM knocks WHERE room = ? AND state = ? AND time > ?`, func(r *sqlite.Row) error { return r.Scan(&n) }, id, s, since)
	return n, err
}

// SetKnock moves a knock on.
func (t Tx) SetKnock(id int64, s KnockState) error {
	return t.tx.Exec(`UPDATE knocks SET state = ? WHERE id = ?`, s, id)
}

// DropKnock forgets a knock.
func (t Tx) DropKnock(id int64) error { return t.tx.Exec(`DELETE FROM knocks WHERE id = ?`, id) }

// Asked is a link at which this person has knocked.
type Asked struct {
	Link    room.LinkID
	Account identity.ID // who made it
	Title   string      // of the room that it leads to
	Until   int64       // Unix milliseconds
	Room    *room.ID    // once an invitation has come
}

// PutAsked remembers that this person has knocked.
func (t Tx) PutAsked(a Asked) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO asked (link, account, title, until, room) VALUES (?,?,?,?,?)`, a.Link, a.Account, a.Title, a.Until, a.Room)
}

// Asked finds the link at which this person has knocked; nil when they have not.
func (t Tx) Asked(link room.LinkID) (*Asked, error) {
	var a Asked
	ok, err := t.one(`SELECT link, account, title, until, room FROM asked WHERE link = ?`, func(r *sqlite.Row) error {
		return r.Scan(&a.Link, &a.Account, &a.Title, &a.Until, &a.Room)
	}, link)
	if err != nil || !ok {
		return nil, err
	}
	return &a, nil
}

// DropOldLinks forgets links that are over, and knocks and askings that are old.
func (t Tx) DropOldLinks(now, old int64) error {
	for _, sql := range []string{`DELETE FROM room_links WHERE until <= ?`, `DELETE FROM asked WHERE until <= ?`} {
		if err := t.tx.Exec(sql, now); err != nil {
			return err
		}
	}
	return t.tx.Exec(`DELETE FROM knocks WHERE time <= ?`, old)
}

// Pinned is a message that is pinned in its room.
type Pinned struct {
	Message mimi.MessageID
	Account identity.ID // who pinned it
	Time    int64
}

// Pin pins a message.
func (t Tx) Pin(id room.ID, p Pinned) error {
	return t.tx.Exec(`INSERT OR IGNORE INTO pins (room, message, account, time) VALUES (?,?,?,?)`, id, p.Message, p.Account, p.Time)
}

// Unpin ends that.
func (t Tx) Unpin(id room.ID, message mimi.MessageID) error {
	return t.tx.Exec(`DELETE FROM pins WHERE room = ? AND message = ?`, id, message)
}

// Pins are a room's pinned messages, the last one first.
func (t Tx) Pins(id room.ID) ([]Pinned, error) {
	return collect(t, `SELECT p.message, p.account, p.time FROM pins p CROSS JOIN messages m ON m.room = p.room AND m.message = p.message
		WHERE p.room = ? AND m.flags & ? = 0 ORDER BY p.time DESC, p.message`, func(r *sqlite.Row) (p Pinned, err error) {
		err = r.Scan(&p.Message, &p.Account, &p.Time)
		return p, err
	}, id, FlagDeleted|FlagHidden)
}
