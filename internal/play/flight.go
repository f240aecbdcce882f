package play

import (
	"sync"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// Time that is moved on while somebody waits for an answer makes the answer late, however quick
// the server is. So a play that lets much time pass lets it pass between the answers.

// flight counts what is under way between the devices of a world and its servers.
type flight struct {
	mu sync.Mutex
	n  int
}

func (f *flight) add(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n += n
}

func (f *flight) none() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n == 0
}

// watched is a network that writes down whom it contacts, and counts what is under way.
type watched struct {
	client.Network
	to  *Recorder
	now *flight
}

func (n watched) Dial(host, path string, private bool, up func(client.Conn), frame func([]byte), down func(error)) {
	n.to.Write([]byte(host + "\n"))
	c := &counted{now: n.now, asked: map[uint64]bool{}}
	n.now.add(1)
	var dialled sync.Once
	n.Network.Dial(host, path, private, func(conn client.Conn) {
		c.Conn = conn
		dialled.Do(func() { n.now.add(-1) })
		up(c)
	}, func(b []byte) {
		c.answered(b)
		frame(b)
	}, func(err error) {
		dialled.Do(func() { n.now.add(-1) })
		c.over()
		down(err)
	})
}

func (n watched) Do(r client.Request, done func(client.Answer, error)) {
	n.to.Write([]byte(r.Host + "\n"))
	n.now.add(1)
	n.Network.Do(r, func(a client.Answer, err error) {
		n.now.add(-1)
		done(a, err)
	})
}

// counted is a connection whose requests are counted until they are answered.
type counted struct {
	client.Conn
	now   *flight
	mu    sync.Mutex
	asked map[uint64]bool
	ended bool
}

func (c *counted) Send(b []byte) {
	if f, err := wire.DecodeFrame(b); err == nil {
		c.mu.Lock()
		if !c.ended && !c.asked[f.ID] {
			c.asked[f.ID] = true
			c.now.add(1)
		}
		c.mu.Unlock()
	}
	c.Conn.Send(b)
}

func (c *counted) answered(b []byte) {
	f, err := wire.DecodeFrame(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && c.asked[f.ID] {
		delete(c.asked, f.ID)
		c.now.add(-1)
	}
}

func (c *counted) over() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.add(-len(c.asked))
	c.ended, c.asked = true, nil
}

// Later waits for something that takes time, and lets time pass: a step whenever nothing is
// under way. What a server does not answer holds it up for a while only, which is longer
// where a step is.
func (p *Person) Later(what string, step time.Duration, ok func() bool, state func() any) {
	p.w.T.Helper()
	most := min(max(step/20, 50*time.Millisecond), 5*time.Second)
	var stepped time.Time
	p.Eventually(what, func() bool {
		if ok() {
			return true
		}
		if p.w.flight.none() || time.Since(stepped) > most {
			p.w.Clock.Advance(step)
			stepped = time.Now()
		}
		return false
	}, state)
}
