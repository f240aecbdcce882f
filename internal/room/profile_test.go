package room

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

func pngOf(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, w, h), []color.Color{color.White})); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func webp(chunk string, body ...byte) []byte {
	b := append([]byte("RIFF\x00\x00\x00\x00WEBP"+chunk+"\x00\x00\x00\x00"), body...)
	return append(b, make([]byte, max(0, 30-len(b)))...)
}

func TestNames(t *testing.T) {
	for _, good := range []string{"", "Ana", "Ana Müller", "阿娜", "אנה", "👩‍💻 Ana", "a\u200cb", strings.Repeat("é", 64)} {
		if err := CheckName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"a\nb", "a\x00", "\x1b[31m", "a\u202eb", "\u2066a", "a\u200b", "\ufeffa", " ana", "ana ", "a\u2028b", "\u200d", "\xff",
		strings.Repeat("a", 65), strings.Repeat("👩", 65), "a" + strings.Repeat("\u0301", 5), "\ue000", "\u00ad",
	} {
		if err := CheckName(bad); !errors.Is(err, ErrJunk) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if CheckStatus(strings.Repeat("a", 140)) != nil || CheckStatus(strings.Repeat("a", 141)) == nil || CheckStatus("a\u202e") == nil {
		t.Error("status")
	}
}

func TestPictures(t *testing.T) {
	var j bytes.Buffer
	if err := jpeg.Encode(&j, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"png": pngOf(t, 1024, 1024), "jpeg": j.Bytes(),
		"VP8":  webp("VP8 ", 0, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x04, 0x00, 0x04),
		"VP8L": webp("VP8L", 0x2f, 0xff, 0xc3, 0x00, 0x00),
		"VP8X": webp("VP8X", 0, 0, 0, 0, 0xff, 3, 0, 0xff, 3, 0),
	} {
		if err := CheckPicture(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := range b {
			if err := CheckPicture(b[:n]); err != nil && !errors.Is(err, ErrJunk) {
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "gif": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), "svg": []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"),
		"wide png": pngOf(t, 1025, 1), "high png": pngOf(t, 1, 1025), "half a png": pngOf(t, 8, 8)[:12],
		"long":       append(pngOf(t, 8, 8), make([]byte, MaxPicture)...),
		"big VP8":    webp("VP8 ", 0, 0, 0, 0x9d, 0x01, 0x2a, 0x01, 0x04, 0x00, 0x04),
		"no VP8":     webp("VP8 ", 0, 0, 0, 0, 0, 0, 8, 0, 8, 0),
		"big VP8L":   webp("VP8L", 0x2f, 0xff, 0xff, 0xff, 0xff),
		"big VP8X":   webp("VP8X", 0, 0, 0, 0, 0, 4, 0, 0, 0, 0),
		"VP8X moves": webp("VP8X", 2, 0, 0, 0, 1, 0, 0, 1, 0, 0),
		"other":      webp("ALPH"),
	} {
		if err := CheckPicture(b); !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProfile(t *testing.T) {
	pic := pngOf(t, 8, 8)
	hash := wire.Hash(sha256.Sum256(pic))
	for _, good := range []Profile{{Version: 1}, {Version: 1, Name: "Ana", Status: "away", Hash: &hash, Picture: pic}, {Version: maxVersion, Hash: &hash}} {
		if _, err := ParseProfile(wire.Marshal(good)); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	other := wire.Hash{1}
	for what, bad := range map[string]Profile{
		"no version": {Name: "Ana"}, "a version of the far future": {Version: maxVersion + 1}, "bidi": {Version: 1, Name: "a\u202e"},
		"status": {Version: 1, Status: "a\n"}, "picture without hash": {Version: 1, Picture: pic}, "another hash": {Version: 1, Hash: &other, Picture: pic},
		"no picture": {Version: 1, Hash: func() *wire.Hash { h := wire.Hash(sha256.Sum256([]byte("x"))); return &h }(), Picture: []byte("x")},
	} {
		if _, err := ParseProfile(wire.Marshal(bad)); !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestPictureRef(t *testing.T) {
	c := Context{Picture: wire.Marshal(PictureRef{Hash: wire.Hash{1}, Version: 5})}
	if r := c.PictureOf(); r == nil || r.Version != 5 {
		t.Error(r)
	}
	for _, b := range [][]byte{nil, {1}, wire.Marshal(PictureRef{}), wire.Marshal(PictureRef{Version: maxVersion + 1})} {
		if (Context{Picture: b}).PictureOf() != nil {
			t.Errorf("%x", b)
		}
	}
}

func TestKnock(t *testing.T) {
	var secret wire.Secret
	_, _ = rand.Read(secret[:])
	cy, mallory := identity.ID{1}, identity.ID{2}
	k, err := ParseKnock(wire.Marshal(NewKnock(LinkID{3}, secret, [16]byte{4}, cy, "Cy")))
	if err != nil || !k.Proves(secret, cy) {
		t.Fatal(err)
	}
	if k.Proves(secret, mallory) {
		t.Error("what Cy has shown serves Mallory")
	}
	if k.Proves(wire.Secret{}, cy) {
		t.Error("another secret")
	}
	for what, change := range map[string]func(*Knock){"link": func(k *Knock) { k.Link[0]++ }, "salt": func(k *Knock) { k.Salt[0]++ }, "proof": func(k *Knock) { k.Proof[0]++ }} {
		other := k
		if change(&other); other.Proves(secret, cy) {
			t.Error("another", what)
		}
	}
	k.Name = "a\u202e"
	if _, err := ParseKnock(wire.Marshal(k)); !errors.Is(err, ErrJunk) {
		t.Error(err)
	}
}

func FuzzParseProfile(f *testing.F) {
	pic := pngOf(f, 4, 4)
	hash := wire.Hash(sha256.Sum256(pic))
	fuzzParser(f, ParseProfile, Profile{Version: 1, Name: "Ana", Status: "x", Hash: &hash, Picture: pic}, Profile{})
}

func FuzzParsePin(f *testing.F) { fuzzParser(f, ParsePin, Pin{On: true}, Pin{}) }

func FuzzParseKnock(f *testing.F) { fuzzParser(f, ParseKnock, Knock{Name: "Cy"}, Knock{}) }

func FuzzCheckPicture(f *testing.F) {
	f.Add(pngOf(f, 4, 4))
	f.Add(webp("VP8X", 0, 0, 0, 0, 1, 0, 0, 1, 0, 0))
	f.Add([]byte("\xff\xd8\xff\xc0\x00\x11\x08"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := CheckPicture(b); err != nil && !errors.Is(err, ErrJunk) {
			t.Fatal(err)
		}
	})
}
