package mimi

// Kind is what a message does in a conversation.
type Kind int

// The kinds, as Content.Kind finds them.
const (
	KindOther      Kind = iota // nothing that this package can name; show that something came
	KindText                   // a new text
	KindReply                  // answers InReplyTo, with text or files
	KindEdit                   // a new version of Replaces
	KindReaction               // reacts to InReplyTo; with Replaces, instead of that reaction
	KindUnreact                // takes the reaction Replaces back
	KindDelete                 // takes the message Replaces back
	KindAttachment             // files, with or without text
	KindStatus                 // a status report, see Content.Report
)

var kindNames = [...]string{"other", "text", "reply", "edit", "reaction", "unreact", "delete", "attachment", "status"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// Kind classifies the message. What a message relates to comes before what it
// carries: a reply with a file is a reply, and Attachments finds the file.
//
// A KindReaction may lack InReplyTo (the draft's own example of several
// reactions does): it then reacts to nothing and is not to be shown.
func (c *Content) Kind() Kind {
	if _, null := c.Body.Body.(Null); null {
		return c.withoutBody()
	}
	d := c.Body.Disposition
	switch {
	case c.isReport():
		return KindStatus
	case d == Reaction:
		return KindReaction
	case aside(d):
		return KindOther
	case c.Replaces != nil:
		return KindEdit
	case c.InReplyTo != nil:
		return KindReply
	case len(c.Attachments()) > 0:
		return KindAttachment
	}
	if _, ok := c.Text(); ok {
		return KindText
	}
	return KindOther
}

// withoutBody tells a deletion from an un-reaction (sections 5.6 and 5.7).
func (c *Content) withoutBody() Kind {
	switch {
	case c.Replaces == nil:
		return KindOther
	case c.Body.Disposition == Reaction:
		return KindUnreact
	}
	return KindDelete
}
