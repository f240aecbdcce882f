package command

import (
	"context"

	"sotto/internal/client"
)

// Star marks messages to be found again. Nobody else sees it.
type Star struct {
	ID []string `arg:"" help:"Messages."`
}

// Run stars.
func (o Star) Run(_ context.Context, d *Device, x *IO) error {
	return d.each(o.ID, x, "starred", func(s *client.Shown) error { return d.Client.Star(s.ID, true) })
}

// Unstar takes stars away.
type Unstar struct {
	ID []string `arg:"" help:"Messages."`
}

// Run takes them away.
func (o Unstar) Run(_ context.Context, d *Device, x *IO) error {
	return d.each(o.ID, x, "not starred", func(s *client.Shown) error { return d.Client.Star(s.ID, false) })
}

// Forget removes messages from this device only: the others keep theirs.
type Forget struct {
	ID []string `arg:"" help:"Messages."`
}

// Run removes them.
func (o Forget) Run(_ context.Context, d *Device, x *IO) error {
	return d.each(o.ID, x, "forgotten", func(s *client.Shown) error { return d.Client.DeleteHere(s.ID) })
}

// each does something with messages, all of which have to be here.
func (d *Device) each(ids []string, x *IO, done string, f func(*client.Shown) error) error {
	var list []*client.Shown
	for _, id := range ids {
		s, err := d.shown(id)
		if err != nil {
			return err
		}
		list = append(list, s)
	}
	for _, s := range list {
		if err := f(s); err != nil {
			return err
		}
		x.say(Done{"done", done, s.ID.String()}, "%s %s", short(s.ID), done)
	}
	return x.failed
}

// Show prints messages whole, with what this device knows of them.
type Show struct {
	ID []string `arg:"" help:"Messages."`
}

// Run prints them. It does not mark them as read.
func (o Show) Run(_ context.Context, d *Device, x *IO) error {
	v := &view{d: d, x: x}
	for _, id := range o.ID {
		s, err := d.shown(id)
		if err != nil {
			return err
		}
		v.one(*s)
		if x.JSON {
			continue
		}
		for _, r := range v.shownObject(*s).Reactions {
			for _, from := range r.From {
				x.printf(margin+"%s %s\n", line(r.Emoji), line(from))
			}
		}
		for _, t := range []struct {
			on   bool
			text string
		}{{s.Starred, "starred"}, {s.Pinned, "pinned"}, {s.Forwarded, "forwarded"}} {
			if t.on {
				x.printf(margin+"%s\n", t.text)
			}
		}
	}
	return x.failed
}

// Pin pins a message in its room, for everybody.
type Pin struct {
	ID string `arg:"" help:"A message."`
}

// Run pins.
func (o Pin) Run(ctx context.Context, d *Device, x *IO) error { return d.pin(ctx, o.ID, true, x) }

// Unpin ends that a message is pinned.
type Unpin struct {
	ID string `arg:"" help:"A message."`
}

// Run ends it.
func (o Unpin) Run(ctx context.Context, d *Device, x *IO) error { return d.pin(ctx, o.ID, false, x) }

func (d *Device) pin(ctx context.Context, id string, on bool, x *IO) error {
	late := d.sync(ctx, x)
	s, err := d.shown(id)
	if err != nil {
		return err
	}
	done := "pinned"
	if !on {
		done = "not pinned"
	}
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	if err := d.Client.Pin(wait, s.ID, on); err != nil {
		return err
	}
	if late == nil {
		late = d.sync(ctx, x)
	}
	if late != nil {
		return notYet(late, "it is kept here, and the others see it")
	}
	x.say(Done{"done", done, s.ID.String()}, "%s %s", short(s.ID), done)
	return nil
}

// Pins shows what is pinned in a room, the last one first.
type Pins struct {
	Room string `arg:"" help:"A room or a person." complete:"room"`
}

// Run prints them.
func (o Pins) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	id, err := d.find(o.Room)
	if err != nil {
		return err
	}
	list, err := d.Client.Pins(id)
	if err != nil {
		return err
	}
	v := &view{d: d, x: x}
	for _, p := range list {
		if s, err := d.Client.Shown(p); err != nil {
			return err
		} else if s != nil {
			v.one(*s)
		}
	}
	return late
}
