package app

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

func rooms(c *call, q api.RoomList) ([]api.Room, error) {
	v, err := c.viewer()
	if err != nil {
		return nil, err
	}
	if err := v.everybody(); err != nil {
		return nil, err
	}
	list, err := c.c.Overview(q.Archived)
	out := make([]api.Room, 0, len(list))
	for _, o := range list {
		out = append(out, v.room(o))
	}
	return out, err
}

// row answers a room as it is in the list.
func (c *call) row(id room.ID) (api.Room, error) {
	v, err := c.viewer()
	if err != nil {
		return api.Room{}, err
	}
	return v.row(id)
}

// detail answers everything about a room.
func (c *call) detail(id room.ID) (api.RoomDetail, error) {
	v, err := c.viewer()
	if err != nil {
		return api.RoomDetail{}, err
	}
	o, err := c.c.OverviewOf(id)
	if err != nil {
		return api.RoomDetail{}, err
	}
	if o.State == store.RoomMerged {
		return api.RoomDetail{}, client.ErrNoRoom
	}
	out := api.RoomDetail{Room: v.room(o), People: v.members(o.Members), Created: o.Created, TTL: int64(v.termsOf(id).TTL)}
	if out.Pins, err = v.pinList(id); err != nil {
		return out, err
	}
	if out.Links, err = c.links(id); err != nil {
		return out, err
	}
	back, err := c.c.Returns(id)
	if err != nil {
		return out, err
	}
	for _, k := range back {
		out.Waiting = append(out.Waiting, api.Knock{ID: returnID(k.ID), Returns: true, Handle: k.Handle, Account: text(k.Account[:]), Name: k.Name, Tint: tint(k.Account[:]), Time: k.Time})
	}
	knocks, err := c.c.Knocks(id)
	for _, k := range knocks {
		out.Waiting = append(out.Waiting, api.Knock{ID: strconv.FormatInt(k.ID, 10), Handle: k.Handle, Account: text(k.Account[:]), Name: k.Name, Tint: tint(k.Account[:]), Time: k.Time})
	}
	return out, err
}

func (v *viewer) pinList(id room.ID) (out []api.Message, err error) {
	list, err := v.c.Pins(id)
	for _, p := range list {
		m, err := v.find(p)
		if errors.Is(err, client.ErrGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, err
}

func (c *call) links(id room.ID) (out []api.Link, err error) {
	list, err := c.c.RoomLinks(id)
	for _, l := range list {
		x, err := linkOf(l)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, err
}

func linkOf(l client.RoomLink) (api.Link, error) {
	x, err := shareable(l.Link)
	x.ID, x.Until, x.Approve, x.Used = text(l.ID[:]), l.Until, l.Approve, int(l.Used)
	return x, err
}

// shareable is a link with its QR code.
func shareable(l wire.Link) (api.Link, error) {
	rows, err := qrRows(l.String())
	return api.Link{URL: l.String(), QR: rows, Until: int64(l.Until), Approve: l.Approve}, err
}

func roomDetail(c *call) (api.RoomDetail, error) {
	id, err := c.room()
	if err != nil {
		return api.RoomDetail{}, err
	}
	return c.detail(id)
}

func createRoom(c *call, in api.NewRoom) (api.Room, error) {
	if in.Disappear < 0 {
		return api.Room{}, malformed("disappear", "a disappearing time is not less than nothing")
	}
	id, err := c.c.CreateRoom(c.ctx, in.Title, in.With)
	if err == nil && in.Disappear != 0 {
		err = c.c.SetDisappear(c.ctx, text(id[:]), time.Duration(in.Disappear)*time.Second)
	}
	if err != nil {
		return api.Room{}, err
	}
	return c.row(id)
}

func notes(c *call) (api.Room, error) {
	id, err := c.c.Notes(c.ctx)
	if err != nil {
		return api.Room{}, err
	}
	return c.row(id)
}

func joinByLink(c *call, in api.JoinByLink) (api.Joined, error) {
	if err := c.openLink(in.Link); err != nil {
		return api.Joined{}, err
	}
	k, err := c.c.Knock(c.ctx, in.Link)
	out := api.Joined{Waiting: k.Waiting}
	if k.Room != nil {
		out.Room = text(k.Room[:])
	}
	return out, err
}

// inRoom does something in the room that the path names, and answers the room.
func (c *call) inRoom(f func(id room.ID, name string) error) (api.RoomDetail, error) {
	id, err := c.room()
	if err == nil {
		err = f(id, text(id[:]))
	}
	if err != nil {
		return api.RoomDetail{}, err
	}
	return c.detail(id)
}

func changeRoom(c *call, in api.RoomChange) (api.RoomDetail, error) {
	if in.Disappear != nil && (*in.Disappear < 0 || *in.Disappear > 366*24*3600) {
		return api.RoomDetail{}, malformed("disappear", "a disappearing time is between a second and a year, or 0")
	}
	return c.inRoom(func(id room.ID, name string) (err error) {
		if in.Title != nil {
			err = c.c.Rename(c.ctx, name, *in.Title)
		}
		if err == nil && in.Disappear != nil {
			err = c.c.SetDisappear(c.ctx, name, time.Duration(*in.Disappear)*time.Second)
		}
		if err == nil && in.Picture != nil {
			err = c.c.SetRoomPicture(c.ctx, id, *in.Picture)
		}
		return err
	})
}

func deleteRoom(c *call) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	return c.c.ForgetRoom(id)
}

func markRoom(c *call, in api.RoomMine) (api.Room, error) {
	id, err := c.room()
	if err == nil {
		err = c.c.SetMark(id, client.MarkChange{Pinned: in.Pinned, Archived: in.Archived, MarkUnread: in.MarkUnread, MutedUntil: in.MutedUntil, Draft: in.Draft})
	}
	if err != nil {
		return api.Room{}, err
	}
	return c.row(id)
}

func leaveRoom(c *call) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	return c.c.Leave(c.ctx, text(id[:]))
}

func clearRoom(c *call) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	return c.c.ClearRoom(id)
}

