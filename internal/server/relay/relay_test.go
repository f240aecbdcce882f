package relay

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// Ana and Bo talk through the relay over UDP and TCP in every pairing, with packets as
// long as calls send them, and a test may look at each.
func TestForwards(t *testing.T) {
	var mu sync.Mutex
	var seen bytes.Buffer
	r := newRelay(t, func(o *Options) {
		o.Tap = func(_, _ netip.AddrPort, p []byte) {
			mu.Lock()
			defer mu.Unlock()
			seen.Write(p)
		}
	})
	for _, ways := range [][2]string{{"udp", "udp"}, {"udp", "tcp"}, {"tcp", "tcp"}} {
		ana, bo := r.holding(t, ways[0], "ana"), r.holding(t, ways[1], "bo")
		for _, n := range []int{1, 2, 3, 4, 1199, 1200, 1472} {
			p := bytes.Repeat([]byte{byte(n)}, n)
			if err := errors.Join(ana.tells(bo, p), bo.tells(ana, p)); err != nil {
				t.Fatalf("%d bytes over %v: %v", n, ways, err)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if !bytes.Contains(seen.Bytes(), bytes.Repeat([]byte{byte(1472 & 0xff)}, 1472)) {
		t.Error("a packet was forwarded that the test did not see")
	}
	if st := r.Stats(); st.Bytes != uint64(seen.Len()) || st.Allocations != 6 {
		t.Errorf("%+v, and %d bytes were forwarded", st, seen.Len())
	}
}

// Mallory has no credential of this server: made up, of another one, for another realm, or
// of her own with another's name on it. Ana and Bo go on.
func TestMalloryIsNobody(t *testing.T) {
	r, other := newRelay(t, nil), newRelay(t, nil)
	ana, bo := r.holding(t, "udp", "ana"), r.holding(t, "udp", "bo")
	hers := r.credential(t, "ana")
	end, _, _ := strings.Cut(hers.Username, ":")
	for name, c := range map[string]Credential{
		"nothing":          {},
		"made up":          {Username: end + ":AAAAAAAAAAAAAAAA", Password: "x"},
		"another server's": other.credential(t, "ana"),
		"a wrong password": {Username: hers.Username, Password: hers.Password + "x"},
		"a longer life":    {Username: "9" + hers.Username, Password: hers.Password},
		"no time":          {Username: "soon:" + hers.Username, Password: hers.Password},
		"a long name":      {Username: strings.Repeat("9", 500) + ":x", Password: "x"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			if r.device(t, network, c).allocate() == nil {
				t.Errorf("%s opens the relay over %s", name, network)
			}
		}
	}
	if _, _, ok := r.authenticate(&turn.RequestAttributes{Username: hers.Username, Realm: "elsewhere.example"}); ok {
		t.Error("another realm is answered")
	}
	talk(t, ana, bo)
}

// A credential ends after its lifetime: nothing new is opened, and a call that runs goes on.
// It is renewed when half of it is over, and each device has its own.
func TestCredentialsEnd(t *testing.T) {
	time0 := newClock()
	r := newRelay(t, func(o *Options) { o.Now = time0.now })
	ana, bo := r.holding(t, "udp", "ana"), r.holding(t, "udp", "bo")
	first := r.credential(t, "ana")
	if again := r.credential(t, "ana"); again != first {
		t.Error("a device has two credentials at once")
	}
	laptop, err := r.Credential("ana", "ana's laptop")
	if err != nil || laptop.Username == first.Username || strings.Contains(first.Username+first.Password, "ana") {
		t.Errorf("%+v, %+v, %v", first, laptop, err)
	}
	time0.pass(Lifetime + time.Second)
	r.Tick(time0.now())
	if err := r.device(t, "udp", laptop).allocate(); err == nil {
		t.Error("a credential that is over opens the relay")
	}
	talk(t, ana, bo)
	if _, _, ok := r.authenticate(&turn.RequestAttributes{Username: first.Username, Realm: "example.org"}); !ok {
		t.Error("a call ends with its credential")
	}
	if err := r.device(t, "udp", first).allocate(); err == nil {
		t.Error("a credential that is over opens something new beside a call that runs")
	}
	if fresh := r.credential(t, "ana"); fresh.Username == first.Username {
		t.Error("no new credential")
	}
	ana.Close()
	waitFor(t, "the end of an allocation", func() bool { return r.Stats().Allocations == 1 })
	time0.pass(25 * time.Hour)
	bo.Close()
	waitFor(t, "the end of the other", func() bool { return r.Stats().Allocations == 0 })
	r.Tick(time0.now())
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.credentials)+len(r.accounts)+len(r.granted)+len(r.paths) != 0 {
		t.Errorf("a day later something is known: %v, %v, %v, %v", r.credentials, r.accounts, r.granted, r.paths)
	}
}

// waitFor waits for what comes with the next packet.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 500 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no " + what)
}

// A device that is removed loses what is relayed for it at once, and nobody else does.
func TestDeviceEnds(t *testing.T) {
	r := newRelay(t, nil)
	ana, bo, cy := r.holding(t, "tcp", "ana"), r.holding(t, "udp", "bo"), r.holding(t, "udp", "cy")
	hers := r.credential(t, "ana")
	r.End("ana's phone")
	if n := r.Stats().Allocations; n != 2 {
		t.Errorf("%d allocations are left", n)
	}
	if ana.tells(bo, []byte("still here?")) == nil || r.device(t, "udp", hers).allocate() == nil {
		t.Error("a device that was removed is still relayed")
	}
	talk(t, bo, cy)
}

// The relay is no way into the operator's network: not to private addresses, not to other
// services of its machine, not by SEND, by a channel or a permission, and not to TCP.
func TestNoOpenRelay(t *testing.T) {
	r := newRelay(t, nil)
	mal, bo, ana := r.holding(t, "udp", "mallory"), r.holding(t, "udp", "bo"), r.holding(t, "udp", "ana")
	for _, to := range []string{"10.0.0.1:5000", "192.168.1.1:53", "169.254.169.254:80", "127.0.0.2:5000", "0.0.0.0:5000", "224.0.0.1:5000", "100.64.0.1:5000"} {
		at := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))
		if err := mal.client.CreatePermission(at); err == nil {
			t.Errorf("a permission for %s", to)
		}
		if _, err := mal.WriteTo([]byte("knock"), at); err == nil {
			t.Errorf("a packet to %s", to)
		}
	}
	// Another service of this machine, which has the address of the relay itself.
	service := raw(t)
	for range 3 {
		if _, err := mal.WriteTo([]byte("knock"), service.LocalAddr()); err != nil {
			break // refused with the channel
		}
	}
	// One that answers by itself is not heard either.
	if _, err := service.WriteTo([]byte("I am open"), mal.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	_ = service.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
	if n, _, err := service.ReadFrom(b); err == nil {
		t.Errorf("a service of the relay's machine was reached: %q", b[:n])
	}
	_ = mal.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
	if n, _, err := mal.ReadFrom(b); err == nil {
		t.Errorf("a service of the relay's machine was heard: %q", b[:n])
	}
	if st := r.Stats(); st.Refused == 0 {
		t.Error("nothing was refused")
	}
	if _, err := mal.client.AllocateTCP(); err == nil {
		t.Error("TCP to peers is relayed")
	}
	talk(t, ana, bo)
}

