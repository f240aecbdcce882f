package command

import (
	"context"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
)

// Mark changes what a room is to this person. Nobody else sees it.
type Mark struct {
	Room      string  `arg:"" help:"A room or a person." complete:"room"`
	Pin       bool    `help:"Keep it at the top of the list." xor:"pin"`
	Unpin     bool    `help:"Not any more." xor:"pin"`
	Mute      string  `help:"Make no noise for this time: 8h, 7d, or forever." placeholder:"DURATION" xor:"mute"`
	Unmute    bool    `help:"Make noise again." xor:"mute"`
	Archive   bool    `help:"Put it away until somebody writes." xor:"archive"`
	Unarchive bool    `help:"Bring it back into the list." xor:"archive"`
	Unread    bool    `help:"Mark it as unread, to come back to it." xor:"read"`
	Read      bool    `help:"Mark everything in it as read." xor:"read"`
	Draft     *string `help:"Keep this text as what was begun to be written; an empty one drops it." placeholder:"TEXT"`
}

// Run marks the room.
func (o Mark) Run(ctx context.Context, d *Device, x *IO) error {
	change, some, err := o.change()
	if err != nil {
		return err
	}
	if !some {
		return Usage("what shall the room be? See sotto mark --help")
	}
	if o.Read {
		_ = d.sync(ctx, x) // what has come by now is meant, too; that a server is away is told below
	}
	id, err := d.find(o.Room)
	if err != nil {
		return err
	}
	if o.Read {
		if err := d.Client.SeenThrough(id, nil); err != nil {
			return err
		}
		if err := d.sync(ctx, x); err != nil { // the receipts
			return notYet(err, "it is marked; the senders hear of it")
		}
	}
	if err := d.Client.SetMark(id, change); err != nil {
		return err
	}
	return d.showMarked(id, x)
}

// showMarked prints the room as it is now.
func (d *Device) showMarked(id room.ID, x *IO) error {
	r, err := d.Client.OverviewOf(id)
	if err != nil {
		return err
	}
	t, err := d.Client.Terms(id)
	if err != nil {
		return err
	}
	o := d.overviewOf(r, t)
	archived := ""
	if o.Archived {
		archived = " · archived"
	}
	x.say(o, "%s %s · %s%s%s", o.ID[:8], line(o.Name), people(len(o.Members)), aside(o), archived)
	return x.failed
}

// change is the change, and whether there is one.
func (o Mark) change() (c client.MarkChange, some bool, err error) {
	set := func(to **bool, on, off bool) {
		if on || off {
			*to, some = &on, true
		}
	}
	set(&c.Pinned, o.Pin, o.Unpin)
	set(&c.Archived, o.Archive, o.Unarchive)
	set(&c.MarkUnread, o.Unread, o.Read)
	var until int64
	switch {
	case o.Unmute:
		c.MutedUntil, some = &until, true
	case o.Mute == forever:
		until = -1
		c.MutedUntil, some = &until, true
	case o.Mute != "":
		long, err := span(o.Mute)
		if err != nil {
			return c, false, err
		}
		until = time.Now().Add(long).UnixMilli()
		c.MutedUntil, some = &until, true
	}
	if o.Draft != nil {
		c.Draft, some = o.Draft, true
	}
	return c, some, nil
}
