package command

import (
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mimi"
)

// view shows messages to a person, or as objects.
type view struct {
	d    *Device
	x    *IO
	only *room.ID
	last int64 // place of the last message that was looked at

	printed []mimi.MessageID // the last ones

	heading room.ID // the room whose name was printed last
	names   map[room.ID]string
}

// name is a room's name.
func (v *view) name(id room.ID) string {
	if n, ok := v.names[id]; ok {
		return n
	}
	v.names = map[room.ID]string{}
	rooms, err := v.d.Client.Rooms()
	if err != nil {
		return ""
	}
	for _, r := range rooms {
		v.names[r.ID] = r.Name
	}
	return v.names[id]
}

// show prints messages and marks them as seen. What acts on a message of the same list
// is shown at that message.
func (v *view) show(list []store.Message) error {
	if v.x.JSON {
		for _, m := range list {
			v.x.object(v.object(m))
		}
	} else {
		v.print(list)
	}
	if v.x.failed != nil {
		return v.x.failed // nobody saw them
	}
	return v.d.Client.Seen(list)
}

func (v *view) object(m store.Message) Message {
	self, _ := v.d.Client.Self()
	return Message{
		Type: "message", ID: m.ID.String(), Room: roomText(m.Room), RoomName: v.name(m.Room),
		From: v.d.Client.Handle(m.Account), Own: m.Account == self.Account,
		Kind: m.Kind.String(), Text: mimi.Written(m.Text), Target: target(m.Target),
		Sent: stamp(m.Sent), Arrived: stamp(m.Arrived), State: m.State.String(), Seen: seen(m),
		Edited: m.Flags&store.FlagEdited != 0, Deleted: m.Flags&store.FlagDeleted != 0, Expires: stamp(m.Expires),
	}
}

// acts says whether a message is there for what it does to another.
func acts(m store.Message) bool {
	switch m.Kind {
	case mimi.KindEdit, mimi.KindDelete, mimi.KindReaction, mimi.KindUnreact:
		return m.Target != nil
	}
	return false
}

func (v *view) print(list []store.Message) {
	here := map[mimi.MessageID]bool{}
	reactions := map[mimi.MessageID][]store.Message{}
	for _, m := range list {
		here[m.ID] = true
		if m.Kind == mimi.KindReaction && m.Target != nil && m.Flags&store.FlagDeleted == 0 {
			reactions[*m.Target] = append(reactions[*m.Target], m)
		}
	}
	for _, m := range list {
		if acts(m) && here[*m.Target] {
			continue
		}
		v.head(m.Room)
		v.message(m)
		for _, r := range reactions[m.ID] {
			v.x.printf(margin+"%s %s\n", line(r.Text), v.author(r))
		}
	}
}

// head prints a room's name when it is another one than before. Objects name theirs.
func (v *view) head(id room.ID) {
	if v.x.JSON || id == v.heading {
		return
	}
	v.heading = id
	v.x.printf("── %s ──\n", line(v.name(id)))
}

// margin is as wide as the time and the id before a message.
const margin = "               "

func (v *view) message(m store.Message) {
	v.x.printf("%s %s %s: %s%s\n", clock(max(m.Arrived, 0), m.Sent), short(m.ID), v.author(m), v.text(m), v.after(m))
	for _, f := range v.files(m) {
		v.x.printf(margin+"%s  %s, %s%s\n", fileID(f), line(f.Shown), size(f.Size), fileState(f))
	}
}

// files are those of a message.
func (v *view) files(m store.Message) []client.FileInfo {
	if m.Kind != mimi.KindAttachment && m.Kind != mimi.KindReply || m.Flags&store.FlagDeleted != 0 {
		return nil
	}
	list, err := v.d.Client.FilesOf(m.ID)
	if err != nil {
		return nil // it vanished meanwhile
	}
	return list
}

// clock is the time of a message: of its arrival, else by its sender's clock.
func clock(ms, otherwise int64) string {
	if ms == 0 {
		ms = otherwise
	}
	t := time.UnixMilli(ms)
	if now := time.Now(); t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format(" 15:04")
	}
	return t.Format("Jan _2")
}

func (v *view) author(m store.Message) string {
	if self, err := v.d.Client.Self(); err == nil && m.Account == self.Account {
		return "you"
	}
	return line(v.d.Client.Handle(m.Account))
}

func (v *view) text(m store.Message) string {
	to := ""
	if m.Target != nil {
		to = short(*m.Target)
	}
	body := block(mimi.Written(m.Text), margin)
	switch {
	case m.Kind == mimi.KindDelete:
		return "(took back " + to + ")"
	case m.Kind == mimi.KindUnreact:
		return "(took back a reaction)"
	case m.Flags&store.FlagDeleted != 0:
		return "(taken back)"
	case m.Kind == mimi.KindReply:
		return "(to " + to + ") " + body
	case m.Kind == mimi.KindEdit:
		return "(changed " + to + ") " + body
	case m.Kind == mimi.KindReaction:
		return "(to " + to + ") " + line(m.Text)
	case m.Kind == mimi.KindAttachment && len(v.files(m)) == 0:
		return strings.TrimSpace("(a file, which this version cannot open) " + body)
	case m.Kind == mimi.KindOther:
		return "(a message that this version cannot show)"
	}
	return body
}

// after is what follows a message on its line.
func (v *view) after(m store.Message) string {
	var out []string
	if m.Flags&store.FlagEdited != 0 && m.Flags&store.FlagDeleted == 0 {
		out = append(out, "edited")
	}
	if m.Expires != 0 {
		out = append(out, "vanishes "+time.UnixMilli(m.Expires).Format("Jan _2 15:04"))
	}
	if m.State != store.Received {
		out = append(out, m.State.String())
	}
	if len(out) == 0 {
		return ""
	}
	return " [" + strings.Join(out, ", ") + "]"
}

// notices prints those that were not shown before, or all.
func (v *view) notices(all bool) error {
	told, err := v.d.Client.Told()
	if err != nil {
		return err
	}
	from := told
	if all {
		from = 0
	}
	list, err := v.d.Client.Notices(from)
	if err != nil || len(list) == 0 {
		return err
	}
	for _, n := range list {
		o := Notice{Type: "notice", Kind: n.Kind, Time: stamp(n.Time), Text: n.Text}
		where := ""
		if n.Room != nil {
			o.Room = roomText(*n.Room)
			if name := v.name(*n.Room); name != "" {
				where = line(name) + ": "
			}
		}
		v.x.say(o, "%s ·        %s%s", clock(n.Time, 0), where, block(n.Text, margin))
	}
	if v.x.failed != nil {
		return v.x.failed
	}
	return v.d.Client.SetTold(max(told, list[len(list)-1].ID))
}
