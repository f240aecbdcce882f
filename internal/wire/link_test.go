package wire

import (
	"bytes"
	"encoding/base64"
	"os"
	"strings"
	"testing"
)

func links() map[string]Link {
	return map[string]Link{
		"operator": {Kind: LinkAccount, Host: "example.org", Code: "abcd-efgh-jkmn-pqrs", Until: 1_700_000_000_000},
		"home":     {Kind: LinkAccount, Host: "192.168.1.20:7700", Code: "abcd-efgh-jkmn-pqrs", Pin: Hash{9}},
		"person":   {Kind: LinkAccount, Host: "example.org", Handle: "ana@example.org", Account: Hash{1}, Name: "Ana", Code: "abcd"},
		"default":  {Kind: LinkAccount, Host: "[::1]", Code: "abcd"},
		"contact":  {Kind: LinkContact, Host: "localhost:7700", Handle: "ana@localhost:7700", Account: Hash{1}, Name: "אנה"},
		"room":     {Kind: LinkRoom, Host: "example.org", Handle: "ana@example.org", Account: Hash{1}, Title: "Team", ID: [16]byte{2}, Secret: Secret{3}, Approve: true},
		"largest": {Kind: LinkRoom, Host: strings.Repeat("a.", 100) + "org", Handle: strings.Repeat("x", 32) + "@" + strings.Repeat("a.", 100) + "org",
			Account: Hash{1}, Name: strings.Repeat("n", MaxLinkText), Title: strings.Repeat("t", MaxLinkText), Code: strings.Repeat("c", MaxLinkCode),
			ID: [16]byte{2}, Secret: Secret{3}, Until: 1 << 62, Approve: true, Pin: Hash{4}},
	}
}

func TestLinks(t *testing.T) {
	for name, l := range links() {
		for _, s := range []string{
			l.String(), l.Scheme(), "#" + l.fragment(), " <" + l.String() + ">.\n", "SOTTO:" + l.fragment(),
			l.String()[:40] + "\r\n " + l.String()[40:], "(" + l.Scheme() + "),", strings.Replace(l.String(), "http", "HTTP", 1),
		} {
			if got, err := ParseLink(s); err != nil || got != l {
				t.Errorf("%s: %q: %v", name, s, err)
			}
		}
		if len(l.String()) > MaxLink {
			t.Errorf("%s: %d bytes", name, len(l.String()))
		}
	}
	if s := links()["contact"].String(); !strings.HasPrefix(s, "http://localhost:7700/i#") {
		t.Error(s)
	}
	if s := links()["operator"].String(); !strings.HasPrefix(s, "https://example.org/i#") {
		t.Error(s)
	}
}

