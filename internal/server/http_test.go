package server

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

func TestServerInfoAndLookup(t *testing.T) {
	r := start(t, Options{Open: true}, ServeOptions{})
	status, _, b := r.get("GET", "/v1/server", nil, nil)
	var info wire.ServerInfo
	if err := wire.Unmarshal(b, &info); err != nil || status != 200 || info.Host != r.host() || !info.Open || info.Highest != wire.Version {
		t.Fatal(status, err, info)
	}
	ana := r.person("ana")
	_, _, b = r.get("GET", "/v1/directory/ana", nil, nil)
	var l wire.Lookup
	if err := wire.Unmarshal(b, &l); err != nil || l.Handle != ana.h.String() {
		t.Fatal(err, l)
	}
	if c, err := identity.Verify(l.Chain); err != nil || c.ID() != ana.chain.ID() {
		t.Fatal(err)
	}
}

// Nothing is served but what the protocol names, and every answer says so to browsers.
func TestNothingElse(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 404}, {"GET", "/v1/", 404}, {"GET", "/v1/blobs/", 404}, {"POST", "/v1/server", 405},
		{"GET", "/v1/directory/", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/v1/log", 400}, {"CONNECT", "/v1/log", 405},
		{"GET", "/v1/blobs/../../etc/passwd", 404},
	} {
		q, _ := http.NewRequest(c.method, r.base, nil)
		q.URL.Path = c.path
		tr := &http.Client{Transport: r.web.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := tr.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status && resp.StatusCode/100 != 3 && !(c.path == "/v1/log" && resp.StatusCode >= 400) {
			t.Errorf("%s %s: %d", c.method, c.path, resp.StatusCode)
		}
		if resp.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s %s: headers %v", c.method, c.path, resp.Header)
		}
	}
	if status, _, _ := r.get("GET", "/v1/server", map[string]string{"Origin": "https://evil.example"}, nil); status != 403 {
		t.Errorf("a web page was answered: %d", status)
	}
}

func TestRefusalsOverHTTP(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	r.person("ana")
	blob := "/v1/blobs/" + strings.Repeat("0a", 16)
	sec := strings.Repeat("0b", 32)
	for _, c := range []struct {
		method, path string
		header       map[string]string
		body         []byte
		status       int
		code         wire.Code
	}{
		{"GET", "/v1/directory/nobody", nil, nil, 404, wire.CodeNoHandle},
		{"GET", "/v1/directory/Ana", nil, nil, 400, wire.CodeMalformed},
		{"GET", "/v1/directory/ana@x", nil, nil, 400, wire.CodeMalformed},
		{"GET", "/v1/directory/" + strings.Repeat("a", 33), nil, nil, 400, wire.CodeMalformed},
		{"POST", "/v1/directory/ana/key-packages", nil, []byte("x"), 400, wire.CodeMalformed},
		{"POST", "/v1/directory/nobody/key-packages", nil, wire.Marshal(wire.ClaimPackages{Suite: 1}), 404, wire.CodeNoHandle},
		{"POST", "/v1/directory/ana/key-packages", nil, make([]byte, 5000), 413, wire.CodeTooLarge},
		{"POST", "/v1/directory/ana/key-packages", nil, wire.Marshal(wire.ClaimPackages{Suite: 1, Devices: make([]wire.DeviceName, 17)}), 413, wire.CodeTooLarge},
		{"GET", blob, nil, nil, 404, wire.CodeNoBlob},
		{"GET", "/v1/blobs/xyz", nil, nil, 404, wire.CodeNoBlob},
		{"PUT", blob, nil, []byte("x"), 403, wire.CodeCapability},
		{"PUT", blob, map[string]string{wire.HeaderTicket: "zz"}, []byte("x"), 403, wire.CodeCapability},
		{"PUT", blob, map[string]string{wire.HeaderTicket: sec}, []byte("x"), 403, wire.CodeCapability},
		{"DELETE", blob, nil, nil, 403, wire.CodeCapability},
		{"DELETE", blob, map[string]string{wire.HeaderErase: sec}, nil, 404, wire.CodeNoBlob},
	} {
		status, code, b := r.get(c.method, c.path, c.header, c.body)
		var f wire.Failure
		if err := wire.Unmarshal(b, &f); err != nil || status != c.status || code != strconv.Itoa(int(c.code)) || f.Sentence == "" {
			t.Errorf("%s %s: %d %s %v %q", c.method, c.path, status, code, err, f.Sentence)
		}
	}
}

func (r *rig) ticket(x *person, size int, erase wire.Secret) (string, string) {
	var k wire.Ticket
	x.must(wire.OpTicket, wire.TicketRequest{Size: uint64(size), TTL: 3600, Erase: erase.Hash()}, &k)
	return "/v1/blobs/" + hex.EncodeToString(k.Blob[:]), hex.EncodeToString(k.Ticket[:])
}

