package command

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
)

// AccountCreate makes an account with this device as its first.
type AccountCreate struct {
	Handle string `arg:"" help:"name@host, or name@host:port; with the link of an invitation a name is enough."`
	Invite string `help:"The invitation: a link, or the code in it." aliases:"link" placeholder:"LINK|CODE"`
	Name   string `help:"The name to be shown, besides the handle." placeholder:"TEXT"`
}

func (AccountCreate) creates() {}

// Run makes the account.
func (o AccountCreate) Run(ctx context.Context, d *Device, x *IO) error {
	o.Handle = o.whole()
	if _, err := wire.ParseHandle(o.Handle); err != nil {
		return err
	}
	if room.CheckName(strings.TrimSpace(o.Name)) != nil {
		return Usage("a name has at most %d characters, none of them invisible", room.MaxName)
	}
	if _, err := d.Client.Self(); err == nil {
		return client.ErrAccount
	}
	code, err := o.code(d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	var down error
	stop := d.whenDown(func(string) bool { return true }, func(err error) { down = err; cancel() })
	err = d.Client.CreateAccount(ctx, o.Handle, code)
	stop()
	if err != nil && errors.Is(err, context.Canceled) && down != nil {
		return down
	}
	if err != nil {
		return err
	}
	if o.Name != "" {
		if err := d.Client.SetProfile(ctx, client.ProfileChange{Name: &o.Name}); err != nil {
			return err
		}
	}
	return showAccount(d, x)
}

// whole is the handle with the host that the link of the invitation names.
func (o AccountCreate) whole() string {
	if l, err := wire.ParseLink(o.Invite); err == nil && !strings.Contains(o.Handle, "@") {
		return o.Handle + "@" + l.Host
	}
	return o.Handle
}

// code is the right to register in the invitation. A link also names the server's key.
func (o AccountCreate) code(d *Device) (string, error) {
	if !wire.IsLink(o.Invite) {
		return o.Invite, nil
	}
	l, err := wire.ParseLink(o.Invite)
	if err != nil {
		return "", err
	}
	if h, _ := wire.ParseHandle(o.Handle); h.Host != l.Host {
		return "", Usage("this invitation is to %s, and the handle is not there", l.Host)
	}
	return l.Code, d.Client.OpenServer(l.Host, l.Pin)
}

// AccountShow tells who this device is.
type AccountShow struct{}

// Run prints the account.
func (AccountShow) Run(_ context.Context, d *Device, x *IO) error { return showAccount(d, x) }

func showAccount(d *Device, x *IO) error {
	s, err := d.Client.Self()
	if err != nil {
		return err
	}
	v := Account{Type: "account", Handle: s.Handle, Account: hex.EncodeToString(s.Account[:]), Device: hex.EncodeToString(s.Device[:])}
	x.say(v, "You are %s.\naccount %s\ndevice  %s", v.Handle, v.Account, v.Device)
	return nil
}

// patience is how many connections in a row may fail before a host counts as down.
const patience = 4 // they take a second and a half when nobody listens

// whenDown calls f once when a host that counts cannot be reached, until stop, which
// waits for f.
func (d *Device) whenDown(counts func(host string) bool, f func(error)) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			for _, h := range d.Client.Hosts() {
				if counts(h.Name) && !h.Up && h.Err != nil && h.Fails >= patience {
					f(hostDown(h))
					return
				}
			}
		}
	}()
	return func() { close(over); <-done }
}

// hostDown is what a person is told about a host that is not up.
func hostDown(h client.HostState) error {
	var refusal *wire.Error
	if errors.As(h.Err, &refusal) { // it was reached, and refuses this device
		return refusal
	}
	for _, own := range []error{sqlite.ErrFull, sqlite.ErrUnknown, sqlite.ErrCorrupt, client.ErrServerKey, client.ErrServerUnknown} {
		if errors.Is(h.Err, own) { // the connection was given up here, since nothing can be kept
			return h.Err
		}
	}
	return unreachable("%s cannot be reached: %s", h.Name, reason(h.Err))
}
