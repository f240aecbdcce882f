package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sotto/internal/durable"
	"sotto/internal/wire"
)

// ownKeyFile holds the key of a server that vouches for itself. Its certificates are made
// from it anew, since nobody but the key counts: devices know it by the SHA-256 of its
// public half (SPKI), as RFC 7469 section 2.4 counts it.
const ownKeyFile = "tls-key.pem"

// The times of such a certificate. It begins an hour early for clocks that are behind.
const (
	ownLife  = 365 * 24 * time.Hour
	ownRenew = ownLife / 3
	ownEarly = time.Hour
)

// Pin is the hash of the key with which this server vouches for itself, zero if it has a
// certificate that others vouch for.
func (s *Server) Pin() (pin wire.Hash) {
	if p := s.pin.Load(); p != nil {
		pin = *p
	}
	return pin
}

// ownCert makes certificates for one key.
type ownCert struct {
	key  *ecdsa.PrivateKey
	host func() string
	now  func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
}

// own readies the server's own key, which is made when there is none.
func (s *Server) own() (*ownCert, error) {
	key, err := ownKey(filepath.Join(s.o.Dir, ownKeyFile))
	if err != nil {
		return nil, fmt.Errorf("server: the key of its own certificate: %w", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	pin := wire.Hash(sha256.Sum256(spki))
	s.pin.Store(&pin)
	return &ownCert{key: key, host: s.dir.Host, now: s.o.Now}, nil
}

// ownKey reads the key, or makes it. It is durable before anybody sees it: a device that
// has met it refuses any other.
func ownKey(path string) (*ecdsa.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != "PRIVATE KEY" || len(rest) != 0 {
		return nil, fmt.Errorf("%s is damaged: put it back from a backup, or remove it, and everybody has to be invited anew", path)
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := any.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%s holds a key of another kind", path)
	}
	return key, nil
}

func makeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	defer clear(block)
	return key, durable.Replace(path, block)
}

// get answers the certificate, a fresh one when a third of its time is left.
func (o *ownCert) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := o.now(); o.current == nil || o.current.Leaf.NotAfter.Sub(now) < ownRenew {
		c, err := o.make(now)
		if err != nil {
			return nil, err
		}
		o.current = c
	}
	return o.current, nil
}

// make makes a certificate for the host, signed by its own key.
func (o *ownCert) make(now time.Time) (*tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "sotto"},
		NotBefore:    now.Add(-ownEarly), NotAfter: now.Add(ownLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// Not an authority: who has a browser trust it trusts this host alone.
		BasicConstraintsValid: true,
	}
	name := hostName(o.host())
	if a, err := netip.ParseAddr(name); err == nil {
		t.IPAddresses = []net.IP{a.AsSlice()}
	} else {
		t.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, o.key.Public(), o.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: o.key, Leaf: leaf}, nil
}

// hostName is a host without its port and brackets.
func hostName(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}
