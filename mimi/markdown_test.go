package mimi

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const ana = "mimi://example.org/u/ana"

func TestLinks(t *testing.T) {
	a := Link{"@Ana", ana}
	for markdown, want := range map[string][]Link{
		"":                                          nil,
		"[@Ana](" + ana + ")":                       {a},
		"[@Ana](<" + ana + ">)":                     {a},
		"[@Ana](" + ana + ` "title")`:               {a},
		"<" + ana + ">":                             {{ana, ana}},
		"see [a [b] c](" + ana + ")":                {{"a [b] c", ana}},
		"[[@Ana](" + ana + ")](http://x)":           {a},
		"[x](http://x) and [@Ana](" + ana + ")":     {{"x", "http://x"}, a},
		`\[@Ana](` + ana + ")":                      nil,
		`[@Ana\](` + ana + ")":                      nil,
		"![@Ana](" + ana + ")":                      nil,
		"[@Ana] (" + ana + ")":                      nil,
		"[@Ana](" + ana:                             nil,
		"[@Ana]()":                                  nil,
		ana:                                         nil, // no autolink extension
		"`[@Ana](" + ana + ")`":                     nil,
		"``[@Ana](" + ana + ")` ``":                 nil,
		"`[@Ana](" + ana + ")":                      {a}, // nothing closes the span
		"`\n\n[@Ana](" + ana + ")`":                 {a}, // nor across paragraphs
		"```\n[@Ana](" + ana + ")\n```\n":           nil,
		"~~~ go\n[@Ana](" + ana + ")":               nil,
		"   ````\n```\n[@Ana](" + ana + ")\n````":   nil,
		"```\nx\n```\n[@Ana](" + ana + ")":          {a},
		"[@Ana](" + strings.Repeat("x", 5000) + ")": nil,
		`\`: nil,
	} {
		if got := Links(markdown); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", markdown, got, want)
		}
	}
}

func TestMention(t *testing.T) {
	for _, uri := range []string{ana, "mimi://example.org/u/a(b)", "im:ana@example.org"} {
		for _, name := range []string{"Ana", "](http://evil)[", "`*_[]<b>\\", "two\n\nlines", "![x"} {
			got := Links("hello " + Mention(name, uri) + " and `more`")
			if len(got) != 1 || got[0].URI != uri {
				t.Errorf("%q, %q: %v", name, uri, got)
			}
		}
	}
	for _, uri := range []string{"", "a b", "a>b", "a\nb", "a`b"} {
		if got := Links(Mention("Ana", uri)); got != nil || Mention("Ana", uri) != "Ana" {
			t.Errorf("%q: %v", uri, got)
		}
	}
	c, err := NewText(random(), Mention("Ana", ana)+" "+Mention("Eve", "mimi://elsewhere/u/eve"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Mentions(func(uri string) bool { return uri == ana }); len(got) != 1 || got[0].Text != "Ana" {
		t.Errorf("mentions = %v", got)
	}
}

func TestEscapeHTML(t *testing.T) {
	for in, want := range map[string]string{
		"a < b, 1<2":                   "a < b, 1<2",
		"<b>x</b>":                     "&lt;b>x&lt;/b>",
		"<!-- x --> <?php ?> <!A>":     "&lt;!-- x --> &lt;?php ?> &lt;!A>",
		"<" + ana + ">":                "<" + ana + ">",
		"`<b>` <b>":                    "`<b>` &lt;b>",
		"```\n<b>\n```\n<b>":           "```\n<b>\n```\n&lt;b>",
		"[x](<" + ana + ">)":           "[x](<" + ana + ">)",
		"<img src=x onerror=alert(1)>": "&lt;img src=x onerror=alert(1)>",
		"&lt;b>":                       "&lt;b>",
		`\<b>`:                         `\<b>`,
		"ends with <":                  "ends with <",
	} {
		got := EscapeHTML(in)
		if got != want || EscapeHTML(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A message of the largest size is scanned in a bounded time, whatever it is.
func TestMarkdownIsLinear(t *testing.T) {
	long := func(s string) string { return strings.Repeat(s, MaxMessage/len(s)) }
	var rising strings.Builder
	for n := 1; rising.Len() < MaxMessage; n++ {
		rising.WriteString(strings.Repeat("`", n) + " ")
	}
	for _, s := range []string{
		long("["), long("]"), long("](a"), long("[a](<"), long("<a:"), long("`"), long("` ``"), long("```\n"),
		long("~~~ `\n"), long("\\"), long("\n\n`"), long("]("), long("![a]("), rising.String(), long(`[](a "`),
	} {
		start := time.Now()
		Links(s)
		EscapeHTML(s)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q…: %v", s[:9], d)
		}
	}
}
