package logstest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sotto/internal/wire"
)

// model is a log as simply as it can be said: a list of entries, each of which stands
// until everybody whom it is for has passed it or its time is up.
type model struct {
	entries []modelEntry // entry seq is at seq-1
	chain   []wire.Hash  // after seq entries
	epoch   int
	swapped time.Time
	cursors map[string]*modelCursor
}

type modelEntry struct {
	text  string
	at    time.Time
	epoch int
	old   bool // outlived its lifetime
}

type modelCursor struct {
	from, acked, end int // end 0: live
	claimed          bool
	added            time.Time
}

func (m *model) stands(seq int) bool {
	if seq < 1 || seq > len(m.entries) || m.entries[seq-1].old {
		return false
	}
	for _, c := range m.cursors {
		if c.acked < seq && (c.end == 0 || seq <= c.end) {
			return true
		}
	}
	return false
}

// live counts the cursors that have not ended.
func (m *model) live() (n int) {
	for _, c := range m.cursors {
		if c.end == 0 {
			n++
		}
	}
	return n
}

func (m *model) first() int {
	for seq := range m.entries {
		if m.stands(seq + 1) {
			return seq + 1
		}
	}
	return len(m.entries) + 1
}

func (m *model) tick(now time.Time, ttl time.Duration) {
	for i := range m.entries {
		if m.entries[i].at.Add(ttl).Compare(now) <= 0 {
			m.entries[i].old = true
		}
	}
	for p, c := range m.cursors {
		if !c.claimed && c.added.Add(wire.CursorUnclaimed).Compare(now) <= 0 {
			delete(m.cursors, p)
			continue
		}
		left := false
		for seq := c.acked + 1; seq <= c.end; seq++ {
			left = left || !m.entries[seq-1].old
		}
		if c.end > 0 && !left {
			delete(m.cursors, p)
		}
	}
}

