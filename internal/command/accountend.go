package command

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"sotto/internal/app"
	"sotto/internal/app/api"
	"sotto/internal/handover"
	"sotto/internal/wire"
)

// AccountDelete deletes the account at its server, leaves every room, and empties the home.
type AccountDelete struct {
	Handle string `arg:"" help:"Your own handle, typed out: there is no way back."`
}

// leaveWait is how long leaving rooms may take besides.
const leaveWait = 20 * time.Second

// RunHome deletes: through the app that runs, or else by itself. Another command that goes
// on in this home has to end first.
func (o AccountDelete) RunHome(ctx context.Context, home string, x *IO) error {
	err := askApp(ctx, home, http.MethodDelete, "/account", api.EndAccount{Handle: o.Handle}, nil, x.Timeout+leaveWait)
	if errors.Is(err, handover.ErrNobody) {
		err = o.byItself(ctx, home, x)
	}
	if err != nil {
		return err
	}
	x.say(Done{"done", "deleted", o.Handle}, "deleted %s: the account is gone, and nothing of it is kept here", line(o.Handle))
	return x.failed
}

func (o AccountDelete) byItself(ctx context.Context, home string, x *IO) error {
	d, err := openDevice(ctx, home, false, x)
	if err != nil {
		return err
	}
	if err := o.end(ctx, d, x); err != nil {
		return errors.Join(err, d.Close())
	}
	return errors.Join(d.Close(), app.EmptyHome(home))
}

func (o AccountDelete) end(ctx context.Context, d *Device, x *IO) error {
	self, err := d.Client.Self()
	if err != nil {
		return err
	}
	if h, err := wire.ParseHandle(o.Handle); err != nil || h.String() != self.Handle {
		return fail("not yours", "type %s to delete it", self.Handle)
	}
	if err := d.Client.Start(); err != nil {
		return err
	}
	if err := d.sync(ctx, x); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, x.Timeout+leaveWait)
	defer cancel()
	return d.Client.DeleteAccount(wait)
}

// AccountCheck tells whether a handle can be had, before an account is made.
type AccountCheck struct {
	Handle string `arg:"" help:"name@host, or name@host:port."`
	Invite string `help:"The invitation link, which names the key of a server at somebody's home." placeholder:"LINK"`
}

// Run asks the server. It keeps nothing.
func (o AccountCheck) Run(ctx context.Context, x *IO) (err error) {
	h, err := wire.ParseHandle(o.Handle)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sotto-check-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d, err := openDevice(ctx, dir, true, x)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if _, err := (AccountCreate{Handle: o.Handle, Invite: o.Invite}).code(d); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	info, err := d.Client.ServerInfo(wait, h.Host)
	if err != nil {
		return err
	}
	free, why, err := d.Client.NameFree(wait, o.Handle)
	if err != nil {
		return err
	}
	v := Name{Type: "name", Handle: h.String(), Free: free, Open: info.Open, Text: why}
	text := "free"
	if !free {
		text = why
	}
	how := "an invitation is needed"
	if info.Open {
		how = "anybody may make an account there"
	}
	x.say(v, "%s: %s; %s", line(v.Handle), line(text), how)
	return x.failed
}
