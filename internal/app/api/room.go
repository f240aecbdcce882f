package api

// RoomKind is pair, group or self.
type RoomKind string

// The kinds of rooms.
const (
	RoomPair  RoomKind = "pair"
	RoomGroup RoomKind = "group"
	RoomSelf  RoomKind = "self" // notes to oneself
)

// RoomState says whether one is in a room.
type RoomState string

// The states of a room.
const (
	RoomActive  RoomState = "active"
	RoomLeft    RoomState = "left"
	RoomRemoved RoomState = "removed"
)

// Room is a conversation in the list.
type Room struct {
	ID         string    `json:"id"`
	Kind       RoomKind  `json:"kind"`
	State      RoomState `json:"state"`
	Name       string    `json:"name"`              // title, or the other person's shown name
	Handle     string    `json:"handle,omitempty"`  // of a pair: the other person's
	Account    string    `json:"account,omitempty"` // of a pair: the other person's
	Picture    string    `json:"picture,omitempty"` // its version: GET /rooms/{id}/picture?v=…
	Tint       int       `json:"tint"`              // 1 to 6: the monogram's
	Host       string    `json:"host"`
	Unread     int64     `json:"unread"`
	Mentions   int64     `json:"mentions"` // of them, that name this person
	MarkUnread bool      `json:"mark_unread,omitempty"`
	Last       *Last     `json:"last,omitempty"`
	Time       int64     `json:"time"` // orders the list
	Pinned     bool      `json:"pinned"`
	Archived   bool      `json:"archived"`
	Muted      bool      `json:"muted"`
	MutedUntil int64     `json:"muted_until,omitempty"`
	Draft      string    `json:"draft,omitempty"`
	Compared   bool      `json:"compared"`  // of a pair: numbers were compared and still hold
	Paused     bool      `json:"paused"`    // of a pair: messages wait, since a key changed after numbers were compared
	Changed    bool      `json:"changed"`   // of a pair: a key changed since
	Here       bool      `json:"here"`      // of a pair: the other person is here now and lets it be seen
	Disappear  int64     `json:"disappear"` // seconds after reading; 0 never
	Members    int       `json:"members"`
	Admin      bool      `json:"admin"`  // this person is one
	Knocks     int       `json:"knocks"` // people who wait for approval
	Writable   bool      `json:"writable"`
}

// Last is the last message of a room, for the list.
type Last struct {
	From    string `json:"from"` // shown name; "" when it is one's own
	Own     bool   `json:"own"`
	Text    string `json:"text"`           // one line, plain
	Said    *Said  `json:"said,omitempty"` // of an event
	Deleted bool   `json:"deleted,omitempty"`
	Kind    string `json:"kind"` // as in Message
	State   string `json:"state"`
}

// RoomDetail is everything about a room.
type RoomDetail struct {
	Room
	People  []Member  `json:"people"`
	Pins    []Message `json:"pins"`
	Links   []Link    `json:"links"`
	Waiting []Knock   `json:"waiting"`
	Created int64     `json:"created"`
	TTL     int64     `json:"ttl"` // seconds that the server keeps what was not fetched
}

// Member is somebody in a room.
type Member struct {
	Account  string `json:"account"`
	Handle   string `json:"handle"`
	Name     string `json:"name"` // shown
	Picture  string `json:"picture,omitempty"`
	Tint     int    `json:"tint"`
	Admin    bool   `json:"admin"`
	Self     bool   `json:"self"`
	Compared bool   `json:"compared"`
	Changed  bool   `json:"changed"`
	Here     bool   `json:"here"`
	Devices  int    `json:"devices"`
}

// RoomList asks for the rooms.
type RoomList struct {
	Archived bool `query:"archived"` // those instead of the others
}

// NewRoom makes a group.
type NewRoom struct {
	Title     string   `json:"title"`
	With      []string `json:"with"` // handles
	Disappear int64    `json:"disappear,omitempty"`
}

// RoomChange changes a room for everybody.
type RoomChange struct {
	Title     *string `json:"title,omitempty"`
	Disappear *int64  `json:"disappear,omitempty"` // seconds, 0 never
	Picture   *[]byte `json:"picture,omitempty"`   // PNG, JPEG or WebP of at most 32 KiB; empty takes it away
}

// RoomMine changes what a room is to this person.
type RoomMine struct {
	Pinned     *bool   `json:"pinned,omitempty"`
	Archived   *bool   `json:"archived,omitempty"`
	MutedUntil *int64  `json:"muted_until,omitempty"` // 0 unmutes, -1 is for ever
	Draft      *string `json:"draft,omitempty"`
	MarkUnread *bool   `json:"mark_unread,omitempty"`
}

// AddMembers adds people to a room.
type AddMembers struct {
	Handles []string `json:"handles"`
}

// SetAdmin changes a role.
type SetAdmin struct {
	Admin bool `json:"admin"`
}

// Seen marks messages of a room as read, through one of them.
type Seen struct {
	Through string `json:"through"` // a message's id; "" all
}

// Typing tells the others that this person writes, or has stopped.
type Typing struct {
	On bool `json:"on"`
}

// NewLink makes an invitation link: to a room, or to this person.
type NewLink struct {
	Hours   int64 `json:"hours"`             // until it is over; at most 30 days
	Approve bool  `json:"approve,omitempty"` // to a room: an admin has to say yes
}

// Link is an invitation link.
type Link struct {
	ID      string `json:"id"`
	URL     string `json:"url"` // the secret stands behind the #
	QR      string `json:"qr"`  // rows of 0 and 1, separated by newlines
	Until   int64  `json:"until"`
	Approve bool   `json:"approve,omitempty"`
	Used    int    `json:"used"`
}

// Knock is somebody who waits for approval: who came by a link, or a member who lost every
// device, has a new key and asks to come back.
type Knock struct {
	ID      string `json:"id"`
	Returns bool   `json:"returns"`
	Handle  string `json:"handle"`
	Account string `json:"account"`
	Name    string `json:"name"`
	Tint    int    `json:"tint"`
	Time    int64  `json:"time"`
}

// AnswerKnock lets somebody in, or not.
type AnswerKnock struct {
	Accept bool `json:"accept"`
}

// JoinByLink knocks at a room by a link.
type JoinByLink struct {
	Link string `json:"link"`
}

// Joined answers JoinByLink.
type Joined struct {
	Room    string `json:"room,omitempty"` // when it is entered already
	Waiting bool   `json:"waiting"`
}
