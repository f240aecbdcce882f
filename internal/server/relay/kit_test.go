package relay

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(benchChild) != "" {
		if err := runChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

var (
	here     = netip.MustParseAddr("127.0.0.1")
	wideOpen = Limits{
		Allocations: 64, BytesPerSecond: 1 << 40, BytesPerDay: 1 << 50,
		AllAllocations: 1000, AllBytesPerSecond: 1 << 40, Streams: 1000, StreamsPerAddress: 1000,
	}
)

// clock is a test's time, which goes on when the test says so.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// newRelay is a relay on loopback, which is as closed as any: only its own allocations
// are reached there.
func newRelay(t testing.TB, change func(*Options)) *Relay {
	t.Helper()
	o := Options{
		Realm: "example.org", Listen: []netip.AddrPort{netip.AddrPortFrom(here, 0)}, Inside: []netip.Addr{here},
		Outside: func() []netip.Addr { return []netip.Addr{here} }, Ports: [2]uint16{49152, 65535},
		Limits: func() Limits { return wideOpen }, Admit: func(netip.Addr) error { return nil },
	}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if n := r.Stats().Allocations; n != 0 {
			t.Errorf("%d allocations are left of a relay that is closed", n)
		}
	})
	return r
}

func (r *Relay) address() string { return netip.AddrPortFrom(here, r.port).String() }

// device is somebody who speaks to a relay over UDP or TCP.
type device struct {
	t      testing.TB
	r      *Relay
	conn   net.PacketConn
	client *turn.Client
	net.PacketConn
}

func (r *Relay) device(t testing.TB, network string, c Credential) *device {
	t.Helper()
	var conn net.PacketConn
	if network == "tcp" {
		stream, err := net.Dial("tcp", r.address())
		if err != nil {
			t.Fatal(err)
		}
		conn = turn.NewSTUNConn(stream)
	} else {
		var err error
		if conn, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	d := &device{t: t, r: r, conn: conn}
	var err error
	d.client, err = turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: r.address(), STUNServerAddr: r.address(), Conn: conn, Username: c.Username, Password: c.Password,
		RTO: 50 * time.Millisecond, LoggerFactory: silent{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.client.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.client.Close(); conn.Close() })
	return d
}

// allocate answers what the relay refuses with.
func (d *device) allocate() (err error) {
	if d.PacketConn, err = d.client.Allocate(); err == nil {
		d.t.Cleanup(func() { d.Close() })
	}
	return err
}

// holding is a device of an account with an allocation.
func (r *Relay) holding(t testing.TB, network, name string) *device {
	t.Helper()
	d := r.device(t, network, r.credential(t, name))
	if err := d.allocate(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (r *Relay) credential(t testing.TB, name string) Credential {
	t.Helper()
	c, err := r.Credential(name, name+"'s phone")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var errLost = errors.New("it did not come")

// tells sends until the other side has it.
func (d *device) tells(to *device, what []byte) error {
	if err := errors.Join(d.client.CreatePermission(to.LocalAddr()), to.client.CreatePermission(d.LocalAddr())); err != nil {
		return err
	}
	b := make([]byte, 2*maxFrame)
	for range 30 {
		if _, err := d.WriteTo(what, to.LocalAddr()); err != nil {
			return err
		}
		if err := to.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			return err
		}
		if n, from, err := to.ReadFrom(b); err == nil && from.String() == d.LocalAddr().String() && bytes.Equal(b[:n], what) {
			return nil
		}
	}
	return errLost
}

// talk fails the test when two devices cannot.
func talk(t testing.TB, a, b *device) {
	t.Helper()
	if err := errors.Join(a.tells(b, []byte("hello")), b.tells(a, []byte("hello back"))); err != nil {
		t.Fatal(err)
	}
}

// raw is a UDP socket that says what it likes.
func raw(t testing.TB) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// asks sends a message and waits for an answer to it; nil: there was none.
func (r *Relay) asks(t testing.TB, c *net.UDPConn, b []byte) *stun.Message {
	t.Helper()
	if _, err := c.WriteTo(b, net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, r.port))); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(150 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	in := make([]byte, 2000)
	n, err := c.Read(in)
	if err != nil {
		return nil
	}
	m := &stun.Message{Raw: in[:n]}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	return m
}

func build(t testing.TB, parts ...stun.Setter) []byte {
	t.Helper()
	m, err := stun.Build(parts...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}
