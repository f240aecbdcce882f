package command

import (
	"context"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/server"
	"sotto/internal/wire"
)

// MovePerson moves this account to another home server.
type MovePerson struct {
	Handle     string `arg:"" help:"The handle there: name@host; with the link of an invitation a name is enough."`
	Invitation string `help:"An invitation to that server: a link, or the code in it." aliases:"invite,link" placeholder:"LINK|CODE"`
	Rooms      bool   `help:"Move my conversations along, those that I manage and that are at the old server."`
	Without    bool   `name:"without-old" help:"The old server is gone for good: do not wait for it."`
}

// Run moves the account, and says who this person is then.
func (o MovePerson) Run(ctx context.Context, d *Device, x *IO) error {
	create := AccountCreate{Handle: o.Handle, Invite: o.Invitation}
	create.Handle = create.whole()
	code, err := create.code(d)
	if err != nil {
		return err
	}
	m := client.Moving{Handle: create.Handle, Invitation: code, Rooms: o.Rooms, Without: o.Without}
	if l, err := wire.ParseLink(o.Invitation); err == nil {
		m.Pin = l.Pin
	}
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	if err := d.Client.Move(ctx, m); err != nil {
		return err
	}
	_ = d.Client.Sync(ctx) // what is not told yet is told when sotto next runs
	return showAccount(d, x)
}

// MoveRoom moves a conversation to another server.
type MoveRoom struct {
	Room string `arg:"" help:"A room or a person." complete:"room"`
	Host string `arg:"" optional:"" help:"The server; your own home server if you say nothing, and it can be no other."`
}

// Run moves it.
func (o MoveRoom) Run(ctx context.Context, d *Device, x *IO) error {
	return d.change(ctx, o.Room, x, "moved", o.Host, func(ctx context.Context, id string) error {
		return d.Client.MoveRoom(ctx, id, o.Host)
	})
}

// ServerRetire says when a server will be switched off.
type ServerRetire struct {
	On     string `help:"The day: YYYY-MM-DD (its beginning, UTC), or a time as 2027-03-01T12:00:00Z." placeholder:"DATE" xor:"what" required:""`
	Reason string `help:"Why, in a sentence: everybody who has something here sees it." placeholder:"TEXT"`
	Cancel bool   `help:"Take it back." xor:"what" required:""`
}

// Run tells the server.
func (o ServerRetire) Run(ctx context.Context, dir string, x *IO) error {
	if o.Cancel {
		if err := server.RetireRemote(ctx, dir, time.Time{}, ""); err != nil {
			return admin(err)
		}
		x.say(Done{"done", "goes on", ""}, "This server goes on.")
		return nil
	}
	on, err := time.Parse(time.DateOnly, o.On)
	if err != nil {
		on, err = time.Parse(time.RFC3339, o.On)
	}
	if err != nil {
		return Usage("a day is written as 2027-03-01")
	}
	if len(o.Reason) > wire.MaxReason || strings.ContainsAny(o.Reason, "\r\n") {
		return Usage("a reason is a line of at most %d bytes", wire.MaxReason)
	}
	if err := server.RetireRemote(ctx, dir, on, o.Reason); err != nil {
		return admin(err)
	}
	x.say(Done{"done", "retires", on.UTC().Format(time.RFC3339)}, "Everybody here is told that this server will be switched off on %s. sotto server status says what is left.", on.UTC().Format("2 January 2006"))
	return nil
}
