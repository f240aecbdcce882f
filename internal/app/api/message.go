package api

import "sotto/internal/said"

// Message is one message of a room. Edits, reactions and deletions are shown at the
// message that they act on and are no messages here.
type Message struct {
	ID        string     `json:"id"`
	Room      string     `json:"room"`
	Pos       int64      `json:"pos"`     // order within the room; 0 until it has one: those come last
	Kind      string     `json:"kind"`    // text, reply, attachment, other; or event: something that happened in the room
	Account   string     `json:"account"` // who wrote it
	Handle    string     `json:"handle"`
	Name      string     `json:"name"` // shown
	Tint      int        `json:"tint"`
	Own       bool       `json:"own"`
	Event     string     `json:"event,omitempty"` // of an event: what happened, a kind of notice
	Text      string     `json:"text"`            // Markdown; of an event a sentence in English
	Said      *Said      `json:"said,omitempty"`  // of an event: the same sentence, to be said in any language
	Call      *Call      `json:"call,omitempty"`  // of the event "call": the call, if this device has it
	Sent      int64      `json:"sent"`            // by the sender's clock
	Arrived   int64      `json:"arrived,omitempty"`
	State     string     `json:"state"`          // received, or of an own message queued, stored, delivered, read, failed, expired
	Why       string     `json:"why,omitempty"`  // of failed: what happened and what to do
	Code      string     `json:"code,omitempty"` // of why: see docs/command-line.md
	Reply     *Quote     `json:"reply,omitempty"`
	Edited    bool       `json:"edited,omitempty"`
	Deleted   bool       `json:"deleted,omitempty"`
	Forwarded bool       `json:"forwarded,omitempty"`
	Starred   bool       `json:"starred,omitempty"`
	Pinned    bool       `json:"pinned,omitempty"`
	Seen      bool       `json:"seen"`
	Mentions  bool       `json:"mentions,omitempty"` // names this person
	Expires   int64      `json:"expires,omitempty"`
	Vanish    int64      `json:"vanish,omitempty"` // seconds after it is read
	Reactions []Reaction `json:"reactions,omitempty"`
	Files     []File     `json:"files,omitempty"`
}

// Said is a sentence of sotto's: which one, and what fills it. The sentences are in
// internal/said; one that is not known there is shown by its English text.
type Said struct {
	Key    string            `json:"key"`
	Values map[string]string `json:"values"`        // by the names in the sentence: what people and servers are called, titles, what an error said in English as why
	N      int64             `json:"n,omitempty"`   // what it counts: entries as n, or the seconds of a span
	Why    string            `json:"why,omitempty"` // the key of the reason, or the code of an error: see docs/command-line.md
}

// SaidOf is a sentence as it crosses; nil where only its text was kept.
func SaidOf(s said.Said) *Said {
	if s.Key == "" {
		return nil
	}
	x := &Said{Key: s.Key, Values: s.Values, N: s.N, Why: s.Why}
	if x.Values == nil {
		x.Values = map[string]string{}
	}
	return x
}

// Quote is what a reply answers.
type Quote struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Own     bool   `json:"own"`
	Text    string `json:"text"`
	Deleted bool   `json:"deleted,omitempty"`
	Gone    bool   `json:"gone,omitempty"` // it is not here
}

// Reaction is an emoji with who gave it.
type Reaction struct {
	Emoji string   `json:"emoji"`
	Own   bool     `json:"own"`
	Names []string `json:"names"`
}

// PageQuery asks for a part of a room. One of Before, After, Around, Date and Unread says
// where; none of them the end.
type PageQuery struct {
	Before int64  `query:"before"` // a pos
	After  int64  `query:"after"`  // a pos
	Around string `query:"around"` // a message's id
	Date   int64  `query:"date"`   // the first message at or after a time
	Unread bool   `query:"unread"` // around the first that was not seen
	Limit  int    `query:"limit"`  // 1 to 200, 60 by default
}

// Page is a part of a room, oldest first.
type Page struct {
	Messages    []Message `json:"messages"`
	MoreBefore  bool      `json:"more_before"`
	MoreAfter   bool      `json:"more_after"`
	FirstUnread string    `json:"first_unread,omitempty"`
	Target      string    `json:"target,omitempty"` // what Around, Date or Unread found
}

