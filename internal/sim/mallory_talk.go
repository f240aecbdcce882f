package sim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mimi"
	"sotto/mls"
)

// talk is her connection to a host. It comes back by itself.
type talk struct {
	m       *Mallory
	host    string
	path    string
	conn    client.Conn
	last    uint64
	waiting map[uint64]func(wire.Frame, error)
	front   []byte // pieces of the next entry
}

var errGone = errors.New("the connection is gone")

func (m *Mallory) dial(host, path string) *talk {
	t := &talk{m: m, host: host, path: path, waiting: map[uint64]func(wire.Frame, error){}}
	t.connect()
	return t
}

func (t *talk) connect() {
	d := t.m.d
	(&deviceNet{d, d.life}).Dial(t.host, t.path, true, func(c client.Conn) {
		t.conn = c
		t.send(wire.OpHello, wire.Hello{Lowest: 1, Highest: 1}, t.greeted)
		if t == t.m.host {
			t.m.watch()
		}
	}, t.frame, func(error) { t.fall() })
}

// greeted proves who she is, where an account is asked for.
func (t *talk) greeted(f wire.Frame, err error) {
	var h wire.Hello
	if err != nil || wire.Unmarshal(f.Body, &h) != nil || h.Nonce == nil {
		return
	}
	m := t.m
	sig := ed25519.Sign(m.Keys.Signature, wire.AuthMessage(h.Nonce, m.d.Home.Name, m.d.Handle, m.Keys.Name))
	t.send(wire.OpAuth, wire.Auth{Handle: m.d.Handle, Device: m.Keys.Name, Signature: sig}, func(wire.Frame, error) {})
}

// fall answers everything that waits, and connects again by and by.
func (t *talk) fall() {
	t.conn, t.front = nil, nil
	for id := uint64(1); id <= t.last; id++ {
		if f := t.waiting[id]; f != nil {
			delete(t.waiting, id)
			f(wire.Frame{}, errGone)
		}
	}
	t.m.w.After(time.Second, func() {
		if !t.m.stopped {
			t.connect()
		}
	})
}

func (t *talk) frame(b []byte) {
	f, err := wire.DecodeFrame(b)
	if err != nil {
		return
	}
	if f.ID != 0 {
		if answer := t.waiting[f.ID]; answer != nil {
			delete(t.waiting, f.ID)
			answer(f, f.Err())
		}
		return
	}
	switch wire.Op(f.Number) {
	case wire.EventPart:
		var e wire.PartEvent
		if wire.Unmarshal(f.Body, &e) == nil {
			t.front = append(t.front, e.Piece...)
		}
	case wire.EventEntry:
		var e wire.EntryEvent
		if wire.Unmarshal(f.Body, &e) == nil {
			e.Entry.Bytes = append(t.front, e.Entry.Bytes...)
			t.front = nil
			t.m.follow(e.Entry)
			t.send(wire.OpCredit, wire.Credit{Bytes: uint64(len(e.Entry.Bytes))}, func(wire.Frame, error) {})
		}
	}
}

func (t *talk) send(op wire.Op, body any, answer func(wire.Frame, error)) {
	if t.conn == nil {
		answer(wire.Frame{}, errGone)
		return
	}
	t.last++
	t.waiting[t.last] = answer
	t.conn.Send(wire.EncodeFrame(t.last, uint16(op), body))
}

// call sends a request and waits for the answer.
func (t *talk) call(op wire.Op, body any) (f wire.Frame, err error) {
	err = errGone
	t.m.w.await(func(done func()) {
		t.send(op, body, func(x wire.Frame, e error) { f, err = x, e; done() })
	})
	return f, err
}

// post is her connection to a host's inboxes.
func (m *Mallory) post(host string) *talk {
	if host == m.host.host {
		return m.host
	}
	for _, t := range m.posts {
		if t.host == host {
			return t
		}
	}
	t := m.dial(host, "/v1/log")
	m.posts = append(m.posts, t)
	return t
}

