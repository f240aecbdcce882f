package api

// Event is one of GET /events: server-sent events whose data is this, as JSON. The first
// is always EventHello. Whoever loses the connection connects anew and loads again what
// it shows: nothing is replayed.
type Event struct {
	Type    EventType  `json:"type"`
	Room    string     `json:"room,omitempty"`
	Row     *Room      `json:"row,omitempty"`     // room: as it is in the list now, if it is there
	Message *Message   `json:"message,omitempty"` // message and changed
	ID      string     `json:"id,omitempty"`      // gone: of the message
	Person  string     `json:"person,omitempty"`  // an account
	On      bool       `json:"on,omitempty"`      // writing, here
	Notice  *Notice    `json:"notice,omitempty"`
	File    *File      `json:"file,omitempty"` // file: of the message ID
	Hosts   []Host     `json:"hosts,omitempty"`
	Call    *Call      `json:"call,omitempty"`  // call
	Media   *CallMedia `json:"media,omitempty"` // media: Candidates are the new ones
	Text    string     `json:"text,omitempty"`
	Code    string     `json:"code,omitempty"` // trouble: of what Text says: see docs/command-line.md
}

// EventType says what happened.
type EventType string

// The events.
const (
	EventCall     EventType = "call"     // a call began, changed or is over
	EventMedia    EventType = "media"    // the other side of a call has said something
	EventHello    EventType = "hello"    // the stream begins
	EventMessage  EventType = "message"  // a new message
	EventChanged  EventType = "changed"  // a message changed: state, edit, reaction, star, deletion
	EventGone     EventType = "gone"     // a message vanished
	EventRoom     EventType = "room"     // a room is new or changed: load it again
	EventRooms    EventType = "rooms"    // several did: load the list again
	EventPerson   EventType = "person"   // a person changed
	EventRequests EventType = "requests" // the requests changed
	EventWriting  EventType = "writing"  // somebody writes, or has stopped
	EventHere     EventType = "here"     // somebody is here, or has gone
	EventNotice   EventType = "notice"
	EventHosts    EventType = "hosts"
	EventSettings EventType = "settings"
	EventPhase    EventType = "phase"    // locked, opened, deleted, moved to another home server: load the state again
	EventHistory  EventType = "history"  // more of the history came from another device: GET /devices says how much
	EventFile     EventType = "file"     // a file went on its way, or ended it
	EventLinking  EventType = "linking"  // the linking of a device went on: load it again
	EventBackups  EventType = "backups"  // a backup is being made or restored, or has ended: load how they stand again
	EventRecovery EventType = "recovery" // the 24 words, or what they bring back: load it again
	EventTrouble  EventType = "trouble"
	EventOpen     EventType = "open" // sotto was opened again with a link in Text: show it
)
