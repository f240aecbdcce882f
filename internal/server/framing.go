package server

import (
	"encoding/binary"
	"io"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// reader takes messages out of a socket's bytes, strictly: masked, no extension, no
// text, bounded, control frames as RFC 6455 section 5.5 has them.
type reader struct {
	c       *socket
	source  source
	pooled  *[]byte
	buf     []byte // unread bytes are buf[r:w]
	r, w    int
	message []byte // fragments of a message so far
	pieces  int
	inside  bool // a fragmented message has begun
	timed   bool // a read deadline runs
}

// read is the reading goroutine of a socket.
func (c *socket) read(early []byte) error {
	r := &reader{c: c, source: newSource(c.conn)}
	defer r.release()
	if len(early) > 0 {
		r.hold()
		r.room(len(early))
		r.w = copy(r.buf, early)
	}
	for {
		if err := r.next(); err != nil {
			return err
		}
	}
}

func (r *reader) hold() {
	if r.buf == nil {
		r.pooled = readPool.Get().(*[]byte)
		r.buf = *r.pooled
	}
}

func (r *reader) release() {
	if r.pooled != nil {
		readPool.Put(r.pooled)
		r.pooled = nil
	}
	r.buf, r.r, r.w = nil, 0, 0
}

// room makes place for n unread bytes. A longer message gets a buffer of its own,
// which grows as its bytes come, not as its header says.
func (r *reader) room(n int) {
	if r.r > 0 && (r.r == r.w || r.r+n > len(r.buf)) {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if n > len(r.buf) && r.w == len(r.buf) {
		grown := make([]byte, min(max(n, readBuffer), 4*len(r.buf)))
		copy(grown, r.buf[:r.w])
		if r.pooled != nil {
			readPool.Put(r.pooled)
			r.pooled = nil
		}
		r.buf = grown
	}
}

// fill waits until n unread bytes are there.
func (r *reader) fill(n int) error {
	for r.w-r.r < n {
		if r.r == r.w {
			// Between frames: wait without a buffer, and without a deadline unless a
			// fragmented message is open.
			r.release()
			if err := r.deadline(r.inside); err != nil {
				return err
			}
			b, n, err := r.source.wait()
			if err != nil {
				return err
			}
			r.pooled, r.buf, r.r, r.w = b, *b, 0, n
			continue
		}
		if err := r.deadline(true); err != nil {
			return err
		}
		r.room(n)
		m, err := r.c.conn.Read(r.buf[r.w:])
		if err != nil {
			return err
		}
		r.w += m
	}
	return nil
}

func (r *reader) deadline(on bool) error {
	if on == r.timed {
		return nil
	}
	r.timed = on
	if on {
		return r.c.conn.SetReadDeadline(time.Now().Add(frameTimeout))
	}
	return r.c.conn.SetReadDeadline(time.Time{})
}

// next takes one frame.
func (r *reader) next() error {
	if err := r.fill(2); err != nil {
		return err
	}
	b := r.buf[r.r:]
	h := ws.Header{Fin: b[0]&0x80 != 0, Rsv: b[0] & 0x70 >> 4, OpCode: ws.OpCode(b[0] & 0x0f), Masked: b[1]&0x80 != 0, Length: int64(b[1] & 0x7f)}
	size := 2
	if h.Length == 126 {
		size += 2
	} else if h.Length == 127 {
		size += 8
	}
	if h.Masked {
		size += 4
	}
	if err := r.fill(size); err != nil {
		return err
	}
	b = r.buf[r.r : r.r+size]
	switch b[1] & 0x7f {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		h.Length = int64(binary.BigEndian.Uint64(b[2:])) // negative: refused below
	}
	if h.Masked {
		copy(h.Mask[:], b[size-4:])
	}
	if err := r.check(h); err != nil {
		return err
	}
	if err := r.fill(size + int(h.Length)); err != nil {
		return err
	}
	r.c.last.Store(time.Now().Unix())
	payload := r.buf[r.r+size : r.r+size+int(h.Length)]
	ws.Cipher(payload, h.Mask, 0)
	r.r += size + len(payload)
	if h.OpCode.IsControl() {
		return r.control(h.OpCode, payload)
	}
	return r.data(h, payload)
}

// check refuses what RFC 6455 or this server does not allow, before its bytes come.
func (r *reader) check(h ws.Header) error {
	state := ws.StateServerSide
	if r.inside {
		state = state.Set(ws.StateFragmented)
	}
	if h.Length < 0 {
		return &protocolError{ws.StatusProtocolError, "a frame of a negative length"}
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return &protocolError{ws.StatusProtocolError, err.Error()}
	}
	if h.OpCode == ws.OpText {
		return &protocolError{ws.StatusUnsupportedData, "binary messages only"}
	}
	if h.OpCode.IsData() && (int64(len(r.message))+h.Length > maxMessage || r.pieces >= maxFragments) {
		return &protocolError{ws.StatusMessageTooBig, "a message over the limit"}
	}
	return nil
}

func (r *reader) data(h ws.Header, payload []byte) error {
	if !h.Fin {
		r.inside = true
		r.pieces++
		r.message = append(r.message, payload...)
		return nil
	}
	if r.inside {
		payload = append(r.message, payload...)
		r.inside, r.message, r.pieces = false, nil, 0
	}
	if err := r.deadline(false); err != nil { // the next message has its own time
		return err
	}
	r.c.sess.Frame(payload)
	r.c.waitRoom()
	return nil
}

func (r *reader) control(op ws.OpCode, payload []byte) error {
	switch op {
	case ws.OpPing:
		r.c.waitRoom()
		r.c.mu.Lock()
		r.c.push(ws.OpPong, payload)
		r.c.mu.Unlock()
	case ws.OpClose:
		return closeReply(payload)
	}
	return nil
}

// closeReply is how the server answers a close frame: with the same status, or with
// what is wrong with it.
func closeReply(payload []byte) error {
	if len(payload) == 0 {
		return &protocolError{ws.StatusNormalClosure, ""}
	}
	if len(payload) == 1 {
		return &protocolError{ws.StatusProtocolError, "a close frame of one byte"}
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if err := ws.CheckCloseFrameData(code, reason); err != nil || !utf8.ValidString(reason) {
		return &protocolError{ws.StatusProtocolError, "a close frame with a bad status"}
	}
	return &protocolError{code, ""}
}

// source waits for the next bytes of a connection without holding a buffer.
type source interface {
	wait() (*[]byte, int, error)
}

// layered is the source of a connection that keeps its own buffer of decrypted bytes:
// a first read of a few bytes wakes it, and the rest is there already.
type layered struct {
	conn  io.Reader
	first [16]byte
}

func (l *layered) wait() (*[]byte, int, error) {
	n, err := l.conn.Read(l.first[:])
	if err != nil {
		return nil, 0, err
	}
	b := readPool.Get().(*[]byte)
	return b, copy(*b, l.first[:n]), nil
}