// Who has no allocation is answered shortly, and only so often from an address.
func TestFloods(t *testing.T) {
	var mu sync.Mutex
	left := 1 << 20
	r := newRelay(t, func(o *Options) {
		o.Admit = func(netip.Addr) error {
			mu.Lock()
			defer mu.Unlock()
			if left--; left < 0 {
				return errors.New("too often")
			}
			return nil
		}
	})
	ana, bo := r.holding(t, "udp", "ana"), r.holding(t, "tcp", "bo")
	mal := raw(t)
	binding := build(t, stun.TransactionID, stun.BindingRequest)
	if m := r.asks(t, mal, binding); m == nil || len(m.Raw) > 3*len(binding) {
		t.Errorf("%d bytes for %d: %v", len(m.Raw), len(binding), m)
	}
	allocate := build(t, stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport(17))
	if m := r.asks(t, mal, allocate); m == nil || len(m.Raw) > 4*len(allocate) {
		t.Errorf("%d bytes for %d: %v", len(m.Raw), len(allocate), m)
	}
	mu.Lock()
	left = 3
	mu.Unlock()
	answered := 0
	for range 8 {
		if r.asks(t, mal, build(t, stun.TransactionID, stun.BindingRequest)) != nil {
			answered++
		}
	}
	if answered != 3 {
		t.Errorf("%d of a flood were answered, not 3", answered)
	}
	if c, err := net.Dial("tcp", r.address()); err == nil {
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection beyond the flood's measure stays open")
		}
	}
	talk(t, ana, bo)
	for _, junk := range [][]byte{nil, {0}, []byte("GET / HTTP/1.1\r\n\r\n"), bytes.Repeat([]byte{0x40}, 64), bytes.Repeat([]byte{0}, 1500), binding[:19], append(binding, 0)} {
		if m := r.asks(t, mal, junk); m != nil {
			t.Errorf("%x is answered with %v", junk, m)
		}
	}
	talk(t, ana, bo)
}

