package mimi

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// newContent draws the salt from rand, which must be cryptographically random
// (section 4.1): it keeps servers from guessing a message by its ID.
func newContent(rand io.Reader, body Part) (*Content, error) {
	c := &Content{Body: body}
	if _, err := io.ReadFull(rand, c.Salt[:]); err != nil {
		return nil, fmt.Errorf("mimi: salt: %w", err)
	}
	return c, nil
}

// NewText is a text in GFM-MIMI Markdown. HTML tags in it are escaped, as
// section 7.1.1 demands of a sender; see EscapeHTML.
func NewText(rand io.Reader, markdown string) (*Content, error) {
	p, err := textPart(markdown)
	if err != nil {
		return nil, err
	}
	return newContent(rand, p)
}

func textPart(markdown string) (Part, error) {
	if !utf8.ValidString(markdown) {
		return Part{}, fmt.Errorf("%w: text", ErrUTF8)
	}
	escaped := EscapeHTML(markdown)
	if len(escaped) > MaxMessage {
		return Part{}, fmt.Errorf("%w: text of %d octets", ErrTooLarge, len(escaped))
	}
	return Part{Disposition: Render, Body: Single{Markdown, []byte(escaped)}}, nil
}

// NewReply answers a message, by preference its newest version (section 4.1).
func NewReply(rand io.Reader, to MessageID, markdown string) (*Content, error) {
	c, err := NewText(rand, markdown)
	if err == nil {
		c.InReplyTo = &to
	}
	return c, err
}

// NewEdit replaces a message; original is its first version (section 5.5).
// When the message was a reply, set InReplyTo as it was.
func NewEdit(rand io.Reader, original MessageID, markdown string) (*Content, error) {
	c, err := NewText(rand, markdown)
	if err == nil {
		c.Replaces = &original
	}
	return c, err
}

// NewReaction reacts to a message with one emoji or more, each a text of its
// own (section 5.3). An empty one or none is ErrMalformed, one over
// MaxReaction ErrTooLarge.
func NewReaction(rand io.Reader, to MessageID, emoji ...string) (*Content, error) {
	if len(emoji) == 0 {
		return nil, fmt.Errorf("%w: no reaction", ErrMalformed)
	}
	parts := make([]Part, 0, len(emoji))
	for _, e := range emoji {
		if err := checkReaction(e); err != nil {
			return nil, err
		}
		parts = append(parts, Part{Disposition: Reaction, Body: Single{PlainText, []byte(e)}})
	}
	c, err := newContent(rand, join(Reaction, parts))
	if err == nil {
		c.InReplyTo = &to
	}
	return c, err
}

func checkReaction(e string) error {
	switch {
	case e == "":
		return fmt.Errorf("%w: empty reaction", ErrMalformed)
	case !utf8.ValidString(e):
		return fmt.Errorf("%w: reaction", ErrUTF8)
	case len(e) > MaxReaction:
		return fmt.Errorf("%w: reaction of %d octets", ErrTooLarge, len(e))
	}
	return nil
}

// join makes one part of several; a Multi holds at least two (section 4.4).
func join(d Disposition, parts []Part) Part {
	if len(parts) == 1 {
		return parts[0]
	}
	return Part{Disposition: d, Body: Multi{ProcessAll, parts}}
}

// NewUnreact takes back the reaction that was made to a message (section 5.7).
func NewUnreact(rand io.Reader, reaction, to MessageID) (*Content, error) {
	c, err := newContent(rand, Part{Disposition: Reaction, Body: Null{}})
	if err == nil {
		c.Replaces, c.InReplyTo = &reaction, &to
	}
	return c, err
}

// NewDelete takes back a message; original is its first version (section 5.6).
func NewDelete(rand io.Reader, original MessageID) (*Content, error) {
	c, err := newContent(rand, Part{Disposition: Render, Body: Null{}})
	if err == nil {
		c.Replaces = &original
	}
	return c, err
}

// NewAttachment sends files that lie at URLs, with a caption in Markdown that
// may be empty (section 5.9). No file, or keys that do not fit their
// algorithm, is ErrMalformed.
func NewAttachment(rand io.Reader, caption string, files ...External) (*Content, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: no file", ErrMalformed)
	}
	var parts []Part
	if caption != "" {
		text, err := textPart(caption)
		if err != nil {
			return nil, err
		}
		parts = append(parts, text)
	}
	for _, f := range files {
		if !f.consistent() {
			return nil, fmt.Errorf("%w: key, nonce or hash of %q does not fit its algorithm", ErrMalformed, f.ContentType)
		}
		parts = append(parts, Part{Disposition: Attachment, Body: f})
	}
	return newContent(rand, join(Render, parts))
}
