package backup

import (
	"encoding/binary"
	"io"

	"sotto/internal/archive"
	"sotto/internal/identity"
	"sotto/internal/wire"
)

// Writer writes a backup, chunk by chunk.
type Writer struct {
	stream sealing
	next   uint64
	done   bool
}

// NewWriter begins a backup of an account, as a device of it, under a key that is used for it
// alone.
func NewWriter(w io.Writer, key archive.Key, to To, about About, device *identity.Keys) (*Writer, error) {
	h, err := to.header(key)
	if err != nil {
		return nil, err
	}
	b, sum := h.encode()
	aead, err := streamKey(key, sum)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	out := &Writer{stream: sealing{to: w, aead: aead, buf: make([]byte, 0, segment)}}
	return out, out.record(wire.Marshal(vouch(aboutContext, device, about.Account, sum, wire.Marshal(about))))
}

func (w *Writer) record(b []byte) error {
	if _, err := w.stream.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b)))); err != nil {
		return err
	}
	_, err := w.stream.Write(b)
	return err
}

// Chunk writes the next chunk; the last one is the end.
func (w *Writer) Chunk(c archive.Chunk) error {
	if c.Index != w.next || w.done {
		return ErrInvalid
	}
	b := archive.Encode(c)
	defer clear(b)
	if len(b) > archive.MaxChunk {
		return archive.ErrInvalid
	}
	w.next, w.done = w.next+1, c.Last
	if err := w.record(b); err != nil || !c.Last {
		return err
	}
	if _, err := w.stream.Write(make([]byte, 4)); err != nil {
		return err
	}
	return w.stream.close()
}
