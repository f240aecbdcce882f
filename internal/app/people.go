package app

import (
	"sotto/internal/app/api"
	"sotto/internal/explain"
)

func requests(c *call) ([]api.Request, error) {
	list, err := c.c.Requests()
	v := newViewer(c.c)
	var out []api.Request
	for _, r := range list {
		out = append(out, api.Request{Account: text(r.Account[:]), Handle: r.Handle, Name: v.name(r.Account), Tint: tint(r.Account[:]), Room: text(r.Room[:]), Text: r.Text, Arrived: r.Arrived})
	}
	return out, err
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
	for _, r := range list {
		if r.Account != who {
			continue
		}
		switch in.Answer {
		case "accept":
			return c.c.Accept(c.ctx, r.Handle)
		case "block":
			return c.c.Block(r.Handle)
		}
		return malformed("answer", "the answer is accept, later or block")
	}
	return explain.Refuse("no such request", "nobody with this account waits")
}

func notices(c *call, q api.NoticeQuery) ([]api.Notice, error) {
	list, err := c.c.Notices(q.After)
	var out []api.Notice
	for _, n := range list {
		x := api.Notice{ID: n.ID, Kind: n.Kind, Time: n.Time, Text: n.Text}
		if n.Room != nil {
			x.Room = text(n.Room[:])
		}
		if q.Room == "" || q.Room == x.Room {
			out = append(out, x)
		}
	}
	return out, err
}

func told(c *call, in api.Told) error { return c.c.SetTold(in.Through) }
