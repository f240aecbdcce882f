package server

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"sotto/internal/wire"
)

// permitted refuses to speak plainly to anybody but this machine.
func (s *Server) permitted(o ServeOptions) error {
	switch {
	case (o.CertFile == "") != (o.KeyFile == ""):
		return fmt.Errorf("server: a certificate file and a key file come together")
	case o.Domain != "" && o.CertFile != "":
		return fmt.Errorf("server: choose between certificates by ACME and certificate files")
	case o.Own && (o.Domain != "" || o.CertFile != ""):
		return fmt.Errorf("server: a certificate of its own is for a server that has no other")
	case o.BehindProxy && (o.Domain != "" || o.CertFile != "" || o.Own):
		return fmt.Errorf("server: behind a proxy, the proxy has the certificate")
	case o.Own && s.dir.Host() == "":
		return fmt.Errorf("server: a certificate of its own names the host: say with --host under which address or name people on your network reach this computer")
	case o.Own && wire.Loopback(s.dir.Host()):
		return fmt.Errorf("server: devices speak to %s without TLS: leave out --self-signed, or say with --host under which address or name people on your network reach this computer", s.dir.Host())
	case o.Own && !wire.SelfVouched(s.dir.Host()):
		return fmt.Errorf("server: %s is a name of the public network, for which devices want a certificate that others vouch for: say --domain", s.dir.Host())
	case o.Domain != "" || o.CertFile != "" || o.Own || loopback(o.Listen):
		return nil
	case o.BehindProxy && s.namesProxies():
		return nil
	}
	return fmt.Errorf("server: %s is not a loopback address, and without TLS anybody on the way could see who talks to whom: "+
		"give a domain (certificates by ACME) or certificate files, or --self-signed on your own network, or put a proxy in front and listen on 127.0.0.1", o.Listen)
}

// namesProxies says whether the operator trusts a proxy beyond this machine.
func (s *Server) namesProxies() bool {
	for _, p := range s.o.Proxies {
		if !p.Addr().IsLoopback() {
			return true
		}
	}
	return false
}

func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// tlsConfig is nil for plain HTTP. TLS 1.3 and HTTP/1.1 only: an HTTP/2 connection
// costs three times the memory of a WebSocket, and no device needs it.
func (s *Server) tlsConfig(o ServeOptions) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	switch {
	case o.Domain != "":
		m := &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			HostPolicy: autocert.HostWhitelist(o.Domain),
			Cache:      autocert.DirCache(filepath.Join(s.o.Dir, "acme")),
			Client:     &acme.Client{DirectoryURL: cmp.Or(o.ACME, autocert.DefaultACMEDirectory), HTTPClient: o.acme},
		}
		c.GetCertificate = m.GetCertificate
		c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	case o.CertFile != "":
		f := &certFiles{cert: o.CertFile, key: o.KeyFile}
		if err := f.load(); err != nil {
			return nil, fmt.Errorf("server: certificate: %w", err)
		}
		c.GetCertificate = f.get
	case o.Own:
		own, err := s.own()
		if err != nil {
			return nil, err
		}
		c.GetCertificate = own.get
	default:
		return nil, nil
	}
	return c, nil
}

// certFiles is a certificate in files, read again when they change. A change that
// cannot be read keeps the old one.
type certFiles struct {
	cert, key string

	mu      sync.Mutex
	looked  time.Time
	stamp   [2]time.Time
	current *tls.Certificate
}

const lookEvery = 10 * time.Second

func (f *certFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) > lookEvery {
		f.looked = now
		if stamp, err := f.stamps(); err == nil && stamp != f.stamp {
			_ = f.load()
		}
	}
	return f.current, nil
}

func (f *certFiles) stamps() (out [2]time.Time, err error) {
	for i, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return out, err
		}
		out[i] = info.ModTime()
	}
	return out, nil
}

func (f *certFiles) load() error {
	stamp, err := f.stamps()
	if err != nil {
		return err
	}
	c, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.current, f.stamp = &c, stamp
	return nil
}
