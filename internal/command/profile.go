package command

import (
	"context"

	"sotto/internal/client"
)

// ProfileSet shows what this person shows to others, or changes it.
type ProfileSet struct {
	Name      *string `help:"The name to be shown, at most 64 characters; an empty one takes it away." placeholder:"TEXT"`
	Status    *string `help:"A sentence about oneself, at most 140 characters." placeholder:"TEXT"`
	Picture   string  `help:"A picture: PNG, JPEG or WebP, at most 32 KiB." placeholder:"FILE" complete:"file" xor:"picture"`
	NoPicture bool    `help:"Take the picture away." xor:"picture"`
}

// Run changes it. Others hear of it by and by.
func (o ProfileSet) Run(ctx context.Context, d *Device, x *IO) error {
	change := client.ProfileChange{Name: o.Name, Status: o.Status}
	switch {
	case o.NoPicture:
		change.Picture = &[]byte{}
	case o.Picture != "":
		b, err := x.picture(o.Picture)
		if err != nil {
			return err
		}
		change.Picture = &b
	}
	var late error
	if change != (client.ProfileChange{}) {
		wait, cancel := context.WithTimeout(ctx, x.Timeout)
		defer cancel()
		if err := d.Client.SetProfile(wait, change); err != nil {
			return err
		}
		late = d.sync(ctx, x)
	}
	if err := d.showProfile(x); err != nil {
		return err
	}
	if late != nil {
		return notYet(late, "it is changed here; the others hear of it")
	}
	return nil
}

func (d *Device) showProfile(x *IO) error {
	self, err := d.Client.Self()
	if err != nil {
		return err
	}
	p, err := d.Client.Profile()
	if err != nil {
		return err
	}
	v := Profile{Type: "profile", Handle: self.Handle, Name: p.Name, Status: p.Status, Picture: p.Picture != ""}
	if x.JSON {
		x.object(v)
		return x.failed
	}
	picture := "none"
	if v.Picture {
		picture = "shown"
	}
	x.printf("handle  %s\n", line(v.Handle))
	for _, row := range [][2]string{{"name", v.Name}, {"status", v.Status}, {"picture", picture}} {
		if row[1] != "" {
			x.printf("%-7s %s\n", row[0], line(row[1]))
		}
	}
	return x.failed
}
