package engine_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"sotto/internal/server/engine"
)

// BenchmarkCommit compares durable commits of 1 KiB by 64 committers with bare
// Pebble's, in one run.
func BenchmarkCommit(b *testing.B) {
	value := secret(1, 1024)
	spread := func(b *testing.B, commit func(key []byte) error) float64 {
		var wg sync.WaitGroup
		var next atomic.Int64
		b.ResetTimer()
		for range 64 {
			wg.Go(func() {
				for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
					if err := commit(fmt.Appendf(nil, "%012d", i)); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		b.StopTimer()
		rate := float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(rate, "commits/s")
		return rate
	}
	var bare float64
	b.Run("bare Pebble", func(b *testing.B) {
		o := &pebble.Options{MemTableSize: 8 << 20, MemTableStopWritesThreshold: 4, L0StopWritesThreshold: 500, FormatMajorVersion: pebble.FormatNewest}
		o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone }) // the values are alike
		p, err := pebble.Open(b.TempDir(), o)
		if err != nil {
			b.Fatal(err)
		}
		bare = spread(b, func(k []byte) error { return p.Set(k, value, pebble.Sync) })
		_ = p.Close()
	})
	b.Run("engine", func(b *testing.B) {
		db, err := engine.Open(engine.Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		rate := spread(b, func(k []byte) error {
			batch := db.NewBatch()
			batch.Set(k, value)
			return db.CommitWait(batch)
		})
		b.ReportMetric(rate/bare, "of-bare")
		_ = db.Close()
	})
}
