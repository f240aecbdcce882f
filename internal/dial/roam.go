package dial

import (
	"context"
	"net"
	"sync"
	"time"
)

// lookEvery is how often it is looked whether this machine still has the addresses from which
// it is connected. Who goes to another network has none of them, and would else wait until a
// ping is not answered: a call does not wait that long.
const lookEvery = 2 * time.Second

// roaming keeps the connections that are open, and ends those whose own address is gone.
type roaming struct {
	addresses func() ([]net.Addr, error) // of this machine

	mu   sync.Mutex
	open map[*anchored]bool
}

// anchored is a connection from an address of this machine.
type anchored struct {
	net.Conn
	at *roaming
}

func newRoaming() *roaming {
	return &roaming{addresses: net.InterfaceAddrs, open: map[*anchored]bool{}}
}

// keep keeps a connection until it is closed.
func (r *roaming) keep(c net.Conn) net.Conn {
	a := &anchored{c, r}
	r.mu.Lock()
	r.open[a] = true
	r.mu.Unlock()
	return a
}

// Close closes the connection.
func (a *anchored) Close() error {
	a.at.mu.Lock()
	delete(a.at.open, a)
	a.at.mu.Unlock()
	return a.Conn.Close()
}

// run looks until ctx ends.
func (r *roaming) run(ctx context.Context) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			r.look()
		}
	}
}

// look ends the connections whose address is gone. Where the addresses cannot be read nothing
// is done.
func (r *roaming) look() {
	list, err := r.addresses()
	if err != nil {
		return
	}
	here := map[string]bool{}
	for _, a := range list {
		if p, ok := a.(*net.IPNet); ok {
			here[p.IP.String()] = true
		}
	}
	var gone []*anchored
	r.mu.Lock()
	for a := range r.open {
		if from, ok := a.LocalAddr().(*net.TCPAddr); ok && !here[from.IP.String()] && !from.IP.IsLoopback() {
			gone = append(gone, a)
		}
	}
	r.mu.Unlock()
	for _, a := range gone {
		a.Close()
	}
}

// dialer opens connections.
type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// from dials and keeps what comes of it.
func (r *roaming) from(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return r.keep(c), nil
	}
}
