package app

import (
	"errors"
	"time"
	"unicode/utf8"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/mimi"
)

func messages(c *call, q api.PageQuery) (api.Page, error) {
	id, err := c.room()
	if err != nil {
		return api.Page{}, err
	}
	if q.Limit < 0 || q.Limit > client.MaxPage {
		return api.Page{}, malformed("limit", "a page holds 1 to %d messages", client.MaxPage)
	}
	ask := client.PageQuery{Before: q.Before, After: q.After, Date: q.Date, Unread: q.Unread, Limit: q.Limit}
	places := 0
	for _, given := range []bool{q.Before != 0, q.After != 0, q.Around != "", q.Date != 0, q.Unread} {
		if given {
			places++
		}
	}
	if places > 1 || q.Before < 0 || q.After < 0 || q.Date < 0 {
		return api.Page{}, malformed("", "one of before, after, around, date and unread says where")
	}
	if q.Around != "" {
		around, err := messageID("around", q.Around)
		if err != nil {
			return api.Page{}, err
		}
		ask.Around = &around
	}
	v, err := c.viewer()
	if err != nil {
		return api.Page{}, err
	}
	p, err := c.c.Page(id, ask)
	out := api.Page{MoreBefore: p.MoreBefore, MoreAfter: p.MoreAfter, FirstUnread: idText(p.FirstUnread), Target: idText(p.Target)}
	for _, s := range p.Messages {
		out.Messages = append(out.Messages, v.message(s))
	}
	return out, err
}

func idText(id *mimi.MessageID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

func seen(c *call, in api.Seen) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	if in.Through == "" {
		return c.c.SeenThrough(id, nil)
	}
	if notice, ok := noticeID(in.Through); ok {
		err = c.c.SeenThroughEvent(id, notice)
	} else {
		var through mimi.MessageID
		if through, err = messageID("through", in.Through); err != nil {
			return err
		}
		err = c.c.SeenThrough(id, &through)
	}
	if !errors.Is(err, client.ErrGone) {
		return err
	}
	return nil // it vanished while a window showed it: the next look tells of another one
}

func typing(c *call, in api.Typing) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	return c.c.SetTyping(id, in.On)
}

// maxText is how long a message may be: what its entry holds besides.
const maxText = mimi.MaxMessage

// composing checks a text that is to be sent.
func composing(text string) error {
	switch {
	case text == "":
		return malformed("text", "an empty message says nothing")
	case len(text) > maxText:
		return client.ErrTooLong
	case !utf8.ValidString(text):
		return malformed("text", "this is not text")
	}
	return nil
}

// write sends something to a room or a person, and answers it as it stands there.
func (c *call) write(to string, compose client.Compose) (api.Message, error) {
	m, err := c.c.Send(c.ctx, to, compose)
	if err != nil {
		return api.Message{}, err
	}
	v, err := c.viewer()
	if err != nil {
		return api.Message{}, err
	}
	return v.find(m.ID)
}

func send(c *call, in api.NewMessage) (api.Message, error) {
	if err := composing(in.Text); err != nil {
		return api.Message{}, err
	}
	compose := client.Text(in.Text)
	if in.Reply != "" {
		to, err := messageID("reply", in.Reply)
		if err != nil {
			return api.Message{}, err
		}
		compose = client.Reply(to, in.Text)
	}
	if in.Forwarded {
		compose = c.c.Forwarded(compose)
	}
	switch {
	case in.Expire < 0 || in.Expire > 366*24*3600:
		return api.Message{}, malformed("expire", "a message expires after a second to a year")
	case in.Expire > 0:
		compose = client.Expiring(compose, c.app.now().Add(time.Duration(in.Expire)*time.Second))
	}
	return c.write(in.To, compose)
}

// found is the message that the path names, as it stands in its conversation.
func (c *call) found() (*client.Shown, error) {
	id, err := c.message()
	if err != nil {
		return nil, err
	}
	s, err := c.c.Shown(id)
	if err == nil && s == nil {
		err = client.ErrGone
	}
	return s, err
}

