package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/gobwas/ws"

	"sotto/internal/wire"
)

const writers = 64

// barePebble is the yardstick: durable 1 KiB sets by as many synchronous writers, with
// Pebble's group commit as the engine has it (its default, no delay), memtables of the
// engine's size, and nothing else. It does not compress, as the engine does not: the
// values are alike, and what is encrypted would not shrink. Each round adds to what the
// one before wrote, as in the server.
func barePebble(b *testing.B) func(per int) float64 {
	o := &pebble.Options{MemTableSize: 8 << 20, MemTableStopWritesThreshold: 4, L0StopWritesThreshold: 500, FormatMajorVersion: pebble.FormatNewest, Logger: mute{}}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	db, err := pebble.Open(b.TempDir(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	value := make([]byte, 1024)
	rand.Read(value)
	before := 0
	return func(per int) float64 {
		begin := time.Now()
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range per {
					if err := db.Set(fmt.Appendf(nil, "%02d%014d", w, before+i), value, pebble.Sync); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		before += per
		return float64(per*writers) / time.Since(begin).Seconds()
	}
}

type mute struct{}

func (mute) Infof(string, ...any)      {}
func (mute) Errorf(string, ...any)     {}
func (mute) Fatalf(s string, a ...any) { panic(fmt.Sprintf(s, a...)) }

// appender is a client that costs as little as a client can.
type appender struct {
	c   net.Conn
	in  *bufio.Reader
	buf []byte
	q   wire.Append // the append that run varies
	n   int         // entries made
}

func (a *appender) send(frame []byte) error {
	_, err := a.c.Write(masked(ws.Header{Fin: true, OpCode: ws.OpBinary}, frame))
	return err
}

func (a *appender) recv() ([]byte, error) {
	if a.in == nil {
		a.in = bufio.NewReader(a.c)
	}
	h, err := ws.ReadHeader(a.in)
	if err != nil {
		return nil, err
	}
	if int(h.Length) > len(a.buf) {
		a.buf = make([]byte, h.Length)
	}
	_, err = io.ReadFull(a.in, a.buf[:h.Length])
	return a.buf[:h.Length], err
}

// BenchmarkServedAppends is durable 1 KiB appends through 64 WebSockets over loopback,
// each with one or eight under way, clients in the same process, beside 64 synchronous
// writers of bare Pebble. Three rounds of both, one after the other: what else the
// machine does shows in the spread.
func BenchmarkServedAppends(b *testing.B) {
	for _, window := range []int{1, 8} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) { servedAppends(b, window) })
	}
}

