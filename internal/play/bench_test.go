package play

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"sotto/internal/backup"
	"sotto/internal/client"
	"sotto/internal/server"
	"sotto/internal/server/config"
)

// BenchmarkMessage is one message from Ana's call to Bo's event, both connected, on real
// sockets and disks: durable on Ana's device, at the server and on Bo's device. Beside
// it, in the same run, a bare write and fsync of 4 KiB.
func BenchmarkMessage(b *testing.B) {
	w := New(b)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "first")
	bo.Eventually("has a request", func() bool { return len(must(bo.Client.Requests())) == 1 }, func() any { return nil })
	ctx := context.Background()
	if err := bo.Client.Accept(ctx, ana.Handle); err != nil {
		b.Fatal(err)
	}
	bo.Reads(ana.Handle, "first")
	var mu sync.Mutex
	came := map[string]chan time.Time{}
	wait := func(text string) chan time.Time {
		mu.Lock()
		defer mu.Unlock()
		if came[text] == nil {
			came[text] = make(chan time.Time, 1)
		}
		return came[text]
	}
	defer bo.Client.Subscribe(func(e client.Event) {
		if e.Kind == client.EventMessage && e.Message.State == 0 {
			wait(e.Message.Text) <- time.Now()
		}
	})()
	var took []time.Duration
	b.ResetTimer()
	for i := range max(b.N, 300) {
		text := fmt.Sprintf("message %d", i)
		begin := time.Now()
		if _, err := ana.Client.Send(ctx, bo.Handle, client.Text(text)); err != nil {
			b.Fatal(err)
		}
		took = append(took, (<-wait(text)).Sub(begin))
		time.Sleep(2 * time.Millisecond) // a person, not a flood
	}
	b.StopTimer()
	slices.Sort(took)
	sync := bareSync(b)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)/2]), "median-ms")
	b.ReportMetric(ms(took[len(took)*95/100]), "p95-ms")
	b.ReportMetric(ms(sync), "fsync-ms")
	b.ReportMetric(ms(took[len(took)/2])/ms(sync), "fsyncs")
}

// bareSync is the median of a write of 4 KiB with fsync on the same disk.
func bareSync(b *testing.B) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var took []time.Duration
	page := make([]byte, 4096)
	for range 200 {
		begin := time.Now()
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// BenchmarkBurst is many messages sent at once, from Ana's first call until Bo has the
// last one.
func BenchmarkBurst(b *testing.B) {
	w := New(b)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "first")
	bo.Eventually("has a request", func() bool { return len(must(bo.Client.Requests())) == 1 }, func() any { return nil })
	ctx := context.Background()
	if err := bo.Client.Accept(ctx, ana.Handle); err != nil {
		b.Fatal(err)
	}
	bo.Reads(ana.Handle, "first")
	var got, want int
	done := make(chan bool, 1)
	var mu sync.Mutex
	defer bo.Client.Subscribe(func(e client.Event) {
		if e.Kind == client.EventMessage && e.Message.State == 0 {
			mu.Lock()
			got++
			if got == want {
				done <- true
			}
			mu.Unlock()
		}
	})()
	n := max(b.N, 1000)
	mu.Lock()
	want = n
	mu.Unlock()
	b.ResetTimer()
	begin := time.Now()
	for i := range n {
		if _, err := ana.Client.Send(ctx, bo.Handle, client.Text(fmt.Sprint(i))); err != nil {
			b.Fatal(err)
		}
	}
	<-done
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "messages/s")
}

