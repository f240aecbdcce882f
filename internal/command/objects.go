package command

// More of what commands print with --json; json.go has the rules and the others.

// Hit is a message that `search` found: a Message with the part that matches. Marks are
// pairs of offsets in Snippet, in UTF-16 units.
type Hit struct {
	Message
	Snippet string `json:"snippet"`
	Marks   []int  `json:"marks"`
}

// Link is an invitation link, as `link`, `room link`, `room links` and `inspect` print it.
type Link struct {
	Type    string `json:"type"` // "link"
	ID      string `json:"id,omitempty"`
	URL     string `json:"url,omitempty"`
	Kind    string `json:"kind"` // account, contact or room
	Host    string `json:"host"`
	Handle  string `json:"handle,omitempty"` // who invites
	Name    string `json:"name,omitempty"`   // that they show: their claim
	Title   string `json:"title,omitempty"`  // of a room
	Until   string `json:"until,omitempty"`
	Over    bool   `json:"over,omitempty"`
	Approve bool   `json:"approve,omitempty"` // somebody has to say yes
	Used    int64  `json:"used,omitempty"`
}

// Knock is somebody who came by a link and waits.
type Knock struct {
	Type    string `json:"type"` // "knock"
	ID      int64  `json:"id"`
	Room    string `json:"room"`
	Handle  string `json:"handle"` // as their keys say; it is looked up before they are let in
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Time    string `json:"time"`
	Returns bool   `json:"returns,omitempty"` // a member who lost every device
}

// Joined is what became of `join`.
type Joined struct {
	Type    string `json:"type"` // "joined"
	Room    string `json:"room,omitempty"`
	Waiting bool   `json:"waiting"`
}

// Person is somebody, as `people`, `find` and `person` print them. Number, Devices, Changes
// and Rooms come from `person` alone.
type Person struct {
	Type     string         `json:"type"` // "person"
	Account  string         `json:"account"`
	Handle   string         `json:"handle"`
	Name     string         `json:"name"` // shown
	Own      string         `json:"own,omitempty"`
	Nickname string         `json:"nickname,omitempty"`
	Status   string         `json:"status,omitempty"`
	Contact  bool           `json:"contact"`
	Blocked  bool           `json:"blocked"`
	Compared string         `json:"compared,omitempty"` // when numbers were compared
	Changed  bool           `json:"changed"`            // a key changed since
	Paused   bool           `json:"paused,omitempty"`   // messages to them wait, until numbers are compared again or the person says to send
	Here     bool           `json:"here"`
	Picture  bool           `json:"picture"`
	Room     string         `json:"room,omitempty"` // the conversation of two
	Since    string         `json:"since,omitempty"`
	Number   string         `json:"number,omitempty"`
	Devices  []PersonDevice `json:"devices,omitempty"`
	Rooms    []string       `json:"rooms,omitempty"` // ids, in common
	Changes  []PersonChange `json:"changes,omitempty"`
}

// PersonDevice is a device of a person.
type PersonDevice struct {
	Name  string `json:"name"`
	Added string `json:"added,omitempty"`
}

// PersonChange is something that changed about a person.
type PersonChange struct {
	Time string `json:"time"`
	What string `json:"what"`
	Text string `json:"text,omitempty"`
}

// Profile is what this person shows.
type Profile struct {
	Type    string `json:"type"` // "profile"
	Handle  string `json:"handle"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Picture bool   `json:"picture"`
}

// Setting is one setting.
type Setting struct {
	Type  string `json:"type"` // "setting"
	Name  string `json:"name"`
	Value any    `json:"value"`
	Help  string `json:"help"`
}

// Call is a call that goes on or is over.
type Call struct {
	Type     string   `json:"type"` // "call"
	ID       string   `json:"id"`
	Room     string   `json:"room"`
	Account  string   `json:"account"` // the other person
	Name     string   `json:"name"`
	Outgoing bool     `json:"outgoing"`
	Video    bool     `json:"video"`
	Stage    string   `json:"stage"` // calling, ringing, talking or over
	End      string   `json:"end,omitempty"`
	Began    string   `json:"began"`
	Answered string   `json:"answered,omitempty"`
	Ended    string   `json:"ended,omitempty"`
	Here     bool     `json:"here"` // this device holds it
	Words    []string `json:"words,omitempty"`
}

// Storage is what this device keeps.
type Storage struct {
	Type     string       `json:"type"` // "storage"
	Database int64        `json:"database"`
	Messages int64        `json:"messages"`
	Rooms    []RoomStored `json:"rooms"`
}

// RoomStored is what one room takes.
type RoomStored struct {
	Room     string `json:"room"`
	Name     string `json:"name"`
	Messages int64  `json:"messages"`
	Bytes    int64  `json:"bytes"`
}

// Exported is what `export` wrote.
type Exported struct {
	Type   string `json:"type"` // "exported"
	File   string `json:"file"`
	Format string `json:"format"`
	Bytes  int64  `json:"bytes"`
}

// Reported is a report, to be handed over by hand.
type Reported struct {
	Type string `json:"type"` // "report"
	To   string `json:"to"`   // the host whose operator it is for
	Text string `json:"text"`
}

// Running is what `status` prints: whether an app runs for the home, and how it is.
type Running struct {
	Type     string       `json:"type"` // "app"
	Running  bool         `json:"running"`
	Phase    string       `json:"phase,omitempty"` // new, locked or open
	Custody  string       `json:"custody"`
	Version  string       `json:"version,omitempty"`
	Handle   string       `json:"handle,omitempty"`
	Unread   int64        `json:"unread"`
	Requests int          `json:"requests"`
	Hosts    []ServerHost `json:"hosts"`
}

// ServerHost is a server that a device needs.
type ServerHost struct {
	Host string `json:"host"`
	Home bool   `json:"home"`
	Up   bool   `json:"up"`
	Why  string `json:"why,omitempty"`

	Retiring string `json:"retiring,omitempty"` // when it will be switched off
	Reason   string `json:"reason,omitempty"`
}

// Name says whether a handle can be had.
type Name struct {
	Type   string `json:"type"` // "name"
	Handle string `json:"handle"`
	Free   bool   `json:"free"`
	Open   bool   `json:"open"` // anybody may register there
	Text   string `json:"text,omitempty"`
}
