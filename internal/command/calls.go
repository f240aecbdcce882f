package command

import (
	"context"
	"slices"
	"strings"
	"time"

	"sotto/internal/app"
	"sotto/internal/app/api"
	"sotto/internal/client"
)

// Calls lists the calls that go on and the last of those that are over, or ends one.
type Calls struct {
	Limit int    `help:"How many that are over at most." default:"20" placeholder:"N"`
	End   string `help:"End this call, on whichever device it is held: its id, or how that begins." placeholder:"ID"`
}

// Run lists them.
func (o Calls) Run(ctx context.Context, d *Device, x *IO) error {
	if o.Limit < 1 || o.Limit > client.MaxPage {
		return Usage("a list holds 1 to %d calls", client.MaxPage)
	}
	late := d.sync(ctx, x)
	direct := app.Directly(d.Client)
	if o.End != "" {
		return o.end(ctx, d, x)
	}
	live, err := app.Call[[]api.Call](ctx, direct, "calls", nil)
	if err != nil {
		return err
	}
	past, err := app.Call[[]api.Call](ctx, direct, "pastCalls", api.PastCalls{Limit: o.Limit})
	if err != nil {
		return err
	}
	for _, c := range append(live, past...) {
		x.call(c)
	}
	return late
}

// end ends a call that goes on.
func (o Calls) end(ctx context.Context, d *Device, x *IO) error {
	list, err := d.Client.Calls()
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(c client.Call) bool { return !strings.HasPrefix(c.ID.String(), o.End) })
	switch {
	case len(list) == 0:
		return client.ErrNoCall
	case len(list) > 1:
		return client.ErrUnsure
	}
	id := list[0].ID
	if err := d.Client.EndCall(id, client.EndHungUp); err != nil {
		return err
	}
	late := d.sync(ctx, x)
	c, err := app.Call[api.Call](ctx, app.Directly(d.Client), "call", nil, "call", id.String())
	if err != nil {
		return err
	}
	x.call(c)
	return late
}

// ends are how a call is said to have ended.
var ends = map[api.CallEnd]string{
	api.EndHungUp: "talked", api.EndDeclined: "declined", api.EndBusy: "busy", api.EndMissed: "nobody answered", api.EndFailed: "no connection",
	api.EndElsewhere: "on another device",
}

// call prints one call.
func (x *IO) call(c api.Call) {
	if x.JSON {
		x.object(Call{
			Type: "call", ID: c.ID, Room: c.Room, Account: c.Person, Name: c.Name, Outgoing: c.Outgoing, Video: c.Video, Stage: string(c.Stage), End: string(c.End),
			Began: stamp(c.Began), Answered: stamp(c.Answered), Ended: stamp(c.Ended), Here: c.Here, Words: c.Words,
		})
		return
	}
	way, how := "from", string(c.Stage)
	if c.Outgoing {
		way = "to"
	}
	if c.Stage == api.CallOver {
		how = ends[c.End]
		if c.Answered != 0 {
			how += " " + (time.Duration(c.Ended-c.Answered) * time.Millisecond).Round(time.Second).String()
		}
	}
	x.printf("%s %s %s %s: %s\n", date(c.Began), c.ID[:8], way, line(c.Name), how)
}
