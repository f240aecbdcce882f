package api

// Person is somebody this device knows.
type Person struct {
	Account  string `json:"account"`
	Handle   string `json:"handle"`
	Name     string `json:"name"`     // shown: the nickname given here, else their own, else the handle's first part
	Own      string `json:"own"`      // the name they gave themselves
	Nickname string `json:"nickname"` // given here
	Status   string `json:"status"`
	Picture  string `json:"picture,omitempty"`
	Tint     int    `json:"tint"`
	Contact  bool   `json:"contact"`
	Blocked  bool   `json:"blocked"`
	Compared int64  `json:"compared,omitempty"` // when numbers were compared; they still hold
	Changed  bool   `json:"changed"`            // a key changed since they were compared, or since they were first met
	Paused   bool   `json:"paused"`             // messages to them wait: a key changed after numbers were compared
	Here     bool   `json:"here"`
	Room     string `json:"room,omitempty"` // the conversation of two
}

// PersonDetail is everything about a person.
type PersonDetail struct {
	Person
	Number  string   `json:"number"` // the safety number: 12 groups of 5 digits
	QR      string   `json:"qr"`     // of it, rows of 0 and 1
	Since   int64    `json:"since"`  // known since
	Devices []Device `json:"devices"`
	Rooms   []Room   `json:"rooms"` // in common
	Changes []Change `json:"changes"`
}

// Device is a device of a person's chain.
type Device struct {
	Name  string `json:"name"`
	Added int64  `json:"added,omitempty"`
	Self  bool   `json:"self"`
}

// Change is something that changed about a person, newest first.
type Change struct {
	Time int64  `json:"time"`
	What string `json:"what"` // met, name, picture, status, device-added, device-revoked, key, handle, compared
	Text string `json:"text"` // the new value, if there is one to show
}

// PersonChange changes what a person is here.
type PersonChange struct {
	Nickname *string `json:"nickname,omitempty"`
	Blocked  *bool   `json:"blocked,omitempty"`
	Compared *bool   `json:"compared,omitempty"` // true: they match; false: they differ or are to be compared anew
	Contact  *bool   `json:"contact,omitempty"`
	Send     *bool   `json:"send,omitempty"` // true: what waits is sent, though numbers were not compared again
}

// FindPerson looks somebody up by a handle or an invitation link.
type FindPerson struct {
	Handle string `json:"handle"`
}

// Profile changes what this person shows to others.
type Profile struct {
	Name    *string `json:"name,omitempty"`    // at most 64 characters
	Status  *string `json:"status,omitempty"`  // at most 140 characters
	Picture *[]byte `json:"picture,omitempty"` // PNG, JPEG or WebP of at most 32 KiB; empty takes it away
}

// Request is a stranger who wrote.
type Request struct {
	Account string   `json:"account"`
	Handle  string   `json:"handle"`
	Name    string   `json:"name"`
	Tint    int      `json:"tint"`
	Room    string   `json:"room"`
	Kind    RoomKind `json:"kind"` // of the room that they invite to
	Title   string   `json:"title,omitempty"`
	Text    string   `json:"text"`
	Arrived int64    `json:"arrived"`
	Shared  []string `json:"shared"`          // names of rooms in common
	Since   int64    `json:"since,omitempty"` // the name is in use since, with the same key
	Later   bool     `json:"later,omitempty"` // the person said "not now"
}

// AnswerRequest answers a stranger.
type AnswerRequest struct {
	Answer string `json:"answer"` // accept, later or block
}

// Report is what would be shown to an operator: messages with what proves their sender.
// Nothing is sent by itself.
type Report struct {
	Account  string   `json:"account"`
	Messages []string `json:"messages"` // ids; none: the request's text
}

// Reported is a report as a text to hand to whoever runs the server.
type Reported struct {
	Text string `json:"text"`
	To   string `json:"to"` // the host whose operator it is for
}

// Notice is something the person should know.
type Notice struct {
	ID   int64  `json:"id"`
	Kind string `json:"kind"` // see docs/command-line.md
	Room string `json:"room,omitempty"`
	Time int64  `json:"time"`
	Text string `json:"text"` // in English
	Said *Said  `json:"said,omitempty"`
}

// NoticeQuery asks for notices.
type NoticeQuery struct {
	After int64  `query:"after"` // an id
	Room  string `query:"room"`
}

// Told says through which notice the person was told.
type Told struct {
	Through int64 `json:"through"`
}
