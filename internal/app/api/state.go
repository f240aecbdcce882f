package api

// Phase says how far the app is.
type Phase string

// The phases.
const (
	PhaseNew    Phase = "new"    // no account yet: first run
	PhaseLocked Phase = "locked" // the keys are closed: only Unlock is answered
	PhaseOpen   Phase = "open"
)

// Custody says what guards the key of the device's database.
type Custody string

// The kinds of custody.
const (
	CustodyFile       Custody = "file"       // the key lies beside the database
	CustodyPassphrase Custody = "passphrase" // argon2id
	CustodyKeyring    Custody = "keyring"    // the system's
)

// State is how the app is.
type State struct {
	Phase       Phase        `json:"phase"`
	Version     string       `json:"version"`
	Custody     Custody      `json:"custody"`
	Keyring     bool         `json:"keyring"` // there is a system keyring here
	Self        *Self        `json:"self,omitempty"`
	Hosts       []Host       `json:"hosts"` // that this device needs
	Server      *LocalServer `json:"server,omitempty"`
	Requests    int          `json:"requests"`             // strangers who wait
	Unread      int64        `json:"unread"`               // in conversations that are not muted
	Invitation  string       `json:"invitation,omitempty"` // a link that sotto was opened with
	Moving      string       `json:"moving,omitempty"`     // the handle that a move leads to which is under way here
	NewsThrough int64        `json:"news_through"`         // the last notice that was shown
}

// Self is this person.
type Self struct {
	Account string `json:"account"`
	Handle  string `json:"handle"`
	Device  string `json:"device"`
	Name    string `json:"name"`              // shown name, "" for none
	Status  string `json:"status"`            // a sentence about oneself
	Picture string `json:"picture,omitempty"` // its version: GET /people/{account}/picture?v=…
}

// Host is a server that this device talks to.
type Host struct {
	Host  string `json:"host"`
	Home  bool   `json:"home"` // one's own home server
	Up    bool   `json:"up"`
	Since int64  `json:"since,omitempty"` // down since
	Why   string `json:"why,omitempty"`
	Code  string `json:"code,omitempty"` // of why: see docs/command-line.md

	Retiring int64  `json:"retiring,omitempty"` // when it will be switched off, as it says itself
	Reason   string `json:"reason,omitempty"`   // what its operator says about that
}

// LocalServer is a home server that this app runs.
type LocalServer struct {
	Host    string  `json:"host"` // the part of handles after the @
	Running bool    `json:"running"`
	Why     string  `json:"why,omitempty"`
	Reach   []Reach `json:"reach"`
}

// Reach says who can reach a server at an address.
type Reach struct {
	Address string `json:"address"`
	Who     string `json:"who"`  // "this computer", "network" or "everybody"
	Sure    bool   `json:"sure"` // it was tried
	Text    string `json:"text"` // in English
	Said    *Said  `json:"said"`
}

// OpenSession exchanges a one-time token for a session cookie.
type OpenSession struct {
	Token string `json:"token"`
}

// Session is what a window keeps besides the cookie: cookies go to every port of a
// computer, so that a program of somebody else that listens on another one may be shown
// the cookie; the key it is never shown. Each request carries it in the header Sotto-Key,
// or in the query as key where an element loads a picture or a download by itself.
type Session struct {
	Key string `json:"key"`
}

// Window is what a window of the app tells about itself, under a name of its own choice:
// whom it can be seen by decides what is worth a notice, and whether the person is here.
type Window struct {
	Name     string `json:"name"`               // at most 64 letters and digits, the same as long as it lives
	Visible  bool   `json:"visible"`            // it is looked at
	Room     string `json:"room,omitempty"`     // the conversation that it shows
	Used     bool   `json:"used,omitempty"`     // the person did something in it since it told last: it does not lock by itself
	Language string `json:"language,omitempty"` // that it speaks: en, de, es; notices of the system follow it where the settings leave it open
	Notifies bool   `json:"notifies,omitempty"` // it tells of messages by notifications of the browser: the app stays silent about them
}

// NewOpening asks for an address to open a window with, and takes a link that sotto was
// opened with.
type NewOpening struct {
	Link string `json:"link,omitempty"`
}

// Opening is an address that opens one window within two minutes.
type Opening struct {
	URL string `json:"url"`
}

// Violation is something that a page was stopped from doing.
type Violation struct {
	Page      string `json:"page"`
	Directive string `json:"directive"`
	Blocked   string `json:"blocked"`
	Sample    string `json:"sample"`
}

// Unlock opens a locked app.
type Unlock struct {
	Passphrase string `json:"passphrase"`
}

// SetCustody changes what guards the key.
type SetCustody struct {
	Custody Custody `json:"custody"`
	Old     string  `json:"old,omitempty"` // the passphrase until now, if there is one
	New     string  `json:"new,omitempty"` // for CustodyPassphrase
}

// InspectLink asks what an invitation link is, without spending it.
type InspectLink struct {
	Link string `json:"link"`
}

// LinkKind says what a link invites to.
type LinkKind string

// The kinds of links.
const (
	LinkAccount LinkKind = "account" // to register at a server, and write to who invites
	LinkContact LinkKind = "contact" // to write to a person
	LinkRoom    LinkKind = "room"    // to join a room
)

// LinkInfo is what an invitation link says.
type LinkInfo struct {
	Kind    LinkKind `json:"kind"`
	Host    string   `json:"host"`
	Handle  string   `json:"handle,omitempty"` // who invites
	Account string   `json:"account,omitempty"`
	Name    string   `json:"name,omitempty"`  // shown name of who invites
	Title   string   `json:"title,omitempty"` // of a room
	Until   int64    `json:"until,omitempty"`
	Over    bool     `json:"over,omitempty"`    // its time is over
	Approve bool     `json:"approve,omitempty"` // somebody has to say yes
}

// ServerQuery asks about a server.
type ServerQuery struct {
	Host string `query:"host"`
}

// ServerInfo is what a server says of itself.
type ServerInfo struct {
	Host string `json:"host"` // in its normal form
	Open bool   `json:"open"` // anybody may register
}

// NameQuery asks whether a handle can be had.
type NameQuery struct {
	Handle string `query:"handle"`
}

// NameInfo says whether a handle can be had.
type NameInfo struct {
	Handle string `json:"handle"` // in its normal form
	Free   bool   `json:"free"`
	Text   string `json:"text,omitempty"` // why not
}

// NewAccount makes the account of this device.
type NewAccount struct {
	Handle     string `json:"handle"`
	Name       string `json:"name,omitempty"`
	Invitation string `json:"invitation,omitempty"` // a link, or a code
	Passphrase string `json:"passphrase,omitempty"` // to lock with; "" keeps the custody as it is
}

// NewServer starts a home server on this computer.
type NewServer struct {
	Host string `json:"host,omitempty"` // a name or address of this computer; "" finds one
}

// EndAccount deletes the account everywhere and empties this home.
type EndAccount struct {
	Handle string `json:"handle"` // typed again
}
