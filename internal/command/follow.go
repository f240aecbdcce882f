package command

import (
	"context"
	"slices"
	"sync"

	"sotto/internal/client"
	"sotto/internal/store"
)

// events collects what a device tells until it is looked at.
type events struct {
	stop func()
	take func() []client.Event
}

// listen collects the device's events; the channel says that there are some.
func (d *Device) listen() (*events, chan struct{}) {
	var mu sync.Mutex
	var waiting []client.Event
	news := make(chan struct{}, 1)
	stop := d.Client.Subscribe(func(e client.Event) {
		mu.Lock()
		waiting = append(waiting, e)
		mu.Unlock()
		select {
		case news <- struct{}{}:
		default:
		}
	})
	take := func() []client.Event {
		mu.Lock()
		defer mu.Unlock()
		out := waiting
		waiting = nil
		return out
	}
	return &events{stop, take}, news
}

// follow shows what comes until ctx ends or nobody reads.
func (v *view) follow(ctx context.Context, news <-chan struct{}, ev *events) error {
	ev.take() // shown already
	for {
		if err := v.more(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-news:
		}
		v.tell(ev.take())
		if v.x.failed != nil {
			return v.x.failed
		}
	}
}

// more shows messages that took their place since the last look.
func (v *view) more() error {
	list, err := v.d.Client.Messages(v.only, v.last, everything)
	if err != nil {
		return err
	}
	placed := list[:0]
	for _, m := range list {
		if m.Pos > 0 {
			placed = append(placed, m)
			v.last = m.Pos
		}
	}
	placed = v.fresh(placed)
	if err := v.show(placed); err != nil {
		return err
	}
	if v.only == nil {
		return v.notices(false)
	}
	return nil
}

// fresh leaves out what was printed a while ago and has another place since.
func (v *view) fresh(list []store.Message) []store.Message {
	const kept = 1024 // far more than take another place at once
	list = slices.DeleteFunc(list, func(m store.Message) bool { return slices.Contains(v.printed, m.ID) })
	for _, m := range list[max(0, len(list)-kept):] {
		if m.Pos > 0 {
			v.printed = append(v.printed, m.ID)
		}
	}
	v.printed = v.printed[max(0, len(v.printed)-kept):]
	return list
}

// tell shows what is no message: states of own ones, requests.
func (v *view) tell(list []client.Event) {
	for _, e := range list {
		switch e.Kind {
		case client.EventState:
			if v.only != nil && e.Room != *v.only || e.Message == nil || e.Message.State == store.Stored {
				continue
			}
			v.head(e.Room)
			v.x.say(State{Type: "state", ID: e.Message.ID.String(), Room: roomText(e.Room), State: e.Message.State.String()},
				"%s%s: %s", margin, short(e.Message.ID), e.Message.State)
		case client.EventRequest:
			v.request(e)
		case client.EventRoom:
			v.names = nil // it may have another name
		}
	}
}

func (v *view) request(e client.Event) {
	if v.only != nil {
		return
	}
	requests, err := v.d.Client.Requests()
	if err != nil {
		return
	}
	for _, r := range requests {
		if r.Room == e.Room {
			v.x.say(requestOf(r), "%s wants to write to you: sotto accept %s", line(r.Handle), line(r.Handle))
		}
	}
}
