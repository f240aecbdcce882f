//go:build linux && chaos

package chaos

import (
	"container/heap"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// fabric carries packets between ports. Everything in it is under its mutex; one goroutine
// reads each port, one delivers what is due.
type fabric struct {
	mu    sync.Mutex
	ports map[netip.Addr]*port
	apart map[[2]*port]bool // pairs that do not hear each other
	deaf  map[flow]bool     // connections of which nothing passes any more
	due   parcels
	wake  chan struct{}
	over  chan struct{}
	wait  sync.WaitGroup
	count traffic
}

// traffic is what passed a fabric.
type traffic struct{ packets, lost, cuts int }

// port is where a machine is plugged in.
type port struct {
	wire    io.ReadWriteCloser
	out, in link // from the machine, and to it
	cuts    []*cut
}

// cut ends a connection of a port after so many bytes of its contents.
type cut struct {
	after int
	reset bool // both ends are told; else it only falls silent
	flow  flow // the one it waits at, once there is one
}

// parcel is a packet under way.
type parcel struct {
	at time.Time
	n  int // parcels of one moment arrive as they were sent
	to *port
	b  []byte
}

type parcels struct {
	list []parcel
	sent int
}

func (p *parcels) Len() int { return len(p.list) }
func (p *parcels) Less(i, j int) bool {
	a, b := p.list[i], p.list[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.n < b.n
}
func (p *parcels) Swap(i, j int) { p.list[i], p.list[j] = p.list[j], p.list[i] }
func (p *parcels) Push(x any)    { p.list = append(p.list, x.(parcel)) }
func (p *parcels) Pop() any {
	last := p.list[len(p.list)-1]
	p.list = p.list[:len(p.list)-1]
	return last
}

func newFabric() *fabric {
	f := &fabric{
		ports: map[netip.Addr]*port{}, apart: map[[2]*port]bool{}, deaf: map[flow]bool{},
		wake: make(chan struct{}, 1), over: make(chan struct{}),
	}
	f.wait.Go(f.deliver)
	return f
}

// plug gives a wire its port. Packets to addr go there.
func (f *fabric) plug(addr netip.Addr, wire io.ReadWriteCloser, rng *rand.Rand) *port {
	p := &port{wire: wire, out: link{rng: rng}, in: link{rng: rng}}
	f.mu.Lock()
	f.ports[addr] = p
	f.mu.Unlock()
	f.wait.Go(func() { f.read(p) })
	return p
}

// readdress sends what is for addr to p. What is for its former address is lost.
func (f *fabric) readdress(p *port, from, to netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.ports, from)
	f.ports[to] = p
}

func (f *fabric) read(p *port) {
	b := make([]byte, 1<<16)
	for {
		n, err := p.wire.Read(b)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.take(p, append([]byte{}, b[:n]...), time.Now())
		f.mu.Unlock()
	}
}

// take brings a packet on its way.
func (f *fabric) take(from *port, b []byte, now time.Time) {
	_, dst, ok := addresses(b)
	to := f.ports[dst]
	if !ok || to == nil {
		return
	}
	f.count.packets++
	if f.apart[[2]*port{from, to}] {
		f.count.lost++
		return
	}
	if s, ok := parseSegment(b); ok {
		if f.deaf[s.flow()] {
			f.count.lost++
			return
		}
		for _, p := range []*port{from, to} {
			if f.cutAt(p, s, from, to, now) {
				return
			}
		}
	}
	f.carry(from, to, b, now)
}

// carry lets a packet pass both links.
func (f *fabric) carry(from, to *port, b []byte, now time.Time) {
	arrives := 0
	for _, out := range from.out.pass(now, len(b)) {
		for _, at := range to.in.pass(out, len(b)) {
			f.push(parcel{at: at, to: to, b: b})
			arrives++
		}
	}
	if arrives == 0 {
		f.count.lost++
	}
}

func (f *fabric) push(p parcel) {
	p.n = f.due.sent
	f.due.sent++
	heap.Push(&f.due, p)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// cutAt lets the first cut of a port act on a segment, and says whether it took it.
func (f *fabric) cutAt(p *port, s segment, from, to *port, now time.Time) bool {
	if len(p.cuts) == 0 || s.contents() == 0 {
		return false
	}
	c := p.cuts[0]
	if c.flow == (flow{}) {
		c.flow = s.flow()
	}
	if c.flow != s.flow() {
		return false
	}
	if c.after >= s.contents() {
		c.after -= s.contents()
		return false
	}
	p.cuts = p.cuts[1:]
	f.count.cuts++
	if c.after > 0 {
		f.carry(from, to, s.first(c.after), now)
	}
	if c.reset {
		receiver, sender := s.resets(c.after)
		f.carry(from, to, receiver, now)
		f.carry(to, from, sender, now)
	} else {
		f.deaf[s.flow()] = true
	}
	return true
}

// deliver writes what is due to its port.
func (f *fabric) deliver() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := time.Hour
		f.mu.Lock()
		now := time.Now()
		for f.due.Len() > 0 {
			if wait := f.due.list[0].at.Sub(now); wait > 0 {
				next = wait
				break
			}
			p := heap.Pop(&f.due).(parcel)
			_, _ = p.to.wire.Write(p.b) // a machine that is gone, or has its interface down
		}
		f.mu.Unlock()
		timer.Reset(next)
		select {
		case <-f.over:
			return
		case <-f.wake:
		case <-timer.C:
		}
	}
}

// change lets something happen to the network.
func (f *fabric) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
}

// mend makes the network perfect. Connections that fell silent stay so: their ends have to
// notice.
func (f *fabric) mend() {
	f.change(func() {
		clear(f.apart)
		for _, p := range f.ports {
			p.cuts = nil
			for _, l := range []*link{&p.out, &p.in} {
				l.Weather, l.dark, l.free, l.last = Weather{}, false, time.Time{}, time.Time{}
			}
		}
	})
}

// close ends the fabric with all its wires.
func (f *fabric) close() {
	f.mu.Lock()
	for _, p := range f.ports {
		p.wire.Close()
	}
	f.mu.Unlock()
	close(f.over)
	f.wait.Wait()
}
