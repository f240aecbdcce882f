package mediafile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// page is a page of Ogg. A size of 255 in a row means that the packet goes on.
func page(number uint32, flags byte, granule uint64, packets ...[]byte) []byte {
	b := append([]byte(oggMagic), 0, flags)
	b = binary.LittleEndian.AppendUint64(b, granule)
	b = binary.LittleEndian.AppendUint32(b, 7)
	b = binary.LittleEndian.AppendUint32(b, number)
	b = append(b, 0, 0, 0, 0)
	var sizes, data []byte
	for _, p := range packets {
		for n := len(p); ; n -= 255 {
			sizes = append(sizes, byte(min(n, 255)))
			if n < 255 {
				break
			}
		}
		data = append(data, p...)
	}
	return append(append(append(b, byte(len(sizes))), sizes...), data...)
}

func head(channels byte) []byte {
	return append([]byte("OpusHead\x01"), channels, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0)
}

var tags = append([]byte("OpusTags"), 0, 0, 0, 0, 0, 0, 0, 0)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func frames(t *testing.T, b []byte) (out []Frame, err error) {
	t.Helper()
	r, err := Read(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return out, err
		}
		out = append(out, f)
	}
}

// Packets lie many in a page, across pages, and with gaps that the granules tell of.
func TestOgg(t *testing.T) {
	long := append([]byte{0xfc}, bytes.Repeat([]byte{1}, 299)...)
	cut := page(3, 0, noGranule, long)
	// The long packet's first 255 bytes on one page, the rest on the next.
	first := append(append([]byte{}, cut[:26]...), 1, 255)
	first = append(first, long[:255]...)
	second := page(4, continued, 48_000+5*960, long[255:], []byte{0xfc, 9})
	b := join(page(0, begins, 0, head(2)), page(1, 0, 0, tags),
		page(2, 0, 48_000+960*2, []byte{0xfc, 1}, []byte{0xfc, 2}), first, second, page(5, ends, 48_000+20*960, []byte{0xfc, 10}))
	got, err := frames(t, b)
	if err != nil {
		t.Fatal(err)
	}
	// The file begins a second late; before its last two pages' ends there are gaps.
	want := []time.Duration{0, 20, 40, 80, 380}
	for i, f := range got {
		if i < len(want) && f.At != want[i]*time.Millisecond || !f.Key {
			t.Errorf("packet %d at %v", i, f.At)
		}
	}
	if len(got) != len(want) || !bytes.Equal(got[2].Data, long) {
		t.Errorf("%d packets", len(got))
	}
}

func TestOggRefused(t *testing.T) {
	h, g := page(0, begins, 0, head(2)), page(1, 0, 0, tags)
	big := make([]byte, 255*255)
	endless := join(h, g)
	for n := uint32(2); n < 5; n++ {
		p := page(n, map[bool]byte{true: continued}[n > 2], noGranule, big)
		p[26], p = 255, append(p[:27+255], p[27+256:]...)
		endless = append(endless, p...)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "other": []byte("RIFF1234"), "vorbis": page(0, begins, 0, []byte("\x01vorbis0123456789012345")),
		"channels": page(0, begins, 0, head(6)), "no tags": join(h, page(1, 0, 0, []byte{0xfc, 1})), "cut head": h[:30],
		"version": join([]byte("OggS\x01"), h[5:]), "lost page": join(h, g, page(3, 0, 960, []byte{0xfc})),
		"second stream": join(h, g, page(2, begins, 0, head(2))), "junk between": join(h, g, []byte("junk of some length, more than a page")),
		"cut packet": join(h, g, page(2, 0, 960, []byte{0xfc, 1, 2, 3})[:30]), "empty packet": join(h, g, page(2, 0, 960, nil)),
		"too long": join(h, g, page(2, 0, 960, []byte{0xff, 63})), "continued nothing": join(h, g, page(2, continued, 960, []byte{0xfc})),
		"days": join(h, g, page(2, 0, 960, []byte{0xfc}), page(3, 0, 1<<40, []byte{0xfc})), "endless": endless,
	} {
		if _, err := frames(t, b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RFC 6716, table 2 and section 3.2.
func TestOpusDuration(t *testing.T) {
	for _, x := range []struct {
		packet []byte
		want   time.Duration
	}{
		{[]byte{0x00}, 10 * time.Millisecond}, {[]byte{0x18}, 60 * time.Millisecond}, {[]byte{0x60}, 10 * time.Millisecond},
		{[]byte{0x78}, 20 * time.Millisecond}, {[]byte{0x80}, 2500 * time.Microsecond}, {[]byte{0xf8}, 20 * time.Millisecond},
		{[]byte{0xf9}, 40 * time.Millisecond}, {[]byte{0xfb, 6}, 120 * time.Millisecond}, {[]byte{0xfb, 7}, 0}, {[]byte{0xfb}, 0}, {nil, 0},
	} {
		if got, err := OpusDuration(x.packet); got != x.want || (err == nil) != (x.want > 0) {
			t.Errorf("%x: %v, %v", x.packet, got, err)
		}
	}
}

func picture(at uint64, b ...byte) []byte {
	return append(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), at), b...)
}

func ivfFile(code string, den, num uint32, pictures ...[]byte) []byte {
	b := append([]byte("DKIF\x00\x00\x20\x00"), code...)
	b = append(b, 64, 1, 240, 0)
	b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, den), num)
	return append(append(b, 0, 0, 0, 0, 0, 0, 0, 0), join(pictures...)...)
}

