package app

import (
	"encoding/hex"
	"errors"
	"unicode/utf8"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/explain"
	"sotto/internal/wire"
)

var errNoDevice = explain.Refuse("no such device", "there is no such device")

func deviceID(s string) (d wire.DeviceName, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) {
		return d, errNoDevice
	}
	return wire.DeviceName(b), nil
}

func ownDevices(c *call) (out []api.OwnDevice, err error) {
	s, err := c.c.Self()
	if err != nil {
		return nil, err
	}
	coming, err := c.c.Histories()
	if err != nil {
		return nil, err
	}
	list, err := c.c.Devices(s.Account)
	for _, d := range list {
		x := api.OwnDevice{Device: text(d.Device[:]), Name: d.Name, Added: d.Added, Self: d.Self}
		if d.By != nil {
			x.By = text(d.By[:])
		}
		if h, ok := coming[d.Device]; ok {
			x.History = &api.Progress{Done: h.Got, Total: h.Total}
		}
		out = append(out, x)
	}
	return out, err
}

func renameDevice(c *call, in api.RenameDevice) error {
	d, err := deviceID(c.r.PathValue("device"))
	if err != nil {
		return err
	}
	return c.c.NameDevice(d, in.Name)
}

func unlinkDevice(c *call) error {
	d, err := deviceID(c.r.PathValue("device"))
	if err != nil {
		return err
	}
	return c.c.Unlink(c.ctx, d)
}

func linkingOf(l *client.Linking) api.Linking {
	if l == nil {
		return api.Linking{Stage: "none"}
	}
	out := api.Linking{Stage: string(l.Stage), Old: l.Old, Until: l.Until.UnixMilli(), Name: l.Label}
	if l.Stage == client.LinkWaiting && l.Old {
		out.Code, out.Text = l.Code.Digits, l.Code.QR()
		out.QR, _ = qrRows(out.Text) // a handle and eight digits fit
	}
	if l.Words[0] != "" {
		out.Words = l.Words[:]
	}
	if l.Err != nil {
		f := explain.Error(l.Err)
		out.Why = &api.Failure{Code: f.Code, Text: f.Text}
	}
	return out
}

func linking(c *call) (api.Linking, error) { return linkingOf(c.c.Linking()), nil }

func startLinking(c *call) (api.Linking, error) {
	l, err := c.c.StartLinking(c.ctx)
	if err != nil {
		return api.Linking{}, err
	}
	return linkingOf(l), nil
}

func cancelLinking(c *call) error {
	c.c.CancelLinking()
	return nil
}

// confirmLinking lets the new device in. Whoever sits down at an open window must not be able
// to do that: where a passphrase guards the key, it is asked for.
func confirmLinking(c *call, in api.ConfirmLinking) error {
	if err := c.proved(in.Passphrase); err != nil {
		return err
	}
	return c.c.ConfirmLinking(c.ctx)
}

// proved checks the passphrase where one guards the key.
func (c *call) proved(passphrase string) error {
	kind, err := c.app.o.Custody.Kind()
	if err != nil || kind != custody.Passphrase {
		return err
	}
	return c.app.provePassphrase(passphrase)
}

// provePassphrase checks a passphrase of an open app, at the pace of unlocking.
func (a *App) provePassphrase(passphrase string) error {
	if d := a.limit.wait("passphrase"); d > 0 {
		return slowDown(d)
	}
	key, err := a.o.Custody.Open([]byte(passphrase))
	clear(key[:])
	if errors.Is(err, custody.ErrWrong) || errors.Is(err, custody.ErrLocked) {
		a.limit.miss("passphrase")
		return custody.ErrWrong
	}
	return err
}

// linkDevice makes this device one of an account's. It answers when that is done, which takes
// a person's word on the other device: GET /linking says how far it is.
func linkDevice(c *call, in api.LinkDevice) (api.Self, error) {
	return c.entered(in.Passphrase, func() error { return c.c.Link(c.ctx, in.Handle, in.Code, in.Name) })
}

// entered makes this device one of an account's, and lets a passphrase guard its key from then
// on, if there is one.
func (c *call) entered(passphrase string, enter func() error) (api.Self, error) {
	if passphrase != "" && utf8.RuneCountInString(passphrase) < custody.MinPassphrase {
		return api.Self{}, custody.ErrShort
	}
	if err := enter(); err != nil {
		return api.Self{}, err
	}
	c.app.registered()
	if passphrase != "" {
		if err := c.app.o.Custody.Change(custody.Passphrase, nil, []byte(passphrase)); err != nil {
			return api.Self{}, err
		}
	}
	return c.self()
}