// testModel does random things to a log and to the model and compares.
func testModel(t *testing.T, w *World, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	r := NewRoom(t, w, "m", "p0", "p1")
	ttl := time.Hour
	m := &model{chain: []wire.Hash{wire.EmptyChain(r.Log)}, cursors: map[string]*modelCursor{}}
	for _, p := range []string{"p0", "p1"} {
		m.cursors[p] = &modelCursor{added: w.Clock.Now()}
	}
	people := 2
	push := func(text string) {
		m.entries = append(m.entries, modelEntry{text: text, at: w.Clock.Now(), epoch: m.epoch})
		n := len(m.entries)
		m.chain = append(m.chain, wire.NextChain(m.chain[n-1], uint64(n), []byte(text)))
	}
	anybody := func() string { return fmt.Sprintf("p%d", rng.IntN(people)) }
	var log []string
	for step := range 500 {
		var did string
		switch k := rng.IntN(21); {
		case k < 6:
			text := fmt.Sprintf("text %d", rng.IntN(60))
			epoch := m.epoch - rng.IntN(2)
			did = fmt.Sprintf("append %q in %d", text, epoch)
			want, seq := wire.OK, len(m.entries)+1
			if epoch != m.epoch {
				want = wire.CodeStaleToken
			}
			for i, e := range m.entries {
				if e.text == text && m.stands(i+1) && (epoch == m.epoch || epoch == e.epoch) {
					want, seq = wire.OK, i+1
				}
			}
			got, err := w.Logs.Append(wire.Append{Log: r.Log, Token: r.Token(epoch)}, []byte(text))
			if wire.CodeOf(err) != want {
				t.Fatalf("step %d %s: %v, want %v\n%v", step, did, err, want, log)
			}
			if want == wire.OK {
				if seq > len(m.entries) {
					push(text)
				}
				if got.Seq != uint64(seq) || got.Chain != m.chain[seq] {
					t.Fatalf("step %d %s: %v, want %d\n%v", step, did, got, seq, log)
				}
			}
		case k < 8:
			by := anybody()
			var add, end []string
			if rng.IntN(2) == 0 && people < 12 {
				add = []string{fmt.Sprintf("p%d", people)}
			}
			if e := anybody(); rng.IntN(2) == 0 && m.live() > 2 {
				end = []string{e}
			}
			did = fmt.Sprintf("swap by %s adds %v ends %v", by, add, end)
			r.Epoch = m.epoch
			want := wire.OK
			switch c := m.cursors[by]; {
			case c == nil:
				want = wire.CodeNoCursor
			case c.end > 0:
				want = wire.CodeCursorEnded
			case w.Clock.Now().Sub(m.swapped) < wire.SwapInterval:
				want = wire.CodeTooSoon
			}
			text := fmt.Sprintf("commit %d", step)
			_, err := w.Logs.Append(r.Commit(by, add, end), []byte(text))
			if wire.CodeOf(err) != want {
				t.Fatalf("step %d %s: %v, want %v\n%v", step, did, err, want, log)
			}
			if want == wire.OK {
				push(text)
				m.epoch++
				m.swapped = w.Clock.Now()
				n := len(m.entries)
				for _, p := range end {
					if c := m.cursors[p]; c != nil && c.end == 0 {
						c.end = n
					}
				}
				for _, p := range add {
					m.cursors[p] = &modelCursor{from: n, acked: n, added: w.Clock.Now()}
					people++
				}
			}
		case k < 13:
			p := anybody()
			through := rng.IntN(len(m.entries) + 2)
			did = fmt.Sprintf("ack %s %d", p, through)
			want := wire.OK
			c := m.cursors[p]
			switch {
			case c == nil:
				want = wire.CodeNoCursor
			case through > len(m.entries) || c.end > 0 && through > c.end:
				want = wire.CodePastHead
			}
			err := w.Logs.Ack(wire.Ack{Secret: r.Of(p), Through: uint64(through)})
			if wire.CodeOf(err) != want {
				t.Fatalf("step %d %s: %v, want %v\n%v", step, did, err, want, log)
			}
			if want == wire.OK {
				c.acked = max(c.acked, through)
				if c.end > 0 && c.acked >= c.end {
					delete(m.cursors, p)
				}
			}
		case k < 15:
			p := anybody()
			did = "claim " + p
			err := w.Logs.Claim(wire.Claim{Secret: r.Of(p), Next: r.Of(p).Hash()})
			if (err == nil) != (m.cursors[p] != nil) {
				t.Fatalf("step %d %s: %v\n%v", step, did, err, log)
			}
			if err == nil {
				m.cursors[p].claimed = true
			}
		case k < 18:
			d := time.Duration(rng.IntN(600)) * time.Second
			did = fmt.Sprintf("wait %v", d)
			w.Clock.Pass(d)
		case k < 19 && rng.IntN(3) == 0:
			p := anybody()
			if c := m.cursors[p]; c != nil && c.end == 0 && m.live() < 2 && len(m.cursors) > 1 {
				continue // what is written when nobody will read it may stand or not
			}
			did = "drop " + p
			err := w.Logs.Drop(r.Of(p))
			if (err == nil) != (m.cursors[p] != nil) {
				t.Fatalf("step %d %s: %v\n%v", step, did, err, log)
			}
			delete(m.cursors, p)
		case k < 20:
			did = "tick"
			w.Logs.Tick(w.Clock.Now())
			m.tick(w.Clock.Now(), ttl)
		default:
			did = "restart"
			if rng.IntN(4) == 0 {
				w.Logs = w.Restart()
			}
		}
		log = append(log, did)
		if len(m.cursors) == 0 {
			_, err := w.Logs.Append(r.Entry(), []byte("over"))
			wantCode(t, err, wire.CodeNoLog)
			return
		}
		m.compare(t, w, r, anybody(), log)
	}
}

// compare wants one person to see the log as the model has it.
func (m *model) compare(t *testing.T, w *World, r *Room, p string, log []string) {
	t.Helper()
	c := m.cursors[p]
	a, err := w.Logs.Read(wire.Read{Secret: r.Of(p), Limit: 1 << 20})
	if c == nil {
		wantCode(t, err, wire.CodeNoCursor)
		return
	}
	if err != nil {
		t.Fatalf("%s: %v\n%v", p, err, log)
	}
	head := len(m.entries)
	want := wire.PlaceState{Acked: uint64(c.acked)}
	if c.end > 0 {
		head = c.end
		want.Code, want.End = wire.CodeCursorEnded, uint64(c.end)
	}
	want.Head, want.Chain = uint64(head), m.chain[head]
	want.First = uint64(min(m.first(), head+1))
	if a.State != want {
		t.Fatalf("%s: %+v, want %+v\n%v", p, a.State, want, log)
	}
	var got, should []string
	for _, e := range a.Entries {
		got = append(got, fmt.Sprint(e.Seq, string(e.Bytes)))
	}
	for seq := c.from + 1; seq <= head; seq++ {
		if m.stands(seq) {
			should = append(should, fmt.Sprint(seq, m.entries[seq-1].text))
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(should) {
		t.Fatalf("%s reads %q, want %q\n%v", p, got, should, log)
	}
}
