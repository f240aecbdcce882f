package doctor

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sotto/internal/server/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A relay on loopback is reached over everything, what it helps is passed on for real, and
// the doctor says what it would be without one way after the other.
func TestDoctor(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	limits := relay.Limits{Allocations: 64, BytesPerSecond: 1 << 40, BytesPerDay: 1 << 50, AllAllocations: 99, AllBytesPerSecond: 1 << 40, Streams: 99, StreamsPerAddress: 99}
	r, err := relay.New(relay.Options{
		Realm: "example.org", Listen: []netip.AddrPort{netip.AddrPortFrom(here, 0)}, Inside: []netip.Addr{here}, Ports: [2]uint16{49152, 65535},
		Outside: func() []netip.Addr { return []netip.Addr{here} }, Limits: func() relay.Limits { return limits },
		Admit: func(netip.Addr) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := r.Credential("ana", "phone")
	if err != nil {
		t.Fatal(err)
	}
	works := netip.AddrPortFrom(here, r.Port()).String()
	dark, err := net.ListenPacket("udp4", "127.0.0.1:0") // and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer dark.Close()
	fails := dark.LocalAddr().String()
	for name, q := range map[string]struct {
		stun, udp, tcp, own string
		password            string
		direct, relayed     bool
		say                 string
	}{
		"all":             {works, works, works, fails, c.Password, true, true, "UDP goes through: calls can be direct."},
		"no UDP to relay": {works, fails, works, fails, c.Password, true, true, "relays them over TCP only"},
		"no UDP":          {fails, fails, works, fails, c.Password, false, true, "go through 127.0.0.1 over TCP, with more delay"},
		"only HTTPS":      {fails, fails, fails, works, c.Password, false, true, "Only port " + portOf(works) + " is open here: calls go through 127.0.0.1"},
		"nothing":         {fails, fails, fails, fails, c.Password, false, false, "Calls cannot work here"},
		"no credential":   {works, works, works, fails, "x", true, false, "But 127.0.0.1 relays none"},
	} {
		t.Run(name, func(t *testing.T) {
			urls := []string{"stun:" + q.stun, "turn:" + q.udp + "?transport=udp", "turn:" + q.tcp + "?transport=tcp", "turn:" + q.own + "?transport=tcp", "stun:nonsense"}
			host := q.own // the port that HTTPS has, too
			got := Run(t.Context(), Options{Host: host, URLs: urls, Username: c.Username, Password: q.password, Patience: 400 * time.Millisecond})
			if got.Direct != q.direct || got.Relayed != q.relayed || len(got.Checks) != 8 || !strings.Contains(got.Verdict(host), q.say) {
				t.Errorf("%+v\n%s", got, got.Verdict(host))
			}
			for _, x := range got.Checks {
				if x.Absent != (x.Family == IPv6) || x.Text() == "" || x.Works && x.Way == STUN && x.NAT != NATNone {
					t.Errorf("%+v: %s", x, x.Text())
				}
			}
		})
	}
}

// What is said of NATs and of a network that lets nothing out.
func TestVerdict(t *testing.T) {
	stun := Check{Way: STUN, Family: IPv4, At: "example.org:3478", Works: true, NAT: NATDifferent}
	udp := Check{Way: UDP, Family: IPv4, At: "example.org:3478", Works: true}
	tls := Check{Way: TLS, Family: IPv6, At: "example.org:443", Works: true}
	for say, r := range map[string]Report{
		"as yours does, they go through example.org":                   {Checks: []Check{stun, udp}, Direct: true, Relayed: true},
		"Calls work here: they go through example.org.":                {Checks: []Check{udp}, Relayed: true},
		"Only port 443 is open here: calls go through example.org":     {Checks: []Check{tls}, Relayed: true},
		"let UDP and TCP out to example.org:3478 and example.org:443,": {Checks: []Check{{Way: UDP, At: "example.org:3478"}, {Way: TLS, At: "example.org:443"}}},
	} {
		if got := r.Verdict("example.org"); !strings.Contains(got, say) {
			t.Errorf("%q does not say %q", got, say)
		}
	}
	if same(&net.UDPAddr{IP: net.IP{1, 1, 1, 1}, Port: 1}, &net.UDPAddr{IP: net.IP{1, 1, 1, 1}, Port: 2}) != NATDifferent ||
		same(&net.UDPAddr{IP: net.IP{1, 1, 1, 1}, Port: 1}, &net.UDPAddr{IP: net.IP{1, 1, 1, 1}, Port: 1}) != NATSame || same(&net.UDPAddr{}, &net.UnixAddr{}) != "" {
		t.Error("NATs are mistaken")
	}
}
