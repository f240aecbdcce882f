//go:build linux && chaos

package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// ledger is every message of a run: what was written, and what was told of it.
type ledger struct {
	mu    sync.Mutex
	seed  uint64
	all   []*message
	texts map[string]*message
	ids   map[string]*message
}

// message is one that somebody had sotto send. Its text is its name.
type message struct {
	n      int
	text   string
	kind   string // text, reply, edit or delete
	by     *device
	in     *chatroom
	target *message

	id    string // once it was told
	began int64  // the moment when its command began
	gone  bool   // somebody began to take it back
	held  int64  // the moment when the server was said to hold it; 0: never
	told  string // the highest state that was told; "": it may not exist
}

// marker is in every text, and in no file of a server.
const marker = "chaos-text"

// states of an own message, from lowest to highest. A state told is never taken back.
var states = map[string]int{"": 0, "queued": 1, "stored": 2, "delivered": 3, "read": 4}

func newLedger(seed uint64) *ledger {
	return &ledger{seed: seed, texts: map[string]*message{}, ids: map[string]*message{}}
}

// write makes a message with a text of its own.
func (l *ledger) write(by *device, in *chatroom, kind string, size int, began int64, target *message) *message {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &message{n: len(l.all), kind: kind, by: by, in: in, target: target, began: began}
	m.text = fmt.Sprintf("%s %d.%d %s in %s ", marker, l.seed, m.n, by.name, in.name)
	if size > len(m.text) {
		m.text += strings.Repeat("abcdefghijklmnopqrstuvwxyz. ", (size-len(m.text))/28+1)[:size-len(m.text)]
	}
	m.text = strings.TrimSpace(m.text)
	l.all = append(l.all, m)
	if kind != "delete" {
		l.texts[m.text] = m
	}
	return m
}

// heard takes what a command told about a message. It answers what is wrong with that.
func (l *ledger) heard(m *message, id, state string, moment int64) (wrong string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rank, known := states[state]
	switch {
	case !known:
		return fmt.Sprintf("message %d is told to be %q", m.n, state)
	case m.id != "" && m.id != id:
		return fmt.Sprintf("message %d has the ids %s and %s", m.n, m.id, id)
	case l.ids[id] != nil && l.ids[id] != m:
		return fmt.Sprintf("messages %d and %d have the id %s", m.n, l.ids[id].n, id)
	case rank < states[m.told]:
		return fmt.Sprintf("message %d was told to be %s, and then %s", m.n, m.told, state)
	}
	m.id, m.told = id, state
	l.ids[id] = m
	if rank >= states["stored"] && m.held == 0 {
		m.held = moment
	}
	return ""
}

// find is the message that a line shows: by its id, else by its text.
func (l *ledger) find(o object) *message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.ids[o.ID]; m != nil {
		return m
	}
	if o.Kind != "delete" {
		return l.texts[o.Text]
	}
	for _, m := range l.all {
		if m.kind == o.Kind && m.target.id == o.Target {
			return m
		}
	}
	return nil
}

// pick is a message of somebody's that has an id and was not taken back, or nil.
func (l *ledger) pick(by *device, in *chatroom, kind string, rng *rand.Rand) *message {
	l.mu.Lock()
	defer l.mu.Unlock()
	var some []*message
	for _, m := range l.all {
		if m.by == by && m.in == in && m.id != "" && m.kind == "text" && !m.gone {
			some = append(some, m)
		}
	}
	if len(some) == 0 {
		return nil
	}
	m := some[rng.IntN(len(some))]
	m.gone = kind == "delete"
	return m
}

// list is what was written so far.
func (l *ledger) list() []*message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*message{}, l.all...)
}
