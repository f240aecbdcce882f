package server

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"sotto/internal/wire"
)

// upload is one that a test puts.
type upload struct {
	r      *rig
	path   string
	header map[string]string
	q      wire.UploadRequest
	ticket wire.Secret
	erase  wire.Secret
}

func (r *rig) upload(size int) *upload {
	u := &upload{r: r, ticket: random[wire.Secret](), erase: random[wire.Secret]()}
	u.q = wire.UploadRequest{Blob: random[[16]byte](), Size: uint64(size), TTL: 3600, Erase: u.erase.Hash(), Ticket: u.ticket.Hash()}
	u.path = "/v1/uploads/" + hex.EncodeToString(u.q.Blob[:])
	u.header = map[string]string{wire.HeaderTicket: hex.EncodeToString(u.ticket[:]), "Content-Type": wire.TypePiece}
	return u
}

func (u *upload) blob() string { return "/v1/blobs/" + hex.EncodeToString(u.q.Blob[:]) }

// do asks, and answers status, code, offset and whether it is whole.
func (u *upload) do(method string, at int, body []byte) (status int, code wire.Code, offset int, whole bool) {
	u.r.t.Helper()
	req, err := http.NewRequest(method, u.r.base+u.path, bytes.NewReader(body))
	if err != nil {
		u.r.t.Fatal(err)
	}
	for k, v := range u.header {
		req.Header.Set(k, v)
	}
	if method == "PATCH" {
		req.Header.Set(wire.HeaderOffset, strconv.Itoa(at))
	}
	resp, err := u.r.web.Do(req)
	if err != nil {
		u.r.t.Fatal(err)
	}
	resp.Body.Close()
	n, _ := strconv.Atoi(resp.Header.Get(wire.HeaderCode))
	offset, _ = strconv.Atoi(resp.Header.Get(wire.HeaderOffset))
	return resp.StatusCode, wire.Code(n), offset, resp.Header.Get(wire.HeaderComplete) == "?1"
}

// A file comes in pieces, in order only, and is there when it is whole.
func TestUpload(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	body := bytes.Repeat([]byte("cipher"), 50_000)
	u := r.upload(len(body))
	if status, code, _, _ := u.do("PATCH", 0, body); status != 404 || code != wire.CodeNoBlob {
		t.Fatal("nobody granted this:", status, code)
	}
	ana.must(wire.OpUpload, u.q, &wire.Done{})
	ana.must(wire.OpUpload, u.q, &wire.Done{})
	if status, _, at, whole := u.do("HEAD", 0, nil); status != 204 || at != 0 || whole {
		t.Fatal(status, at, whole)
	}
	if status, _, at, whole := u.do("PATCH", 0, body[:1000]); status != 204 || at != 1000 || whole {
		t.Fatal(status, at, whole)
	}
	if status, code, at, _ := u.do("PATCH", 0, body[:1000]); status != 409 || code != wire.CodeOffset || at != 1000 {
		t.Fatal(status, code, at)
	}
	if status, _, _ := r.get("GET", u.blob(), nil, nil); status != 404 {
		t.Fatal("a part can be had:", status)
	}
	if status, _, at, whole := u.do("PATCH", 1000, body[1000:]); status != 204 || at != len(body) || !whole {
		t.Fatal(status, at, whole)
	}
	if status, _, at, whole := u.do("HEAD", 0, nil); status != 204 || at != len(body) || !whole {
		t.Fatal(status, at, whole)
	}
	if _, _, got := r.get("GET", u.blob(), nil, nil); !bytes.Equal(got, body) {
		t.Fatal("another file came back")
	}
	if status, _, got := r.get("GET", u.blob(), map[string]string{"Range": "bytes=6-11"}, nil); status != 206 || string(got) != "cipher" {
		t.Fatal(status, got)
	}
	ana.must(wire.OpUpload, u.q, &wire.Done{}) // also when it is whole
	if status, _, _ := r.get("DELETE", u.path, map[string]string{wire.HeaderErase: hex.EncodeToString(u.erase[:])}, nil); status != 204 {
		t.Fatal(status)
	}
	if status, _, _ := r.get("GET", u.blob(), nil, nil); status != 404 {
		t.Fatal(status)
	}
	// What is no piece.
	v := r.upload(10)
	ana.must(wire.OpUpload, v.q, &wire.Done{})
	v.header["Content-Type"] = "text/plain"
	if status, code, _, _ := v.do("PATCH", 0, body[:10]); status != 400 || code != wire.CodeMalformed {
		t.Error(status, code)
	}
	v.header[wire.HeaderTicket] = "zz"
	if status, _, _, _ := v.do("HEAD", 0, nil); status != 403 {
		t.Error(status)
	}
}

// An account has a day's bytes, bytes that stand, and uploads at a time; none of the counts says
// which blobs they are of.
func TestUploadQuotas(t *testing.T) {
	l := wide()
	l.BlobBytesPerDay, l.BlobBytesKept, l.FileBytes, l.UploadsAtOnce = 250, 400, 100, 2
	now := time.Now()
	r := start(t, Options{Limits: l, Now: func() time.Time { return now }}, ServeOptions{})
	ana := r.person("ana")
	long := func(size int) *upload {
		u := r.upload(size)
		u.q.TTL = 10 * 24 * 3600
		return u
	}
	ana.refused(wire.CodeTooLarge, wire.OpUpload, long(101).q)
	one, two, three := long(100), long(100), long(50)
	ana.must(wire.OpUpload, one.q, &wire.Done{})
	ana.must(wire.OpUpload, two.q, &wire.Done{})
	ana.must(wire.OpUpload, two.q, &wire.Done{}) // costs nothing
	ana.refused(wire.CodeQuota, wire.OpUpload, three.q)
	for _, u := range []*upload{one, two} {
		if status, _, _, whole := u.do("PATCH", 0, make([]byte, 100)); status != 204 || !whole {
			t.Fatal(status)
		}
	}
	ana.must(wire.OpUpload, three.q, &wire.Done{})
	ana.refused(wire.CodeQuota, wire.OpUpload, long(1).q) // of today
	now = now.Add(24 * time.Hour)
	r.s.Tick(now)
	ana.must(wire.OpUpload, long(100).q, &wire.Done{})
	ana.refused(wire.CodeQuota, wire.OpUpload, long(51).q) // 350 stand
	now = now.Add(11 * 24 * time.Hour)
	r.s.Tick(now)
	ana.must(wire.OpUpload, long(51).q, &wire.Done{})
	if n, size := r.s.blobs.Stats(); n != 0 || size != 0 {
		t.Error(n, size)
	}
}
