package command

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text from others must not drive the terminal: no control characters, no escape
// sequences, nothing that reorders or hides what stands beside it. What is not safe is
// shown as its code point.

const (
	joiner    = '\u200d' // holds emoji together
	maxMarks  = 4        // combining marks on one character
	tagsFirst = 0xe0000
)

// safe says whether a rune may be shown as it is.
func safe(r rune) bool {
	switch {
	case r == joiner, 0xfe00 <= r && r <= 0xfe0f:
		return true
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r >= tagsFirst:
		return false
	case r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0', r == '\u2800': // blanks that are letters
		return false
	}
	return unicode.IsPrint(r)
}

// line is text on one line.
func line(s string) string { return clean(s, "⏎ ") }

// block is text whose further lines are indented, so that none of them can pretend to
// be something that sotto says.
func block(s, indent string) string { return clean(s, "\n"+indent) }

func clean(s, newline string) string {
	var b strings.Builder
	marks := 0
	s = strings.ReplaceAll(strings.TrimRight(s, "\n"), "\r\n", "\n")
	for i, r := range s {
		marks++
		if !unicode.Is(unicode.M, r) {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, "<%02x>", s[i])
		case r == '\n':
			b.WriteString(newline)
		case r == '\t', r != ' ' && unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case safe(r) && marks <= maxMarks:
			b.WriteRune(r)
		case marks > maxMarks:
		default:
			fmt.Fprintf(&b, "<%U>", r)
		}
	}
	return b.String()
}

// plainJSON writes what is not safe in JSON's strings as escapes: the value is the same.
func plainJSON(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		switch {
		case safe(r):
			out = utf8.AppendRune(out, r)
		case r <= 0xffff:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return out
}
