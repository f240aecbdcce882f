package relay

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestPublic(t *testing.T) {
	for list, want := range map[string]bool{
		"1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.0 172.15.0.1 172.32.0.1 192.0.1.1 198.20.0.1 223.255.255.255 " +
			"2600::1 2a00:1450::1 2001:200::1 2001:4860::8888 2003::1 3ffe::1": true,
		// private, loopback, link-local, multicast, unspecified, shared (CGNAT), documentation,
		// benchmarks, the future, broadcast
		"10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 127.0.0.1 127.255.0.1 169.254.169.254 224.0.0.1 239.1.1.1 0.0.0.0 0.1.2.3 " +
			"100.64.0.1 100.127.255.255 192.0.2.1 198.51.100.1 203.0.113.9 198.18.0.1 198.19.255.255 192.0.0.1 192.88.99.1 240.0.0.1 255.255.255.255 " +
			":: ::1 fe80::1 fc00::1 fd12::1 ff02::1 2001:db8::1 3fff::1 100::1 2001:2::1 5f00::1 " +
			// ways around: mapped and compatible IPv4, NAT64, 6to4, Teredo, ISATAP
			"::ffff:10.0.0.1 ::ffff:1.1.1.1 ::10.0.0.1 64:ff9b::a00:1 64:ff9b::101:101 64:ff9b:1::a00:1 2002:a00:1::1 2002:101:101::1 2001:0:1::1 fe80::5efe:a00:1": false,
	} {
		for s := range strings.FieldsSeq(list) {
			if got := public(netip.MustParseAddr(s)); got != want {
				t.Errorf("%s: %v", s, got)
			}
		}
	}
	if public(netip.Addr{}) || public(netip.MustParseAddr("2600::1%eth0")) {
		t.Error("no address, or one of a link, is public")
	}
}

// What pion/turn asks, and what the packets then meet: whole addresses first, their ports
// after.
func TestWhoIsReached(t *testing.T) {
	listed := netip.MustParsePrefix("10.7.0.0/16")
	r := newRelay(t, func(o *Options) { o.Peers = []netip.Prefix{listed} })
	for s, want := range map[string]bool{
		"1.1.1.1": true, "::ffff:1.1.1.1": true, "10.7.1.1": true, "::ffff:10.7.1.1": true, "127.0.0.1": true, // this machine's: by port
		"10.8.1.1": false, "::ffff:10.8.1.1": false, "::ffff:192.168.0.1": false, "64:ff9b::a00:1": false, "127.0.0.2": false,
	} {
		if got := r.mayReach(nil, net.ParseIP(s)); got != want {
			t.Errorf("permission for %s: %v", s, got)
		}
	}
	if r.mayReach(nil, net.IP{1, 2, 3}) || r.mayReach(nil, nil) {
		t.Error("permission for what is no address")
	}
	for s, want := range map[string]bool{
		"1.1.1.1:1024": true, "1.1.1.1:53": false, "1.1.1.1:0": false, "10.7.1.1:5000": true, "10.7.1.1:123": false,
		"10.8.1.1:5000": false, "127.0.0.1:5000": false, "[::ffff:10.8.1.1]:5000": false,
	} {
		if _, _, got := r.route(netip.MustParseAddrPort(s)); got != want {
			t.Errorf("a packet to %s: %v", s, got)
		}
		if _, got := r.source(netip.MustParseAddrPort(s)); got != want {
			t.Errorf("a packet from %s: %v", s, got)
		}
	}
}
