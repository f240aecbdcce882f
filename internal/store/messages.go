package store

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
	"sotto/mimi"
)

// MessageState is what became of a message of ours; people are told exactly this.
type MessageState uint8

// The states, each reached only after the one before it but for the last two.
const (
	Received  MessageState = 0 // not ours
	Queued    MessageState = 1 // on this device only
	Stored    MessageState = 2 // durable at the host
	Delivered MessageState = 3 // a device of every other member has it
	Read      MessageState = 4 // every other member has read it
	Failed    MessageState = 5 // it will not be sent
	Expired   MessageState = 6 // the host has erased it before everybody had it
)

var stateNames = [...]string{"received", "queued", "stored", "delivered", "read", "failed", "expired"}

func (s MessageState) String() string { return stateNames[s] }

// Flags of a message.
const (
	FlagHidden   = 1 << iota // from somebody blocked
	FlagEdited               // a later message changed its text
	FlagDeleted              // a later message took it back
	FlagSeen                 // the person has seen it
	FlagMentions             // it names this person
	FlagStarred              // the person wants to find it again
)

// Message is one message of a room.
type Message struct {
	Local      int64 // row
	Room       room.ID
	ID         mimi.MessageID
	Pos        int64 // order for people, 0 until it is in the log
	Generation uint64
	Seq        uint64
	Account    identity.ID
	Device     wire.DeviceName
	Kind       mimi.Kind
	Target     *mimi.MessageID
	Text       string
	Content    []byte
	Arrived    int64 // Unix milliseconds, 0 until then
	Sent       int64
	State      MessageState
	Expires    int64
	Flags      uint32
	Vanish     int64  // seconds after it was read; 0: not for that
	At         int64  // when it was said: Unix milliseconds, of no two alike on a device; 0: not shown by itself
	Why        string // it failed
	Code       string // of why, stable; "" for none
}

// Shown says whether a message of a kind stands in a conversation by itself. The others
// act on one that does.
func Shown(k mimi.Kind) bool {
	switch k {
	case mimi.KindOther, mimi.KindText, mimi.KindReply, mimi.KindAttachment:
		return true
	}
	return false
}

const messageColumns = `id, room, message, COALESCE(pos, 0), generation, seq, account, device, kind, target, text, content, arrived, sent, state, expires, flags, vanish, COALESCE(at, 0), why, code`

func scanMessage(r *sqlite.Row) (Message, error) {
	var m Message
	err := r.Scan(&m.Local, &m.Room, &m.ID, &m.Pos, &m.Generation, &m.Seq, &m.Account, &m.Device, &m.Kind, &m.Target,
		&m.Text, &m.Content, &m.Arrived, &m.Sent, &m.State, &m.Expires, &m.Flags, &m.Vanish, &m.At, &m.Why, &m.Code)
	return m, err
}

