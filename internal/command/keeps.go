package command

import (
	"context"
	"io"

	"sotto/internal/app"
	"sotto/internal/app/api"
)

// StorageShow tells what this device keeps.
type StorageShow struct{}

// Run counts.
func (StorageShow) Run(ctx context.Context, d *Device, x *IO) error {
	s, err := app.Call[api.Storage](ctx, app.Directly(d.Client), "storage", nil)
	if err != nil {
		return err
	}
	v := Storage{Type: "storage", Database: s.Database, Messages: s.Messages, Rooms: []RoomStored{}}
	for _, r := range s.Rooms {
		v.Rooms = append(v.Rooms, RoomStored{r.Room, r.Name, r.Messages, r.Bytes})
	}
	if x.JSON {
		x.object(v)
		return x.failed
	}
	x.printf("%s on the disk, %s\n", size(uint64(max(v.Database, 0))), count(int(v.Messages), plural(int(v.Messages), "message", "messages")))
	for _, r := range v.Rooms {
		x.printf("%s %s · %s · %s\n", r.Room[:8], line(r.Name), count(int(r.Messages), plural(int(r.Messages), "message", "messages")), size(uint64(max(r.Bytes, 0))))
	}
	return x.failed
}

// Export writes everything that this device keeps into an archive that anybody can read.
type Export struct {
	File   string `arg:"" help:"A new file: a ZIP archive." complete:"file"`
	Format string `help:"json for programs, html for people." enum:"json,html" default:"html"`
}

// Run writes it. Nothing in the archive is encrypted.
func (o Export) Run(ctx context.Context, d *Device, x *IO) error {
	bytes, err := x.save(o.File, func(w io.Writer) error {
		return app.Directly(d.Client).Write(ctx, w, "export", api.ExportQuery{Format: o.Format})
	})
	if err != nil {
		return err
	}
	x.say(Exported{Type: "exported", File: x.path(o.File), Format: o.Format, Bytes: bytes},
		"%s: %s. Nothing in it is encrypted: keep it where nobody else looks.", line(o.File), size(uint64(bytes)))
	return x.failed
}
