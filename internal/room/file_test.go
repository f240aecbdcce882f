package room

import (
	"bytes"
	"crypto/rand"
	"testing"

	"sotto/chunked"
	"sotto/internal/wire"
	"sotto/mimi"
)

func someFile() File {
	return File{
		Name: "trip.jpg", Type: "image/jpeg", Host: "example.org", Blob: [16]byte{1, 2}, Key: chunked.Key{3}, Sealed: SealedSize(70_000), Until: 2e9,
		FileDetails: FileDetails{Size: 70_000, Width: 640, Height: 480},
	}
}

// A file comes back from a message as it was put in, and its context is what was sent, byte for byte.
func TestFileInMessage(t *testing.T) {
	f := someFile()
	c, err := mimi.NewAttachment(rand.Reader, "look", f.External())
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if c, err = mimi.Parse(b); err != nil {
		t.Fatal(err)
	}
	got, previews := Files(c)
	if len(got) != 1 || previews[0] != nil || !bytes.Equal(got[0].Context(), f.Context()) {
		t.Fatalf("%+v", got)
	}
	got[0].context = nil
	if got[0].FileDetails.Width != 640 || got[0].Name != f.Name || got[0].Blob != f.Blob || got[0].Key != f.Key || got[0].Host != f.Host || got[0].Until != f.Until {
		t.Errorf("%+v", got[0])
	}
}

// What a stranger may write in place of a file.
func TestFileJunk(t *testing.T) {
	for name, spoil := range map[string]func(e *mimi.External){
		"in plain":            func(e *mimi.External) { e.URL = "http://example.org/v1/blobs/01020000000000000000000000000000" },
		"another path":        func(e *mimi.External) { e.URL = "https://example.org/v1/directory/ana" },
		"a longer path":       func(e *mimi.External) { e.URL += "/x" },
		"a query":             func(e *mimi.External) { e.URL += "?x=1" },
		"a user":              func(e *mimi.External) { e.URL = "https://a@example.org/v1/blobs/01020000000000000000000000000000" },
		"upper case":          func(e *mimi.External) { e.URL = "https://Example.org/v1/blobs/01020000000000000000000000000000" },
		"hexadecimal in caps": func(e *mimi.External) { e.URL = "https://example.org/v1/blobs/0A020000000000000000000000000000" },
		"a short name":        func(e *mimi.External) { e.URL = "https://example.org/v1/blobs/0102" },
		"another algorithm":   func(e *mimi.External) { e.EncAlg = mimi.EncAES128GCM },
		"a short key":         func(e *mimi.External) { e.Key = e.Key[:15] },
		"a nonce":             func(e *mimi.External) { e.Nonce = make([]byte, 12) },
		"no details":          func(e *mimi.External) { e.AAD = nil },
		"details and more":    func(e *mimi.External) { e.AAD = append(e.AAD, 0) },
		"another size":        func(e *mimi.External) { e.Size++ },
		"a size beyond all": func(e *mimi.External) {
			e.AAD = wire.Marshal(FileDetails{Size: 1 << 63})
		},
		"a wide picture": func(e *mimi.External) { e.AAD = wire.Marshal(FileDetails{Size: 70_000, Width: 1 << 20}) },
		"a long wave":    func(e *mimi.External) { e.AAD = wire.Marshal(FileDetails{Size: 70_000, Wave: make([]byte, 257)}) },
	} {
		e := someFile().External()
		if _, err := ParseFile(e); err != nil {
			t.Fatal(err)
		}
		spoil(&e)
		if f, err := ParseFile(e); err == nil {
			t.Errorf("%s: taken: %+v", name, f)
		}
	}
}

func FuzzFile(f *testing.F) {
	e := someFile().External()
	f.Add(e.URL, e.Key, e.AAD, e.Size)
	f.Fuzz(func(t *testing.T, url string, key, aad []byte, size uint64) {
		e := mimi.External{URL: url, Key: key, AAD: aad, Size: size, EncAlg: mimi.EncChunkedCobblestone128}
		if x, err := ParseFile(e); err == nil && (x.External().URL != url || !bytes.Equal(x.External().AAD, aad)) {
			t.Fatalf("%+v", x)
		}
	})
}
