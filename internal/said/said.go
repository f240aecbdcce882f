// Package said holds what sotto says to the person about what happened: each sentence has a
// key, and its English is written here and nowhere else. The client names a key and values;
// the store keeps both; the command line prints the English, and the interface says the same
// in the person's language. It knows nothing else of sotto.
package said

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Said is something that sotto says: a sentence and what fills it.
type Said struct {
	Key    string            `cbor:"1,keyasint"`           // of a sentence in this package; "" where only a text was kept
	Values map[string]string `cbor:"2,keyasint,omitempty"` // one line each: names, hosts, what an error said
	N      int64             `cbor:"3,keyasint,omitempty"` // what it counts: entries as n, or the seconds of a span
	Why    string            `cbor:"4,keyasint,omitempty"` // the key of the reason, or the stable code of an error
}

// maxReason is how long the reason of a move may be, bytes (docs/protocol.md, Move).
const maxReason = 200

// maxValue is how many characters of a value are shown: what is longer was made to be long.
const maxValue = 200

// Of is a sentence with values: a name and a value by turns.
func Of(key string, values ...string) Said {
	s := Said{Key: key}
	if len(values) > 0 {
		s.Values = map[string]string{}
	}
	for pair := range slices.Chunk(values, 2) {
		s.Values[pair[0]] = line(pair[1])
	}
	return s
}

// Count is the sentence with what it counts.
func (s Said) Count(n int64) Said {
	s.N = n
	return s
}

// Because is the sentence with its reason: the key of another sentence, or a code.
func (s Said) Because(why string) Said {
	s.Why = why
	return s
}

// Text is the sentence in English.
func (s Said) Text() string {
	text := sentences[s.Key]
	if one := ones[s.Key]; s.N == 1 && one != "" {
		text = one
	}
	return places.ReplaceAllStringFunc(text, func(name string) string { return s.value(name[1 : len(name)-1]) })
}

func (s Said) value(name string) string {
	v, ok := s.Values[name]
	switch {
	case ok:
		return v
	case name == "n":
		return strconv.FormatInt(s.N, 10)
	case name == "span":
		return span(s.N)
	case name == "why":
		return strings.TrimSuffix(sentences[s.Why], ".")
	}
	return ""
}

// Reason finds the reason whose English another device wrote: its key, "" for none of ours.
// What anybody else writes there is not said in sotto's voice.
func Reason(text string) string {
	for key, sentence := range sentences {
		if sentence == text && isReason(key) {
			return key
		}
	}
	return ""
}

// isReason says whether a key is one that a move may name: a fault, or a reason proper.
func isReason(key string) bool {
	text := sentences[key]
	return (strings.HasPrefix(key, "fault.") || strings.HasPrefix(key, "why.")) && len(text) <= maxReason && !places.MatchString(text)
}

// places are the names in braces that values are put in place of.
var places = regexp.MustCompile(`\{[a-z]+\}`)

// line brings a value onto one line, without control characters and marks that turn the
// order of letters around, and cuts it.
func line(s string) string {
	var b strings.Builder
	n, space := 0, true
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			if space {
				continue
			}
			space, r = true, ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x61c, r == utf8.RuneError:
			continue
		default:
			space = false
		}
		if n++; n > maxValue {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// span is a time in words: in the largest unit that it is a whole number of.
func span(seconds int64) string {
	for _, u := range []struct {
		seconds int64
		name    string
	}{{7 * 86400, "week"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}} {
		n := seconds / u.seconds
		switch {
		case n <= 0 || seconds%u.seconds != 0:
		case n == 1:
			return "one " + u.name
		default:
			return strconv.FormatInt(n, 10) + " " + u.name + "s"
		}
	}
	return "0 seconds"
}