// again answers the message of the path anew, after a change.
func (c *call) again(id mimi.MessageID, err error) (api.Message, error) {
	if err != nil {
		return api.Message{}, err
	}
	v, err := c.viewer()
	if err != nil {
		return api.Message{}, err
	}
	return v.find(id)
}

func message(c *call) (api.Message, error) {
	id, err := c.message()
	return c.again(id, err)
}

// own is the message of the path, which has to be one's own.
func (c *call) own() (*client.Shown, error) {
	s, err := c.found()
	if err != nil {
		return nil, err
	}
	self, err := c.c.Self()
	if err == nil && s.Account != self.Account {
		err = errNotYours
	}
	return s, err
}

func edit(c *call, in api.EditMessage) (api.Message, error) {
	if err := composing(in.Text); err != nil {
		return api.Message{}, err
	}
	s, err := c.own()
	if err != nil {
		return api.Message{}, err
	}
	_, err = c.c.Send(c.ctx, text(s.Room[:]), client.Edit(s.ID, in.Text))
	return c.again(s.ID, err)
}

func deleteMessage(c *call, q api.DeleteQuery) error {
	if q.Here {
		s, err := c.found()
		if err != nil {
			return err
		}
		return c.c.DeleteHere(s.ID)
	}
	s, err := c.own()
	if err != nil {
		return err
	}
	_, err = c.c.Send(c.ctx, text(s.Room[:]), client.Delete(s.ID))
	return err
}

func react(c *call, in api.React) (api.Message, error) {
	if len(in.Emoji) > 64 {
		return api.Message{}, malformed("emoji", "this is more than an emoji")
	}
	s, err := c.found()
	if err != nil {
		return api.Message{}, err
	}
	_, err = c.c.ReactTo(c.ctx, s.ID, in.Emoji)
	return c.again(s.ID, err)
}

func star(c *call, in api.SetOn) (api.Message, error) {
	id, err := c.message()
	if err == nil {
		err = c.c.Star(id, in.On)
	}
	return c.again(id, err)
}

func pin(c *call, in api.SetOn) (api.Message, error) {
	s, err := c.found()
	if err != nil {
		return api.Message{}, err
	}
	return c.again(s.ID, c.c.Pin(c.ctx, s.ID, in.On))
}

// maxForward is to how many a message is passed on at once.
const maxForward = 20

func forward(c *call, in api.Forward) ([]api.Message, error) {
	if len(in.To) == 0 || len(in.To) > maxForward {
		return nil, malformed("to", "a message goes to 1 to %d at once", maxForward)
	}
	s, err := c.found()
	if err != nil {
		return nil, err
	}
	if s.Text == "" {
		return nil, client.ErrGone
	}
	var out []api.Message
	for _, to := range in.To {
		m, err := c.write(to, c.c.Forwarded(client.Text(mimi.Written(s.Text))))
		if err != nil {
			return out, err
		}
		out = append(out, m)
	}
	return out, nil
}

func retry(c *call) (api.Message, error) {
	id, err := c.message()
	if err != nil {
		return api.Message{}, err
	}
	m, err := c.c.Retry(c.ctx, id)
	if err != nil {
		return api.Message{}, err
	}
	return c.again(m.ID, nil)
}

// roomPicture is a room's picture; of a conversation of two the other person's.
func roomPicture(c *call) error {
	return c.picture(func() ([]byte, error) {
		id, err := c.room()
		if err != nil {
			return nil, err
		}
		o, err := c.c.OverviewOf(id)
		if err != nil {
			return nil, err
		}
		if o.Peer != nil {
			return c.c.Picture(*o.Peer)
		}
		return c.c.RoomPicture(id)
	})
}

// inTheRoom is the room a query names, nil for none.
func inTheRoom(field, hex string) (*room.ID, error) {
	if hex == "" {
		return nil, nil
	}
	id, err := roomID(field, hex)
	return &id, err
}
