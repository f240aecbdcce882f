package relay

import (
	"net"
	"net/netip"
	"time"
)

// front is a UDP socket that clients speak to. It is pion/turn's net.PacketConn, whose
// goroutine reads it.
type front struct {
	r     *Relay
	conn  *net.UDPConn
	local netip.AddrPort
	code  integrity // of the last request that went to pion/turn; of its goroutine
}

func newFront(r *Relay, conn *net.UDPConn) *front {
	return &front{r: r, conn: conn, local: addrPort(conn.LocalAddr())}
}

// ReadFrom answers the next request for pion/turn, and forwards the data on channels
// that comes before it.
func (f *front) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := f.conn.ReadFromUDPAddrPort(p)
		if err != nil {
			return 0, nil, err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if f.take(from, p[:n]) {
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// take says whether a datagram is pion/turn's to answer.
func (f *front) take(from netip.AddrPort, b []byte) bool {
	at := path{client: from, local: f.local}
	s := f.r.allocation(at)
	if channel, data, ok := channelData(b); ok {
		if s != nil {
			if peer, bound := s.known.Load().channels[channel]; bound {
				s.send(data, peer)
			}
		}
		return false
	}
	q, ok := check(b)
	f.code = q.code
	return ok && (s != nil || f.r.o.Admit(from.Addr()) == nil) && f.r.passes(at, s, q)
}

func (f *front) WriteTo(b []byte, to net.Addr) (int, error) {
	return f.conn.WriteToUDPAddrPort(b, addrPort(to))
}

func (f *front) Close() error                       { return f.conn.Close() }
func (f *front) LocalAddr() net.Addr                { return f.conn.LocalAddr() }
func (f *front) SetDeadline(t time.Time) error      { return f.conn.SetDeadline(t) }
func (f *front) SetReadDeadline(t time.Time) error  { return f.conn.SetReadDeadline(t) }
func (f *front) SetWriteDeadline(t time.Time) error { return f.conn.SetWriteDeadline(t) }

// datagrams is the way to a client over UDP.
type datagrams struct {
	front *front
	to    netip.AddrPort
}

func (d *datagrams) deliver(b []byte) { _, _ = d.front.conn.WriteToUDPAddrPort(b, d.to) }

func (d *datagrams) asked() integrity { return d.front.code }
