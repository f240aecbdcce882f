package app

import (
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
)

func lockAfter(*client.Client) int { return 0 }

func (a *App) presence(bool) {}

func (c *call) self() (api.Self, error) {
	s, err := c.c.Self()
	return api.Self{Account: text(s.Account[:]), Handle: s.Handle, Device: text(s.Device[:])}, err
}

func (c *call) unread() (n int64, err error) {
	list, err := c.c.Rooms()
	for _, r := range list {
		n += r.Unseen
	}
	return n, err
}

func invitationCode(s string) (string, error) { return s, nil }

func rooms(c *call, _ api.RoomList) ([]api.Room, error) {
	list, err := c.c.Rooms()
	v := newViewer(c.c)
	var out []api.Room
	for _, r := range list {
		out = append(out, v.roomOf(r))
	}
	return out, err
}

func (c *call) detail(hex string) (api.RoomDetail, error) {
	id, err := roomID("room", hex)
	if err != nil {
		return api.RoomDetail{}, err
	}
	v := newViewer(c.c)
	row, err := v.row(id)
	if err != nil {
		return api.RoomDetail{}, err
	}
	out := api.RoomDetail{Room: row}
	list, err := c.c.Rooms()
	for _, r := range list {
		if r.ID != id {
			continue
		}
		out.Created = r.Created
		for _, m := range r.Members {
			out.People = append(out.People, api.Member{Account: text(m.Account[:]), Handle: m.Handle, Name: v.name(m.Account), Tint: tint(m.Account[:]), Admin: m.Admin, Self: m.Self})
		}
	}
	return out, err
}

func roomDetail(c *call) (api.RoomDetail, error) { return c.detail(c.r.PathValue("room")) }

func createRoom(c *call, in api.NewRoom) (api.Room, error) {
	id, err := c.c.CreateRoom(c.ctx, in.Title, in.With)
	if err != nil {
		return api.Room{}, err
	}
	return newViewer(c.c).row(id)
}

func changeRoom(c *call, in api.RoomChange) (api.RoomDetail, error) {
	id, err := c.room()
	if err == nil && in.Title != nil {
		err = c.c.Rename(c.ctx, text(id[:]), *in.Title)
	}
	if err == nil && in.Disappear != nil {
		err = c.c.SetDisappear(c.ctx, text(id[:]), time.Duration(*in.Disappear)*time.Second)
	}
	if err != nil {
		return api.RoomDetail{}, err
	}
	return roomDetail(c)
}

func leaveRoom(c *call) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	return c.c.Leave(c.ctx, text(id[:]))
}

func addMembers(c *call, in api.AddMembers) (api.RoomDetail, error) {
	id, err := c.room()
	if err == nil {
		err = c.c.AddPeople(c.ctx, text(id[:]), in.Handles)
	}
	if err != nil {
		return api.RoomDetail{}, err
	}
	return roomDetail(c)
}

func removeMember(c *call) (api.RoomDetail, error) {
	id, err := c.room()
	if err != nil {
		return api.RoomDetail{}, err
	}
	who, err := c.account()
	if err == nil {
		err = c.c.RemovePerson(c.ctx, text(id[:]), c.c.Handle(who))
	}
	if err != nil {
		return api.RoomDetail{}, err
	}
	return roomDetail(c)
}

func setAdmin(c *call, in api.SetAdmin) (api.RoomDetail, error) {
	id, err := c.room()
	if err != nil {
		return api.RoomDetail{}, err
	}
	who, err := c.account()
	if err == nil {
		err = c.c.SetAdmin(c.ctx, text(id[:]), c.c.Handle(who), in.Admin)
	}
	if err != nil {
		return api.RoomDetail{}, err
	}
	return roomDetail(c)
}
