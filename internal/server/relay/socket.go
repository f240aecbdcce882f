package relay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/turn/v5"
)

// socket is a relayed transport address: what the other side of a call sees. It is
// pion/turn's net.PacketConn. Data on a channel goes to the client without pion/turn; the
// rest becomes its Data indications.
type socket struct {
	r          *Relay
	conn       datagrams
	inside     netip.AddrPort // how this machine reaches it
	outside    netip.AddrPort // how the world does
	credential *credential
	account    *account
	requests   bucket // that the client makes about it

	rest rest

	bytes, refused atomic.Uint64
	known          atomic.Pointer[known]
	closing        sync.Once
}

// known is what pion/turn has told of an allocation. It is replaced whole.
type known struct {
	path        path
	client      client
	channels    map[uint16]netip.AddrPort
	numbers     map[netip.AddrPort]uint16
	permissions map[netip.Addr]bool
}

// client is the way back to who holds an allocation. Its method takes data on a channel,
// behind its head.
type client interface {
	deliver(b []byte)
	asked() integrity // of the request that pion/turn answers now; its goroutine may ask
}

const restLength = 16 // packets, for the time before there is a channel

// generator makes pion/turn's relayed addresses, for clients over UDP or on streams. There
// are none for TCP to peers (RFC 6062).
type generator struct {
	r      *Relay
	stream bool
}

var errNoTCP = errors.New("relay: peers are reached over UDP only")

func (generator) Validate() error { return nil }

func (generator) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

func (generator) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// AllocatePacketConn opens a relayed socket for whoever authenticated. EVEN-PORT and
// RESERVATION-TOKEN, which no call needs, ask without a name or for a port: refused.
func (g generator) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	r := g.r
	fam := 0
	if c.Network == "udp6" {
		fam = 1
	}
	outside := r.peers.outside[fam].Load()
	var inside netip.Addr
	for _, a := range r.o.Inside {
		if family(a) == fam {
			inside = a
		}
	}
	if inside.IsValid() && inside.IsUnspecified() && outside != nil && r.hasAddress(*outside) {
		inside = *outside // the one of its addresses that a peer knows it by
	}
	if outside == nil || !inside.IsValid() || c.RequestedPort != 0 {
		return nil, nil, fmt.Errorf("relay: no relayed address for %s", c.Network)
	}
	conn, err := r.freePort(inside, g.stream)
	if err != nil {
		return nil, nil, err
	}
	port := conn.local().Port()
	if inside.IsUnspecified() {
		inside = [2]netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}[fam]
	}
	s := &socket{r: r, conn: conn, rest: newRest(restLength), inside: netip.AddrPortFrom(inside, port), outside: netip.AddrPortFrom(*outside, port)}
	s.known.Store(&known{})
	r.mu.Lock()
	defer r.mu.Unlock()
	s.credential = r.credentials[c.UserID]
	if !r.room(s.credential) || r.sockets[s.outside] != nil {
		conn.Close()
		return nil, nil, errors.New("relay: no room for one more allocation")
	}
	s.account = s.credential.account
	if err := conn.start(s.arrived); err != nil {
		conn.Close()
		return nil, nil, err
	}
	s.credential.open++
	s.account.open++
	r.sockets[s.outside] = s
	r.busy.Add(1)
	return s, net.UDPAddrFromAddrPort(s.outside), nil
}