func TestIVF(t *testing.T) {
	got, err := frames(t, ivfFile("VP80", 30_000, 1001, picture(5, 0x10), picture(6, 0x11), picture(35, 0x10)))
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	for i, want := range []time.Duration{0, 33_366_666, 1001 * time.Millisecond} {
		if got[i].At != want || got[i].Key != (i != 1) {
			t.Errorf("picture %d at %v, key %t", i, got[i].At, got[i].Key)
		}
	}
	for name, b := range map[string][]byte{
		"codec": ivfFile("H264", 30, 1), "no base": ivfFile("VP80", 0, 1), "cut head": ivfFile("VP80", 30, 1)[:20],
		"cut": ivfFile("VP80", 30, 1, picture(0, 1, 2, 3)[:14]), "cut size": ivfFile("VP80", 30, 1, picture(0, 1)[:5]),
		"empty": ivfFile("VP80", 30, 1, picture(0)), "huge": ivfFile("VP80", 30, 1, []byte("\xff\xff\xff\x7f01234567")),
		"backwards": ivfFile("VP80", 30, 1, picture(3, 0), picture(2, 0)), "days": ivfFile("VP80", 1, 1, picture(0, 0), picture(1<<62, 0)),
	} {
		if _, err := frames(t, b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyFrame(t *testing.T) {
	for _, x := range []struct {
		codec string
		b     []byte
		key   bool
	}{
		{VP8, []byte{0x10}, true}, {VP8, []byte{0x11}, false}, {VP9, []byte{0x82}, true}, {VP9, []byte{0x86}, false}, {VP9, []byte{0x8a}, false},
		{AV1, []byte{0x12, 0, 0x0a, 1, 0, 0x32, 0}, true}, {AV1, []byte{0x12, 0, 0x32, 0}, false}, {AV1, []byte{0x12, 0xff}, false}, {VP8, nil, false},
	} {
		if KeyFrame(x.codec, x.b) != x.key {
			t.Errorf("%s %x", x.codec, x.b)
		}
	}
}

// What is recorded is read again, with gaps as silence.
func TestRecordings(t *testing.T) {
	var b bytes.Buffer
	s, err := NewSound(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Duration{0, 20, 100, 120} {
		if err := s.Write([]byte{0xfc, byte(at)}, at*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Write(nil, 0), s.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := frames(t, b.Bytes())
	if err != nil || len(got) != 7 || got[5].At != 100*time.Millisecond || got[5].Data[1] != 100 {
		t.Errorf("%v %v", got, err)
	}
	path := filepath.Join(t.TempDir(), "x.ivf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	p := NewPictures(f, VP8)
	key := []byte{0, 0, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0}
	for i, data := range [][]byte{{1}, key, {1, 2}} { // nothing is seen before a key frame
		if err := p.Write(data, time.Duration(i)*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(p.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil || file[24] != 2 || file[12] != 64 || file[14] != 240 {
		t.Errorf("%x %v", file, err)
	}
	if got, err = frames(t, file); err != nil || len(got) != 2 || got[1].At != time.Second {
		t.Errorf("%v %v", got, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(join(page(0, begins, 0, head(2)), page(1, 0, 0, tags), page(2, 0, 1920, []byte{0xfc, 1}, []byte{0xfc, 2})))
	f.Add(ivfFile("VP80", 30, 1, picture(0, 0x10), picture(1, 0x11)))
	f.Add(ivfFile("AV01", 30, 1, picture(0, 0x12, 0, 0x0a, 1, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := frames(t, b)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("%v", err)
		}
		for i, x := range got {
			if len(x.Data) == 0 || i > 0 && x.At < got[i-1].At {
				t.Errorf("frame %d: %d bytes at %v", i, len(x.Data), x.At)
			}
		}
	})
}
