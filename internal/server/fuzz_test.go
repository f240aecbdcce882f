package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"sotto/internal/wire"
)

// seeds are frames of every operation, empty and plausible, and what mutation grows
// from.
func seeds(f *testing.F) {
	for op := range wire.Op(70) {
		f.Add(wire.EncodeFrame(1, uint16(op), wire.Done{}))
	}
	for op, body := range map[wire.Op]any{
		wire.OpAppend: wire.Append{Entry: []byte("x"), Swap: &wire.Swap{Add: make([]wire.NewCursor, 2)}, Parts: 1, Cursor: &wire.Secret{}},
		wire.OpPart:   wire.Part{Piece: []byte("x")}, wire.OpSignal: wire.Signal{Payload: []byte("x")},
		wire.OpWatch: wire.Watch{Places: make([]wire.Place, 3), Credit: 1 << 63}, wire.OpRead: wire.Read{Limit: 1 << 63},
		wire.OpAck: wire.Ack{Through: 1 << 63}, wire.OpPut: wire.Put{Entry: []byte("x")}, wire.OpUnwatch: wire.Unwatch{Ref: 1},
		wire.OpAuth: wire.Auth{Handle: "ana@example.org", Signature: make([]byte, 64)}, wire.OpRegister: wire.Register{Genesis: []byte("x")},
		wire.OpCreate: wire.Create{Cursors: make([]wire.NewCursor, 2)}, wire.OpPublish: wire.Publish{OneTime: [][]byte{{1}}, Suite: 1},
		wire.OpDrop: wire.Drop{Secret: wire.Secret{1}}, wire.OpClaim: wire.Claim{Secret: wire.Secret{1}},
		wire.OpInbox: wire.InboxWatch{After: 1 << 63}, wire.OpTicket: wire.TicketRequest{Size: 1 << 63},
		wire.OpCapability: wire.Capability{Add: make([]wire.Hash, 3)}, wire.OpStatement: wire.Statement{Signed: []byte("x")},
		wire.OpVisit: wire.Visit{Handle: "ana@example.org", Message: []byte("x")}, wire.OpVisitSay: wire.Say{Message: []byte("x")},
		wire.OpMeetSay: wire.Say{Message: []byte("x")},
		wire.OpRecover: wire.Recover{Handle: "ana@example.org", Signed: [][]byte{{1}, {2}}}, wire.OpRecord: wire.Record{Sealed: []byte("x")}, wire.OpRelays: wire.Done{}, wire.OpBackup: wire.Backup{Sealed: []byte("x"), Replaces: &wire.Hash{}},
	} {
		f.Add(wire.EncodeFrame(1<<63, uint16(op), body))
	}
	f.Add([]byte{})
}

// live is a running server, and the people in it, for one fuzzing process.
func live(f *testing.F) *rig {
	r := start(f, Options{Open: true}, ServeOptions{})
	return r
}

// throw sends one message to a fresh connection that has said hello, and then checks
// that the server answers somebody else.
func throw(t *testing.T, r *rig, path string, before [][]byte, b []byte, as ws.OpCode) {
	r = &rig{t: t, s: r.s, addr: r.addr, base: r.base, web: r.web}
	c, _, _, err := ws.Dialer{NetDial: dialFromAnywhere}.Dial(ctx5(t), "ws://"+r.addr.String()+path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	for _, x := range before {
		if _, err := c.Write(masked(ws.Header{Fin: true, OpCode: ws.OpBinary}, x)); err != nil {
			t.Fatal(err)
		}
	}
	if as == ws.OpBinary {
		b = masked(ws.Header{Fin: true, OpCode: ws.OpBinary}, b)
	}
	_, _ = c.Write(b)
	_, _ = c.Write(masked(ws.Header{Fin: true, OpCode: ws.OpClose}, nil))
	_ = c.(*net.TCPConn).CloseWrite() // ends also a frame that waits for more
	for {
		if _, err := readFrame(c); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the server holds a connection that ended")
			}
			break
		}
	}
	if status, _, _ := r.get("GET", "/v1/server", nil, nil); status != 200 { // over one connection for all
		t.Fatal("the server does not answer others")
	}
}

// dialFromAnywhere dials from one loopback address after the other. A connection that
// has ended keeps its pair of addresses for a minute, and one address has fewer ports
// than the fuzzer makes connections in that time. Linux takes all of 127.0.0.0/8;
// elsewhere one address has to do.
func dialFromAnywhere(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	if runtime.GOOS == "linux" {
		n := dials.Add(1)
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, byte(os.Getpid()), byte(n>>8)&0x7f, byte(n)|1)}
	}
	return d.DialContext(ctx, network, addr)
}

var dials atomic.Uint32

var fuzzHello = wire.EncodeFrame(1, uint16(wire.OpHello), wire.Hello{Lowest: 1, Highest: 1})

func FuzzLiveLog(f *testing.F) {
	seeds(f)
	r := live(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		throw(t, r, "/v1/log", [][]byte{fuzzHello}, b, ws.OpBinary) // as a message
		throw(t, r, "/v1/log", nil, b, 0)                           // as bytes on the wire
	})
}

func FuzzLiveAccount(f *testing.F) {
	seeds(f)
	r := live(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		throw(t, r, "/v1/account", [][]byte{fuzzHello}, b, ws.OpBinary)
	})
}

// sink is an Out that only counts.
type sink struct {
	mu     sync.Mutex
	frames int
	closed bool
}

func (s *sink) Send(b []byte) {
	if _, err := wire.DecodeFrame(b); err != nil {
		panic(err)
	}
	s.mu.Lock()
	s.frames++
	s.mu.Unlock()
}
func (s *sink) Queued() int { return 0 }
func (s *sink) Close(*wire.Error) {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
}

// FuzzSession drives authenticated and log sessions without a transport, with the
// frames of a whole conversation.
func FuzzSession(f *testing.F) {
	seeds(f)
	r := live(f)
	ana := r.person("ana")
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []Kind{Log, Account} {
			out := &sink{}
			s := r.s.Connect(kind, netip.MustParseAddr("192.0.2.1"), out)
			s.Frame(fuzzHello)
			if kind == Account {
				p := &peer{t: t, hello: wire.Hello{Nonce: s.nonce}}
				s.Frame(wire.EncodeFrame(2, uint16(wire.OpAuth), ana.auth(p)))
			}
			s.Frame(b)
			s.Frame(b)
			s.Close()
			out.mu.Lock()
			if out.frames == 0 {
				t.Error("no answer at all")
			}
			out.mu.Unlock()
		}
	})
}
