package play

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Recorder writes down everything that passes it.
type Recorder struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (r *Recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(b)
}

// Contains says whether the bytes passed.
func (r *Recorder) Contains(b []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Contains(r.buf.Bytes(), b)
}

// Len is how much passed.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Len()
}

// recording is a listener whose connections are written down, both ways.
type recording struct {
	net.Listener
	to *Recorder
}

func (l recording) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recorded{c, l.to}, nil
}

type recorded struct {
	net.Conn
	to *Recorder
}

func (c *recorded) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.to.Write(b[:n])
	return n, err
}

func (c *recorded) Write(b []byte) (int, error) {
	c.to.Write(b)
	return c.Conn.Write(b)
}

// FilesWith are the files below a directory that hold the bytes.
func FilesWith(t testing.TB, dir string, b []byte) []string {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) { // compacted away meanwhile
			return nil
		}
		if bytes.Contains(content, b) {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
