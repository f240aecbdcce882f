package handover

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// version is that of the frames. Two programs of different versions do not talk.
const version = 1

// The kinds of frames.
const (
	kindHello   = 'h' // holder: JSON hello
	kindRequest = 'r' // guest: JSON Request
	kindWant    = 'w' // holder: the command reads its input
	kindInput   = 'i' // guest: some of it
	kindEnd     = 'e' // guest: there is no more
	kindCancel  = 'c' // guest: the person stopped it
	kindOut     = 'o' // holder: standard output
	kindErr     = 'd' // holder: standard error
	kindExit    = 'x' // holder: JSON exit, the last frame
)

const (
	maxFrame = 4 << 20 // a request holds whole arguments
	chunk    = 32 << 10
)

// hello is the holder's first word.
type hello struct {
	Version int  `json:"version"`
	Stays   bool `json:"stays"` // it goes on until it is stopped
}

// Request is what a guest hands over.
type Request struct {
	Args     []string `json:"args"`
	Terminal bool     `json:"terminal,omitempty"` // its standard output is one
	Follows  bool     `json:"follows,omitempty"`  // it goes on until it is stopped
	Resumes  bool     `json:"resumes,omitempty"`  // another holder began it
	Dir      string   `json:"dir,omitempty"`      // its working directory: names of files begin there
}

// exit is how the command ended.
type exit struct {
	Code     int  `json:"code"`
	Again    bool `json:"again,omitempty"`    // the holder stops: the guest may take its place
	Declined bool `json:"declined,omitempty"` // the command was not begun, since the holder stops
}

// wire is one end of a connection. Any goroutine writes, one reads.
type wire struct {
	rw io.ReadWriteCloser
	mu sync.Mutex
}

func (w *wire) send(kind byte, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)))
	_, err := w.rw.Write(append(head, body...))
	return err
}

func (w *wire) sendJSON(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		err = w.send(kind, b)
	}
	return err
}

func (w *wire) receive() (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(w.rw, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, fmt.Errorf("handover: a frame of %d bytes", n)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(w.rw, body)
	return head[0], body, err
}

// receiveJSON reads one frame that has to be of a kind.
func (w *wire) receiveJSON(kind byte, v any) error {
	k, b, err := w.receive()
	if err != nil {
		return err
	}
	if k != kind {
		return fmt.Errorf("handover: a frame %q where %q is due", k, kind)
	}
	return json.Unmarshal(b, v)
}

// pipe is an output of the command, as frames.
type pipe struct {
	w    *wire
	kind byte
}

func (p pipe) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		part := b[n:min(len(b), n+chunk)]
		if err = p.w.send(p.kind, part); err == nil {
			n += len(part)
		}
	}
	return n, err
}
