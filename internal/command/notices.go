package command

import "context"

// Notices shows what the person should know: changes of rooms, faults of servers.
type Notices struct {
	All bool `help:"Also those that were shown before."`
}

// Run prints them.
func (o Notices) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	if err := (&view{d: d, x: x}).notices(o.All); err != nil {
		return err
	}
	return late
}
