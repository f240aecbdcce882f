package mimi

import (
	"iter"
	"regexp"
	"strings"
)

// This file knows just enough Markdown (GFM-MIMI, section 7.1.1) to write
// mentions, find links and keep HTML out. It skips code spans, fenced code
// and escapes. It does not know indented code, reference links or HTML
// entities: a mention hidden in those is not found, one in indented code is
// found though no reader sees a link. Nothing but a notification hangs on it;
// whoever renders the text parses it in full.

// Link is a link in a text: [Text](URI) or <URI>.
type Link struct {
	Text string // as written, Markdown included; the sender's choice, not to be trusted
	URI  string
}

// Mention writes a mention: a link to a person's or a room's URI (section
// 5.4). name is shown literally. A URI that Markdown cannot carry (spaces,
// control characters, <, >, \ or a backtick) yields the escaped name alone.
func Mention(name, uri string) string {
	text := escapable.ReplaceAllString(strings.Join(strings.Fields(name), " "), `\$0`)
	if uri == "" || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' || r == '\\' || r == '`' }) {
		return text
	}
	if strings.ContainsAny(uri, "()") {
		return "[" + text + "](<" + uri + ">)"
	}
	return "[" + text + "](" + uri + ")"
}

// escapable is ASCII punctuation that may mean something in a line's middle.
var escapable = regexp.MustCompile("[\\\\`*_{}\\[\\]()<>#+!|~&-]")

// Mentions are the links in the message's Markdown text whose URI isMember
// accepts. A link to somebody who is not in the room is just a link (section
// 9.6). Show the person's real name: Link.Text is only the sender's hint.
func (c *Content) Mentions(isMember func(uri string) bool) []Link {
	t, ok := c.Text()
	if !ok || !t.Markdown {
		return nil
	}
	var found []Link
	for _, l := range Links(t.Content) {
		if isMember(l.URI) {
			found = append(found, l)
		}
	}
	return found
}

// autolink matches <scheme:address>, GFM section 6.9.
var autolink = regexp.MustCompile(`^<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\x00-\x20<>\x7f]*)>`)

// destination matches what follows a link's text: (uri) or (<uri>), with an
// optional title in double quotes.
var destination = regexp.MustCompile(`^\((?:<([^<>\n\\]+)>|([^\s()<>\\]+))(?:[ \t]+"[^"\n]*")?\)`)

// maxBrackets bounds how deep link texts may nest before they are ignored.
const maxBrackets = 32

// Links finds the links in Markdown, images excepted, in the order in which
// they end.
func Links(markdown string) []Link {
	var links []Link
	var open []int // positions of [ that may begin a link text; -1 for images
	eachProse(markdown, func(i int) int {
		switch markdown[i] {
		case '<':
			if m := autolink.FindStringSubmatch(window(markdown, i)); m != nil {
				links = append(links, Link{m[1], m[1]})
				return len(m[0])
			}
		case '[':
			if len(open) == maxBrackets {
				open = append(open[:0], open[1:]...)
			}
			if i > 0 && markdown[i-1] == '!' {
				open = append(open, -1)
			} else {
				open = append(open, i)
			}
		case ']':
			if len(open) == 0 {
				return 1
			}
			start := open[len(open)-1]
			open = open[:len(open)-1]
			m := destination.FindStringSubmatch(window(markdown, i+1))
			if m == nil || start < 0 {
				return 1
			}
			open = open[:0] // links do not nest: GFM section 6.6
			links = append(links, Link{markdown[start+1 : i], m[1] + m[2]})
			return 1 + len(m[0])
		}
		return 1
	})
	return links
}

// window is what a pattern may look at from i on; the bound keeps the scan
// linear, and links longer than it are not found.
func window(s string, i int) string { return s[i:min(len(s), i+1400)] }

// EscapeHTML replaces the < of everything that could be an HTML tag, comment,
// declaration or instruction by &lt; outside code (section 7.1.1). It may
// escape a < that begins no tag, which looks the same when rendered.
func EscapeHTML(markdown string) string {
	var b strings.Builder
	done := 0
	eachProse(markdown, func(i int) int {
		if markdown[i] != '<' || i+1 == len(markdown) || !opensTag(markdown[i+1]) {
			return 1
		}
		if m := autolink.FindString(window(markdown, i)); m != "" {
			return len(m)
		}
		b.WriteString(markdown[done:i])
		b.WriteString("&lt;")
		done = i + 1
		return 1
	})
	b.WriteString(markdown[done:])
	return b.String()
}

// Written is a text as its author wrote it: what EscapeHTML did is taken back, where that
// is what made the text.
func Written(markdown string) string {
	if s := strings.ReplaceAll(markdown, "&lt;", "<"); EscapeHTML(s) == markdown {
		return s
	}
	return markdown
}

func opensTag(c byte) bool {
	return c == '/' || c == '!' || c == '?' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// AtNames are what stands behind an @ in a text, outside of code, as people write it who name
// somebody without a link: @ana, @ana@example.org. What they name is not for Markdown to say.
func AtNames(markdown string) iter.Seq[string] {
	return func(yield func(string) bool) {
		over := false
		eachProse(markdown, func(i int) int {
			if over || markdown[i] != '@' || i > 0 && isName(markdown[i-1]) {
				return 1
			}
			end := i + 1
			for end < len(markdown) && end < i+maxAtName && (isName(markdown[end]) || markdown[end] == '@' || markdown[end] == ':') {
				end++
			}
			if name := strings.TrimRight(markdown[i+1:end], ".-_@:"); name != "" {
				over = !yield(name)
			}
			return max(end-i, 1)
		})
	}
}

// maxAtName bounds what is taken for a name behind an @: a handle has at most 320 bytes.
const maxAtName = 321

// isName says whether a byte may stand in a handle.
func isName(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-' || c >= 0x80
}
