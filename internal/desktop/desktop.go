// Package desktop is what the operating system does for a person: show an address in a
// browser, show a notice, start sotto at login, hand it links that begin with sotto:. The
// app's command gives it to the app, which knows it as an interface.
//
// Nothing here goes through a shell, and no text of a message stands in a program: texts
// are arguments, values on a bus, or environment variables of a program that never changes.
package desktop

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode"
)

//go:embed mark.svg
var mark []byte

// Options of a Desktop. Program is required.
type Options struct {
	Program []string // what starts this sotto: the program, and arguments that choose its home
	Name    string   // of its entries at login; "": sotto. Another home has another
}

// Desktop is the operating system's. Safe for concurrent use; Close ends it.
type Desktop struct {
	o    Options
	goos string // runtime.GOOS; tests look at others' commands
	look func(file string) (string, error)
	run  func(ctx context.Context, c command) error

	mu  sync.Mutex
	bus *notices // once a notice was shown
}

// command is a program to run. Nothing in it is ever read by a shell.
type command struct {
	args  []string
	env   []string // besides this process's
	stdin string
	stays bool // it may run for as long as it likes, as a browser does
}

// ErrNone is a desktop that lacks what was asked of it.
var ErrNone = errors.New("this system does not offer that")

// New makes the desktop of this system.
func New(o Options) *Desktop {
	if o.Name == "" {
		o.Name = "sotto"
	}
	return &Desktop{o: o, goos: runtime.GOOS, look: exec.LookPath, run: start}
}

// Close forgets notices that nobody has clicked on.
func (d *Desktop) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bus != nil {
		d.bus.close()
		d.bus = nil
	}
}

// The times of a program. One that stays counts as well begun when it has not failed by
// then; any other has to end.
const (
	begunTime = 1500 * time.Millisecond
	doneTime  = 20 * time.Second
)

// start runs a command.
func start(ctx context.Context, c command) error {
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	if c.stdin != "" {
		cmd.Stdin = strings.NewReader(c.stdin)
	}
	apart(cmd, c.stays)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	most := doneTime
	if c.stays {
		most = begunTime
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		if !c.stays {
			_ = cmd.Process.Kill()
		}
		return ctx.Err()
	case <-timer.C:
		if c.stays {
			return nil
		}
		_ = cmd.Process.Kill()
		return fmt.Errorf("%s does not end", filepath.Base(c.args[0]))
	}
}

// first runs the first of some commands that works.
func (d *Desktop) first(list []command) error {
	err := ErrNone
	for _, c := range list {
		if err = d.run(context.Background(), c); err == nil {
			return nil
		}
	}
	return err
}

// Open shows an address of this computer in a window of its own where there is a browser
// that makes one, or else in the person's browser.
func (d *Desktop) Open(address string) error {
	u, err := url.Parse(address)
	if err != nil || !ours(u) {
		return fmt.Errorf("%.80q is no address of sotto on this computer", address)
	}
	return d.first(d.openers(u.String()))
}

// ours says whether an address is of a program on this computer: nothing else is opened
// from here, whoever asks.
func ours(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && u.User == nil && u.Port() != "" && (u.Hostname() == "localhost" || err == nil && a.IsLoopback())
}

// clean is a text of somebody else's as it may stand in a notice: on lines of its own,
// without what drives a terminal or reorders what is read, and not longer than a notice is.
func clean(s string, most int) string {
	var b strings.Builder
	n, space, marks := 0, false, 0
	for _, r := range s {
		switch {
		case r == unicode.ReplacementChar, unicode.Is(unicode.Cf, r) && r != '\u200d', unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
			continue
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = n > 0
			continue
		case unicode.Is(unicode.M, r):
			if marks++; marks > 4 {
				continue
			}
		default:
			marks = 0
		}
		if n >= most {
			b.WriteRune('…')
			break
		}
		if space {
			b.WriteRune(' ')
			n++
		}
		space = false
		b.WriteRune(r)
		n++
	}
	return b.String()
}
