package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// authority gives certificates by ACME (RFC 8555) to who answers the challenge tls-alpn-01
// (RFC 8737) at one address, whatever the name.
type authority struct {
	t    *testing.T
	web  *httptest.Server
	key  *ecdsa.PrivateKey
	root *x509.Certificate
	at   string // where the server listens

	mu      sync.Mutex
	account *ecdsa.PublicKey
	name    string // of the order
	token   string
	valid   bool
	cert    []byte // PEM
	orders  int
	refuses bool
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if a.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.web = httptest.NewTLSServer(a)
	t.Cleanup(a.web.Close)
	return a
}

// ServeHTTP answers one request of the protocol: sections 7.1 to 7.5 of RFC 8555.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := func(path string) string { return a.web.URL + path }
	w.Header().Set("Replay-Nonce", rand.Text())
	if r.Method != "POST" {
		if r.URL.Path == "/directory" {
			answer(w, 200, map[string]string{"newNonce": at("/nonce"), "newAccount": at("/account"), "newOrder": at("/order"), "revokeCert": at("/revoke"), "keyChange": at("/change")})
		}
		return
	}
	payload, err := a.open(r)
	if err != nil {
		answer(w, 400, map[string]string{"type": "urn:ietf:params:acme:error:malformed", "detail": err.Error()})
		return
	}
	authz := map[string]any{"status": "pending", "identifier": map[string]string{"type": "dns", "value": a.name},
		"challenges": []any{map[string]string{"type": "tls-alpn-01", "url": at("/challenge"), "token": a.token, "status": "pending"}}}
	order := map[string]any{"status": "pending", "identifiers": []any{authz["identifier"]}, "authorizations": []string{at("/authz")}, "finalize": at("/finalize")}
	if a.valid {
		authz["status"], order["status"] = "valid", "ready"
	}
	switch r.URL.Path {
	case "/account":
		w.Header().Set("Location", at("/account/1"))
		answer(w, 201, map[string]string{"status": "valid"})
	case "/order":
		if a.orders++; a.refuses {
			answer(w, 403, map[string]string{"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "not this name"})
			return
		}
		var asked struct{ Identifiers []struct{ Value string } }
		if err := json.Unmarshal(payload, &asked); err != nil || len(asked.Identifiers) != 1 {
			a.t.Errorf("an order of %s", payload)
			return
		}
		a.name, a.token, a.valid, a.cert = asked.Identifiers[0].Value, rand.Text(), false, nil
		order["status"], order["identifiers"] = "pending", []any{map[string]string{"type": "dns", "value": a.name}}
		w.Header().Set("Location", at("/order/1"))
		answer(w, 201, order)
	case "/authz":
		answer(w, 200, authz)
	case "/challenge":
		if err := a.challenge(); err != nil {
			a.t.Error("the challenge: ", err)
		} else {
			a.valid = true
		}
		answer(w, 200, map[string]string{"type": "tls-alpn-01", "url": at("/challenge"), "token": a.token, "status": "processing"})
	case "/finalize", "/order/1":
		if r.URL.Path == "/finalize" {
			if err := a.sign(payload); err != nil {
				a.t.Error("the request for a certificate: ", err)
			}
		}
		if a.cert != nil {
			order["status"], order["certificate"] = "valid", at("/cert")
		}
		w.Header().Set("Location", at("/order/1"))
		answer(w, 200, order)
	case "/cert":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(a.cert)
	default:
		http.NotFound(w, r)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// open holds that a request is signed by the one account: RFC 8555, section 6.2.
func (a *authority) open(r *http.Request) ([]byte, error) {
	var m struct{ Protected, Payload, Signature string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return nil, err
	}
	raw := base64.RawURLEncoding
	head, err := raw.DecodeString(m.Protected)
	if err != nil {
		return nil, err
	}
	var h struct {
		Alg, URL string
		JWK      *struct{ X, Y string }
	}
	if err := json.Unmarshal(head, &h); err != nil || h.Alg != "ES256" || h.URL != a.web.URL+r.URL.Path {
		return nil, fmt.Errorf("signed for another place: %s", head)
	}
	if h.JWK != nil {
		x, errX := raw.DecodeString(h.JWK.X)
		y, errY := raw.DecodeString(h.JWK.Y)
		if a.account, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...)); errX != nil || errY != nil || err != nil {
			return nil, fmt.Errorf("no key: %s", head)
		}
	}
	sig, err := raw.DecodeString(m.Signature)
	sum := sha256.Sum256([]byte(m.Protected + "." + m.Payload))
	if err != nil || len(sig) != 64 || a.account == nil || !ecdsa.Verify(a.account, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return nil, fmt.Errorf("the signature is wrong")
	}
	return raw.DecodeString(m.Payload)
}

// challenge asks the server: RFC 8737, section 3.
func (a *authority) challenge() error {
	c, err := tls.Dial("tcp", a.at, &tls.Config{ServerName: a.name, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err != nil {
		return err
	}
	defer c.Close()
	state := c.ConnectionState()
	leaf := state.PeerCertificates[0]
	want, err := asn1.Marshal(a.keyAuthorization())
	if err != nil || state.NegotiatedProtocol != "acme-tls/1" || leaf.VerifyHostname(a.name) != nil {
		return fmt.Errorf("%s, %v, %v", state.NegotiatedProtocol, leaf.DNSNames, err)
	}
	for _, e := range leaf.Extensions {
		if e.Id.String() == "1.3.6.1.5.5.7.1.31" && e.Critical && string(e.Value) == string(want) {
			return nil
		}
	}
	return fmt.Errorf("the certificate does not hold the answer")
}

// keyAuthorization is the hash of the token and the account's key: RFC 8555, section 8.1, and
// RFC 7638.
func (a *authority) keyAuthorization() []byte {
	raw := base64.RawURLEncoding
	point, err := a.account.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	jwk := fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, raw.EncodeToString(point[1:33]), raw.EncodeToString(point[33:]))
	thumb := sha256.Sum256([]byte(jwk))
	sum := sha256.Sum256([]byte(a.token + "." + raw.EncodeToString(thumb[:])))
	return sum[:]
}

// sign makes the certificate that is asked for.
func (a *authority) sign(payload []byte) error {
	var f struct{ CSR string }
	if err := json.Unmarshal(payload, &f); err != nil {
		return err
	}
	der, err := base64.RawURLEncoding.DecodeString(f.CSR)
	if err != nil {
		return err
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || csr.CheckSignature() != nil || !a.valid || len(csr.DNSNames) != 1 || csr.DNSNames[0] != a.name {
		return fmt.Errorf("%v: %+v", err, csr)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: csr.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour)}
	made, err := x509.CreateCertificate(rand.Reader, leaf, a.root, csr.PublicKey, a.key)
	a.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})
	return err
}

