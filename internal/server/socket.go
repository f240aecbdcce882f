package server

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"sotto/internal/wire"
)

// How a socket behaves (docs/decisions/0002-websocket.md).
const (
	readBuffer   = 16 << 10         // pooled; held only while a frame is coming in
	writeChunk   = 64 << 10         // handed to the network at once
	writeTimeout = 30 * time.Second // of one chunk: a slower reader is closed
	frameTimeout = time.Minute      // from a message's first byte to its last
	pingAfter    = 90 * time.Second // of silence
	deadAfter    = 4 * time.Minute  // of silence, pings and all
	lingerTime   = 2 * time.Second  // for the client to end its side
	maxMessage   = wire.MaxFrame
	maxFragments = 64
)

// socket is one WebSocket connection (RFC 6455) under a session. One goroutine reads;
// whoever sends first starts one that writes until nothing is left. An idle socket
// holds one goroutine and no buffer.
type socket struct {
	srv  *Server
	conn net.Conn
	sess *Session
	addr netip.Prefix
	last atomic.Int64 // Unix seconds of the last byte in

	mu       sync.Mutex
	room     sync.Cond // the reader waits here while too much is unread
	out      *[]byte   // framed and not yet taken by the writer
	queued   int       // in out, and with the writer
	flushing bool
	ending   bool // a close frame is the last thing in out
	broken   bool // nothing can be sent any more
}

var (
	readPool  = sync.Pool{New: func() any { b := make([]byte, readBuffer); return &b }}
	writePool = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}
)

// Send implements Out.
func (c *socket) Send(frame []byte) {
	c.mu.Lock()
	c.push(ws.OpBinary, frame)
	c.mu.Unlock()
}

// push frames a message and sees that somebody writes it. Holds mu.
func (c *socket) push(op ws.OpCode, p []byte) {
	if c.broken || c.ending {
		return
	}
	if c.out == nil {
		c.out = writePool.Get().(*[]byte)
	}
	b := (*c.out)[:len(*c.out)]
	n := len(b)
	b = append(b, 0x80|byte(op))
	switch {
	case len(p) < 126:
		b = append(b, byte(len(p)))
	case len(p) < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(len(p)))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(len(p)))
	}
	b = append(b, p...)
	*c.out = b
	c.queued += len(b) - n
	if !c.flushing {
		c.flushing = true
		go c.flush()
	}
}

// Queued implements Out.
func (c *socket) Queued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queued
}

// Close implements Out.
func (c *socket) Close(err *wire.Error) {
	status, reason := ws.StatusNormalClosure, ""
	if err != nil {
		status, reason = closeStatus(err.Code), err.Sentence
	}
	c.end(status, reason)
}

func closeStatus(code wire.Code) ws.StatusCode {
	switch code {
	case wire.CodeMalformed:
		return ws.StatusInvalidFramePayloadData
	case wire.CodeTooLarge:
		return ws.StatusMessageTooBig
	case wire.CodeSlowDown:
		return ws.StatusGoingAway
	case wire.CodeInternal:
		return ws.StatusInternalServerError
	}
	return ws.StatusPolicyViolation
}

// end sends a close frame after what was sent, and lets the connection go.
func (c *socket) end(status ws.StatusCode, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.push(ws.OpClose, ws.NewCloseFrameBody(status, reason[:min(len(reason), 120)]))
	c.ending = true
}

// flush writes what is queued. What comes in meanwhile goes out with the next write.
func (c *socket) flush() {
	for {
		c.mu.Lock()
		buf := c.out
		c.out = nil
		if buf == nil {
			c.flushing = false
			ending := c.ending
			c.mu.Unlock()
			if ending {
				c.letGo()
			}
			return
		}
		c.mu.Unlock()
		ok := c.write(*buf)
		if cap(*buf) <= 2*writeChunk {
			*buf = (*buf)[:0]
			writePool.Put(buf)
		}
		if !ok {
			c.fail()
			return
		}
	}
}

// write hands b to the network in chunks, each within writeTimeout.
func (c *socket) write(b []byte) bool {
	limit := int(c.srv.policy.Load().limits.QueueBytesPerConnection)
	for len(b) > 0 {
		n := min(len(b), writeChunk)
		if c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil {
			return false
		}
		if _, err := c.conn.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
		c.mu.Lock()
		before := c.queued
		c.queued -= n
		drained := before > limit && c.queued <= limit
		c.room.Signal()
		c.mu.Unlock()
		if drained {
			c.sess.Drained()
		}
	}
	return true
}

// fail gives the connection up.
func (c *socket) fail() {
	c.mu.Lock()
	c.broken, c.out, c.flushing = true, nil, false
	c.room.Broadcast()
	conn := c.conn
	c.mu.Unlock()
	if conn != nil { // otherwise it is not upgraded yet, and attach closes it
		conn.Close()
	}
}

// attach gives the socket its connection, unless it was given up meanwhile.
func (c *socket) attach(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.broken {
		c.conn = conn
	}
	return !c.broken
}

// waitRoom holds the reader while its client leaves answers unread: the client feels
// a full socket, and is closed when a write times out.
func (c *socket) waitRoom() {
	limit := int(c.srv.policy.Load().limits.QueueBytesPerConnection)
	c.mu.Lock()
	for c.queued > 2*limit && !c.broken {
		c.room.Wait()
	}
	c.mu.Unlock()
}

// beat pings a silent connection and closes a dead one.
func (c *socket) beat(now time.Time) {
	switch silent := now.Unix() - c.last.Load(); {
	case silent > int64(deadAfter/time.Second):
		c.fail()
	case silent > int64(pingAfter/time.Second):
		c.mu.Lock()
		if c.queued == 0 {
			c.push(ws.OpPing, nil)
		}
		c.mu.Unlock()
	}
}

// letGo ends this side after the close frame. The client ends its own, and the reader
// sees it; one that does not is cut off.
func (c *socket) letGo() {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	time.AfterFunc(lingerTime, func() { c.conn.Close() })
}

// serve reads until the connection ends.
func (c *socket) serve(early []byte) {
	err := c.read(early)
	var bad *protocolError
	if errors.As(err, &bad) {
		c.end(bad.status, bad.reason)
		c.drain()
	}
	c.sess.Close()
	c.fail()
}

// drain lets the close frame leave: closing a socket with unread bytes in it resets
// the connection, and the client would not learn why.
func (c *socket) drain() {
	_ = c.conn.SetReadDeadline(time.Now().Add(lingerTime))
	b := readPool.Get().(*[]byte)
	defer readPool.Put(b)
	_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(struct{ io.Reader }{c.conn}, 4<<20), *b)
}

type protocolError struct {
	status ws.StatusCode
	reason string
}

func (e *protocolError) Error() string { return e.reason }
