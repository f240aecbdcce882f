package app

import (
	"context"
	"errors"
	"sync"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mimi"
)

// relay takes what one client tells from its queue, where nothing may block, to a
// goroutine of its own that looks at the messages and passes them on.
type relay struct {
	app  *App
	in   *inside
	over func()
	done chan struct{}
	last int64           // notice that was told, for run alone
	rung map[string]bool // calls for which a notice of the system rings, for run alone

	mu      sync.Mutex
	waiting []client.Event
	news    chan struct{}
}

// follow begins to pass on what a device tells.
func (a *App) follow(in *inside) *relay {
	r := &relay{app: a, in: in, done: make(chan struct{}), news: make(chan struct{}, 1), rung: map[string]bool{}}
	r.over = in.Client.Subscribe(func(e client.Event) {
		r.mu.Lock()
		r.waiting = append(r.waiting, e)
		r.mu.Unlock()
		select {
		case r.news <- struct{}{}:
		default:
		}
	})
	if list, err := in.Client.Notices(0); err == nil && len(list) > 0 {
		r.last = list[len(list)-1].ID
	}
	go r.run()
	return r
}

// stop ends it; the inside's context has ended.
func (r *relay) stop() {
	<-r.done
	r.over()
}

func (r *relay) run() {
	defer close(r.done)
	for {
		select {
		case <-r.in.ctx.Done():
			return
		case <-r.news:
		}
		r.mu.Lock()
		some := r.waiting
		r.waiting = nil
		r.mu.Unlock()
		v, err := r.app.viewer(r.in.Client)
		if err != nil {
			continue // no account yet: nothing to tell
		}
		b := batch{relay: r, v: v, rooms: map[room.ID]bool{}, told: map[shownEvent]bool{}}
		b.pass(r.in.ctx, some)
	}
}

// several is how many rooms may change at once before the whole list is to be loaded.
const several = 20

// batch is what happened since the last look. Of a message or a room that changed many
// times it tells once.
type batch struct {
	*relay
	v     *viewer
	rooms map[room.ID]bool
	order []room.ID
	told  map[shownEvent]bool
}

type shownEvent struct {
	t  api.EventType
	id mimi.MessageID
}

func (b *batch) send(e api.Event) { b.app.events.send(e) }

func (b *batch) touch(id room.ID) {
	if id != (room.ID{}) && !b.rooms[id] {
		b.rooms[id] = true
		b.order = append(b.order, id)
	}
}

func (b *batch) pass(ctx context.Context, some []client.Event) {
	for _, e := range some {
		if ctx.Err() != nil {
			return
		}
		b.one(e)
	}
	if len(b.order) > several {
		b.send(api.Event{Type: api.EventRooms})
		return
	}
	for _, id := range b.order {
		e := api.Event{Type: api.EventRoom, Room: text(id[:])}
		if row, err := b.v.row(id); err == nil {
			e.Row = &row
		}
		b.send(e)
	}
}

func (b *batch) one(e client.Event) {
	who := text(e.Account[:])
	switch e.Kind {
	case client.EventMessage, client.EventQueued:
		b.message(e, api.EventMessage)
	case client.EventState, client.EventChanged, client.EventPins:
		b.message(e, api.EventChanged)
	case client.EventGone:
		b.send(api.Event{Type: api.EventGone, Room: text(e.Room[:]), ID: e.ID.String()})
		b.touch(e.Room)
	case client.EventRoom:
		b.touch(e.Room)
	case client.EventMark:
		b.touch(e.Room)
	case client.EventSetting:
		b.send(api.Event{Type: api.EventSettings})
	case client.EventRequest:
		b.send(api.Event{Type: api.EventRequests})
		b.notifyRequest(e.Room)
	case client.EventPerson:
		b.person(e, who)
	case client.EventWriting:
		b.send(api.Event{Type: api.EventWriting, Room: text(e.Room[:]), Person: who, On: e.On})
	case client.EventHere:
		b.send(api.Event{Type: api.EventHere, Person: who, On: e.On})
	case client.EventNotice:
		b.notice(e)
	case client.EventCall:
		b.call(*e.Call)
	case client.EventMedia:
		m := b.v.media(*e.Media)
		b.send(api.Event{Type: api.EventMedia, Media: &m})
	case client.EventOnline:
		b.send(api.Event{Type: api.EventHosts, Hosts: hosts(b.in.Client)})
	case client.EventHome:
		b.send(api.Event{Type: api.EventPhase})
		b.send(api.Event{Type: api.EventHosts, Hosts: hosts(b.in.Client)})
	case client.EventHistory:
		b.send(api.Event{Type: api.EventHistory})
	case client.EventRecovery:
		b.send(api.Event{Type: api.EventRecovery})
	case client.EventBackup:
		b.send(api.Event{Type: api.EventBackups})
	case client.EventFile:
		b.file(e)
	case client.EventLinking:
		b.send(api.Event{Type: api.EventLinking})
	case client.EventTrouble:
		x := api.Event{Type: api.EventTrouble, Text: e.Text}
		if e.Err != nil {
			x.Code = explain.Error(e.Err).Code
		}
		b.send(x)
	}
}

// message tells of a message as it stands in its conversation now. What acts on another
// message changes that one.
func (b *batch) message(e client.Event, t api.EventType) {
	if e.Message == nil {
		return
	}
	b.touch(e.Room)
	if !store.Shown(e.Message.Kind) {
		if e.Kind != client.EventChanged {
			return // EventChanged comes for what it acts on
		}
		t = api.EventChanged
	}
	m, err := b.v.find(e.Message.ID)
	if errors.Is(err, client.ErrGone) {
		return
	}
	if err != nil {
		b.send(api.Event{Type: api.EventRooms}) // whoever listens looks for themselves
		return
	}
	id, _ := messageID("", m.ID)
	if key := (shownEvent{t, id}); b.told[key] {
		return
	} else {
		b.told[key] = true
	}
	b.send(api.Event{Type: t, Room: m.Room, Message: &m})
	if e.Kind == client.EventMessage && t == api.EventMessage && !m.Own {
		b.notify(e.Room, m)
	}
}

// person tells that somebody is shown differently: also where they stand in the list.
func (b *batch) person(e client.Event, who string) {
	delete(b.v.cards, e.Account)
	b.send(api.Event{Type: api.EventPerson, Person: who})
	if p, err := b.in.Client.Person(e.Account); err == nil && p != nil && p.Room != nil {
		b.touch(*p.Room)
	}
}

// notice tells what the person should know. What happened in a room stands in its
// conversation, too.
func (b *batch) notice(e client.Event) {
	b.touch(e.Room)
	list, err := b.in.Client.Notices(b.last)
	if err != nil {
		return
	}
	for _, n := range list {
		x := noticeOf(n)
		b.last = n.ID
		b.send(api.Event{Type: api.EventNotice, Room: x.Room, Notice: &x})
		if n.Pos != 0 {
			s, err := b.in.Client.ShownNotice(n)
			if err != nil {
				return
			}
			m := b.v.message(s)
			b.send(api.Event{Type: api.EventMessage, Room: m.Room, Message: &m})
			b.missed(m)
		}
	}
}
