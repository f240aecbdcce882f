package client

import (
	"encoding/binary"
	"slices"
	"time"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// factRetiring are the servers that have said that they will be switched off.
const factRetiring = "retiring"

const (
	mostRetiring = 64
	retireSpread = 6 * time.Hour // rooms do not all leave in one moment
)

// retiring is what a server says of itself.
type retiring struct {
	Host   string `cbor:"1,keyasint"`
	On     int64  `cbor:"2,keyasint"` // Unix milliseconds
	Reason string `cbor:"3,keyasint,omitempty"`
}

func (c *Client) loadRetiring(tx store.Tx) error {
	list, err := loadFact[[]retiring](tx, factRetiring)
	if err == nil && list != nil {
		c.retiring = *list
	}
	return err
}

// retiringOf is when a host will be switched off, as it says; nil: it does not say so.
func (c *Client) retiringOf(host string) *retiring {
	for i := range c.retiring {
		if c.retiring[i].Host == host {
			return &c.retiring[i]
		}
	}
	return nil
}

// hearRetiring takes what a server says of itself, and of no other; nil: nothing.
func (c *Client) hearRetiring(host string, r *wire.Retiring) {
	var says *retiring
	if r != nil && r.On != 0 && r.On < uint64(c.nowMS()+wire.MaxRetiring.Milliseconds()) {
		says = &retiring{Host: host, On: int64(r.On)}
		if len(r.Reason) <= wire.MaxReason && room.CheckStatus(r.Reason) == nil {
			says.Reason = r.Reason
		}
	}
	before := c.retiringOf(host)
	if says == nil && before == nil || says != nil && before != nil && *says == *before {
		return
	}
	next := slices.DeleteFunc(slices.Clone(c.retiring), func(x retiring) bool { return x.Host == host })
	if says != nil {
		next = append(next[max(0, len(next)+1-mostRetiring):], *says)
	}
	if err := c.write(func(tx store.Tx) error { return tx.SetFact(factRetiring, wire.Marshal(next)) }); err != nil {
		c.fail("keeping that a server will be switched off", err)
		return
	}
	c.retiring = next
	c.emit(Event{Kind: EventOnline, Text: host})
}

// retiringEvent takes the event in which a server says so.
func (c *Client) retiringEvent(l *link, f wire.Frame) {
	var r wire.Retiring
	if err := wire.Unmarshal(f.Body, &r); err != nil {
		l.fall(err)
		return
	}
	c.hearRetiring(l.host, &r)
}

// leaveRetiring has a room moved away in time from a host that will be switched off: by who may
// move it and has a home elsewhere, in order of rank. Rooms spread over some hours.
func (g *gen) leaveRetiring(tx store.Tx, now int64) error {
	r := g.c.retiringOf(g.Host)
	if r == nil || g.State != store.GenLive || g.group == nil || g.Host == g.c.self.Host || g.c.retiringOf(g.c.self.Host) != nil ||
		!g.ctx.IsAdmin(g.c.chain.ID()) || !g.c.isCurrentIn(tx, g) {
		return nil
	}
	wants, err := tx.Wants(g.Room)
	if err != nil || slices.ContainsFunc(wants, func(w store.Want) bool { return w.Kind == wantMoveKind }) {
		return err
	}
	spread := max(0, min(retireSpread.Milliseconds(), (r.On-now)/4))
	due := now + g.rank([]byte("retire")) + int64(binary.BigEndian.Uint16(g.Room[:2]))*spread/(1<<16)
	w := wantMove{Generation: g.Number, Reason: said.Of("why.retired").Text(), Whole: r.On}
	return tx.AddWant(store.Want{Room: g.Room, Kind: wantMoveKind, Body: wire.Marshal(w), Due: due})
}
