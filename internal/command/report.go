package command

import (
	"context"

	"sotto/internal/app"
	"sotto/internal/app/api"
)

// ReportPerson makes a report about a person, to be handed to whoever runs their server. It sends
// nothing.
type ReportPerson struct {
	Who string   `arg:"" help:"A handle." complete:"person"`
	ID  []string `arg:"" optional:"" help:"Messages of theirs to show; none: what they wrote as a request."`
}

// Run prints it.
func (o ReportPerson) Run(ctx context.Context, d *Device, x *IO) error {
	ask := api.Report{}
	requests, err := d.Client.Requests()
	if err != nil {
		return err
	}
	for _, r := range requests {
		if r.Handle == o.Who {
			ask.Account = accountText(r.Account)
		}
	}
	if ask.Account == "" {
		id, err := d.account(o.Who)
		if err != nil {
			return err
		}
		ask.Account = accountText(id)
		if len(o.ID) == 0 {
			return Usage("which messages of theirs? Give the ids that sotto read shows")
		}
	}
	for _, id := range o.ID {
		m, err := d.message(id)
		if err != nil {
			return err
		}
		ask.Messages = append(ask.Messages, m.ID.String())
	}
	got, err := app.Call[api.Reported](ctx, app.Directly(d.Client), "report", ask)
	if err != nil {
		return err
	}
	x.say(Reported{Type: "report", To: got.To, Text: got.Text}, "%s\nHand it to whoever runs %s. Nothing was sent.", block(got.Text, ""), line(got.To))
	return x.failed
}
