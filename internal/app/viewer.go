package app

import (
	"strings"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mimi"
)

// viewer turns what the client has into nouns of the API, for one request or one batch of
// events: what it looked up once it keeps.
type viewer struct {
	c     *client.Client
	now   int64 // Unix milliseconds
	self  client.Self
	mine  client.Profile
	cards map[identity.ID]client.Card
	all   bool // cards holds everybody
	terms map[room.ID]client.Terms
	pins  map[room.ID]map[mimi.MessageID]bool
}

// viewer is one for an open device.
func (a *App) viewer(c *client.Client) (*viewer, error) {
	v := &viewer{c: c, now: a.now().UnixMilli(), cards: map[identity.ID]client.Card{}, pins: map[room.ID]map[mimi.MessageID]bool{}}
	var err error
	if v.self, err = c.Self(); err != nil {
		return nil, err
	}
	v.mine, err = c.Profile()
	return v, err
}

func (c *call) viewer() (*viewer, error) { return c.app.viewer(c.c) }

// everybody looks up all people and rooms at once, for lists.
func (v *viewer) everybody() (err error) {
	if v.cards, err = v.c.Cards(); err != nil {
		return err
	}
	v.all = true
	v.terms, err = v.c.AllTerms()
	return err
}

// card is the card of an account; one's own too.
func (v *viewer) card(id identity.ID) client.Card {
	if id == v.self.Account {
		return v.own()
	}
	c, ok := v.cards[id]
	if !ok && !v.all {
		c, _ = v.c.Card(id) // a failing disk shows itself elsewhere; here a name is missing
		v.cards[id] = c
	}
	if c.Name == "" {
		c.Name = text(id[:4]) // somebody of whom nothing is known any more
	}
	return c
}

func (v *viewer) own() client.Card {
	name := v.mine.Name
	if name == "" {
		name, _, _ = strings.Cut(v.self.Handle, "@")
	}
	c := client.Card{Name: name, Version: v.mine.Picture}
	c.Account, c.Handle, c.Own = v.self.Account, v.self.Handle, v.mine.Name
	return c
}

func (v *viewer) name(id identity.ID) string { return v.card(id).Name }

func (v *viewer) termsOf(id room.ID) client.Terms {
	if v.terms != nil {
		return v.terms[id]
	}
	t, _ := v.c.Terms(id)
	return t
}

var (
	roomStates = map[store.RoomState]api.RoomState{store.RoomActive: api.RoomActive, store.RoomLeft: api.RoomLeft, store.RoomRemoved: api.RoomRemoved}
	roomKinds  = map[room.Kind]api.RoomKind{room.Pair: api.RoomPair, room.Group: api.RoomGroup, room.Self: api.RoomSelf}
)

// row is a room as it is in the list now.
func (v *viewer) row(id room.ID) (api.Room, error) {
	o, err := v.c.OverviewOf(id)
	if err != nil {
		return api.Room{}, err
	}
	if o.State == store.RoomMerged {
		return api.Room{}, client.ErrNoRoom
	}
	return v.room(o), nil
}

func (v *viewer) room(o client.Overview) api.Room {
	t := v.termsOf(o.ID)
	x := api.Room{
		ID: text(o.ID[:]), Kind: roomKinds[o.Kind], State: roomStates[o.State], Name: o.Title, Picture: t.Picture, Tint: tint(o.ID[:]), Host: o.Host,
		Unread: o.Unseen, Mentions: o.Mentions, MarkUnread: o.Mark.MarkUnread, Time: o.Time,
		Pinned: o.Mark.Pinned, Archived: o.Mark.Archived, Muted: o.Mark.Muted(v.now), MutedUntil: o.Mark.MutedUntil, Draft: o.Mark.Draft,
		Disappear: int64(t.Disappear), Members: len(o.Members), Knocks: t.Knocks, Writable: o.State == store.RoomActive,
	}
	if o.Last != nil {
		x.Last = v.last(*o.Last)
	}
	for _, m := range o.Members {
		x.Admin = x.Admin || m.Self && m.Admin
	}
	switch {
	case o.Peer != nil:
		p := v.card(*o.Peer)
		x.Account, x.Handle, x.Name, x.Tint, x.Picture = text(o.Peer[:]), p.Handle, p.Name, tint(o.Peer[:]), p.Version
		x.Compared, x.Changed, x.Paused, x.Here = p.Compared != 0, p.Changed != 0, p.Paused != 0, p.Here
		x.Writable = x.Writable && p.Standing != store.Blocked
	case o.Kind == room.Self:
		x.Name = "Notes"
	case x.Name == "":
		x.Name = v.names(o.Members)
	}
	return x
}

