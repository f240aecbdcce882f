package command

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"sotto/internal/server"
	"sotto/internal/store"
)

// full is a disk that can be full.
type full struct{ is atomic.Bool }

func (*full) String() string { return "full" }

func (f *full) MaybeError(op errorfs.Op) error {
	if f.is.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
		return syscall.ENOSPC
	}
	return nil
}

// The server's disk is full: whoever sends is told so, the message is queued and goes when
// there is room again, and what was acknowledged before is there.
func TestServersDiskIsFull(t *testing.T) {
	disk := &full{}
	srv, err := server.New(server.Options{Dir: t.TempDir(), FS: errorfs.Wrap(vfs.Default, disk), Open: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, over := make(chan netip.AddrPort, 1), make(chan error, 1)
	go func() {
		over <- srv.Serve(ctx, server.ServeOptions{Listen: "127.0.0.1:0", Ready: func(at netip.AddrPort) { ready <- at }})
	}()
	defer func() {
		cancel()
		if err := errors.Join(<-over, srv.Close()); err != nil {
			t.Error(err)
		}
	}()
	s := &stage{dir: t.TempDir(), host: (<-ready).String()}
	x := &IO{Out: new(bytes.Buffer), Err: new(bytes.Buffer), Timeout: 20 * time.Second}
	device := func(name string) *Device {
		d, err := s.person(ctx, name, x)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	ana, bo := device("ana"), device("bo")
	defer ana.Close()
	defer bo.Close()
	send := func(text string, x *IO) error { return Send{To: s.handle("bo"), Text: []string{text}}.Run(ctx, ana, x) }
	if err := send("acknowledged", x); err != nil {
		t.Fatal(err)
	}
	if err := (Accept{From: s.handle("ana")}).Run(ctx, bo, x); err != nil {
		t.Fatal(err)
	}
	if err := ana.Client.Sync(ctx); err != nil {
		t.Fatal(err)
	}

	disk.is.Store(true)
	out := new(bytes.Buffer)
	var told *Failure
	if err := send("refused", &IO{Out: out, Timeout: time.Second}); !errors.As(err, &told) || told.Code != "queued" || !strings.Contains(told.Text, "disk is full") {
		t.Errorf("ana is told %v", err)
	}
	if !strings.Contains(out.String(), " queued") {
		t.Errorf("ana reads %q", out)
	}

	disk.is.Store(false)
	id, err := bo.Client.Resolve(s.handle("ana"))
	if err != nil {
		t.Fatal(err)
	}
	var list []store.Message
	for end := time.Now().Add(20 * time.Second); len(list) < 2 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if list, err = bo.Client.Messages(&id, 0, 10); err != nil {
			t.Fatal(err)
		}
	}
	if len(list) != 2 || list[0].Text != "acknowledged" || list[1].Text != "refused" {
		t.Errorf("bo has %v", list)
	}
}
