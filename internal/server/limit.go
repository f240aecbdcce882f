package server

import (
	"net/netip"
	"sync"
	"time"

	"sotto/internal/server/config"
	"sotto/internal/wire"
)

// policy is what a configuration says, with the meters that it fills. A reload makes
// a new one.
type policy struct {
	open   bool
	limits config.Limits

	connects, lookups, claims, puts, registrations, badAuths, blobs, programs, visits, relays meter[netip.Prefix]
	targets                                                                                   meter[string]
}

func newPolicy(open bool, l config.Limits) *policy {
	p := &policy{open: open, limits: l}
	p.connects.set(l.ConnectsPerMinute, time.Minute)
	p.lookups.set(l.LookupsPerMinute, time.Minute)
	p.claims.set(l.ClaimsPerMinute, time.Minute)
	p.puts.set(l.PutsPerMinute, time.Minute)
	p.registrations.set(l.RegistrationsPerHour, time.Hour)
	p.badAuths.set(l.FailedAuthsPerMinute, time.Minute)
	p.blobs.set(l.BlobRequestsPerMinute, time.Minute)
	p.programs.set(l.ProgramsPerHour, time.Hour)
	p.visits.set(l.VisitsPerMinute, time.Minute)
	p.relays.set(l.RelayRequestsPerMinute, time.Minute)
	p.targets.set(l.ClaimsPerTargetHour, time.Hour)
	return p
}

// meter counts events of each key against a rate, as token buckets. It holds at most
// maxMetered keys: when it is full the best-recovered of a few chosen at random goes,
// so whoever floods it with addresses forgets mostly his own.
type meter[K comparable] struct {
	mu    sync.Mutex
	burst float64
	rate  float64 // tokens a second
	m     map[K]bucket
}

type bucket struct {
	left float64
	at   int64 // Unix nanoseconds
}

const maxMetered = 1 << 16

func (m *meter[K]) set(n uint64, per time.Duration) {
	m.burst, m.rate, m.m = float64(n), float64(n)/per.Seconds(), map[K]bucket{}
}

// now fills a bucket up to this moment.
func (m *meter[K]) now(b bucket, t int64) bucket {
	if t > b.at {
		b.left, b.at = min(m.burst, b.left+float64(t-b.at)/1e9*m.rate), t
	}
	return b
}

// take counts one event, or refuses with CodeSlowDown.
func (m *meter[K]) take(k K, now time.Time) error { return m.weigh(k, now, 1) }

// full refuses when the next event would be refused, and counts nothing.
func (m *meter[K]) full(k K, now time.Time) error { return m.weigh(k, now, 0) }

func (m *meter[K]) weigh(k K, now time.Time, n float64) error {
	t := now.UnixNano()
	m.mu.Lock()
	defer m.mu.Unlock()
	b, known := m.m[k]
	if !known {
		b = bucket{m.burst, t}
	}
	b = m.now(b, t)
	if b.left < 1 {
		m.m[k] = b
		after := time.Duration((1 - b.left) / m.rate * 1e9)
		e := wire.Refuse(wire.CodeSlowDown, "too often from here; try again in %s", after.Round(time.Second)+time.Second)
		e.After = after
		return e
	}
	if n == 0 {
		return nil
	}
	if !known && len(m.m) >= maxMetered {
		m.evict(t)
	}
	b.left -= n
	m.m[k] = b
	return nil
}

func (m *meter[K]) evict(t int64) {
	var worst K
	best, n := -1.0, 0
	for k, b := range m.m { // starts at a random place
		if left := m.now(b, t).left; left > best {
			worst, best = k, left
		}
		if n++; n == 16 {
			break
		}
	}
	delete(m.m, worst)
}

// tokens is the bucket of one connection, which its reading goroutine owns.
type tokens struct{ bucket }

func (t *tokens) take(now time.Time, rate float64) bool {
	at := now.UnixNano()
	if t.at == 0 {
		t.left = rate
	} else if at > t.at {
		t.left = min(rate, t.left+float64(at-t.at)/1e9*rate)
	}
	t.at = at
	if t.left < 1 {
		return false
	}
	t.left--
	return true
}

// addressKey is what counts as one address: an IPv4 address, or an IPv6 /64, which
// is what one subscriber has.
func addressKey(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
