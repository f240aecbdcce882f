package inbox

import (
	"bytes"
	"testing"

	"sotto/internal/wire"
)

func FuzzDecodeStored(f *testing.F) {
	f.Add(stored{time: 1, until: 2, by: wire.Hash{3}, bytes: []byte("x")}.encode())
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := decodeStored(b); err == nil && !bytes.Equal(s.encode(), b) {
			t.Errorf("%x becomes %x", b, s.encode())
		}
	})
}
