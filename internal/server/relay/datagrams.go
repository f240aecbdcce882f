package relay

import (
	"net"
	"net/netip"
	"sync"
)

// datagrams is a UDP socket of the system.
type datagrams interface {
	// start has got called with each datagram, from one goroutine, behind the space for the
	// head of data on a channel. got may change the frame, and keeps neither it nor control,
	// which arrivedAt reads.
	start(got func(frame []byte, from netip.AddrPort, control []byte)) error
	// write sends from one of the addresses of a socket that is bound to all, the system's
	// choice if from is not valid; or drops, as UDP does.
	write(p []byte, to netip.AddrPort, from netip.Addr)
	arrivedAt(control []byte) netip.Addr // not valid: not told
	local() netip.AddrPort
	Close() error
}

// waiting is a socket that a goroutine of its own reads.
type waiting struct{ conn *net.UDPConn }

func openWaiting(at netip.AddrPort) (datagrams, error) {
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	return &waiting{conn}, nil
}

func (w *waiting) start(got func([]byte, netip.AddrPort, []byte)) error {
	go func() {
		buf := make([]byte, maxFrame+4)
		for {
			n, from, err := w.conn.ReadFromUDPAddrPort(buf[headChannel:])
			if err != nil {
				return
			}
			got(buf[:headChannel+n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), nil)
		}
	}()
	return nil
}

func (w *waiting) write(p []byte, to netip.AddrPort, _ netip.Addr) {
	_, _ = w.conn.WriteToUDPAddrPort(p, to)
}

func (w *waiting) arrivedAt([]byte) netip.Addr { return netip.Addr{} }
func (w *waiting) local() netip.AddrPort       { return addrPort(w.conn.LocalAddr()) }
func (w *waiting) Close() error                { return w.conn.Close() }

// rest is what pion/turn reads: the datagrams that are its to deal with. They are few.
type rest struct {
	next chan datagram
	over chan struct{}
	once sync.Once
}

type datagram struct {
	from    netip.AddrPort
	at      netip.Addr // of this machine, where it is known
	data    []byte
	request request
}

func newRest(length int) rest {
	return rest{next: make(chan datagram, length), over: make(chan struct{})}
}

// put leaves a datagram for pion/turn, or drops it when many wait.
func (r *rest) put(d datagram) {
	d.data = append([]byte(nil), d.data...)
	select {
	case r.next <- d:
	default:
	}
}

func (r *rest) get() (datagram, error) {
	select {
	case d := <-r.next:
		return d, nil
	case <-r.over:
		return datagram{}, net.ErrClosed
	}
}

func (r *rest) end() { r.once.Do(func() { close(r.over) }) }
