package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"sotto/internal/wire"
)

// raw is a connection on which a test writes frames by hand.
func (r *rig) raw(path string) net.Conn {
	r.t.Helper()
	c, _, _, err := ws.Dial(ctx5(r.t), "ws://"+r.addr.String()+path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

func masked(h ws.Header, payload []byte) []byte {
	h.Masked, h.Mask, h.Length = true, [4]byte{1, 2, 3, 4}, int64(len(payload))
	var b bytes.Buffer
	_ = ws.WriteHeader(&b, h)
	p := bytes.Clone(payload)
	ws.Cipher(p, h.Mask, 0)
	return append(b.Bytes(), p...)
}

func readFrame(c net.Conn) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(c); err != nil {
		return f, err
	}
	f.Payload = make([]byte, min(f.Header.Length, 1<<20))
	_, err = io.ReadFull(c, f.Payload)
	return f, err
}

// status reads until a close frame and answers its status.
func status(t *testing.T, c net.Conn) ws.StatusCode {
	t.Helper()
	for {
		f, err := readFrame(c)
		if err != nil {
			t.Fatal(err)
		}
		if f.Header.OpCode == ws.OpClose {
			code, _ := ws.ParseCloseFrameData(f.Payload)
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Fatalf("bytes after the close frame: %v", err)
			}
			return code
		}
	}
}

