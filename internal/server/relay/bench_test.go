package relay

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// The load of the benchmark: so many people, each with an address at the relay and with
// somebody on the other side of it, and packets both ways as video sends them.
const (
	benchFlows  = 20
	benchRate   = 20_000 // packets a second, of all together
	benchTime   = 2 * time.Second
	benchRounds = 5 // of each relay in turn
	benchPacket = 1000
	benchHeld   = 400 // addresses, for the memory of them
)

const benchChild = "SOTTO_RELAY_BENCH" // this process is the relay that is measured

// runChild is the relay that a benchmark measures, in a process of its own.
func runChild() error {
	limits := wideOpen
	limits.Allocations, limits.AllAllocations = 1<<20, 1<<20
	r, err := New(Options{
		Realm: "example.org", Listen: []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), 0)}, Inside: []netip.Addr{here}, Ports: [2]uint16{20000, 65535},
		Outside: func() []netip.Addr { return []netip.Addr{here} }, Peers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Limits: func() Limits { return limits }, Admit: func(netip.Addr) error { return nil },
	})
	if err != nil {
		return err
	}
	c, err := r.Credential("ana", "phone")
	if err != nil {
		return err
	}
	fmt.Println(r.Port(), c.Username, c.Password)
	_, err = os.Stdin.Read(make([]byte, 1)) // until the benchmark is over
	_ = err
	return r.Close()
}

// measured is a relay that runs as a process.
type measured struct {
	cmd                *exec.Cmd
	port               uint16
	username, password string
}

// ours starts this relay.
func ours(b *testing.B) *measured {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchChild+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	m := &measured{cmd: cmd}
	if _, err := fmt.Fscan(out, &m.port, &m.username, &m.password); err != nil {
		b.Fatal(err)
	}
	return m
}

// coturn starts Debian's, as it is when nobody tunes it.
func coturn(b *testing.B) *measured {
	path, err := exec.LookPath("turnserver")
	if err != nil {
		b.Fatal("the relay is measured beside coturn, which is not here: install Debian's package coturn")
	}
	free := raw(b)
	m := &measured{port: free.LocalAddr().(*net.UDPAddr).AddrPort().Port(), username: "ana", password: "secret"}
	free.Close()
	dir := b.TempDir()
	m.cmd = exec.Command(path, "-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", strconv.Itoa(int(m.port)),
		"--lt-cred-mech", "--user", "ana:secret", "--realm", "example.org", "--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls",
		"--min-port", "20000", "--max-port", "65535", "--log-file", filepath.Join(dir, "log"), "--simple-log", "--pidfile", filepath.Join(dir, "pid"), "--userdb", filepath.Join(dir, "db"))
	if err := m.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = m.cmd.Process.Kill(); _ = m.cmd.Wait() })
	c := raw(b)
	for range 100 {
		if m.asks(b, c, build(b, stun.TransactionID, stun.BindingRequest)) != nil {
			return m
		}
	}
	b.Fatal("coturn does not answer")
	return nil
}

func (m *measured) asks(b *testing.B, c *net.UDPConn, q []byte) *stun.Message {
	return (&Relay{port: m.port}).asks(b, c, q)
}

