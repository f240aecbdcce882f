package relay

import "time"

// A nonce of pion/turn is anybody's for an hour, so whoever sees a request for an
// allocation on its way could send it again from elsewhere and hold one on another's
// account. So the integrity code of each request that was granted is remembered while its
// nonce is good, and taken from no other path: RFC 8489 section 9.2 leaves it to the
// server which nonces it takes.
const nonceLife = 61 * time.Minute

// integrity is the value of MESSAGE-INTEGRITY.
type integrity [20]byte

type grant struct {
	path path
	at   time.Time
}

// replayed says whether a request for an allocation was granted to another path.
func (r *Relay) replayed(p path, code integrity) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, known := r.granted[code]
	return known && g.path != p
}

// forgetGrants holds mu.
func (r *Relay) forgetGrants(now time.Time) {
	for code, g := range r.granted {
		if now.Sub(g.at) > nonceLife {
			delete(r.granted, code)
		}
	}
}
