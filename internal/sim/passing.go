package sim

import (
	"fmt"
	"slices"
	"time"

	"sotto/internal/wire"
)

// passage is a connection as the host that serves it sees it.
type passage struct {
	e     *Evil
	l     *line
	asked map[uint64]request // under way
	refs  map[uint32]wire.LogName
}

// request is what an answer will be to.
type request struct {
	op     wire.Op
	log    wire.LogName
	places []wire.Place // of a watch
}

// passing is a frame on its way: a request up, or an answer or event down. A trick may
// change it, drop it, hold it, or put others before it.
type passing struct {
	*passage
	op      wire.Op // of the request, also for its answer; of an event
	answer  bool
	log     wire.LogName // zero: none, or not known
	places  []wire.Place // of the watch that is answered
	frame   wire.Frame
	drop    bool
	wait    time.Duration
	altered bool
}

// ask takes a frame on its way up.
func (p *passage) ask(b []byte) {
	f, err := wire.DecodeFrame(b)
	if err != nil {
		p.l.toServer(b)
		return
	}
	x := &passing{passage: p, op: wire.Op(f.Number), frame: f}
	p.e.learn(x)
	r := request{op: x.op, log: x.log}
	if x.op == wire.OpWatch {
		r.places = body[wire.Watch](x).Places
	}
	p.asked[f.ID] = r
	x.meetTricks(func(a *assault) func(*passing) { return a.up })
	x.send(b, p.l.toServer)
}

// tell takes a frame on its way down.
func (p *passage) tell(b []byte) {
	f, err := wire.DecodeFrame(b)
	if err != nil {
		p.l.toDevice(b)
		return
	}
	x := &passing{passage: p, op: wire.Op(f.Number), frame: f}
	switch {
	case f.ID != 0:
		r := p.asked[f.ID]
		delete(p.asked, f.ID)
		x.op, x.log, x.places, x.answer = r.op, r.log, r.places, true
	case x.op == wire.EventEntry:
		x.log = p.refs[body[wire.EntryEvent](x).Ref]
	case x.op == wire.EventPart:
		x.log = p.refs[body[wire.PartEvent](x).Ref]
	case x.op == wire.EventEnded:
		x.log = p.refs[body[wire.EndedEvent](x).Ref]
	}
	x.meetTricks(func(a *assault) func(*passing) { return a.down })
	x.send(b, p.l.toDevice)
}

// meetTricks shows a frame to the attacks that concern it.
func (p *passing) meetTricks(of func(*assault) func(*passing)) {
	for _, a := range slices.Clone(p.e.under) {
		if f := of(a); f != nil && a.on(p.l.d) && (p.log == wire.LogName{} || a.at(p.log)) && !p.drop {
			f(p)
		}
	}
}

// send lets a frame go on.
func (p *passing) send(b []byte, on func([]byte)) {
	if p.drop {
		return
	}
	if p.altered {
		b = wire.Marshal(p.frame)
	}
	if p.wait > 0 {
		p.e.h.w.After(p.wait, func() { on(b) })
		return
	}
	on(b)
}

// is says whether this is the answer to a request, and not a refusal.
func (p *passing) is(op wire.Op) bool {
	return p.answer && p.op == op && p.frame.Number == uint16(wire.OK)
}

// event says whether this is an event.
func (p *passing) event(op wire.Op) bool { return !p.answer && p.frame.ID == 0 && p.op == op }

// body is what a frame carries.
func body[T any](p *passing) (v T) {
	_ = wire.Unmarshal(p.frame.Body, &v)
	return v
}

// change alters a frame's body.
func change[T any](p *passing, f func(*T)) {
	v := body[T](p)
	f(&v)
	p.frame.Body, p.altered = wire.Marshal(v), true
}

// refuse answers a request in the server's place, which does not get it.
func (p *passing) refuse(code wire.Code) {
	p.reply(code, wire.Failure{Sentence: fmt.Sprintf("no: %s", code)})
}

// reply answers a request in the server's place, or in the place of its answer.
func (p *passing) reply(code wire.Code, v any) {
	p.drop = true
	delete(p.asked, p.frame.ID)
	p.l.toDevice(wire.EncodeFrame(p.frame.ID, uint16(code), v))
}

// invent tells a device something that no honest host tells.
func (p *passage) invent(op wire.Op, v any) { p.l.toDevice(wire.EncodeFrame(0, uint16(op), v)) }
