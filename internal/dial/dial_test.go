package dial

import "testing"

// Beyond loopback a device speaks TLS or nothing, and a host without a port means 443.
func TestNothingInPlain(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1:7700":      "http://127.0.0.1:7700",
		"[::1]:7700":          "http://[::1]:7700",
		"localhost":           "http://localhost:443",
		"127.0.0.1":           "http://127.0.0.1:443",
		"example.org":         "https://example.org:443",
		"example.org:7700":    "https://example.org:7700",
		"192.0.2.1:7700":      "https://192.0.2.1:7700",
		"10.0.0.1":            "https://10.0.0.1:443",
		"[2001:db8::1]":       "https://[2001:db8::1]:443",
		"localhost.org":       "https://localhost.org:443",
		"127.0.0.1.org:7700":  "https://127.0.0.1.org:7700",
		"a.localhost:7700":    "https://a.localhost:7700",
		"[::ffff:a00:1]:7700": "https://[::ffff:a00:1]:7700",
	} {
		if got := address(host, "http", "https"); got != want {
			t.Errorf("%s: %s, not %s", host, got, want)
		}
	}
}
