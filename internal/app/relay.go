package app

import (
	"context"
	"sync"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/room"
)

// relay takes what one client tells from its queue, where nothing may block, to a
// goroutine of its own that looks at the messages and passes them on.
type relay struct {
	app  *App
	in   *inside
	over func()
	done chan struct{}

	mu      sync.Mutex
	waiting []client.Event
	news    chan struct{}
}

// follow begins to pass on what a device tells.
func (a *App) follow(in *inside) *relay {
	r := &relay{app: a, in: in, done: make(chan struct{}), news: make(chan struct{}, 1)}
	r.over = in.Client.Subscribe(func(e client.Event) {
		r.mu.Lock()
		r.waiting = append(r.waiting, e)
		r.mu.Unlock()
		select {
		case r.news <- struct{}{}:
		default:
		}
	})
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
		batch := r.waiting
		r.waiting = nil
		r.mu.Unlock()
		r.pass(r.in.ctx, batch)
	}
}

// several is how many rooms may change at once before the whole list is to be loaded.
const several = 20

// pass tells a batch of what happened. Of a room that changed many times it tells once.
func (r *relay) pass(ctx context.Context, batch []client.Event) {
	v := newViewer(r.in.Client)
	rooms, order := map[room.ID]bool{}, []room.ID{}
	touched := func(id room.ID) {
		if !rooms[id] {
			rooms[id] = true
			order = append(order, id)
		}
	}
	for _, e := range batch {
		if ctx.Err() != nil {
			return
		}
		switch e.Kind {
		case client.EventMessage, client.EventState:
			r.message(v, e)
			touched(e.Room)
		case client.EventRoom:
			v.forget()
			touched(e.Room)
		default:
			r.other(v, e)
		}
	}
	if len(order) > several {
		r.app.events.send(api.Event{Type: api.EventRooms})
		return
	}
	for _, id := range order {
		e := api.Event{Type: api.EventRoom, Room: text(id[:])}
		if row, err := v.row(id); err == nil {
			e.Row = &row
		}
		r.app.events.send(e)
	}
}
