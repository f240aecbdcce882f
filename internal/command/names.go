package command

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sotto/internal/handover"
	"sotto/internal/room"
	"sotto/internal/store"
)

// Names prints what a word of a command line may be, for a shell that completes it: of
// rooms, people or requests. It asks nobody.
type Names struct {
	Kind string `arg:"" enum:"room,person,request"`
}

// Run prints them, one on each line.
func (o Names) Run(_ context.Context, d *Device, x *IO) error {
	list, err := d.names(o.Kind)
	if err != nil {
		return err
	}
	for _, name := range list {
		x.printf("%s\n", name)
	}
	return x.failed
}

// names are those of a kind that can be typed: what line would change is left out, since it
// would not be what the other side has.
func (d *Device) names(kind string) (out []string, err error) {
	add := func(name string) {
		if name != "" && name == line(name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	switch kind {
	case "room":
		list, err := d.Client.Rooms()
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if r.State == store.RoomMerged || r.Kind == room.Self {
				continue
			}
			add(r.Name)
		}
		return out, nil
	case "person":
		list, err := d.Client.People()
		for _, p := range list {
			add(p.Handle)
		}
		return out, err
	case "request":
		list, err := d.Client.Requests()
		for _, r := range list {
			add(r.Handle)
		}
		return out, err
	}
	return nil, nil
}

// nameWait is how long somebody who pressed a key waits at most.
const nameWait = 2 * time.Second

// NamesOf are the names of a kind in a home: from the process that holds it, which args ask
// for them, or else from the device itself, which stays away from the network. It is quiet
// about what goes wrong, and asks for no passphrase: then there are none.
func NamesOf(ctx context.Context, home, kind string, args []string, x *IO) []string {
	ctx, cancel := context.WithTimeout(ctx, nameWait)
	defer cancel()
	var out bytes.Buffer
	code, err := handover.Join(ctx, filepath.Join(home, socketFile), handover.Request{Args: args}, handover.IO{In: strings.NewReader(""), Out: &out, Err: io.Discard})
	if err == nil {
		if code != ExitOK {
			return nil
		}
		return strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	}
	d, err := openDevice(ctx, home, false, &IO{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Secret: x.Secret})
	if err != nil {
		return nil
	}
	defer d.Close()
	list, err := d.names(kind)
	if err != nil {
		return nil
	}
	return list
}
