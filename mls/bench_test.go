package mls

import (
	"fmt"
	"testing"
	"time"
)

// crowd is a group of n members of whom three run: the maker, the first that
// was added and the last.
type crowd struct{ ana, bo, zoe *player }

// newCrowd adds everyone in one commit without a path, so the parents are blank.
func newCrowd(t testing.TB, suite CipherSuite, n int) *crowd {
	ana := newPlayer(suite, "ana")
	var err error
	ana.g, err = NewGroup(ana.cfg, []byte("the room"), BasicCredential([]byte("ana")), nil)
	ok(t, err)
	c := &crowd{ana: ana}
	var p CommitParams
	for i := 1; i < n; i++ {
		x := newPlayer(suite, fmt.Sprint("member ", i))
		p.Proposals = append(p.Proposals, AddProposal(x.kp.Public))
		if i == 1 {
			c.bo = x
		}
		c.zoe = x
	}
	p.OmitTree = true
	s := ana.must(p)
	ok(t, ana.g.Merge(s))
	for i, x := range map[int]*player{0: c.bo, n - 2: c.zoe} {
		if x.g == nil {
			x.g, err = JoinGroup(x.cfg, s.Welcomes()[i], x.kp, s.RatchetTree())
			ok(t, err)
		}
	}
	for _, x := range []*player{ana, c.bo, c.zoe} {
		ok(t, x.g.Flush(x.store))
	}
	return c
}

func eachSize(b *testing.B, run func(b *testing.B, c *crowd)) {
	for _, n := range []int{2, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := newCrowd(b, XWing, n)
			b.ReportAllocs()
			run(b, c)
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	text := make([]byte, 100)
	eachSize(b, func(b *testing.B, c *crowd) {
		w := meter{memory: c.ana.store}
		for b.Loop() {
			_, _, err := c.ana.g.Seal(nil, text)
			ok(b, err)
			ok(b, c.ana.g.Flush(&w))
		}
		b.ReportMetric(float64(w.bytes)/float64(b.N), "stored-B/op")
	})
}

func BenchmarkOpen(b *testing.B) {
	text := make([]byte, 100)
	eachSize(b, func(b *testing.B, c *crowd) {
		w := meter{memory: c.bo.store}
		var spent time.Duration
		for b.Loop() {
			m, _, err := c.ana.g.Seal(nil, text)
			ok(b, err)
			start := time.Now()
			_, err = c.bo.g.Open(m)
			ok(b, err)
			ok(b, c.bo.g.Flush(&w))
			spent += time.Since(start)
		}
		b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "open-ns/op")
		b.ReportMetric(float64(w.bytes)/float64(b.N), "stored-B/op")
	})
}

// BenchmarkCommit measures paths: the first in a tree of blank parents, which
// encrypts to every member, and those after both halves have committed.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{2, 1000} {
		c := newCrowd(b, XWing, n)
		c.ana.g.cfg.AllowPublic = true
		b.Run(fmt.Sprintf("%d/blank", n), func(b *testing.B) {
			size := 0
			for b.Loop() {
				s := c.ana.must(CommitParams{Public: true}) // uses up no generation
				size = len(s.Message())
				s.Erase()
			}
			b.ReportMetric(float64(size), "message-B")
		})
		s := c.ana.must(CommitParams{})
		b.Run(fmt.Sprintf("%d/blank-open", n), func(b *testing.B) {
			for b.Loop() {
				r, err := c.bo.g.receiveOnly(s.Message())
				ok(b, err)
				r.Erase()
			}
		})
		r, err := c.bo.g.Open(s.Message())
		ok(b, err)
		ok(b, c.ana.g.Merge(s))
		ok(b, c.bo.g.Merge(r.Staged))
		w := meter{memory: c.bo.store}
		b.Run(fmt.Sprintf("%d/next", n), func(b *testing.B) {
			var made, read time.Duration
			rounds := 0
			for b.Loop() {
				start := time.Now()
				s := c.ana.must(CommitParams{})
				ok(b, c.ana.g.Merge(s))
				made += time.Since(start)
				start = time.Now()
				r, err := c.bo.g.Open(s.Message())
				ok(b, err)
				ok(b, c.bo.g.Merge(r.Staged))
				read += time.Since(start)
				w.bytes = 0
				ok(b, c.bo.g.Flush(&w))
				rounds++
			}
			b.ReportMetric(float64(made.Nanoseconds())/float64(rounds), "make-ns/op")
			b.ReportMetric(float64(read.Nanoseconds())/float64(rounds), "read-ns/op")
			b.ReportMetric(float64(w.bytes), "stored-B/op")
		})
	}
}

