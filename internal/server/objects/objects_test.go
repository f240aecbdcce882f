package objects

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	mrand "math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"sotto/internal/server/blobs"
	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a set of blobs on a disk in memory, with a store behind it or without.
type shelf struct {
	t   *testing.T
	fs  *vfs.MemFS
	far blobs.Far
	now time.Time
	db  *engine.DB
	*blobs.Blobs
}

func (s *shelf) open(fs *vfs.MemFS) {
	s.t.Helper()
	s.close()
	clock := func() time.Time { return s.now }
	var err error
	if s.db, err = engine.Open(engine.Options{Dir: "db", FS: fs, Now: clock}); err != nil {
		s.t.Fatal(err)
	}
	s.fs = fs
	if s.Blobs, err = blobs.Open(s.db, blobs.Options{Dir: "blobs", FS: fs, Now: clock, Rand: rand.Reader, MaxBytes: func() uint64 { return 1 << 30 }, Far: s.far}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) close() {
	if s.db != nil {
		if err := s.db.Close(); err != nil {
			s.t.Error(err)
		}
	}
}

func content(n int) []byte {
	b := make([]byte, n)
	mrand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// put puts a blob in pieces.
func (s *shelf) put(n byte, body []byte) (blobs.Name, wire.Secret) {
	s.t.Helper()
	ticket, erase := wire.Secret{n, 1}, wire.Secret{n, 2}
	r := wire.UploadRequest{Blob: blobs.Name{n}, Size: uint64(len(body)), TTL: 3600, Erase: erase.Hash(), Ticket: ticket.Hash()}
	if err := s.Begin(r, 1<<40); err != nil {
		s.t.Fatal(err)
	}
	for at := 0; at < len(body); {
		piece := body[at:min(at+4<<20, len(body))]
		p, err := s.Append(r.Blob, ticket, uint64(at), uint64(len(piece)), bytes.NewReader(piece), func() {})
		if err != nil {
			s.t.Fatal(err)
		}
		at = int(p.Offset)
	}
	return r.Blob, erase
}

func (s *shelf) holds(n blobs.Name, body []byte) {
	s.t.Helper()
	b, err := s.Get(n)
	if err != nil {
		s.t.Fatal(err)
	}
	defer b.Close()
	if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, body) {
		s.t.Fatalf("%d bytes for %d: %v", len(got), len(body), err)
	}
	for _, at := range []int64{0, 1, int64(len(body)) / 2, int64(len(body)) - 1} {
		if _, err := b.Seek(at, io.SeekStart); err != nil {
			s.t.Fatal(err)
		}
		part := make([]byte, min(10, int64(len(body))-at))
		if _, err := io.ReadFull(b, part); err != nil || !bytes.Equal(part, body[at:at+int64(len(part))]) {
			s.t.Fatalf("at %d: %q %v", at, part, err)
		}
	}
	if end, err := b.Seek(0, io.SeekEnd); err != nil || end != int64(len(body)) {
		s.t.Fatal(end, err)
	}
}

// each runs a test of the contract on the disk alone and with a store behind it.
func each(t *testing.T, test func(t *testing.T, s *shelf, store *s3)) {
	for _, far := range []bool{false, true} {
		t.Run(map[bool]string{false: "disk", true: "objects"}[far], func(t *testing.T) {
			s := &shelf{t: t, now: time.Unix(1e9, 0)}
			store := newS3(t)
			if far {
				s.far = store.store(t, testSecret)
			}
			s.open(vfs.NewCrashableMem())
			defer s.close()
			test(t, s, store)
		})
	}
}

// What is put is there, whole and at any place, before and after it was put away and over a
// restart; when it is erased or its time is up there is nothing, anywhere.
func TestContract(t *testing.T) {
	each(t, func(t *testing.T, s *shelf, store *s3) {
		small, large := content(5000), content(35<<20) // three parts
		one, erase := s.put(1, small)
		two, _ := s.put(2, large)
		s.holds(one, small)
		if err := s.Move(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := store.count(); s.far != nil && n != 2 || s.far == nil && n != 0 {
			t.Errorf("%d objects", n)
		}
		for range 2 {
			s.holds(one, small)
			s.holds(two, large)
			s.open(s.fs)
		}
		if _, err := s.Get(blobs.Name{9}); wire.CodeOf(err) != wire.CodeNoBlob {
			t.Error(err)
		}
		if err := s.Erase(one, erase); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(one); wire.CodeOf(err) != wire.CodeNoBlob {
			t.Error(err)
		}
		s.now = s.now.Add(2 * time.Hour)
		if err := s.Tick(s.now); err != nil {
			t.Fatal(err)
		}
		if n, size := s.Stats(); n != 0 || size != 0 || store.count() != 0 {
			t.Error(n, size, store.count())
		}
	})
}

// The store fails, breaks and forgets: what was not put away stays on the disk, what cannot be
// erased is tried again, and nothing is called there that is not.
func TestFaults(t *testing.T) {
	s := &shelf{t: t, now: time.Unix(1e9, 0)}
	store := newS3(t)
	s.far = store.store(t, testSecret)
	s.open(vfs.NewCrashableMem())
	defer s.close()
	body := content(20 << 20)
	n, erase := s.put(1, body)
	refuse := func(methods ...string) func(r *http.Request) int {
		return func(r *http.Request) int {
			for _, m := range methods {
				if r.Method == m {
					return http.StatusForbidden // what is not tried again at once
				}
			}
			return 0
		}
	}
	store.failing(refuse("PUT", "POST"))
	if err := s.Move(t.Context()); err == nil {
		t.Fatal("put away without a store")
	}
	s.holds(n, body)
	// A crash after the object is there and before the row says so.
	store.failing(nil)
	before := s.fs.CrashClone(vfs.CrashCloneCfg{})
	if err := s.Move(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.open(before)
	s.holds(n, body)
	if err := s.Move(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.holds(n, body)
	store.failing(refuse("DELETE"))
	if err := s.Erase(n, erase); err == nil {
		t.Error("erased without a store")
	}
	store.failing(refuse("GET"))
	if _, err := s.Get(n); err == nil || wire.CodeOf(err) == wire.CodeNoBlob {
		t.Error("a store that fails is not one that has lost a blob:", err)
	}
	store.failing(nil)
	s.holds(n, body)
	store.mu.Lock()
	clear(store.objects)
	store.mu.Unlock()
	if _, err := s.Get(n); wire.CodeOf(err) != wire.CodeNoBlob {
		t.Error("a store that has lost a blob:", err)
	}
	if err := s.Erase(n, erase); err != nil {
		t.Error(err)
	}
}

// A wrong secret is refused, and said so at once.
func TestSignature(t *testing.T) {
	store := newS3(t)
	if err := store.store(t, testSecret).Check(t.Context()); err != nil {
		t.Error(err)
	}
	wrong := store.store(t, "another secret")
	if err := wrong.Check(t.Context()); err == nil {
		t.Error("a wrong secret opens a bucket")
	}
	if err := wrong.Put(t.Context(), blobs.Name{1}, 3, bytes.NewReader([]byte("abc"))); err == nil || store.count() != 0 {
		t.Error(err)
	}
	if _, err := store.store(t, testSecret).Open(t.Context(), blobs.Name{1}, 0, 3); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := store.store(t, testSecret).Remove(t.Context(), blobs.Name{1}); err != nil {
		t.Error("what is not there cannot be removed:", err)
	}
}
