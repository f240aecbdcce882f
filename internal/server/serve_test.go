package server

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"sotto/internal/wire"
)

// A server that was told no host has one that stands in handles, or says what it needs.
func TestHostAt(t *testing.T) {
	for _, c := range []struct{ domain, bound, want string }{
		{"", "127.0.0.1:7700", "127.0.0.1:7700"},
		{"", "192.0.2.7:443", "192.0.2.7"},
		{"", "[2001:db8::1]:7700", "[2001:db8::1]:7700"},
		{"", "[2001:db8::1]:443", "[2001:db8::1]"},
		{"Example.ORG", "0.0.0.0:443", "example.org"},
		{"example.org", "[::]:443", "example.org"},
		{"", "0.0.0.0:443", ""},
		{"", "[::]:7700", ""},
		{"", "[fe80::1%eth0]:7700", ""},
		{"not a domain", "127.0.0.1:443", ""},
	} {
		got, err := hostAt(c.domain, netip.MustParseAddrPort(c.bound))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q at %s: %q, %v", c.domain, c.bound, got, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "--host") || !strings.Contains(err.Error(), "--domain")) {
			t.Errorf("%q at %s: %v does not say what to do", c.domain, c.bound, err)
		}
		if normal, err := wire.ParseHost(got); got != "" && (err != nil || normal != got) {
			t.Errorf("%q is not its own normal form", got)
		}
	}
}

func TestServeEverywhereNeedsAHost(t *testing.T) {
	dir := t.TempDir()
	cert, key := selfMade(t, dir, 1)
	s, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Serve(context.Background(), ServeOptions{Listen: "0.0.0.0:0", CertFile: cert, KeyFile: key})
	if err == nil || !strings.Contains(err.Error(), "--host") {
		t.Fatal(err)
	}
}
