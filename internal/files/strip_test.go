package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

func drawn() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for x := range 40 {
		for y := range 30 {
			m.Set(x, y, color.RGBA{uint8(6 * x), uint8(8 * y), 99, 255})
		}
	}
	return m
}

// secret is what must not leave with a picture.
const secret = "48.2082N 16.3738E, taken by Ana"

// exif is a note with an orientation and the secret.
func exif(turn uint16) []byte {
	b := turned(turn)
	b[9] = 2 // a second entry follows
	b = append(b[:22], []byte("\x01\x0e\x00\x02\x00\x00\x00\x1f\x00\x00\x00\x26\x00\x00\x00\x00")...)
	return append(b, secret...)
}

func segment(marker byte, body []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2))
	return append(b, body...)
}

func someJPEG(t testing.TB, turn uint16) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawn(), nil); err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(b.Bytes()[:2])
	out = append(out, segment(0xe1, append([]byte("Exif\x00\x00"), exif(turn)...))...)
	out = append(out, segment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00"+secret))...)
	out = append(out, segment(0xed, []byte("Photoshop 3.0\x00"+secret))...)
	out = append(out, segment(0xe5, []byte(secret))...)
	out = append(out, segment(0xfe, []byte(secret))...)
	out = append(out, b.Bytes()[2:]...)
	return append(out, secret...) // behind the end
}

func somePNG(t testing.TB, turn uint16) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, drawn()); err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(b.Bytes()[:33]) // head and IHDR
	for _, kind := range []string{"tEXt", "zTXt", "iTXt", "tIME", "prVt"} {
		out = appendPNG(out, kind, []byte(secret))
	}
	out = appendPNG(out, "eXIf", exif(turn))
	return append(append(out, b.Bytes()[33:]...), secret...)
}

func someWebP(turn uint16) []byte {
	chunk := func(kind string, body []byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
		b = append(b, body...)
		if len(body)%2 == 1 {
			b = append(b, 0)
		}
		return b
	}
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	out = append(out, chunk("VP8X", []byte{0x0c, 0, 0, 0, 39, 0, 0, 29, 0, 0})...)
	out = append(out, chunk("VP8L", []byte("the picture"))...)
	out = append(out, chunk("EXIF", exif(turn))...)
	out = append(out, chunk("XMP ", []byte(secret))...)
	out = append(out, chunk("note", []byte(secret))...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return append(out, secret...)
}

// What the camera wrote is gone, the picture is the same, and it is turned as before.
func TestStripPicture(t *testing.T) {
	for _, turn := range []uint16{1, 6} {
		for name, b := range map[string][]byte{"jpeg": someJPEG(t, turn), "png": somePNG(t, turn), "webp": someWebP(turn)} {
			got, err := StripPicture(b)
			if err != nil {
				t.Fatal(name, err)
			}
			if bytes.Contains(got, []byte(secret)) || bytes.Contains(got, []byte("Ana")) {
				t.Errorf("%s: the secret is still there", name)
			}
			if name != "webp" {
				was, _, err := image.Decode(bytes.NewReader(b))
				now, _, err2 := image.Decode(bytes.NewReader(got))
				if err != nil || err2 != nil {
					t.Fatal(name, err, err2)
				}
				for _, p := range []image.Point{{0, 0}, {39, 29}, {17, 11}} {
					if was.At(p.X, p.Y) != now.At(p.X, p.Y) {
						t.Errorf("%s: another picture", name)
					}
				}
			} else if !bytes.Contains(got, []byte("the picture")) || int(binary.LittleEndian.Uint32(got[4:]))+8 != len(got) {
				t.Error("another picture")
			}
			found := uint16(0)
			if i := bytes.Index(got, []byte("MM\x00*")); i >= 0 {
				found = orientation(got[i:])
			}
			if want := map[uint16]uint16{1: 0, 6: 6}[turn]; found != want {
				t.Errorf("%s: turned by %d, not %d", name, found, want)
			}
			if again, err := StripPicture(got); err != nil || !bytes.Equal(again, got) {
				t.Errorf("%s: not the same when it is done twice: %v", name, err)
			}
		}
	}
	if b, err := StripPicture([]byte("no picture")); err != nil || string(b) != "no picture" {
		t.Error(err)
	}
	for name, b := range map[string][]byte{"jpeg": someJPEG(t, 1)[:300], "png": somePNG(t, 1)[:60], "webp": someWebP(1)[:40]} {
		if _, err := StripPicture(b); !errors.Is(err, ErrPicture) {
			t.Errorf("%s that was cut: %v", name, err)
		}
	}
}

func FuzzStripPicture(f *testing.F) {
	f.Add(someJPEG(f, 6))
	f.Add(somePNG(f, 6))
	f.Add(someWebP(6))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := StripPicture(b)
		if err != nil {
			return
		}
		if again, err := StripPicture(got); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("not the same when it is done twice: %v", err)
		}
	})
}
