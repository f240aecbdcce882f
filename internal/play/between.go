package play

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// Between stands between one client and its servers, as whoever runs a server can: it
// sees every frame in plain, both ways, and does with it what it is told. It is honest
// until then, and again after Honest.
type Between struct {
	client.Network
	mu    sync.Mutex
	up    func(*Passing)
	down  func(*Passing)
	http  func(r client.Request, a *client.Answer)
	lines map[*Line]bool
	paths []string // of the requests made, with their method
	sent  map[wire.Op]int
	dials map[string]int // by path
}

// Line is one connection that passes.
type Line struct {
	Host, Path string
	b          *Between
	conn       client.Conn
	frame      func([]byte)
	asked      map[uint64]wire.Op
	over       bool // ended from this side or by the client: nothing passes any more
}

// Passing is a frame on its way: a request up, or an answer or event down. The function
// that sees it may change it, drop it, or put others before it.
type Passing struct {
	*Line
	Op     wire.Op // of the request, also for its answer
	Answer bool
	Frame  wire.Frame
	Drop   bool
}

// Between puts somebody between a person and all servers; for the person's next Open.
func (p *Person) Between() *Between {
	b := &Between{lines: map[*Line]bool{}, sent: map[wire.Op]int{}, dials: map[string]int{}}
	before := p.Mutate
	p.Mutate = func(o *client.Options) {
		if before != nil {
			before(o)
		}
		b.Network, o.Network = o.Network, b
	}
	return b
}

// Watched makes a person behind a Between.
func (w *World) Watched(name string, h *Host) (*Person, *Between) {
	w.T.Helper()
	p := w.Nobody(name, h)
	b := p.Between()
	p.Open()
	ctx, cancel := p.patience()
	defer cancel()
	if err := p.Client.CreateAccount(ctx, p.Handle, ""); err != nil {
		w.T.Fatalf("%s: account: %v", name, err)
	}
	return p, b
}

// Up has f look at what the client asks.
func (b *Between) Up(f func(*Passing)) { b.with(func() { b.up = f }) }

// Down has f look at what the servers answer and tell.
func (b *Between) Down(f func(*Passing)) { b.with(func() { b.down = f }) }

// HTTP has f look at the answers to requests.
func (b *Between) HTTP(f func(r client.Request, a *client.Answer)) { b.with(func() { b.http = f }) }

// Honest passes everything on as it is, from now on. After something was kept back that is
// honest only on a new connection: see Anew.
func (b *Between) Honest() { b.with(b.honest) }

func (b *Between) honest() { b.up, b.down, b.http = nil, nil, nil }

// Anew ends the connections to a path and is honest on those that follow, in one step: what
// comes in between would come after a frame that is missing.
func (b *Between) Anew(path string) {
	b.with(func() {
		b.honest()
		for l := range b.lines {
			if l.Path == path {
				l.end()
			}
		}
	})
}

