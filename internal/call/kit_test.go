package call

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sotto/internal/mediafile"
)

// telephone is a line between two peers in this process: a log in which the first renewal of
// a round counts, as section 33 of docs/protocol.md has it.
type telephone struct {
	mu    sync.Mutex
	sides [2]*side
	round int
	told  []Candidate // of everybody
	held  bool        // renewals are held back until the other side made one, too
}

// side is one end of it, and keeps what its peer says.
type side struct {
	t      *telephone
	n      int
	peer   *Peer
	offer  chan Media
	events chan Event
	waits  []Media // what came before there was a peer
	end    End
	err    error // of its renewals
}

func newTelephone() (*telephone, *side, *side) {
	t := &telephone{}
	for n := range t.sides {
		t.sides[n] = &side{t: t, n: n, offer: make(chan Media, 1), events: make(chan Event, 100)}
	}
	return t, t.sides[0], t.sides[1]
}

// other tells the other side something.
func (s *side) other(m Media) {
	o := s.t.sides[1-s.n]
	if o.peer == nil {
		o.waits = append(o.waits, m)
		return
	}
	o.peer.Receive(m)
}

func (s *side) Offer(_ context.Context, sdp string) error {
	s.t.sides[1-s.n].offer <- Media{Offer: sdp}
	return nil
}

func (s *side) Answer(_ context.Context, sdp string) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.other(Media{Answer: sdp})
	return nil
}

func (s *side) Renew(_ context.Context, sdp string) (int, error) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	if s.t.held { // both have made one: this one is first, and the other says the same round
		s.t.held = false
		return s.t.round + 1, nil
	}
	s.t.round++
	s.other(Media{Round: s.t.round, Offer: sdp})
	return s.t.round, nil
}

func (s *side) Renewed(_ context.Context, round int, sdp string) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.other(Media{Round: round, Answer: sdp})
	return nil
}

func (s *side) Candidates(_ context.Context, round int, list []Candidate) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.t.told = append(s.t.told, list...)
	s.other(Media{Round: round, Candidates: list})
	return nil
}

func (s *side) End(_ context.Context, why End) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.end = why
	if o := s.t.sides[1-s.n]; o.peer != nil {
		o.peer.Close()
	}
	return nil
}

// tell keeps events.
func (s *side) tell(e Event) { s.events <- e }

// wants waits for an event.
func (s *side) wants(t testing.TB, k Kind) Event {
	t.Helper()
	for {
		select {
		case e := <-s.events:
			if e.Kind == k {
				return e
			}
			if e.Kind == Over {
				t.Fatalf("the call is over (%s, %v) where %s was waited for", e.End, e.Err, k)
			}
		case <-time.After(time.Minute):
			t.Fatalf("no event %s in a minute", k)
		}
	}
}

// is makes the side's peer.
func (s *side) is(p *Peer) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.peer = p
	for _, m := range s.waits {
		p.Receive(m)
	}
	s.waits = nil
}

// talk lets one side call and the other answer. It ends with the test, or before.
func talk(t testing.TB, ana, bo *side, a, b Options) (end func()) {
	t.Helper()
	a.Signalling, a.Tell, a.Loopback = ana, ana.tell, true
	b.Signalling, b.Tell, b.Loopback = bo, bo.tell, true
	p, err := Call(a)
	if err != nil {
		t.Fatal(err)
	}
	ana.is(p)
	p2, err := Answer(b, <-bo.offer)
	if err != nil {
		t.Fatal(err)
	}
	bo.is(p2)
	end = func() {
		p.Close()
		p2.Close()
		<-p.Done()
		<-p2.Done()
	}
	t.Cleanup(end)
	return end
}

// tape is a file of frames that can be told apart.
type tape struct {
	codec string
	name  string
	n     int
	step  time.Duration
	size  int
	key   int // every so many a key frame
	at    int
}

func (f *tape) Codec() string { return f.codec }

func (f *tape) Next() (mediafile.Frame, error) {
	if f.at == f.n {
		return mediafile.Frame{}, io.EOF
	}
	k := f.at
	f.at++
	return mediafile.Frame{Data: f.frame(k), At: time.Duration(k) * f.step, Key: f.key == 0 || k%f.key == 0}, nil
}

// frame is the one of a number: what the codec needs to know, a mark, the number.
func (f *tape) frame(n int) []byte {
	head := []byte{0xfc} // Opus: CELT, 20 ms, stereo, one frame
	if f.codec == mediafile.VP8 {
		head = []byte{1, 0, 0}
		if f.key == 0 || n%f.key == 0 {
			head = []byte{0, 0, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0}
		}
	}
	b := binary.BigEndian.AppendUint32(append(head, f.name...), uint32(n))
	return append(b, bytes.Repeat([]byte{byte(n)}, max(0, f.size-len(b)))...)
}

// numbers are those of a tape's frames in a recording, in its order.
func (f *tape) numbers(t *testing.T, path string) (out []int, last time.Duration) {
	t.Helper()
	r, err := mediafile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, last
		} else if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(frame.Data, []byte(f.name))
		if at < 0 || len(frame.Data) < at+len(f.name)+4 {
			continue
		}
		n := int(binary.BigEndian.Uint32(frame.Data[at+len(f.name):]))
		if !bytes.Equal(frame.Data, f.frame(n)) {
			t.Errorf("frame %d of %s came otherwise", n, f.name)
		}
		out, last = append(out, n), frame.At
	}
}

func voice(name string, n int) *tape {
	return &tape{codec: mediafile.Opus, name: name, n: n, step: 20 * time.Millisecond, size: 80}
}

func film(name string, n, size int) *tape {
	return &tape{codec: mediafile.VP8, name: name, n: n, step: 33 * time.Millisecond, size: size, key: 10}
}

func recorder(t *testing.T) (*Recorder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "talk.ogg")
	r, err := NewRecorder(path)
	if err != nil {
		t.Fatal(err)
	}
	return r, path
}

// whole holds that a recording has a tape's frames in their order, but for some.
func (f *tape) whole(t *testing.T, path string, but int) {
	t.Helper()
	got, _ := f.numbers(t, path)
	if len(got) < f.n-but {
		t.Errorf("%s has %d frames of %d of %s", filepath.Base(path), len(got), f.n, f.name)
	}
	for i := 1; i < len(got); i++ {
		if got[i] <= got[i-1] {
			t.Fatalf("%s: frame %d after %d", f.name, got[i], got[i-1])
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(fmt.Errorf("no recording: %w", err))
	}
}