// A link that shows one server and leads to another, or is not one that a program makes.
func TestBadLinks(t *testing.T) {
	good := links()
	contact := good["contact"]
	change := func(name string, f func(l *Link)) string {
		l := good[name]
		f(&l)
		return l.String()
	}
	twice := append(Marshal(contact), 0)
	for name, s := range map[string]string{
		"empty": "", "no fragment": "https://example.org/i", "no link": "https://example.org/i#", "words": "#hello",
		"elsewhere":       "https://evil.example/i#" + contact.fragment(),
		"userinfo":        "https://example.org@evil.example/i#" + good["operator"].fragment(),
		"path":            "https://example.org/x/i#" + good["operator"].fragment(),
		"script":          "javascript://example.org/i#" + good["operator"].fragment(),
		"cut":             contact.String()[:len(contact.String())-3],
		"padded":          contact.String() + "=",
		"longer":          "#" + base64.RawURLEncoding.EncodeToString(twice),
		"huge":            "#" + strings.Repeat("A", 3*MaxLink),
		"kind":            change("contact", func(l *Link) { l.Kind = 4 }),
		"no kind":         change("contact", func(l *Link) { l.Kind = 0 }),
		"host":            change("operator", func(l *Link) { l.Host = "Example.org" }),
		"port 443":        change("operator", func(l *Link) { l.Host = "example.org:443" }),
		"no host":         change("operator", func(l *Link) { l.Host = "" }),
		"handle":          change("contact", func(l *Link) { l.Handle = "ana" }),
		"handle's host":   change("contact", func(l *Link) { l.Handle = "ana@example.org" }),
		"nobody":          change("contact", func(l *Link) { l.Handle = "" }),
		"whoever":         change("person", func(l *Link) { l.Account = Hash{} }),
		"any account":     change("contact", func(l *Link) { l.Account = Hash{} }),
		"nobody's name":   change("operator", func(l *Link) { l.Name = "Ana" }),
		"contact to room": change("contact", func(l *Link) { l.Secret = Secret{1} }),
		"no secret":       change("room", func(l *Link) { l.Secret = Secret{} }),
		"no id":           change("room", func(l *Link) { l.ID = [16]byte{} }),
		"two lines":       change("person", func(l *Link) { l.Name = "Ana\nBo" }),
		"long name":       change("person", func(l *Link) { l.Name = strings.Repeat("n", MaxLinkText+1) }),
		"code":            change("operator", func(l *Link) { l.Code = "ab cd" }),
		"long code":       change("operator", func(l *Link) { l.Code = strings.Repeat("c", MaxLinkCode+1) }),
	} {
		if l, err := ParseLink(s); CodeOf(err) != CodeMalformed || l != (Link{}) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}

// TestDocumentedLink: the link in docs/protocol.md is what this program makes.
func TestDocumentedLink(t *testing.T) {
	l := Link{Kind: LinkContact, Host: "example.org", Handle: "ana@example.org", Account: Hash(bytes.Repeat([]byte{0x1a}, 32)), Name: "Ana", Until: 1_800_000_000_000}
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(strings.Fields(string(doc)), ""), l.String()) {
		t.Errorf("docs/protocol.md has not\n%s", l)
	}
}

func TestLinkText(t *testing.T) {
	for in, want := range map[string]string{
		"Ana": "Ana", "two\nlines\x00": "two lines ", "\xff": "\ufffd",
		strings.Repeat("ä", MaxLinkText): strings.Repeat("ä", MaxLinkText/2), "x" + strings.Repeat("ä", MaxLinkText): "x" + strings.Repeat("ä", MaxLinkText/2-1),
	} {
		if got := LinkText(in); got != want || !linkText(got) {
			t.Errorf("%q became %q", in, got)
		}
	}
	for s, want := range map[string]bool{"#x": true, "sotto:x": true, " SOTTO:x": true, "https://example.org/i#x": true, "abcd-efgh": false, "ana@sotto": false} {
		if IsLink(s) != want {
			t.Errorf("%q", s)
		}
	}
}

func TestLocalNetwork(t *testing.T) {
	for host, want := range map[string][2]bool{ // local, may vouch for itself
		"10.0.0.1": {true, true}, "192.168.1.20:7700": {true, true}, "172.16.0.1": {true, true}, "169.254.1.1": {true, true},
		"100.64.1.1:1": {true, true}, "[fd00::1]:7700": {true, true}, "nas": {true, true}, "nas:7700": {true, true},
		"ana.local:7700": {true, true}, "nas.home.arpa": {true, true},
		"8.8.8.8:7700": {false, true}, "[2a00::1]": {false, true},
		"127.0.0.1:7700": {}, "localhost": {}, "[::1]": {}, "0.0.0.0": {}, "224.0.0.1": {},
		"example.org": {}, "local.org:7700": {}, "notlocal.example": {}, "10.0.0.1.org": {}, "172.32.0.1": {false, true},
	} {
		if got := [2]bool{LocalNetwork(host), SelfVouched(host)}; got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	for _, l := range links() {
		f.Add(l.String())
		f.Add(l.Scheme())
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLink(s)
		if err != nil {
			if CodeOf(err) != CodeMalformed || l != (Link{}) {
				t.Fatal(err)
			}
			return
		}
		if again, err := ParseLink(l.String()); err != nil || again != l {
			t.Fatalf("%+v: %v", l, err)
		}
	})
}
