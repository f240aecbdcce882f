package command

import (
	"context"
	"errors"
	"slices"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Read shows messages, marks them as read, and tells their senders so. Without options it
// shows what the person has not seen yet.
type Read struct {
	Room   string `arg:"" optional:"" help:"Only this room or person." complete:"room"`
	All    bool   `xor:"what" help:"The whole conversation, own messages too."`
	Since  string `xor:"what" help:"Everything after this message." placeholder:"ID"`
	Follow bool   `short:"f" help:"Go on showing what comes until stopped."`
}

// Follows implements Follower.
func (o Read) Follows() bool { return o.Follow }

// Run reads.
func (o Read) Run(ctx context.Context, d *Device, x *IO) error {
	if x.Resumes { // all of that was shown
		o.All, o.Since = false, ""
	}
	var news chan struct{}
	var events *events
	if o.Follow {
		events, news = d.listen()
		defer events.stop()
	}
	late := d.sync(ctx, x)
	if ctx.Err() != nil {
		return nil // stopped
	}
	v := &view{d: d, x: x, only: nil}
	if o.Room != "" {
		id, err := d.find(o.Room)
		if err != nil {
			return errors.Join(late, err)
		}
		v.only = &id
	}
	if err := o.first(v); err != nil {
		return err
	}
	if o.Follow {
		if late != nil {
			Report(x, late)
		}
		return v.follow(ctx, news, events)
	}
	if late != nil {
		return late
	}
	return d.sync(ctx, x) // the receipts
}

// find is the room that a person means; a request from there is named as what it is.
func (d *Device) find(to string) (room.ID, error) {
	id, err := d.Client.Resolve(to)
	if !errors.Is(err, client.ErrNoRoom) {
		return id, err
	}
	if h, e := wire.ParseHandle(to); e == nil {
		requests, e := d.Client.Requests()
		if e == nil && slices.ContainsFunc(requests, func(i store.Invitation) bool { return i.Handle == h.String() }) {
			return id, fail("request", "%s wants to write to you: see sotto requests, then sotto accept %s", h, h)
		}
	}
	return id, err
}

// first shows what is here.
func (o Read) first(v *view) error {
	after := int64(0)
	if o.Since != "" {
		m, err := v.d.message(o.Since)
		if err != nil {
			return err
		}
		after = m.Pos
		if after == 0 {
			after = 1 << 62 // it has no place yet: nothing but what is queued comes after it
		}
	}
	list, err := v.d.Client.Messages(v.only, after, everything)
	if err != nil {
		return err
	}
	for _, m := range list {
		v.last = max(v.last, m.Pos)
	}
	list = v.fresh(list)
	if !o.All && o.Since == "" {
		list = slices.DeleteFunc(list, seen)
	}
	if err := v.show(list); err != nil {
		return err
	}
	if v.only == nil {
		return v.aside()
	}
	return nil
}

func seen(m store.Message) bool { return m.State != store.Received || m.Flags&store.FlagSeen != 0 }

// aside shows what stands outside of rooms: notices not shown before, and whether
// strangers wait.
func (v *view) aside() error {
	if err := v.notices(false); err != nil {
		return err
	}
	requests, err := v.d.Client.Requests()
	if err != nil || v.x.JSON {
		for _, r := range requests {
			v.x.object(requestOf(r))
		}
		return err
	}
	if n := len(requests); n > 0 {
		v.x.printf("%d %s to be accepted: sotto requests\n", n, plural(n, "request waits", "requests wait"))
	}
	return v.x.failed
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
