package call

import (
	"sync"
	"time"
)

// budget is what the path has room for. The files that are played have the rate that they
// have: where there is too little room pictures are left out up to the next key frame, and
// sound never is. The estimate is that of Google congestion control (pion/interceptor). It
// runs away while less is sent than it allows, so it counts only up to twice of what was
// sent in the last second: on a path that becomes narrow the way down is short.
type budget struct {
	mu       sync.Mutex
	estimate func() int // bits a second
	now      func() time.Time

	second time.Time // when the count of sent began
	sent   int       // bits since then
	before float64   // bits in the second before that

	room     float64 // bits that may be sent now; less than nothing: debts
	filled   time.Time
	skipping [Lines]bool // up to the next key frame

	base time.Duration // the shortest way there and back on this path; 0: not known
	late time.Duration // how much longer it was lately
}

// Packets that wait on the path make a call hard to talk in. From lateFrom on less is sent
// than the estimate says, so that what waits goes down; at lateFull, the least share of it.
const (
	lateFrom  = 50 * time.Millisecond
	lateFull  = 400 * time.Millisecond
	leastPart = 0.2
)

// measured takes how long it is there and back.
func (b *budget) measured(delay time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if delay > 0 && (b.base == 0 || delay < b.base) {
		b.base = delay
	}
	b.late = max(0, delay-b.base)
}

// anew forgets the path that was.
func (b *budget) anew() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.base, b.late = 0, 0
}

// deepest is how much unused room is kept, and so how much may come at once.
const deepest = 300 * time.Millisecond

// rate is what may be sent in a second, in bits.
func (b *budget) rate() float64 {
	part := 1 - float64(b.late-lateFrom)/float64(lateFull-lateFrom)
	return min(float64(b.estimate()), max(2*max(b.before, float64(b.sent)), rateFirst)) * max(leastPart, min(part, 1))
}

// take asks for room for a frame.
func (b *budget) take(l Line, bytes int, key bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, bits := b.now(), float64(8*bytes)
	if past := now.Sub(b.second); past >= time.Second {
		b.before, b.sent, b.second = float64(b.sent)/past.Seconds(), 0, now
	}
	rate := b.rate()
	if b.filled.IsZero() {
		b.room = rate * deepest.Seconds()
	}
	b.room = min(b.room+rate*now.Sub(b.filled).Seconds(), rate*deepest.Seconds())
	b.filled = now
	if !l.Sound() && (b.room < 0 || b.skipping[l] && !key) {
		b.skipping[l] = true
		return false
	}
	b.skipping[l] = false
	b.room -= bits
	b.sent += int(bits)
	return true
}