// names stand for the title that a group does not have.
func (v *viewer) names(members []client.Member) string {
	var some []string
	for _, m := range members {
		if !m.Self {
			some = append(some, v.name(m.Account))
		}
		if len(some) == 3 {
			break
		}
	}
	return strings.Join(some, ", ")
}

func (v *viewer) last(s client.Shown) *api.Last {
	l := &api.Last{Own: s.Event == "" && s.Account == v.self.Account, Text: plain(mimi.Written(s.Text)), Deleted: s.Flags&store.FlagDeleted != 0, Kind: kindOf(s), State: s.State.String(), Said: api.SaidOf(s.Said)}
	if s.Event == "" && !l.Own {
		l.From = v.name(s.Account)
	}
	return l
}

// members are who is in a room.
func (v *viewer) members(list []client.Member) (out []api.Member) {
	for _, m := range list {
		p := v.card(m.Account)
		devices, _ := v.c.Devices(m.Account)
		out = append(out, api.Member{
			Account: text(m.Account[:]), Handle: m.Handle, Name: p.Name, Picture: p.Version, Tint: tint(m.Account[:]), Admin: m.Admin, Self: m.Self,
			Compared: p.Compared != 0, Changed: p.Changed != 0, Here: p.Here, Devices: len(devices),
		})
	}
	return out
}

var messageKinds = map[mimi.Kind]string{mimi.KindText: "text", mimi.KindReply: "reply", mimi.KindAttachment: "attachment"}

func kindOf(s client.Shown) string {
	if s.Event != "" {
		return "event"
	}
	if k := messageKinds[s.Kind]; k != "" {
		return k
	}
	return "other"
}

// message is a message, or something that happened, at its place in the conversation.
func (v *viewer) message(s client.Shown) api.Message {
	m := api.Message{
		Room: text(s.Room[:]), Pos: s.Pos, Kind: kindOf(s), Sent: s.Sent, Arrived: s.Arrived, State: s.State.String(), Text: s.Text,
		Seen: s.Flags&store.FlagSeen != 0 || s.State != store.Received,
	}
	if s.Event != "" {
		m.ID = eventID(s.Notice)
		m.Event, m.Said = s.Event, api.SaidOf(s.Said)
		if s.Call != nil {
			x := v.call(*s.Call)
			m.Call = &x
		}
		return m
	}
	p := v.card(s.Account)
	m.ID, m.Account, m.Handle, m.Name, m.Tint, m.Own = s.ID.String(), text(s.Account[:]), p.Handle, p.Name, tint(s.Account[:]), s.Account == v.self.Account
	m.Text, m.Why, m.Code = mimi.Written(s.Text), s.Why, s.Code
	m.Edited, m.Deleted = s.Flags&store.FlagEdited != 0, s.Flags&store.FlagDeleted != 0
	m.Starred, m.Mentions, m.Expires, m.Vanish = s.Starred, s.Mentions, s.Expires, s.Vanish
	m.Pinned = v.pinned(s.Room)[s.ID]
	m.Forwarded = s.Forwarded || forwarded(s.Content)
	if m.Deleted {
		m.Text = ""
	}
	if q := s.Reply; q != nil {
		m.Reply = &api.Quote{ID: q.ID.String(), Own: q.Own, Text: mimi.Written(q.Text), Deleted: q.Deleted, Gone: q.Gone}
		if !q.Gone {
			m.Reply.Name = v.name(q.Account)
		}
	}
	m.Files = v.files(s)
	for _, r := range s.Reactions {
		x := api.Reaction{Emoji: r.Emoji, Own: r.Own}
		for _, a := range r.Accounts {
			x.Names = append(x.Names, v.name(a))
		}
		m.Reactions = append(m.Reactions, x)
	}
	return m
}

// find is one message as it stands in its conversation.
func (v *viewer) find(id mimi.MessageID) (api.Message, error) {
	s, err := v.c.Shown(id)
	if err != nil {
		return api.Message{}, err
	}
	if s == nil || s.Flags&store.FlagHidden != 0 {
		return api.Message{}, client.ErrGone
	}
	return v.message(*s), nil
}

func (v *viewer) pinned(id room.ID) map[mimi.MessageID]bool {
	if v.pins[id] == nil {
		v.pins[id] = map[mimi.MessageID]bool{}
		list, _ := v.c.Pins(id)
		for _, m := range list {
			v.pins[id][m] = true
		}
	}
	return v.pins[id]
}

// forwarded says whether the sender said that the message is somebody else's.
func forwarded(content []byte) bool {
	if len(content) == 0 {
		return false
	}
	c, err := mimi.Parse(content)
	return err == nil && c.Forwarded()
}
