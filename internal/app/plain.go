package app

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lastLength is how many characters of a message the list shows at most.
const lastLength = 160

var (
	linkText = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()\s]*\)`)
	lineMark = regexp.MustCompile("^ {0,3}(#{1,6} |> ?|[-*+] |\\d{1,9}[.)] |```[^`]*$|~~~[^~]*$)")
	slanted  = regexp.MustCompile(`\*([^*\s](?:[^*]*[^*\s])?)\*`)
	emphasis = strings.NewReplacer("**", "", "__", "", "~~", "", "`", "")
)

// plain is a message on one line: Markdown's marks taken out, white space brought together,
// what could turn or stack characters left out. It is for lists and notices, where a mark
// too many or too few does no harm.
func plain(markdown string) string {
	if len(markdown) > 8*lastLength {
		markdown = strings.ToValidUTF8(markdown[:8*lastLength], "")
	}
	var b strings.Builder
	for line := range strings.SplitSeq(markdown, "\n") {
		line = lineMark.ReplaceAllString(line, "")
		line = slanted.ReplaceAllString(emphasis.Replace(linkText.ReplaceAllString(line, "$1")), "$1")
		b.WriteString(line + " ")
	}
	return shorten(clean(b.String()), lastLength)
}

// clean brings white space together and leaves out control characters, what changes the
// direction of text, and all but the first few marks of a character.
func clean(s string) string {
	var b strings.Builder
	space, marks := true, 0
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
			if marks++; marks > 3 {
				continue
			}
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x61c, r == utf8.RuneError:
			continue
		default:
			marks = 0
		}
		space = false
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

func shorten(s string, limit int) string {
	n := 0
	for i := range s {
		if n++; n > limit {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}

// eventID names something that happened in a room, among the messages.
func eventID(notice int64) string { return "event-" + strconv.FormatInt(notice, 10) }

// noticeID is the notice that such a name stands for.
func noticeID(event string) (notice int64, ok bool) {
	digits, ok := strings.CutPrefix(event, "event-")
	if !ok {
		return 0, false
	}
	notice, err := strconv.ParseInt(digits, 10, 64)
	return notice, err == nil && notice > 0
}
