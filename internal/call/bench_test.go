//go:build unix

package call

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"sotto/internal/mediafile"
)

// BenchmarkCall is what a side of a call without a window needs: a share of one core, and
// bytes of heap that stay while it runs. Both sides are in this process, on loopback; sound
// has 40 kbit/s, the film 1.5 Mbit/s in 30 pictures a second, as 720p has.
func BenchmarkCall(b *testing.B) {
	for _, x := range []struct {
		name string
		film bool
	}{{"voice", false}, {"voice and video", true}} {
		b.Run(x.name, func(b *testing.B) {
			for range b.N {
				benchCall(b, x.film)
			}
		})
	}
}

const benchTime = 5 * time.Second

func benchCall(b *testing.B, film bool) {
	before := heap()
	_, ana, bo := newTelephone()
	options := func() (o Options) {
		o.Play[Mic] = &tape{codec: mediafile.Opus, name: "voice", n: 1 << 20, step: 20 * time.Millisecond, size: 100}
		if film {
			o.Play[Camera] = &tape{codec: mediafile.VP8, name: "film", n: 1 << 20, step: time.Second / 30, size: 1_500_000 / 8 / 30, key: 30}
		}
		return o
	}
	end := talk(b, ana, bo, options(), options())
	ana.wants(b, Connected)
	bo.wants(b, Connected)
	used := cpu(b)
	time.Sleep(benchTime)
	b.ReportMetric((cpu(b)-used).Seconds()/benchTime.Seconds()/2, "cores/side")
	b.ReportMetric(float64(heap()-min(before, heap()))/2, "bytes/side")
	q := ana.peer.Quality()
	b.ReportMetric(8*float64(q.Sent[Mic].Bytes+q.Sent[Camera].Bytes)/benchTime.Seconds(), "bits/s")
	if q.Heard[Mic].Packets == 0 || film && q.Heard[Camera].Packets == 0 {
		b.Errorf("nothing was heard: %+v", q)
	}
	end()
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
