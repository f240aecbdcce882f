package play

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// bulk writes a file of so many bytes without holding it.
func bulk(b *testing.B, size int64) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "film.mp4")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	piece := noise(16<<20, 3)
	for n := int64(0); n < size && err == nil; n += int64(len(piece)) {
		_, err = f.Write(piece)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

// memory samples what the process has of the system until it is stopped, and answers by how much
// it grew at most.
func memory() (stop func() (grown int64)) {
	now := func() int64 {
		s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(s)
		return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
	}
	base, peak := now(), int64(0)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, now())
			select {
			case <-end:
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 { close(end); <-ended; return peak - base }
}

// granted has a server grant an upload to whoever sits at a client's line.
func (b *Between) granted(q wire.UploadRequest) error {
	const id = 1 << 40
	answer := make(chan error, 1)
	asked := false
	b.Down(func(p *Passing) {
		if p.Answer && p.Op == wire.OpAuth && !asked {
			asked = true
			p.Ask(wire.Frame{ID: id, Number: uint16(wire.OpUpload), Body: wire.Marshal(q)})
		}
		if p.Frame.ID == id {
			p.Drop = true
			answer <- p.Frame.Err()
		}
	})
	defer b.Honest()
	b.Cut("/v1/account") // it comes back at once
	return <-answer
}

// inClear brings a file to the server and from there to a folder as it is, in the pieces in which
// a device sends it, and with the same care for the disk.
func inClear(b *testing.B, at *Between, host, path string) time.Duration {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	ticket, erase, name := wire.Secret{1}, wire.Secret{2}, [16]byte{3}
	if err := at.granted(wire.UploadRequest{Blob: name, Size: uint64(info.Size()), TTL: 3600, Erase: erase.Hash(), Ticket: ticket.Hash()}); err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	ask := func(method, where string, body []byte, offset int64) *http.Response {
		q, err := http.NewRequest(method, "http://"+host+where+hex.EncodeToString(name[:]), bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		q.Header.Set(wire.HeaderTicket, hex.EncodeToString(ticket[:]))
		q.Header.Set(wire.HeaderErase, hex.EncodeToString(erase[:]))
		if method == "PATCH" {
			q.Header.Set("Content-Type", wire.TypePiece)
			q.Header.Set(wire.HeaderOffset, strconv.FormatInt(offset, 10))
		}
		r, err := http.DefaultClient.Do(q)
		if err != nil || r.StatusCode > 299 {
			b.Fatal(r, err)
		}
		return r
	}
	piece := make([]byte, 2<<20)
	for at := int64(0); at < info.Size(); {
		n, err := f.ReadAt(piece, at)
		if err != nil && err != io.EOF {
			b.Fatal(err)
		}
		ask("PATCH", "/v1/uploads/", piece[:n], at).Body.Close()
		at += int64(n)
	}
	r := ask("GET", "/v1/blobs/", nil, 0)
	to, err := os.Create(filepath.Join(b.TempDir(), "clear"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{to}, r.Body, make([]byte, 256<<10)); err != nil {
		b.Fatal(err)
	}
	r.Body.Close()
	if err := errors.Join(to.Sync(), to.Close(), os.Remove(to.Name())); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	ask("DELETE", "/v1/blobs/", nil, 0).Body.Close()
	http.DefaultClient.CloseIdleConnections()
	return took
}

// BenchmarkFile brings 1 GiB from Ana to Bo over loopback, beside the same bytes in the clear
// through the same server. It happens once, whatever b.N.
func BenchmarkFile(b *testing.B) {
	const size = 1 << 30
	w := New(b)
	ana, line := w.Watched("ana", w.Home)
	bo := w.Person("bo")
	ana.Send(bo.Handle, "hello")
	bo.Eventually("has a request", func() bool { return len(must(bo.Client.Requests())) == 1 }, func() any { return nil })
	if err := bo.Client.Accept(b.Context(), ana.Handle); err != nil {
		b.Fatal(err)
	}
	bo.Reads(ana.Handle, "hello")
	path := bulk(b, size)
	b.ResetTimer()
	clear := inClear(b, line, w.Home.Name, path)
	ana.Sync()
	grown := memory()
	begin := time.Now()
	m, err := ana.Client.SendFiles(b.Context(), bo.Handle, client.SendFiles{Files: []client.SendFile{{Path: path}}})
	if err != nil {
		b.Fatal(err)
	}
	if f, err := ana.Client.FileSettled(b.Context(), m.ID, 0); err != nil || f.State != client.FileStored {
		b.Fatal(f.State, f.Why, err)
	}
	sent := time.Since(begin)
	f := bo.filesIn(1)[0]
	begin = time.Now()
	if err := bo.Client.GetFile(f.Message, 0, b.TempDir()); err != nil {
		b.Fatal(err)
	}
	if f, err = bo.Client.FileSettled(b.Context(), f.Message, 0); err != nil || f.State != client.FileHere {
		b.Fatal(f.State, f.Why, err)
	}
	fetched := time.Since(begin)
	b.StopTimer()
	b.ReportMetric(float64(size)/1e6/sent.Seconds(), "up-MB/s")
	b.ReportMetric(float64(size)/1e6/fetched.Seconds(), "down-MB/s")
	b.ReportMetric(float64(size)/1e6/clear.Seconds(), "clear-MB/s")
	b.ReportMetric(clear.Seconds()/(sent+fetched).Seconds(), "of-clear")
	b.ReportMetric(float64(grown())/1e6, "grown-MB")
	b.ReportMetric(0, "ns/op")
	if err := os.Remove(f.Path); err != nil {
		b.Fatal(fmt.Errorf("the file that came: %w", err))
	}
}
