package api

// Call is a call that rings or runs, or, in the list of calls, one that is over.
type Call struct {
	ID       string    `json:"id"` // 32 hexadecimal digits
	Room     string    `json:"room"`
	Person   string    `json:"person"` // the other account
	Name     string    `json:"name"`
	Tint     int       `json:"tint"`
	Compared bool      `json:"compared"` // numbers were compared
	Outgoing bool      `json:"outgoing"`
	Video    bool      `json:"video"`
	Stage    CallStage `json:"stage"`
	Here     bool      `json:"here"`               // this device holds it
	Window   string    `json:"window,omitempty"`   // the window that has its sound and picture
	Began    int64     `json:"began"`              // the offer
	Answered int64     `json:"answered,omitempty"` // the answer that counts
	Ended    int64     `json:"ended,omitempty"`
	End      CallEnd   `json:"end,omitempty"`
	Relayed  bool      `json:"relayed"`         // this side must take relayed paths only
	Words    []string  `json:"words,omitempty"` // two, once the call is taken; both sides read them out
	Matched  bool      `json:"matched,omitempty"`
	Devices  int       `json:"devices,omitempty"` // of the called person that ring
	Rings    bool      `json:"rings,omitempty"`   // this device rings
	Instead  string    `json:"instead,omitempty"` // of a call that came to nothing since the other person called at the same moment: that call; who held this one answers it
}

// CallStage is how far a call is.
type CallStage string

// The stages.
const (
	CallCalling CallStage = "calling" // outgoing: nothing heard of the other side yet
	CallRinging CallStage = "ringing" // rings there, or here
	CallTalking CallStage = "talking" // answered
	CallOver    CallStage = "over"
)

// CallEnd is why a call is over.
type CallEnd string

// The ends.
const (
	EndHungUp    CallEnd = "hung_up"
	EndDeclined  CallEnd = "declined"
	EndBusy      CallEnd = "busy"
	EndMissed    CallEnd = "missed"    // nobody answered
	EndFailed    CallEnd = "failed"    // no connection
	EndElsewhere CallEnd = "elsewhere" // another device of this person answered; it talks there
)

// NewCall calls somebody. The description has the five parts of docs/protocol.md.
type NewCall struct {
	Room   string `json:"room"`
	Video  bool   `json:"video,omitempty"`
	SDP    string `json:"sdp"`
	Window string `json:"window,omitempty"` // this window holds the call: it ends when the window's event stream does
}

// CallDescription is a description of a call's side: of an answer, a renewal or the answer to one.
type CallDescription struct {
	SDP    string `json:"sdp"`
	Window string `json:"window,omitempty"`
}

// Candidate is an ICE candidate, RFC 8445, as RTCIceCandidate has it.
type Candidate struct {
	Mid       string `json:"mid"`
	Line      int    `json:"line"`
	Candidate string `json:"candidate"` // "": the last one of this round
}

// NewCandidates tells the other side of candidates.
type NewCandidates struct {
	Round      int         `json:"round"` // 0 of offer and answer, else of a renewal
	Candidates []Candidate `json:"candidates"`
}

// CallMedia is what the one who holds a call needs of the other side: everything so far.
type CallMedia struct {
	Call       Call        `json:"call"`
	Round      int         `json:"round"`
	Offer      string      `json:"offer,omitempty"`  // of this round, if the other side made it
	Answer     string      `json:"answer,omitempty"` // of this round, if the other side made it
	Candidates []Candidate `json:"candidates"`       // of the other side, in this round
}

// EndCall ends a call: hung_up, declined, busy or failed.
type EndCall struct {
	End  CallEnd `json:"end"`
	Text string  `json:"text,omitempty"` // a message that goes with it: decline with a few words
}

// PastCalls asks for calls that are over, the last one first.
type PastCalls struct {
	Before string `query:"before"` // a call: those before it
	Limit  int    `query:"limit"`  // 1 to 200, 60 by default
}

// EventStream says who listens. Of a window that holds a call the stream is what keeps it.
type EventStream struct {
	Window string `query:"window"` // its name, as PUT /window has it, or any other of 1 to 64 letters and digits
}
