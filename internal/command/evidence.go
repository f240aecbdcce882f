package command

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// plainText composes a text.
func plainText(text string) client.Compose { return client.Text(text) }

// taken are the entries that left a device.
type taken struct {
	mu      sync.Mutex
	entries [][]byte
}

func (t *taken) list() [][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.entries)
}

// tap stands between a device and the network and notes the entries that it appends.
func (t *taken) tap(n client.Network) client.Network { return tapped{n, t} }

type tapped struct {
	client.Network
	t *taken
}

func (n tapped) Dial(host, path string, private bool, up func(client.Conn), frame func([]byte), down func(error)) {
	n.Network.Dial(host, path, private, func(c client.Conn) { up(tappedConn{c, n.t}) }, frame, down)
}

type tappedConn struct {
	client.Conn
	t *taken
}

func (c tappedConn) Send(frame []byte) {
	if f, err := wire.DecodeFrame(frame); err == nil && wire.Op(f.Number) == wire.OpAppend {
		var a wire.Append
		if wire.Unmarshal(f.Body, &a) == nil && a.Swap == nil {
			c.t.mu.Lock()
			c.t.entries = append(c.t.entries, a.Entry)
			c.t.mu.Unlock()
		}
	}
	c.Conn.Send(frame)
}

// files are a directory's, by name.
type files map[string][]byte

func readAll(dir string) (files, error) {
	out := files{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		name, _ := filepath.Rel(dir, path)
		out[name] = b
		return err
	})
	return out, err
}

func (f files) size() (n uint64) {
	for _, b := range f {
		n += uint64(len(b))
	}
	return n
}

// find says where bytes stand. Storage may cut what is long in two, so that it looks for
// a piece of 64 bytes, from the beginning on.
func (f files) find(what []byte) (name string, at int, part []byte) {
	for from := 0; from == 0 || from+64 <= len(what); from += 64 {
		piece := what[from:min(len(what), from+64)]
		for _, name := range slices.Sorted(maps.Keys(f)) {
			if at := bytes.Index(f[name], piece); at >= 0 {
				return name, at, what[from:]
			}
		}
	}
	return "", 0, nil
}

// hexdump is bytes as hexdump -C prints them, from an offset on.
func hexdump(b []byte, at int) string {
	var out strings.Builder
	for n := 0; n < len(b); n += 16 {
		row := b[n:min(len(b), n+16)]
		text := strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, latin(row))
		fmt.Fprintf(&out, "   %08x  % -47s  |%s|\n", at+n, spaced(row), text)
	}
	return out.String()
}

func spaced(b []byte) string {
	s := make([]string, len(b))
	for i := range b {
		s[i] = hex.EncodeToString(b[i : i+1])
	}
	return strings.Join(s, " ")
}

// latin is bytes as that many runes.
func latin(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}
