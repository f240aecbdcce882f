package client

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/mimi"
)

// Shown is a message as it stands in a conversation, with all that acts on it, or something
// that happened in the room.
type Shown struct {
	store.Message
	Event     string    // the kind of the notice that this is; "" of a message
	Notice    int64     // and its id; Text says what happened
	Call      *Call     // the call that it tells of
	Said      said.Said // the same by its key
	Reply     *Quote
	Reactions []Reaction
	Starred   bool
	Pinned    bool // in its room, for everybody
	Forwarded bool
	Mentions  bool // names this person

	call *room.CallID
}

// Quote is what a reply answers.
type Quote struct {
	ID      mimi.MessageID
	Account identity.ID
	Own     bool
	Text    string // its beginning, at most quoteLength bytes
	Deleted bool   // it was taken back
	Gone    bool   // it is not here: nothing but ID is known
}

const quoteLength = 600

// Reaction is an emoji with who gave it.
type Reaction struct {
	Emoji    string
	Own      bool
	Accounts []identity.ID // in the order in which they were read
}

// maxReactions is how many emoji of one account are shown at a message.
const maxReactions = 4

// PageQuery asks for a part of a room. One of Before, After, Around, Date and Unread says
// which; none of them the end.
type PageQuery struct {
	Before, After int64           // a Pos: what stands before it, or after it
	Around        *mimi.MessageID // this message and what stands around it
	Date          int64           // around the first message of a time or later, Unix milliseconds
	Unread        bool            // around the first message that was not seen
	Limit         int             // messages and events, 1 to MaxPage; 0 stands for 60
}

// MaxPage is the most that a page holds, besides what waits to be sent.
const MaxPage = 200

// Page is a part of a room, oldest first. What has no place yet, because it waits to be sent,
// stands at its end, if the end of the room is in it.
type Page struct {
	Messages              []Shown
	MoreBefore, MoreAfter bool
	FirstUnread           *mimi.MessageID // of the room; nil: all was seen
	Target                *mimi.MessageID // what Around, Date or Unread found
}

// Page reads a part of a room. ErrGone says that what Around names is not here.
func (c *Client) Page(id room.ID, q PageQuery) (p Page, err error) {
	err = ErrClosed
	c.on(func() { err = c.read(func(tx store.Tx) (err error) { p, err = c.page(tx, id, q); return err }) })
	return p, err
}

const endOfRoom = int64(1 << 62)

func (c *Client) page(tx store.Tx, id room.ID, q PageQuery) (Page, error) {
	if r, err := tx.Room(id); err != nil {
		return Page{}, err
	} else if r == nil {
		return Page{}, ErrNoRoom
	}
	if q.Limit <= 0 {
		q.Limit = 60
	}
	b := pager{c: c, tx: tx, id: id, limit: min(q.Limit, MaxPage)}
	unread, some, err := tx.FirstUnseen(id)
	if err != nil {
		return b.Page, err
	}
	if some {
		if err := b.point(&b.FirstUnread, unread); err != nil {
			return b.Page, err
		}
	}
	switch {
	case q.Before > 0:
		err = b.before(q.Before, b.limit)
		b.MoreAfter = true
	case q.After > 0:
		err = b.after(q.After+1, b.limit)
		b.MoreBefore = true
	case q.Around != nil:
		err = b.around(*q.Around)
	case q.Date > 0:
		pos, ok, find := tx.FirstSince(id, q.Date)
		err = b.from(pos, ok, find)
	case q.Unread:
		err = b.from(unread, some, nil)
	default:
		err = b.end()
	}
	if err != nil {
		return b.Page, err
	}
	return b.Page, c.fold(tx, id, b.Messages)
}

// pager gathers a page.
type pager struct {
	Page
	c     *Client
	tx    store.Tx
	id    room.ID
	limit int
}

// point lets a field name the message at a place.
func (b *pager) point(to **mimi.MessageID, pos int64) error {
	list, err := b.tx.After(b.id, pos, 1)
	if err == nil && len(list) > 0 {
		*to = &list[0].ID
	}
	return err
}

