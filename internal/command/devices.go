package command

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// OwnDevice is what `devices` prints for each device.
type OwnDevice struct {
	Type   string `json:"type"` // "device"
	Device string `json:"device"`
	Name   string `json:"name"`
	Added  string `json:"added,omitempty"`
	By     string `json:"by,omitempty"` // the device that linked it
	Self   bool   `json:"self"`
}

// LinkingStep is what `devices link` and `account link` print as the linking goes on.
type LinkingStep struct {
	Type  string   `json:"type"`  // "linking"
	Stage string   `json:"stage"` // waiting, compare, done
	Code  string   `json:"code,omitempty"`
	Text  string   `json:"text,omitempty"` // for a QR code
	Until string   `json:"until,omitempty"`
	Words []string `json:"words,omitempty"`
	Name  string   `json:"name,omitempty"` // what the new device would like to be called
}

// Devices lists this person's devices.
type Devices struct{}

// Run prints them.
func (Devices) Run(_ context.Context, d *Device, x *IO) error {
	list, err := d.ownDevices()
	for _, v := range list {
		o := OwnDevice{Type: "device", Device: hex.EncodeToString(v.Device[:]), Name: v.Name, Added: stamp(v.Added), Self: v.Self}
		tail := ""
		if v.Self {
			tail = " · this one"
		}
		if v.By != nil {
			o.By = hex.EncodeToString(v.By[:])
			tail += " · linked by " + o.By[:8]
		}
		x.say(o, "%s  %s%s", o.Device[:8], line(o.Name), tail)
	}
	return err
}

func (d *Device) ownDevices() ([]client.DeviceInfo, error) {
	s, err := d.Client.Self()
	if err != nil {
		return nil, err
	}
	return d.Client.Devices(s.Account)
}

// own is the device that somebody means: by its name, or the beginning of its number.
func (d *Device) own(which string) (wire.DeviceName, error) {
	list, err := d.ownDevices()
	if err != nil {
		return wire.DeviceName{}, err
	}
	var found []wire.DeviceName
	for _, v := range list {
		if v.Name == which || len(which) >= 4 && strings.HasPrefix(hex.EncodeToString(v.Device[:]), strings.ToLower(which)) {
			found = append(found, v.Device)
		}
	}
	switch len(found) {
	case 0:
		return wire.DeviceName{}, fail("no such device", "there is no device %s: sotto devices lists them", which)
	case 1:
		return found[0], nil
	}
	return wire.DeviceName{}, fail("ambiguous", "%s could mean several devices: use the number", which)
}

// DevicesUnlink takes a device out of the account.
type DevicesUnlink struct {
	Device string `arg:"" help:"Its name, or the first digits of its number."`
}

// Run unlinks it.
func (o DevicesUnlink) Run(ctx context.Context, d *Device, x *IO) error {
	which, err := d.own(o.Device)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	if err := d.Client.Unlink(ctx, which); err != nil {
		return err
	}
	return d.Client.Sync(ctx)
}

// DevicesRename calls a device something else.
type DevicesRename struct {
	Device string `arg:"" help:"Its name, or the first digits of its number."`
	Name   string `arg:"" help:"What it is to be called; empty: nothing."`
}

// Run renames it.
func (o DevicesRename) Run(_ context.Context, d *Device, _ *IO) error {
	which, err := d.own(o.Device)
	if err != nil {
		return err
	}
	return d.Client.NameDevice(which, o.Name)
}

// DevicesLink shows a code for a new device, and lets it in when both show the same words.
type DevicesLink struct{}

// Run links a device. Its words are typed here: a yes is said too easily.
func (DevicesLink) Run(ctx context.Context, d *Device, x *IO) error {
	start, cancel := context.WithTimeout(ctx, x.Timeout)
	l, err := d.Client.StartLinking(start)
	cancel()
	if err != nil {
		return err
	}
	defer d.Client.CancelLinking()
	v := LinkingStep{Type: "linking", Stage: string(l.Stage), Code: l.Code.Digits, Text: l.Code.QR(), Until: stamp(l.Until.UnixMilli())}
	x.say(v, "On the new device: sotto account link %s %s\nThe code is good for two minutes.", l.Code.Handle, l.Code.Digits)
	if l, err = d.linkingAt(ctx, client.LinkCompare); err != nil {
		return err
	}
	x.say(LinkingStep{Type: "linking", Stage: string(l.Stage), Words: l.Words[:], Name: l.Label},
		"The new device calls itself %q. Type the two words that it shows:", l.Label)
	typed, err := readLine(ctx, x.In)
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.Join(strings.Fields(typed), " "), l.Words[0]+" "+l.Words[1]) {
		return fail("wrong code", "these are not the words of this device: somebody may stand between. Nothing was linked")
	}
	done, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	if err := d.Client.ConfirmLinking(done); err != nil {
		return err
	}
	x.say(LinkingStep{Type: "linking", Stage: string(client.LinkDone), Name: l.Label}, "Linked. It comes into your conversations now.")
	_ = d.Client.Sync(done) // what is not done goes on when sotto next runs
	return nil
}

// linkingAt waits until the linking has come to a stage.
func (d *Device) linkingAt(ctx context.Context, stage client.LinkStage) (*client.Linking, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		l := d.Client.Linking()
		switch {
		case l != nil && l.Stage == client.LinkFailed:
			return nil, l.Err
		case l != nil && l.Stage == stage:
			return l, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// readLine reads one line; a wait that is stopped leaves its goroutine to the end of the
// process.
func readLine(ctx context.Context, in io.Reader) (string, error) { return newTyping(in).next(ctx) }

// typing is what is typed, line by line, one after the other.
type typing struct{ r *bufio.Reader }

func newTyping(in io.Reader) typing { return typing{bufio.NewReader(io.LimitReader(in, 4096))} }

// next reads the next line.
func (t typing) next(ctx context.Context) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := t.r.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		got <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-got:
		return a.text, a.err
	}
}

// AccountLink makes this device one of an account's.
type AccountLink struct {
	Handle string `arg:"" help:"The account: name@host."`
	Code   string `arg:"" help:"The code that the other device shows (sotto devices link)."`
	Name   string `help:"What this device is to be called." placeholder:"TEXT"`
}

func (AccountLink) creates() {}

// Run links this device.
func (o AccountLink) Run(ctx context.Context, d *Device, x *IO) error {
	linking, cancel := context.WithCancel(ctx)
	defer cancel()
	linked := make(chan error, 1)
	go func() { linked <- d.Client.Link(linking, o.Handle, o.Code, o.Name) }()
	compared := make(chan error, 1)
	go func() {
		l, err := d.linkingAt(linking, client.LinkCompare)
		if err == nil {
			x.say(LinkingStep{Type: "linking", Stage: string(l.Stage), Words: l.Words[:]}, "Type these words on the other device: %s", fmt.Sprint(l.Words[0], " ", l.Words[1]))
		}
		compared <- err
	}()
	err := <-linked
	cancel()
	<-compared
	if err != nil {
		return err
	}
	if err := showAccount(d, x); err != nil {
		return err
	}
	return d.sync(ctx, x) // what it publishes lets the other device bring it into rooms
}
