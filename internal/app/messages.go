package app

import (
	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/internal/store"
	"sotto/mimi"
)

var errNoMessage = explain.Refuse("no such message", "this message is not here: it vanished, or never was")

func messages(c *call, q api.PageQuery) (api.Page, error) {
	id, err := c.room()
	if err != nil {
		return api.Page{}, err
	}
	list, err := c.c.Messages(&id, q.After, 100000)
	v := newViewer(c.c)
	var p api.Page
	for _, m := range list {
		if m.Kind == mimi.KindText || m.Kind == mimi.KindReply || m.Kind == mimi.KindAttachment || m.Kind == mimi.KindOther {
			p.Messages = append(p.Messages, v.message(m))
		}
	}
	return p, err
}

func seen(c *call, in api.Seen) error {
	id, err := c.room()
	if err != nil {
		return err
	}
	list, err := c.c.Messages(&id, 0, 100000)
	if err != nil {
		return err
	}
	return c.c.Seen(list)
}

func (c *call) compose(to string, compose client.Compose) (api.Message, error) {
	m, err := c.c.Send(c.ctx, to, compose)
	if err != nil {
		return api.Message{}, err
	}
	return newViewer(c.c).message(*m), nil
}

func send(c *call, in api.NewMessage) (api.Message, error) {
	compose := client.Text(in.Text)
	if in.Reply != "" {
		to, err := messageID("reply", in.Reply)
		if err != nil {
			return api.Message{}, err
		}
		compose = client.Reply(to, in.Text)
	}
	return c.compose(in.To, compose)
}

func (c *call) found() (*store.Message, error) {
	id, err := c.message()
	if err != nil {
		return nil, err
	}
	m, err := c.c.Message(id)
	if err == nil && m == nil {
		err = errNoMessage
	}
	return m, err
}

func message(c *call) (api.Message, error) {
	m, err := c.found()
	if err != nil {
		return api.Message{}, err
	}
	return newViewer(c.c).message(*m), nil
}

func edit(c *call, in api.EditMessage) (api.Message, error) {
	m, err := c.found()
	if err != nil {
		return api.Message{}, err
	}
	if _, err := c.c.Send(c.ctx, text(m.Room[:]), client.Edit(m.ID, in.Text)); err != nil {
		return api.Message{}, err
	}
	return message(c)
}

func deleteMessage(c *call, q api.DeleteQuery) error {
	m, err := c.found()
	if err != nil {
		return err
	}
	_, err = c.c.Send(c.ctx, text(m.Room[:]), client.Delete(m.ID))
	return err
}

func react(c *call, in api.React) (api.Message, error) {
	m, err := c.found()
	if err != nil {
		return api.Message{}, err
	}
	if _, err := c.c.Send(c.ctx, text(m.Room[:]), client.React(m.ID, in.Emoji)); err != nil {
		return api.Message{}, err
	}
	return message(c)
}