func (b *pager) end() error {
	if err := b.before(endOfRoom, b.limit); err != nil {
		return err
	}
	return b.waiting()
}

// from gathers what stands around the first message of something that was looked for; if
// there is none, the end.
func (b *pager) from(pos int64, ok bool, err error) error {
	if err != nil {
		return err
	}
	if !ok {
		return b.end()
	}
	if err := b.point(&b.Target, pos); err != nil {
		return err
	}
	return b.beside(pos, b.limit/4)
}

// around gathers what stands around a message; one that acts on another stands for that.
func (b *pager) around(message mimi.MessageID) error {
	m, err := b.tx.Message(b.id, message)
	if err == nil && m != nil && m.At == 0 {
		m, err = changedBy(b.tx, *m)
	}
	if err != nil {
		return err
	}
	if m == nil {
		return ErrGone
	}
	b.Target = &m.ID
	if m.Pos == 0 {
		return b.end()
	}
	return b.beside(m.Pos, b.limit/2)
}

// beside gathers some of what stands before a place and the rest from there on.
func (b *pager) beside(pos int64, before int) error {
	if err := b.before(pos, before); err != nil {
		return err
	}
	return b.after(pos, b.limit-before)
}

// before adds the last of what stands before a place.
func (b *pager) before(pos int64, limit int) error {
	messages, err := b.tx.Before(b.id, pos, limit+1)
	if err != nil {
		return err
	}
	events, err := b.tx.NoticesBefore(b.id, pos, limit+1)
	if err != nil {
		return err
	}
	list := merge(messages, events)
	if len(list) > limit {
		list, b.MoreBefore = list[len(list)-limit:], true
	}
	b.Messages = append(b.Messages, list...)
	return nil
}

// after adds the first of what stands from a place on, and where that is the end of the room
// also what waits.
func (b *pager) after(pos int64, limit int) error {
	messages, err := b.tx.After(b.id, pos, limit+1)
	if err != nil {
		return err
	}
	events, err := b.tx.NoticesAfter(b.id, pos, limit+1)
	if err != nil {
		return err
	}
	list := merge(messages, events)
	if len(list) > limit {
		b.Messages, b.MoreAfter = append(b.Messages, list[:limit]...), true
		return nil
	}
	b.Messages = append(b.Messages, list...)
	return b.waiting()
}

func (b *pager) waiting() error {
	list, err := b.tx.Waiting(b.id, MaxPage)
	b.Messages = append(b.Messages, merge(list, nil)...)
	return err
}

// merge brings messages and events, each in the order of their places, into one order.
func merge(messages []store.Message, events []store.Notice) []Shown {
	out := make([]Shown, 0, len(messages)+len(events))
	for _, m := range messages {
		for len(events) > 0 && events[0].Pos < m.Pos {
			out, events = append(out, event(events[0])), events[1:]
		}
		out = append(out, Shown{Message: m})
	}
	for _, n := range events {
		out = append(out, event(n))
	}
	return out
}

// event is something that happened, at its place in the conversation.
func event(n store.Notice) Shown {
	s := Shown{Event: n.Kind, Notice: n.ID, Said: n.Said, call: n.Call}
	if n.Room != nil {
		s.Room = *n.Room
	}
	s.Pos, s.Text, s.Sent, s.Arrived, s.At = n.Pos, n.Text, n.Time, n.Time, n.Time
	if !n.Unseen {
		s.Flags = store.FlagSeen
	}
	return s
}

