package command

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"sotto/mimi"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, line, block string }{
		{"plain", "plain", "plain"},
		{"a\nb", "a⏎ b", "a\n..b"},
		{"a\r\nb\n\n", "a⏎ b", "a\n..b"},
		{"a\rb", "a<U+000D>b", "a<U+000D>b"},
		{"a\tb\u00a0c", "a b c", "a b c"},
		{"\x1b[2J\x07", "<U+001B>[2J<U+0007>", "<U+001B>[2J<U+0007>"},
		{"\u009b31m", "<U+009B>31m", "<U+009B>31m"},
		{"\u202egnp\u2066", "<U+202E>gnp<U+2066>", "<U+202E>gnp<U+2066>"},
		{"a\u200bb\ufeff", "a<U+200B>b<U+FEFF>", "a<U+200B>b<U+FEFF>"},
		{"a\u2028b", "a<U+2028>b", "a<U+2028>b"},
		{"\U000e0041", "<U+E0041>", "<U+E0041>"},
		{"\xff\xfe", "<ff><fe>", "<ff><fe>"},
		{"\ufffd", "\ufffd", "\ufffd"},
		{"👩‍👩‍👧 ❤️ é", "👩‍👩‍👧 ❤️ é", "👩‍👩‍👧 ❤️ é"},
		{"מה שלום", "מה שלום", "מה שלום"},
		{"e" + strings.Repeat("\u0301", 50), "e" + strings.Repeat("\u0301", maxMarks), "e" + strings.Repeat("\u0301", maxMarks)},
	} {
		if got := line(c.in); got != c.line {
			t.Errorf("line(%q) = %q, not %q", c.in, got, c.line)
		}
		if got := block(c.in, ".."); got != c.block {
			t.Errorf("block(%q) = %q, not %q", c.in, got, c.block)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b]0;x\x07\n\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range line(s) {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("%q shows %U", s, r)
			}
		}
		for l := range strings.SplitSeq(block(s, "  "), "\n") {
			for _, r := range l {
				if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
					t.Fatalf("%q shows %U", s, r)
				}
			}
		}
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		plain := plainJSON(want)
		var a, b string
		if json.Unmarshal(want, &a) != nil || json.Unmarshal(plain, &b) != nil || a != b {
			t.Fatalf("%s is another value than %s", plain, want)
		}
		for _, r := range string(plain) {
			if !safe(r) {
				t.Fatalf("%s has %U", plain, r)
			}
		}
	})
}

func TestWritten(t *testing.T) {
	for _, s := range []string{"a <b>tag</b>", "1 < 2", "`<b>`", "<https://example.org>", "&lt;", "plain & simple", "<!-- -->"} {
		if got := mimi.Written(mimi.EscapeHTML(s)); got != s && s != "&lt;" {
			t.Errorf("%q came back as %q", s, got)
		}
	}
}
