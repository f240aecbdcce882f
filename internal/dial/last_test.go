package dial

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sotto/internal/client"
)

// TestLastWords sends a frame and closes at once: it arrives all the same.
func TestLastWords(t *testing.T) {
	heard := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		_, b, err := ws.Read(r.Context())
		if err != nil {
			heard <- err.Error()
			return
		}
		heard <- string(b)
	}))
	defer srv.Close()
	for range 200 {
		n := New(Options{})
		closed := make(chan struct{})
		n.Dial(strings.TrimPrefix(srv.URL, "http://"), "/", true,
			func(c client.Conn) { c.Send([]byte("last words")); c.Close() },
			func([]byte) {}, func(error) { close(closed) })
		<-closed
		n.Close()
		if got := <-heard; got != "last words" {
			t.Fatalf("heard %q", got)
		}
	}
}

// TestStalled closes a connection that nobody reads: it does not wait for long.
func TestStalled(t *testing.T) {
	over := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		<-over
	}))
	defer srv.Close()
	defer close(over)
	n := New(Options{})
	up, closed := make(chan client.Conn, 1), make(chan struct{})
	n.Dial(strings.TrimPrefix(srv.URL, "http://"), "/", true, func(c client.Conn) { up <- c }, func([]byte) {}, func(error) { close(closed) })
	c := <-up
	for range 8 {
		c.Send(make([]byte, 1<<20))
	}
	began := time.Now()
	c.Close()
	<-closed
	n.Close()
	if took := time.Since(began); took > 5*lastTime {
		t.Errorf("closing took %v", took)
	}
}
