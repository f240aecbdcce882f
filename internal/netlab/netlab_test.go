//go:build linux

package netlab

import (
	"flag"
	"os"
	"sync"
	"testing"

	"sotto/internal/netns"
)

// long is for make soak: every pair in both directions, and the kinds that are rarer.
var long = flag.Bool("long", false, "also the kinds of networks and the directions that make soak tries")

// built is where TestMain has built sotto.
const built = "SOTTO_NETLAB_BINARY"

// TestMain builds sotto and goes where networks can be made.
func TestMain(m *testing.M) { os.Exit(netns.Main(m, built)) }

// lab is a laboratory of a test.
func lab(t *testing.T) *Lab {
	t.Helper()
	l, err := newLab(os.Getenv(built), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

// each runs f for all, some at a time.
func each[T any](t *testing.T, atOnce int, list []T, f func(T) error) {
	t.Helper()
	var wait sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for _, x := range list {
		wait.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			if err := f(x); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}
