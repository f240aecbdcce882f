package wire

// A meeting is where two devices of one person talk before the new one has an account:
// the old one opens it on /v1/account, the new one visits it on /v1/log. The server hands
// on what they say, and keeps none of it.

// Visit enters the meeting of a handle with a first message (OpVisit). CodeNoMeeting is
// the one answer for a handle that does not exist, has no meeting open, or whose meeting
// has had its visitor.
type Visit struct {
	Handle  string `cbor:"1,keyasint"`
	Message []byte `cbor:"2,keyasint"` // 1 to MaxMeetingMessage bytes
}

// Say hands a message to the other side (OpMeetSay, OpVisitSay).
type Say struct {
	Message []byte `cbor:"1,keyasint"` // 1 to MaxMeetingMessage bytes
}

// Met tells a side of a meeting what happened in it (EventMet): a message from the other
// side, or that the meeting is over, whoever ended it. One of the two is there.
type Met struct {
	Message []byte `cbor:"1,keyasint,omitempty"`
	Over    bool   `cbor:"2,keyasint,omitempty"`
}
