package app

import (
	"net/http"
	"slices"
	"strings"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mimi"
)

var (
	errNoPerson  = explain.Refuse("no such person", "nobody with this account is known here")
	errNoPicture = explain.Refuse("no such picture", "there is no picture here")
	errNotYours  = explain.Refuse("not yours", "only who wrote a message can change it or take it back")
)

func (c *call) self() (api.Self, error) {
	s, err := c.c.Self()
	if err != nil {
		return api.Self{}, err
	}
	p, err := c.c.Profile()
	return api.Self{Account: text(s.Account[:]), Handle: s.Handle, Device: text(s.Device[:]), Name: p.Name, Status: p.Status, Picture: p.Picture}, err
}

func personOf(p client.Person) api.Person {
	out := api.Person{
		Account: text(p.Account[:]), Handle: p.Handle, Name: p.Name, Own: p.Own, Nickname: p.Nickname, Status: p.Status, Picture: p.Picture,
		Tint: tint(p.Account[:]), Contact: p.Standing == store.Contact, Blocked: p.Standing == store.Blocked,
		Compared: p.Compared, Changed: p.Changed != 0, Paused: p.Paused != 0, Here: p.Here,
	}
	if p.Room != nil {
		out.Room = text(p.Room[:])
	}
	return out
}

func people(c *call) ([]api.Person, error) {
	list, err := c.c.People()
	var out []api.Person
	for _, p := range list {
		out = append(out, personOf(p))
	}
	return out, err
}

func findPerson(c *call, in api.FindPerson) (api.Person, error) {
	if err := c.openLink(in.Handle); err != nil {
		return api.Person{}, err
	}
	p, err := c.c.Find(c.ctx, in.Handle)
	if err == nil && p == nil {
		err = errNoPerson
	}
	if err != nil {
		return api.Person{}, err
	}
	return personOf(*p), nil
}

// somebody is the person that the path names.
func (c *call) somebody() (*client.Person, error) {
	id, err := c.account()
	if err != nil {
		return nil, err
	}
	p, err := c.c.Person(id)
	if err == nil && p == nil {
		err = errNoPerson
	}
	return p, err
}

func person(c *call) (api.PersonDetail, error) {
	p, err := c.somebody()
	if err != nil {
		return api.PersonDetail{}, err
	}
	out := api.PersonDetail{Person: personOf(*p), Since: p.Since}
	if out.Number, err = c.c.SafetyNumber(p.Account); err != nil {
		return out, err
	}
	if out.QR, err = qrRows(strings.ReplaceAll(out.Number, " ", "")); err != nil {
		return out, err
	}
	devices, err := c.c.Devices(p.Account)
	if err != nil {
		return out, err
	}
	for _, d := range devices {
		out.Devices = append(out.Devices, api.Device{Name: d.Name, Added: d.Added, Self: d.Self})
	}
	changes, err := c.c.Changes(p.Account)
	if err != nil {
		return out, err
	}
	for _, x := range changes {
		out.Changes = append(out.Changes, api.Change{Time: x.Time, What: x.What, Text: x.Text})
	}
	v, err := c.viewer()
	if err != nil {
		return out, err
	}
	for _, id := range p.Rooms {
		row, err := v.row(id)
		if err != nil {
			return out, err
		}
		out.Rooms = append(out.Rooms, row)
	}
	return out, nil
}

func changePerson(c *call, in api.PersonChange) (api.PersonDetail, error) {
	p, err := c.somebody()
	if err != nil {
		return api.PersonDetail{}, err
	}
	if in.Nickname != nil {
		err = c.c.SetNickname(p.Account, *in.Nickname)
	}
	if err == nil && in.Contact != nil {
		err = c.c.SetContact(p.Account, *in.Contact)
	}
	if err == nil && in.Blocked != nil {
		err = c.c.SetBlocked(p.Account, *in.Blocked)
	}
	if err == nil && in.Compared != nil {
		err = c.c.SetCompared(p.Account, *in.Compared)
	}
	if err == nil && in.Send != nil && *in.Send {
		err = c.c.SendAnyway(p.Account)
	}
	if err != nil {
		return api.PersonDetail{}, err
	}
	return person(c)
}

