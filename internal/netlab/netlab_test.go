//go:build linux

package netlab

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"sotto/internal/netns"
)

// long is for make soak: every pair in both directions, and the kinds that are rarer.
var long = flag.Bool("long", false, "also the kinds of networks and the directions that make soak tries")

// built is where TestMain has built sotto.
const built = "SOTTO_NETLAB_BINARY"

// TestMain builds sotto and goes where networks can be made.
func TestMain(m *testing.M) {
	if netns.Inside() {
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "netlab-build")
		if err == nil {
			defer os.RemoveAll(dir)
			bin := filepath.Join(dir, "sotto")
			build := exec.Command("go", "build", "-trimpath", "-o", bin, "sotto/cmd/sotto")
			var out []byte
			if out, err = build.CombinedOutput(); err != nil {
				err = fmt.Errorf("building sotto: %w\n%s", err, out)
			} else {
				var code int
				if code, err = netns.Enter(built + "=" + bin); err == nil {
					return code
				}
			}
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}())
}

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
