package client

import (
	"maps"
	"slices"

	"sotto/internal/wire"
)

// credit is how many bytes of entries a host may send ahead of what was processed.
const credit = 4 << 20

// hostLink is the link to a host's logs, made when it is first needed.
func (c *Client) hostLink(name string) *link {
	l := c.hosts[name]
	if l == nil {
		l = c.newLink(name, "/v1/log")
		c.hosts[name] = l
		l.hello = func(wire.Hello) { l.ready() }
		l.opened = func() { c.watchHost(l) }
		l.event = func(f wire.Frame) { c.hostEvent(l, f) }
		l.lost = func() { c.hostLost(l) }
	}
	l.connect()
	return l
}

func (c *Client) sortedHosts() []*link {
	var out []*link
	for _, name := range slices.Sorted(maps.Keys(c.hosts)) {
		out = append(out, c.hosts[name])
	}
	return out
}

// mayBePrivate says whether a host may have an address in a private range: the home
// server, since the person chose it, and those that were that, those of links that the person opened by hand, and
// those that Options name.
func (c *Client) mayBePrivate(host string) bool {
	return host == c.self.Host || c.wasHome(host) || slices.Contains(c.opens, host) || slices.Contains(c.o.PrivateHosts, host) || slices.Contains(c.o.PrivateHosts, "*")
}

// hostEvent takes an event of /v1/log.
func (c *Client) hostEvent(l *link, f wire.Frame) {
	var err error
	switch wire.Op(f.Number) {
	case wire.EventEntry:
		var e wire.EntryEvent
		if err = wire.Unmarshal(f.Body, &e); err == nil {
			c.entryEvent(l, e)
		}
	case wire.EventPart:
		var e wire.PartEvent
		if err = wire.Unmarshal(f.Body, &e); err == nil {
			err = c.partEvent(l, e)
		}
	case wire.EventEnded:
		var e wire.EndedEvent
		if err = wire.Unmarshal(f.Body, &e); err == nil {
			c.endedEvent(e)
		}
	case wire.EventSignal:
		var e wire.SignalEvent
		if err = wire.Unmarshal(f.Body, &e); err == nil {
			c.signalEvent(e)
		}
	case wire.EventRetiring:
		c.retiringEvent(l, f)
	default:
		err = wire.Refuse(wire.CodeUnknownOp, "%s sent an event that this program does not know", l.host)
	}
	if err != nil {
		l.fall(err)
	}
}

func (c *Client) partEvent(l *link, e wire.PartEvent) error {
	g := c.refs[e.Ref]
	if g == nil || !g.watching {
		c.giveCredit(l, uint64(len(e.Piece)))
		return nil
	}
	if int(e.Index) != g.parts || len(g.front)+len(e.Piece) > wire.MaxSwap {
		return wire.Refuse(wire.CodeOrder, "the pieces of an entry came out of order")
	}
	g.parts++
	g.front = append(g.front, e.Piece...)
	return nil
}

func (c *Client) entryEvent(l *link, e wire.EntryEvent) {
	g := c.refs[e.Ref]
	if g == nil || !g.watching {
		c.giveCredit(l, uint64(len(e.Entry.Bytes)))
		return
	}
	if int(e.Parts) != g.parts {
		l.fall(wire.Refuse(wire.CodeOrder, "the pieces of an entry are not all there"))
		return
	}
	if e.Parts > 0 {
		e.Entry.Bytes = append(g.front, e.Entry.Bytes...)
		g.front, g.parts = nil, 0
	}
	g.queue = append(g.queue, e.Entry)
	g.schedule()
}

func (c *Client) endedEvent(e wire.EndedEvent) {
	g := c.refs[e.Ref]
	if g == nil {
		return
	}
	g.ended = e.Code
	g.schedule()
}

// hostLost ends the watching of everything at a host.
func (c *Client) hostLost(l *link) {
	for _, g := range c.sortedGens() {
		if g.Host == l.host {
			g.unwatch()
		}
	}
}
