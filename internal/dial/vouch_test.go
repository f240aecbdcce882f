package dial

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// vouching is a server with a certificate of its own, at an address of this machine that is
// not loopback: the first that there is.
func vouching(t *testing.T) (host string, key wire.Hash) {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var ip net.IP
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsPrivate() {
			ip = n.IP
			break
		}
	}
	if ip == nil {
		t.Skip("this machine has no address in a private range")
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{ip}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(ip.String(), "0"))
	if err != nil {
		t.Skip(err)
	}
	srv := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: k}}, NextProtos: []string{"http/1.1"}},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	go func() { _ = srv.ServeTLS(ln, "", "") }()
	t.Cleanup(func() { srv.Close() })
	spki, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String(), sha256.Sum256(spki)
}

func do(n *Network, host string) (string, error) {
	type result struct {
		a   client.Answer
		err error
	}
	done := make(chan result, 1)
	n.Do(client.Request{Host: host, Method: "GET", Path: "/", Private: true, Limit: 100}, func(a client.Answer, err error) { done <- result{a, err} })
	r := <-done
	return string(r.a.Body), r.err
}

// TestVouch: a server that vouches for itself is asked nothing before the client has said
// that its key is right, and is refused where nobody can say so.
func TestVouch(t *testing.T) {
	host, key := vouching(t)
	n := New(Options{})
	defer n.Close()
	if b, err := do(n, host); err == nil {
		t.Fatalf("nobody knows the key, and it answers %q", b)
	}
	wrong := errors.New("another key")
	n.Vouch(func(h string, k wire.Hash, public bool) error {
		if h != host || k != key || public {
			t.Errorf("asked about %s, the key: %v, public: %v", h, k == key, public)
		}
		return wrong
	})
	if _, err := do(n, host); !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	down := make(chan error, 1)
	n.Dial(host, "/v1/log", true, func(client.Conn) { down <- nil }, func([]byte) {}, func(err error) { down <- err })
	if err := <-down; !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	n.Vouch(func(string, wire.Hash, bool) error { return nil })
	if b, err := do(n, host); err != nil || b != "hello" {
		t.Fatal(b, err)
	}
	// Without leave it is not contacted at all.
	done := make(chan error, 1)
	n.Do(client.Request{Host: host, Method: "GET", Path: "/", Limit: 100}, func(_ client.Answer, err error) { done <- err })
	if err := <-done; !errors.Is(err, ErrPrivate) {
		t.Fatal(err)
	}
}

// TestPublicNames: nobody vouches for themselves under a name of the public network.
func TestPublicNames(t *testing.T) {
	n := New(Options{})
	defer n.Close()
	for host, want := range map[string]bool{"example.org": false, "example.org:7700": false, "127.0.0.1:7700": false, "10.0.0.1": true, "nas.local:7700": true, "8.8.8.8": true} {
		c := n.client(host, false)
		if own := c.Transport.(*http.Transport).DialTLSContext != nil; own != want {
			t.Errorf("%s may vouch for itself: %v", host, own)
		}
	}
	if strings.Contains(address("nas.local:7700", "http", "https"), "http:") {
		t.Error("plain")
	}
}
