package play

import (
	"context"
	"fmt"
	"net/netip"

	"sotto/internal/server"
)

// serve has the server listen by itself, as `sotto server` does, so that it relays calls, too.
func (h *Host) serve() error {
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- h.Server.Serve(ctx, server.ServeOptions{Listen: h.Name, Relay: h.Relay, Ready: func(netip.AddrPort) { close(ready) }})
	}()
	h.end = func() error { cancel(); return <-done }
	select {
	case <-ready:
		return nil
	case err := <-done:
		cancel()
		return fmt.Errorf("the server does not serve: %w", err)
	}
}
