// Package dial is the client's real network: WebSockets and HTTPS over TCP. Hosts on
// loopback are spoken to in plain, everything else with TLS. Addresses in private ranges
// are refused unless the client says that the host may have one. Names of the public
// network have certificates that others vouch for; a server on somebody's own network may
// vouch for itself by a key, which the client knows or meets (vouch.go).
package dial

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// Times of a connection.
const (
	connectTime = 15 * time.Second
	requestTime = 60 * time.Second
	pingEvery   = 45 * time.Second
	pingTime    = 20 * time.Second
	lastTime    = 2 * time.Second // after the end, for what was queued before it
	sendAhead   = 16 << 20        // bytes queued to be sent before the connection counts as dead
)

// ErrPrivate is a host whose address lies in a private range.
var ErrPrivate = errors.New("this host has an address in a private range, which is not contacted unless you allow it")

// Options of a Network.
type Options struct {
	TLS *tls.Config // nil: the system's roots
}

// Network implements client.Network and client.Vouching.
type Network struct {
	ways   map[way]*http.Client
	tls    *tls.Config
	check  atomic.Pointer[client.Vouch]
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// way is how a host is reached.
type way struct {
	private bool // it may have an address in a private range
	vouched bool // it may vouch for itself
}

// New makes a network.
func New(o Options) *Network {
	n := &Network{ways: map[way]*http.Client{}, tls: o.TLS}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	r := newRoaming()
	n.wait.Go(func() { r.run(n.ctx) })
	for _, w := range []way{{}, {private: true}, {vouched: true}, {true, true}} {
		d := &net.Dialer{Timeout: connectTime, KeepAlive: 30 * time.Second}
		if !w.private {
			d.ControlContext = refusePrivate
		}
		t := &http.Transport{
			DialContext: r.from(d.DialContext), TLSClientConfig: o.TLS, TLSHandshakeTimeout: connectTime,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
		}
		if w.vouched {
			t.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				return n.dialVouched(ctx, t.DialContext, network, addr)
			}
		}
		n.ways[w] = &http.Client{
			Transport: t,
			// Nobody is sent elsewhere: a redirect could name any host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return n
}

// Close ends all connections and waits for their goroutines.
func (n *Network) Close() {
	n.cancel()
	n.wait.Wait()
	for _, c := range n.ways {
		c.CloseIdleConnections()
	}
}

func (n *Network) client(host string, private bool) *http.Client {
	return n.ways[way{private, wire.SelfVouched(host)}]
}

// address is a host as a URL's beginning: plain for loopback only, and port 443 when it
// names none, whichever the scheme.
func address(host, plain, secure string) string {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, "443"
	}
	name = strings.Trim(name, "[]")
	s := secure
	if wire.Loopback(host) {
		s = plain
	}
	return s + "://" + net.JoinHostPort(name, port)
}

// Dial implements client.Network.
func (n *Network) Dial(host, path string, private bool, up func(client.Conn), frame func([]byte), down func(error)) {
	n.wait.Go(func() {
		ctx, cancel := context.WithTimeout(n.ctx, connectTime)
		ws, resp, err := websocket.Dial(ctx, address(host, "http", "https")+path, &websocket.DialOptions{
			HTTPClient: n.client(host, private), CompressionMode: websocket.CompressionDisabled,
		})
		cancel()
		if err != nil {
			down(refusal(resp, err))
			return
		}
		ws.SetReadLimit(wire.MaxFrame)
		c := &conn{ws: ws, wake: make(chan struct{}, 1)}
		c.ctx, c.cancel = context.WithCancel(n.ctx)
		n.wait.Go(c.write)
		up(c)
		down(c.read(frame))
		c.cancel()
	})
}

// refusal is the sentence with which a server declined a WebSocket, or err.
func refusal(resp *http.Response, err error) error {
	if resp == nil || resp.Body == nil {
		return err
	}
	defer resp.Body.Close()
	code, e := strconv.ParseUint(resp.Header.Get(wire.HeaderCode), 10, 16)
	if e != nil {
		return err
	}
	var f wire.Failure
	if b, e := io.ReadAll(io.LimitReader(resp.Body, 4096)); e != nil || wire.Unmarshal(b, &f) != nil {
		return err
	}
	return &wire.Error{Code: wire.Code(code), Sentence: f.Sentence, After: time.Duration(min(f.AfterMS, 3_600_000)) * time.Millisecond}
}

// conn is one WebSocket. Its reader runs on the dialling goroutine, its writer on one of
// its own.
type conn struct {
	ws     *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}

	mu     sync.Mutex
	queue  [][]byte
	queued int
}

// read takes what comes until the writer has closed the connection. Its context is not the
// connection's: the library closes at once when that of a reader ends, and what was queued
// would be lost.
func (c *conn) read(frame func([]byte)) error {
	for {
		kind, b, err := c.ws.Read(context.Background())
		if err != nil {
			return err
		}
		if kind != websocket.MessageBinary {
			return errors.New("a text message where frames are spoken")
		}
		frame(b)
	}
}

func (c *conn) write() {
	defer c.ws.CloseNow()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-c.ctx.Done():
			c.flush() // what was queued before the end still goes out
			return
		case <-ping.C:
			ctx, cancel := context.WithTimeout(c.ctx, pingTime)
			err := c.ws.Ping(ctx)
			cancel()
			if err != nil && c.ctx.Err() == nil {
				c.cancel()
				return
			}
		case <-c.wake:
			if err := c.flush(); err != nil {
				c.cancel()
				return
			}
		}
	}
}

func (c *conn) flush() error {
	c.mu.Lock()
	out := c.queue
	c.queue, c.queued = nil, 0
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	defer context.AfterFunc(c.ctx, func() { time.AfterFunc(lastTime, cancel) })()
	for _, b := range out {
		if err := c.ws.Write(ctx, websocket.MessageBinary, b); err != nil {
			return err
		}
	}
	return nil
}

// Send implements client.Conn.
func (c *conn) Send(b []byte) {
	c.mu.Lock()
	c.queue = append(c.queue, b)
	c.queued += len(b)
	over := c.queued > sendAhead
	c.mu.Unlock()
	if over {
		c.cancel()
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Close implements client.Conn.
func (c *conn) Close() { c.cancel() }

// Do implements client.Network.
func (n *Network) Do(r client.Request, done func(client.Answer, error)) {
	n.wait.Go(func() { done(n.do(r)) })
}

func (n *Network) do(r client.Request) (a client.Answer, err error) {
	ctx, cancel := context.WithTimeout(n.ctx, requestTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, address(r.Host, "http", "https")+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return a, err
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	resp, err := n.client(r.Host, r.Private).Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a.Status = resp.StatusCode
	if code, err := strconv.ParseUint(resp.Header.Get(wire.HeaderCode), 10, 16); err == nil {
		a.Code = wire.Code(code)
	}
	if a.Offset, err = strconv.ParseInt(resp.Header.Get(wire.HeaderOffset), 10, 64); err != nil {
		a.Offset = -1
	}
	body := bytes.NewBuffer(make([]byte, 0, min(max(resp.ContentLength, 0), r.Limit)+bytes.MinRead))
	_, err = body.ReadFrom(io.LimitReader(resp.Body, r.Limit+1))
	a.Body = body.Bytes()
	if err == nil && int64(len(a.Body)) > r.Limit {
		err = fmt.Errorf("%s answered with more than %d bytes", r.Host, r.Limit)
	}
	return a, err
}
