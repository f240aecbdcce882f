//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"sotto/internal/netns"
)

// weather is how a link treats what passes it, in each direction.
type weather struct {
	delay, jitter time.Duration // each packet is late by delay ± jitter; one may overtake another
	rate          int           // bits a second; 0: as fast as it comes
	queue         time.Duration // of packets that wait for the rate; what is more is lost
}

// link is between a person and the open network: two interfaces whose packets this process
// carries, since the kernel may have nothing that delays and narrows.
type link struct {
	mu    sync.Mutex
	now   weather
	ends  [2]*os.File
	free  [2]time.Time // when the rate has room again
	waits [2]time.Duration
	rng   *rand.Rand
	wait  sync.WaitGroup
}

// addBehind makes a person behind a link.
func (l *Lab) addBehind(name string, w weather) (*Person, *link, error) {
	p, err := l.add(name, kind{name: "link", v6only: true})
	if err != nil {
		return nil, nil, err
	}
	k := &link{now: w, rng: rand.New(rand.NewPCG(1, 2))}
	n := len(l.people)
	inside, outside := fmt.Sprintf("31.1.%d.2", n), fmt.Sprintf("tun%d", n)
	err = netns.In("/run/netns/"+p.ns, func() (err error) { k.ends[0], err = netns.Tunnel("wire0"); return err })
	if err == nil {
		k.ends[1], err = netns.Tunnel(outside)
	}
	if err == nil {
		err = errors.Join(ip(p.ns, "link del eth0", "link set wire0 up", "addr add "+inside+"/32 dev wire0", "route add default dev wire0"),
			ip("", "link set "+outside+" up", "route add "+inside+"/32 dev "+outside))
	}
	if err != nil {
		return nil, nil, err
	}
	for i := range k.ends {
		k.wait.Go(func() { k.carry(i) })
	}
	return p, k, nil
}

// become changes the weather.
func (k *link) become(w weather) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now, k.waits = w, [2]time.Duration{}
}

// longest is how long a packet waited for the rate at most, from the person's side.
func (k *link) longest() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.waits[0]
}

// close ends the link.
func (k *link) close() {
	for _, f := range k.ends {
		f.Close()
	}
	k.wait.Wait()
}

// carry takes packets from one end to the other.
func (k *link) carry(from int) {
	for b := make([]byte, 1<<16); ; {
		n, err := k.ends[from].Read(b)
		if err != nil {
			return
		}
		after, ok := k.pass(from, n, time.Now())
		if !ok {
			continue
		}
		packet := append([]byte{}, b[:n]...)
		time.AfterFunc(after, func() { _, _ = k.ends[1-from].Write(packet) }) // it is lost where nobody is any more
	}
}

// pass says how long a packet takes, or that it is lost.
func (k *link) pass(from, bytes int, now time.Time) (time.Duration, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	after := k.now.delay
	if j := int64(k.now.jitter); j > 0 {
		after += time.Duration(k.rng.Int64N(2*j) - j)
	}
	if k.now.rate > 0 {
		if k.free[from].Before(now) {
			k.free[from] = now
		}
		waits := k.free[from].Sub(now)
		if waits > k.now.queue {
			return 0, false
		}
		k.waits[from] = max(k.waits[from], waits)
		k.free[from] = k.free[from].Add(time.Duration(8*bytes) * time.Second / time.Duration(k.now.rate))
		after += k.free[from].Sub(now)
	}
	return max(after, 0), true
}
