//go:build linux && chaos

package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// process is one run of sotto.
type process struct {
	who   string
	args  []string
	j     *journal
	cmd   *exec.Cmd
	began int64         // moment
	start time.Time     // and time
	done  chan struct{} // closed when it has ended and everything it printed was taken
	line  func(b []byte)

	killed  atomic.Bool // by us
	stopped atomic.Bool // was asked to end, by SIGINT or SIGTERM
	ended   int64
	took    time.Duration

	mu     sync.Mutex
	part   []byte // of a line on its standard output
	stderr bytes.Buffer
}

// launch starts sotto on a machine. line is called for each line that it prints, in order.
func (w *World) launch(m *machine, who string, args []string, in io.Reader, line func(b []byte)) (*process, error) {
	p := &process{who: who, args: args, j: w.journal, done: make(chan struct{}), line: line}
	p.cmd = exec.Command(w.o.Binary, args...)
	p.cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+w.authority.file, "SSL_CERT_DIR=/nowhere", "GOTRACEBACK=all", "GORACE=atexit_sleep_ms=10")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = in, (*standardOut)(p), (*standardErr)(p)
	p.began, p.start = w.journal.tick(), time.Now()
	if err := m.start(p.cmd); err != nil {
		return nil, fmt.Errorf("starting sotto: %w", err)
	}
	go func() {
		_ = p.cmd.Wait()
		p.took, p.ended = time.Since(p.start), p.j.tick()
		w.tally.process(p)
		p.crashed()
		close(p.done)
	}()
	return p, nil
}

type standardOut process

func (o *standardOut) Write(b []byte) (int, error) {
	p := (*process)(o)
	p.mu.Lock()
	defer p.mu.Unlock()
	for rest := b; ; {
		line, more, found := bytes.Cut(rest, []byte("\n"))
		p.part = append(p.part, line...)
		if !found {
			return len(b), nil
		}
		p.line(p.part)
		p.part, rest = nil, more
	}
}

type standardErr process

func (e *standardErr) Write(b []byte) (int, error) {
	p := (*process)(e)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

// said is what it wrote to its standard error.
func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// crashed looks for the end of a Go program that nobody planned.
func (p *process) crashed() {
	said := p.said()
	for _, sign := range []string{"panic: ", "fatal error: ", "DATA RACE", "SIGSEGV"} {
		if strings.Contains(said, sign) {
			p.j.fault(p.who, "sotto %s: %s\n%s", strings.Join(p.args, " "), sign, said)
			return
		}
	}
}

// kill ends it as a power failure does.
func (p *process) kill() {
	p.killed.Store(true)
	_ = p.cmd.Process.Kill()
	<-p.done
}

// ask ends it as a person does.
func (p *process) ask(s os.Signal) {
	p.stopped.Store(true)
	_ = p.cmd.Process.Signal(s)
}

// within waits for its end. What takes longer hangs: that is a fault, told with the stacks
// of its goroutines.
func (p *process) within(limit time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(limit):
	}
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	p.ask(syscall.SIGQUIT)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		p.kill()
	}
	p.j.fault(p.who, "sotto %s hangs: no end within %v\n%s", strings.Join(p.args, " "), limit, p.said())
	return false
}

// exit is its exit code; -1 when a signal ended it.
func (p *process) exit() int { return p.cmd.ProcessState.ExitCode() }

// goroutines has it print the stacks of its goroutines, which ends it, and counts them.
func (p *process) goroutines() (int, error) {
	p.ask(syscall.SIGQUIT)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		p.kill()
		return 0, errors.New("it did not print its goroutines")
	}
	return strings.Count("\n"+p.said(), "\ngoroutine "), nil
}
