package relay

import (
	"net"
	"sync"
	"time"
)

// account is what one account uses. It stands in memory, and for a day after the last
// byte at most.
type account struct {
	r       *Relay
	devices map[string]*credential // newest of each; under Relay.mu, as is open
	open    int

	rate bucket
	day  bucket
}

func newAccount(r *Relay) *account { return &account{r: r, devices: map[string]*credential{}} }

// bucket holds tokens that come back with time: burst of them at most.
type bucket struct {
	mu   sync.Mutex
	used float64
	at   int64 // Unix nanoseconds
}

// take takes n when what was used leaves room for it. The bucket is whole again after
// burst/rate seconds.
func (b *bucket) take(now int64, n, rate, burst float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now, rate)
	if b.used+n > burst {
		return false
	}
	b.used += n
	return true
}

func (b *bucket) refill(now int64, rate float64) {
	if now > b.at {
		b.used = max(0, b.used-float64(now-b.at)/1e9*rate)
		b.at = now
	}
}

func (b *bucket) empty(now int64, rate, burst float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now, rate)
	return b.used >= burst
}

const day = 24 * 60 * 60 // seconds

// spend counts a packet against the account's and everybody's quotas.
func (a *account) spend(n int) bool {
	l, now := a.r.o.Limits(), a.r.o.Now().UnixNano()
	bytes := float64(n)
	return a.rate.take(now, bytes, float64(l.BytesPerSecond), float64(l.BytesPerSecond)) &&
		a.day.take(now, bytes, float64(l.BytesPerDay)/day, float64(l.BytesPerDay)) &&
		a.r.all.take(now, bytes, float64(l.AllBytesPerSecond), float64(l.AllBytesPerSecond))
}

// rested says whether nothing of the account's quotas is used.
func (a *account) rested(now time.Time) bool {
	l := a.r.o.Limits()
	a.day.mu.Lock()
	defer a.day.mu.Unlock()
	a.day.refill(now.UnixNano(), float64(l.BytesPerDay)/day)
	return a.day.used == 0
}

// quota is pion/turn's question whether one more allocation is allowed: RFC 8656
// section 7.2, error 486.
func (r *Relay) quota(user, _ string, _ net.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.room(r.credentials[user])
}

// room says whether one more allocation is within the quotas. Holds mu.
func (r *Relay) room(c *credential) bool {
	if c == nil || r.ended || !c.Until.After(r.o.Now()) {
		return false
	}
	l := r.o.Limits()
	return uint64(c.account.open) < l.Allocations && uint64(len(r.sockets)) < l.AllAllocations &&
		!c.account.day.empty(r.o.Now().UnixNano(), float64(l.BytesPerDay)/day, float64(l.BytesPerDay))
}
