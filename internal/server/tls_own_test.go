package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sotto/internal/wire"
)

// A server that vouches for itself shows the same key after a restart and with each fresh
// certificate, names it in its links, and asks no browser to insist on TLS.
func TestOwnKey(t *testing.T) {
	dir := t.TempDir()
	own := ServeOptions{Own: true}
	o := Options{Dir: dir, Host: "nas.local:7700"}
	var first wire.Hash
	for range 2 {
		r := start(t, o, own)
		c, err := tls.Dial("tcp", r.addr.String(), &tls.Config{InsecureSkipVerify: true, ServerName: "nas.local"})
		if err != nil {
			t.Fatal(err)
		}
		leaf := c.ConnectionState().PeerCertificates[0]
		c.Close()
		pin := wire.Hash(sha256.Sum256(leaf.RawSubjectPublicKeyInfo))
		if first == (wire.Hash{}) {
			first = pin
		}
		if pin != first || pin != r.s.Pin() || leaf.VerifyHostname("nas.local") != nil || leaf.IsCA || time.Until(leaf.NotAfter) < ownRenew {
			t.Fatalf("%x, not %x; %+v", pin, first, leaf)
		}
		made, err := r.s.Invite(1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if l, err := wire.ParseLink(made.Links[0]); err != nil || l.Pin != first || l.Host != "nas.local:7700" {
			t.Fatalf("%+v, %v", l, err)
		}
		r.stop()
	}
	path := filepath.Join(dir, ownKeyFile)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	for _, damaged := range []string{"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "x"} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ownKey(path); err == nil {
			t.Errorf("%q is taken for a key", damaged)
		}
	}
}

// The certificate is made anew when a third of its time is left, by the clock of the server.
func TestOwnCertificateAges(t *testing.T) {
	key, err := ownKey(filepath.Join(t.TempDir(), ownKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	o := &ownCert{key: key, host: func() string { return "[fd00::1]:7700" }, now: func() time.Time { return now }}
	get := func() *tls.Certificate {
		t.Helper()
		c, err := o.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := get()
	if first.Leaf.VerifyHostname("fd00::1") != nil || get() != first {
		t.Error("it names another host, or is made each time")
	}
	now = now.Add(ownLife - ownRenew - time.Hour)
	if get() != first {
		t.Error("made anew too early")
	}
	now = now.Add(2 * time.Hour)
	if c := get(); c == first || string(c.Leaf.RawSubjectPublicKeyInfo) != string(first.Leaf.RawSubjectPublicKeyInfo) {
		t.Error("not made anew, or with another key")
	}
}

// A certificate of its own is for the own network alone.
func TestOwnOnlyWhereItCounts(t *testing.T) {
	for host, o := range map[string]ServeOptions{
		"": {Own: true, Listen: ":0"}, "example.org": {Own: true, Listen: ":0"}, "127.0.0.1:7700": {Own: true, Listen: "127.0.0.1:0"},
		"nas": {Own: true, Listen: ":0", BehindProxy: true}, "nas.local": {Own: true, Listen: ":0", Domain: "example.org"},
		"10.0.0.1": {Own: true, Listen: ":0", CertFile: "x", KeyFile: "y"},
	} {
		s, err := New(Options{Dir: t.TempDir(), Host: host})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Serve(context.Background(), o); err == nil {
			t.Errorf("%q was served with %+v", host, o)
		}
		s.Close()
	}
}
