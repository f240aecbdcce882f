package recovery

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/tyler-smith/go-bip39"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// vectors are those of BIP 39 with 24 words (github.com/trezor/python-mnemonic, vectors.json).
var vectors = map[string]string{
	strings.Repeat("00", 32): strings.Repeat("abandon ", 23) + "art",
	strings.Repeat("7f", 32): strings.Repeat("legal winner thank year wave sausage worth useful ", 2) + "legal winner thank year wave sausage worth title",
	strings.Repeat("80", 32): strings.Repeat("letter advice cage absurd amount doctor acoustic avoid ", 2) + "letter advice cage absurd amount doctor acoustic bless",
	strings.Repeat("ff", 32): strings.Repeat("zoo ", 23) + "vote",
	"68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c": "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length",
	"9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863": "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol speed nation flash devote level hobby quick inner drive ghost inside",
}

func TestVectors(t *testing.T) {
	for entropy, words := range vectors {
		raw, err := hex.DecodeString(entropy)
		if err != nil {
			t.Fatal(err)
		}
		w, err := New(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if list := w.List(); strings.Join(list[:], " ") != words {
			t.Errorf("%s: %v", entropy, list)
		}
		back, err := Parse(words)
		if err != nil || back.entropy != w.entropy {
			t.Errorf("%s: %v", words, err)
		}
	}
}

// Another implementation reads what this one writes, and the other way round.
func TestAgainstAnother(t *testing.T) {
	for range 50 {
		w, err := New(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		list := w.List()
		theirs, err := bip39.NewMnemonic(w.entropy[:])
		if err != nil || theirs != strings.Join(list[:], " ") {
			t.Fatalf("%v %q %q", err, theirs, list)
		}
		if back, err := Parse(theirs); err != nil || back.entropy != w.entropy {
			t.Fatal(err)
		}
	}
}

func TestTyping(t *testing.T) {
	w, err := New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	list := w.List()
	var prefixes, numbered, capitals []string
	for i, x := range list {
		prefixes = append(prefixes, x[:min(4, len(x))])
		numbered = append(numbered, fmt.Sprintf("%2d. %s\r\n", i+1, x))
		capitals = append(capitals, strings.ToUpper(x))
	}
	for _, text := range []string{strings.Join(prefixes, " "), strings.Join(numbered, ""), "  " + strings.Join(capitals, " \t\n") + "\n", strings.Join(list[:], "\u00a0")} {
		if back, err := Parse(text); err != nil || back.entropy != w.entropy {
			t.Errorf("%q: %v", text, err)
		}
	}
	if !w.Is(3, " "+strings.ToUpper(list[3])) || !w.Is(3, list[3][:min(4, len(list[3]))]) || w.Is(3, "zzzz") || w.Is(-1, list[0]) || w.Is(24, list[0]) {
		t.Error("a typed word is not told from others")
	}
}

// What is wrong is named by its place, and no word is repeated.
func TestWrongWords(t *testing.T) {
	good := strings.Fields(vectors[strings.Repeat("7f", 32)])
	edit := func(i int, w string) string {
		x := append([]string(nil), good...)
		x[i] = w
		return strings.Join(x, " ")
	}
	for _, c := range []struct{ name, text, says string }{
		{"none", "", "0 words"},
		{"too few", strings.Join(good[:23], " "), "23 words"},
		{"too many", strings.Join(good, " ") + " zoo", "25 words"},
		{"unknown", edit(6, "quux"), "word 7 "},
		{"too short a beginning", edit(3, "yea"), "word 4 "},
		{"too long", edit(0, "legall"), "word 1 "},
		{"another of the list", edit(23, "zoo"), "belong together"},
		{"changed places", strings.Join(append([]string{good[1], good[0]}, good[2:]...), " "), "belong together"},
	} {
		_, err := Parse(c.text)
		if wire.CodeOf(err) != wire.CodeMalformed || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "quux") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestErase(t *testing.T) {
	w, err := Parse(vectors[strings.Repeat("80", 32)])
	if err != nil {
		t.Fatal(err)
	}
	k, err := w.Keys()
	if err != nil {
		t.Fatal(err)
	}
	same, err := identity.NewRecoveryKeys([32]byte(bytes.Repeat([]byte{0x80}, 32)))
	if err != nil || !bytes.Equal(k.Public().Signature, same.Public().Signature) {
		t.Error("the words stand for another key than their entropy", err)
	}
	w.Erase()
	if _, err := w.Keys(); err == nil || w.entropy != [32]byte{} || w.Is(0, "letter") {
		t.Error("erased words are still good")
	}
}

func FuzzParse(f *testing.F) {
	for _, words := range vectors {
		f.Add(words)
	}
	f.Add("aban aban ABAN 1. abandon")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := Parse(text)
		if err != nil {
			return
		}
		list := w.List()
		if back, err := Parse(strings.Join(list[:], " ")); err != nil || back.entropy != w.entropy {
			t.Fatal(err)
		}
	})
}