// fold adds to shown messages of a room what acts on them: a few queries, however many.
func (c *Client) fold(tx store.Tx, id room.ID, list []Shown) error {
	at := make(map[mimi.MessageID]int, len(list))
	var ids, targets []mimi.MessageID
	for i := range list {
		s := &list[i]
		if s.Event != "" {
			if err := c.foldCall(tx, s); err != nil {
				return err
			}
			continue
		}
		c.overlay(&s.Message)
		s.Starred, s.Mentions = s.Flags&store.FlagStarred != 0, s.Flags&store.FlagMentions != 0
		if content, err := mimi.Parse(s.Content); err == nil {
			s.Forwarded = content.Forwarded()
		}
		at[s.ID] = i
		ids = append(ids, s.ID)
		if s.Kind == mimi.KindReply && s.Target != nil && s.Flags&store.FlagDeleted == 0 {
			targets = append(targets, *s.Target)
		}
	}
	reactions, err := tx.ReactionsTo(ids)
	if err != nil {
		return err
	}
	for _, r := range reactions {
		if i, ok := at[*r.Target]; ok && r.Room == id && list[i].Flags&store.FlagDeleted == 0 {
			c.react(&list[i], r)
		}
	}
	pins, err := tx.Pins(id)
	if err != nil {
		return err
	}
	for _, p := range pins {
		if i, ok := at[p.Message]; ok {
			list[i].Pinned = true
		}
	}
	quoted, err := tx.MessagesByID(id, targets)
	if err != nil {
		return err
	}
	for i := range list {
		if s := &list[i]; s.Event == "" && s.Kind == mimi.KindReply && s.Target != nil && s.Flags&store.FlagDeleted == 0 {
			m, ok := quoted[*s.Target]
			s.Reply = c.quote(*s.Target, m, ok && m.At != 0)
		}
	}
	return nil
}

// react adds an account's reactions to a message.
func (c *Client) react(s *Shown, r store.Message) {
	content, err := mimi.Parse(r.Content)
	if err != nil {
		return // it was kept because it could be read
	}
	emoji := content.Reactions()
	own := r.Account == c.chain.ID()
	for _, e := range emoji[:min(len(emoji), maxReactions)] {
		i := slices.IndexFunc(s.Reactions, func(x Reaction) bool { return x.Emoji == e })
		if i < 0 {
			i = len(s.Reactions)
			s.Reactions = append(s.Reactions, Reaction{Emoji: e})
		}
		x := &s.Reactions[i]
		if len(x.Accounts) > 0 && x.Accounts[len(x.Accounts)-1] == r.Account {
			continue // twice the same in one message
		}
		x.Own = x.Own || own
		x.Accounts = append(x.Accounts, r.Account)
	}
}

func (c *Client) quote(id mimi.MessageID, m store.Message, here bool) *Quote {
	if !here {
		return &Quote{ID: id, Gone: true}
	}
	return &Quote{ID: id, Account: m.Account, Own: m.Account == c.chain.ID(), Text: beginning(m.Text, quoteLength), Deleted: m.Flags&store.FlagDeleted != 0}
}

// beginning is at most so many bytes of a text, cut between characters.
func beginning(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// Shown is a message as it stands in its conversation; one that acts on another answers that
// one. nil says that it is not here.
func (c *Client) Shown(id mimi.MessageID) (s *Shown, err error) {
	err = ErrClosed
	c.on(func() { err = c.read(func(tx store.Tx) (err error) { s, err = c.shown(tx, id); return err }) })
	return s, err
}

func (c *Client) shown(tx store.Tx, id mimi.MessageID) (*Shown, error) {
	m, err := tx.FindMessage(id)
	if err == nil && m != nil && m.At == 0 {
		m, err = changedBy(tx, *m)
	}
	if err != nil || m == nil {
		return nil, err
	}
	list := []Shown{{Message: *m}}
	return &list[0], c.fold(tx, m.Room, list)
}

// EachMessage calls f for everything that stands in a room, oldest first, in batches: other
// steps of the client have their turn between. f is called on the caller's goroutine.
func (c *Client) EachMessage(id room.ID, f func(Shown) error) error {
	q := PageQuery{After: -1, Limit: MaxPage}
	for {
		var p Page
		err := ErrClosed
		c.on(func() {
			err = c.read(func(tx store.Tx) error {
				b := pager{c: c, tx: tx, id: id, limit: MaxPage}
				if err := b.after(q.After+1, MaxPage); err != nil {
					return err
				}
				p = b.Page
				return c.fold(tx, id, p.Messages)
			})
		})
		if err != nil {
			return err
		}
		for _, s := range p.Messages {
			q.After = cmp.Or(s.Pos, q.After)
			if err := f(s); err != nil {
				return err
			}
		}
		if !p.MoreAfter {
			return nil
		}
	}
}
