package command

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/wire"
)

// A link lasts between an hour and this long.
const maxLinkHours = 30 * 24

func until(hours int) (time.Time, error) {
	if hours < 1 || hours > maxLinkHours {
		return time.Time{}, Usage("a link lasts between an hour and 30 days: --hours 1 to %d", maxLinkHours)
	}
	return time.Now().Add(time.Duration(hours) * time.Hour), nil
}

var linkKinds = map[wire.LinkKind]string{wire.LinkAccount: "account", wire.LinkContact: "contact", wire.LinkRoom: "room"}

func linkOf(l wire.Link) Link {
	ms := int64(min(l.Until, 1<<60))
	return Link{
		Type: "link", URL: l.String(), Kind: linkKinds[l.Kind], Host: l.Host, Handle: l.Handle, Name: l.Name, Title: l.Title,
		Until: stamp(ms), Over: ms != 0 && ms <= time.Now().UnixMilli(), Approve: l.Approve,
	}
}

func roomLinkOf(l client.RoomLink) Link {
	o := linkOf(l.Link)
	o.ID, o.Used = hex.EncodeToString(l.ID[:]), int64(l.Used)
	return o
}

// MyLink makes a link by which people can write to this person, and register where the home
// server lets its people bring others in.
type MyLink struct {
	Hours int  `help:"How long it lasts, at most 720." default:"168" placeholder:"N"`
	NoQR  bool `name:"no-qr" help:"Draw no QR code."`
}

// Run makes it.
func (o MyLink) Run(ctx context.Context, d *Device, x *IO) error {
	end, err := until(o.Hours)
	if err != nil {
		return err
	}
	if err := d.sync(ctx, x); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	l, err := d.Client.NewContactLink(wait, end)
	if err != nil {
		return err
	}
	if err := x.showLink(linkOf(l), o.NoQR); err != nil || x.JSON {
		return err
	}
	if l.Kind == wire.LinkAccount {
		x.printf("One person may make an account at %s with it, and write to you. It lasts until %s.\n", line(l.Host), date(int64(l.Until)))
	} else {
		x.printf("Whoever opens it can write to you. It lasts until %s.\n", date(int64(l.Until)))
	}
	return x.failed
}

// showLink prints a link, for people with its QR code.
func (x *IO) showLink(l Link, bare bool) error {
	x.say(l, "%s", l.URL)
	if !x.JSON && !bare && x.failed == nil {
		art, err := qrText(l.URL, x.Terminal)
		if err != nil {
			return err
		}
		x.printf("%s", art)
	}
	return x.failed
}

// Inspect tells what an invitation link says. It asks nobody and spends nothing.
type Inspect struct {
	Link string `arg:"" help:"An invitation link."`
}

// Run prints it.
func (o Inspect) Run(_ context.Context, x *IO) error {
	l, err := wire.ParseLink(o.Link)
	if err != nil {
		return err
	}
	v := linkOf(l)
	v.URL = "" // who asks has it; its secret has no need to stand there once more
	if x.JSON {
		x.object(v)
		return x.failed
	}
	x.printf("kind    %s\nserver  %s\n", v.Kind, line(v.Host))
	for _, row := range [][2]string{{"from", v.Handle}, {"name", v.Name}, {"room", v.Title}, {"until", date(int64(min(l.Until, 1<<60)))}} {
		if row[1] != "" {
			x.printf("%-7s %s\n", row[0], line(row[1]))
		}
	}
	if v.Approve {
		x.printf("An admin has to say yes.\n")
	}
	if v.Over {
		x.printf("It is over: ask for a new one.\n")
	}
	return x.failed
}

// Join asks to come into the room that a link leads to.
type Join struct {
	Link string `arg:"" help:"An invitation link to a room."`
}

