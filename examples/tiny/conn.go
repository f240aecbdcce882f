package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

type conn struct {
	ws      *websocket.Conn
	last    uint64
	nonce   octets
	answers chan []any
	pieces  map[uint64]octets
}

type event struct {
	from   *conn
	number uint64 // 0 when the connection ended
	body   any
}

func (c *client) home() *conn { return c.dial(hostOf(c.Handle), "/v1/account") }

// http answers a client for a host, and how its addresses begin.
func (c *client) http(host string) (*http.Client, string) {
	dialer := net.Dialer{Timeout: 30 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		a := netip.MustParseAddrPort(address).Addr().Unmap()
		if host != hostOf(c.Handle) && (!a.IsGlobalUnicast() || a.IsPrivate()) { // RFC 6890 has a few more
			return errors.New("not an address of the open network")
		}
		return nil
	}}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}}
	plain := map[bool]string{true: "http://", false: "https://"}
	return &http.Client{Transport: transport, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}, plain[loopback(host)] + host
}

func loopback(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	a, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && a.IsLoopback()
}

// dial answers the connection to a host's path, made and greeted if need be.
func (c *client) dial(host, path string) *conn {
	if k := c.conns[host+path]; k != nil {
		return k
	}
	web, address := c.http(host)
	ws, _, err := websocket.Dial(c.ctx, address+path, &websocket.DialOptions{HTTPClient: web})
	try(0, err)
	ws.SetReadLimit(320 << 10)
	k := &conn{ws: ws, answers: make(chan []any, 1), pieces: map[uint64]octets{}}
	c.conns[host+path] = k
	go c.receive(k)
	hello := k.must("hello", fields{"lowest": 1, "highest": 1})
	k.nonce = hello.b("nonce")
	return k
}

func (c *client) receive(k *conn) {
	for err := error(nil); err == nil; {
		err = guard(func() {
			_, b, err := k.ws.Read(c.ctx)
			try(0, err)
			f, _ := decode(octets(b)).([]any)
			demand(len(f) == 3, "no frame")
			number, ok := f[1].(uint64)
			demand(ok, "no frame")
			if f[0] != uint64(0) {
				k.answers <- f
			} else if number != 0 {
				c.events <- event{k, number, f[2]}
			}
		})
	}
	close(k.answers)
	c.events <- event{from: k}
}

var operations = map[string]int{"hello": 1, "append": 2, "watch": 5, "credit": 6, "ack": 8, "claim": 9, "drop": 12,
	"register": 32, "auth": 33, "publish": 35, "count": 36, "inbox": 37, "inbox-ack": 38, "capability": 39}

// ask sends a request and waits for its answer; must demands that it is granted.
func (k *conn) ask(op string, body fields) (fields, uint64) {
	k.last++
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	try(0, k.ws.Write(ctx, websocket.MessageBinary, []byte(encode([]any{k.last, operations[op], pack(body, op)}))))
	select {
	case f := <-k.answers:
		demand(f != nil && f[0] == k.last, "no answer to "+op)
		if code := f[1].(uint64); code != 0 {
			return take(f[2], "failure").(fields), code
		}
		kind := op + "-answer"
		if grammar[kind] == nil {
			kind = "done"
		}
		return take(f[2], kind).(fields), 0
	case <-ctx.Done():
		panic(refusal{ctx.Err()})
	}
}

func (k *conn) must(op string, body fields) fields {
	answer, code := k.ask(op, body)
	demand(code == 0, fmt.Sprintf("%s: %d: %s", op, code, answer.t("text")))
	return answer
}
