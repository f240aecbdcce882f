package wire

import (
	"strings"
	"testing"
)

func TestParseHandle(t *testing.T) {
	long := strings.Repeat("a", 32)
	label := strings.Repeat("a", 63)
	for in, want := range map[string]string{
		"ana@example.org":                  "ana@example.org",
		"ANA@Example.ORG":                  "ana@example.org",
		"a.n-a_1@example.org":              "a.n-a_1@example.org",
		"7@example.org":                    "7@example.org",
		long + "@example.org":              long + "@example.org",
		"ana@localhost":                    "ana@localhost",
		"ana@example.org:7700":             "ana@example.org:7700",
		"ana@example.org:443":              "ana@example.org",
		"ana@xn--bcher-kva.example":        "ana@xn--bcher-kva.example",
		"ana@a--b.example":                 "ana@a--b.example",
		"ana@192.0.2.1":                    "ana@192.0.2.1",
		"ana@192.0.2.1:80":                 "ana@192.0.2.1:80",
		"ana@[2001:DB8:0::1]":              "ana@[2001:db8::1]",
		"ana@[2001:db8:0:0:0:0:0:1]:443":   "ana@[2001:db8::1]",
		"ana@[::1]:7700":                   "ana@[::1]:7700",
		"ana@1.example":                    "ana@1.example",
		"ana@0x7f.example":                 "ana@0x7f.example",
		"ana@" + label + ".org":            "ana@" + label + ".org",
		"ana@example.org:65535":            "ana@example.org:65535",
		"ana@x" + strings.Repeat(".a", 99): "ana@x" + strings.Repeat(".a", 99),
	} {
		h, err := ParseHandle(in)
		if err != nil || h.String() != want {
			t.Errorf("%q: %q, %v", in, h, err)
		}
		if again, err := ParseHandle(h.String()); again != h || err != nil {
			t.Errorf("%q: the normal form is not normal: %q, %v", in, again, err)
		}
	}
	for _, in := range []string{
		"", "@", "ana", "ana@", "@example.org", "ana@@example.org", "ana@b@example.org", " ana@example.org",
		"ana@example.org ", "ana@example.org\n", "ana@exa mple.org", "an\x00a@example.org",
		".ana@example.org", "ana.@example.org", "-ana@example.org", "ana_@example.org", "an+a@example.org",
		"a/b@example.org", "änne@example.org", "ana@bücher.example", "\u212aim@example.org", "kim@\u212a.example",
		"\u0430na@example.org", "ana\u200b@example.org", long + "a@example.org",
		"ana@example..org", "ana@.example.org", "ana@example.org.", "ana@-example.org", "ana@example-.org",
		"ana@exam_ple.org", "ana@" + label + "a.org", "ana@" + strings.Repeat("a.", 130) + "a",
		"ana@example.org:", "ana@example.org:0", "ana@example.org:65536", "ana@example.org:0443",
		"ana@example.org:+1", "ana@example.org:-1", "ana@example.org:7700:7700", "ana@example.org:https", "ana@:443",
		"ana@1", "ana@127.1", "ana@192.0.2", "ana@192.0.2.256", "ana@192.0.2.01", "ana@0300.0.2.1", "ana@1.2.3.4.5",
		"ana@0x7f000001", "ana@0x7f.0.0.0x1", "ana@0X7F000001", "ana@example.123", "ana@2130706433", "ana@0x",
		"ana@::1", "ana@[::1", "ana@::1]", "ana@[]", "ana@[::1]x", "ana@[::1]:", "ana@[fe80::1%eth0]", "ana@[192.0.2.1]",
		"ana@[::ffff:192.0.2.1]", "ana@[[::1]]", "ana@example.org/x", "ana@example.org#x", "ana@example.org?x",
		"ana@user:pw@example.org", "ana@https://example.org",
	} {
		if h, err := ParseHandle(in); err == nil {
			t.Errorf("%q is taken as %q", in, h)
		} else if CodeOf(err) != CodeMalformed || err.Error() == "malformed" {
			t.Errorf("%q: no sentence: %v", in, err)
		}
	}
}

func FuzzParseHandle(f *testing.F) {
	for _, s := range []string{"ana@example.org", "A@[::1]:443", "a@127.0.0.1:1", "\u212a@x", "a@0x1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHandle(s)
		if err != nil {
			return
		}
		n := h.String()
		if again, err := ParseHandle(n); err != nil || again != h {
			t.Errorf("%q: %q, then %q, %v", s, n, again, err)
		}
		if len(n) > MaxHandle || strings.ToLower(n) != n || strings.Count(n, "@") != 1 {
			t.Errorf("%q: %q", s, n)
		}
		for _, c := range []byte(n) {
			if c <= ' ' || c > '~' {
				t.Errorf("%q: %q", s, n)
			}
		}
	})
}
