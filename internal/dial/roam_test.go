package dial

import (
	"net"
	"testing"
)

// fixed is a connection from an address.
type fixed struct {
	net.Conn
	from   net.IP
	closed bool
}

func (c *fixed) LocalAddr() net.Addr { return &net.TCPAddr{IP: c.from, Port: 1} }

func (c *fixed) Close() error { c.closed = true; return nil }

// A connection whose address this machine does not have any more is ended; the others go on.
func TestRoaming(t *testing.T) {
	r := newRoaming()
	here := []net.Addr{&net.IPNet{IP: net.IPv4(192, 0, 2, 1), Mask: net.CIDRMask(24, 32)}, &net.IPNet{IP: net.ParseIP("2001:db8::1"), Mask: net.CIDRMask(64, 128)}}
	r.addresses = func() ([]net.Addr, error) { return here, nil }
	four, six, local := &fixed{from: net.IPv4(192, 0, 2, 1)}, &fixed{from: net.ParseIP("2001:db8::1")}, &fixed{from: net.IPv4(127, 0, 0, 1)}
	for _, c := range []*fixed{four, six, local} {
		r.keep(c)
	}
	r.look()
	if four.closed || six.closed || local.closed {
		t.Error("a connection was ended whose address is here")
	}
	here = here[1:]
	r.look()
	if !four.closed || six.closed || local.closed || len(r.open) != 2 {
		t.Errorf("after an address is gone: %t %t %t, %d open", four.closed, six.closed, local.closed, len(r.open))
	}
	r.addresses = func() ([]net.Addr, error) { return nil, net.ErrClosed }
	if r.look(); six.closed {
		t.Error("a connection was ended where nobody knows the addresses")
	}
}
