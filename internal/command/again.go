package command

import (
	"context"
	"strings"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/mimi"
)

// post sends what each makes, one after the other, and tells what became of each.
func (d *Device) post(ctx context.Context, x *IO, each ...func(ctx context.Context) (*store.Message, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	refused, stop := d.refusals()
	defer stop()
	queued := make(chan outcome, len(each))
	for _, f := range each {
		m, err := f(ctx)
		queued <- outcome{m, err}
		if err != nil {
			break
		}
	}
	close(queued)
	return d.report(ctx, queued, refused, x)
}

// Forward writes a message's text to others, marked as passed on.
type Forward struct {
	ID string   `arg:"" help:"A message."`
	To []string `arg:"" help:"Rooms or handles." complete:"room"`
}

// maxForward is to how many a message is passed on at once, as in a window.
const maxForward = 20

// Run forwards.
func (o Forward) Run(ctx context.Context, d *Device, x *IO) error {
	if len(o.To) > maxForward {
		return Usage("a message goes to at most %d at once", maxForward)
	}
	s, err := d.shown(o.ID)
	if err != nil {
		return err
	}
	if s.Text == "" || s.Flags&store.FlagDeleted != 0 {
		return client.ErrGone
	}
	var all []func(context.Context) (*store.Message, error)
	for _, to := range o.To {
		if !strings.Contains(to, "@") {
			if _, err := d.find(to); err != nil {
				return err
			}
		}
		all = append(all, func(ctx context.Context) (*store.Message, error) {
			return d.queue(ctx, to, d.Client.Forwarded(client.Text(mimi.Written(s.Text))), x.Timeout)
		})
	}
	return d.post(ctx, x, all...)
}

// Retry sends a message again that failed or expired.
type Retry struct {
	ID string `arg:"" help:"A message of yours."`
}

// Run sends it.
func (o Retry) Run(ctx context.Context, d *Device, x *IO) error {
	m, err := d.message(o.ID)
	if err != nil {
		return err
	}
	return d.post(ctx, x, func(ctx context.Context) (*store.Message, error) {
		ctx, cancel := context.WithTimeout(ctx, x.Timeout)
		defer cancel()
		return d.Client.Retry(ctx, m.ID)
	})
}

// Unreact takes this person's reaction to a message back.
type Unreact struct {
	ID string `arg:"" help:"A message."`
}

// Run takes it back.
func (o Unreact) Run(ctx context.Context, d *Device, x *IO) error {
	s, err := d.shown(o.ID)
	if err != nil {
		return err
	}
	return d.post(ctx, x, func(ctx context.Context) (*store.Message, error) {
		ctx, cancel := context.WithTimeout(ctx, x.Timeout)
		defer cancel()
		m, err := d.Client.ReactTo(ctx, s.ID, "")
		if err == nil && m == nil {
			err = fail("no such message", "there is no reaction of yours at %s", short(s.ID))
		}
		return m, err
	})
}

// Note writes to oneself.
type Note struct {
	Text []string `arg:"" optional:"" help:"What to note, in Markdown. Without it the room of the notes is shown."`
}

// Run writes the note into the room of notes, which is made when there is none.
func (o Note) Run(ctx context.Context, d *Device, x *IO) error {
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	id, err := d.Client.Notes(wait)
	cancel()
	if err != nil {
		return err
	}
	text := strings.Join(o.Text, " ")
	if len(o.Text) == 0 {
		late := d.sync(ctx, x)
		if err := d.showRoom(id, x); err != nil {
			return err
		}
		return late
	}
	if strings.TrimSpace(text) == "" {
		return Usage("what shall be noted?")
	}
	return d.post(ctx, x, func(ctx context.Context) (*store.Message, error) {
		return d.queue(ctx, roomText(id), client.Text(text), x.Timeout)
	})
}