// BenchmarkDevices links a device to an account with 200 rooms, until it is in all of them,
// and unlinks it, until it is in none. Each happens once, whatever b.N. The server's limits
// are as they come, but not while the rooms are made.
func BenchmarkDevices(b *testing.B) {
	const rooms = 200
	w := New(b)
	w.Home.Stop()
	w.Home.Mutate = func(o *server.Options) {
		o.Limits = config.Default().Limits
		for _, n := range []*uint64{&o.Limits.ClaimsPerMinute, &o.Limits.ClaimsPerTargetHour, &o.Limits.PutsPerMinute} {
			*n = 1_000_000
		}
	}
	w.Home.Start()
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "hello")
	bo.Eventually("has a request", func() bool { return len(must(bo.Client.Requests())) == 1 }, func() any { return nil })
	ctx := context.Background()
	if err := bo.Client.Accept(ctx, ana.Handle); err != nil {
		b.Fatal(err)
	}
	for i := range rooms - 1 {
		if _, err := ana.Client.CreateRoom(ctx, fmt.Sprintf("room %d", i), []string{bo.Handle}); err != nil {
			b.Fatal(err)
		}
	}
	ana.Sync()
	// in is in how many rooms of Ana's so many of her devices are.
	in := func(p *Person, devices int) (n int) {
		for _, r := range must(p.Client.Rooms()) {
			for _, m := range r.Members {
				if m.Account == ana.account() && m.Devices == devices {
					n++
				}
			}
		}
		return n
	}
	w.Home.Server.Reload(true, config.Default().Limits)
	b.ResetTimer()
	begin := time.Now()
	phone := w.Nobody("ana", w.Home)
	ana.link(b, phone, "Phone")
	phone.Eventually("is in every room", func() bool { return in(phone, 2) == rooms }, func() any { return in(phone, 2) })
	linked := time.Since(begin)
	begin = time.Now()
	if err := ana.Client.Unlink(ctx, must(ana.Client.Devices(ana.account()))[1].Device); err != nil {
		b.Fatal(err)
	}
	ana.Eventually("is alone in every room", func() bool { return in(ana, 1) == rooms }, func() any { return in(ana, 1) })
	b.StopTimer()
	b.ReportMetric(linked.Seconds(), "link-s")
	b.ReportMetric(time.Since(begin).Seconds(), "unlink-s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkHistory brings 100,000 messages to a device that was linked.
func BenchmarkHistory(b *testing.B) {
	w := New(b)
	ana := w.Person("ana")
	ana.fill(b, 100_000)
	b.ResetTimer()
	phone := w.Nobody("ana", w.Home)
	ana.link(b, phone, "Phone")
	begin := time.Now()
	phone.Eventually("has the whole history", func() bool { h, _ := phone.Client.History(); return h.Done }, func() any { h, _ := phone.Client.History(); return h })
	b.StopTimer()
	h, err := phone.Client.History()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(h.Got)/time.Since(begin).Seconds(), "messages/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAlike changes something on one device until it is so on another: most of it is the
// wait for more to change.
func BenchmarkAlike(b *testing.B) {
	w := New(b)
	ana := w.Person("ana")
	id := must(ana.Client.CreateRoom(context.Background(), "club", nil))
	phone := w.Nobody("ana", w.Home)
	ana.link(b, phone, "Phone")
	phone.Eventually("is in the room", func() bool { return phone.Room("club").Title != "" }, func() any { return nil })
	until := int64(0)
	b.ResetTimer()
	for b.Loop() {
		until++
		if err := ana.Client.SetMark(id, client.MarkChange{MutedUntil: &until}); err != nil {
			b.Fatal(err)
		}
		phone.Eventually("muted", func() bool { return phone.mark("club").MutedUntil == until }, func() any { return until })
	}
}

// What a backup of a long history takes, and its restoring on a new machine.
func BenchmarkBackup(b *testing.B) {
	w := New(b)
	ana := w.Person("ana")
	ana.fill(b, 100_000)
	ana.Sync()
	path := filepath.Join(b.TempDir(), "ana"+backup.Extension)
	const passphrase = "correct horse"
	begin := time.Now()
	r, err := ana.Client.BackUpTo(b.Context(), path, passphrase)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(r.Messages)/time.Since(begin).Seconds(), "messages/s")
	phone := w.Nobody("ana", w.Home)
	words := ana.writesDown(b, "")
	phone.Open()
	if err := phone.Client.Recover(b.Context(), ana.Handle, words, "New"); err != nil {
		b.Fatal(err)
	}
	begin = time.Now()
	if err := phone.Client.RestoreFile(b.Context(), path, client.RestoreSecret{Passphrase: passphrase}, false); err != nil {
		b.Fatal(err)
	}
	s, err := phone.Client.WaitRestored(b.Context())
	if err != nil || !s.Done {
		b.Fatal(s, err)
	}
	b.ReportMetric(float64(s.Got)/time.Since(begin).Seconds(), "restored/s")
	b.ReportMetric(0, "ns/op")
}
