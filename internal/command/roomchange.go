package command

import (
	"context"
	"errors"
	"time"

	"sotto/internal/client"
)

// RoomAdd adds people to a room.
type RoomAdd struct {
	Room    string   `arg:"" help:"A room." complete:"room"`
	Handles []string `arg:"" help:"Who comes in." complete:"person"`
}

// Run adds and invites them.
func (o RoomAdd) Run(ctx context.Context, d *Device, x *IO) error {
	return d.change(ctx, o.Room, x, "added", "", func(ctx context.Context, id string) error {
		return d.Client.AddPeople(ctx, id, o.Handles)
	})
}

// RoomRemove removes a person from a room.
type RoomRemove struct {
	Room   string `arg:"" help:"A room." complete:"room"`
	Handle string `arg:"" help:"Who has to go." complete:"person"`
}

// Run removes.
func (o RoomRemove) Run(ctx context.Context, d *Device, x *IO) error {
	return d.change(ctx, o.Room, x, "removed", o.Handle, func(ctx context.Context, id string) error {
		return person(o.Handle, d.Client.RemovePerson(ctx, id, o.Handle))
	})
}

// person names the person in the error that there is no such one.
func person(handle string, err error) error {
	if errors.Is(err, client.ErrNoRoom) {
		return fail("no such person", "%s is not known here", handle)
	}
	return err
}

// RoomRename gives a room another name.
type RoomRename struct {
	Room string `arg:"" help:"A room." complete:"room"`
	Name string `arg:"" help:"The new name."`
}

// Run renames.
func (o RoomRename) Run(ctx context.Context, d *Device, x *IO) error {
	return d.change(ctx, o.Room, x, "renamed", o.Name, func(ctx context.Context, id string) error {
		return d.Client.Rename(ctx, id, o.Name)
	})
}

// RoomAdmin makes a person an admin, or a member again.
type RoomAdmin struct {
	Room   string `arg:"" help:"A room." complete:"room"`
	Handle string `arg:"" help:"Who." complete:"person"`
	Off    bool   `help:"Make an admin a member again."`
}

// Run changes the role.
func (o RoomAdmin) Run(ctx context.Context, d *Device, x *IO) error {
	done := "admin"
	if o.Off {
		done = "member"
	}
	return d.change(ctx, o.Room, x, done, o.Handle, func(ctx context.Context, id string) error {
		return person(o.Handle, d.Client.SetAdmin(ctx, id, o.Handle, !o.Off))
	})
}

// RoomLeave leaves a room. Another member's device has to confirm it.
type RoomLeave struct {
	Room string `arg:"" help:"A room." complete:"room"`
}

// leaving is how long somebody else may take to confirm before the person is told that
// it will happen by itself.
const leaving = 3 * time.Second

// Run leaves. It is done when the server has it durably.
func (o RoomLeave) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	id, err := d.find(o.Room)
	if err != nil {
		return errors.Join(late, err)
	}
	wait, cancel := context.WithTimeout(ctx, min(x.Timeout, leaving))
	defer cancel()
	err = d.Client.Leave(wait, roomText(id))
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if late := d.sync(ctx, x); late != nil {
		return notYet(late, "you leave")
	}
	if err != nil {
		x.say(Done{"done", "leaving", o.Room}, "you leave %s: until a device of another member has confirmed it, messages still come", line(o.Room))
		return nil
	}
	x.say(Done{"done", "left", o.Room}, "left %s", line(o.Room))
	return nil
}
