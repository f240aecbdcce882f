package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sotto/internal/app/api"
)

const (
	queued    = 512              // events that a listener may be behind before it is ended
	heartbeat = 15 * time.Second // of a stream on which nothing happens
	patience  = 20 * time.Second // for a listener that does not read
)

// broker passes events on to the streams.
type broker struct {
	mu     sync.Mutex
	list   map[*listener]struct{}
	closed bool
}

// listener is one stream. Its channel is closed when it is ended.
type listener struct {
	events chan []byte
	window string // whose it is; "" when it does not say
}

func newBroker() *broker { return &broker{list: map[*listener]struct{}{}} }

// listen begins with EventHello. After close it answers a listener that has ended.
func (b *broker) listen(window string) *listener {
	l := &listener{make(chan []byte, queued), window}
	l.events <- encodeEvent(api.Event{Type: api.EventHello})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(l.events)
		return l
	}
	b.list[l] = struct{}{}
	return l
}

func (b *broker) leave(l *listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.list, l)
}

// heard says whether anybody listens.
func (b *broker) heard() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.list) > 0
}

// hears says whether a window listens.
func (b *broker) hears(window string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.list {
		if l.window == window {
			return true
		}
	}
	return false
}

// send passes an event on. A listener that is too far behind is ended: it connects anew
// and loads again what it shows.
func (b *broker) send(e api.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) == 0 {
		return
	}
	text := encodeEvent(e)
	for l := range b.list {
		select {
		case l.events <- text:
		default:
			delete(b.list, l)
			close(l.events)
		}
	}
}

func (b *broker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for l := range b.list {
		delete(b.list, l)
		close(l.events)
	}
}

// encodeEvent is an event as server-sent events have it. JSON has no line breaks.
func encodeEvent(e api.Event) []byte {
	b, err := json.Marshal(whole(e))
	if err != nil { // our nouns always can be: a bug
		b = []byte(`{"type":"trouble","text":"an event could not be written"}`)
	}
	return fmt.Appendf(nil, "data: %s\n\n", b)
}

// stream is GET /events.
func stream(c *call, in api.EventStream) error {
	if in.Window != "" && !windowName(in.Window) {
		return malformed("window", "a window's name has 1 to 64 letters and digits")
	}
	c.wrote = true
	l := c.app.events.listen(in.Window)
	defer c.app.windowGone(in.Window)
	defer c.app.events.leave(l)
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(c.w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var text []byte
		select {
		case <-c.r.Context().Done():
			return nil
		case <-beat.C:
			text = []byte(":\n\n")
		case e, ok := <-l.events:
			if !ok {
				return nil
			}
			text = e
		}
		_ = out.SetWriteDeadline(time.Now().Add(patience))
		if _, err := c.w.Write(text); err != nil {
			return nil // it went away
		}
		if err := out.Flush(); err != nil {
			return nil
		}
	}
}
