package app

import (
	"slices"
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
	self  identity.ID
	names map[identity.ID]string
}

func newViewer(c *client.Client) *viewer {
	v := &viewer{c: c}
	if s, err := c.Self(); err == nil {
		v.self = s.Account
	}
	v.forget()
	return v
}

func (v *viewer) forget() { v.names = map[identity.ID]string{} }

func (v *viewer) handle(id identity.ID) string {
	if _, ok := v.names[id]; !ok {
		v.names[id] = v.c.Handle(id)
	}
	return v.names[id]
}

func (v *viewer) name(id identity.ID) string {
	local, _, _ := strings.Cut(v.handle(id), "@")
	return local
}

func (v *viewer) row(id room.ID) (api.Room, error) {
	list, err := v.c.Rooms()
	if err != nil {
		return api.Room{}, err
	}
	i := slices.IndexFunc(list, func(r client.RoomInfo) bool { return r.ID == id })
	if i < 0 {
		return api.Room{}, client.ErrNoRoom
	}
	return v.roomOf(list[i]), nil
}

var roomStates = map[store.RoomState]api.RoomState{store.RoomActive: api.RoomActive, store.RoomLeft: api.RoomLeft, store.RoomRemoved: api.RoomRemoved}

func (v *viewer) roomOf(r client.RoomInfo) api.Room {
	x := api.Room{ID: text(r.ID[:]), Kind: api.RoomGroup, State: roomStates[r.State], Name: r.Name, Tint: tint(r.ID[:]), Host: r.Host,
		Unread: r.Unseen, Time: r.Created, Members: len(r.Members), Writable: r.State == store.RoomActive}
	if r.Kind == room.Pair {
		x.Kind = api.RoomPair
		if r.Peer != nil {
			x.Account, x.Handle, x.Name, x.Tint = text(r.Peer[:]), v.handle(*r.Peer), v.name(*r.Peer), tint(r.Peer[:])
		}
	}
	for _, m := range r.Members {
		x.Admin = x.Admin || m.Self && m.Admin
	}
	return x
}

var messageKinds = map[mimi.Kind]string{mimi.KindText: "text", mimi.KindReply: "reply", mimi.KindAttachment: "attachment"}

func (v *viewer) message(m store.Message) api.Message {
	kind := messageKinds[m.Kind]
	if kind == "" {
		kind = "other"
	}
	return api.Message{ID: m.ID.String(), Room: text(m.Room[:]), Pos: m.Pos, Kind: kind, Account: text(m.Account[:]), Handle: v.handle(m.Account),
		Name: v.name(m.Account), Tint: tint(m.Account[:]), Own: m.Account == v.self, Text: m.Text, Sent: m.Sent, Arrived: m.Arrived,
		State: m.State.String(), Edited: m.Flags&store.FlagEdited != 0, Deleted: m.Flags&store.FlagDeleted != 0,
		Seen: m.Flags&store.FlagSeen != 0, Expires: m.Expires, Vanish: m.Vanish}
}

func (r *relay) message(v *viewer, e client.Event) {
	if e.Message == nil {
		return
	}
	m := v.message(*e.Message)
	t := api.EventMessage
	if e.Kind == client.EventState {
		t = api.EventChanged
	}
	r.app.events.send(api.Event{Type: t, Room: m.Room, Message: &m})
}

func (r *relay) other(v *viewer, e client.Event) {
	switch e.Kind {
	case client.EventRequest:
		r.app.events.send(api.Event{Type: api.EventRequests})
	case client.EventNotice:
		r.app.events.send(api.Event{Type: api.EventNotice, Notice: &api.Notice{Kind: e.Notice, Text: e.Text}})
	case client.EventOnline:
		r.app.events.send(api.Event{Type: api.EventHosts, Hosts: hosts(r.in.Client)})
	case client.EventTrouble:
		r.app.events.send(api.Event{Type: api.EventTrouble, Text: e.Text})
	}
}
