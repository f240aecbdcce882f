package logs_test

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"sotto/internal/server/engine"
	"sotto/internal/server/logs"
	"sotto/internal/server/logs/logstest"
	"sotto/internal/wire"
)

const (
	appenders = 64
	entrySize = 1024
)

// spread runs n calls of each on as many goroutines as there are appenders.
func spread(n int, each func(worker, i int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for w := range appenders {
		wg.Go(func() {
			for {
				i := int(next.Add(1))
				if i > n {
					return
				}
				each(w, i)
			}
		})
	}
	wg.Wait()
}

// BenchmarkAppend compares, in one run, 1 KiB appends of 64 appenders to 64 logs with
// the same bytes set in bare Pebble, both durable before the answer.
func BenchmarkAppend(b *testing.B) {
	var bare float64
	b.Run("bare Pebble", func(b *testing.B) {
		p, err := pebble.Open(b.TempDir(), &pebble.Options{MemTableSize: 8 << 20, MemTableStopWritesThreshold: 4, L0StopWritesThreshold: 500, Logger: silent{}})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		b.ResetTimer()
		spread(b.N, func(w, i int) {
			k := fmt.Appendf(nil, "%02d%08d", w, i)
			if err := p.Set(k, payload(i), pebble.Sync); err != nil {
				b.Error(err)
			}
		})
		b.StopTimer()
		bare = float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(bare, "appends/s")
	})
	b.Run("logs", func(b *testing.B) {
		db, err := engine.Open(engine.Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		l, err := logs.Open(db, logs.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		var names [appenders]wire.LogName
		for w := range names {
			names[w] = logstest.Name(fmt.Sprint(w))
			c := wire.Create{Log: names[w], Token: logstest.Secret("t").Hash(), Cursors: []wire.NewCursor{{Hash: logstest.Secret("c%d", w).Hash()}}}
			if _, err := l.Create(c); err != nil {
				b.Fatal(err)
			}
		}
		b.ResetTimer()
		start := time.Now()
		spread(b.N, func(w, i int) {
			if _, err := l.Append(wire.Append{Log: names[w], Token: logstest.Secret("t")}, payload(i)); err != nil {
				if wire.CodeOf(err) != wire.CodeLogFull {
					b.Error(err)
				}
			}
		})
		b.StopTimer()
		rate := float64(b.N) / time.Since(start).Seconds()
		b.ReportMetric(rate, "appends/s")
		if bare > 0 {
			b.ReportMetric(rate/bare, "of-bare")
		}
	})
}

func payload(i int) []byte {
	p := make([]byte, entrySize)
	for j := 0; j < len(p); j += 8 {
		binary.BigEndian.PutUint64(p[j:], uint64(i*j)*0x9e3779b97f4a7c15)
	}
	binary.BigEndian.PutUint64(p, uint64(i))
	return p
}

type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(f string, a ...any) {
	panic(fmt.Sprintf(f, a...))
}
