package relay

import (
	"net"
	"net/netip"
	"time"
)

// front is a UDP socket that clients speak to. It is pion/turn's net.PacketConn.
type front struct {
	r     *Relay
	conn  datagrams
	local netip.AddrPort
	rest  rest
	code  integrity // of the last request that went to pion/turn; of its goroutine
}

const frontLength = 256 // requests that wait

func newFront(r *Relay, conn datagrams) *front {
	return &front{r: r, conn: conn, local: conn.local(), rest: newRest(frontLength)}
}

// take forwards data on a channel, and leaves requests to pion/turn.
func (f *front) take(frame []byte, from netip.AddrPort) {
	b := frame[headChannel:]
	if len(b) > maxFrame {
		return
	}
	s := f.r.allocation(path{client: from, local: f.local})
	if channel, data, ok := channelData(b); ok {
		if s != nil {
			if peer, bound := s.known.Load().channels[channel]; bound {
				s.send(data, peer)
			}
		}
		return
	}
	if q, ok := check(b); ok && (s != nil || f.r.o.Admit(from.Addr()) == nil) {
		f.rest.put(from, b, q)
	}
}

// ReadFrom answers the next request. What one allocation holds is counted here, since all
// before it is dealt with.
func (f *front) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		d, err := f.rest.get()
		if err != nil {
			return 0, nil, err
		}
		at := path{client: d.from, local: f.local}
		if f.r.passes(at, f.r.allocation(at), d.request) {
			f.code = d.request.code
			return copy(p, d.data), net.UDPAddrFromAddrPort(d.from), nil
		}
	}
}

func (f *front) WriteTo(b []byte, to net.Addr) (int, error) {
	f.conn.write(b, addrPort(to))
	return len(b), nil
}

// Close ends ReadFrom.
func (f *front) Close() error {
	f.rest.end()
	return f.conn.Close()
}

// LocalAddr and the deadlines are there because net.PacketConn has them.
func (f *front) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(f.local) }
func (f *front) SetDeadline(time.Time) error      { return nil }
func (f *front) SetReadDeadline(time.Time) error  { return nil }
func (f *front) SetWriteDeadline(time.Time) error { return nil }

// direct is the way to a client over UDP.
type direct struct {
	front *front
	to    netip.AddrPort
}

func (d *direct) deliver(b []byte) { d.front.conn.write(b, d.to) }

func (d *direct) asked() integrity { return d.front.code }