func servedAppends(b *testing.B, window int) {
	l := wide()
	l.LogsPerDay = 1 << 30
	r := start(b, Options{Limits: l}, ServeOptions{})
	ana := r.person("ana")
	per := max(b.N/writers, 64)
	var conns [writers]*appender
	for i := range conns {
		m := ana.room(1)
		conns[i] = dialAppender(b, r, wire.Append{Log: m.log, Token: m.token, Entry: make([]byte, 1024)})
		defer conns[i].c.Close()
	}
	pebbled := barePebble(b)
	var served, bare, ratio []float64
	b.ResetTimer()
	for range 3 {
		b.StartTimer()
		begin := time.Now()
		var wg sync.WaitGroup
		for _, a := range conns {
			wg.Go(func() {
				if err := a.run(per, window); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		served = append(served, float64(per*writers)/time.Since(begin).Seconds())
		b.StopTimer()
		bare = append(bare, pebbled(per))
		ratio = append(ratio, served[len(served)-1]/bare[len(bare)-1])
	}
	for _, x := range [][]float64{served, bare, ratio} {
		slices.Sort(x)
	}
	b.ReportMetric(served[1], "appends/s")
	b.ReportMetric(bare[1], "pebble/s")
	b.ReportMetric(ratio[0], "ratio-min")
	b.ReportMetric(ratio[1], "ratio")
	b.ReportMetric(ratio[2], "ratio-max")
}

func dialAppender(b *testing.B, r *rig, q wire.Append) *appender {
	c, _, _, err := ws.Dial(context.Background(), "ws://"+r.addr.String()+"/v1/log")
	if err != nil {
		b.Fatal(err)
	}
	rand.Read(q.Entry)
	q.Entry[0] = wire.PlainEntry
	a := &appender{c: c, q: q}
	if err := a.send(fuzzHello); err != nil {
		b.Fatal(err)
	}
	if _, err := a.recv(); err != nil {
		b.Fatal(err)
	}
	return a
}

// run appends so often, with at most window appends under way. A frame is made once and
// only the entry's first bytes change, so that the figures are the server's.
func (a *appender) run(per, window int) error {
	const id = 2
	frame := masked(ws.Header{Fin: true, OpCode: ws.OpBinary}, wire.EncodeFrame(id, uint16(wire.OpAppend), a.q))
	good := wire.EncodeFrame(id, uint16(wire.OK), wire.Appended{Seq: 1 << 20})[:4]
	sent := 0
	send := func() error {
		sent++
		a.n++
		binary.BigEndian.PutUint64(frame[len(frame)-len(a.q.Entry)+1:], uint64(a.n)) // masked, and like no other all the same
		_, err := a.c.Write(frame)
		return err
	}
	for range min(window, per) {
		if err := send(); err != nil {
			return err
		}
	}
	for range per {
		f, err := a.recv()
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(f, good) {
			return fmt.Errorf("the answer is %x", f)
		}
		if sent < per {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return nil
}

// BenchmarkIdleDevices is the memory of a device that waits over TLS and watches 30
// rooms: what this process holds more with them than without, Go's heap, stacks and
// what belongs to them. The devices themselves are in a process of their own.
func BenchmarkIdleDevices(b *testing.B) {
	for _, n := range []int{2_000, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for range b.N {
				idleDevices(b, n)
			}
		})
	}
}

const roomsWatched = 30

func inUse() uint64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}

func resident() uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, rss uint64
	fmt.Sscan(string(b), &size, &rss)
	return rss * uint64(os.Getpagesize())
}

func idleDevices(b *testing.B, n int) {
	dir := b.TempDir()
	cert, key := selfMade(b, dir, 1)
	l := wide()
	l.LogsPerDay = 1 << 30
	r := start(b, Options{Limits: l}, ServeOptions{CertFile: cert, KeyFile: key})
	ana := r.person("ana")
	// Rooms of eight: each device watches 30 of them with cursors of its own.
	secrets := make([][]wire.Secret, n)
	for d := 0; d < n; d += 8 {
		group := min(8, n-d)
		for range roomsWatched {
			m := ana.room(group)
			for i := range group {
				secrets[d+i] = append(secrets[d+i], m.cursors[i])
			}
		}
	}
	var file strings.Builder
	for _, s := range secrets {
		for _, x := range s {
			fmt.Fprintf(&file, "%x", x[:])
		}
		file.WriteByte('\n')
	}
	list := filepath.Join(dir, "secrets")
	if err := os.WriteFile(list, []byte(file.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	secrets, file = nil, strings.Builder{}
	before, rss := inUse(), resident()
	crowd := exec.Command(os.Args[0])
	crowd.Env = append(os.Environ(), crowdAddr+"="+r.addr.String(), crowdSecrets+"="+list)
	in, err := crowd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	crowd.Stderr = os.Stderr
	out, err := crowd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := crowd.Start(); err != nil {
		b.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // all watch
		b.Fatal(err)
	}
	if w := r.s.logs.Stats().Watches; w != n*roomsWatched {
		b.Errorf("%d cursors are watched, not %d", w, n*roomsWatched)
	}
	after, rssAfter := inUse(), resident()
	in.Close()
	_ = crowd.Wait()
	b.ReportMetric(float64(int64(after-before))/float64(n), "B/device")
	b.ReportMetric(float64(int64(rssAfter-rss))/float64(n), "rss-B/device")
}

// With crowdAddr in its environment this program is the devices of BenchmarkIdleDevices
// (TestMain): they watch with the secrets in the file crowdSecrets, a line each.
const (
	crowdAddr    = "SOTTO_CROWD"
	crowdSecrets = "SOTTO_CROWD_SECRETS"
)

// crowd says on its output when all devices watch, and leaves when its input ends.
func crowd(addr, secrets string) error {
	b, err := os.ReadFile(secrets)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	work := make(chan string, len(lines))
	for _, x := range lines {
		work <- x
	}
	close(work)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	var failed error
	for range 16 {
		wg.Go(func() {
			for line := range work {
				c, err := idleDevice(addr, line)
				mu.Lock()
				open, failed = append(open, c), errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	os.Stdout.WriteString("!")
	_, _ = os.Stdin.Read(make([]byte, 1))
	for _, c := range open {
		c.Close()
	}
	return nil
}

// idleDevice watches with the secrets of a line, in hexadecimal digits.
func idleDevice(addr, line string) (net.Conn, error) {
	d := ws.Dialer{TLSConfig: &tls.Config{InsecureSkipVerify: true}}
	c, _, _, err := d.Dial(context.Background(), "wss://"+addr+"/v1/log")
	if err != nil {
		return nil, err
	}
	a := &appender{c: c}
	q := wire.Watch{Credit: 1 << 20}
	for i := range len(line) / 64 {
		var s wire.Secret
		if err := unhex(s[:], line[i*64:i*64+64]); err != nil {
			return c, err
		}
		q.Places = append(q.Places, wire.Place{Ref: uint32(i), Secret: s})
	}
	for _, f := range [][]byte{fuzzHello, wire.EncodeFrame(2, uint16(wire.OpWatch), q)} {
		if err := a.send(f); err != nil {
			return c, err
		}
		f, err := a.recv()
		if err != nil {
			return c, err
		}
		fr, err := wire.DecodeFrame(f)
		if err := errors.Join(err, fr.Err()); err != nil {
			return c, err
		}
	}
	return c, nil
}

// BenchmarkStartToReady is from New on a data directory that holds a thousand rooms
// to the bound socket.
func BenchmarkStartToReady(b *testing.B) {
	dir := b.TempDir()
	l := wide()
	l.LogsPerDay = 1 << 30
	r := start(b, Options{Dir: dir, Limits: l}, ServeOptions{})
	ana := r.person("ana")
	x := r.open("/v1/log")
	for range 1000 {
		x.must(wire.OpAppend, ana.room(2).append("hello"), &wire.Appended{})
	}
	r.stop()
	b.ResetTimer()
	for range b.N {
		r := start(b, Options{Dir: dir, Limits: l}, ServeOptions{})
		b.StopTimer()
		r.stop()
		b.StartTimer()
	}
}
