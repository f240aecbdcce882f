package relay

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// front is a UDP socket that clients speak to. It is pion/turn's net.PacketConn.
type front struct {
	r     *Relay
	conn  datagrams
	local netip.AddrPort
	rest  rest

	// Of the last request that went to pion/turn.
	code integrity                  // of its goroutine
	at   atomic.Pointer[netip.Addr] // where it arrived
}

const frontLength = 256 // requests that wait

func newFront(r *Relay, conn datagrams) *front {
	return &front{r: r, conn: conn, local: conn.local(), rest: newRest(frontLength)}
}

// take forwards data on a channel, and leaves requests to pion/turn.
func (f *front) take(frame []byte, from netip.AddrPort, control []byte) {
	b := frame[headChannel:]
	if len(b) > maxFrame {
		return
	}
	s := f.r.allocation(path{client: from, local: f.local})
	if channel, n, ok := channelData(b); ok {
		if s != nil {
			if peer, bound := s.known.Load().channels[channel]; bound {
				s.send(b[:headChannel+n], peer)
			}
		}
		return
	}
	if q, ok := check(b); ok && (s != nil || f.r.o.Admit(from.Addr()) == nil) {
		f.rest.put(datagram{from, f.conn.arrivedAt(control), b, q})
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
			f.at.Store(&d.at)
			return copy(p, d.data), net.UDPAddrFromAddrPort(d.from), nil
		}
	}
}

// WriteTo sends an answer or an indication: from where the allocation was asked for, if
// there is one, or this request arrived.
func (f *front) WriteTo(b []byte, to net.Addr) (int, error) {
	client := addrPort(to)
	if s := f.r.allocation(path{client: client, local: f.local}); s != nil {
		s.known.Load().client.deliver(b)
	} else {
		f.conn.write(b, client, f.arrived())
	}
	return len(b), nil
}

// arrived is where the last request arrived; not valid: not told.
func (f *front) arrived() netip.Addr {
	if a := f.at.Load(); a != nil {
		return *a
	}
	return netip.Addr{}
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
	from  netip.Addr // of this machine
}

func (d *direct) deliver(b []byte) { d.front.conn.write(b, d.to, d.from) }

func (d *direct) asked() integrity { return d.front.code }
