package mimi

// Salt makes a message ID unguessable; 16 random octets (section 4.1).
type Salt [16]byte

// Content is one message (section 4.1). The zero pointers mean "none".
type Content struct {
	Salt Salt
	// Replaces is the first version of the message that this one edits,
	// deletes or un-reacts. Whether the sender may do so is the caller's
	// policy (section 9.3); nothing in the message proves it.
	Replaces *MessageID
	// TopicID groups messages into a thread; opaque, empty for none.
	TopicID []byte
	Expires *Expiry
	// InReplyTo is the message that this one answers or reacts to. It may be
	// unknown to the receiver, and a hostile sender may build loops: follow
	// chains with a bound (section 4.1).
	InReplyTo  *MessageID
	Extensions Extensions
	Body       Part
}

// Disposition says what a part is for (section 8.2.2). Values over Preview are
// legal and treated as Render (section 9.1).
type Disposition uint8

// The dispositions of section 4.4.
const (
	Unspecified Disposition = iota
	Render
	Reaction
	Profile
	Inline
	Icon
	Attachment
	Session
	Preview
)

// Part is a NestedPart (section 4.4).
type Part struct {
	Disposition Disposition
	// Language is empty or a comma-separated list of RFC 5646 tags; the tags
	// are not checked.
	Language string
	// Body is a Null, Single, External or Multi.
	Body Body
}

// Body is what a part holds: Null, Single, External or Multi, as values.
type Body interface{ isBody() }

// Null is the empty body of a deletion or of an un-reaction.
type Null struct{}

// Single is content inside the message.
type Single struct {
	ContentType string // an IANA media type with parameters
	Content     []byte
}

// Semantics says how a receiver treats the parts of a Multi.
type Semantics uint8

// The semantics of section 4.4.
const (
	ChooseOne  Semantics = iota // process exactly one part, by the receiver's own policy
	SingleUnit                  // process all parts as one thing, or none
	ProcessAll                  // process as many as possible, each by itself
)

// Multi is two parts or more.
type Multi struct {
	Semantics Semantics
	Parts     []Part
}

// Cardinalities, section 4.4.
const (
	cardinalityNull uint64 = iota
	cardinalitySingle
	cardinalityExternal
	cardinalityMulti
)

func (Null) isBody()     {}
func (Single) isBody()   {}
func (External) isBody() {}
func (Multi) isBody()    {}
