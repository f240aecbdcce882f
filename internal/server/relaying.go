package server

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"sotto/internal/server/relay"
	"sotto/internal/wire"
)

// RelayOptions say where a server relays calls.
type RelayOptions struct {
	Port    int                                          // of UDP and TCP; 0: the system chooses
	Instead bool                                         // when Port is taken, the system chooses
	Ports   [2]uint16                                    // relayed ports, from and to; zero: 49152 to 65535
	Outside []netip.Addr                                 // what the world sees relayed sockets as; empty: found out
	Peers   []netip.Prefix                               // not public, and yet allowed
	Tap     func(from, to netip.AddrPort, packet []byte) // for tests: every packet forwarded; nil: nobody
}

// relaying is the relay of a server that listens, and what devices are told of it.
type relaying struct {
	*relay.Relay
	urls []string
	stop context.CancelFunc // ends the watching of addresses
	done chan struct{}
}

// The ports that are for such use (RFC 6335 section 6).
var relayedPorts = [2]uint16{49152, 65535}

// startRelay starts the relay of a server that listens at bound. A server that only this
// machine reaches relays on this machine; behind a proxy, which passes HTTP only, the relay
// is at every address of the machine and not on the proxy's port.
func (s *Server) startRelay(bound netip.AddrPort, o ServeOptions) (*relaying, error) {
	if o.Relay == nil {
		return nil, nil
	}
	q := *o.Relay
	if q.Ports == ([2]uint16{}) {
		q.Ports = relayedPorts
	}
	local := bound.Addr().IsLoopback() && !o.BehindProxy
	if local {
		q.Peers = append(q.Peers[:len(q.Peers):len(q.Peers)], netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	inside := []netip.Addr{bound.Addr()}
	if o.BehindProxy || bound.Addr() == netip.IPv6Unspecified() {
		inside = everywhere()
	}
	seen := newOutside(s.dir.Host(), inside, q.Outside, local)
	var listen []netip.AddrPort
	for _, a := range inside {
		listen = append(listen, netip.AddrPortFrom(a, uint16(q.Port)))
	}
	options := relay.Options{
		Realm: s.dir.Host(), Listen: listen, Inside: inside, Outside: seen.now, Ports: q.Ports, Peers: q.Peers, Tap: q.Tap,
		Limits: func() relay.Limits {
			l := s.policy.Load().limits
			return relay.Limits{
				Allocations: l.RelayAllocationsPerAccount, BytesPerSecond: l.RelayBytesPerSecondPerAccount, BytesPerDay: l.RelayBytesPerDayPerAccount,
				AllAllocations: l.RelayAllocations, AllBytesPerSecond: l.RelayBytesPerSecond,
				Streams: l.Connections, StreamsPerAddress: l.ConnectionsPerAddress,
			}
		},
		Admit: func(a netip.Addr) error { return s.policy.Load().relays.take(addressKey(a), s.o.Now()) },
		Now:   s.o.Now, Rand: s.o.Rand, Log: s.o.Log,
	}
	r, err := relay.New(options)
	if err != nil && q.Port != 0 && q.Instead {
		s.o.Log.Warn("the relay's port is taken, and it has another: open that in the firewall, or choose with relay-port", "port", q.Port, "err", err)
		for i := range listen {
			listen[i] = netip.AddrPortFrom(listen[i].Addr(), 0)
		}
		r, err = relay.New(options)
	}
	if err != nil {
		return nil, fmt.Errorf("server: the relay of calls: %w: choose another port with relay-port, or none with relay-port = \"off\"", err)
	}
	watching, stop := context.WithCancel(context.Background())
	out := &relaying{r, s.relayURLs(r.Port(), o), stop, make(chan struct{})}
	go func() {
		defer close(out.done)
		seen.watch(watching, r.Look)
	}()
	s.relay.Store(out)
	return out, nil
}

func (s *Server) stopRelay(r *relaying) {
	s.relay.Store(nil)
	r.stop()
	<-r.done
	if err := r.Close(); err != nil {
		s.o.Log.Error("the relay did not end well", "err", err)
	}
}

// relayURLs are what devices are told, by RFC 7064 and RFC 7065. On the port of HTTPS, TURN
// is spoken in the clear, since what is relayed is encrypted anyway; and inside of TLS, for
// networks that look whether it is TLS, if browsers take the certificate.
func (s *Server) relayURLs(port uint16, o ServeOptions) []string {
	host, own := s.dir.Host(), "443"
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, own = host[:i], host[i+1:]
	}
	at := host + ":" + strconv.Itoa(int(port))
	urls := []string{"stun:" + at, "turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
	if !o.BehindProxy {
		urls = append(urls, "turn:"+host+":"+own+"?transport=tcp")
		if o.Domain != "" || o.CertFile != "" {
			urls = append(urls, "turns:"+host+":"+own+"?transport=tcp")
		}
	}
	return urls
}

// relays answers where calls are helped, and a credential for it.
func (s *Session) relays(wire.Done) (out wire.Relays, err error) {
	a, err := s.home()
	if err != nil {
		return out, err
	}
	if a.Suspended {
		return out, errSuspended
	}
	r := s.srv.relay.Load()
	if r == nil {
		return out, wire.Refuse(wire.CodeNoRelay, "this server helps no calls: its operator has switched the relay off")
	}
	c, err := r.Credential(a.Name, string(s.owner))
	if err != nil {
		return out, wire.Refuse(wire.CodeNoRelay, "too many devices of this account were given a way to relay calls; try again in an hour")
	}
	return wire.Relays{Username: c.Username, Password: c.Password, Until: uint64(c.Until.UnixMilli()), URLs: r.urls}, nil
}
