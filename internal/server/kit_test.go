package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"crypto/ed25519"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"sotto/internal/identity"
	"sotto/internal/server/config"
	"sotto/internal/wire"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(crowdAddr); addr != "" {
		if err := crowd(addr, os.Getenv(crowdSecrets)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// wide are limits that no test meets by accident.
func wide() config.Limits {
	l := config.Default().Limits
	l.ConnectionsPerAddress, l.ConnectsPerMinute, l.OperationsPerSecond = 1<<20, 1<<30, 1<<30
	l.LookupsPerMinute, l.ClaimsPerMinute, l.ClaimsPerTargetHour = 1<<20, 1<<20, 1<<20
	l.PutsPerMinute, l.RegistrationsPerHour, l.FailedAuthsPerMinute = 1<<20, 1<<20, 1<<20
	l.BlobRequestsPerMinute, l.VisitsPerMinute = 1<<20, 1<<20
	return l
}

// rig is a server that listens on loopback, and what its clients need.
type rig struct {
	t    testing.TB
	s    *Server
	addr netip.AddrPort
	base string // "http://127.0.0.1:port"
	web  *http.Client
	stop func()
}

func start(t testing.TB, o Options, so ServeOptions) *rig {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Limits == (config.Limits{}) {
		o.Limits = wide()
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, s: s}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan netip.AddrPort, 1), make(chan error, 1)
	if so.Listen == "" {
		so.Listen = "127.0.0.1:0"
	}
	so.Ready = func(a netip.AddrPort) { ready <- a }
	go func() { done <- s.Serve(ctx, so) }()
	select {
	case r.addr = <-ready:
	case err := <-done:
		cancel()
		s.Close()
		t.Fatal(err)
	}
	tr := &http.Transport{}
	scheme := "http"
	if so.CertFile != "" || so.Own {
		scheme = "https"
		tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	r.base = scheme + "://" + r.addr.String()
	r.web = &http.Client{Transport: tr}
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			tr.CloseIdleConnections()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(r.stop)
	return r
}

// peer is a test's WebSocket client.
type peer struct {
	t      testing.TB
	c      *websocket.Conn
	id     uint64
	hello  wire.Hello
	events []wire.Frame
}

func ctx5(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (r *rig) dial(path string) *peer {
	r.t.Helper()
	c, _, err := websocket.Dial(ctx5(r.t), r.base+path, &websocket.DialOptions{HTTPClient: r.web})
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetReadLimit(wire.MaxFrame)
	r.t.Cleanup(func() { c.CloseNow() })
	return &peer{t: r.t, c: c}
}

// open dials and says hello.
func (r *rig) open(path string) *peer {
	r.t.Helper()
	p := r.dial(path)
	if err := p.call(wire.OpHello, wire.Hello{Lowest: 1, Highest: 1}, &p.hello); err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (p *peer) send(op wire.Op, body any) uint64 {
	p.t.Helper()
	p.id++
	if err := p.c.Write(ctx5(p.t), websocket.MessageBinary, wire.EncodeFrame(p.id, uint16(op), body)); err != nil {
		p.t.Fatal(err)
	}
	return p.id
}

func (p *peer) read() (wire.Frame, error) {
	_, b, err := p.c.Read(ctx5(p.t))
	if err != nil {
		return wire.Frame{}, err
	}
	return wire.DecodeFrame(b)
}

// call asks and waits; events that come meanwhile are kept.
func (p *peer) call(op wire.Op, body, answer any) error {
	p.t.Helper()
	id := p.send(op, body)
	for {
		f, err := p.read()
		if err != nil {
			return err
		}
		if f.ID == 0 {
			p.events = append(p.events, f)
			continue
		}
		if f.ID != id {
			p.t.Fatalf("answer to %d, not %d", f.ID, id)
		}
		if err := f.Err(); err != nil {
			return err
		}
		if answer == nil {
			answer = &wire.Done{}
		}
		return wire.Unmarshal(f.Body, answer)
	}
}

// event waits for the next one.
func (p *peer) event(op wire.Op, body any) {
	p.t.Helper()
	var f wire.Frame
	if len(p.events) > 0 {
		f, p.events = p.events[0], p.events[1:]
	} else {
		var err error
		if f, err = p.read(); err != nil {
			p.t.Fatal(err)
		}
	}
	if f.ID != 0 || f.Number != uint16(op) {
		p.t.Fatalf("frame %d/%d, not event %d", f.ID, f.Number, op)
	}
	if err := wire.Unmarshal(f.Body, body); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) must(op wire.Op, body, answer any) {
	p.t.Helper()
	if err := p.call(op, body, answer); err != nil {
		p.t.Fatalf("operation %d: %v", op, err)
	}
}

func (p *peer) refused(code wire.Code, op wire.Op, body any) {
	p.t.Helper()
	if err := p.call(op, body, nil); wire.CodeOf(err) != code {
		p.t.Fatalf("operation %d: %v (%v), want %v", op, err, wire.CodeOf(err), code)
	}
}

// person is an account with one device.
type person struct {
	*peer
	keys  *identity.Keys
	chain *identity.Chain
	h     wire.Handle
}

func (r *rig) host() string { return r.s.dir.Host() }

func newKeys(t testing.TB) *identity.Keys {
	k, err := identity.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// person registers, with an invitation, and authenticates.
func (r *rig) person(name string) *person {
	r.t.Helper()
	made, err := r.s.Invite(1, 0)
	codes := made.Codes
	if err != nil {
		r.t.Fatal(err)
	}
	x := &person{peer: r.open("/v1/account"), keys: newKeys(r.t), h: wire.Handle{Name: name, Host: r.host()}}
	g := x.keys.Genesis(x.h, time.Now())
	x.must(wire.OpRegister, wire.Register{Genesis: g, Invitation: codes[0]}, nil)
	if x.chain, err = identity.Verify([][]byte{g}); err != nil {
		r.t.Fatal(err)
	}
	x.must(wire.OpAuth, x.auth(x.peer), nil)
	return x
}

func (x *person) auth(p *peer) wire.Auth {
	return authOf(p, x.h, x.keys)
}

func authOf(p *peer, h wire.Handle, k *identity.Keys) wire.Auth {
	return wire.Auth{Handle: h.String(), Device: k.Name, Signature: ed25519.Sign(k.Signature, wire.AuthMessage(p.hello.Nonce, h.Host, h.String(), k.Name))}
}

// again opens another authenticated connection of the same device.
func (r *rig) again(x *person) *peer {
	p := r.open("/v1/account")
	p.must(wire.OpAuth, x.auth(p), nil)
	return p
}

func random[T ~[16]byte | ~[32]byte]() (out T) {
	var b [32]byte
	rand.Read(b[:])
	switch p := any(&out).(type) {
	case *wire.LogName:
		copy(p[:], b[:])
	case *wire.InboxName:
		copy(p[:], b[:])
	case *wire.Tag:
		copy(p[:], b[:])
	case *wire.Secret:
		copy(p[:], b[:])
	case *[16]byte:
		copy(p[:], b[:])
	default:
		panic(fmt.Sprintf("%T", out))
	}
	return out
}

// room is a log with cursors.
type room struct {
	log     wire.LogName
	token   wire.Secret
	cursors []wire.Secret
	tags    []wire.Tag
}

func (x *person) room(cursors int) *room {
	x.t.Helper()
	m := &room{log: random[wire.LogName](), token: random[wire.Secret]()}
	c := wire.Create{Log: m.log, Token: m.token.Hash(), TTL: 3600}
	for range cursors {
		s, tag := random[wire.Secret](), random[wire.Tag]()
		m.cursors, m.tags = append(m.cursors, s), append(m.tags, tag)
		c.Cursors = append(c.Cursors, wire.NewCursor{Tag: tag, Hash: s.Hash()})
	}
	var created wire.Created
	x.must(wire.OpCreate, c, &created)
	if created.Chain != wire.EmptyChain(m.log) {
		x.t.Fatal("the empty log has another running hash")
	}
	return m
}

func (m *room) append(entry string) wire.Append {
	return wire.Append{Log: m.log, Token: m.token, Entry: []byte(entry)}
}

// get is a plain HTTP request; it answers status, the code's header and the body.
func (r *rig) get(method, path string, header map[string]string, body []byte) (int, string, []byte) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(ctx5(r.t), method, r.base+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for k, v := range header {
		q.Header.Set(k, v)
	}
	resp, err := r.web.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get(wire.HeaderCode), b
}

func closeCode(err error) websocket.StatusCode {
	var ce websocket.CloseError
	if errors.As(err, &ce) {
		return ce.Code
	}
	return -1
}
