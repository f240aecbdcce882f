package handover

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// grace is how long a guest's command may go on after the holder was stopped.
const grace = 5 * time.Second

// IO is a command's input and outputs.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// Run runs a guest's command and answers its exit code.
type Run func(ctx context.Context, r Request, x IO) int

// Holder listens for guests. Close ends it.
type Holder struct {
	ln    net.Listener
	stays bool
	run   Run

	wait   sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	guests map[*guest]struct{}
	closed bool
}

// guest is one command that is run for another process.
type guest struct {
	w       *wire
	follows bool
	cancel  context.CancelFunc
	again   bool // it was stopped because the holder stops
}

// Hold listens at path. The caller holds the home, so a socket that stands there was
// left behind. stays says that the holder goes on until it is stopped.
func Hold(path string, stays bool, run Run) (*Holder, error) {
	ln, err := Listen(path)
	if err != nil {
		return nil, err
	}
	h := &Holder{ln: ln, stays: stays, run: run, guests: map[*guest]struct{}{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.wait.Go(h.accept)
	return h, nil
}

func (h *Holder) accept() {
	for {
		c, err := h.ln.Accept()
		if err != nil {
			return
		}
		h.wait.Go(func() {
			defer c.Close()
			h.serve(&wire{rw: c}, c)
		})
	}
}

// serve takes one guest.
func (h *Holder) serve(w *wire, c net.Conn) {
	if w.sendJSON(kindHello, hello{version, h.stays}) != nil {
		return
	}
	c.SetReadDeadline(time.Now().Add(grace))
	var r Request
	if w.receiveJSON(kindRequest, &r) != nil {
		return
	}
	c.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	g := &guest{w: w, follows: r.Follows, cancel: cancel}
	if !h.enter(g) {
		_ = w.sendJSON(kindExit, exit{Declined: true})
		return
	}
	defer h.leave(g)
	in := newInput(w)
	go listen(w, in, cancel)
	code := h.run(ctx, r, IO{In: in, Out: pipe{w, kindOut}, Err: pipe{w, kindErr}})
	in.end(io.ErrClosedPipe)
	_ = w.sendJSON(kindExit, exit{Code: code, Again: h.again(g)})
}

// listen takes what a guest says while its command runs. It ends with the connection.
func listen(w *wire, in *input, cancel context.CancelFunc) {
	defer cancel()
	for {
		kind, b, err := w.receive()
		switch {
		case err != nil:
			in.end(io.ErrUnexpectedEOF)
			return
		case kind == kindInput && in.give(b):
		case kind == kindEnd:
			in.end(io.EOF)
		case kind == kindCancel:
			cancel()
		default:
			in.end(io.ErrUnexpectedEOF)
			return
		}
	}
}

func (h *Holder) enter(g *guest) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.guests[g] = struct{}{}
	return true
}

func (h *Holder) leave(g *guest) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.guests, g)
}

func (h *Holder) again(g *guest) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return g.again
}

// Close takes no more guests, lets those end that do so by themselves, tells the others
// to take the holder's place, and waits for all of them.
func (h *Holder) Close() {
	h.mu.Lock()
	h.closed = true
	for g := range h.guests {
		if g.follows {
			g.again = true
			g.cancel()
		}
	}
	h.mu.Unlock()
	h.ln.Close()
	late := time.AfterFunc(grace, h.cancel)
	h.wait.Wait()
	late.Stop()
	h.cancel()
}
