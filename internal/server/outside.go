package server

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// everywhere is every address of the families that this machine has.
func everywhere() (out []netip.Addr) {
	for _, a := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		c, err := net.ListenUDP(udpOf(a), net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
		if err == nil {
			c.Close()
			out = append(out, a)
		}
	}
	return out
}

func udpOf(a netip.Addr) string {
	if a.Is4() {
		return "udp4"
	}
	return "udp6"
}

// outside is what the world sees this server's relayed sockets as: what the operator says,
// else the addresses of the host in its handles, else those of its way to the world.
type outside struct {
	host  string
	found atomic.Pointer[[]netip.Addr]
	fixed bool
}

// newOutside begins with what is known without asking anybody.
func newOutside(host string, inside, said []netip.Addr, local bool) *outside {
	o := &outside{host: strings.Trim(host, "[]"), fixed: true}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		o.host = strings.Trim(host[:i], "[]")
	}
	list := said
	if len(list) == 0 {
		if a, err := netip.ParseAddr(o.host); err == nil && !local {
			list = []netip.Addr{a}
		} else if local {
			list = inside
		} else {
			o.fixed = false
			list = waysOut(inside)
		}
	}
	o.found.Store(&list)
	return o
}

func (o *outside) now() []netip.Addr { return *o.found.Load() }

// watch asks the name service, and again every few minutes, since a server at home gets new
// addresses. found is called when it has answered.
func (o *outside) watch(ctx context.Context, found func()) {
	if o.fixed {
		return
	}
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", o.host)
		if err == nil && o.take(list) {
			found()
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// take keeps what of a host's addresses others can reach: a machine often calls itself by one
// of loopback. Without any, what was known stays.
func (o *outside) take(list []netip.Addr) bool {
	list = slices.DeleteFunc(list, func(a netip.Addr) bool {
		a = a.Unmap()
		return a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast()
	})
	if len(list) == 0 {
		return false
	}
	o.found.Store(&list)
	return true
}

// waysOut are the addresses that this machine would send from: asked of the kernel, without
// a packet. One that listens at an address sends from it.
func waysOut(inside []netip.Addr) (out []netip.Addr) {
	for _, a := range inside {
		if !a.IsUnspecified() {
			out = append(out, a)
			continue
		}
		to := "192.0.2.1:1024" // RFC 5737: nobody's
		if a.Is6() {
			to = "[2001:db8::1]:1024" // RFC 3849
		}
		if c, err := net.Dial(udpOf(a), to); err == nil {
			if at, err := netip.ParseAddrPort(c.LocalAddr().String()); err == nil {
				out = append(out, at.Addr().Unmap())
			}
			c.Close()
		}
	}
	return out
}
