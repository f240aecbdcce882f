package relay

import (
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
)

// closed are addresses that are nobody's on the public network, or lead to others by a
// way around: a relay that reached them would open the operator's own network. IANA's
// registries of special-purpose addresses (RFC 6890 and its updates).
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
)

// public6 is all of IPv6 that is global unicast; closed6 is what of it is not open:
// 2001::/23 (Teredo, ORCHID, benchmarks), documentation, 6to4. NAT64 (64:ff9b::/96 and
// 64:ff9b:1::/48) and mapped IPv4 lie outside of it.
var (
	public6 = netip.MustParsePrefix("2000::/3")
	closed6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// public says whether an address is one of the public network, by itself.
func public(a netip.Addr) bool {
	switch {
	case !a.IsValid() || a.Zone() != "":
		return false
	case a.Is4():
		return !contains(closed, a)
	}
	return public6.Contains(a) && !contains(closed6, a)
}

// lowestPort of a peer: a NAT gives none of the well-known ports to a port above them
// (RFC 4787, REQ-3), and behind those stand services to which nothing may be forwarded.
const lowestPort = 1024

// peers are the rules about whom is forwarded to.
type peers struct {
	own     atomic.Pointer[map[netip.Addr]bool] // of this machine, inside and outside; true: it has it itself
	outside [2]atomic.Pointer[netip.Addr]       // of IPv4 and IPv6, what the world sees
}

// Look notes which addresses are this machine's, and what the world sees it as. Tick does it,
// too.
func (r *Relay) Look() {
	own := map[netip.Addr]bool{}
	if list, err := net.InterfaceAddrs(); err == nil {
		for _, x := range list {
			if n, ok := x.(*net.IPNet); ok {
				if a, ok := netip.AddrFromSlice(n.IP); ok {
					own[a.Unmap()] = true
				}
			}
		}
	}
	var outside [2]*netip.Addr
	for _, a := range r.o.Outside() {
		if a = a.Unmap().WithZone(""); outside[family(a)] == nil {
			outside[family(a)] = &a
			if !own[a] {
				own[a] = false // a NAT's
			}
		}
	}
	for i := range outside {
		if outside[i] != nil {
			r.peers.outside[i].Store(outside[i])
		}
	}
	r.peers.own.Store(&own)
}

// own says whether an address is this machine's, or a NAT's before it.
func (r *Relay) own(a netip.Addr) bool {
	_, own := (*r.peers.own.Load())[a]
	return own
}

// hasAddress says whether the machine has an address itself.
func (r *Relay) hasAddress(a netip.Addr) bool { return (*r.peers.own.Load())[a] }

// family is 0 for IPv4 and 1 for IPv6.
func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// open says whether an address may be a peer's at all. One of this machine may for what
// this relay forwards itself; which ports those are, route says.
func (r *Relay) open(a netip.Addr) bool {
	return r.own(a) || contains(r.o.Peers, a) || public(a)
}

// route is where a packet to a peer goes: to an allocation of this relay, if it is that, or
// to anybody else as it says. not ok: it is refused.
func (r *Relay) route(to netip.AddrPort) (_ netip.AddrPort, own *socket, ok bool) {
	a := to.Addr()
	if p := r.peers.outside[family(a)].Load(); p != nil && *p == a {
		r.mu.Lock()
		own = r.sockets[to]
		r.mu.Unlock()
		if own != nil {
			return own.inside, own, true
		}
	}
	return to, nil, r.foreign(to)
}

// source is who a packet came from, as a peer: an allocation of this relay under the
// address that the world sees.
func (r *Relay) source(from netip.AddrPort) (netip.AddrPort, bool) {
	a := from.Addr()
	if r.own(a) {
		if p := r.peers.outside[family(a)].Load(); p != nil {
			outside := netip.AddrPortFrom(*p, from.Port())
			r.mu.Lock()
			s := r.sockets[outside]
			r.mu.Unlock()
			if s != nil {
				return outside, true
			}
		}
	}
	return from, r.foreign(from)
}

// foreign says whether a peer that is no allocation of this relay may be reached. What
// the operator lists may, of this machine too.
func (r *Relay) foreign(a netip.AddrPort) bool {
	if a.Port() < lowestPort || !a.Addr().IsValid() {
		return false
	}
	if contains(r.o.Peers, a.Addr()) {
		return true
	}
	return public(a.Addr()) && !r.own(a.Addr())
}

// mayReach is pion/turn's question about a permission: RFC 8656 section 9.2, error 403.
func (r *Relay) mayReach(_ net.Addr, ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	return ok && r.open(a.Unmap())
}

// addrPort is an address of package net, as netip has it.
func addrPort(a net.Addr) netip.AddrPort {
	switch x := a.(type) {
	case *net.UDPAddr:
		ap := x.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	case *net.TCPAddr:
		ap := x.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
