package room

import (
	"encoding/hex"
	"fmt"
	"strings"

	"sotto/chunked"
	"sotto/internal/wire"
	"sotto/mimi"
)

// The kinds of a File.
const (
	FilePlain uint8 = iota // what it is, its type says
	FileVoice              // spoken into a microphone for this message
	FileVideo              // filmed for this message
)

// Limits of what a File says, in bytes.
const (
	MaxWave    = 256         // of a waveform
	maxDetails = 1024        // of the details together
	maxSide    = 1<<16 - 1   // pixels
	maxLong    = 7 * 86400e3 // milliseconds
)

// File is a file of a message: where its ciphertext lies, what opens it, and what the sender
// says of it (docs/protocol.md, section 35). Only the chunks and the size are proven, when it is
// fetched; everything else is the sender's word.
type File struct {
	Name, Type  string
	Description string
	Host        string
	Blob        [16]byte
	Key         chunked.Key
	Sealed      uint64 // bytes of the ciphertext
	Until       uint32 // when it ends there, seconds since 1970
	FileDetails

	context []byte // of the chunks: the details as they came
}

// FileDetails travel as the additional data of the encryption, so that they are bound to it.
type FileDetails struct {
	Size     uint64 `cbor:"1,keyasint"`           // bytes, without padding
	Kind     uint8  `cbor:"2,keyasint,omitempty"` // FilePlain …
	Width    uint32 `cbor:"3,keyasint,omitempty"` // pixels
	Height   uint32 `cbor:"4,keyasint,omitempty"`
	Duration uint64 `cbor:"5,keyasint,omitempty"` // milliseconds
	Wave     []byte `cbor:"6,keyasint,omitempty"` // loudness from 0 to 255, at even distances
}

// check holds details to their limits.
func (d FileDetails) check() error {
	if d.Size > chunked.MaxSize || d.Width > maxSide || d.Height > maxSide || d.Duration > maxLong || len(d.Wave) > MaxWave {
		return fmt.Errorf("%w: details of a file that are out of bounds", ErrJunk)
	}
	return nil
}

// Context is what the chunks of the file are bound to.
func (f File) Context() []byte {
	if f.context != nil {
		return f.context
	}
	return wire.Marshal(f.FileDetails)
}

// SealedSize is how many bytes of ciphertext a file of so many bytes has.
func SealedSize(size uint64) uint64 {
	return uint64(chunked.SealedSize(chunked.Padded(int64(size))))
}

const blobURL = "/v1/blobs/"

// External is the part of a message that names the file.
func (f File) External() mimi.External {
	return mimi.External{
		ContentType: f.Type, URL: "https://" + f.Host + blobURL + hex.EncodeToString(f.Blob[:]), Expires: f.Until, Size: f.Sealed,
		EncAlg: mimi.EncChunkedCobblestone128, Key: f.Key[:], AAD: f.Context(), Description: f.Description, Filename: f.Name,
	}
}

// ParseFile reads such a part. What is encrypted in another way, or lies elsewhere than at a
// home server, is none.
func ParseFile(e mimi.External) (f File, err error) {
	bad := func(what string) (File, error) { return File{}, fmt.Errorf("%w: %s", ErrJunk, what) }
	rest, ok := strings.CutPrefix(e.URL, "https://")
	host, name, ok2 := strings.Cut(rest, blobURL)
	if h, err := wire.ParseHost(host); !ok || !ok2 || err != nil || h != host {
		return bad("a file that lies at no home server")
	}
	if b, err := hex.DecodeString(name); err != nil || len(b) != len(f.Blob) || strings.ToLower(name) != name {
		return bad("a file without the name of a blob")
	}
	switch {
	case e.EncAlg != mimi.EncChunkedCobblestone128:
		return bad("a file that is not encrypted in chunks")
	case len(e.Key) != len(f.Key) || len(e.Nonce) > 0 || e.HashAlg != mimi.HashNone || len(e.ContentHash) > 0:
		return bad("a file whose key is none")
	case len(e.AAD) > maxDetails:
		return bad("a file with too many details")
	}
	f = File{Name: e.Filename, Type: e.ContentType, Description: e.Description, Host: host, Key: chunked.Key(e.Key), Sealed: e.Size, Until: e.Expires, context: e.AAD}
	if _, err := hex.Decode(f.Blob[:], []byte(name)); err != nil {
		return bad("a file without the name of a blob")
	}
	if err := wire.Unmarshal(e.AAD, &f.FileDetails); err != nil {
		return bad("details of a file that cannot be read")
	}
	if err := f.check(); err != nil {
		return File{}, err
	}
	if f.Sealed != SealedSize(f.Size) {
		return bad("a file whose sizes do not fit each other")
	}
	return f, nil
}

// Files are the files of a message, each with the preview that follows it, if there is one.
// What is attached in another way is passed over.
func Files(c *mimi.Content) (out []File, previews [][]byte) {
	for _, l := range c.Leaves() {
		switch b := l.Part.Body.(type) {
		case mimi.External:
			if f, err := ParseFile(b); err == nil && l.Part.Disposition == mimi.Attachment {
				out, previews = append(out, f), append(previews, nil)
			}
		case mimi.Single:
			if n := len(out); l.Part.Disposition == mimi.Preview && n > 0 && previews[n-1] == nil && CheckPicture(b.Content) == nil {
				previews[n-1] = b.Content
			}
		}
	}
	return out, previews
}
