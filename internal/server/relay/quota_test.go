package relay

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// allowance is limits that a test changes while the relay runs.
type allowance struct {
	mu sync.Mutex
	l  Limits
}

func (a *allowance) now() Limits {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.l
}

func (a *allowance) set(change func(*Limits)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.l)
}

// An account has so many allocations on all its devices, and all accounts together so many.
func TestAllocationsAreCounted(t *testing.T) {
	a := allowance{l: wideOpen}
	a.l.Allocations, a.l.AllAllocations = 2, 3
	r := newRelay(t, func(o *Options) { o.Limits = a.now })
	laptop, err := r.Credential("ana", "ana's laptop")
	if err != nil {
		t.Fatal(err)
	}
	phone := r.credential(t, "ana")
	first := r.device(t, "udp", phone)
	for i, d := range []*device{first, r.device(t, "tcp", laptop), r.device(t, "udp", phone)} {
		err := d.allocate()
		if (err == nil) != (i < 2) || err != nil && !strings.Contains(err.Error(), "486") {
			t.Errorf("allocation %d: %v", i, err)
		}
	}
	r.holding(t, "udp", "bo")
	if err := r.device(t, "udp", r.credential(t, "cy")).allocate(); err == nil || !strings.Contains(err.Error(), "486") {
		t.Errorf("one more than all may have: %v", err)
	}
	first.Close()
	waitFor(t, "room", func() bool { return r.Stats().Allocations == 2 })
	r.holding(t, "udp", "cy")
	for i := range maxDevices {
		_, err = r.Credential("dora", string(rune('a'+i)))
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := r.Credential("dora", "one more"); err == nil {
		t.Error("one account has credentials without end")
	}
}

// What an account sends and gets is counted by second and by day, and everybody's together:
// what is above is dropped, and nobody else's.
func TestBytesAreCounted(t *testing.T) {
	time0 := newClock()
	a := allowance{l: wideOpen}
	r := newRelay(t, func(o *Options) { o.Now, o.Limits = time0.now, a.now })
	ana := &account{r: r}
	a.set(func(l *Limits) { l.BytesPerSecond = 1000 })
	count := func(x *account) (n int) {
		for x.spend(100) && n < 1000 {
			n++
		}
		return n
	}
	if n := count(ana); n != 10 {
		t.Errorf("%d packets of 100 bytes in a second of 1000", n)
	}
	if n := count(&account{r: r}); n != 10 {
		t.Errorf("%d packets of somebody else", n)
	}
	time0.pass(500 * time.Millisecond)
	if n := count(ana); n != 5 {
		t.Errorf("%d packets in half a second more", n)
	}
	a.set(func(l *Limits) { l.BytesPerSecond, l.BytesPerDay = 1<<40, 5000 })
	time0.pass(time.Hour * 24)
	if n := count(ana); n != 50 {
		t.Errorf("%d packets in a day of 5000 bytes", n)
	}
	time0.pass(time.Hour)
	if n := count(ana); n != 2 { // 208 bytes are back
		t.Errorf("%d packets an hour later", n)
	}
	a.set(func(l *Limits) { l.BytesPerDay, l.AllBytesPerSecond = 1<<50, 700 })
	time0.pass(time.Hour * 24)
	if n := count(ana); n != 7 {
		t.Errorf("%d packets of 700 bytes for all", n)
	}
	if n := count(&account{r: r}); n != 0 {
		t.Errorf("%d packets of somebody else", n)
	}
}

// A day's bytes outlive the credential that used them, and whoever has none left opens
// nothing new.
func TestDayOutlivesCredential(t *testing.T) {
	time0 := newClock()
	a := allowance{l: wideOpen}
	a.l.BytesPerDay = 1000
	r := newRelay(t, func(o *Options) { o.Now, o.Limits = time0.now, a.now })
	r.credential(t, "ana")
	r.mu.Lock()
	spent := r.accounts["ana"].spend(1000)
	r.mu.Unlock()
	time0.pass(2 * Lifetime)
	r.Tick(time0.now())
	a.set(func(l *Limits) { l.BytesPerDay = 900 })
	if err := r.device(t, "udp", r.credential(t, "ana")).allocate(); !spent || err == nil {
		t.Errorf("the day's bytes are forgotten: %v", err)
	}
	r.holding(t, "udp", "bo")
}

// One allocation holds so many permissions and channels, and its device asks so often.
func TestHeldIsCounted(t *testing.T) {
	r := newRelay(t, nil)
	ana := r.holding(t, "udp", "ana")
	at := func(i int) net.Addr {
		return net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{1, 1, byte(i), 1}), 5000))
	}
	for i := range maxPeers {
		if err := ana.client.CreatePermission(at(i)); err != nil {
			t.Fatal(i, err)
		}
	}
	r.mu.Lock()
	var s *socket
	for _, s = range r.sockets {
	}
	p := s.known.Load().path
	r.mu.Unlock()
	old := netip.MustParseAddr("1.1.0.1")
	if !r.passes(p, s, request{kind: typePermission, peers: []netip.Addr{old}}) {
		t.Error("a permission cannot be renewed")
	}
	if r.passes(p, s, request{kind: typePermission, peers: []netip.Addr{old, netip.MustParseAddr("1.2.0.1")}}) {
		t.Error("one permission too many")
	}
	for i := range uint16(maxPeers) {
		r.bound(nil, nil, "", "", "", net.UDPAddrFromAddrPort(s.outside), at(0), firstChannel+i)
	}
	if !r.passes(p, s, request{kind: typeChannel, channel: firstChannel, peers: []netip.Addr{old}}) {
		t.Error("a channel cannot be renewed")
	}
	if r.passes(p, s, request{kind: typeChannel, channel: firstChannel + maxPeers, peers: []netip.Addr{old}}) {
		t.Error("one channel too many")
	}
	n := 0
	for r.passes(p, s, request{kind: typeRefresh}) && n < 2*requestBurst {
		n++
	}
	if n >= requestBurst {
		t.Errorf("%d requests at once", n)
	}
	if !r.passes(p, s, request{kind: typeSend}) {
		t.Error("data are counted as requests")
	}
}
