package command

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/internal/room"
	"sotto/internal/store"
)

// Rooms lists the conversations: pinned ones first, then the one where something was said
// last.
type Rooms struct {
	Archived bool `help:"Those that were put away, instead of the others."`
}

// Run prints them.
func (o Rooms) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	list, err := d.Client.Overview(o.Archived)
	if err != nil {
		return err
	}
	terms, err := d.Client.AllTerms()
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b client.Overview) int {
		switch {
		case a.Mark.Pinned == b.Mark.Pinned:
			return 0
		case a.Mark.Pinned:
			return -1
		}
		return 1
	})
	for _, r := range list {
		o := d.overviewOf(r, terms[r.ID])
		x.say(o, "%s %s · %s%s", o.ID[:8], line(o.Name), people(len(o.Members)), aside(o))
	}
	return late
}

// aside is what a line of the list says besides.
func aside(o Room) (out string) {
	for _, part := range []struct {
		on   bool
		text string
	}{
		{o.Unread > 0, count(int(o.Unread), "unread")}, {o.Mentions > 0, "names you"}, {o.MarkUnread && o.Unread == 0, "marked as unread"},
		{o.Knocks > 0, people(o.Knocks) + " waiting"}, {o.Draft != "", "draft"},
		{o.Pinned, "pinned"}, {o.MutedUntil != "", "muted"}, {o.State != "active", o.State},
	} {
		if part.on {
			out += " · " + part.text
		}
	}
	return out
}

func count(n int, what string) string { return strconv.Itoa(n) + " " + what }

func people(n int) string { return count(n, plural(n, "person", "people")) }

var roomStates = map[store.RoomState]string{store.RoomActive: "active", store.RoomLeft: "left", store.RoomRemoved: "removed", store.RoomMerged: "merged"}

func roomOf(r client.RoomInfo) Room {
	o := Room{Type: "room", ID: roomText(r.ID), Name: r.Name, Kind: "group", State: roomStates[r.State], Host: r.Host, Unread: r.Unseen, Members: []Member{}}
	if r.Kind == room.Pair {
		o.Kind = "pair"
	}
	if r.Kind == room.Self {
		o.Kind = "self"
	}
	for _, m := range r.Members {
		o.Members = append(o.Members, Member{Handle: m.Handle, Admin: m.Admin, Self: m.Self})
	}
	slices.SortFunc(o.Members, func(a, b Member) int { return strings.Compare(a.Handle, b.Handle) })
	return o
}

// overviewOf is roomOf with what the room is to this person and what holds in it.
func (d *Device) overviewOf(r client.Overview, t client.Terms) Room {
	o := roomOf(r.RoomInfo)
	if r.Kind == room.Self && o.Name == "" {
		o.Name = notesName
	}
	m := r.Mark
	o.Pinned, o.Archived, o.MarkUnread, o.Draft, o.Mentions = m.Pinned, m.Archived, m.MarkUnread, m.Draft, r.Mentions
	switch {
	case m.MutedUntil < 0:
		o.MutedUntil = forever
	case m.Muted(time.Now().UnixMilli()):
		o.MutedUntil = stamp(m.MutedUntil)
	}
	o.Disappear, o.Picture, o.Knocks = int64(t.Disappear), t.Picture != "", t.Knocks
	return o
}

// notesName stands for the name that the room of notes does not have.
const notesName = "Notes"

// forever is a time without an end, where people type one.
const forever = "forever"

func (d *Device) room(id room.ID) (client.RoomInfo, error) {
	list, err := d.Client.Rooms()
	if err != nil {
		return client.RoomInfo{}, err
	}
	i := slices.IndexFunc(list, func(r client.RoomInfo) bool { return r.ID == id })
	if i < 0 {
		return client.RoomInfo{}, client.ErrNoRoom
	}
	return list[i], nil
}

// RoomShow tells who is in a room.
type RoomShow struct {
	Room string `arg:"" help:"A room or a person." complete:"room"`
}

// Run prints the room.
func (o RoomShow) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	id, err := d.find(o.Room)
	if err != nil {
		return errors.Join(late, err)
	}
	if err := d.showRoom(id, x); err != nil {
		return err
	}
	return late
}

