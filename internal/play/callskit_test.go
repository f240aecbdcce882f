package play

import (
	"fmt"
	"testing"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/wire"
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

// say appends an entry about a call, or anything else, as a member with the keys can.
func (m *Mallory) say(kind room.PayloadKind, body any) {
	m.t.Helper()
	m.sayBytes(kind, wire.Marshal(body))
}

func (m *Mallory) sayBytes(kind room.PayloadKind, body []byte) {
	m.t.Helper()
	p := room.Payload{Kind: kind, Body: body, Seq: m.Gen.Seq, Chain: m.Gen.Chain, TimeMS: uint64(m.clock.Now().UnixMilli())}
	msg, _, err := m.Group.Seal(nil, wire.Marshal(p))
	if err == nil {
		err = m.Append(m.Seal(room.Inner{Message: msg}), nil)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// hearsNoCall waits until a device has read what others have written, and says that no call rings
// or stands anywhere.
func (p *Person) hearsNoCall() {
	p.w.T.Helper()
	p.Sync()
	live, err := p.Client.Calls()
	past, err2 := p.Client.CallsPast(nil, 10)
	if err != nil || err2 != nil || len(live) != 0 || len(past) != 0 {
		p.w.T.Fatalf("%s: %+v %+v %v %v", p.Name, live, past, err, err2)
	}
}

// keeper keeps back what a server shows of its logs.
type keeper struct {
	b     *Between
	lines []*Line
	list  []wire.Frame
}

// keep begins to keep entries back.
func (b *Between) keep() *keeper {
	k := &keeper{b: b}
	b.Down(func(p *Passing) {
		if p.event(wire.EventEntry) {
			k.lines, k.list, p.Drop = append(k.lines, p.Line), append(k.list, p.Frame), true
		}
	})
	return k
}

func (k *keeper) count() (n int) {
	k.b.with(func() { n = len(k.list) })
	return n
}

// release gives what was kept, as having arrived at a time; 0: as it did.
func (k *keeper) release(at uint64) {
	k.b.with(func() {
		for i, f := range k.list {
			p := &Passing{Line: k.lines[i], Frame: f}
			if at != 0 {
				change(p, func(e *wire.EntryEvent) { e.Entry.TimeMS = at })
			}
			p.Tell(p.Frame)
		}
		k.b.honest()
	})
}
