package relay

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// pollers read UDP sockets: those that clients speak to, and the relayed ones of clients
// over UDP. A goroutine for each socket, woken for each packet, costs half as much again as
// the packet itself, so a few threads wait for all of them (epoll(7)) and read what is there. The sockets are not known
// to the runtime's own poller, which would be woken too.
type pollers struct {
	all  []*poller
	next atomic.Uint32
	wait sync.WaitGroup
}

type poller struct {
	fd, wake int

	mu   sync.Mutex
	open map[int32]*polled
}

// newPollers starts one for every two processors.
func newPollers() (*pollers, error) {
	p := &pollers{}
	for range max(1, runtime.GOMAXPROCS(0)/2) {
		x, err := newPoller()
		if err != nil {
			p.close()
			return nil, err
		}
		p.all = append(p.all, x)
		p.wait.Go(x.run)
	}
	return p, nil
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		if err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)}); err != nil {
			unix.Close(wake)
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &poller{fd: fd, wake: wake, open: map[int32]*polled{}}, nil
}

// close ends all, after their sockets.
func (p *pollers) close() {
	for _, x := range p.all {
		_, _ = unix.Write(x.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
	p.wait.Wait()
	for _, x := range p.all {
		unix.Close(x.fd)
		unix.Close(x.wake)
	}
}

// run reads a packet of each socket that has some, and waits for more.
func (p *poller) run() {
	buf, control := make([]byte, maxFrame+4), make([]byte, 128)
	events := make([]unix.EpollEvent, 64)
	ready := make([]*polled, 0, len(events))
	for {
		n, err := unix.EpollWait(p.fd, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return // the descriptor is gone: not before close
		}
		ready = ready[:0]
		p.mu.Lock()
		for _, e := range events[:max(0, n)] {
			if int(e.Fd) == p.wake {
				p.mu.Unlock()
				return
			}
			if c := p.open[e.Fd]; c != nil {
				ready = append(ready, c)
			}
		}
		p.mu.Unlock()
		for _, c := range ready {
			c.take(buf, control)
		}
	}
}

// polled is a UDP socket that a poller reads. Package syscall, unlike golang.org/x/sys,
// needs no second call to the system to tell whose address came with a packet.
type polled struct {
	poller *poller
	at     netip.AddrPort
	all    bool // bound to all addresses: which one a packet came to is asked
	got    func(frame []byte, from netip.AddrPort, control []byte)

	mu     sync.RWMutex // over fd: nobody uses one that is closed
	fd     int
	closed bool

	sending sync.Mutex // over what follows
	to4     syscall.SockaddrInet4
	to6     syscall.SockaddrInet6
	sources map[netip.Addr][]byte // control messages that send from one of the machine's addresses
}

const maxSources = 64

// open binds a socket. Port 0: the system chooses.
func (p *pollers) open(at netip.AddrPort) (datagrams, error) {
	domain := syscall.AF_INET
	if at.Addr().Is6() {
		domain = syscall.AF_INET6
	}
	fd, err := syscall.Socket(domain, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, syscall.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	if at, err = bind(fd, at); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return &polled{poller: p.all[int(p.next.Add(1))%len(p.all)], at: at, all: at.Addr().IsUnspecified(), fd: fd, sources: map[netip.Addr][]byte{}}, nil
}

// bind binds, and answers to what.
func bind(fd int, at netip.AddrPort) (netip.AddrPort, error) {
	var address syscall.Sockaddr = &syscall.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	if at.Addr().Is4() {
		address = &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	} else if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 1); err != nil {
		return at, err
	}
	if at.Addr().IsUnspecified() {
		level, option := syscall.IPPROTO_IP, syscall.IP_PKTINFO
		if at.Addr().Is6() {
			level, option = syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO
		}
		if err := syscall.SetsockoptInt(fd, level, option, 1); err != nil {
			return at, err
		}
	}
	if err := syscall.Bind(fd, address); err != nil {
		return at, err
	}
	bound, err := syscall.Getsockname(fd)
	switch a := bound.(type) {
	case *syscall.SockaddrInet4:
		at = netip.AddrPortFrom(at.Addr(), uint16(a.Port))
	case *syscall.SockaddrInet6:
		at = netip.AddrPortFrom(at.Addr(), uint16(a.Port))
	}
	return at, err
}

// start hands the socket to its poller.
func (c *polled) start(got func(frame []byte, from netip.AddrPort, control []byte)) error {
	c.got = got
	c.poller.mu.Lock()
	c.poller.open[int32(c.fd)] = c
	c.poller.mu.Unlock()
	return unix.EpollCtl(c.poller.fd, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)})
}

// take reads one packet. If there are more, the poller comes back.
func (c *polled) take(buf, control []byte) {
	c.mu.RLock()
	if c.closed {
		c.mu.RUnlock()
		return
	}
	var n, told int
	var from syscall.Sockaddr
	var err error
	if c.all {
		n, told, _, from, err = syscall.Recvmsg(c.fd, buf[headChannel:], control, 0)
	} else {
		n, from, err = syscall.Recvfrom(c.fd, buf[headChannel:], 0)
	}
	c.mu.RUnlock()
	if err != nil {
		return
	}
	switch a := from.(type) {
	case *syscall.SockaddrInet4:
		c.got(buf[:headChannel+n], netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), control[:told])
	case *syscall.SockaddrInet6:
		c.got(buf[:headChannel+n], netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)), control[:told])
	}
}

// arrivedAt reads what ip(7) and ipv6(7) call pktinfo.
func (c *polled) arrivedAt(control []byte) netip.Addr {
	var at net.IP
	if c.at.Addr().Is4() {
		var m ipv4.ControlMessage
		if m.Parse(control) == nil {
			at = m.Dst
		}
	} else {
		var m ipv6.ControlMessage
		if m.Parse(control) == nil {
			at = m.Dst
		}
	}
	a, _ := netip.AddrFromSlice(at)
	return a.Unmap()
}

// source is the control message that sends from an address. Holds sending.
func (c *polled) source(from netip.Addr) []byte {
	if !c.all || !from.IsValid() {
		return nil
	}
	b, known := c.sources[from]
	if !known {
		if from.Is4() {
			b = (&ipv4.ControlMessage{Src: from.AsSlice()}).Marshal()
		} else {
			b = (&ipv6.ControlMessage{Src: from.AsSlice()}).Marshal()
		}
		if len(c.sources) >= maxSources {
			clear(c.sources)
		}
		c.sources[from] = b
	}
	return b
}

// write sends, or drops what the system has no room for.
func (c *polled) write(p []byte, to netip.AddrPort, from netip.Addr) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	var address syscall.Sockaddr = &c.to6
	if to.Addr().Is4() {
		c.to4.Addr, c.to4.Port = to.Addr().As4(), int(to.Port())
		address = &c.to4
	} else {
		c.to6.Addr, c.to6.Port = to.Addr().As16(), int(to.Port())
	}
	if control := c.source(from); control != nil {
		_ = syscall.Sendmsg(c.fd, p, control, address, 0)
	} else {
		_ = syscall.Sendto(c.fd, p, 0, address)
	}
}

func (c *polled) local() netip.AddrPort { return c.at }

// Close takes the socket from its poller, and closes it when nobody uses it.
func (c *polled) Close() error {
	c.poller.mu.Lock()
	if c.poller.open[int32(c.fd)] == c {
		delete(c.poller.open, int32(c.fd))
	}
	c.poller.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	return syscall.Close(c.fd)
}