func addMembers(c *call, in api.AddMembers) (api.RoomDetail, error) {
	if len(in.Handles) == 0 || len(in.Handles) > wire.MaxAdds {
		return api.RoomDetail{}, malformed("handles", "1 to %d people are added at once", wire.MaxAdds)
	}
	return c.inRoom(func(_ room.ID, name string) error { return c.c.AddPeople(c.ctx, name, in.Handles) })
}

func removeMember(c *call) (api.RoomDetail, error) {
	return c.inRoom(func(_ room.ID, name string) error {
		handle, err := c.memberHandle()
		if err != nil {
			return err
		}
		return c.c.RemovePerson(c.ctx, name, handle)
	})
}

func setAdmin(c *call, in api.SetAdmin) (api.RoomDetail, error) {
	return c.inRoom(func(_ room.ID, name string) error {
		handle, err := c.memberHandle()
		if err != nil {
			return err
		}
		return c.c.SetAdmin(c.ctx, name, handle, in.Admin)
	})
}

// memberHandle is the handle of the person that the path names.
func (c *call) memberHandle() (string, error) {
	id, err := c.account()
	if err != nil {
		return "", err
	}
	h := c.c.Handle(id)
	if h == "" {
		return "", errNoPerson
	}
	return h, nil
}

var errNoLink = explain.Refuse("no such link", "this link is not one of yours, or is over")

// until is when a link of so many hours is over.
func (c *call) until(hours int64) (time.Time, error) {
	if hours < 1 || hours > 30*24 {
		return time.Time{}, malformed("hours", "a link lasts between an hour and 30 days")
	}
	return c.app.now().Add(time.Duration(hours) * time.Hour), nil
}

func createLink(c *call, in api.NewLink) (api.Link, error) {
	id, err := c.room()
	if err != nil {
		return api.Link{}, err
	}
	end, err := c.until(in.Hours)
	if err != nil {
		return api.Link{}, err
	}
	l, err := c.c.NewRoomLink(c.ctx, id, end, in.Approve)
	if err != nil {
		return api.Link{}, err
	}
	return linkOf(l)
}

func dropLink(c *call) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	var link room.LinkID
	if err := hexID("link", c.r.PathValue("link"), link[:]); err != nil {
		return err
	}
	list, err := c.c.RoomLinks(id)
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.ID == link {
			return c.c.DropRoomLink(c.ctx, id, link)
		}
	}
	return errNoLink
}

// returnID is how the interface calls the request of somebody who lost every device.
func returnID(n int64) string { return "return-" + strconv.FormatInt(n, 10) }

func answerKnock(c *call, in api.AnswerKnock) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	if back, err := c.c.Returns(id); err != nil {
		return err
	} else if i := slices.IndexFunc(back, func(k client.ReturnInfo) bool { return returnID(k.ID) == c.r.PathValue("knock") }); i >= 0 {
		return c.c.AnswerReturn(c.ctx, id, back[i].ID, in.Accept)
	}
	n, err := strconv.ParseInt(c.r.PathValue("knock"), 10, 64)
	if err != nil {
		return malformed("knock", "this is no id")
	}
	list, err := c.c.Knocks(id)
	if err != nil {
		return err
	}
	for _, k := range list {
		if k.ID == n {
			return c.c.AnswerKnock(c.ctx, n, in.Accept)
		}
	}
	return explain.Refuse("no such request", "nobody waits there any more")
}