type transport byte

// AddTo writes REQUESTED-TRANSPORT, RFC 8656 section 18.8.
func (p transport) AddTo(m *stun.Message) error {
	m.Add(stun.AttrRequestedTransport, []byte{byte(p), 0, 0, 0})
	return nil
}

// What Ana's device sent over UDP, Mallory sends again from elsewhere: she gets nothing on
// Ana's account.
func TestReplay(t *testing.T) {
	r := newRelay(t, nil)
	c := r.credential(t, "ana")
	ana, mal := raw(t), raw(t)
	first := r.asks(t, ana, build(t, stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport(17)))
	if first == nil {
		t.Fatal("no answer")
	}
	var nonce stun.Nonce
	if err := nonce.GetFrom(first); err != nil {
		t.Fatal(err)
	}
	signed := build(t, stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport(17),
		stun.NewUsername(c.Username), stun.NewRealm("example.org"), nonce, stun.NewLongTermIntegrity(c.Username, "example.org", c.Password))
	if m := r.asks(t, ana, signed); m == nil || m.Type.Class != stun.ClassSuccessResponse {
		t.Fatal("no allocation", m)
	}
	if m := r.asks(t, mal, signed); m != nil {
		t.Error("a request was answered that was another's:", m)
	}
	if m := r.asks(t, ana, signed); m == nil || m.Type.Class != stun.ClassSuccessResponse {
		t.Error("a retransmission was not answered", m)
	}
	if n := r.Stats().Allocations; n != 1 {
		t.Errorf("%d allocations", n)
	}
}

// A machine has many addresses: who asks one is answered from that one, and not from the one
// that the system would choose. A relayed address is one that the world knows.
func TestAnswersFromWhereItWasAsked(t *testing.T) {
	all := netip.IPv4Unspecified()
	second := netip.MustParseAddr("127.0.0.2")
	r := newRelay(t, func(o *Options) {
		o.Listen, o.Inside = []netip.AddrPort{netip.AddrPortFrom(all, 0)}, []netip.Addr{all}
	})
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(second, r.port)))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" { // elsewhere the system chooses
		if _, err := c.Write(build(t, stun.TransactionID, stun.BindingRequest)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := c.Read(make([]byte, 100)); err != nil || n == 0 {
			t.Error("no answer from the address that was asked:", err)
		}
	}
	c.Close()
	ana, bo := r.holding(t, "udp", "ana"), r.holding(t, "tcp", "bo")
	if at := addrPort(ana.LocalAddr()).Addr(); at != here {
		t.Error(at)
	}
	talk(t, ana, bo)
}

// Closing ends everything, also what is in the middle of something, and again.
func TestClose(t *testing.T) {
	r := newRelay(t, nil)
	ana, bo := r.holding(t, "udp", "ana"), r.holding(t, "tcp", "bo")
	talk(t, ana, bo)
	idle, err := net.Dial("tcp", r.address())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_ = idle.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := idle.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a connection outlives the relay", err)
	}
	if _, err := r.Credential("ana", "x"); err == nil {
		t.Error("a relay that is closed gives credentials")
	}
	c, err := net.ListenPacket("udp4", r.address())
	if err != nil {
		t.Fatal("the port is still taken", err)
	}
	c.Close()
}
