package blobs

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/wire"
)

func ask(n byte, size uint64) (wire.UploadRequest, wire.Secret, wire.Secret) {
	ticket, erase := wire.Secret{n, 1}, wire.Secret{n, 2}
	return wire.UploadRequest{Blob: Name{n}, Size: size, TTL: 3600, Erase: erase.Hash(), Ticket: ticket.Hash()}, ticket, erase
}

func none() {}

func (b *Blobs) all(t *testing.T, n Name) []byte {
	t.Helper()
	blob, err := b.Get(n)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	got, err := io.ReadAll(blob)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Whatever ends a piece, what came of it counts, and a crash at any time leaves just what was
// answered for.
func TestPieces(t *testing.T) {
	now := time.Unix(1e9, 0)
	fs := vfs.NewCrashableMem()
	b, db := open(t, fs, &now)
	r, ticket, _ := ask(1, 100)
	body := bytes.Repeat([]byte("0123456789"), 10)
	for range 2 { // its answer may be lost
		r.TTL--
		if err := b.Begin(r, 1<<30); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Get(r.Blob); wire.CodeOf(err) != wire.CodeNoBlob {
		t.Fatal("an empty upload is a blob:", err)
	}
	p, err := b.Append(r.Blob, ticket, 0, 60, iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(body))), none)
	if err == nil || p.Offset != 1 {
		t.Fatal(p, err)
	}
	if p, err = b.Append(r.Blob, ticket, 1, 40, bytes.NewReader(body[1:41]), none); err != nil || p.Offset != 41 || p.Complete() {
		t.Fatal(p, err)
	}
	crashed := crash(fs)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, db = open(t, crashed, &now)
	defer db.Close()
	if p, err := b.Progress(r.Blob, ticket); err != nil || p.Offset != 41 {
		t.Fatal(p, err)
	}
	for _, at := range []uint64{0, 40, 42, 100} {
		if p, err := b.Append(r.Blob, ticket, at, 10, bytes.NewReader(body[:10]), none); wire.CodeOf(err) != wire.CodeOffset || p.Offset != 41 {
			t.Error(at, p, err)
		}
	}
	if _, err := b.Append(r.Blob, ticket, 41, 60, bytes.NewReader(body), none); wire.CodeOf(err) != wire.CodeTooLarge {
		t.Error("beyond the end:", err)
	}
	if _, err := b.Get(r.Blob); wire.CodeOf(err) != wire.CodeNoBlob {
		t.Error("a part is a blob:", err)
	}
	if p, err := b.Append(r.Blob, ticket, 41, 59, bytes.NewReader(body[41:]), none); err != nil || !p.Complete() {
		t.Fatal(p, err)
	}
	// The last answer was lost: whoever asks is told that it is whole.
	if p, err := b.Append(r.Blob, ticket, 100, 0, bytes.NewReader(nil), none); err != nil || !p.Complete() {
		t.Error(p, err)
	}
	whole, db2 := open(t, crash(crashed), &now)
	defer db2.Close()
	for _, b := range []*Blobs{b, whole} {
		if got := b.all(t, r.Blob); !bytes.Equal(got, body) {
			t.Fatalf("%q", got)
		}
		if n, size := b.Stats(); n != 1 || size != 100 || b.reserved != 0 {
			t.Error(n, size, b.reserved)
		}
	}
}

// A ticket is one blob's, a name is one blob's, and room is taken when it is asked for.
func TestUploadRights(t *testing.T) {
	now := time.Unix(1e9, 0)
	b, db := open(t, vfs.NewMem(), &now) // room for 1000
	defer db.Close()
	r, ticket, erase := ask(1, 600)
	if err := b.Begin(r, 1000); err != nil {
		t.Fatal(err)
	}
	other, otherTicket, _ := ask(2, 600)
	if err := b.Begin(other, 1000); wire.CodeOf(err) != wire.CodeStorageFull {
		t.Error(err)
	}
	other.Size = 300
	if err := b.Begin(other, 200); wire.CodeOf(err) != wire.CodeTooLarge {
		t.Error(err)
	}
	if err := b.Begin(other, 1000); err != nil {
		t.Fatal(err)
	}
	again := r
	again.Ticket = otherTicket.Hash()
	if err := b.Begin(again, 1000); wire.CodeOf(err) != wire.CodeMalformed {
		t.Error("a name twice:", err)
	}
	for _, size := range []uint64{0, 1 << 40} {
		bad, _, _ := ask(3, size)
		if err := b.Begin(bad, 1<<50); err == nil {
			t.Error(size)
		}
	}
	if _, err := b.Append(r.Blob, otherTicket, 0, 1, bytes.NewReader([]byte{1}), none); wire.CodeOf(err) != wire.CodeNoBlob {
		t.Error(err)
	}
	if _, err := b.Progress(Name{9}, ticket); wire.CodeOf(err) != wire.CodeNoBlob {
		t.Error(err)
	}
	if _, err := b.Append(r.Blob, ticket, 0, 100, bytes.NewReader(make([]byte, 100)), none); err != nil {
		t.Fatal(err)
	}
	if err := b.Erase(r.Blob, ticket); wire.CodeOf(err) != wire.CodeNoBlob {
		t.Error("erased with a ticket:", err)
	}
	if err := b.Erase(r.Blob, erase); err != nil || b.exists(r.Blob) || b.reserved != 300 {
		t.Error(err, b.reserved)
	}
	// Nobody goes on with the other one.
	now = now.Add(time.Hour)
	if err := b.Tick(now); err != nil || b.reserved != 0 || b.Unfinished(other.Blob) {
		t.Error(err, b.reserved)
	}
}

// slowReader gives one byte, says so, and holds until it is ended.
type slowReader struct {
	first bool
	began chan struct{}
	end   chan struct{}
}

func (s *slowReader) Read(b []byte) (int, error) {
	if !s.first {
		s.first = true
		b[0] = 'x'
		return 1, nil
	}
	close(s.began)
	<-s.end
	return 0, errors.New("ended")
}

// Whoever comes back while the server still holds the line that broke is not sent away.
func TestInterrupt(t *testing.T) {
	now := time.Unix(1e9, 0)
	b, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	r, ticket, _ := ask(1, 2)
	if err := b.Begin(r, 1000); err != nil {
		t.Fatal(err)
	}
	slow := &slowReader{began: make(chan struct{}), end: make(chan struct{})}
	first := make(chan error, 1)
	go func() {
		_, err := b.Append(r.Blob, ticket, 0, 2, slow, func() { close(slow.end) })
		first <- err
	}()
	<-slow.began
	if p, err := b.Progress(r.Blob, ticket); err != nil || p.Offset != 1 {
		t.Error(p, err)
	}
	if err := <-first; err == nil {
		t.Error("half a piece was taken for whole")
	}
	if p, err := b.Append(r.Blob, ticket, 1, 1, bytes.NewReader([]byte("y")), none); err != nil || !p.Complete() {
		t.Error(p, err)
	}
	if got := b.all(t, r.Blob); string(got) != "xy" {
		t.Errorf("%q", got)
	}
}