// ready waits until the connection stands.
func (t *talk) ready() bool {
	for range 100 {
		if t.conn != nil {
			return true
		}
		t.m.sleep(100 * time.Millisecond)
	}
	return false
}

func (m *Mallory) sleep(d time.Duration) { m.w.await(func(done func()) { m.w.After(d, done) }) }

// fetch makes one request to a host and decodes the answer.
func (m *Mallory) fetch(host, method, path string, body []byte, into any) error {
	err := errGone
	m.w.await(func(done func()) {
		(&deviceNet{m.d, m.d.life}).Do(client.Request{Host: host, Method: method, Path: path, Body: body}, func(a client.Answer, e error) {
			if err = e; e == nil {
				err = wire.Unmarshal(a.Body, into)
			}
			done()
		})
	})
	return err
}

// watch reads the log on from where she is.
func (m *Mallory) watch() {
	m.host.front = nil
	m.host.send(wire.OpCredit, wire.Credit{Bytes: 4 << 20}, func(wire.Frame, error) {})
	m.host.send(wire.OpWatch, wire.Watch{Places: []wire.Place{{Ref: 1, Secret: m.Gen.Secret, After: m.Gen.Seq}}}, func(wire.Frame, error) {})
}

// ack says that she has what she has read.
func (m *Mallory) ack() {
	m.host.send(wire.OpAck, wire.Ack{Secret: m.Gen.Secret, Through: m.Gen.Seq}, func(wire.Frame, error) {})
}

// follow takes an entry as a member does.
func (m *Mallory) follow(e wire.Entry) {
	if e.Seq <= m.Gen.Seq || m.out || m.broken {
		return
	}
	m.Gen.Seq, m.Gen.Chain = e.Seq, e.Chain
	if m.staged != nil && sha256.Sum256(e.Bytes) == m.hash {
		m.merge(m.staged, m.proofs, e.Did)
		return
	}
	inner, err := room.OpenEntry(m.Group, m.Gen.Log, e.Bytes)
	if err != nil {
		m.broken = e.Did != nil
		return
	}
	msg, err := m.Group.Open(inner.Message)
	if err != nil {
		m.broken = e.Did != nil
		return
	}
	m.heard = append(m.heard, e)
	m.heard = m.heard[max(0, len(m.heard)-64):]
	switch {
	case msg.Kind == mls.KindCommit:
		m.merge(msg.Staged, inner.Proofs, e.Did)
	case msg.Kind == mls.KindApplication:
		m.learn(msg)
	}
}

// learn remembers what others write, to have something to attack.
func (m *Mallory) learn(msg *mls.Received) {
	p, err := room.ParsePayload(msg.Plaintext)
	if err != nil || p.Kind != room.PayloadContent {
		return
	}
	c, err := mimi.Parse(p.Body)
	if err != nil {
		return
	}
	l, err := m.Known.LeafOf(msg.Sender, m.Group.Member(msg.Sender))
	if err != nil {
		return
	}
	if id, err := c.MessageID(uri("a", l.Account[:]), m.uri()); err == nil {
		m.texts = append(m.texts, foreign{id, l.Account})
		m.texts = m.texts[max(0, len(m.texts)-64):]
	}
}

// merge goes on into the next epoch, if the commit leads there.
func (m *Mallory) merge(s *mls.StagedCommit, proofs []room.Proof, did *wire.Did) {
	m.staged = nil
	if did == nil {
		return
	}
	change, err := room.Judge(m.Group, m.Known, s, proofs)
	if err == nil {
		err = change.CheckDid(s, did)
	}
	if err != nil {
		m.broken = true
		return
	}
	if err := m.Group.Merge(s); err != nil || change.Own {
		m.out = true
		return
	}
	m.Known = change.Known
	m.Ctx = change.After
	m.swapped = m.w.Now()
}
