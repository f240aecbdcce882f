package play

import (
	"fmt"
	"testing"

	"sotto/internal/client"
	"sotto/internal/room"
)

// calls calls the person with a handle.
func (p *Person) calls(to string) client.Call {
	p.w.T.Helper()
	id, err := p.Client.Resolve(to)
	if err != nil {
		p.w.T.Fatal(err)
	}
	v, err := p.Client.StartCall(client.NewCall{Room: id, SDP: SDP(p.Home + " calls")})
	if err != nil {
		p.w.T.Fatalf("%s calls %s: %v", p.Name, to, err)
	}
	return v
}

// answers takes a call.
func (p *Person) answers(id room.CallID) (client.Call, error) {
	return p.Client.AnswerCall(patient(p.w.T), id, SDP(p.Home+" answers"), "")
}

// call is a call as a person's device has it now.
func (p *Person) call(id room.CallID) client.Call {
	v, _ := p.Client.Call(id) // the zero one: it is not here
	return v
}

// until waits until a call is so on a person's device.
func (p *Person) until(id room.CallID, what string, so func(client.Call) bool) client.Call {
	p.w.T.Helper()
	var v client.Call
	p.Eventually(what, func() bool { v = p.call(id); return so(v) }, func() any { return fmt.Sprintf("%+v", v) })
	return v
}

func (p *Person) rings(id room.CallID) client.Call {
	p.w.T.Helper()
	return p.until(id, "rings", func(v client.Call) bool { return v.Rings })
}

func (p *Person) over(id room.CallID, end client.CallEnd) client.Call {
	p.w.T.Helper()
	return p.until(id, "over as "+string(end), func(v client.Call) bool { return v.Stage == client.StageOver && v.Ended != 0 && v.End == end })
}

func (p *Person) talks(id room.CallID) client.Call {
	p.w.T.Helper()
	return p.until(id, "talks", func(v client.Call) bool { return v.Stage == client.StageTalking && len(v.Words) == 2 })
}

// rows are what a conversation says of calls.
func (p *Person) rows(to string) (out []client.Shown) {
	p.w.T.Helper()
	id, err := p.Client.Resolve(to)
	if err != nil {
		p.w.T.Fatal(err)
	}
	page, err := p.Client.Page(id, client.PageQuery{})
	if err != nil {
		p.w.T.Fatal(err)
	}
	for _, s := range page.Messages {
		if s.Event == client.NoticeCall {
			out = append(out, s)
		}
	}
	return out
}

// tells is what its conversation says of the only call so far.
func (p *Person) tells(to, key string) client.Shown {
	p.w.T.Helper()
	var rows []client.Shown
	p.Eventually("tells "+key, func() bool { rows = p.rows(to); return len(rows) == 1 && rows[0].Said.Key == key }, func() any { return fmt.Sprintf("%+v", rows) })
	return rows[0]
}

// pairOf is a stage with Ana and Bo, who know each other.
func pairOf(t *testing.T) (w *World, ana, bo *Person) {
	w = New(t)
	ana, bo = w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	return w, ana, bo
}
