package dial

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// Vouch implements client.Vouching. Until it is called, servers that vouch for themselves
// are refused.
func (n *Network) Vouch(check client.Vouch) { n.check.Store(&check) }

// dialVouched connects to a host that may vouch for itself, and has the client say whether
// it is the right one. The handshake proves that the server holds its key.
func (n *Network) dialVouched(ctx context.Context, dial dialer, network, addr string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	host, err := wire.ParseHost(addr) // addr always names its port, so this is the normal form
	if err != nil {
		return nil, err
	}
	c, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{}
	if n.tls != nil {
		config = n.tls.Clone()
	}
	config.ServerName = name
	config.MinVersion = tls.VersionTLS13
	config.InsecureSkipVerify = true // what it leaves out is done here
	config.VerifyConnection = func(s tls.ConnectionState) error { return n.verify(config.RootCAs, name, host, s) }
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	t := tls.Client(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return t, nil
}

// verify looks whether others vouch for the certificate, as they do where an operator has
// an authority of the own, and asks the client what it thinks of the key.
func (n *Network) verify(roots *x509.CertPool, name, host string, s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server showed no certificate")
	}
	leaf := s.PeerCertificates[0]
	o := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, unknown := leaf.Verify(o)
	check := n.check.Load()
	switch {
	case check != nil:
		return (*check)(host, sha256.Sum256(leaf.RawSubjectPublicKeyInfo), unknown == nil)
	case unknown != nil:
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: unknown}
	}
	return nil
}

var _ client.Vouching = (*Network)(nil)
