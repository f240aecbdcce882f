package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// packet is as long as what a call sends at most, so that a way that loses such is found.
const packet = 1200

// try tries one way in one family.
func (o Options) try(ctx context.Context, p place, f Family) (c Check) {
	c = Check{Way: p.way, Family: f, At: p.at()}
	ctx, cancel := context.WithTimeout(ctx, o.Patience)
	defer cancel()
	start := time.Now()
	defer func() { c.TookMS = time.Since(start).Milliseconds() }()
	to, ok := resolve(ctx, p.host, f)
	if !ok || !routed(to) {
		c.Absent, c.Why = true, "no "+string(f)
		return c
	}
	var err error
	if p.way == STUN {
		var seen net.Addr
		if seen, err = o.binding(ctx, p, to); err == nil {
			c.Seen = seen.String()
		}
	} else {
		err = o.echo(ctx, p, to)
	}
	if err != nil {
		c.Why = err.Error()
		if ctx.Err() != nil {
			c.Why = "no answer"
		}
	}
	c.Works = err == nil
	return c
}

// routed says whether this machine has a way to an address: the kernel knows without a
// packet.
func routed(to netip.Addr) bool {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// end is one end at the relay.
type end struct {
	conn    net.PacketConn
	client  *turn.Client
	relayed net.PacketConn
	stop    func() bool
}

// open connects to a relay and holds nothing yet. It ends with ctx.
func (o Options) open(ctx context.Context, p place, to netip.Addr) (*end, error) {
	address := net.JoinHostPort(to.String(), p.port)
	var conn net.PacketConn
	if p.way == STUN || p.way == UDP {
		c, err := net.ListenPacket("udp", net.JoinHostPort(source(to), "0"))
		if err != nil {
			return nil, err
		}
		conn = c
	} else {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		if p.way == TLS {
			config := &tls.Config{}
			if o.TLS != nil {
				config = o.TLS.Clone()
			}
			config.ServerName = p.host
			secure := tls.Client(c, config)
			if err := secure.HandshakeContext(ctx); err != nil {
				c.Close()
				return nil, err
			}
			c = secure
		}
		conn = turn.NewSTUNConn(c)
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: address, TURNServerAddr: address, Conn: conn, Username: o.Username, Password: o.Password,
		RTO: 100 * time.Millisecond, LoggerFactory: quiet{},
	})
	if err == nil {
		err = client.Listen()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	e := &end{conn: conn, client: client}
	e.stop = context.AfterFunc(ctx, func() { client.Close(); conn.Close() })
	return e, nil
}

// source is the address of this machine from which packets to a relay go, so that the
// family of what it holds is known.
func source(to netip.Addr) string {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err != nil {
		return ""
	}
	defer c.Close()
	host, _, _ := net.SplitHostPort(c.LocalAddr().String())
	return host
}

func (e *end) hold() (err error) {
	e.relayed, err = e.client.Allocate()
	return err
}

func (e *end) close() {
	e.stop()
	if e.relayed != nil {
		_ = e.relayed.Close()
	}
	e.client.Close()
	_ = e.conn.Close()
}

// binding asks which address the world sees.
func (o Options) binding(ctx context.Context, p place, to netip.Addr) (net.Addr, error) {
	e, err := o.open(ctx, p, to)
	if err != nil {
		return nil, err
	}
	defer e.close()
	return e.client.SendBindingRequest()
}

// echo holds two addresses at a relay and passes a packet through both, there and back.
func (o Options) echo(ctx context.Context, p place, to netip.Addr) error {
	var ends [2]*end
	for i := range ends {
		e, err := o.open(ctx, p, to)
		if err != nil {
			return err
		}
		defer e.close()
		if err := e.hold(); err != nil {
			return err
		}
		ends[i] = e
	}
	for i, e := range ends {
		if err := e.client.CreatePermission(ends[1-i].relayed.LocalAddr()); err != nil {
			return err
		}
	}
	for i, e := range ends {
		if err := pass(ctx, e.relayed, ends[1-i].relayed); err != nil {
			return fmt.Errorf("packets of %d bytes do not pass: %w", packet, err)
		}
	}
	return nil
}

// pass sends a packet until it has arrived, or ctx ends.
func pass(ctx context.Context, from, to net.PacketConn) error {
	want := make([]byte, packet)
	if _, err := rand.Read(want); err != nil {
		return err
	}
	b := make([]byte, 2*packet)
	for ctx.Err() == nil {
		if _, err := from.WriteTo(want, to.LocalAddr()); err != nil {
			return err
		}
		if err := to.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			return err
		}
		n, _, err := to.ReadFrom(b)
		if err == nil && bytes.Equal(b[:n], want) {
			return nil
		}
	}
	return ctx.Err()
}

// quiet writes no log.
type quiet struct{}

func (quiet) NewLogger(string) logging.LeveledLogger {
	return logging.NewDefaultLeveledLoggerForScope("", logging.LogLevelDisabled, io.Discard)
}
