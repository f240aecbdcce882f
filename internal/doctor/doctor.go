// Package doctor tries the ways that a call may take, for real: it asks a home server's
// STUN which address the world sees, holds addresses at its TURN over every port and
// transport, and passes packets through them and back. The command `sotto doctor` says
// what it finds. It knows the network and nothing of accounts.
package doctor

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Options say what is tried.
type Options struct {
	Host               string   // the home server, as in handles
	URLs               []string // of its relay, RFC 7064 and RFC 7065
	Username, Password string
	TLS                *tls.Config   // nil: the system's roots
	Patience           time.Duration // with one way
}

// Family is the version of IP.
type Family string

// The families.
const (
	IPv4 Family = "IPv4"
	IPv6 Family = "IPv6"
)

// Way is how a relay is reached.
type Way string

// The ways, the best first.
const (
	STUN Way = "stun" // asks for the address only
	UDP  Way = "udp"
	TCP  Way = "tcp"
	Own  Way = "own" // TCP to the port of the home server, in the clear
	TLS  Way = "tls" // the same inside of TLS
)

// Check is one way that was tried.
type Check struct {
	Way    Way    `json:"way"`
	Family Family `json:"family"`
	At     string `json:"at"` // host:port
	Works  bool   `json:"works"`
	Absent bool   `json:"absent,omitempty"` // this network, or the host, has none of this family
	Seen   string `json:"seen,omitempty"`   // STUN: the address that the world sees
	NAT    NAT    `json:"nat,omitempty"`    // STUN
	TookMS int64  `json:"took_ms"`
	Why    string `json:"why,omitempty"` // it does not work
}

// NAT is what stands between this machine and the world, RFC 4787 section 4.1.
type NAT string

// The kinds, as far as one server can tell them.
const (
	NATNone      NAT = "none"      // the world sees the machine's own address
	NATSame      NAT = "same"      // one address for all to whom it speaks
	NATDifferent NAT = "different" // another one for each: direct calls meet a person who has such a NAT, too, in no place
)

// Report is all that was found.
type Report struct {
	Checks  []Check
	Direct  bool // UDP goes out and answers come back
	Relayed bool
}

// Run tries every way. It takes a few times Patience at most.
func Run(ctx context.Context, o Options) Report {
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	var r Report
	for _, u := range o.URLs {
		t, ok := target(u, o.Host)
		if !ok {
			continue
		}
		for _, f := range []Family{IPv4, IPv6} {
			c := o.try(ctx, t, f)
			r.Checks = append(r.Checks, c)
			r.Direct = r.Direct || c.Works && c.Way == STUN
			r.Relayed = r.Relayed || c.Works && c.Way != STUN
		}
	}
	r.natKinds(ctx, o)
	return r
}

// place is what a URL names.
type place struct {
	way  Way
	host string // without brackets
	port string
}

func (p place) at() string { return net.JoinHostPort(p.host, p.port) }

// target reads a URL of a relay.
func target(u, home string) (p place, ok bool) {
	scheme, rest, _ := strings.Cut(u, ":")
	at, transport, _ := strings.Cut(rest, "?transport=")
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		return p, false
	}
	own := "443"
	if _, x, err := net.SplitHostPort(home); err == nil {
		own = x
	}
	p = place{host: host, port: port}
	switch {
	case scheme == "stun":
		p.way = STUN
	case scheme == "turns":
		p.way = TLS
	case scheme == "turn" && transport == "udp":
		p.way = UDP
	case scheme == "turn" && transport == "tcp" && port == own:
		p.way = Own
	case scheme == "turn" && transport == "tcp":
		p.way = TCP
	}
	return p, p.way != ""
}

// resolve is the host's address of a family.
func resolve(ctx context.Context, host string, f Family) (netip.Addr, bool) {
	network := "ip4"
	if f == IPv6 {
		network = "ip6"
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	if err != nil || len(list) == 0 {
		return netip.Addr{}, false
	}
	a := list[0].Unmap()
	return a, a.Is4() == (f == IPv4)
}
