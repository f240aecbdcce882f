package client_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/store/seed"
)

// past is a device with a long past, made once for all benchmarks that want the same.
type past struct {
	once sync.Once
	dir  string
	c    *client.Client
	seed.Filled
	err error
}

var pasts = map[seed.Plan]*past{
	overviews: {}, searches: {},
}

var (
	overviews = seed.Plan{Rooms: 1000, Messages: 150_000, Longest: 100_000, Unseen: 500}
	searches  = seed.Plan{Rooms: 1000, Messages: 1_090_000, Longest: 100_000, Unseen: 500}
)

func database(dir string) store.Options {
	return store.Options{Path: filepath.Join(dir, "sotto.db"), Key: sha256.Sum256([]byte("past"))}
}

func seeded(tb testing.TB, plan seed.Plan, dir string, mutate func(o *client.Options)) (*client.Client, seed.Filled, error) {
	o := client.Options{Store: database(dir)}
	if mutate != nil {
		mutate(&o)
	}
	st, err := store.Open(o.Store)
	if err != nil {
		return nil, seed.Filled{}, err
	}
	begin := time.Now()
	f, err := seed.Fill(st, plan)
	if err != nil {
		return nil, f, err
	}
	if err := st.Close(); err != nil {
		return nil, f, err
	}
	tb.Logf("%d messages in %d rooms seeded in %v", plan.Messages, plan.Rooms, time.Since(begin).Round(time.Millisecond))
	c, err := client.Open(o)
	return c, f, err
}

func device(tb testing.TB, plan seed.Plan) (*client.Client, seed.Filled) {
	p := pasts[plan]
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("", "sotto-past-"); p.err == nil {
			p.c, p.Filled, p.err = seeded(tb, plan, p.dir, nil)
		}
	})
	if p.err != nil {
		tb.Fatal(p.err)
	}
	return p.c, p.Filled
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, p := range pasts {
		if p.c != nil {
			p.c.Close()
		}
		os.RemoveAll(p.dir)
	}
	os.Exit(code)
}

// BenchmarkOverview lists 1,000 conversations with 150,000 messages.
func BenchmarkOverview(b *testing.B) {
	c, _ := device(b, overviews)
	for b.Loop() {
		list, err := c.Overview(false)
		if err != nil || len(list) != 1000 {
			b.Fatal(len(list), err)
		}
	}
}

// BenchmarkPage opens a room with 100,000 messages: at its end, at a date in its middle, at
// the first unread message, and on from there.
func BenchmarkPage(b *testing.B) {
	c, f := device(b, overviews)
	middle := must(c.Page(f.Long, client.PageQuery{Date: time.Unix(1_750_000_000, 0).AddDate(-1, 0, 0).UnixMilli()}))
	for name, q := range map[string]client.PageQuery{
		"end": {}, "before": {Before: middle.Messages[0].Pos}, "after": {After: middle.Messages[0].Pos},
		"around": {Around: middle.Target}, "date": {Date: middle.Messages[5].At}, "unread": {Unread: true},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if p, err := c.Page(f.Long, q); err != nil || len(p.Messages) != 60 {
					b.Fatal(len(p.Messages), err)
				}
			}
		})
	}
}

// BenchmarkSearch searches the million messages of the plan that are no reactions and edits.
func BenchmarkSearch(b *testing.B) {
	c, f := device(b, searches)
	some := must(c.Page(f.Rooms[7], client.PageQuery{}))
	for _, x := range []struct {
		name string
		q    client.SearchQuery
	}{
		{"common", client.SearchQuery{Text: "the"}},
		{"letter", client.SearchQuery{Text: "t"}},
		{"prefix", client.SearchQuery{Text: "tomo"}},
		{"long-prefix", client.SearchQuery{Text: "tomorr"}},
		{"and", client.SearchQuery{Text: "tomorrow coffee station"}},
		{"and-five", client.SearchQuery{Text: "tomorrow coffee station mother heron"}},
		{"phrase", client.SearchQuery{Text: `"to the"`}},
		{"rare-phrase", client.SearchQuery{Text: `"heron stork"`}},
		{"rare", client.SearchQuery{Text: "wizozowi"}},
		{"none", client.SearchQuery{Text: "zzyzx the"}},
		{"in-room", client.SearchQuery{Text: "the", Room: &f.Rooms[7]}},
		{"in-long-room", client.SearchQuery{Text: "coffee", Room: &f.Long}},
		{"by-person", client.SearchQuery{Text: "the", From: &some.Messages[0].Account}},
		{"starred", client.SearchQuery{Text: "coffee", Starred: true}},
		{"year", client.SearchQuery{Text: "coffee", Before: time.Unix(1_750_000_000, 0).AddDate(-1, 0, 0).UnixMilli()}},
	} {
		b.Run(x.name, func(b *testing.B) {
			var took []time.Duration
			hits := 0
			for b.Loop() {
				begin := time.Now()
				r, err := c.Search(x.q)
				took = append(took, time.Since(begin))
				if hits = len(r.Hits); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(hits), "hits")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprint(err))
	}
	return v
}
