//go:build linux && chaos

package chaos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sotto/internal/server/engine"
)

// kept are pieces of entries that stood at a server: in its logs and inboxes. When everybody
// has read everything, none of them may be left in any file.
type kept struct {
	mu     sync.Mutex
	pieces map[string]map[uint64][]byte // by server, then by their first eight bytes
}

// pieceSize is how much of an entry is looked for at once: storage may cut what is long.
const pieceSize = 32

// standing is an entry that stands: in which log or inbox, and its bytes.
type standing struct {
	where string // the first bytes of its key
	bytes []byte
}

// entries reads those that stand in a server's database.
func entries(dir string) (out []standing, err error) {
	db, err := engine.Open(engine.Options{Dir: filepath.Join(dir, "db"), ByHand: true})
	if err != nil {
		return nil, err
	}
	for _, prefix := range []string{"Lo", "Ib"} {
		err = db.Scan([]byte(prefix), []byte(prefix+"\xff"), func(k, v []byte) (bool, error) {
			if len(v) > 256 { // an entry, padded, and not the state of a log
				out = append(out, standing{string(k[:18]), bytes.Clone(v)})
			}
			return true, nil
		})
		if err != nil {
			break
		}
	}
	if e := db.Close(); err == nil {
		err = e
	}
	return out, err
}

// pieces are some of an entry.
func (s standing) pieces() (out [][]byte) {
	for at := 0; at+pieceSize <= len(s.bytes); at += max(pieceSize, len(s.bytes)/8) {
		out = append(out, s.bytes[at:at+pieceSize])
	}
	return out
}

// keep remembers the entries that stand at a server that was killed. It looks at a copy.
func (w *World) keep(s *server) {
	dir, err := os.MkdirTemp(w.dir, "copy")
	if err != nil {
		w.try(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := copyFiles(dir, s.data()); err != nil {
		w.try(err)
		return
	}
	list, err := entries(dir)
	if err != nil {
		w.journal.fault(s.name, "its database does not open after it was killed: %v", err)
		return
	}
	w.kept.mu.Lock()
	defer w.kept.mu.Unlock()
	of := w.kept.pieces[s.name]
	if of == nil {
		of = map[uint64][]byte{}
		w.kept.pieces[s.name] = of
	}
	for _, e := range list {
		for _, p := range e.pieces() {
			of[binary.LittleEndian.Uint64(p)] = p
		}
	}
	w.journal.say(s.name, "%d entries stood there, %d pieces in all", len(list), len(of))
}

// copyFiles copies a directory but for sockets.
func copyFiles(to, from string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		case !e.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o600)
	})
}

// erased looks, at a server that is stopped, for what should have left every file.
func (w *World) erased(s *server) {
	db, err := engine.Open(engine.Options{Dir: filepath.Join(s.data(), "db"), ByHand: true})
	if err == nil {
		err = db.Sweep()
		if e := db.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		w.journal.fault(s.name, "sweeping: %v", err)
		return
	}
	left, err := entries(s.data())
	if err != nil {
		w.journal.fault(s.name, "reading what still stands: %v", err)
	}
	w.kept.mu.Lock()
	defer w.kept.mu.Unlock()
	pieces := w.kept.pieces[s.name]
	w.tally.add("pieces looked for", len(pieces))
	w.held(s, left)
	for _, e := range left {
		for _, p := range e.pieces() {
			delete(pieces, binary.LittleEndian.Uint64(p))
		}
	}
	w.search(s, pieces)
}

// held judges what still stands when everybody has read everything: nothing may.
func (w *World) held(s *server, left []standing) {
	logs := map[string]int{}
	for _, e := range left {
		logs[e.where]++
	}
	if holeLastWord && w.rough && len(logs) == 1 && strings.HasPrefix(left[0].where, "Lo") {
		w.journal.say(s.name, "%d entries stand for who was removed", len(left))
		w.tally.add("entries held for who is gone", len(left))
		return
	}
	if len(left) > 0 {
		w.journal.fault(s.name, "%d entries still stand in %d logs and inboxes", len(left), len(logs))
	}
}

// search looks into every file of a server for texts, and for pieces of entries.
func (w *World) search(s *server, pieces map[uint64][]byte) {
	files := 0
	err := filepath.WalkDir(s.data(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		if at := bytes.Index(b, []byte(marker)); at >= 0 {
			w.journal.fault(s.name, "a text stands in %s: %q", path, b[max(0, at-40):min(len(b), at+80)])
		}
		if at := find(b, pieces); at >= 0 {
			w.journal.fault(s.name, "an entry that everybody has stands in %s at byte %d", path, at)
		}
		return err
	})
	if err != nil || files == 0 {
		w.journal.fault(s.name, "%d files searched: %v", files, err)
	}
}

// find is where one of the pieces stands in b, or -1.
func find(b []byte, pieces map[uint64][]byte) int {
	if len(pieces) == 0 {
		return -1
	}
	for at := 0; at+pieceSize <= len(b); at++ {
		if p := pieces[binary.LittleEndian.Uint64(b[at:])]; p != nil && bytes.Equal(p, b[at:at+pieceSize]) {
			return at
		}
	}
	return -1
}

// emptied waits until nothing stands in any log, while everybody acknowledges.
func (w *World) emptied() {
	left := map[string]uint64{}
	still, since := false, time.Now()
	w.patiently(func() bool {
		was := fmt.Sprint(left)
		clear(left)
		for _, s := range w.servers {
			st, err := s.status()
			if err != nil {
				w.journal.fault(s.name, "%v", err)
				return true
			}
			if st.Entries > 0 {
				left[s.name] = st.Entries
			}
		}
		if len(left) == 0 {
			return true
		}
		w.everybody(func(d *device) { d.do(command{args: []string{"rooms"}}) })
		if still = fmt.Sprint(left) == was; !still {
			since = time.Now()
		}
		return still && time.Since(since) > 10*time.Second
	})
}

// wreck copies everybody's disks to where they outlast the run.
func (w *World) wreck(to string) error {
	for _, s := range w.servers {
		s.crash()
	}
	if err := copyFiles(to, w.dir); err != nil {
		return fmt.Errorf("keeping the wreck: %w", err)
	}
	return nil
}
