package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/turn/v5"

	"sotto/internal/wire"
)

// allocation is what a test's device holds at a relay.
type allocation struct {
	net.PacketConn
	client *turn.Client
}

// at is how a test reaches the server that a URL of its relay names.
func (r *rig) at(u string) (scheme, address string) {
	scheme, rest, _ := strings.Cut(u, ":")
	where, query, _ := strings.Cut(rest, "?transport=")
	_, port, _ := net.SplitHostPort(where)
	return scheme + query, net.JoinHostPort(r.addr.Addr().String(), port)
}

// allocate asks a relay for an address, the way that a URL says.
func (r *rig) allocate(u, username, password string) (*allocation, error) {
	r.t.Helper()
	way, at := r.at(u)
	var conn net.PacketConn
	switch way {
	case "turnudp":
		c, err := net.ListenPacket("udp", net.JoinHostPort(r.addr.Addr().String(), "0"))
		if err != nil {
			r.t.Fatal(err)
		}
		conn = c
	case "turntcp", "turnstcp":
		c, err := net.Dial("tcp", at)
		if err != nil {
			return nil, err
		}
		if way == "turnstcp" {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		conn = turn.NewSTUNConn(c)
	default:
		r.t.Fatalf("%s is not TURN", u)
	}
	c, err := turn.NewClient(&turn.ClientConfig{TURNServerAddr: at, STUNServerAddr: at, Conn: conn, Username: username, Password: password, RTO: 100 * time.Millisecond})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close(); conn.Close() })
	if err := c.Listen(); err != nil {
		r.t.Fatal(err)
	}
	relayed, err := c.Allocate()
	if err != nil {
		return nil, err
	}
	r.t.Cleanup(func() { relayed.Close() })
	return &allocation{relayed, c}, nil
}

// admits lets a packet from another allocation in.
func (a *allocation) admits(b *allocation) error { return a.client.CreatePermission(b.LocalAddr()) }

// tells sends until the other side has it, since UDP may lose it.
func (a *allocation) tells(b *allocation, what string) error {
	got := make([]byte, 2000)
	for range 50 {
		if _, err := a.WriteTo([]byte(what), b.LocalAddr()); err != nil {
			return err
		}
		_ = b.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, from, err := b.ReadFrom(got)
		if err != nil {
			continue
		}
		if from.String() != a.LocalAddr().String() {
			return fmt.Errorf("from %s, not %s", from, a.LocalAddr())
		}
		if bytes.Equal(got[:n], []byte(what)) {
			return nil
		}
	}
	return fmt.Errorf("%q did not come", what)
}

// Ana and Bo ask for relays, and bytes go between what they hold over each way: UDP, TCP,
// and the server's own port in the clear and inside of TLS, while that speaks HTTP too.
func TestRelays(t *testing.T) {
	cert, key := selfMade(t, t.TempDir(), 1)
	for name, so := range map[string]ServeOptions{"plain": {}, "certificates": {CertFile: cert, KeyFile: key}, "its own": {Own: true}} {
		t.Run(name, func(t *testing.T) {
			so.Relay = &RelayOptions{}
			o := Options{}
			if so.Own {
				o.Host = "nas.local:7700"
			}
			r := start(t, o, so)
			ana, bo := r.person("ana"), r.person("bo")
			var hers, his wire.Relays
			ana.must(wire.OpRelays, wire.Done{}, &hers)
			bo.must(wire.OpRelays, wire.Done{}, &his)
			if hers.Username == his.Username || strings.Contains(hers.Username, "ana") || len(hers.URLs) < 4 {
				t.Fatalf("%+v, %+v", hers, his)
			}
			var ways []*allocation
			for _, u := range hers.URLs[1:] {
				if so.Own {
					u = strings.Replace(u, ":7700", fmt.Sprintf(":%d", r.addr.Port()), 1)
				}
				a, err := r.allocate(u, hers.Username, hers.Password)
				if err != nil {
					t.Fatal(u, err)
				}
				ways = append(ways, a)
			}
			b, err := r.allocate(his.URLs[1], his.Username, his.Password)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range ways {
				for _, err := range []error{a.admits(b), b.admits(a), a.tells(b, strings.Repeat("x", 1200)), b.tells(a, "an answer"), a.tells(b, "and one more")} {
					if err != nil {
						t.Fatal(hers.URLs[1+i], err)
					}
				}
			}
			if st := r.s.Status(); st.Relayed != len(ways)+1 {
				t.Errorf("%d allocations, not %d", st.Relayed, len(ways)+1)
			}
			if status, _, _ := r.get("GET", "/v1/server", nil, nil); status != 200 {
				t.Error("the port speaks no HTTP any more", status)
			}
			r.again(ana)
		})
	}
}

// Over IPv6, where the machine has it, as over IPv4.
func TestRelaysOfEachFamily(t *testing.T) {
	for _, a := range everywhere() {
		listen := "127.0.0.1:0"
		if a.Is6() {
			listen = "[::1]:0"
		}
		r := start(t, Options{}, ServeOptions{Listen: listen, Relay: &RelayOptions{}})
		var q wire.Relays
		r.person("ana").must(wire.OpRelays, wire.Done{}, &q)
		one, err := r.allocate(q.URLs[1], q.Username, q.Password)
		if err != nil {
			t.Fatal(a, err)
		}
		two, err := r.allocate(q.URLs[3], q.Username, q.Password)
		if err != nil {
			t.Fatal(a, err)
		}
		for _, err := range []error{one.admits(two), two.admits(one), one.tells(two, "there"), two.tells(one, "and back")} {
			if err != nil {
				t.Error(a, err)
			}
		}
	}
}

// The world sees whoever asks.
func TestBinding(t *testing.T) {
	r := start(t, Options{}, ServeOptions{Relay: &RelayOptions{}})
	ana := r.person("ana")
	var q wire.Relays
	ana.must(wire.OpRelays, wire.Done{}, &q)
	a, err := r.allocate(q.URLs[1], q.Username, q.Password)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := a.client.SendBindingRequest()
	if err != nil {
		t.Fatal(err)
	}
	if at, err := netip.ParseAddrPort(seen.String()); err != nil || at.Addr() != r.addr.Addr() {
		t.Error(seen, err)
	}
	none := start(t, Options{}, ServeOptions{})
	none.person("bo").refused(wire.CodeNoRelay, wire.OpRelays, wire.Done{})
}

// Who is suspended loses what is relayed for them with their connections, and others do not.
func TestSuspendedIsNotRelayed(t *testing.T) {
	r := start(t, Options{}, ServeOptions{Relay: &RelayOptions{}})
	ana, bo := r.person("ana"), r.person("bo")
	for _, x := range []*person{ana, bo} {
		var q wire.Relays
		x.must(wire.OpRelays, wire.Done{}, &q)
		if _, err := r.allocate(q.URLs[1], q.Username, q.Password); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.s.Suspend(ana.h.String(), true); err != nil {
		t.Fatal(err)
	}
	if n := r.s.Status().Relayed; n != 1 {
		t.Errorf("%d addresses are relayed", n)
	}
	bo.must(wire.OpRelays, wire.Done{}, &wire.Relays{})
}
