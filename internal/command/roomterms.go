package command

import (
	"context"
	"io"
	"time"
)

// RoomDisappear says after which time messages of a room vanish.
type RoomDisappear struct {
	Room  string `arg:"" help:"A room or a person." complete:"room"`
	After string `arg:"" help:"How long after they were read, such as 1h or 7d; off for never." complete:"words" words:"off,1h,1d,1w,4w"`
}

// maxDisappear is the longest that a message vanishes after, as in a window.
const maxDisappear = 366 * day

// Run changes it for everybody, for messages to come.
func (o RoomDisappear) Run(ctx context.Context, d *Device, x *IO) error {
	after, err := disappearing(o.After)
	if err != nil {
		return err
	}
	return d.change(ctx, o.Room, x, "disappear", spanText(after), func(ctx context.Context, id string) error {
		return d.Client.SetDisappear(ctx, id, after)
	})
}

func disappearing(text string) (time.Duration, error) {
	if text == "" || text == "off" {
		return 0, nil
	}
	after, err := span(text)
	if err == nil && (after < time.Second || after > maxDisappear) {
		err = Usage("messages vanish after a second to a year, or never: off")
	}
	return after, err
}

// RoomPicture sets a room's picture, saves it, or takes it away.
type RoomPicture struct {
	Room   string `arg:"" help:"A room." complete:"room"`
	File   string `arg:"" optional:"" help:"The new picture: PNG, JPEG or WebP, at most 32 KiB." complete:"file"`
	Save   string `help:"Save the picture that it has to this new file." placeholder:"FILE" complete:"file" xor:"do"`
	Remove bool   `help:"Take the picture away." xor:"do"`
}

// Run does it.
func (o RoomPicture) Run(ctx context.Context, d *Device, x *IO) error {
	if o.File != "" && (o.Remove || o.Save != "") {
		return Usage("a new picture, or --remove, or --save: one of them")
	}
	if o.Save != "" {
		id, err := d.find(o.Room)
		if err != nil {
			return err
		}
		b, err := d.Client.RoomPicture(id)
		if err != nil {
			return err
		}
		return x.savePicture(o.Save, b)
	}
	var b []byte
	if !o.Remove {
		var err error
		if o.File == "" {
			return Usage("which picture? Give a file, or --remove or --save")
		}
		if b, err = x.picture(o.File); err != nil {
			return err
		}
	}
	done := "picture set"
	if o.Remove {
		done = "picture removed"
	}
	return d.change(ctx, o.Room, x, done, "", func(ctx context.Context, to string) error {
		id, err := d.find(to)
		if err != nil {
			return err
		}
		return d.Client.SetRoomPicture(ctx, id, b)
	})
}

// savePicture writes somebody's picture to a new file.
func (x *IO) savePicture(name string, b []byte) error {
	if len(b) == 0 {
		return fail("no such picture", "there is no picture here")
	}
	if _, err := x.save(name, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		return err
	}
	x.say(Done{"done", "saved", name}, "saved %s", line(name))
	return x.failed
}

// RoomClear removes what was said in a room from this device. The others keep theirs.
type RoomClear struct {
	Room string `arg:"" help:"A room or a person." complete:"room"`
	Yes  bool   `help:"Do it: it cannot be undone."`
}

// Run clears it.
func (o RoomClear) Run(_ context.Context, d *Device, x *IO) error {
	if !o.Yes {
		return Usage("everything that was said there goes from this device, for good: say --yes")
	}
	id, err := d.find(o.Room)
	if err != nil {
		return err
	}
	if err := d.Client.ClearRoom(id); err != nil {
		return err
	}
	x.say(Done{"done", "cleared", o.Room}, "cleared %s", line(o.Room))
	return x.failed
}

// RoomDelete removes a room that was left, with its history, from this device.
type RoomDelete struct {
	Room string `arg:"" help:"A room." complete:"room"`
	Yes  bool   `help:"Do it: it cannot be undone."`
}

// Run removes it.
func (o RoomDelete) Run(_ context.Context, d *Device, x *IO) error {
	if !o.Yes {
		return Usage("the room and everything that was said there go from this device, for good: say --yes")
	}
	id, err := d.find(o.Room)
	if err != nil {
		return err
	}
	err = d.Client.ForgetRoom(id)
	if err != nil {
		return err
	}
	x.say(Done{"done", "deleted", o.Room}, "deleted %s", line(o.Room))
	return x.failed
}
