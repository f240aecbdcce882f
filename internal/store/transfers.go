package store

import (
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/mimi"
)

// TransferState is how a file's way stands.
type TransferState uint8

// The states.
const (
	TransferRuns    TransferState = 0 // it goes on as soon as it can
	TransferPaused  TransferState = 1 // the person has stopped it for now
	TransferWhole   TransferState = 2 // it is there
	TransferFailed  TransferState = 3 // it will not go on by itself
	TransferGone    TransferState = 4 // its time was up, or its sender has erased it
	TransferLeaving TransferState = 5 // what the server has of it is to be erased
)

var transferNames = [...]string{"runs", "paused", "whole", "failed", "gone", "leaving"}

func (s TransferState) String() string { return transferNames[s] }

// Transfer is the way of one file of a message, from here or to here.
type Transfer struct {
	ID      int64
	Room    room.ID // in which its message is shown
	Message mimi.MessageID
	Part    int64 // which of the message's files, from 0
	Sends   bool  // from here
	State   TransferState
	Done    int64  // bytes of the ciphertext that are over, as far as was noted
	Size    int64  // bytes of the ciphertext
	Body    []byte // of the client: places, keys, secrets
	Due     int64  // not to be tried before, Unix milliseconds
	Tries   int64
	Why     string
	Code    string
}

const transferColumns = `id, room, message, part, sends, state, done, size, body, due, tries, why, code`

func scanTransfer(r *sqlite.Row) (x Transfer, err error) {
	err = r.Scan(&x.ID, &x.Room, &x.Message, &x.Part, &x.Sends, &x.State, &x.Done, &x.Size, &x.Body, &x.Due, &x.Tries, &x.Why, &x.Code)
	return x, err
}

// AddTransfer notes one that begins, in place of an earlier one of the same file and direction,
// and answers its row.
func (t Tx) AddTransfer(x Transfer) (id int64, err error) {
	if err := t.tx.Exec(`DELETE FROM transfers WHERE message = ? AND part = ? AND sends = ?`, x.Message, x.Part, x.Sends); err != nil {
		return 0, err
	}
	err = t.tx.Exec(`INSERT INTO transfers (room, message, part, sends, state, done, size, body, due) VALUES (?,?,?,?,?,?,?,?,?)`,
		x.Room, x.Message, x.Part, x.Sends, x.State, x.Done, x.Size, x.Body, x.Due)
	if err != nil {
		return 0, err
	}
	_, err = t.one(`SELECT id FROM transfers WHERE message = ? AND part = ? AND sends = ?`, func(r *sqlite.Row) error { return r.Scan(&id) }, x.Message, x.Part, x.Sends)
	return id, err
}

// SetTransfer keeps everything of one that changes.
func (t Tx) SetTransfer(x Transfer) error {
	return t.tx.Exec(`UPDATE transfers SET state = ?, done = ?, body = ?, due = ?, tries = ?, why = ?, code = ? WHERE id = ?`,
		x.State, x.Done, x.Body, x.Due, x.Tries, x.Why, x.Code, x.ID)
}

// DropTransfer forgets one.
func (t Tx) DropTransfer(id int64) error {
	return t.tx.Exec(`DELETE FROM transfers WHERE id = ?`, id)
}

// Transfer finds one by its row; nil when there is none.
func (t Tx) Transfer(id int64) (*Transfer, error) {
	return t.transfer(`id = ?`, id)
}

// TransferOf finds the one of a message's file; nil when there is none.
func (t Tx) TransferOf(message mimi.MessageID, part int64, sends bool) (*Transfer, error) {
	return t.transfer(`message = ? AND part = ? AND sends = ?`, message, part, sends)
}

func (t Tx) transfer(where string, args ...any) (*Transfer, error) {
	var x Transfer
	ok, err := t.one(`SELECT `+transferColumns+` FROM transfers WHERE `+where, func(r *sqlite.Row) (err error) { x, err = scanTransfer(r); return err }, args...)
	if err != nil || !ok {
		return nil, err
	}
	return &x, nil
}

// TransfersIn are those in a state, oldest first.
func (t Tx) TransfersIn(s TransferState) ([]Transfer, error) {
	return collect(t, `SELECT `+transferColumns+` FROM transfers WHERE state = ? ORDER BY id`, scanTransfer, s)
}

// TransfersOf are those of a message, by file.
func (t Tx) TransfersOf(message mimi.MessageID) ([]Transfer, error) {
	return collect(t, `SELECT `+transferColumns+` FROM transfers WHERE message = ? ORDER BY part, sends`, scanTransfer, message)
}

// Transfers are all of them, oldest first.
func (t Tx) Transfers() ([]Transfer, error) {
	return collect(t, `SELECT `+transferColumns+` FROM transfers ORDER BY id`, scanTransfer)
}

// MessagesWithFiles are messages that have files, of one room or all, newest first: at most
// limit said before a time.
func (t Tx) MessagesWithFiles(id *room.ID, before int64, limit int) ([]Message, error) {
	if id != nil {
		return collect(t, `SELECT `+messageColumns+` FROM messages WHERE at IS NOT NULL AND kind IN (2, 7) AND room = ? AND at < ? ORDER BY at DESC LIMIT ?`, scanMessage, *id, before, limit)
	}
	return collect(t, `SELECT `+messageColumns+` FROM messages WHERE at IS NOT NULL AND kind IN (2, 7) AND at < ? ORDER BY at DESC LIMIT ?`, scanMessage, before, limit)
}

// hasFiles says whether a message names files.
func (t Tx) hasFiles(m Message) (bool, error) {
	var content []byte
	_, err := t.one(`SELECT content FROM messages WHERE room = ? AND message = ? AND kind IN (2, 7)`, func(r *sqlite.Row) error { return r.Scan(&content) }, m.Room, m.ID)
	if err != nil || len(content) == 0 {
		return false, err
	}
	c, err := mimi.Parse(content)
	if err != nil {
		return false, nil // of a version that knew more
	}
	all, _ := room.Files(c)
	return len(all) > 0, nil
}

// letFilesGo has the server's copy of a message's files erased, if they were sent from here, and
// forgets those that came.
func (t Tx) letFilesGo(message mimi.MessageID) error {
	if err := t.tx.Exec(`DELETE FROM transfers WHERE message = ? AND sends = 0`, message); err != nil {
		return err
	}
	return t.tx.Exec(`UPDATE transfers SET state = ?, due = 0, tries = 0 WHERE message = ? AND state <> ?`, TransferLeaving, message, TransferGone)
}

// forgetFiles forgets a message's files: what the server has of them lives to its end, but for
// what it has in part.
func (t Tx) forgetFiles(message mimi.MessageID) error {
	if err := t.tx.Exec(`DELETE FROM transfers WHERE message = ? AND (sends = 0 OR state IN (?,?))`, message, TransferWhole, TransferGone); err != nil {
		return err
	}
	return t.letFilesGo(message)
}
