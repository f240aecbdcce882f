package command

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"sotto/internal/app"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/dial"
	"sotto/internal/handover"
	"sotto/internal/store"
	"sotto/internal/store/sqlite"
)

// Device is the device of a home directory, open in this process.
type Device struct {
	Client *client.Client
	Home   string

	net *dial.Network
}

// openDevice opens the device of a home. Without create there has to be one.
func openDevice(ctx context.Context, home string, create bool, x *IO) (*Device, error) {
	guard := custody.At(home, custody.Options{})
	if create {
		if err := guard.Make(); err != nil {
			return nil, err
		}
	}
	key, err := x.openKey(ctx, guard)
	if err != nil {
		return nil, err
	}
	defer clear(key[:])
	if !create && empty(home) {
		if _, err := os.Stat(filepath.Join(home, databaseFile)); err != nil {
			return nil, client.ErrNoAccount // its making was interrupted
		}
	}
	return openWith(home, key, !create || !empty(home), x)
}

// openWith opens the device of a home with its key; existing says that there has to be
// a database.
func openWith(home string, key [32]byte, existing bool, x *IO) (d *Device, err error) {
	d = &Device{Home: home, net: dial.New(dial.Options{})}
	var network client.Network = d.net
	if x.tap != nil {
		network = x.tap(network)
	}
	d.Client, err = client.Open(client.Options{
		Store:   store.Options{Path: filepath.Join(home, databaseFile), Key: key, Existing: existing},
		Network: network, PrivateHosts: x.Private,
	})
	if err != nil {
		d.net.Close()
		return nil, err
	}
	return d, nil
}

// Close closes the device.
func (d *Device) Close() error {
	err := d.Client.Close()
	d.net.Close()
	return err
}

// Guest runs, on a device that is open here, the arguments of another process.
type Guest func(ctx context.Context, d *Device, args []string, x *IO) int

// RunOn runs a command on the device of a home and answers the exit code: here, or in
// the process that holds the home. args are this process's own, to hand over.
func RunOn(ctx context.Context, home string, args []string, c OnDevice, x *IO, guest Guest) int {
	follows := false
	if f, ok := c.(Follower); ok {
		follows = f.Follows()
	}
	request := handover.Request{Args: args, Terminal: x.Terminal, Follows: follows}
	if dir, err := os.Getwd(); err == nil {
		request.Dir = dir
	}
	socket := filepath.Join(home, socketFile)
	end := time.Now().Add(max(x.Timeout, 5*time.Second))
	for {
		code, err := handover.Join(ctx, socket, request, handover.IO{In: x.In, Out: x.Out, Err: x.Err})
		switch {
		case err == nil:
			return code
		case ctx.Err() != nil && follows: // stopped before its turn came, as it may be
			return ExitOK
		case ctx.Err() != nil:
			return Report(x, ctx.Err())
		case errors.Is(err, handover.ErrAgain):
			x.Resumes, request.Resumes = true, true
		case !errors.Is(err, handover.ErrNobody) && !errors.Is(err, handover.ErrWait):
			return Report(x, err)
		}
		_, creates := c.(creator)
		d, err := openDevice(ctx, home, creates, x)
		if err == nil {
			err = d.hold(ctx, c, creates, follows, x, guest)
			return Report(x, errors.Join(err, d.Close()))
		}
		if !errors.Is(err, sqlite.ErrInUse) || !follows && time.Now().After(end) {
			return Report(x, err)
		}
		time.Sleep(20 * time.Millisecond) // the holder is starting, or about to end
	}
}

// creator is a command that may run in a home without an account.
type creator interface{ creates() }

// hold runs a command on the device and meanwhile those of other processes.
func (d *Device) hold(ctx context.Context, c OnDevice, creates, follows bool, x *IO, guest Guest) error {
	if creates {
		return c.Run(ctx, d, x)
	}
	if err := d.Client.Start(); err != nil {
		return err
	}
	h, err := handover.Hold(filepath.Join(d.Home, socketFile), follows, func(ctx context.Context, r handover.Request, g handover.IO) int {
		return guest(ctx, d, r.Args, &IO{In: g.In, Out: g.Out, Err: g.Err, Terminal: r.Terminal, Resumes: r.Resumes, Dir: r.Dir})
	})
	if err == nil { // else nobody can be let in, as where the path is too long
		defer h.Close()
	}
	return c.Run(ctx, d, x)
}

// RunHere runs a command on a device that is open already, and answers the exit code.
func RunHere(ctx context.Context, d *Device, c OnDevice, x *IO) int {
	if d.Client == nil { // the app that holds the home is locked
		return Report(x, app.ErrLocked)
	}
	return Report(x, c.Run(ctx, d, x))
}

// Report tells the person what went wrong, if anything did, and answers the exit code.
func Report(x *IO, err error) int {
	if err == nil {
		err = x.failed
	}
	if err == nil {
		return ExitOK
	}
	f := Explain(err)
	to := &IO{Out: x.Err}
	if x.JSON {
		to.object(map[string]any{"error": f})
	} else {
		to.printf("sotto: %s (%s)\n", line(f.Text), f.Code)
	}
	return exits[f.Sort]
}

// sync reads what there is and sends what can be sent. The error of a host that cannot
// be reached comes at the end: what is here already can be shown.
func (d *Device) sync(ctx context.Context, x *IO) error {
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	if err := d.Client.Sync(ctx); err != nil {
		return err
	}
	for _, h := range d.Client.Hosts() {
		if !h.Up && h.Err != nil {
			return hostDown(h)
		}
	}
	return nil
}
