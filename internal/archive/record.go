package archive

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Chunk is a part of a past. Of its lists most are empty.
type Chunk struct {
	Version  uint16    `cbor:"1,keyasint"`
	Index    uint64    `cbor:"2,keyasint"` // from 0
	Last     bool      `cbor:"3,keyasint,omitempty"`
	Total    uint64    `cbor:"4,keyasint,omitempty"` // messages in all, as far as known when this was written
	Settings []byte    `cbor:"5,keyasint,omitempty"` // JSON, as the client keeps them
	Labels   []Label   `cbor:"6,keyasint,omitempty"`
	People   []Person  `cbor:"7,keyasint,omitempty"`
	Profiles []Profile `cbor:"8,keyasint,omitempty"`
	Rooms    []Room    `cbor:"9,keyasint,omitempty"` // a transfer takes those that this person is not in any more; the others are entered
	Marks    []Mark    `cbor:"10,keyasint,omitempty"`
	Pins     []Pin     `cbor:"11,keyasint,omitempty"`
	Messages []Message `cbor:"12,keyasint,omitempty"`
	Happened []Event   `cbor:"13,keyasint,omitempty"`
}

// Label is what the person calls a device of theirs.
type Label struct {
	Device wire.DeviceName `cbor:"1,keyasint"`
	Name   string          `cbor:"2,keyasint"`
}

// Person is an account as the device knew it.
type Person struct {
	Chain    [][]byte `cbor:"1,keyasint"`
	Standing uint8    `cbor:"2,keyasint,omitempty"` // 0 stranger, 1 contact, 2 blocked
	Nickname string   `cbor:"3,keyasint,omitempty"`
	Since    int64    `cbor:"4,keyasint,omitempty"` // Unix milliseconds, as all times here
	Compared int64    `cbor:"5,keyasint,omitempty"`
	Changed  int64    `cbor:"6,keyasint,omitempty"`
}

// Profile is what an account shows of itself.
type Profile struct {
	Account identity.ID `cbor:"1,keyasint"`
	Version uint64      `cbor:"2,keyasint"`
	Name    string      `cbor:"3,keyasint,omitempty"`
	Status  string      `cbor:"4,keyasint,omitempty"`
	Hash    *wire.Hash  `cbor:"5,keyasint,omitempty"`
	Picture []byte      `cbor:"6,keyasint,omitempty"`
}

// Room is a conversation.
type Room struct {
	ID         room.ID      `cbor:"1,keyasint"`
	Kind       room.Kind    `cbor:"2,keyasint"`
	Title      string       `cbor:"3,keyasint,omitempty"`
	Peer       *identity.ID `cbor:"4,keyasint,omitempty"`
	State      uint8        `cbor:"5,keyasint"` // 1 in it, 2 left, 3 removed
	Generation uint64       `cbor:"6,keyasint"`
	Created    int64        `cbor:"7,keyasint,omitempty"`
}

// Mark is one field of what a room is to this person.
type Mark struct {
	Room    room.ID `cbor:"1,keyasint"`
	Field   string  `cbor:"2,keyasint"` // pinned, archived, unread, muted or draft
	Number  int64   `cbor:"3,keyasint,omitempty"`
	Text    string  `cbor:"4,keyasint,omitempty"`
	Changed int64   `cbor:"5,keyasint,omitempty"`
}

// Pin is a message that is pinned in a room.
type Pin struct {
	Room    room.ID        `cbor:"1,keyasint"`
	Message mimi.MessageID `cbor:"2,keyasint"`
	Account identity.ID    `cbor:"3,keyasint"`
	Time    int64          `cbor:"4,keyasint"`
}

// Message is a message, of those that are shown and of those that act on others. What it
// says is its content (docs/protocol.md section 13); text and flags are what became of it.
type Message struct {
	Room       room.ID         `cbor:"1,keyasint"`
	ID         mimi.MessageID  `cbor:"2,keyasint"`
	Pos        int64           `cbor:"3,keyasint"` // place in the order for people
	Generation uint64          `cbor:"4,keyasint,omitempty"`
	Seq        uint64          `cbor:"5,keyasint,omitempty"`
	Account    identity.ID     `cbor:"6,keyasint"`
	Device     wire.DeviceName `cbor:"7,keyasint"`
	Kind       uint8           `cbor:"8,keyasint,omitempty"`
	Target     *mimi.MessageID `cbor:"9,keyasint,omitempty"`
	Text       string          `cbor:"10,keyasint,omitempty"`
	Content    []byte          `cbor:"11,keyasint"`
	Arrived    int64           `cbor:"12,keyasint,omitempty"`
	Sent       int64           `cbor:"13,keyasint,omitempty"`
	State      uint8           `cbor:"14,keyasint,omitempty"`
	Expires    int64           `cbor:"15,keyasint,omitempty"`
	Flags      uint32          `cbor:"16,keyasint,omitempty"`
	Vanish     int64           `cbor:"17,keyasint,omitempty"`
	At         int64           `cbor:"18,keyasint,omitempty"`
	Receipts   []Receipt       `cbor:"19,keyasint,omitempty"` // of own messages that not everybody has read
}

// Receipt is what an account has told of a message.
type Receipt struct {
	Account identity.ID `cbor:"1,keyasint"`
	State   uint8       `cbor:"2,keyasint"` // 3 delivered, 4 read
}

// Event is something that happened in a conversation.
type Event struct {
	Room room.ID   `cbor:"1,keyasint"`
	Time int64     `cbor:"2,keyasint"`
	Kind string    `cbor:"3,keyasint"`
	Text string    `cbor:"4,keyasint"`
	Pos  int64     `cbor:"5,keyasint"`
	Said said.Said `cbor:"6,keyasint"`
	Call *Call     `cbor:"7,keyasint,omitempty"` // the call that it tells of
}

// Call is a call that is over.
type Call struct {
	ID       room.CallID `cbor:"1,keyasint"`
	Peer     identity.ID `cbor:"2,keyasint"` // the other account
	Outgoing bool        `cbor:"3,keyasint,omitempty"`
	Video    bool        `cbor:"4,keyasint,omitempty"`
	Matched  bool        `cbor:"5,keyasint,omitempty"`
	End      uint8       `cbor:"6,keyasint"` // 1 hung up, 2 declined, 3 busy, 4 nobody answered, 5 no connection
	Began    int64       `cbor:"7,keyasint"`
	Answered int64       `cbor:"8,keyasint,omitempty"`
	Ended    int64       `cbor:"9,keyasint"`
}