// AddMessage keeps a message unless the room has it already; added says which. A message
// that is to be shown has At set, which is made unique here.
func (t Tx) AddMessage(m Message) (added bool, err error) {
	var pos, when any
	if m.Pos != 0 {
		pos = m.Pos
	}
	if m.At != 0 {
		if when, err = t.freeAt(m.At); err != nil {
			return false, err
		}
	}
	err = t.tx.Exec(`INSERT OR IGNORE INTO messages (room, message, pos, generation, seq, account, device, kind, target, text, content, arrived, sent, state, expires, flags, vanish, at)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		m.Room, m.ID, pos, m.Generation, m.Seq, m.Account, m.Device, m.Kind, m.Target, m.Text, m.Content, m.Arrived, m.Sent, m.State, m.Expires, m.Flags, m.Vanish, when)
	if err != nil || t.tx.Changes() == 0 {
		return false, err
	}
	at, ok := when.(int64)
	if !ok || m.Flags&FlagDeleted != 0 {
		return true, nil
	}
	since, err := t.indexedSince()
	if err == nil && at >= since {
		err = t.tx.Exec(`INSERT INTO search (rowid, text) VALUES (?,?)`, at, m.searched())
	}
	return true, err
}

// freeAt is the first moment from at on at which nothing was said: at itself, or else behind
// what was said in the few seconds after it, so that a host that gives many messages one
// time does not have each look past all others.
func (t Tx) freeAt(at int64) (int64, error) {
	const stride = 4096
	taken, err := t.one(`SELECT 1 FROM messages WHERE at = ?`, func(*sqlite.Row) error { return nil }, at)
	for taken && err == nil {
		var last int64
		taken, err = t.one(`SELECT at FROM messages WHERE at >= ? AND at < ? ORDER BY at DESC LIMIT 1`, func(r *sqlite.Row) error { return r.Scan(&last) }, at, at+stride)
		if taken {
			if last+1 < at+stride {
				return last + 1, err
			}
			at = last + 1
		}
	}
	return at, err
}

// NextPos is the next place in the order for people, which messages and what happens in
// rooms share.
func (t Tx) NextPos() (int64, error) {
	var n int64
	_, err := t.one(`SELECT MAX(COALESCE((SELECT MAX(pos) FROM messages WHERE pos IS NOT NULL), 0), COALESCE((SELECT MAX(pos) FROM notices WHERE pos IS NOT NULL), 0)) + 1`,
		func(r *sqlite.Row) error { return r.Scan(&n) })
	if err != nil {
		return 0, err
	}
	base, err := t.FactUint(factBase)
	return max(n, int64(base)+1), err
}

// PlaceMessage gives one of our own messages its place, when it is read in the log. One
// that is sent again keeps the place that people saw it at first.
func (t Tx) PlaceMessage(id room.ID, message mimi.MessageID, pos int64, generation, seq uint64, arrived int64) error {
	return t.tx.Exec(`UPDATE messages SET pos = COALESCE(pos, ?), generation = ?, seq = ?, arrived = ?,
		state = CASE WHEN state < 2 OR state = 5 THEN 2 ELSE state END WHERE room = ? AND message = ?`, pos, generation, seq, arrived, id, message)
}

// MoveDown gives a message that is here already the place where it was read last. An edit says
// again what it said: it may have been forgotten since a later one.
func (t Tx) MoveDown(m Message) error {
	return t.tx.Exec(`UPDATE messages SET pos = ?1, generation = ?2, seq = ?3,
		text = CASE WHEN kind = ?4 AND flags & ?5 = 0 THEN ?6 ELSE text END, content = CASE WHEN kind = ?4 AND flags & ?5 = 0 THEN ?7 ELSE content END
		WHERE room = ?8 AND message = ?9`, m.Pos, m.Generation, m.Seq, mimi.KindEdit, FlagDeleted, m.Text, m.Content, m.Room, m.ID)
}

// Uproot notes that no message stands any more where it was read in a generation: the room went
// on in another log of the same number. They stay where people see them until they come again.
func (t Tx) Uproot(id room.ID, generation uint64) error {
	return t.tx.Exec(`UPDATE messages SET generation = 0, seq = 0 WHERE room = ? AND generation = ? AND pos IS NOT NULL`, id, generation)
}

// Message finds a message of a room; nil when there is none.
func (t Tx) Message(id room.ID, message mimi.MessageID) (*Message, error) {
	var m Message
	ok, err := t.one(`SELECT `+messageColumns+` FROM messages WHERE room = ? AND message = ?`,
		func(r *sqlite.Row) (err error) { m, err = scanMessage(r); return err }, id, message)
	if err != nil || !ok {
		return nil, err
	}
	return &m, nil
}

// FindMessage finds a message by its id in whichever room.
func (t Tx) FindMessage(message mimi.MessageID) (*Message, error) {
	var m Message
	ok, err := t.one(`SELECT `+messageColumns+` FROM messages WHERE message = ? LIMIT 1`,
		func(r *sqlite.Row) (err error) { m, err = scanMessage(r); return err }, message)
	if err != nil || !ok {
		return nil, err
	}
	return &m, nil
}

// Messages are a room's messages with a place after pos, in order, then those without a
// place yet. A nil room means all rooms.
func (t Tx) Messages(id *room.ID, after int64, limit int) ([]Message, error) {
	if id == nil {
		return collect(t, `SELECT `+messageColumns+` FROM messages WHERE pos > ? OR pos IS NULL ORDER BY pos IS NULL, pos, id LIMIT ?`, scanMessage, after, limit)
	}
	return collect(t, `SELECT `+messageColumns+` FROM messages WHERE room = ? AND (pos > ? OR pos IS NULL) ORDER BY pos IS NULL, pos, id LIMIT ?`, scanMessage, *id, after, limit)
}

// SetMessageState moves a message of ours on; a state never goes back, but that Stored
// may become Queued again when a host turns out to have lost it.
func (t Tx) SetMessageState(id room.ID, message mimi.MessageID, s MessageState) error {
	return t.tx.Exec(`UPDATE messages SET state = ?, why = '', code = '' WHERE room = ? AND message = ? AND state <> 0 AND (state < ? OR ? = 1)`, s, id, message, s, s)
}

// Fail marks a message of ours that will not be sent, with why: in English, and its code.
func (t Tx) Fail(id room.ID, message mimi.MessageID, why, code string) error {
	return t.tx.Exec(`UPDATE messages SET state = 5, why = ?, code = ? WHERE room = ? AND message = ? AND state = 1`, why, code, id, message)
}

// DropFlags takes flags from a message.
func (t Tx) DropFlags(id room.ID, message mimi.MessageID, flags uint32) error {
	return t.tx.Exec(`UPDATE messages SET flags = flags & ~? WHERE room = ? AND message = ?`, flags, id, message)
}

// SetFlags adds flags to a message.
func (t Tx) SetFlags(id room.ID, message mimi.MessageID, flags uint32) error {
	return t.tx.Exec(`UPDATE messages SET flags = flags | ? WHERE room = ? AND message = ?`, flags, id, message)
}

// MergeRoom gives a pair's second room's messages to the one that counts.
func (t Tx) MergeRoom(from, to room.ID) error {
	for _, sql := range []string{
		`UPDATE OR IGNORE messages SET room = ?2 WHERE room = ?1`,
		`DELETE FROM messages WHERE room = ?1 AND room <> ?2`, // the other room has them
		`UPDATE OR IGNORE receipts SET room = ?2 WHERE room = ?1`,
		`UPDATE notices SET room = ?2 WHERE room = ?1`,
		`UPDATE calls SET room = ?2 WHERE room = ?1`,
		`UPDATE OR IGNORE pins SET room = ?2 WHERE room = ?1`,
		`UPDATE OR IGNORE marks SET room = ?2 WHERE room = ?1`,
		`DELETE FROM marks WHERE room = ?1 AND room <> ?2`,
	} {
		if err := t.tx.Exec(sql, from, to); err != nil {
			return err
		}
	}
	return nil
}

// PutReceipt keeps what a member told of a message of ours; a state never goes back.
func (t Tx) PutReceipt(id room.ID, message mimi.MessageID, account identity.ID, s MessageState) error {
	return t.tx.Exec(`INSERT INTO receipts (room, message, account, state) VALUES (?,?,?,?)
		ON CONFLICT (room, message, account) DO UPDATE SET state = MAX(state, excluded.state)`, id, message, account, s)
}

// Receipts are what members told of a message of ours.
func (t Tx) Receipts(id room.ID, message mimi.MessageID) (map[identity.ID]MessageState, error) {
	out := map[identity.ID]MessageState{}
	err := t.tx.Query(`SELECT account, state FROM receipts WHERE room = ? AND message = ?`, func(r *sqlite.Row) error {
		var a identity.ID
		var s MessageState
		err := r.Scan(&a, &s)
		out[a] = s
		return err
	}, id, message)
	return out, err
}

// Owed is a receipt that we owe.
type Owed struct {
	Room    room.ID
	Message mimi.MessageID
	State   MessageState
}

// Owe notes a receipt to send.
func (t Tx) Owe(o Owed) error {
	return t.tx.Exec(`INSERT INTO owed (room, message, state) VALUES (?,?,?)
		ON CONFLICT (room, message) DO UPDATE SET state = MAX(state, excluded.state)`, o.Room, o.Message, o.State)
}

// OwedIn are the receipts owed in a room.
func (t Tx) OwedIn(id room.ID, limit int) ([]Owed, error) {
	return collect(t, `SELECT room, message, state FROM owed WHERE room = ? LIMIT ?`, func(r *sqlite.Row) (o Owed, err error) {
		err = r.Scan(&o.Room, &o.Message, &o.State)
		return o, err
	}, id, limit)
}

// RoomsOwing are the rooms with receipts to send.
func (t Tx) RoomsOwing() ([]room.ID, error) {
	return collect(t, `SELECT DISTINCT room FROM owed ORDER BY room`, func(r *sqlite.Row) (id room.ID, err error) { err = r.Scan(&id); return id, err })
}

// Paid forgets receipts that are on their way.
func (t Tx) Paid(o Owed) error {
	return t.tx.Exec(`DELETE FROM owed WHERE room = ? AND message = ?`, o.Room, o.Message)
}

// Undelivered are the messages written on a device that the generation after this one may
// lack, in the order of their places: what stands after its last entry that counts; and what
// not every member has told to have. Nothing of that through floor.
func (t Tx) Undelivered(id room.ID, device wire.DeviceName, g Generation, last, floor uint64) ([]Message, error) {
	return collect(t, `SELECT `+messageColumns+` FROM messages WHERE room = ? AND device = ? AND generation = ? AND flags & ? = 0
		AND seq > ? AND (seq > ? AND state IN (2, 3, 4) OR state = 2) ORDER BY pos`, scanMessage,
		id, device, g.Number, FlagDeleted, floor, last)
}
