package doctor

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// natKinds says of each family in which STUN answered what stands in between. A socket asks
// STUN for its address, and sends a packet to an address held at the relay, which tells
// where that came from: the same, or not. So one server with two ports is enough to tell a
// mapping that depends on the port from one that does not.
func (r *Report) natKinds(ctx context.Context, o Options) {
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Way != STUN || !c.Works {
			continue
		}
		c.NAT = o.natKind(ctx, place{STUN, hostOf(c.At), portOf(c.At)}, r.working(o, c.Family), c.Family)
	}
}

// working is a way to the relay that works, nil if none does.
func (r *Report) working(o Options, f Family) *place {
	for _, u := range o.URLs {
		if p, ok := target(u, o.Host); ok && p.way != STUN && r.works(p.way, f) {
			return &p
		}
	}
	return nil
}

func (r *Report) works(w Way, f Family) bool {
	for _, c := range r.Checks {
		if c.Way == w && c.Family == f {
			return c.Works
		}
	}
	return false
}

func hostOf(at string) string {
	host, _, _ := net.SplitHostPort(at)
	return host
}

func portOf(at string) string {
	_, port, _ := net.SplitHostPort(at)
	return port
}

// natKind is "" when the relay does not tell: it may not be reached from here by itself.
func (o Options) natKind(ctx context.Context, stun place, relay *place, f Family) NAT {
	ctx, cancel := context.WithTimeout(ctx, o.Patience)
	defer cancel()
	to, ok := resolve(ctx, stun.host, f)
	if !ok {
		return ""
	}
	asks, err := o.open(ctx, stun, to)
	if err != nil {
		return ""
	}
	defer asks.close()
	seen, err := asks.client.SendBindingRequest()
	if err != nil {
		return ""
	}
	if seen.String() == asks.conn.LocalAddr().String() {
		return NATNone
	}
	if relay == nil {
		return ""
	}
	held, err := o.open(ctx, *relay, to)
	if err != nil {
		return ""
	}
	defer held.close()
	if held.hold() != nil || held.client.CreatePermission(seen) != nil {
		return ""
	}
	b := make([]byte, packet)
	for ctx.Err() == nil {
		if _, err := asks.conn.WriteTo([]byte("sotto"), held.relayed.LocalAddr()); err != nil {
			return ""
		}
		if held.relayed.SetReadDeadline(time.Now().Add(200*time.Millisecond)) != nil {
			return ""
		}
		if _, from, err := held.relayed.ReadFrom(b); err == nil {
			return same(from, seen)
		}
	}
	return ""
}

func same(a, b net.Addr) NAT {
	x, err := netip.ParseAddrPort(a.String())
	y, err2 := netip.ParseAddrPort(b.String())
	switch {
	case err != nil || err2 != nil:
		return ""
	case x == y:
		return NATSame
	}
	return NATDifferent
}
