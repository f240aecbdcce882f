package command

import (
	"encoding/hex"
	"time"

	"sotto/internal/room"
	"sotto/mimi"
)

// What commands print with --json: one object per line, told apart by "type". Times are
// RFC 3339 in UTC, ids hexadecimal. Fields may be added; none changes its meaning.

// Account is what `account create` and `account show` print.
type Account struct {
	Type    string `json:"type"` // "account"
	Handle  string `json:"handle"`
	Account string `json:"account"` // stays the same whatever happens to the handle
	Device  string `json:"device"`
}

// Sent is what `send` prints for each message.
type Sent struct {
	Type  string `json:"type"` // "sent"
	ID    string `json:"id"`
	Room  string `json:"room"`
	State string `json:"state"` // queued, stored, delivered, read, failed or expired
}

// Message is a message as `read` prints it.
type Message struct {
	Type     string `json:"type"` // "message"
	ID       string `json:"id"`
	Room     string `json:"room"`
	RoomName string `json:"room_name"` // title, or the other person's handle
	From     string `json:"from"`      // handle
	Own      bool   `json:"own"`       // written by this account
	Kind     string `json:"kind"`      // text, reply, edit, reaction, unreact, delete, attachment or other
	Text     string `json:"text"`      // Markdown; of a reaction the emoji
	Target   string `json:"target,omitempty"`
	Sent     string `json:"sent"`              // by the sender's clock
	Arrived  string `json:"arrived,omitempty"` // at the server
	State    string `json:"state"`             // received, or of an own message as in Sent
	Seen     bool   `json:"seen"`              // before this command
	Edited   bool   `json:"edited,omitempty"`  // Text is not the first
	Deleted  bool   `json:"deleted,omitempty"` // its author took it back
	Expires  string `json:"expires,omitempty"`

	// From commands that show messages one by one, such as show, search and pins.
	Starred   bool       `json:"starred,omitempty"`
	Pinned    bool       `json:"pinned,omitempty"`
	Forwarded bool       `json:"forwarded,omitempty"`
	Mentions  bool       `json:"mentions,omitempty"` // it names this person
	Reactions []Reaction `json:"reactions,omitempty"`
}

// Reaction is an emoji with the handles of who gave it.
type Reaction struct {
	Emoji string   `json:"emoji"`
	From  []string `json:"from"`
}

// State is a change of an own message's state, as `read --follow` prints it.
type State struct {
	Type  string `json:"type"` // "state"
	ID    string `json:"id"`
	Room  string `json:"room"`
	State string `json:"state"`
}

// Notice is something that the person should know.
type Notice struct {
	Type string `json:"type"` // "notice"
	Kind string `json:"kind"`
	Room string `json:"room,omitempty"`
	Time string `json:"time"`
	Text string `json:"text"`
}

// Request is a stranger who wrote.
type Request struct {
	Type    string `json:"type"` // "request"
	From    string `json:"from"` // handle, as the stranger says until it is accepted
	Account string `json:"account"`
	Room    string `json:"room"`
	Text    string `json:"text"`
	Arrived string `json:"arrived"`
}

// Room is a room as `rooms`, `room create` and `room show` print it.
type Room struct {
	Type    string   `json:"type"` // "room"
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`  // pair, group or self
	State   string   `json:"state"` // active, left or removed
	Host    string   `json:"host"`
	Unread  int64    `json:"unread"`
	Members []Member `json:"members"`

	// What the room is to this person, and what holds in it for everybody.
	Pinned     bool   `json:"pinned,omitempty"`
	Archived   bool   `json:"archived,omitempty"`
	MutedUntil string `json:"muted_until,omitempty"` // a time, or "forever"
	MarkUnread bool   `json:"mark_unread,omitempty"`
	Mentions   int64  `json:"mentions,omitempty"` // of the unread
	Draft      string `json:"draft,omitempty"`
	Disappear  int64  `json:"disappear,omitempty"` // seconds after reading
	Picture    bool   `json:"picture,omitempty"`
	Knocks     int    `json:"knocks,omitempty"` // people who wait for approval
	Pins       int    `json:"pins,omitempty"`   // from `room show`
}

// Member is somebody in a room.
type Member struct {
	Handle string `json:"handle"`
	Admin  bool   `json:"admin"`
	Self   bool   `json:"self,omitempty"`
}

// Opening is what `app` prints: an address that opens one window within two minutes.
type Opening struct {
	Type string `json:"type"` // "opening"
	URL  string `json:"url"`
}

// Done is what a command prints that changes something and has nothing else to say.
type Done struct {
	Type string `json:"type"` // "done"
	Done string `json:"done"` // what, in a word
	Name string `json:"name,omitempty"`
}

func roomText(id room.ID) string { return hex.EncodeToString(id[:]) }

// stamp is a time in Unix milliseconds; "" for none.
func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
}

// short is the part of a message's id that people see and type. The first octet only
// names the hash.
func short(id mimi.MessageID) string { return id.String()[2:10] }

func target(id *mimi.MessageID) string {
	if id == nil {
		return ""
	}
	return id.String()
}