// receiveOnly stages a commit without moving the ratchet.
func (g *Group) receiveOnly(message []byte) (*StagedCommit, error) {
	before := g.now.keys
	g.now.keys = before.copy()
	r, err := g.Open(message)
	g.now.keys = before
	if err != nil {
		return nil, err
	}
	return r.Staged, nil
}

func (t *secretTree) copy() *secretTree {
	c := emptySecretTree(t.leaves)
	for n, s := range t.nodes {
		v := *s
		c.nodes[n] = &v
	}
	for id, r := range t.ratchets {
		v := *r
		c.ratchets[id] = &v
	}
	return c
}

// BenchmarkAdd adds one member without a path and merges.
func BenchmarkAdd(b *testing.B) {
	eachSize(b, func(b *testing.B, c *crowd) {
		kp := newPlayer(XWing, "new").kp.Public
		for b.Loop() {
			s := c.ana.must(CommitParams{OmitTree: true, Proposals: []Proposal{AddProposal(kp)}})
			s.Erase()
		}
	})
}

// BenchmarkRemove removes the last member with a path to all others.
func BenchmarkRemove(b *testing.B) {
	c := newCrowd(b, XWing, 1000)
	for b.Loop() {
		s := c.ana.must(CommitParams{Proposals: []Proposal{RemoveProposal(c.zoe.g.OwnLeaf())}})
		s.Erase()
	}
}

func BenchmarkJoin(b *testing.B) {
	eachSize(b, func(b *testing.B, c *crowd) {
		x := newPlayer(XWing, "new")
		s := c.ana.must(CommitParams{OmitTree: true, ForcePath: true, Proposals: []Proposal{AddProposal(x.kp.Public)}})
		tree := s.RatchetTree()
		var w meter
		for b.Loop() {
			g, err := JoinGroup(x.cfg, s.Welcomes()[0], x.kp, tree)
			ok(b, err)
			w = meter{memory: memory{}}
			ok(b, g.Flush(&w))
		}
		b.ReportMetric(float64(w.bytes), "stored-B/op")
		b.ReportMetric(float64(len(s.Welcomes()[0])), "welcome-B")
		b.ReportMetric(float64(len(tree)), "tree-B")
	})
}

func BenchmarkLoad(b *testing.B) {
	eachSize(b, func(b *testing.B, c *crowd) {
		for b.Loop() {
			_, err := LoadGroup(c.bo.cfg, c.bo.store)
			ok(b, err)
		}
	})
}

// TestStoredPerMessage bounds what one message hands to the store, with the
// first message of a sender in a group of 1,000 as the worst case.
func TestStoredPerMessage(t *testing.T) {
	c := newCrowd(t, XWing, 1000)
	w := meter{memory: c.bo.store}
	worst := 0
	for _, from := range []*player{c.zoe, c.ana, c.zoe, c.ana} {
		m, _, err := from.g.Seal(nil, make([]byte, 100))
		ok(t, err)
		_, err = c.bo.g.Open(m)
		ok(t, err)
		w.bytes = 0
		ok(t, c.bo.g.Flush(&w))
		t.Log("bytes handed to the store:", w.bytes)
		worst = max(worst, w.bytes)
	}
	if worst >= 1024 {
		t.Fatalf("one message hands %d bytes to the store", worst)
	}
}

// TestCrowd lets a thousand members live through paths, an add and a remove.
func TestCrowd(t *testing.T) {
	c := newCrowd(t, XWing, 1000)
	all := []*player{c.ana, c.bo, c.zoe}
	turn := func(by *player, p CommitParams) *StagedCommit {
		t.Helper()
		s := by.must(p)
		for _, x := range all {
			if x == by {
				ok(t, x.g.Merge(s))
				continue
			}
			r, err := x.g.Open(s.Message())
			ok(t, err)
			ok(t, x.g.Merge(r.Staged))
			if x.g.Active() {
				same(t, "authenticator", x.g.EpochAuthenticator(), s.EpochAuthenticator())
				x.reload(t)
			}
		}
		return s
	}
	turn(c.ana, CommitParams{})
	turn(c.zoe, CommitParams{})
	x := newPlayer(XWing, "new")
	s := turn(c.bo, CommitParams{ForcePath: true, OmitTree: true, Proposals: []Proposal{AddProposal(x.kp.Public), RemoveProposal(500)}})
	var err error
	x.g, err = JoinGroup(x.cfg, s.Welcomes()[0], x.kp, c.ana.g.RatchetTree())
	ok(t, err)
	if s.Added()[0] != 500 {
		t.Fatal("the new member does not take the free leaf")
	}
	all = append(all, x)
	turn(x, CommitParams{})
	turn(c.ana, CommitParams{Proposals: []Proposal{RemoveProposal(c.zoe.g.OwnLeaf())}})
	if c.zoe.g.Active() {
		t.Fatal("zoe is still there")
	}
}
