// Package words says what of a text can be searched for: its words, in one form whatever
// their case and accents. The index holds these forms, what is searched for is brought into
// them, and what was found is marked by them, so that all three agree.
//
// A word is a run of letters, marks and digits. Where people write without spaces between
// words (Han, Kana, Thai and others), and for pictures, every character is a word.
package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Version names the tables of characters that the words follow. An index made with other
// tables is to be made anew, because a row is taken out of it with the words that it was
// put in with.
const Version = "1 " + unicode.Version + " " + norm.Version

// MaxLength is the length of a word in runes: a longer one is several, one beside the other.
const MaxLength = 40

// Word is a word of a text.
type Word struct {
	Start, End int    // where it stands, in bytes
	Text       string // its form
}

// In calls yield for each word of a text, in order, until it answers false.
func In(text string, yield func(Word) bool) {
	var form []byte
	start, runes := -1, 0
	flush := func(end int) bool {
		if start < 0 {
			return true
		}
		w := Word{start, end, string(form)}
		form, start, runes = form[:0], -1, 0
		return w.Text == "" || yield(w)
	}
	for i, r := range text {
		if r < utf8.RuneSelf { // most of most texts
			switch {
			case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			case 'A' <= r && r <= 'Z':
				r |= 0x20
			default:
				if !flush(i) {
					return
				}
				continue
			}
			if runes == MaxLength && !flush(i) {
				return
			}
			if start < 0 {
				start = i
			}
			form = append(form, byte(r))
			runes++
			continue
		}
		k := kindOf(r)
		if k == separator || k == alone || k == letter && runes == MaxLength {
			if !flush(i) {
				return
			}
		}
		switch {
		case k == separator, k == silent && start < 0:
			continue
		case k == silent:
			continue
		case start < 0:
			start = i
		}
		form = fold(form, r)
		runes++
		if k == alone && !flush(i+utf8.RuneLen(r)) {
			return
		}
	}
	flush(len(text))
}

// Join are the words of a text, with spaces between.
func Join(text string) string {
	var b strings.Builder
	In(text, func(w Word) bool {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.Text)
		return true
	})
	return b.String()
}

// All are the words of a text.
func All(text string) (out []Word) {
	In(text, func(w Word) bool { out = append(out, w); return true })
	return out
}

type kind int

const (
	separator kind = iota
	letter         // of a word
	alone          // a word by itself
	silent         // neither: an accent, a vowel point, a joiner
)

var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan}

// accents are what is written over or into letters and left out by who searches: combining
// diacritical marks, Hebrew points, Arabic vowel signs, the voicing of Kana; and what changes only how characters
// look.
var accents = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x0300, 0x036f, 1}, {0x0591, 0x05bd, 1}, {0x05bf, 0x05c7, 1}, {0x0610, 0x061a, 1}, {0x0640, 0x0640, 1}, {0x064b, 0x065f, 1}, {0x0670, 0x0670, 1},
		{0x1ab0, 0x1aff, 1}, {0x1dc0, 0x1dff, 1}, {0x200b, 0x200f, 1}, {0x20d0, 0x20ff, 1}, {0x3099, 0x309a, 1}, {0xfe00, 0xfe0f, 1}, {0xfe20, 0xfe2f, 1}, {0xfeff, 0xfeff, 1},
	},
	R32: []unicode.Range32{{0x1f3fb, 0x1f3ff, 1}, {0xe0000, 0xe0fff, 1}},
}

func kindOf(r rune) kind {
	switch {
	case r == utf8.RuneError:
		return separator
	case unicode.Is(accents, r):
		return silent
	case unicode.In(r, unicode.L, unicode.M, unicode.N):
		if unicode.In(r, unspaced...) {
			return alone
		}
		return letter
	case unicode.Is(unicode.So, r):
		return alone
	}
	return separator
}

// fold appends the form of a character: of its compatibility decomposition (UAX 15) the
// letters in lower case, without accents.
func fold(to []byte, r rune) []byte {
	if s, ok := special[r]; ok {
		return append(to, s...)
	}
	var b [utf8.UTFMax]byte
	n := utf8.EncodeRune(b[:], r)
	parts := norm.NFKD.Properties(b[:n]).Decomposition()
	if parts == nil {
		return lower(to, r)
	}
	for len(parts) > 0 {
		r, n := utf8.DecodeRune(parts)
		parts = parts[n:]
		if unicode.In(r, unicode.L, unicode.M, unicode.N) && !unicode.Is(accents, r) {
			to = lower(to, r)
		}
	}
	return to
}

func lower(to []byte, r rune) []byte {
	r = unicode.ToLower(r)
	if s, ok := special[r]; ok {
		return append(to, s...)
	}
	return utf8.AppendRune(to, r)
}

// special are letters that Unicode does not take apart and people do.
var special = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ø': "o", 'Ø': "o",
	'ł': "l", 'Ł': "l", 'đ': "d", 'Đ': "d", 'ħ': "h", 'Ħ': "h", 'ı': "i", 'ς': "σ", 'ƒ': "f",
}
