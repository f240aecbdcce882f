package command

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
)

// Files lists the files of conversations, newest first.
type Files struct {
	Room  string `help:"Only those of this room or person." complete:"room" placeholder:"ROOM"`
	Limit int    `default:"100" help:"Those of at most so many messages."`
}

// Run lists them.
func (o Files) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	var only *room.ID
	if o.Room != "" {
		id, err := d.find(o.Room)
		if err != nil {
			return errors.Join(late, err)
		}
		only = &id
	}
	list, err := d.Client.Files(only, 0, max(o.Limit, 1))
	if err != nil {
		return err
	}
	for _, f := range list {
		x.say(d.fileObject(f), "%s %s  %s, %s, %s%s", clock(f.At, 0), fileID(f), line(f.Shown), size(f.Size), d.from(f), fileState(f))
	}
	return errors.Join(late, x.failed)
}

// fileID is how a file is named: its message, and its number from 1.
func fileID(f client.FileInfo) string {
	return short(f.Message) + "." + strconv.FormatInt(f.Part+1, 10)
}

func (d *Device) from(f client.FileInfo) string {
	if self, err := d.Client.Self(); err == nil && f.Account == self.Account {
		return "from you"
	}
	return "from " + line(d.Client.Handle(f.Account))
}

// fileState is what is said of a file behind its name: how it stands, until when it can be had,
// and what to mind.
func fileState(f client.FileInfo) string {
	var out []string
	switch f.State {
	case client.FileOffered:
	case client.FileMoves, client.FileWaits:
		out = append(out, string(f.State)+" "+strconv.FormatInt(100*f.Done/max(int64(f.Sealed), 1), 10)+"%")
	case client.FileHere:
		out = append(out, "here: "+line(f.Path))
	default:
		out = append(out, string(f.State))
	}
	if f.Until != 0 && f.State != client.FileExpired && f.State != client.FileHere {
		out = append(out, "until "+clock(int64(f.Until)*1000, 0))
	}
	if f.Danger != "" {
		out = append(out, "careful: "+string(f.Danger))
	}
	if f.Why != "" {
		out = append(out, line(f.Why))
	}
	if len(out) == 0 {
		return ""
	}
	return " [" + strings.Join(out, ", ") + "]"
}

func (d *Device) fileObject(f client.FileInfo) File {
	self, _ := d.Client.Self()
	return File{
		Type: "file", ID: f.Message.String() + "." + strconv.FormatInt(f.Part+1, 10), Room: roomText(f.Room), From: d.Client.Handle(f.Account), Own: f.Account == self.Account,
		Name: f.Shown, MediaType: f.File.Type, Size: f.Size, Width: f.Width, Height: f.Height, Sent: stamp(f.At), Until: stamp(int64(f.Until) * 1000),
		State: string(f.State), Done: f.Done, Total: int64(f.Sealed), Path: f.Path, Danger: string(f.Danger), Why: f.Why,
	}
}

// Get fetches files into a folder.
type Get struct {
	ID []string `arg:"" help:"Messages, or single files of one: the message's id, a dot and the file's number."`
	To string   `help:"The folder; without it, the one where you are." placeholder:"DIR" complete:"dir"`
}

// Run fetches them.
func (o Get) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	dir, err := filepath.Abs(x.path(o.To))
	if o.To == "" {
		dir, err = filepath.Abs(x.path("."))
	}
	if err != nil {
		return unreadable(o.To, err)
	}
	for _, id := range o.ID {
		if err := d.get(ctx, x, id, dir); err != nil {
			return errors.Join(late, err)
		}
	}
	return x.failed
}

