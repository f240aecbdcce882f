package homeserver

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sotto/internal/app/api"
	"sotto/internal/said"
	"sotto/internal/wire"
)

// usualPort is the port that a home server takes if it is free.
const usualPort = 7700

// choose is where a server is to run: under the host that was asked for, or the one that it
// had, or an address of this computer.
func (s *Server) choose(host string) (*kept, error) {
	had, err := s.read()
	if err != nil {
		return nil, err
	}
	if host == "" && had != nil {
		return had, nil // handles live under the name that it had
	}
	if host == "" {
		host = "127.0.0.1"
		if list := Addresses(); len(list) > 0 {
			host = list[0].String()
			if list[0].Is6() {
				host = "[" + host + "]"
			}
		}
	}
	normal, err := wire.ParseHost(strings.TrimSpace(host))
	if err != nil {
		return nil, err
	}
	if had != nil && nameOf(had.Host) == normal {
		return had, nil
	}
	if !wire.Loopback(normal) && !wire.SelfVouched(normal) {
		return nil, wire.Refuse(wire.CodeMalformed, "%s is a name of the public network, for which a server needs a certificate: docs say how to run one with \"sotto server --domain\"; here, give an address of this computer", normal)
	}
	if _, port, err := net.SplitHostPort(normal); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		return &kept{normal, uint16(n)}, err
	}
	port, err := freePort(normal)
	if err != nil {
		return nil, err
	}
	k := &kept{net.JoinHostPort(nameOf(normal), strconv.Itoa(int(port))), port}
	return k, k.check()
}

// freePort is the usual port, or else one that is free.
func freePort(host string) (uint16, error) {
	at := ""
	if wire.Loopback(host) {
		at = nameOf(host)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(at, strconv.Itoa(usualPort)))
	if err != nil {
		ln, err = net.Listen("tcp", net.JoinHostPort(at, "0"))
	}
	if err != nil {
		return 0, fmt.Errorf("no port of this computer is free: %w", err)
	}
	defer ln.Close()
	return uint16(ln.Addr().(*net.TCPAddr).Port), nil
}

// nameOf is a host without its port and brackets.
func nameOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// Addresses are those of this computer on its own networks under which others may reach it,
// the likeliest first: what the way to the internet begins with, IPv4 before IPv6, since
// people read it to each other. Addresses that a link alone has, and those of interfaces
// that are down or belong to virtual machines, come last or not at all.
func Addresses() []netip.Addr {
	first := []netip.Addr{outward("udp4", "192.0.2.1:9"), outward("udp6", "[2001:db8::1]:9")}
	var out []netip.Addr
	list, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Zone() == "" && wire.LocalNetwork(hostOf(p.Addr().Unmap())) {
				out = append(out, p.Addr().Unmap())
			}
		}
	}
	rank := func(a netip.Addr) int {
		switch {
		case slices.Contains(first, a):
			return 0
		case a.IsLinkLocalUnicast():
			return 2
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b netip.Addr) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return a.BitLen() - b.BitLen()
	})
	return slices.DeleteFunc(out, netip.Addr.IsLinkLocalUnicast)
}

func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// outward is the address from which this computer would speak to one of the documentation's
// (RFC 5737, RFC 3849). Connecting a UDP socket sends nothing.
func outward(network, to string) netip.Addr {
	c, err := net.Dial(network, to)
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// reach says who can reach a server at its host. Only what was tried is sure.
func reach(host string, port uint16, tried bool) []api.Reach {
	name, at := nameOf(host), strconv.Itoa(int(port))
	_, err := netip.ParseAddr(name)
	own := said.Of("reach.own")
	if !tried {
		own = said.Of("reach.not-yet")
	}
	switch {
	case wire.Loopback(host):
		return []api.Reach{reached(host, "this computer", tried, said.Of("reach.alone"))}
	case err == nil && wire.LocalNetwork(host):
		return []api.Reach{
			reached(host, "this computer", tried, own),
			reached(host, "network", false, said.Of("reach.network", "port", at, "host", name)),
			reached("", "everybody", false, said.Of("reach.nobody", "port", at, "host", name)),
		}
	case wire.LocalNetwork(host):
		return []api.Reach{
			reached(host, "this computer", tried, own),
			reached(host, "network", false, said.Of("reach.named", "port", at, "host", name)),
			reached("", "everybody", false, said.Of("reach.unknown", "host", name)),
		}
	}
	return []api.Reach{
		reached(host, "this computer", tried, own),
		reached(host, "network", false, said.Of("reach.around")),
		reached(host, "everybody", false, said.Of("reach.everybody", "port", at)),
	}
}

func reached(address, who string, sure bool, says said.Said) api.Reach {
	return api.Reach{Address: address, Who: who, Sure: sure, Text: says.Text(), Said: api.SaidOf(says)}
}
