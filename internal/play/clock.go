package play

import (
	"crypto/rand"
	"sync"
	"time"

	"sotto/mimi"
)

type messageID = mimi.MessageID

var rnd = rand.Reader

// Clock is real time with an offset that can be moved on; timers move with it.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
	timers map[*alarm]bool
}

type alarm struct {
	at   time.Time
	f    func()
	real *time.Timer
}

// NewClock is a clock at the real time.
func NewClock() *Clock { return &Clock{timers: map[*alarm]bool{}} }

// Now implements client.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

// AfterFunc implements client.Clock.
func (c *Clock) AfterFunc(d time.Duration, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{at: time.Now().Add(c.offset + d), f: f}
	c.timers[a] = true
	a.real = time.AfterFunc(d, func() { c.fire(a) })
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, a)
		a.real.Stop()
	}
}

func (c *Clock) fire(a *alarm) {
	c.mu.Lock()
	live := c.timers[a]
	delete(c.timers, a)
	c.mu.Unlock()
	if live {
		a.f()
	}
}

// Advance moves time on and fires what is due.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.offset += d
	now := time.Now().Add(c.offset)
	var due []*alarm
	for a := range c.timers {
		if !a.at.After(now) {
			due = append(due, a)
			continue
		}
		a.real.Reset(a.at.Sub(now))
	}
	c.mu.Unlock()
	for _, a := range due {
		c.fire(a)
	}
}
