package handover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers with its arguments and its input.
func echo(ctx context.Context, r Request, x IO) int {
	in, err := io.ReadAll(x.In)
	fmt.Fprintf(x.Out, "%s|%s", strings.Join(r.Args, " "), in)
	fmt.Fprintf(x.Err, "%v", err)
	return len(r.Args)
}

// forever goes on until it is stopped.
func forever(ctx context.Context, r Request, x IO) int {
	fmt.Fprint(x.Out, "begun")
	<-ctx.Done()
	return 7
}

func hold(t *testing.T, stays bool, run Run) (h *Holder, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	h, err := Hold(path, stays, run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h, path
}

func TestHandOver(t *testing.T) {
	_, path := hold(t, false, echo)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v (%v)", info.Mode(), err)
	}
	big := strings.Repeat("0123456789", 50_000)
	for i, in := range []string{"", "some input", big} {
		var out, said bytes.Buffer
		code, err := Join(context.Background(), path, Request{Args: []string{"a", "b"}}, IO{strings.NewReader(in), &out, &said})
		if err != nil || code != 2 || out.String() != "a b|"+in || said.String() != "<nil>" {
			t.Errorf("%d: code %d, %v, %d bytes, %q", i, code, err, out.Len(), said.String())
		}
	}
}

func TestInputIsLeft(t *testing.T) {
	_, path := hold(t, false, func(context.Context, Request, IO) int { return 0 })
	in := strings.NewReader("not for you")
	if _, err := Join(context.Background(), path, Request{}, IO{in, io.Discard, io.Discard}); err != nil {
		t.Fatal(err)
	}
	if in.Len() != len("not for you") {
		t.Error("input was taken from a guest whose command does not read")
	}
}

func TestNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if _, err := Join(context.Background(), path, Request{}, IO{}); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	ln, err := net.Listen("unix", path) // left behind by a crash
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
	if _, err := Join(context.Background(), path, Request{}, IO{}); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	h, err := Hold(path, false, echo)
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("the socket stays", err)
	}
}

func TestCancel(t *testing.T) {
	_, path := hold(t, true, forever)
	ctx, cancel := context.WithCancel(context.Background())
	out := writer(func(b []byte) { cancel() })
	code, err := Join(ctx, path, Request{Follows: true}, IO{Out: out})
	if code != 7 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

func TestFollowers(t *testing.T) {
	_, path := hold(t, false, forever)
	if _, err := Join(context.Background(), path, Request{Follows: true}, IO{}); !errors.Is(err, ErrWait) {
		t.Errorf("a follower of a holder that does not stay: %v", err)
	}
	h, path := hold(t, true, forever)
	out := writer(func(b []byte) { go h.Close() })
	if _, err := Join(context.Background(), path, Request{Follows: true}, IO{Out: out}); !errors.Is(err, ErrAgain) {
		t.Errorf("a follower of a holder that stops: %v", err)
	}
}

// TestGuestAtTheEnd joins a holder that stops between its greeting and the request: the
// guest finds nobody, and knows that its command was not begun.
func TestGuestAtTheEnd(t *testing.T) {
	h, path := hold(t, true, echo)
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w := &wire{rw: c}
	var greeting hello
	if err := w.receiveJSON(kindHello, &greeting); err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() { defer close(closed); h.Close() }()
	for { // the socket goes once the holder takes nobody
		if _, err := os.Stat(path); err != nil {
			break
		}
	}
	if err := w.sendJSON(kindRequest, Request{Follows: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := follow(w, IO{}); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	<-closed
}

func TestCloseWaits(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	h, path := hold(t, true, func(ctx context.Context, _ Request, _ IO) int {
		close(begun)
		<-finish
		if ctx.Err() != nil {
			return 1
		}
		return 0
	})
	go func() { <-begun; time.AfterFunc(10*time.Millisecond, func() { close(finish) }); h.Close() }()
	if code, err := Join(context.Background(), path, Request{}, IO{}); code != 0 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
}

// TestRules has guests and holders that break the rules.
func TestRules(t *testing.T) {
	_, path := hold(t, true, forever)
	for _, junk := range []string{"", "r", "r\xff\xff\xff\xff", "r\x00\x00\x00\x01x", "i\x00\x00\x00\x01x", "r\x00\x00\x00\x02{}i\x00\x00\x00\x01x", "r\x00\x00\x00\x02{}?\x00\x00\x00\x00"} {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte(junk))
		c.(*net.UnixConn).CloseWrite()
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%q: %v", junk, err)
		}
		c.Close()
	}
	for _, junk := range []string{"", "h\x00", "h\xff\xff\xff\xff", "x\x00\x00\x00\x00", "h\x00\x00\x00\x0d{\"version\":9}"} {
		path := filepath.Join(t.TempDir(), "s")
		ln, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := ln.Accept()
			if err == nil {
				c.Write([]byte(junk))
				c.Close()
			}
		}()
		if _, err := Join(context.Background(), path, Request{}, IO{}); err == nil {
			t.Errorf("%q was taken", junk)
		}
		ln.Close()
	}
}

func FuzzHolder(f *testing.F) {
	f.Add([]byte("r\x00\x00\x00\x02{}i\x00\x00\x00\x01x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, path := hold(t, true, echo)
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		c.Write(b)
		c.(*net.UnixConn).CloseWrite()
		io.Copy(io.Discard, c)
		c.Close()
		h.Close()
	})
}
