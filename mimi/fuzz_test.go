package mimi

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// FuzzParse holds Parse to its promise: what it takes it gives back byte for
// byte, an independent decoder finds it well-formed, and no reader panics.
func FuzzParse(f *testing.F) {
	for _, w := range wants {
		f.Add(vectorFile(f, w.name+".cbor"))
	}
	for _, h := range hostile {
		f.Add(unhex(f, h.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			return
		}
		if out, err := c.Marshal(); err != nil || !bytes.Equal(out, b) {
			t.Fatalf("got %x, %v", out, err)
		}
		if err := cbor.Wellformed(b); err != nil {
			t.Fatal(err)
		}
		sender, _ := c.SenderURI()
		room, _ := c.RoomURI()
		if id, err := c.MessageID(sender, room); err != nil || id[0] != hashSHA256 {
			t.Fatal(id, err)
		}
		read(t, c)
	})
}

func read(t *testing.T, c *Content) {
	t.Helper()
	if text, ok := c.Text(); ok && !utf8.ValidString(text.Content) {
		t.Fatal("text is not UTF-8")
	}
	if c.Kind() == KindText {
		if _, ok := c.Text(); !ok {
			t.Fatal("a text without text")
		}
	}
	for _, l := range c.Attachments() {
		if e, ok := l.Part.Body.(External); ok && strings.ContainsAny(e.SaveName(), "/\\\x00") {
			t.Fatalf("saves as %q", e.SaveName())
		}
	}
	c.Reactions()
	c.Mentions(func(string) bool { return true })
	_, _ = c.Report()
}

// FuzzParseReport is FuzzParse for status reports.
func FuzzParseReport(f *testing.F) {
	f.Add(unhex(f, "80"))
	f.Add(unhex(f, "81 82"+idHex+"02"))
	f.Add(unhex(f, "82 82"+idHex+"02 82"+idHex+"18ff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		report, err := ParseReport(b)
		if err != nil {
			return
		}
		if out, err := report.Marshal(); err != nil || !bytes.Equal(out, b) {
			t.Fatalf("got %x, %v", out, err)
		}
	})
}

// FuzzMarkdown: escaping is idempotent, keeps UTF-8, adds nothing but
// entities, and links lie in the text.
func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"[@Ana](" + ana + ")", "<b>`<b>`", "```\n<b>\n```", "\\", "[![a](b)](<c>)", "<a:b>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range Links(s) {
			if l.URI == "" || !strings.Contains(s, l.URI) || !strings.Contains(s, l.Text) {
				t.Fatalf("%q: %+v", s, l)
			}
		}
		escaped := EscapeHTML(s)
		if EscapeHTML(escaped) != escaped || utf8.ValidString(s) != utf8.ValidString(escaped) {
			t.Fatalf("%q: %q", s, escaped)
		}
		if len(escaped) != len(s)+3*(strings.Count(s, "<")-strings.Count(escaped, "<")) {
			t.Fatalf("%q: %q", s, escaped)
		}
	})
}