// Each of these ends the connection with the status that RFC 6455 has for it, and
// harms nobody else.
func TestStrictFraming(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	hello := wire.EncodeFrame(1, uint16(wire.OpHello), wire.Hello{Lowest: 1, Highest: 1})
	fin := func(op ws.OpCode, p []byte) []byte { return masked(ws.Header{Fin: true, OpCode: op}, p) }
	part := func(op ws.OpCode, p []byte) []byte { return masked(ws.Header{OpCode: op}, p) }
	unmasked := fin(ws.OpBinary, hello)
	unmasked[1] &= 0x7f
	huge := masked(ws.Header{Fin: true, OpCode: ws.OpBinary}, nil)
	huge[1] |= 127
	huge = append(append(huge[:2], 0x80, 0, 0, 0, 0, 0, 0, 1), 0, 0, 0, 0)
	long := bytes.Clone(huge)
	long[2], long[7] = 0, 5
	for name, c := range map[string]struct {
		bytes  []byte
		status ws.StatusCode
	}{
		"unmasked":              {unmasked, ws.StatusProtocolError},
		"text":                  {fin(ws.OpText, hello), ws.StatusUnsupportedData},
		"extension bit":         {masked(ws.Header{Fin: true, Rsv: ws.Rsv(true, false, false), OpCode: ws.OpBinary}, hello), ws.StatusProtocolError},
		"reserved opcode":       {fin(3, hello), ws.StatusProtocolError},
		"negative length":       {huge, ws.StatusProtocolError},
		"over the limit":        {long, ws.StatusMessageTooBig},
		"long ping":             {fin(ws.OpPing, make([]byte, 126)), ws.StatusProtocolError},
		"ping in pieces":        {part(ws.OpPing, nil), ws.StatusProtocolError},
		"continuation alone":    {fin(ws.OpContinuation, hello), ws.StatusProtocolError},
		"two beginnings":        {append(part(ws.OpBinary, hello), fin(ws.OpBinary, hello)...), ws.StatusProtocolError},
		"pieces over the limit": {append(part(ws.OpBinary, make([]byte, wire.MaxFrame)), fin(ws.OpContinuation, []byte{1})...), ws.StatusMessageTooBig},
		"many pieces":           {append(part(ws.OpBinary, nil), bytes.Repeat(part(ws.OpContinuation, nil), maxFragments)...), ws.StatusMessageTooBig},
		"close of one byte":     {fin(ws.OpClose, []byte{3}), ws.StatusProtocolError},
		"close with 1005":       {fin(ws.OpClose, []byte{3, 0xed}), ws.StatusProtocolError},
		"close":                 {fin(ws.OpClose, ws.NewCloseFrameBody(1000, "bye")), ws.StatusNormalClosure},
		"no frame of ours":      {fin(ws.OpBinary, []byte("hello?")), ws.StatusInvalidFramePayloadData},
		"request id 0":          {fin(ws.OpBinary, wire.EncodeFrame(0, 1, wire.Hello{})), ws.StatusInvalidFramePayloadData},
		"no hello":              {fin(ws.OpBinary, wire.EncodeFrame(1, uint16(wire.OpAck), wire.Ack{})), ws.StatusPolicyViolation},
	} {
		t.Run(name, func(t *testing.T) {
			conn := r.raw("/v1/log")
			if _, err := conn.Write(c.bytes); err != nil {
				t.Fatal(err)
			}
			if got := status(t, conn); got != c.status {
				t.Fatalf("status %d, not %d", got, c.status)
			}
			r.open("/v1/log").c.CloseNow()
		})
	}
	// A message in pieces with a ping between them is one message.
	conn := r.raw("/v1/log")
	msg := bytes.Join([][]byte{part(ws.OpBinary, hello[:3]), fin(ws.OpPing, []byte("?")), part(ws.OpContinuation, nil), fin(ws.OpContinuation, hello[3:])}, nil)
	for _, b := range msg { // and comes byte by byte
		if _, err := conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	pong, err := readFrame(conn)
	if err != nil || pong.Header.OpCode != ws.OpPong || string(pong.Payload) != "?" {
		t.Fatal(err, pong)
	}
	answer, err := readFrame(conn)
	if err != nil || answer.Header.OpCode != ws.OpBinary {
		t.Fatal(err, answer)
	}
}

// Bad requests get their code, and the connection works afterwards.
func TestBadRequests(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	m := ana.room(1)
	x := r.open("/v1/log")
	var none wire.Secret
	places := func(n int) (out []wire.Place) {
		for i := range n {
			out = append(out, wire.Place{Ref: uint32(i)})
		}
		return out
	}
	for _, c := range []struct {
		p    *peer
		op   wire.Op
		body any
		code wire.Code
	}{
		{x, 999, wire.Done{}, wire.CodeUnknownOp},
		{x, wire.OpCreate, wire.Create{}, wire.CodeUnknownOp},
		{x, wire.OpHello, wire.Hello{Lowest: 1, Highest: 1}, wire.CodeOrder},
		{x, wire.OpAppend, "text", wire.CodeMalformed},
		{x, wire.OpAppend, map[int]int{99: 1}, wire.CodeMalformed},
		{x, wire.OpAppend, wire.Append{Log: random[wire.LogName](), Entry: []byte("x")}, wire.CodeNoLog},
		{x, wire.OpAppend, wire.Append{Log: m.log, Entry: []byte("x")}, wire.CodeStaleToken},
		{x, wire.OpAppend, wire.Append{Log: m.log, Token: m.token, Entry: make([]byte, wire.MaxEntry+1)}, wire.CodeTooLarge},
		{x, wire.OpAppend, wire.Append{Log: m.log, Token: m.token, Entry: []byte("x"), Swap: &wire.Swap{}}, wire.CodeMalformed},
		{x, wire.OpSignal, wire.Signal{Log: m.log, Payload: []byte("x")}, wire.CodeStaleToken},
		{x, wire.OpSignal, wire.Signal{Log: m.log, Token: m.token, Payload: make([]byte, wire.MaxSignal+1)}, wire.CodeTooLarge},
		{x, wire.OpWatch, wire.Watch{Places: places(wire.MaxWatch + 1)}, wire.CodeTooLarge},
		{x, wire.OpRead, wire.Read{Secret: none, Limit: 1}, wire.CodeNoCursor},
		{x, wire.OpAck, wire.Ack{Secret: none}, wire.CodeNoCursor},
		{x, wire.OpClaim, wire.Claim{Secret: none}, wire.CodeNoCursor},
		{x, wire.OpPut, wire.Put{Entry: []byte("x")}, wire.CodeCapability},
		{x, wire.OpPut, wire.Put{}, wire.CodeMalformed},
		{x, wire.OpPart, wire.Part{}, wire.CodeTooLarge},
		{x, wire.OpPart, wire.Part{Index: 3, Piece: []byte("x")}, wire.CodeOrder},
		{x, wire.OpCredit, nil, wire.CodeMalformed},
		{ana.peer, wire.OpAppend, m.append("x"), wire.CodeUnknownOp},
		{ana.peer, wire.OpCreate, wire.Create{}, wire.CodeMalformed},
		{ana.peer, wire.OpCreate, wire.Create{Log: m.log, TTL: 60, Cursors: []wire.NewCursor{{}}}, wire.CodeLogExists},
		{ana.peer, wire.OpTicket, wire.TicketRequest{}, wire.CodeMalformed},
		{ana.peer, wire.OpTicket, wire.TicketRequest{Size: 1, TTL: 1 << 40}, wire.CodeTooLarge},
		{ana.peer, wire.OpStatement, wire.Statement{}, wire.CodeHeadMoved},
		{ana.peer, wire.OpDelete, 7, wire.CodeMalformed},
	} {
		if err := c.p.call(c.op, c.body, nil); wire.CodeOf(err) != c.code {
			t.Errorf("operation %d: %v (%v), want %v", c.op, err, wire.CodeOf(err), c.code)
		}
	}
	x.must(wire.OpAppend, m.append("still here"), &wire.Appended{})
	ana.must(wire.OpCount, wire.Done{}, &wire.KeyPackageCount{})
	v := r.dial("/v1/log")
	v.refused(wire.CodeVersion, wire.OpHello, wire.Hello{Lowest: 2, Highest: 9})
	v.must(wire.OpHello, wire.Hello{Lowest: 1, Highest: 9}, &wire.Hello{})
}

func TestSignalsAreMetered(t *testing.T) {
	now := time.Now()
	r := start(t, Options{Now: func() time.Time { return now }}, ServeOptions{})
	m := r.person("ana").room(1)
	x := r.open("/v1/log")
	for range wire.SignalsPerSecond {
		x.must(wire.OpSignal, wire.Signal{Log: m.log, Token: m.token}, nil)
	}
	x.refused(wire.CodeSlowDown, wire.OpSignal, wire.Signal{Log: m.log, Token: m.token})
}

// A client that does not read holds a bounded queue, however much it is owed.
func TestSlowReader(t *testing.T) {
	l := wide()
	l.QueueBytesPerConnection = 256 << 10
	r := start(t, Options{Limits: l}, ServeOptions{})
	ana := r.person("ana")
	m := ana.room(2)
	x := r.open("/v1/log")
	const n = 200
	for range n {
		x.must(wire.OpAppend, wire.Append{Log: m.log, Token: m.token, Entry: random64K()}, &wire.Appended{})
	}
	slow := r.raw("/v1/log")
	_ = slow.(*net.TCPConn).SetReadBuffer(128 << 10)
	write := func(id uint64, op wire.Op, body any) {
		if _, err := slow.Write(masked(ws.Header{Fin: true, OpCode: ws.OpBinary}, wire.EncodeFrame(id, uint16(op), body))); err != nil {
			t.Error(err)
		}
	}
	write(1, wire.OpHello, wire.Hello{Lowest: 1, Highest: 1})
	write(2, wire.OpWatch, wire.Watch{Places: []wire.Place{{Ref: 1, Secret: m.cursors[0]}}, Credit: wire.MaxCredit})
	worst := 0
	for range 500 { // as many requests of another client meanwhile
		for _, c := range r.s.openSockets() {
			worst = max(worst, c.Queued())
		}
		x.must(wire.OpRead, wire.Read{Secret: m.cursors[1], Limit: 1}, &wire.ReadAnswer{})
	}
	if worst > 256<<10+2*turnBytes+64<<10 {
		t.Fatalf("%d bytes waited", worst)
	}
	if worst < 128<<10 {
		t.Fatalf("only %d bytes ever waited: nothing was tested", worst)
	}
	_ = slow.SetDeadline(time.Now().Add(time.Minute))
	// It reads at last, and gets everything in order.
	want := uint64(1)
	for want <= n {
		f, err := readFrame(slow)
		if err != nil {
			t.Fatal(err)
		}
		fr, err := wire.DecodeFrame(f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if fr.ID != 0 || fr.Number != uint16(wire.EventEntry) {
			continue
		}
		var e wire.EntryEvent
		if err := wire.Unmarshal(fr.Body, &e); err != nil || e.Entry.Seq != want {
			t.Fatal(err, e.Entry.Seq, want)
		}
		want++
	}
}

func random64K() []byte {
	b := make([]byte, 64<<10)
	rand.Read(b)
	b[0] = wire.PlainEntry
	return b
}

// selfMade writes a certificate for 127.0.0.1.
func selfMade(t testing.TB, dir string, serial int64) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: kb}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := selfMade(t, dir, 1)
	r := start(t, Options{}, ServeOptions{CertFile: cert, KeyFile: key})
	ana := r.person("ana")
	m := ana.room(1)
	x := r.open("/v1/log")
	for _, n := range []int{1, 200, 70_000, wire.MaxEntry} {
		x.must(wire.OpAppend, wire.Append{Log: m.log, Token: m.token, Entry: bytes.Repeat([]byte{byte(n)}, n)}, &wire.Appended{})
	}
	var read wire.ReadAnswer
	x.must(wire.OpRead, wire.Read{Secret: m.cursors[0], After: 3, Limit: wire.MaxEntry}, &read)
	if len(read.Entries) != 1 || len(read.Entries[0].Bytes) != wire.MaxEntry {
		t.Fatal("the longest entry did not come back")
	}
	if c, err := tls.Dial("tcp", r.addr.String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
		c.Close()
		t.Fatal("TLS 1.2 was spoken")
	}
}

func TestCertificateFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	f := &certFiles{}
	f.cert, f.key = selfMade(t, dir, 1)
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		f.looked = time.Time{}
		c, err := f.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		x, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return x.SerialNumber.Int64()
	}
	selfMade(t, dir, 2)
	later := time.Now().Add(time.Minute)
	_ = os.Chtimes(f.cert, later, later)
	if serial() != 2 {
		t.Fatal("the new certificate was not read")
	}
	_ = os.WriteFile(f.cert, []byte("rubbish"), 0o600)
	if serial() != 2 {
		t.Fatal("a bad file replaced a good certificate")
	}
}

func TestPlainOnLoopbackOnly(t *testing.T) {
	s, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, o := range []ServeOptions{
		{Listen: "0.0.0.0:0"}, {Listen: ":0"}, {Listen: "[::]:0"}, {Listen: "0.0.0.0:0", BehindProxy: true},
		{Listen: "127.0.0.1:0", CertFile: "x"}, {Listen: "127.0.0.1:0", Domain: "a.example", BehindProxy: true},
	} {
		if err := s.Serve(context.Background(), o); err == nil {
			t.Errorf("%+v was served", o)
		} else if strings.Contains(o.Listen, "0.0.0.0") && !strings.Contains(err.Error(), "loopback") {
			t.Error(err)
		}
	}
}

func TestGracefulStop(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	x := r.open("/v1/log")
	go r.stop()
	if _, err := x.read(); closeCode(err) != websocket.StatusGoingAway {
		t.Fatal(err)
	}
	r.stop()
}

// TestBeatAtTheBeginning looks for dead connections while new ones come: none of them is
// taken for one.
func TestBeatAtTheBeginning(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	over := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			for _, c := range r.s.openSockets() {
				c.beat(time.Now())
			}
		}
	})
	for range 100 {
		r.open("/v1/log").c.CloseNow()
	}
	close(over)
	beating.Wait()
}
