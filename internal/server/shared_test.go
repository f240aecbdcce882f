package server

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sotto/internal/server/config"
)

// One port speaks HTTP and STUN: who says nothing holds nobody up, and ends with the port.
func TestSharedPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stun := make(chan net.Conn, 1)
	s := share(ln, nil, func(c net.Conn) { stun <- c })
	dial := func(say string) net.Conn {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := c.Write([]byte(say)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	silent := dial("")
	dial("GET /")
	dial("\x00\x01rest")
	web, err := s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range map[net.Conn]string{web: "GET /", <-stun: "\x00\x01rest"} {
		b := make([]byte, len(want))
		if _, ok := bareConn(c).(*net.TCPConn); ok {
			t.Error("the first byte is passed over")
		}
		if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
			t.Errorf("%q, %v", b, err)
		}
		if _, ok := bareConn(c).(*net.TCPConn); !ok {
			t.Errorf("a connection stays a %T", bareConn(c))
		}
		c.Close()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.busy.Wait()
	_ = silent.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("bytes for who said nothing")
	} else if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Error("a silent connection outlives its port")
	}
	if _, err := s.Accept(); err == nil {
		t.Error("a port that is closed accepts")
	}
}

// Without a relay the port speaks HTTP to everybody.
func TestSharedWithNobody(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := share(ln, nil, nil)
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte{0}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	got.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.busy.Wait()
}

// What the world sees relayed sockets as: what the operator says, the host if that is an
// address, what is listened on for this machine alone, or else the way out of it.
func TestOutside(t *testing.T) {
	a := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	said := []netip.Addr{a("198.51.100.7")}
	for _, c := range []struct {
		host         string
		inside, said []netip.Addr
		local, fixed bool
		want         []netip.Addr
	}{
		{"example.org", []netip.Addr{a("10.0.0.5")}, said, false, true, said},
		{"192.168.1.20:7700", []netip.Addr{a("0.0.0.0")}, nil, false, true, []netip.Addr{a("192.168.1.20")}},
		{"[2001:db8::1]:7700", []netip.Addr{a("::")}, nil, false, true, []netip.Addr{a("2001:db8::1")}},
		{"example.org:7700", []netip.Addr{a("127.0.0.1")}, nil, true, true, []netip.Addr{a("127.0.0.1")}},
		{"example.org", []netip.Addr{a("198.51.100.8")}, nil, false, false, []netip.Addr{a("198.51.100.8")}},
	} {
		o := newOutside(c.host, c.inside, c.said, c.local)
		if !slices.Equal(o.now(), c.want) || o.fixed != c.fixed {
			t.Errorf("%s: %v, %v", c.host, o.now(), o.fixed)
		}
	}
	o := newOutside("example.org", []netip.Addr{a("10.0.0.5")}, nil, false)
	if o.take([]netip.Addr{a("127.0.1.1"), a("::1"), a("fe80::1")}) || !slices.Equal(o.now(), []netip.Addr{a("10.0.0.5")}) {
		t.Error("a host of this machine alone is what the world sees", o.now())
	}
	if !o.take([]netip.Addr{a("127.0.1.1"), a("198.51.100.7")}) || !slices.Equal(o.now(), said) {
		t.Error(o.now())
	}
}

// What devices are told: the names of the machine and its ports, and not the port of a proxy.
func TestRelayURLs(t *testing.T) {
	s, err := New(Options{Dir: t.TempDir(), Host: "example.org", Limits: config.Default().Limits})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	common := []string{"stun:example.org:5000", "turn:example.org:5000?transport=udp", "turn:example.org:5000?transport=tcp"}
	own, secure := "turn:example.org:443?transport=tcp", "turns:example.org:443?transport=tcp"
	for _, c := range []struct {
		o    ServeOptions
		more []string
	}{
		{ServeOptions{BehindProxy: true}, nil},
		{ServeOptions{Own: true}, []string{own}}, // browsers take no such certificate
		{ServeOptions{Domain: "example.org"}, []string{own, secure}},
		{ServeOptions{CertFile: "x", KeyFile: "y"}, []string{own, secure}},
	} {
		if got := s.relayURLs(5000, c.o); !slices.Equal(got, append(common[:3:3], c.more...)) {
			t.Errorf("%+v: %v", c.o, got)
		}
	}
}
