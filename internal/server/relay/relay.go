// Package relay is a home server's STUN and TURN (RFC 8489, RFC 8656): it tells a
// device which address the world sees, and forwards the packets of calls for which no
// direct path exists. internal/server makes one and gives it connections. It never
// knows what a packet holds, and names nobody: a credential carries a random tag, and
// which account that is stands in memory for as long as it may be used.
//
// pion/turn keeps allocations, permissions and channels, and answers requests. What is
// ours stands before and behind it: only well-formed requests reach it (check.go), data
// on channels is forwarded without it (udp.go, stream.go, socket.go), and every packet
// passes the rules about peers (peers.go) and quotas (account.go).
package relay

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// Options make a Relay.
type Options struct {
	Realm   string              // of the credentials: the host part of the server's handles
	Listen  []netip.AddrPort    // where UDP and TCP are listened on; port 0: the system chooses, one for all
	Inside  []netip.Addr        // relayed sockets are bound to these: one IPv4 and one IPv6 address at most
	Outside func() []netip.Addr // what the world sees them as, of each family the first; asked now and then
	Ports   [2]uint16           // relayed ports, from and to
	Peers   []netip.Prefix      // not public, and yet allowed
	Limits  func() Limits       // as they are now

	// Admit counts a request of somebody who has no allocation, or a connection, against
	// its address. An error: it gets no answer.
	Admit func(netip.Addr) error

	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand
	Log  *slog.Logger     // nil: silent

	// Tap sees every packet that is forwarded. For tests; nil: nobody does.
	Tap func(from, to netip.AddrPort, packet []byte)
}

// Limits are what one account and all together may use. None is 0.
type Limits struct {
	Allocations       uint64 // of one account at a time
	BytesPerSecond    uint64 // of one account
	BytesPerDay       uint64 // of one account
	AllAllocations    uint64
	AllBytesPerSecond uint64
	Streams           uint64 // TCP connections
	StreamsPerAddress uint64
}

// Stats count what a relay does. They name nobody.
type Stats struct {
	Allocations int
	Bytes       uint64 // forwarded since the start
	Refused     uint64 // packets that a quota or the rules about peers stopped
}

// Relay is a STUN and TURN server. Safe for concurrent use.
type Relay struct {
	o       Options
	port    uint16
	turn    *turn.Server
	secret  [32]byte
	streams *streams
	pollers *pollers
	peers   peers
	all     bucket
	busy    sync.WaitGroup // relayed sockets and TCP connections

	mu          sync.Mutex
	ended       bool
	credentials map[string]*credential // by tag
	accounts    map[string]*account    // by name
	sockets     map[netip.AddrPort]*socket
	paths       map[path]*socket
	fronts      map[netip.AddrPort]*front
	granted     map[integrity]grant
	stats       Stats
}

// path is a client's way to the relay.
type path struct {
	client, local netip.AddrPort
	stream        bool
}

var errEnded = errors.New("relay: closed")

// New starts a relay.
func New(o Options) (*Relay, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Relay{
		o: o, credentials: map[string]*credential{}, accounts: map[string]*account{},
		sockets: map[netip.AddrPort]*socket{}, paths: map[path]*socket{}, fronts: map[netip.AddrPort]*front{},
		granted: map[integrity]grant{},
	}
	if _, err := io.ReadFull(o.Rand, r.secret[:]); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	r.streams = newStreams(r)
	var err error
	if r.pollers, err = newPollers(); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	if err := r.listen(); err != nil {
		r.pollers.close()
		return nil, err
	}
	r.Look()
	return r, nil
}