// named are the files of a message of which a name is meant: of MESSAGE all, of MESSAGE.2 the
// second. There is one at least.
func (d *Device) named(name string) (m *store.Message, list []client.FileInfo, parts []int64, err error) {
	id, number, single := strings.Cut(name, ".")
	if m, err = d.message(id); err != nil {
		return nil, nil, nil, err
	}
	if list, err = d.filesOf(m.ID); err != nil {
		return nil, nil, nil, err
	}
	for i := range list {
		parts = append(parts, int64(i))
	}
	if single {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || n > int64(len(list)) {
			return nil, nil, nil, fail("no such file", "message %s has no file %.20q", short(m.ID), number)
		}
		parts = []int64{n - 1}
	}
	if len(parts) == 0 {
		return nil, nil, nil, fail("no such file", "message %s has no file", short(m.ID))
	}
	return m, list, parts, nil
}

func (d *Device) get(ctx context.Context, x *IO, name, dir string) error {
	m, list, parts, err := d.named(name)
	if err != nil {
		return err
	}
	for _, n := range parts {
		if err := d.Client.GetFile(m.ID, n, dir); err != nil {
			return getError(err)
		}
	}
	hosts := map[string]bool{}
	for _, f := range chosen(list, parts) {
		hosts[f.Host] = true
	}
	if err := d.watchFiles(ctx, x, m.ID, false, hosts, parts...); err != nil {
		return err
	}
	if list, err = d.filesOf(m.ID); err != nil {
		return err
	}
	for _, f := range chosen(list, parts) {
		if x.JSON {
			x.object(d.fileObject(f))
		}
	}
	return x.failed
}

func getError(err error) error {
	switch {
	case errors.Is(err, client.ErrFileGone):
		return fail("file gone", "%s", client.ErrFileGone)
	case errors.Is(err, client.ErrNoSuch):
		return fail("no such file", "%s", client.ErrNoSuch)
	}
	return pathError(err)
}

// File is a file as `files` and `get` print it.
type File struct {
	Type      string `json:"type"` // "file"
	ID        string `json:"id"`   // message, dot, number
	Room      string `json:"room"`
	From      string `json:"from"`
	Own       bool   `json:"own"`
	Name      string `json:"name"`       // safe to keep
	MediaType string `json:"media_type"` // as its sender says
	Size      uint64 `json:"size"`
	Width     uint32 `json:"width,omitempty"`
	Height    uint32 `json:"height,omitempty"`
	Sent      string `json:"sent"`
	Until     string `json:"until,omitempty"` // it can be had
	State     string `json:"state"`           // offered, waiting, moving, paused, stored, here, failed or expired
	Done      int64  `json:"done"`            // bytes on the way, of Total
	Total     int64  `json:"total"`
	Path      string `json:"path,omitempty"`
	Danger    string `json:"danger,omitempty"`
	Why       string `json:"why,omitempty"`
}

// FilePause stops files on their way for now.
type FilePause struct {
	ID []string `arg:"" help:"Files: a message's id, a dot and the file's number."`
	On bool     `name:"go-on" help:"Let them go on instead."`
}

// Run pauses them, or lets them go on.
func (o FilePause) Run(_ context.Context, d *Device, x *IO) error {
	return d.eachFile(o.ID, x, map[bool]string{true: "goes on", false: "paused"}[o.On], func(f client.FileInfo) error { return d.Client.PauseFile(f.Message, f.Part, !o.On) })
}

// FileCancel ends the fetching of files.
type FileCancel struct {
	ID []string `arg:"" help:"Files: a message's id, a dot and the file's number."`
}

// Run ends it.
func (o FileCancel) Run(_ context.Context, d *Device, x *IO) error {
	return d.eachFile(o.ID, x, "cancelled", func(f client.FileInfo) error { return d.Client.CancelFile(f.Message, f.Part) })
}

func (d *Device) eachFile(ids []string, x *IO, done string, f func(client.FileInfo) error) error {
	for _, name := range ids {
		_, list, parts, err := d.named(name)
		if err != nil {
			return err
		}
		one := list[parts[0]]
		if err := f(one); err != nil {
			return getError(err)
		}
		x.say(Done{"done", done, fileID(one)}, "%s %s", fileID(one), done)
	}
	return x.failed
}