func TestBlobs(t *testing.T) {
	now := time.Now()
	r := start(t, Options{Now: func() time.Time { return now }}, ServeOptions{})
	ana := r.person("ana")
	body := bytes.Repeat([]byte("cipher"), 50_000)
	erase := random[wire.Secret]()
	path, ticket := r.ticket(ana, len(body), erase)
	put := map[string]string{wire.HeaderTicket: ticket}
	if status, code, _ := r.get("PUT", path, put, body[1:]); status != 400 {
		t.Fatal(status, code)
	}
	if status, code, _ := r.get("PUT", path, put, body); status != 204 {
		t.Fatal(status, code)
	}
	if status, _, _ := r.get("PUT", path, put, body); status != 204 {
		t.Fatal("the same put again, whose answer was lost")
	}
	if _, _, got := r.get("GET", path, nil, nil); !bytes.Equal(got, body) {
		t.Fatal("another blob came back")
	}
	status, _, got := r.get("GET", path, map[string]string{"Range": "bytes=6-11"}, nil)
	if status != 206 || string(got) != "cipher" {
		t.Fatal(status, got)
	}
	if status, _, _ := r.get("DELETE", path, map[string]string{wire.HeaderErase: hex.EncodeToString(make([]byte, 32))}, nil); status != 404 {
		t.Fatal(status)
	}
	e := hex.EncodeToString(erase[:])
	if status, _, _ := r.get("DELETE", path, map[string]string{wire.HeaderErase: e}, nil); status != 204 {
		t.Fatal(status)
	}
	if status, _, _ := r.get("GET", path, nil, nil); status != 404 {
		t.Fatal(status)
	}
	// A lifetime that ends.
	path, ticket = r.ticket(ana, 3, erase)
	if status, _, _ := r.get("PUT", path, map[string]string{wire.HeaderTicket: ticket}, []byte("abc")); status != 204 {
		t.Fatal(status)
	}
	now = now.Add(2 * time.Hour)
	if status, _, _ := r.get("GET", path, nil, nil); status != 404 {
		t.Fatal(status)
	}
	r.s.Tick(now)
	if n, b := r.s.blobs.Stats(); n != 0 || b != 0 {
		t.Fatal(n, b)
	}
	// A ticket that nobody used in time.
	path, ticket = r.ticket(ana, 3, erase)
	now = now.Add(2 * time.Hour)
	if status, _, _ := r.get("PUT", path, map[string]string{wire.HeaderTicket: ticket}, []byte("abc")); status != 403 {
		t.Fatal(status)
	}
}

func TestRateLimits(t *testing.T) {
	l := wide()
	l.LookupsPerMinute, l.ClaimsPerMinute, l.PutsPerMinute, l.RegistrationsPerHour = 3, 3, 3, 3
	l.FailedAuthsPerMinute, l.ConnectsPerMinute, l.BlobRequestsPerMinute = 3, 10, 3
	now := time.Now()
	r := start(t, Options{Limits: l, Now: func() time.Time { return now }}, ServeOptions{})
	ana := r.person("ana")
	web := func(method, path string, body []byte) {
		t.Helper()
		for i := range 4 {
			status, _, _ := r.get(method, path, nil, body)
			if (status == 429) != (i == 3) {
				t.Fatalf("%s, time %d: %d", path, i, status)
			}
		}
	}
	web("GET", "/v1/directory/ana", nil)
	web("POST", "/v1/directory/ana/key-packages", wire.Marshal(wire.ClaimPackages{Suite: 1}))
	web("GET", "/v1/blobs/"+strings.Repeat("0a", 16), nil)
	x, p := r.open("/v1/log"), r.open("/v1/account")
	for i := range 4 {
		code := wire.CodeCapability
		if i == 3 {
			code = wire.CodeSlowDown
		}
		x.refused(code, wire.OpPut, wire.Put{Entry: []byte("x")})
	}
	for i := range 3 { // the person's registration counted
		code := wire.CodeBadChain
		if i == 2 {
			code = wire.CodeSlowDown
		}
		p.refused(code, wire.OpRegister, wire.Register{})
	}
	for range 3 {
		p.refused(wire.CodeNotAuthenticated, wire.OpAuth, wire.Auth{Handle: ana.h.String()})
	}
	p.refused(wire.CodeSlowDown, wire.OpAuth, ana.auth(p))
	now = now.Add(time.Minute)
	p.must(wire.OpAuth, ana.auth(p), nil)
	for range 100 {
		if status, _, _ := r.get("GET", "/v1/log", map[string]string{"Connection": "Upgrade", "Upgrade": "websocket"}, nil); status == 429 {
			return
		}
	}
	t.Fatal("connections without end")
}

func TestConnectionsPerAddress(t *testing.T) {
	l := wide()
	l.ConnectionsPerAddress = 2
	r := start(t, Options{Limits: l, ProxyHeader: "X-Forwarded-For", Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, ServeOptions{})
	dial := func(from string) (net.Conn, string) {
		c, err := net.Dial("tcp", r.addr.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprintf(c, "GET /v1/log HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: 9.9.9.9, %s\r\n\r\n", from)
		b := make([]byte, 12)
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
		return c, string(b[9:])
	}
	a, _ := dial("2001:db8:1:2::1")
	dial("2001:db8:1:2::2")
	if _, status := dial("2001:db8:1:2:ffff::3"); status != "429" {
		t.Fatalf("a third connection of one /64: %s", status)
	}
	if _, status := dial("2001:db8:1:3::1"); status != "101" {
		t.Fatalf("another /64: %s", status)
	}
	a.Close()
	for range 200 {
		if _, status := dial("2001:db8:1:2::9"); status == "101" {
			return
		}
	}
	t.Fatal("a connection that ended is still counted")
}

func TestMeterIsBounded(t *testing.T) {
	var m meter[netip.Prefix]
	m.set(2, time.Minute)
	now := time.Now()
	addr := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	heavy := addr(1 << 30)
	for range 2 {
		if err := m.take(heavy, now); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 * maxMetered {
		if err := m.take(addr(i), now); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.m) > maxMetered {
		t.Fatal(len(m.m))
	}
	if m.take(heavy, now) == nil {
		t.Fatal("a flood of addresses freed an exhausted one")
	}
	if err := m.take(heavy, now.Add(31*time.Second)); err != nil {
		t.Fatal(err)
	}
}