// listen binds UDP and TCP and starts pion/turn on them. When the system chooses the
// port, one is tried until it is free for all.
func (r *Relay) listen() error {
	tries := 1
	for _, at := range r.o.Listen {
		if at.Port() == 0 {
			tries = 32
		}
	}
	var fronts []*front
	var listeners []net.Listener
	for {
		var err error
		fronts, listeners, err = r.bind()
		if err == nil {
			break
		}
		if tries--; tries == 0 {
			return fmt.Errorf("relay: %w", err)
		}
	}
	c := turn.ServerConfig{
		Realm: r.o.Realm, AuthHandler: r.authenticate, QuotaHandler: r.quota, LoggerFactory: silent{},
		EventHandler: turn.EventHandler{
			OnAllocationCreated: r.allocated,
			OnPermissionCreated: r.permitted, OnPermissionDeleted: r.unpermitted,
			OnChannelCreated: r.bound, OnChannelDeleted: r.unbound,
		},
		ListenerConfigs: []turn.ListenerConfig{{Listener: r.streams, RelayAddressGenerator: generator{r, true}, PermissionHandler: r.mayReach}},
		InboundMTU:      maxFrame + 1,
		// Who names no family gets IPv4 (RFC 8656 section 7.2), also who came over IPv6: it is
		// what everybody reaches. A relay that has none of it gives what it has.
		StrictAddressFamily: slices.ContainsFunc(r.o.Inside, func(a netip.Addr) bool { return family(a) == 0 }),
	}
	for _, f := range fronts {
		r.fronts[f.local] = f
		c.PacketConnConfigs = append(c.PacketConnConfigs, turn.PacketConnConfig{
			PacketConn: f, RelayAddressGenerator: generator{r, false}, PermissionHandler: r.mayReach,
		})
	}
	var err error
	if r.turn, err = turn.NewServer(c); err != nil {
		for _, f := range fronts {
			f.Close()
		}
		for _, ln := range listeners {
			ln.Close()
		}
		return fmt.Errorf("relay: %w", err)
	}
	for _, f := range fronts {
		if err := f.conn.start(f.take); err != nil {
			return errors.Join(err, r.turn.Close())
		}
	}
	for _, ln := range listeners {
		r.streams.take(ln)
	}
	return nil
}

// bind opens the sockets of Listen, all on one port.
func (r *Relay) bind() (fronts []*front, listeners []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, f := range fronts {
				f.Close()
			}
			for _, ln := range listeners {
				ln.Close()
			}
			fronts, listeners = nil, nil
		}
	}()
	var chosen uint16
	for _, at := range r.o.Listen {
		if at.Port() == 0 {
			at = netip.AddrPortFrom(at.Addr(), chosen)
		}
		tcp := "tcp4"
		if at.Addr().Is6() {
			tcp = "tcp6"
		}
		conn, err := r.pollers.open(at)
		if err != nil {
			return fronts, listeners, err
		}
		f := newFront(r, conn)
		fronts = append(fronts, f)
		chosen = f.local.Port()
		ln, err := net.ListenTCP(tcp, net.TCPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), chosen)))
		if err != nil {
			return fronts, listeners, err
		}
		listeners = append(listeners, ln)
	}
	r.port = chosen
	return fronts, listeners, nil
}

// Port is where UDP and TCP are listened on.
func (r *Relay) Port() uint16 { return r.port }

// Stats counts.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.stats
	out.Allocations = len(r.sockets)
	for _, s := range r.sockets {
		out.Bytes += s.bytes.Load()
		out.Refused += s.refused.Load()
	}
	return out
}

// Tick forgets what is over, and looks anew which addresses are this machine's.
func (r *Relay) Tick(now time.Time) {
	r.Look()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now)
	r.forgetGrants(now)
}

// Close ends all forwarding.
func (r *Relay) Close() error {
	r.mu.Lock()
	ended := r.ended
	r.ended = true
	r.mu.Unlock()
	if ended {
		r.busy.Wait()
		return nil
	}
	err := r.turn.Close()
	r.streams.end()
	r.mu.Lock()
	open := make([]*socket, 0, len(r.sockets))
	for _, s := range r.sockets {
		open = append(open, s)
	}
	r.mu.Unlock()
	for _, s := range open {
		s.Close()
	}
	r.busy.Wait()
	r.pollers.close()
	return err
}

// silent keeps pion/turn from writing addresses into a log.
type silent struct{}

func (silent) NewLogger(string) logging.LeveledLogger { return nothing{} }

type nothing struct{}

func (nothing) Trace(string)          {}
func (nothing) Tracef(string, ...any) {}
func (nothing) Debug(string)          {}
func (nothing) Debugf(string, ...any) {}
func (nothing) Info(string)           {}
func (nothing) Infof(string, ...any)  {}
func (nothing) Warn(string)           {}
func (nothing) Warnf(string, ...any)  {}
func (nothing) Error(string)          {}
func (nothing) Errorf(string, ...any) {}
