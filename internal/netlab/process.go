//go:build linux

package netlab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// object is a line that a command printed with --json.
type object struct {
	Type    string   `json:"type"`
	News    string   `json:"news"`
	Handle  string   `json:"handle"`
	Relayed bool     `json:"relayed"`
	Path    string   `json:"path"`
	Family  string   `json:"family"`
	Delay   float64  `json:"delay"`
	Sent    uint64   `json:"sent"`
	Heard   uint64   `json:"heard"`
	Lost    uint64   `json:"lost"`
	Thinned uint64   `json:"thinned"`
	Rate    uint64   `json:"rate"`
	End     string   `json:"end"`
	Files   []string `json:"files"`
	Words   []string `json:"words"`
}

// process is a sotto that runs.
type process struct {
	cmd  *exec.Cmd
	errs bytes.Buffer
	done chan struct{} // closed when it has ended

	mu   sync.Mutex
	said []object
	read int           // of said
	more chan struct{} // there is more in said
}

// patience is how long anything may take. Tests wait for states: on a good day none takes a
// tenth of it.
const patience = 90 * time.Second

// start starts sotto in a namespace.
func (l *Lab) start(ns string, args ...string) (*process, error) {
	p := &process{done: make(chan struct{}), more: make(chan struct{}, 1)}
	p.cmd = exec.Command("ip", append([]string{"netns", "exec", ns, l.binary}, args...)...)
	p.cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(l.dir, "cert.pem"), "SSL_CERT_DIR=/nowhere")
	p.cmd.Stderr = &p.errs
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error)
	l.starts <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			var o object
			if json.Unmarshal(s.Bytes(), &o) == nil {
				p.mu.Lock()
				p.said = append(p.said, o)
				p.mu.Unlock()
				select {
				case p.more <- struct{}{}:
				default:
				}
			}
		}
		_ = p.cmd.Wait() // its code is looked at
		close(p.done)
	}()
	return p, nil
}

// wants waits for something that it says, from where the last wait ended.
func (p *process) wants(what func(object) bool) (object, error) {
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		for p.read < len(p.said) {
			o := p.said[p.read]
			p.read++
			if what(o) {
				p.mu.Unlock()
				return o, nil
			}
		}
		p.mu.Unlock()
		select {
		case <-p.more:
		case <-p.done:
			select {
			case <-p.more:
				continue
			default:
			}
			return object{}, fmt.Errorf("%s ended with %d: %s", p.name(), p.cmd.ProcessState.ExitCode(), p.errs.String())
		case <-deadline:
			return object{}, fmt.Errorf("%s did not say it in %v; it said %+v", p.name(), patience, p.all())
		}
	}
}

// news is what waits for a piece of news of a call.
func news(what string) func(object) bool { return func(o object) bool { return o.News == what } }

func (p *process) name() string { return strings.Join(p.cmd.Args[4:], " ") }

func (p *process) all() []object {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]object{}, p.said...)
}

// end waits until it has ended well.
func (p *process) end() error {
	select {
	case <-p.done:
	case <-time.After(patience):
		p.stop()
		return fmt.Errorf("%s did not end in %v; it said %+v", p.name(), patience, p.all())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with %d: %s", p.name(), code, p.errs.String())
	}
	return nil
}

// stop asks it to end, and ends it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}