func (a *authority) ordered() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.orders
}

// A server with a domain gets its certificate by itself, for that name and no other, has it
// still after a restart, and goes on asking when the authority refuses.
func TestACME(t *testing.T) {
	a := newAuthority(t)
	const name = "chat.example.org"
	dir := t.TempDir()
	so := ServeOptions{Domain: name, ACME: a.web.URL + "/directory", acme: a.web.Client()}
	t.Cleanup(a.web.Client().CloseIdleConnections)
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	var r *rig
	dial := func(name string) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		c, err := (&tls.Dialer{Config: &tls.Config{ServerName: name, RootCAs: roots, NextProtos: []string{"http/1.1"}}}).DialContext(ctx, "tcp", r.addr.String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "GET /v1/server HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name); err != nil {
			return err
		}
		head := make([]byte, 15)
		if n, err := c.Read(head); err != nil || !strings.HasPrefix(string(head[:n]), "HTTP/1.1 200") {
			return fmt.Errorf("%q, %v", head[:n], err)
		}
		return nil
	}
	begin := func() {
		r = start(t, Options{Dir: dir, Host: name}, so)
		a.mu.Lock()
		a.at = r.addr.String()
		a.mu.Unlock()
	}
	a.refuses = true
	begin()
	if dial(name) == nil {
		t.Fatal("a certificate that the authority refused")
	}
	a.mu.Lock()
	a.refuses = false
	a.mu.Unlock()
	r.stop()

	begin()
	if err := dial(name); err != nil {
		t.Fatal(err)
	}
	n := a.ordered()
	if dial("other.example.org") == nil || dial("evil.chat.example.org") == nil {
		t.Error("a certificate for another name")
	}
	if err := dial(name); err != nil || a.ordered() != n {
		t.Errorf("%v; ordered %d times, not %d", err, a.ordered(), n)
	}
	r.stop()
	begin()
	if err := dial(name); err != nil || a.ordered() != n {
		t.Errorf("after a restart: %v; ordered %d times, not %d", err, a.ordered(), n)
	}
	r.stop()
}
