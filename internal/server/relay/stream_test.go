package relay

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
)

// The junk that ends a connection. The fourth one sends pion/turn's own reader into a loop
// without end: its length wraps around to nothing.
var junk = [][]byte{
	[]byte("GET / HTTP/1.1\r\n\r\n"),
	bytes.Repeat([]byte{0xff}, 40),
	bytes.Repeat([]byte{0}, 64),
	{0, 1, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	{0, 1, 0x08, 0x00, 0x21, 0x12, 0xa4, 0x42},
	{0x40, 0, 0xff, 0xff, 1},
	{0x50, 0, 0, 4, 1, 2, 3, 4},
	{0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x80, 0x22, 0xff, 0xff},
}

func TestJunkOnStreams(t *testing.T) {
	r := newRelay(t, nil)
	ana, bo := r.holding(t, "tcp", "ana"), r.holding(t, "udp", "bo")
	for i, b := range junk {
		c, err := net.Dial("tcp", r.address())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := c.Read(make([]byte, 100)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("junk %d: %d bytes, %v", i, n, err)
		}
		c.Close()
	}
	talk(t, ana, bo)
}

// piped is a stream whose other end a test holds, under the fake time of synctest.
func piped() (*stream, net.Conn) {
	r := &Relay{paths: map[path]*socket{}, o: Options{Admit: func(netip.Addr) error { return nil }}}
	r.streams = newStreams(r)
	a, b := net.Pipe()
	return &stream{Conn: a, r: r}, b
}

// Frames come in any pieces, and are answered whole.
func TestPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, far := piped()
		m := build(t, stun.TransactionID, stun.BindingRequest)
		all := bytes.Join([][]byte{m, {0x40, 0, 0, 1, 9, 0, 0, 0}, m, m}, nil)
		go func() {
			defer far.Close()
			for len(all) > 0 {
				n := min(7, len(all))
				if _, err := far.Write(all[:n]); err != nil {
					return
				}
				all = all[n:]
			}
		}()
		b := make([]byte, maxFrame)
		for i := range 3 {
			if n, err := x.Read(b); err != nil || !bytes.Equal(b[:n], m) {
				t.Fatal(i, n, err)
			}
		}
		if _, err := x.Read(b); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// Who says nothing, or one byte now and then, is not waited for.
func TestSlowStreams(t *testing.T) {
	for name, do := range map[string]struct {
		write func(far net.Conn)
		after time.Duration
	}{
		"nothing": {func(net.Conn) {}, firstTime},
		"a byte now and then": {func(far net.Conn) {
			for _, b := range []byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5} {
				if _, err := far.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(5 * time.Second)
			}
		}, 2 * firstTime},
		"one request, and half of one more": {func(far net.Conn) {
			m, _ := stun.Build(stun.TransactionID, stun.BindingRequest)
			_, _ = far.Write(m.Raw)
			time.Sleep(30 * time.Second)
			_, _ = far.Write(m.Raw[:10])
		}, 30*time.Second + firstTime},
		"one request": {func(far net.Conn) {
			m, _ := stun.Build(stun.TransactionID, stun.BindingRequest)
			_, _ = far.Write(m.Raw)
		}, idleTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, far := piped()
				defer far.Close()
				done := make(chan struct{})
				go func() { defer close(done); do.write(far) }()
				start := time.Now()
				var err error
				for err == nil {
					_, err = x.Read(make([]byte, maxFrame))
				}
				if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took > do.after {
					t.Errorf("%v after %v", err, took)
				}
				x.Conn.Close()
				<-done
			})
		})
	}
}

// Who does not read is ended, and holds nobody up for longer.
func TestUnreadStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, far := piped()
		x.r.busy.Add(1)
		defer far.Close()
		start := time.Now()
		x.deliver(make([]byte, 100, 104))
		if took := time.Since(start); took != writeTime {
			t.Error(took)
		}
		if _, err := x.Conn.Write([]byte{1}); !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
	})
}

// One address, and all together, have so many connections.
func TestStreamsAreCounted(t *testing.T) {
	l := wideOpen
	l.StreamsPerAddress = 2
	r := newRelay(t, func(o *Options) { o.Limits = func() Limits { return l } })
	open := func() net.Conn {
		c, err := net.Dial("tcp", r.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	answered := func(c net.Conn) bool {
		_, err := c.Write(build(t, stun.TransactionID, stun.BindingRequest))
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err2 := c.Read(make([]byte, 100))
		return err == nil && err2 == nil && n > 0
	}
	first := open()
	if !answered(first) || !answered(open()) || answered(open()) {
		t.Error("not two of three are answered")
	}
	first.Close()
	waitFor(t, "room", func() bool { return answered(open()) })
}