// Run asks. It is done when the room is entered, or its maker has the question.
func (o Join) Run(ctx context.Context, d *Device, x *IO) error {
	l, err := wire.ParseLink(o.Link)
	if err != nil {
		return err
	}
	if err := d.Client.OpenServer(l.Host, l.Pin); err != nil {
		return err
	}
	if err := d.sync(ctx, x); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, max(x.Timeout, joinWait))
	defer cancel()
	k, err := d.Client.Knock(wait, o.Link)
	if err != nil {
		return err
	}
	if k.Room == nil {
		if err := d.sync(ctx, x); err != nil {
			return notYet(err, "your question goes")
		}
		text := "asked: you are in when the device that made the link has answered"
		if l.Approve {
			text = "asked: you are in when an admin has said yes"
		}
		x.say(Joined{Type: "joined", Waiting: true}, "%s", text)
		return x.failed
	}
	x.say(Joined{Type: "joined", Room: roomText(*k.Room)}, "%s %s", roomText(*k.Room)[:8], line(l.Title))
	return x.failed
}

// joinWait is how long the device behind a link is waited for.
const joinWait = 20 * time.Second

// RoomLinkNew makes an invitation link to a room.
type RoomLinkNew struct {
	Room    string `arg:"" help:"A room." complete:"room"`
	Hours   int    `help:"How long it lasts, at most 720." default:"168" placeholder:"N"`
	Approve bool   `help:"An admin has to say yes to each who comes."`
	NoQR    bool   `name:"no-qr" help:"Draw no QR code."`
}

// Run makes it.
func (o RoomLinkNew) Run(ctx context.Context, d *Device, x *IO) error {
	end, err := until(o.Hours)
	if err != nil {
		return err
	}
	late := d.sync(ctx, x)
	id, err := d.find(o.Room)
	if err != nil {
		return errors.Join(late, err)
	}
	l, err := d.Client.NewRoomLink(ctx, id, end, o.Approve)
	if err != nil {
		return err
	}
	return x.showLink(roomLinkOf(l), o.NoQR)
}

// RoomLinks shows a room's links that this device made.
type RoomLinks struct {
	Room string `arg:"" help:"A room." complete:"room"`
}

// Run prints them.
func (o RoomLinks) Run(_ context.Context, d *Device, x *IO) error {
	id, err := d.find(o.Room)
	if err != nil {
		return err
	}
	list, err := d.Client.RoomLinks(id)
	if err != nil {
		return err
	}
	for _, l := range list {
		v := roomLinkOf(l)
		approve := ""
		if v.Approve {
			approve = " · an admin says yes"
		}
		x.say(v, "%s until %s · used %d times%s\n         %s", v.ID[:8], date(l.Until), v.Used, approve, v.URL)
	}
	return x.failed
}

// RoomUnlink ends an invitation link.
type RoomUnlink struct {
	Room string `arg:"" help:"A room." complete:"room"`
	Link string `arg:"" help:"The link's id or its beginning, as sotto room links shows it."`
}

// Run ends it.
func (o RoomUnlink) Run(ctx context.Context, d *Device, x *IO) error {
	id, err := d.find(o.Room)
	if err != nil {
		return err
	}
	list, err := d.Client.RoomLinks(id)
	if err != nil {
		return err
	}
	var found []room.LinkID
	for _, l := range list {
		if begins(hex.EncodeToString(l.ID[:]), o.Link) {
			found = append(found, l.ID)
		}
	}
	switch {
	case len(found) == 0:
		return fail("no such link", "there is no link %s to this room here", o.Link)
	case len(found) > 1:
		return fail("ambiguous", "several links begin with %s: give more of the id", o.Link)
	}
	if err := d.Client.DropRoomLink(ctx, id, found[0]); err != nil {
		return err
	}
	x.say(Done{"done", "unlinked", hex.EncodeToString(found[0][:])}, "nobody comes in by it any more")
	return x.failed
}

// begins says whether an id begins with what a person typed: four digits or more.
func begins(id, typed string) bool {
	return len(typed) >= 4 && len(typed) <= len(id) && id[:len(typed)] == typed
}

// RoomKnocks shows who came by a link and waits.
type RoomKnocks struct {
	Room string `arg:"" help:"A room." complete:"room"`
}

