package app

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/play"
	"sotto/internal/store"
	"sotto/internal/store/seed"
)

// past is the home of a device with a long past.
func past(b *testing.B, plan seed.Plan) (*desk, string) {
	w := &play.World{T: b, Clock: play.NewClock(), Log: slog.New(slog.DiscardHandler)}
	d := &desk{t: b, w: w, name: "ana", home: b.TempDir()}
	b.Cleanup(d.end)
	guard := cheap(d.home)
	if err := guard.Make(); err != nil {
		b.Fatal(err)
	}
	key, err := guard.Open(nil)
	if err != nil {
		b.Fatal(err)
	}
	st, err := store.Open(store.Options{Path: filepath.Join(d.home, "sotto.db"), Key: key})
	if err != nil {
		b.Fatal(err)
	}
	plan.Until = w.Clock.Now()
	f, err := seed.Fill(st, plan)
	if err != nil {
		b.Fatal(err)
	}
	if err := st.Close(); err != nil {
		b.Fatal(err)
	}
	return d, text(f.Long[:])
}

// BenchmarkStart is from the start of the app's work to what a window needs to be usable:
// the state, the list of 1,000 conversations, and the end of the longest, which holds
// 100,000 messages.
func BenchmarkStart(b *testing.B) {
	d, long := past(b, seed.Plan{Rooms: 1000, Messages: 100_000, Longest: 60_000, Unseen: 200})
	for b.Loop() {
		begun := time.Now()
		d.start()
		opened := time.Since(begun)
		var s api.State
		d.must("GET", "/state", nil, &s)
		var list []api.Room
		d.must("GET", "/rooms", nil, &list)
		rooms := time.Since(begun)
		p := d.page(long)
		b.ReportMetric(float64(opened.Milliseconds()), "ms-open")
		b.ReportMetric(float64((rooms - opened).Milliseconds()), "ms-rooms")
		b.ReportMetric(float64((time.Since(begun) - rooms).Milliseconds()), "ms-page")
		if len(list) < 900 || len(p.Messages) != 60 {
			b.Fatal(len(list), len(p.Messages))
		}
		b.StopTimer()
		d.end()
		b.StartTimer()
	}
}
