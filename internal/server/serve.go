package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"sotto/internal/wire"
)

// ServeOptions say where and how a server listens.
type ServeOptions struct {
	Listen      string // "127.0.0.1:7700", ":443"
	Domain      string // certificates by ACME (RFC 8555) for this name
	ACME        string // the authority's directory; empty: Let's Encrypt
	CertFile    string // or from files, read again when they change
	KeyFile     string
	Own         bool                      // or one of its own, by a key that devices are told of
	BehindProxy bool                      // plain HTTP from a proxy
	Relay       *RelayOptions             // nil: calls are not relayed
	Ready       func(addr netip.AddrPort) // called once the socket is bound

	acme *http.Client // reaches the authority; nil: as any other program
}

// Serve listens until ctx ends, then stops gracefully: no new connections, requests
// under way are finished, WebSockets are told to go. The server stays open: Close it.
func (s *Server) Serve(ctx context.Context, o ServeOptions) error {
	if err := s.permitted(o); err != nil {
		return err
	}
	tlsConfig, err := s.tlsConfig(o)
	if err != nil {
		return err
	}
	// Devices are pinged by the server itself; the kernel's probes would wake phones.
	lc := net.ListenConfig{KeepAlive: -1}
	ln, err := lc.Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("server: listen: %w", err)
	}
	bound := ln.Addr().(*net.TCPAddr).AddrPort()
	bound = netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port())
	if s.dir.Host() == "" {
		host, err := hostAt(o.Domain, bound)
		if err != nil {
			ln.Close()
			return err
		}
		s.dir.SetHost(host)
	}
	relaying, err := s.startRelay(bound, o)
	if err != nil {
		ln.Close()
		return err
	}
	var speaks func(net.Conn)
	if relaying != nil {
		defer s.stopRelay(relaying)
		if !o.BehindProxy {
			speaks = relaying.Serve
		}
	}
	admin, err := s.serveAdmin()
	if err != nil {
		ln.Close()
		return err
	}
	s.secure.Store(tlsConfig != nil)
	port := share(ln, tlsConfig, speaks)
	defer port.busy.Wait()
	web := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		Protocols:         onlyHTTP1(),
		// It would print addresses beside whatever went wrong with them.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	done := make(chan error, 1)
	go func() { done <- web.Serve(port) }()
	beating := make(chan struct{})
	over := make(chan struct{})
	go func() { defer close(beating); s.keep(over) }()
	s.o.Log.Info("listening", "at", bound.String(), "tls", tlsConfig != nil, "host", s.dir.Host())
	if o.Ready != nil {
		o.Ready(bound)
	}
	select {
	case err = <-done:
	case <-ctx.Done():
	case <-s.stop:
	}
	s.o.Log.Info("stopping")
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if web.Shutdown(grace) != nil {
		web.Close()
	}
	s.disconnect()
	admin.Close()
	close(over)
	<-beating
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// hostAt is the host part of the handles of a server that was given none, in the
// normal form of wire.ParseHost: its domain, or else the address it is bound to.
func hostAt(domain string, bound netip.AddrPort) (string, error) {
	host := domain
	if host == "" {
		host = bound.String()
		if bound.Addr().IsUnspecified() {
			return "", fmt.Errorf("server: listening on every address (%s) does not say under which name people reach this server: "+
				"give the host part of its handles with --host, or a domain with --domain", host)
		}
	}
	normal, err := wire.ParseHost(host)
	if err != nil {
		return "", fmt.Errorf("server: %s cannot stand in a handle (%w): give the host part of its handles with --host, or a domain with --domain", host, err)
	}
	return normal, nil
}

func onlyHTTP1() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

// keep does what comes with time: pings each few seconds, housekeeping each minute.
func (s *Server) keep(over chan struct{}) {
	beat, minute := time.NewTicker(10*time.Second), time.NewTicker(time.Minute)
	defer beat.Stop()
	defer minute.Stop()
	for {
		select {
		case <-over:
			return
		case <-s.stop:
			return
		case <-beat.C:
			for _, c := range s.openSockets() {
				c.beat(time.Now())
			}
		case <-minute.C:
			s.Tick(s.o.Now())
		}
	}
}

func (s *Server) openSockets() []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*socket, 0, len(s.sockets))
	for c := range s.sockets {
		out = append(out, c)
	}
	return out
}

// disconnect tells all WebSockets to go.
func (s *Server) disconnect() {
	for _, x := range s.openSessions() {
		x.out.Close(errGoingAway)
	}
}
