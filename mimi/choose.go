package mimi

import (
	"mime"
	"strings"
	"unicode/utf8"
)

// Leaf is a Single or External part that this receiver shows.
type Leaf struct {
	// Index is the part's index: depth first from 0, the body's own, over all
	// parts shown or not (section 4.4). Other parts refer to it as
	// cid:<Index>@local.invalid.
	Index int
	Part  Part
}

// Leaves resolves the semantics of section 4.4 and gives the parts to show,
// in order: of ChooseOne the part that rank likes best (the sender's first
// among equals), of SingleUnit all or none, of ProcessAll what is known.
//
// A sender can make two clients show two different texts (section 9.5). The
// choice here depends on nothing but the message, so all clients that use
// this package show the same.
func (c *Content) Leaves() []Leaf {
	return pick(c.Body, 0).leaves
}

// rank orders alternatives; unsupported parts are not shown.
type rank int

const (
	unsupported  rank = iota
	otherFile         // a file to save
	plainText         // section 7.1 makes it mandatory
	someMarkdown      // shown by the rules of GFM-MIMI, without HTML
	mimiMarkdown      // section 7.1.1
	media             // image, sound, film
)

type choice struct {
	leaves []Leaf
	rank   rank
	parts  int // parts at and below, shown or not
}

func pick(p Part, index int) choice {
	m, ok := p.Body.(Multi)
	if !ok {
		c := choice{parts: 1, rank: rankOf(p)}
		if c.rank > unsupported {
			c.leaves = []Leaf{{index, p}}
		}
		return c
	}
	parts := 1
	children := make([]choice, 0, len(m.Parts))
	for _, child := range m.Parts {
		c := pick(child, index+parts)
		parts += c.parts
		children = append(children, c)
	}
	c := combine(m.Semantics, children)
	if aside(p.Disposition) {
		c = choice{}
	}
	c.parts = parts
	return c
}

func combine(s Semantics, children []choice) choice {
	var all, best choice
	missing := false
	for _, c := range children {
		all.leaves = append(all.leaves, c.leaves...)
		all.rank = max(all.rank, c.rank)
		missing = missing || c.rank == unsupported
		if c.rank > best.rank {
			best = c
		}
	}
	switch {
	case s == ChooseOne:
		return best
	case s == SingleUnit && missing:
		return choice{}
	}
	return all
}

// aside reports dispositions that are not for the conversation's text: a
// profile, an icon, a session to join.
func aside(d Disposition) bool {
	return d == Profile || d == Icon || d == Session
}

func rankOf(p Part) rank {
	if aside(p.Disposition) {
		return unsupported
	}
	switch body := p.Body.(type) {
	case External:
		return rankFile(body.ContentType, true)
	case Single:
		if r := rankText(p.Disposition, body); r > unsupported {
			return r
		}
		return rankFile(body.ContentType, p.Disposition == Attachment)
	}
	return unsupported
}

// rankText is unsupported for everything that is not text to show. HTML never
// is: its sender decides too much about how it looks and what it loads.
func rankText(d Disposition, s Single) rank {
	if d == Attachment {
		return unsupported
	}
	kind, params, err := mime.ParseMediaType(s.ContentType)
	if err != nil || !utf8.Valid(s.Content) {
		return unsupported
	}
	if c := strings.ToLower(params["charset"]); c != "" && c != "utf-8" && c != "us-ascii" {
		return unsupported
	}
	switch {
	case kind == "text/plain":
		return plainText
	case kind == "text/markdown" && strings.EqualFold(params["variant"], "GFM-MIMI"):
		return mimiMarkdown
	case kind == "text/markdown":
		return someMarkdown
	}
	return unsupported
}

// rankFile is for content that is not text to show; savable says whether an
// unknown type is still a file.
func rankFile(contentType string, savable bool) rank {
	kind, _, err := mime.ParseMediaType(contentType)
	top, _, _ := strings.Cut(kind, "/")
	if err == nil && (top == "image" || top == "audio" || top == "video") {
		return media
	}
	if savable {
		return otherFile
	}
	return unsupported
}

// Text is a text to show.
type Text struct {
	Content string
	// Markdown: GFM-MIMI, in which HTML is shown as plain text (section
	// 7.1.1). Otherwise every character stands for itself.
	Markdown bool
	Language string
}

func (l Leaf) text() (Text, bool) {
	s, ok := l.Part.Body.(Single)
	if !ok {
		return Text{}, false
	}
	r := rankText(l.Part.Disposition, s)
	return Text{string(s.Content), r > plainText, l.Part.Language}, r > unsupported
}

// Text is the first text among Leaves, never HTML; false when there is none.
func (c *Content) Text() (Text, bool) {
	for _, l := range c.Leaves() {
		if t, ok := l.text(); ok && l.Part.Disposition != Preview {
			return t, true
		}
	}
	return Text{}, false
}

// Reactions are the texts of a reaction, one for each emoji. They must never
// be joined: joined, they may mean something else (section 5.3).
func (c *Content) Reactions() []string {
	var all []string
	for _, l := range c.Leaves() {
		if t, ok := l.text(); ok && l.Part.Disposition == Reaction {
			all = append(all, t.Content)
		}
	}
	return all
}

// Attachments are the files among Leaves: External parts, and Single parts
// that are not text to show.
func (c *Content) Attachments() []Leaf {
	var files []Leaf
	for _, l := range c.Leaves() {
		_, isText := l.text()
		if d := l.Part.Disposition; !isText && d != Reaction && d != Preview {
			files = append(files, l)
		}
	}
	return files
}