// NewMessage writes a message.
type NewMessage struct {
	To        string `json:"to"` // a room's id or a handle
	Text      string `json:"text"`
	Reply     string `json:"reply,omitempty"`
	Expire    int64  `json:"expire,omitempty"` // seconds from now, everywhere
	Forwarded bool   `json:"forwarded,omitempty"`
}

// EditMessage gives a message another text.
type EditMessage struct {
	Text string `json:"text"`
}

// DeleteQuery says how to delete a message.
type DeleteQuery struct {
	Here bool `query:"here"` // only on this device; else it is taken back everywhere
}

// React sets this person's reaction.
type React struct {
	Emoji string `json:"emoji"` // "" takes it back
}

// Forward writes a message's text to others.
type Forward struct {
	To []string `json:"to"`
}

// SetOn switches something: a star, a pin.
type SetOn struct {
	On bool `json:"on"`
}

// SearchQuery searches messages. Texts, or at least one of the other conditions.
type SearchQuery struct {
	Text    string `query:"q"`
	Room    string `query:"room"`
	From    string `query:"from"`  // an account, or "me"
	After   int64  `query:"after"` // times
	Before  int64  `query:"before"`
	Starred bool   `query:"starred"`
	Cursor  string `query:"cursor"`
	Limit   int    `query:"limit"` // 1 to 100, 30 by default
}

// Found is what a search found, newest first.
type Found struct {
	Hits    []Hit  `json:"hits"`
	Cursor  string `json:"cursor,omitempty"`  // for more
	Partial bool   `json:"partial,omitempty"` // older messages are not found yet: the index is being made
}

// Hit is a message that a search found. Marks are the parts of Snippet that match, as
// offsets in UTF-16 units: from, to, from, to, …
type Hit struct {
	Message Message `json:"message"`
	Room    string  `json:"room_name"`
	Snippet string  `json:"snippet"`
	Marks   []int   `json:"marks"`
}

// Who is the page "Who can see this?": of a message, a room or a person.
type Who struct {
	About    string      `json:"about"`           // message, room or person
	Quote    *Message    `json:"quote,omitempty"` // of a message
	Name     string      `json:"name"`            // of the room or person
	Holders  []Holder    `json:"holders"`         // who holds the keys
	Others   int         `json:"others"`          // how many people besides this one
	Devices  int         `json:"devices"`         // of all of them
	Host     string      `json:"host"`
	Keeps    []KeptThing `json:"keeps"` // what the server keeps
	Timeline []Moment    `json:"timeline"`
	Limits   []string    `json:"limits"` // stable names of what this cannot help with: show-to-others, unlocked-device, traffic, blocked-sees, …
}

// Holder is a person with keys.
type Holder struct {
	Account  string   `json:"account"`
	Handle   string   `json:"handle"`
	Name     string   `json:"name"`
	Tint     int      `json:"tint"`
	Self     bool     `json:"self"`
	Compared int64    `json:"compared,omitempty"` // when numbers were compared
	Changed  bool     `json:"changed,omitempty"`
	Devices  []string `json:"devices"` // their names
}

// KeptThing is one line of what the server keeps. What and Value are stable names with
// figures, which the interface puts into words.
type KeptThing struct {
	What    string `json:"what"`  // message, before, never, room, account, inbox
	Value   string `json:"value"` // nothing-erased, waiting, one-entry, words-names-members, …
	Bytes   int64  `json:"bytes,omitempty"`
	Time    int64  `json:"time,omitempty"`
	Count   int    `json:"count,omitempty"`
	Seconds int64  `json:"seconds,omitempty"` // how long at most
}

// Moment is a point in the life of a message.
type Moment struct {
	What  string `json:"what"` // written, stored, delivered, read, erased, vanishes, expires
	Time  int64  `json:"time,omitempty"`
	Done  bool   `json:"done"`
	Count int    `json:"count,omitempty"` // delivered, read: to how many people
	Of    int    `json:"of,omitempty"`    // of how many
}
