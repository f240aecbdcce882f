package words

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"Hello, World":                    "hello world",
		"don't":                           "don t",
		"Crème BRÛLÉE":                    "creme brulee",
		"cre\u0301me":                     "creme",
		"Straße STRASSE Łódź Ærø":         "strasse strasse lodz aero",
		"ﬁne ｆｕｌｌ Ⅳ":                      "fine full iv",
		"ΟΔΥΣΣΕΥΣ ς":                      "οδυσσευσ σ",
		"東京で会う":                           "東 京 て 会 う",
		"서울에서":                            "서울에서",
		"สวัสดี":                          "ส ว ั ส ด ี",
		"नमस्ते":                          "नमस्ते",
		"مَرْحَبًا":                       "مرحبا",
		"שָׁלוֹם":                         "שלום",
		"at 10:30 on 2026-03-01":          "at 10 30 on 2026 03 01",
		"🎉🎉 x":                            "🎉 🎉 x",
		"👍🏽":                              "👍",
		"a\ue000r0011 \ue000s":            "a r0011 s",
		"x" + strings.Repeat("\u0301", 9): "x",
		strings.Repeat("\u0301", 9):       "",
		"bad\xffutf":                      "bad utf",
		strings.Repeat("ab", 21):          strings.Repeat("ab", 20) + " ab",
		strings.Repeat("é", 41):           strings.Repeat("e", 40) + " e",
	} {
		if got := Join(text); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

// TestFrozen: as long as Version says the same, the words of a text must be the same.
func TestFrozen(t *testing.T) {
	known := map[string]string{ // Version: hash over the forms of all characters
		"1 15.0.0 15.0.0": "bf88be17b5c5ad57",
	}
	h := sha256.New()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) {
			h.Write([]byte(Join("a" + string(r) + "b" + string(r))))
			h.Write([]byte{0})
		}
	}
	got := hex.EncodeToString(h.Sum(nil))[:16]
	if want, ok := known[Version]; !ok {
		t.Skipf("other tables than those this was written with: %q: %s", Version, got)
	} else if got != want {
		t.Errorf("words are made in another way (%s, not %s): count the first number of Version up", got, want)
	}
}

func FuzzWords(f *testing.F) {
	f.Add("Hello, Wörld 東京 \ue000s")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, w := range All(text) {
			if w.Start < last || w.End <= w.Start || w.End > len(text) || w.Text == "" {
				t.Fatalf("%q: %+v after %d", text, w, last)
			}
			last = w.End
			for _, r := range w.Text {
				if r < utf8.RuneSelf && !('a' <= r && r <= 'z' || '0' <= r && r <= '9') || r == 0xe000 {
					t.Fatalf("%q: %q", text, w.Text)
				}
			}
			if again := Join(w.Text); strings.ReplaceAll(again, " ", "") != w.Text {
				t.Fatalf("%q: %q becomes %q", text, w.Text, again)
			}
		}
	})
}
