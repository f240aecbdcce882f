package client

import (
	"slices"
	"strings"
	"testing"

	"sotto/internal/wire"
)

// A home server names its own relay and nobody else's: no other machine is contacted at its
// word, whatever it writes.
func TestReadRelays(t *testing.T) {
	good := wire.Relays{Username: "1:x", Password: "y", Until: 9, URLs: []string{
		"stun:example.org:3478", "turn:example.org:3478?transport=udp", "turn:example.org:3478?transport=tcp",
		"turn:example.org:443?transport=tcp", "turns:example.org:443?transport=tcp",
	}}
	for _, host := range []string{"example.org", "example.org:7700"} {
		if r, err := readRelays(host, good); err != nil || !slices.Equal(r.URLs, good.URLs) || r.Username != "1:x" || r.Password != "y" || r.Until != 9 {
			t.Errorf("%s: %+v, %v", host, r, err)
		}
	}
	six := wire.Relays{Username: "1:x", Password: "y", URLs: []string{"turn:[2001:db8::1]:3478?transport=udp", "turn:[2001:db8::2]:3478?transport=udp"}}
	if r, err := readRelays("[2001:db8::1]:7700", six); err != nil || len(r.URLs) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, u := range []string{
		"", "stun:", "stun:example.org", "stun:example.org:0", "stun:example.org:65536", "stun:example.org:+1", "stun:example.org:03478",
		"stun:example.org:3478?transport=udp", "turn:example.org:3478", "turn:example.org:3478?transport=sctp", "turns:example.org:443?transport=udp",
		"turn:192.168.1.1:3478?transport=udp", "turn:elsewhere.example:3478?transport=udp", "turn:example.org.elsewhere.example:3478?transport=udp",
		"turn:user@example.org:3478?transport=udp", "https://example.org:443", "turn:example.org:3478?transport=udp&x", "turn:" + strings.Repeat("x", wire.MaxRelayURL),
	} {
		if relayURL(u, "example.org") {
			t.Errorf("%q is taken", u)
		}
	}
	for name, change := range map[string]func(*wire.Relays){
		"no name":       func(r *wire.Relays) { r.Username = "" },
		"a long name":   func(r *wire.Relays) { r.Username = strings.Repeat("x", 129) },
		"no password":   func(r *wire.Relays) { r.Password = "" },
		"too many":      func(r *wire.Relays) { r.URLs = slices.Repeat(good.URLs, 4) },
		"none":          func(r *wire.Relays) { r.URLs = nil },
		"all elsewhere": func(r *wire.Relays) { r.URLs = []string{"stun:elsewhere.example:3478"} },
		"no end":        func(r *wire.Relays) { r.Until = 1 << 60 },
	} {
		r := good
		change(&r)
		if _, err := readRelays("example.org", r); wire.CodeOf(err) != wire.CodeMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}