// freePort binds a port of the range, chosen at random. Who is on a stream may be slow to
// read, so its socket has a goroutine of its own; the others share pollers, where there are
// such.
func (r *Relay) freePort(inside netip.Addr, stream bool) (datagrams, error) {
	from, count := r.o.Ports[0], uint32(r.o.Ports[1]-r.o.Ports[0])+1
	var err error
	for range 32 {
		var b [4]byte
		if _, err := io.ReadFull(r.o.Rand, b[:]); err != nil {
			return nil, err
		}
		at := netip.AddrPortFrom(inside, from+uint16(binary.BigEndian.Uint32(b[:])%count))
		var conn datagrams
		if stream {
			conn, err = openWaiting(at)
		} else {
			conn, err = r.pollers.open(at)
		}
		if err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// arrived takes a datagram. From a peer that has a permission and no channel, it is
// pion/turn's.
func (s *socket) arrived(frame []byte, from netip.AddrPort, _ []byte) {
	n := len(frame) - headChannel
	if n > maxData { // longer than the space that it was read into
		return
	}
	peer, ok := s.r.source(from)
	k := s.known.Load()
	number, bound := k.numbers[peer]
	if !ok || !bound && !k.permissions[peer.Addr()] || !s.account.spend(n) {
		s.refused.Add(1)
		return
	}
	s.note(peer, s.outside, frame[headChannel:])
	if !bound {
		s.rest.put(datagram{from: peer, data: frame[headChannel:]})
		return
	}
	binary.BigEndian.PutUint16(frame, number)
	binary.BigEndian.PutUint16(frame[2:], uint16(n))
	k.client.deliver(frame)
}

// ReadFrom answers what pion/turn is to make an indication of.
func (s *socket) ReadFrom(p []byte) (int, net.Addr, error) {
	d, err := s.rest.get()
	if err != nil {
		return 0, nil, err
	}
	return copy(p, d.data), net.UDPAddrFromAddrPort(d.from), nil
}

// WriteTo sends what came in a Send indication.
func (s *socket) WriteTo(p []byte, to net.Addr) (int, error) {
	s.send(append(make([]byte, headChannel, headChannel+len(p)), p...), addrPort(to))
	return len(p), nil
}

// send sends data behind their head to a peer, or refuses silently, as UDP does. To another
// allocation of this relay whose client is reached over UDP, which never waits, they go
// without a way through the system: in most relayed calls both ends are here.
func (s *socket) send(frame []byte, peer netip.AddrPort) {
	to, own, ok := s.r.route(peer)
	p := frame[headChannel:]
	if !ok || !s.account.spend(len(p)) {
		s.refused.Add(1)
		return
	}
	s.note(s.outside, peer, p)
	if own != nil {
		if _, udp := own.known.Load().client.(*direct); udp {
			own.arrived(frame, s.inside, nil)
			return
		}
	}
	s.conn.write(p, to, netip.Addr{})
}

// note counts a packet that is forwarded, and shows it to a test.
func (s *socket) note(from, to netip.AddrPort, p []byte) {
	s.bytes.Add(uint64(len(p)))
	if s.r.o.Tap != nil {
		s.r.o.Tap(from, to, p)
	}
}

// Close ends the allocation: pion/turn forgets it when its read fails.
func (s *socket) Close() (err error) {
	s.closing.Do(func() {
		s.rest.end()
		err = s.conn.Close()
		r := s.r
		r.mu.Lock()
		delete(r.sockets, s.outside)
		if k := s.known.Load(); r.paths[k.path] == s {
			delete(r.paths, k.path)
		}
		s.credential.open--
		s.account.open--
		r.stats.Bytes += s.bytes.Load()
		r.stats.Refused += s.refused.Load()
		r.mu.Unlock()
		r.busy.Done()
	})
	return err
}

// LocalAddr and the deadlines are there because net.PacketConn has them.
func (s *socket) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(s.conn.local()) }
func (s *socket) SetDeadline(time.Time) error      { return nil }
func (s *socket) SetReadDeadline(time.Time) error  { return nil }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// learn changes what is known of an allocation. Holds Relay.mu.
func (s *socket) learn(change func(k *known)) {
	old := s.known.Load()
	k := &known{
		path: old.path, client: old.client,
		channels: maps.Clone(old.channels), numbers: maps.Clone(old.numbers), permissions: maps.Clone(old.permissions),
	}
	if k.channels == nil {
		k.channels, k.numbers, k.permissions = map[uint16]netip.AddrPort{}, map[netip.AddrPort]uint16{}, map[netip.Addr]bool{}
	}
	change(k)
	s.known.Store(k)
}

// allocated and what follows are what pion/turn tells of its allocations, named by their
// relayed address.
func (r *Relay) allocated(src, dst net.Addr, _, _, _ string, relayed net.Addr, _ int) {
	_, stream := src.(*net.TCPAddr)
	p := path{addrPort(src), addrPort(dst), stream}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sockets[addrPort(relayed)]
	if s == nil {
		return
	}
	var way client
	if stream {
		if x := r.streams.at(p); x != nil {
			way = x
		}
	} else if f := r.fronts[p.local]; f != nil {
		way = &direct{f, p.client, f.arrived()}
	}
	if way == nil {
		return
	}
	s.learn(func(k *known) { k.path, k.client = p, way })
	r.paths[p] = s
	r.granted[way.asked()] = grant{p, r.o.Now()}
}

func (r *Relay) tell(relayed net.Addr, change func(k *known)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.sockets[addrPort(relayed)]; s != nil {
		s.learn(change)
	}
}

func (r *Relay) permitted(_, _ net.Addr, _, _, _ string, relayed net.Addr, peer net.IP) {
	if a, ok := netip.AddrFromSlice(peer); ok {
		r.tell(relayed, func(k *known) { k.permissions[a.Unmap()] = true })
	}
}

func (r *Relay) unpermitted(_, _ net.Addr, _, _, _ string, relayed net.Addr, peer net.IP) {
	if a, ok := netip.AddrFromSlice(peer); ok {
		r.tell(relayed, func(k *known) { delete(k.permissions, a.Unmap()) })
	}
}

func (r *Relay) bound(_, _ net.Addr, _, _, _ string, relayed, peer net.Addr, number uint16) {
	r.tell(relayed, func(k *known) { k.channels[number], k.numbers[addrPort(peer)] = addrPort(peer), number })
}

func (r *Relay) unbound(_, _ net.Addr, _, _, _ string, relayed, peer net.Addr, number uint16) {
	r.tell(relayed, func(k *known) {
		delete(k.channels, number)
		delete(k.numbers, addrPort(peer))
	})
}

// Requests of one allocation: so many in a second, and so many at once.
const (
	requestRate  = 20
	requestBurst = 200
)

// passes says whether a request from a path goes on to pion/turn. Who has no allocation is
// metered by address; who has one, by what it may hold.
func (r *Relay) passes(p path, s *socket, q request) bool {
	if s == nil {
		return q.kind != typeSend && (q.kind != typeAllocate || !r.replayed(p, q.code))
	}
	if q.kind == typeSend {
		return true
	}
	if !s.requests.take(r.o.Now().UnixNano(), 1, requestRate, requestBurst) {
		return false
	}
	k := s.known.Load()
	if q.kind == typeChannel && len(k.channels) >= maxPeers {
		if _, bound := k.channels[q.channel]; !bound {
			return false
		}
	}
	if q.kind == typePermission || q.kind == typeChannel {
		room := maxPeers - len(k.permissions)
		for _, a := range q.peers {
			if !k.permissions[a] {
				room--
			}
		}
		return room >= 0
	}
	return true
}

// allocation is whose path this is, nil if nobody's.
func (r *Relay) allocation(p path) *socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paths[p]
}