// cpu is the processor time that the process has used so far.
func (m *measured) cpu(b *testing.B) time.Duration {
	f, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(f[strings.LastIndexByte(string(f), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		b.Fatal(err)
	}
	system, err := strconv.Atoi(fields[12])
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// memory is what the process holds of its own, in bytes.
func (m *measured) memory(b *testing.B) float64 {
	f, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(f)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(n) * 1024
		}
	}
	b.Fatal("no RssAnon")
	return 0
}

// hold allocates an address for a socket.
func (m *measured) hold(b *testing.B, c *net.UDPConn) (relayed netip.AddrPort, sign func(kind stun.MessageType, more ...stun.Setter) []byte) {
	allocate := stun.NewType(stun.MethodAllocate, stun.ClassRequest)
	first := m.asks(b, c, build(b, stun.TransactionID, allocate, transport(17)))
	var nonce stun.Nonce
	if first == nil || nonce.GetFrom(first) != nil {
		b.Fatal("no nonce")
	}
	sign = func(kind stun.MessageType, more ...stun.Setter) []byte {
		parts := append([]stun.Setter{stun.TransactionID, kind}, more...)
		return build(b, append(parts, stun.NewUsername(m.username), stun.NewRealm("example.org"), nonce, stun.NewLongTermIntegrity(m.username, "example.org", m.password))...)
	}
	answer := m.asks(b, c, sign(allocate, transport(17)))
	var at stun.XORMappedAddress
	if answer == nil || at.GetFromAs(answer, stun.AttrXORRelayedAddress) != nil {
		b.Fatal("no allocation", answer)
	}
	ip, _ := netip.AddrFromSlice(at.IP)
	return netip.AddrPortFrom(ip.Unmap(), uint16(at.Port)), sign
}

type channelNumber uint16

// AddTo writes CHANNEL-NUMBER, RFC 8656 section 18.1.
func (n channelNumber) AddTo(m *stun.Message) error {
	m.Add(stun.AttrChannelNumber, []byte{byte(n >> 8), byte(n), 0, 0})
	return nil
}

type peerAddress netip.AddrPort

// AddTo writes XOR-PEER-ADDRESS.
func (p peerAddress) AddTo(m *stun.Message) error {
	at := netip.AddrPort(p)
	return stun.XORMappedAddress{IP: at.Addr().AsSlice(), Port: int(at.Port())}.AddToAs(m, stun.AttrXORPeerAddress)
}

// flow is somebody with an address at a relay, and somebody on the other side, who has one
// too or is sent to straight.
type flow struct {
	near, far *net.UDPConn
	relayed   netip.AddrPort // of near
	both      bool
}

func (m *measured) flow(b *testing.B, both bool) *flow {
	f := &flow{near: raw(b), far: raw(b), both: both}
	var sign, signFar func(stun.MessageType, ...stun.Setter) []byte
	f.relayed, sign = m.hold(b, f.near)
	peer := f.far.LocalAddr().(*net.UDPAddr).AddrPort()
	if both {
		peer, signFar = m.hold(b, f.far)
		m.bind(b, f.far, signFar, f.relayed)
	}
	m.bind(b, f.near, sign, peer)
	return f
}

// bind binds the first channel of an allocation to a peer.
func (m *measured) bind(b *testing.B, c *net.UDPConn, sign func(stun.MessageType, ...stun.Setter) []byte, peer netip.AddrPort) {
	answer := m.asks(b, c, sign(stun.NewType(stun.MethodChannelBind, stun.ClassRequest), channelNumber(firstChannel), peerAddress(peer)))
	if answer == nil || answer.Type.Class != stun.ClassSuccessResponse {
		b.Fatal("no channel", answer)
	}
}

// load sends through all flows both ways at benchRate, and answers how many packets came
// out, and how many went in.
func (m *measured) load(b *testing.B, flows []*flow) (out, in int) {
	var came atomic.Int64
	var wait sync.WaitGroup
	end := time.Now().Add(benchTime)
	for _, f := range flows {
		for _, c := range []*net.UDPConn{f.near, f.far} {
			_ = c.SetReadDeadline(end.Add(200 * time.Millisecond))
			wait.Go(func() {
				buf := make([]byte, 2000)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					came.Add(1)
				}
			})
		}
	}
	p := make([]byte, headChannel+benchPacket)
	binary.BigEndian.PutUint16(p, firstChannel)
	binary.BigEndian.PutUint16(p[2:], benchPacket)
	to := netip.AddrPortFrom(here, m.port)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	start, next := time.Now(), 0
	for now := start; now.Before(end); now = <-tick.C {
		for due := int(now.Sub(start).Seconds() * benchRate); in < due; in++ {
			f := flows[next/2%len(flows)]
			switch {
			case next%2 == 0:
				_, _ = f.near.WriteToUDPAddrPort(p, to)
			case f.both:
				_, _ = f.far.WriteToUDPAddrPort(p, to)
			default:
				_, _ = f.far.WriteToUDPAddrPort(p[headChannel:], f.relayed)
			}
			next++
		}
	}
	wait.Wait()
	return int(came.Load()), in
}

// BenchmarkForward measures how many packets a relay takes from one end to the other in a
// second of processor time, beside coturn in the same run, in turns, and what it holds for an
// address: where one end of the call is relayed, and where both are and have two.
func BenchmarkForward(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Fatal("processor time is read from /proc")
	}
	b.Run("one end", func(b *testing.B) { forward(b, false) })
	b.Run("both ends", func(b *testing.B) { forward(b, true) })
}

func forward(b *testing.B, ends bool) {
	both := []*measured{ours(b), coturn(b)}
	var flows [2][]*flow
	var held [2]float64
	for i, m := range both {
		for range benchFlows {
			flows[i] = append(flows[i], m.flow(b, ends))
		}
		m.load(b, flows[i]) // warm
		before := m.memory(b)
		for range benchHeld {
			m.hold(b, raw(b))
		}
		held[i] = (m.memory(b) - before) / benchHeld
	}
	names := [2]string{"sotto", "coturn"}
	var rates [2][]float64
	for b.Loop() {
		for range benchRounds {
			for i, m := range both {
				before := m.cpu(b)
				out, in := m.load(b, flows[i])
				if out < in*95/100 {
					b.Logf("%s lost %d of %d packets", names[i], in-out, in)
				}
				rates[i] = append(rates[i], float64(out)/(m.cpu(b)-before).Seconds())
			}
		}
	}
	for i := range rates {
		slices.Sort(rates[i])
		b.Logf("%s: %.0f packets of %d bytes per second of processor time (%.0f to %.0f), %.1f KB for each address",
			names[i], median(rates[i]), benchPacket, rates[i][0], rates[i][len(rates[i])-1], held[i]/1000)
	}
	b.ReportMetric(median(rates[0]), "packets/cpu-s")
	b.ReportMetric(median(rates[0])/median(rates[1]), "of-coturn")
	b.ReportMetric(2*held[0]/1000, "KB/call")
	b.ReportMetric(2*held[1]/1000, "coturn-KB/call")
}

func median(sorted []float64) float64 { return sorted[len(sorted)/2] }
