package sim

import (
	"net/netip"

	"sotto/internal/server"
	"sotto/internal/wire"
)

// pen is a connection of a host's own to its server, by which it writes into its logs.
type pen struct {
	e    *Evil
	life int
	s    *server.Session
	last uint64
}

func (e *Evil) pen() *pen { return &pen{e: e} }

// write asks the server for something, in a turn of its own.
func (p *pen) write(a wire.Append) {
	h := p.e.h
	h.w.Turn(func() {
		if !h.up {
			return
		}
		if p.life != h.life {
			p.life, p.s = h.life, h.server.Connect(server.Log, netip.AddrFrom4([4]byte{127, 0, 0, 1}), nowhere{})
			p.ask(wire.OpHello, wire.Hello{Lowest: wire.Version, Highest: wire.Version})
		}
		h.ready()
		p.ask(wire.OpAppend, a)
	})
}

func (p *pen) ask(op wire.Op, v any) {
	p.last++
	p.s.Frame(wire.EncodeFrame(p.last, uint16(op), v))
}

func (p *pen) close() {
	if p.s != nil && p.life == p.e.h.life {
		p.s.Close()
	}
	p.life = 0
}

// nowhere takes answers that nobody waits for.
type nowhere struct{}

func (nowhere) Send([]byte)       {}
func (nowhere) Queued() int       { return 0 }
func (nowhere) Close(*wire.Error) {}
