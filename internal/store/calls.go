package store

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
)

// CallStage is how far a call is, by what was read in its room.
type CallStage uint8

// The stages.
const (
	CallMade    CallStage = 1 // by this device; its offer was not read in the log yet
	CallRinging CallStage = 2
	CallTalking CallStage = 3
	CallOver    CallStage = 4
)

// CallEnd is why a call is over.
type CallEnd uint8

// The ends.
const (
	CallHungUp   CallEnd = 1
	CallDeclined CallEnd = 2
	CallBusy     CallEnd = 3
	CallMissed   CallEnd = 4 // nobody answered
	CallFailed   CallEnd = 5 // no connection
	CallNone     CallEnd = 6 // it was no call: another one had begun
)

// CallQuiet is why a call did not ring on this device.
type CallQuiet uint8

// The reasons.
const (
	CallLoud       CallQuiet = 0 // it did
	CallLate       CallQuiet = 1 // it was read too late
	CallStranger   CallQuiet = 2 // from somebody who was not accepted
	CallUncompared CallQuiet = 3 // with whom numbers are to be compared first
	CallBusyHere   CallQuiet = 4 // this person was in another call
	CallOff        CallQuiet = 5 // this device does not ring
	CallMany       CallQuiet = 6 // others rang already
)

// Call is a call between this person and another.
type Call struct {
	ID       room.CallID
	Room     room.ID     // in whose conversation it stands
	Peer     identity.ID // the other account
	Outgoing bool
	Video    bool
	Matched  bool // this person said that the words match
	Stage    CallStage
	Quiet    CallQuiet
	End      CallEnd
	Began    int64  // the offer's time; all times Unix milliseconds
	Answered int64  // the time of the answer that counts; 0: none did
	Ended    int64  // 0: it goes on
	Pos      int64  // of its row in the conversation; 0: none
	Live     []byte // the client's, while it goes on; empty when it is over
}

const callColumns = `call, room, peer, outgoing, video, matched, stage, quiet, reason, began, answered, ended, pos, live`

func scanCall(r *sqlite.Row) (c Call, err error) {
	err = r.Scan(&c.ID, &c.Room, &c.Peer, &c.Outgoing, &c.Video, &c.Matched, &c.Stage, &c.Quiet, &c.End, &c.Began, &c.Answered, &c.Ended, &c.Pos, &c.Live)
	return c, err
}

// Call finds a call; nil when there is none.
func (t Tx) Call(id room.CallID) (*Call, error) {
	var c Call
	ok, err := t.one(`SELECT `+callColumns+` FROM calls WHERE call = ?`, func(r *sqlite.Row) (err error) { c, err = scanCall(r); return err }, id)
	if err != nil || !ok {
		return nil, err
	}
	return &c, nil
}

// PutCall keeps a call in the place of what was known of it.
func (t Tx) PutCall(c Call) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO calls (`+callColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		c.ID, c.Room, c.Peer, c.Outgoing, c.Video, c.Matched, c.Stage, c.Quiet, c.End, c.Began, c.Answered, c.Ended, c.Pos, nonNil(c.Live))
}

// LiveCalls are the calls that are not over, the first one first.
func (t Tx) LiveCalls() ([]Call, error) {
	return collect(t, `SELECT `+callColumns+` FROM calls INDEXED BY calls_live WHERE stage < 4 ORDER BY began, call`, scanCall)
}

// LiveCallsIn are those of a room.
func (t Tx) LiveCallsIn(id room.ID) ([]Call, error) {
	return collect(t, `SELECT `+callColumns+` FROM calls INDEXED BY calls_live WHERE stage < 4 AND room = ? ORDER BY began, call`, scanCall, id)
}

// PastCalls are the calls that have a row in a conversation with a place before pos, the last
// ones first.
func (t Tx) PastCalls(pos int64, limit int) ([]Call, error) {
	return collect(t, `SELECT `+callColumns+` FROM calls INDEXED BY calls_past WHERE pos > 0 AND pos < ? ORDER BY pos DESC LIMIT ?`, scanCall, pos, limit)
}

// CallsSince counts the calls in a room since a time that one side has made.
func (t Tx) CallsSince(id room.ID, outgoing bool, since int64) (n int64, err error) {
	_, err = t.one(`SELECT COUNT(*) FROM calls INDEXED BY calls_room WHERE room = ? AND began >= ? AND outgoing = ?`,
		func(r *sqlite.Row) error { return r.Scan(&n) }, id, since, outgoing)
	return n, err
}

// DropOldCalls erases calls that ended before a time, with what the conversation says of them, at
// most limit of them.
func (t Tx) DropOldCalls(before int64, limit int) error {
	old, err := collect(t, `SELECT `+callColumns+` FROM calls WHERE stage = 4 AND ended < ? LIMIT ?`, scanCall, before, limit)
	for _, c := range old {
		if err == nil {
			err = t.tx.Exec(`DELETE FROM notices WHERE room = ? AND pos = ?`, c.Room, c.Pos)
		}
		if err == nil {
			err = t.tx.Exec(`DELETE FROM calls WHERE call = ?`, c.ID)
		}
	}
	return err
}
