package command

import (
	"context"
	"encoding/hex"
	"errors"

	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/internal/store"
	"sotto/mimi"
)

// Requests shows strangers who wrote and wait for the person's word.
type Requests struct{}

// Run prints them. No host that a request names is contacted.
func (Requests) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	list, err := d.Client.Requests()
	if err != nil {
		return err
	}
	for _, r := range list {
		x.say(requestOf(r), "%s %s: %s", clock(r.Arrived, 0), line(r.Handle), block(mimi.Written(r.Text), "       "))
	}
	if len(list) > 0 && !x.JSON {
		x.printf("Accept with sotto accept HANDLE, refuse with sotto block HANDLE.\n")
	}
	return late
}

func requestOf(r store.Invitation) Request {
	return Request{Type: "request", From: r.Handle, Account: hex.EncodeToString(r.Account[:]), Room: roomText(r.Room), Text: mimi.Written(r.Text), Arrived: stamp(r.Arrived)}
}

// Accept accepts a stranger's request.
type Accept struct {
	From string `arg:"" help:"The stranger's handle." complete:"request"`
}

// Run accepts and enters the room.
func (o Accept) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	err := d.Client.Accept(wait, o.From)
	switch {
	case errors.Is(err, client.ErrNoRoom):
		if late != nil {
			return late
		}
		return fail("no such request", "nobody with the handle %s waits to be accepted", o.From)
	case errors.Is(err, context.DeadlineExceeded):
		return &Failure{Code: "queued", Text: "accepted; the conversation opens when sotto next runs and reaches its server", Sort: explain.Unreachable}
	case err != nil:
		return err
	}
	x.say(Done{"done", "accepted", o.From}, "accepted: sotto read %s", line(o.From))
	return d.sync(ctx, x)
}

// Block blocks a person: what they send is not shown, their invitations are dropped.
type Block struct {
	Who string `arg:"" help:"A handle." complete:"person"`
}

// Run blocks. It needs no server, but somebody who wrote a moment ago has to be known.
func (o Block) Run(ctx context.Context, d *Device, x *IO) error {
	_ = d.sync(ctx, x)
	err := d.Client.Block(o.Who)
	if errors.Is(err, client.ErrNoRoom) {
		return fail("no such person", "%s has never written to you, nor you to them", o.Who)
	}
	if err != nil {
		return err
	}
	x.say(Done{"done", "blocked", o.Who}, "blocked: nothing from %s is shown any more", line(o.Who))
	return nil
}
