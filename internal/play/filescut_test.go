package play

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sotto/internal/client"
	"sotto/internal/store"
)

// rough is a line that breaks at every n-th piece of a file: before it, or after it was taken and
// before the answer. It counts what passed.
type rough struct {
	client.Network
	every int

	mu       sync.Mutex
	pieces   int
	up, down int64           // bytes of files
	puts     map[string]bool // uploads
}

func (r *rough) Do(q client.Request, done func(client.Answer, error)) {
	piece := q.Method == "PATCH" || q.Method == "GET" && strings.HasPrefix(q.Path, "/v1/blobs/")
	if !piece {
		r.Network.Do(q, done)
		return
	}
	r.mu.Lock()
	r.pieces++
	n := r.pieces
	r.mu.Unlock()
	broken := errors.New("the line broke")
	if r.every > 0 && n%r.every == 1 {
		done(client.Answer{}, broken)
		return
	}
	r.Network.Do(q, func(a client.Answer, err error) {
		r.mu.Lock()
		r.up += int64(len(q.Body))
		if q.Method == "PATCH" {
			r.puts[q.Path] = true
		}
		if q.Method == "GET" {
			r.down += int64(len(a.Body))
		}
		r.mu.Unlock()
		if r.every > 0 && n%r.every == r.every/2 {
			a, err = client.Answer{}, broken
		}
		done(a, err)
	})
}

func (r *rough) bytes() (up, down int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.up, r.down
}

// onRough puts a person behind such a line, from the next Open on.
func (p *Person) onRough(every int) *rough {
	r := &rough{every: every, puts: map[string]bool{}}
	before := p.Mutate
	p.Mutate = func(o *client.Options) {
		if before != nil {
			before(o)
		}
		r.Network, o.Network = o.Network, r
	}
	return r
}

// progress is how far a file is, of a person who may be away.
func (p *Person) progress(own bool) (client.FileInfo, bool) {
	list, err := p.Client.Files(nil, 0, 10)
	if err != nil {
		p.w.T.Fatal(err)
	}
	for _, f := range list {
		if f.Own == own {
			return f, true
		}
	}
	return client.FileInfo{}, false
}

// struck lets something happen each time that another part of a file is over, until it is there.
func (p *Person) struck(own bool, parts int64, do ...func()) client.FileInfo {
	p.w.T.Helper()
	over := int64(0)
	var f client.FileInfo
	p.Eventually("has the whole file", func() bool {
		now, ok := p.progress(own)
		if !ok {
			return false
		}
		f = now
		if f.State == client.FileFailed || f.State == client.FileExpired {
			p.w.T.Fatalf("%s: %s %s", p.Name, f.State, f.Why)
		}
		if part := f.Done * parts / int64(f.Sealed); part > over {
			over = part
			if len(do) > 0 {
				do[int(part)%len(do)]()
			}
		}
		return f.State == client.FileHere || f.State == client.FileStored
	}, func() any { return f })
	return f
}

// Ana sends a large file to a room of three others with two devices each: Cy is away, Di links
// her second device only later. Her line breaks again and again, and so do theirs; she, the
// server and they are stopped many times on the way. The file is put once, everybody has it as
// it was, and nobody began from nothing.
func TestFileThroughEverything(t *testing.T) {
	size := 64<<20 + 12_345
	if raceEnabled {
		size = 6<<20 + 12_345
	}
	most := int64(size) * 13 / 10
	if raceEnabled { // of so small a file what is under way when a program stops is a large part
		most += 8 << 20
	}
	w := New(t)
	ana, bo, cy, di := w.Person("ana"), w.Person("bo"), w.Person("cy"), w.Person("di")
	group(t, "Council", ana, bo, cy, di)
	bo2, cy2 := bo.device(t, "phone"), cy.device(t, "phone")
	for _, p := range []*Person{bo2, cy2} {
		p.Eventually("is in the room", func() bool { return p.Room("Council").State == store.RoomActive }, func() any { return nil })
	}
	cy.Away()
	cy2.Away()

	content := noise(size, 9)
	ana.Away()
	line := ana.onRough(11)
	ana.Back()
	restart := func() { w.Home.Stop(); w.Home.Start() }
	ana.sendFiles("Council", "the film", w.file("film.mp4", content))
	again := func() { ana.Away(); ana.Back() }
	if f := ana.struck(true, 6, again, restart, again); f.State != client.FileStored {
		t.Fatalf("%+v", f)
	}
	ana.Eventually("the message is out", func() bool {
		id, err := ana.Client.Resolve("Council")
		if err != nil {
			return false
		}
		list, err := ana.Client.Messages(&id, 0, 100)
		return err == nil && len(list) > 0 && list[len(list)-1].State >= store.Stored
	}, func() any { return nil })
	up, _ := line.bytes()
	t.Logf("sent %.2f times its size", float64(up)/float64(size))
	if up > most {
		t.Errorf("%d bytes were sent for %d", up, size)
	}
	if len(line.puts) != 1 {
		t.Errorf("put %d times: %v", len(line.puts), line.puts)
	}

	di2 := di.device(t, "phone")
	cy.Back()
	cy2.Back()
	for i, p := range []*Person{bo, bo2, cy, cy2, di, di2} {
		p.Eventually("sees the file", func() bool { f, ok := p.progress(false); return ok && f.State == client.FileOffered }, func() any { return nil })
		f, _ := p.progress(false)
		p.Away()
		line := p.onRough(9 + i)
		p.Back()
		dir := filepath.Join(t.TempDir(), "in")
		if err := p.Client.GetFile(f.Message, f.Part, dir); err != nil {
			t.Fatal(err)
		}
		again := func() { p.Away(); p.Back() }
		var hits []func()
		if i%2 == 0 {
			hits = []func(){again, restart}
		}
		f = p.struck(false, 4, hits...)
		got, err := os.ReadFile(f.Path)
		if err != nil || string(got) != string(content) {
			t.Fatalf("%s: %d bytes for %d: %v", p.Name, len(got), len(content), err)
		}
		names, err := os.ReadDir(dir)
		if err != nil || len(names) != 1 {
			t.Errorf("%s: %v %v", p.Name, names, err)
		}
		if _, down := line.bytes(); down > most {
			t.Errorf("%s: %d bytes came for %d", p.Name, down, size)
		} else {
			t.Logf("%s fetched %.2f times its size", p.Name, float64(down)/float64(size))
		}
	}
}