// Run prints them.
func (o RoomKnocks) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	id, err := d.find(o.Room)
	if err != nil {
		return errors.Join(late, err)
	}
	list, err := d.Client.Knocks(id)
	if err != nil {
		return err
	}
	back, err := d.Client.Returns(id)
	if err != nil {
		return err
	}
	for _, k := range back {
		v := Knock{Type: "knock", ID: k.ID, Room: roomText(id), Handle: k.Handle, Account: accountText(k.Account), Name: k.Name, Time: stamp(k.Time), Returns: true}
		x.say(v, "%s %s%s lost every device and has a new key: compare numbers first", clock(k.Time, 0), line(k.Handle), called(k.Name))
	}
	for _, k := range list {
		v := Knock{Type: "knock", ID: k.ID, Room: roomText(id), Handle: k.Handle, Account: accountText(k.Account), Name: k.Name, Time: stamp(k.Time)}
		x.say(v, "%s %s%s", clock(k.Time, 0), line(k.Handle), called(k.Name))
	}
	if len(list)+len(back) > 0 && !x.JSON {
		x.printf("Let in with sotto room admit %s HANDLE, or not with sotto room refuse.\n", line(o.Room))
	}
	return late
}

// called is a name that somebody gives themselves, behind their handle.
func called(name string) string {
	if name == "" {
		return ""
	}
	return " (" + line(name) + ")"
}

// RoomAdmit lets somebody in who waits.
type RoomAdmit struct {
	Room string `arg:"" help:"A room." complete:"room"`
	Who  string `arg:"" help:"The handle of who waits." complete:"person"`
}

// Run lets them in.
func (o RoomAdmit) Run(ctx context.Context, d *Device, x *IO) error {
	return d.answerKnock(ctx, o.Room, o.Who, true, x)
}

// RoomRefuse does not let somebody in who waits. They are not told.
type RoomRefuse struct {
	Room string `arg:"" help:"A room." complete:"room"`
	Who  string `arg:"" help:"The handle of who waits." complete:"person"`
}

// Run refuses.
func (o RoomRefuse) Run(ctx context.Context, d *Device, x *IO) error {
	return d.answerKnock(ctx, o.Room, o.Who, false, x)
}

func (d *Device) answerKnock(ctx context.Context, to, who string, accept bool, x *IO) error {
	late := d.sync(ctx, x)
	id, err := d.find(to)
	if err != nil {
		return errors.Join(late, err)
	}
	list, err := d.Client.Knocks(id)
	if err != nil {
		return err
	}
	back, err := d.Client.Returns(id)
	if err != nil {
		return err
	}
	type waiting struct {
		handle  string
		account identity.ID
		answer  func(context.Context) error
	}
	var all []waiting
	for _, k := range back {
		all = append(all, waiting{k.Handle, k.Account, func(ctx context.Context) error { return d.Client.AnswerReturn(ctx, id, k.ID, accept) }})
	}
	for _, k := range list {
		all = append(all, waiting{k.Handle, k.Account, func(ctx context.Context) error { return d.Client.AnswerKnock(ctx, k.ID, accept) }})
	}
	for _, k := range all {
		if k.handle != who && accountText(k.account) != who {
			continue
		}
		wait, cancel := context.WithTimeout(ctx, x.Timeout)
		defer cancel()
		err := k.answer(wait)
		if errors.Is(err, context.DeadlineExceeded) {
			return &Failure{Code: "queued", Text: who + " comes in when sotto next runs and reaches the server", Sort: explain.Unreachable}
		}
		if err != nil {
			return err
		}
		if err := d.sync(ctx, x); err != nil && accept {
			return notYet(err, "the invitation goes")
		}
		done := "refused"
		if accept {
			done = "admitted"
		}
		x.say(Done{"done", done, who}, "%s %s", done, line(who))
		return x.failed
	}
	if late != nil {
		return late
	}
	return fail("no such request", "%s does not wait at this room", who)
}