func (b *Between) with(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// Cut ends the connections to a path, as a server does that closes them.
func (b *Between) Cut(path string) {
	for _, l := range b.open(path) {
		l.Close()
	}
}

// Say tells the client bytes on every connection to a path.
func (b *Between) Say(path string, bytes []byte) {
	for _, l := range b.open(path) {
		l.frame(bytes)
	}
}

func (b *Between) open(path string) (out []*Line) {
	b.with(func() {
		out = slices.DeleteFunc(slices.Collect(maps.Keys(b.lines)), func(l *Line) bool { return l.Path != path || l.over })
	})
	return out
}

// Sent counts the requests of a kind that reached a server.
func (b *Between) Sent(op wire.Op) (n int) {
	b.with(func() { n = b.sent[op] })
	return n
}

// Dialled counts the connections to a path that the client tried to make.
func (b *Between) Dialled(path string) (n int) {
	b.with(func() { n = b.dials[path] })
	return n
}

// Requested counts the requests whose path holds a text.
func (b *Between) Requested(part string) (n int) {
	b.with(func() {
		for _, p := range b.paths {
			if strings.Contains(p, part) {
				n++
			}
		}
	})
	return n
}

// Dial implements client.Network.
func (b *Between) Dial(host, path string, private bool, up func(client.Conn), frame func([]byte), down func(error)) {
	l := &Line{Host: host, Path: path, b: b, frame: frame, asked: map[uint64]wire.Op{}}
	b.with(func() { b.dials[path]++ })
	b.Network.Dial(host, path, private, func(c client.Conn) {
		l.conn = c
		b.with(func() { b.lines[l] = true })
		up(l)
	}, l.down, func(err error) {
		b.with(func() { delete(b.lines, l) })
		down(err)
	})
}

// Do implements client.Network.
func (b *Between) Do(r client.Request, done func(client.Answer, error)) {
	b.with(func() { b.paths = append(b.paths, r.Method+" "+r.Path) })
	b.Network.Do(r, func(a client.Answer, err error) {
		if err == nil {
			b.with(func() {
				if b.http != nil {
					b.http(r, &a)
				}
			})
		}
		done(a, err)
	})
}

// Send implements client.Conn: what the client asks passes here.
func (l *Line) Send(raw []byte) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	f, err := wire.DecodeFrame(raw)
	if err != nil {
		panic("the client sends what is not a frame: " + err.Error())
	}
	if l.over {
		return
	}
	p := &Passing{Line: l, Op: wire.Op(f.Number), Frame: f}
	l.asked[f.ID] = p.Op
	if l.b.up != nil {
		l.b.up(p)
	}
	if !p.Drop {
		l.Ask(p.Frame)
	}
}

// Close implements client.Conn. It also ends the line from this side.
func (l *Line) Close() { l.b.with(l.end) }

// end ends a line at this very place. A closed connection still brings what was read
// before it is gone: if that passed, a frame would be missing in the middle of what goes
// on, which is another thing than a connection that ends, and which clients are to notice.
func (l *Line) end() {
	l.over = true
	l.conn.Close()
}

// Cut ends the connection in the place of this frame: it is lost with all that follows.
func (p *Passing) Cut() {
	p.Drop = true
	p.end()
}

// down takes what the server says.
func (l *Line) down(raw []byte) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	f, err := wire.DecodeFrame(raw)
	if err != nil {
		panic("the server sends what is not a frame: " + err.Error())
	}
	if l.over {
		return
	}
	p := &Passing{Line: l, Op: wire.Op(f.Number), Frame: f}
	if f.ID != 0 {
		p.Op, p.Answer = l.asked[f.ID], true
		delete(l.asked, f.ID)
	}
	if l.b.down != nil {
		l.b.down(p)
	}
	if !p.Drop {
		l.Tell(p.Frame)
	}
}

// Tell gives a frame to the client; Ask gives one to the server. Both only from within
// the functions that see what passes.
func (l *Line) Tell(f wire.Frame) { l.frame(wire.Marshal(f)) }

// Ask gives a frame to the server.
func (l *Line) Ask(f wire.Frame) {
	l.b.sent[wire.Op(f.Number)]++
	l.conn.Send(wire.Marshal(f))
}

// change changes the body of a frame.
func change[T any](p *Passing, f func(*T)) {
	var v T
	if err := wire.Unmarshal(p.Frame.Body, &v); err != nil {
		panic(err)
	}
	f(&v)
	p.Frame.Body = wire.Marshal(v)
}

// answer answers a request in the server's stead, which never sees it.
func (p *Passing) answer(code wire.Code, body any) {
	p.Drop = true
	delete(p.asked, p.Frame.ID)
	p.Tell(wire.Frame{ID: p.Frame.ID, Number: uint16(code), Body: wire.Marshal(body)})
}

// event says whether a frame is an entry on its way to a watcher.
func (p *Passing) event(op wire.Op) bool { return !p.Answer && p.Op == op }
