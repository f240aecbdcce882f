package server

import (
	"net/netip"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/server/config"
	"sotto/internal/wire"
)

// recorder is an Out in memory, as a simulator has one.
type recorder struct {
	frames chan []byte
	closed chan *wire.Error
}

func (o *recorder) Send(b []byte)         { o.frames <- b }
func (o *recorder) Queued() int           { return 0 }
func (o *recorder) Close(err *wire.Error) { o.closed <- err }

// A server without network or disk, driven with frames.
func TestWithoutTransport(t *testing.T) {
	s, err := New(Options{Dir: "mem", FS: vfs.NewMem(), Host: "example.org", Open: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := &recorder{make(chan []byte, 10), make(chan *wire.Error, 10)}
	x := s.Connect(Log, netip.MustParseAddr("192.0.2.1"), out)
	x.Frame(fuzzHello)
	f, err := wire.DecodeFrame(<-out.frames)
	if err != nil || f.Err() != nil {
		t.Fatal(err, f.Err())
	}
	x.Frame([]byte("rubbish"))
	if e := <-out.closed; e.Code != wire.CodeMalformed {
		t.Fatal(e)
	}
	x.Close()
	if len(s.sessions) != 0 {
		t.Fatal("a session that ended is still counted")
	}
}

// A reload takes hold of what is open already.
func TestReload(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	p, k := r.open("/v1/account"), newKeys(t)
	g := wire.Register{Genesis: k.Genesis(wire.Handle{Name: "ana", Host: r.host()}, r.s.o.Now())}
	p.refused(wire.CodeInvitation, wire.OpRegister, g)
	l := config.Default().Limits
	l.RegistrationsPerHour = 1
	r.s.Reload(true, l)
	p.must(wire.OpRegister, g, nil)
	p.refused(wire.CodeSlowDown, wire.OpRegister, g)
}