func personPicture(c *call) error {
	return c.picture(func() ([]byte, error) {
		id, err := c.account()
		if err != nil {
			return nil, err
		}
		return c.c.Picture(id)
	})
}

// picture writes a picture that came from somebody: only as what it is, of three kinds, so
// that nothing else is ever shown from this origin.
func (c *call) picture(get func() ([]byte, error)) error {
	b, err := get()
	if err != nil {
		return err
	}
	kind := http.DetectContentType(b)
	if len(b) == 0 || !slices.Contains([]string{"image/png", "image/jpeg", "image/webp"}, kind) {
		return errNoPicture
	}
	c.wrote = true
	h := c.w.Header()
	h.Set("Content-Disposition", `inline; filename="picture"`)
	if c.r.URL.Query().Get("v") != "" { // named by its version, it never changes
		h.Set("Cache-Control", "private, max-age=86400, immutable")
	}
	write(c.w, c.r, kind, b)
	return nil
}

func requests(c *call) ([]api.Request, error) {
	list, err := c.c.Requests()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	v, err := c.viewer()
	if err != nil {
		return nil, err
	}
	var out []api.Request
	for _, r := range list {
		x, err := v.request(r)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// request is a stranger who wrote. The name is what they say of themselves.
func (v *viewer) request(r store.Invitation) (api.Request, error) {
	name := clean(r.Name)
	if name == "" {
		name, _, _ = strings.Cut(r.Handle, "@")
	}
	x := api.Request{Account: text(r.Account[:]), Handle: r.Handle, Name: name, Tint: tint(r.Account[:]), Room: text(r.Room[:]), Kind: api.RoomPair,
		Text: mimi.Written(r.Text), Arrived: r.Arrived, Later: r.Later}
	if i, err := room.ParseInvitation(r.Body); err == nil && i.Kind == room.Group {
		x.Kind, x.Title = api.RoomGroup, i.Title
	}
	p, err := v.c.Person(r.Account)
	if err != nil || p == nil {
		return x, err
	}
	if devices, err := v.c.Devices(r.Account); err == nil && len(devices) > 0 {
		x.Since = devices[0].Added
	}
	for _, id := range p.Rooms {
		if row, err := v.row(id); err == nil {
			x.Shared = append(x.Shared, row.Name)
		}
	}
	return x, nil
}

func answerRequest(c *call, in api.AnswerRequest) error {
	who, err := c.account()
	if err != nil {
		return err
	}
	list, err := c.c.Requests()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(r store.Invitation) bool { return r.Account == who })
	if i < 0 {
		return explain.Refuse("no such request", "nobody with this account waits")
	}
	switch in.Answer {
	case "accept":
		return c.accept(who, list[i].Handle)
	case "later":
		return c.c.Later(who)
	case "block":
		return c.c.BlockRequest(who)
	}
	return malformed("answer", "the answer is accept, later or block")
}

// accept lets a stranger in, if the server names the account for the handle that wrote.
func (c *call) accept(who identity.ID, handle string) error {
	return c.c.Accept(c.ctx, handle)
}

func noticeOf(n store.Notice) api.Notice {
	x := api.Notice{ID: n.ID, Kind: n.Kind, Time: n.Time, Text: n.Text, Said: api.SaidOf(n.Said)}
	if n.Room != nil {
		x.Room = text(n.Room[:])
	}
	return x
}

func notices(c *call, q api.NoticeQuery) ([]api.Notice, error) {
	only, err := inTheRoom("room", q.Room)
	if err != nil {
		return nil, err
	}
	list, err := c.c.Notices(q.After)
	var out []api.Notice
	for _, n := range list {
		if only == nil || n.Room != nil && *n.Room == *only {
			out = append(out, noticeOf(n))
		}
	}
	return out, err
}

func told(c *call, in api.Told) error {
	before, err := c.c.Told()
	if err != nil {
		return err
	}
	return c.c.SetTold(max(before, in.Through))
}
