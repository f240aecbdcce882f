package command

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/mimi"
)

// checkFiles says what of a message with files makes no sense.
func (o Send) checkFiles() error {
	switch {
	case o.Edit != "" || o.React != "" || o.Delete != "":
		return Usage("files go with a new message or an answer")
	case len(o.Text) == 1 && o.Text[0] == "-":
		return Usage("files go with one message, not with one for each line of the input")
	case o.Expire != 0:
		return Usage("a message with files does not expire by itself; --keep says how long the files can be had")
	case o.Keep < 0:
		return Usage("--keep takes a time to come, for example 72h")
	}
	return nil
}

// sendFiles sends a message with files. It succeeds when the server has all of them and the
// message.
func (o Send) sendFiles(ctx context.Context, d *Device, x *IO) error {
	s := client.SendFiles{Text: strings.Join(o.Text, " "), Keep: o.Keep}
	if o.Reply != "" {
		m, err := d.message(o.Reply)
		if err != nil {
			return err
		}
		s.Reply = &m.ID
	}
	for _, name := range o.File {
		path, err := filepath.Abs(x.path(name))
		if err != nil {
			return unreadable(name, err)
		}
		s.Files = append(s.Files, client.SendFile{Path: path, Raw: o.Raw})
	}
	refused, stop := d.refusals()
	defer stop()
	started, cancel := context.WithTimeout(ctx, max(x.Timeout, readTime))
	m, err := d.Client.SendFiles(started, o.To, s)
	cancel()
	if err != nil {
		return fileError(err)
	}
	places := d.home(m.Room)
	if self, err := d.Client.Self(); err == nil {
		_, host, _ := strings.Cut(self.Handle, "@")
		places.hosts[host] = true
	}
	if err := d.watchFiles(ctx, x, m.ID, true, places.hosts); err != nil {
		x.say(Sent{Type: "sent", ID: m.ID.String(), Room: roomText(m.Room), State: store.Queued.String()}, "%s %s", short(m.ID), store.Queued)
		return err
	}
	m, down := d.settled(ctx, m, places, refused, x.Timeout)
	x.say(Sent{Type: "sent", ID: m.ID.String(), Room: roomText(m.Room), State: m.State.String()}, "%s %s", short(m.ID), m.State)
	switch m.State {
	case store.Queued:
		return stillQueued(1, down)
	case store.Failed:
		return fail("failed", "%s", m.Why)
	}
	return d.delivered(ctx, x)
}

// fileError is what a person is told about a file that cannot be sent.
func fileError(err error) error {
	switch {
	case errors.Is(err, client.ErrManyFiles):
		return fail("too many files", "%s", err)
	case errors.Is(err, client.ErrFileMoved):
		return fail("file", "%s", client.ErrFileMoved)
	case errors.Is(err, client.ErrPicture):
		return fail("file", "%s (--raw sends it as it is)", client.ErrPicture)
	}
	return pathError(err)
}

// filesOf are the files of a message as commands name them.
func (d *Device) filesOf(id mimi.MessageID) ([]client.FileInfo, error) {
	list, err := d.Client.FilesOf(id)
	if errors.Is(err, client.ErrGone) {
		return nil, fail("no such message", "there is no message %s here", short(id))
	}
	return list, err
}