func (d *Device) showRoom(id room.ID, x *IO) error {
	r, err := d.Client.OverviewOf(id)
	if err != nil {
		return err
	}
	t, err := d.Client.Terms(id)
	if err != nil {
		return err
	}
	pins, err := d.Client.Pins(id)
	if err != nil {
		return err
	}
	o := d.overviewOf(r, t)
	o.Pins = len(pins)
	if x.JSON {
		x.object(o)
		return x.failed
	}
	x.printf("%s\nid     %s\nserver %s\nstate  %s\n", line(o.Name), o.ID, o.Host, o.State)
	for _, row := range []struct {
		on          bool
		name, value string
	}{
		{o.Disappear != 0, "vanish", spanText(time.Duration(o.Disappear)*time.Second) + " after reading"},
		{o.Pins > 0, "pinned", count(o.Pins, plural(o.Pins, "message", "messages")) + ": sotto pins " + o.ID[:8]},
		{o.Knocks > 0, "waiting", people(o.Knocks) + ": sotto room knocks " + o.ID[:8]},
		{o.MutedUntil != "", "muted", mutedText(r.Mark.MutedUntil)},
		{o.Archived, "list", "archived"}, {o.Pinned, "list", "pinned"},
		{o.Draft != "", "draft", block(o.Draft, "       ")},
	} {
		if row.on {
			x.printf("%-6s %s\n", row.name, row.value)
		}
	}
	for _, m := range o.Members {
		role := "member"
		if m.Admin {
			role = "admin "
		}
		self := ""
		if m.Self {
			self = " (you)"
		}
		x.printf("%s %s%s\n", role, line(m.Handle), self)
	}
	return x.failed
}

func mutedText(until int64) string {
	if until < 0 {
		return "for ever"
	}
	return "until " + date(until)
}

// RoomCreate makes a room.
type RoomCreate struct {
	Name string   `arg:"" help:"What it is called."`
	With []string `help:"Handles of the people in it, separated by commas." placeholder:"HANDLE" complete:"person"`

	Disappear string `help:"Let messages vanish this long after they were read." placeholder:"DURATION"`
}

// Run makes the room and invites.
func (o RoomCreate) Run(ctx context.Context, d *Device, x *IO) error {
	after, err := disappearing(o.Disappear)
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	id, err := d.Client.CreateRoom(wait, o.Name, o.With)
	if err == nil && after != 0 {
		err = d.Client.SetDisappear(wait, roomText(id), after)
	}
	if err != nil {
		return err
	}
	late := d.sync(ctx, x)
	if x.JSON {
		err = d.showRoom(id, x)
	} else {
		x.printf("%s %s\n", roomText(id), line(o.Name))
	}
	if err == nil && late != nil {
		return notYet(late, "the room is made, and people are invited,")
	}
	return err
}

// notYet is a change that is kept and waits for a server.
func notYet(why error, what string) error {
	return &Failure{Code: "queued", Text: what + " when sotto next runs and reaches the server: " + Explain(why).Text, Sort: explain.Unreachable}
}

// change runs a change of a room and waits until it is made.
func (d *Device) change(ctx context.Context, to string, x *IO, done, name string, f func(ctx context.Context, id string) error) error {
	if err := d.sync(ctx, x); err != nil && ctx.Err() != nil {
		return err
	}
	id, err := d.find(to)
	if err != nil {
		return err
	}
	at := d.home(id)
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	var down error
	stop := d.whenDown(func(host string) bool { return at.hosts[host] }, func(err error) { down = err; cancel() })
	err = f(wait, roomText(id))
	stop()
	switch {
	case err != nil && down != nil:
		return notYet(down, "the change is made")
	case errors.Is(err, context.DeadlineExceeded):
		return notYet(err, "the change is made")
	case err != nil && Explain(err).Code == "failed":
		return fail("change refused", "%s", err)
	case err != nil:
		return err
	}
	if err := d.sync(ctx, x); err != nil { // what goes along: invitations
		return notYet(err, "the change is made; people hear of it")
	}
	x.say(Done{"done", done, name}, "%s", line(strings.TrimSpace(done+" "+name)))
	return nil
}
