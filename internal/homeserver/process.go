package homeserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sotto/internal/wire"
)

// run is a server that is to run, through all its processes.
type run struct {
	s    *Server
	k    *kept
	stop context.CancelFunc
	over chan struct{}

	mu  sync.Mutex
	now *serving // nil while it does not serve
	why string   // the last failure
}

// serving is a process that serves.
type serving struct {
	pin   wire.Hash
	tried atomic.Bool // it was reached at its host from this computer
}

// graceTime is how long a process may take to end by itself; it tells its devices, and
// makes durable what it holds.
const graceTime = 15 * time.Second

// steady is how long a process has to serve before its end counts as a new trouble.
const steady = time.Minute

// start runs the server until end. The first start that fails is told on ready, if there is
// one, and ends the run; after it has served once it is started again and again.
func (s *Server) start(k *kept, ready chan<- error) *run {
	ctx, stop := context.WithCancel(context.Background())
	r := &run{s: s, k: k, stop: stop, over: make(chan struct{})}
	go func() {
		defer close(r.over)
		wait := s.o.Least
		for {
			begin := time.Now()
			err := r.once(ctx, func() {
				if ready != nil {
					ready <- nil
					ready = nil
				}
			})
			if ctx.Err() != nil {
				return
			}
			if ready != nil {
				ready <- err
				return
			}
			s.o.Log.Warn("the home server ended, and is started again", "err", err)
			r.set(nil, err)
			if time.Since(begin) > steady {
				wait = s.o.Least
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			wait = min(2*wait, s.o.Most)
		}
	}()
	return r
}

// end stops it and waits for that.
func (r *run) end() {
	r.stop()
	<-r.over
}

func (r *run) set(v *serving, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = v
	if r.why = ""; err != nil {
		r.why = err.Error()
	}
}

func (r *run) serving() *serving {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *run) trouble() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.why
}

// args are those of the process. It listens at all addresses of this computer, since a
// router forwards to one that may not be the host; it ends when its input does, so that it
// never outlives the app, however that ends.
func (r *run) args() []string {
	out := append(append([]string(nil), r.s.o.Program[1:]...), "--json", "server", "--data", r.s.data(), "--host", r.k.Host, "--until-eof")
	port := strconv.Itoa(int(r.k.Port))
	if wire.Loopback(r.k.Host) {
		return append(out, "--listen", net.JoinHostPort(nameOf(r.k.Host), port))
	}
	return append(out, "--listen", ":"+port, "--self-signed")
}

// once runs one process to its end.
func (r *run) once(ctx context.Context, ready func()) error {
	cmd := exec.Command(r.s.o.Program[0], r.args()...)
	cmd.Env = environment()
	apart(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	said := &tail{}
	cmd.Stderr = said
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the home server could not be started: %w", err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ctx.Done():
			in.Close()
		case <-ended:
			return
		}
		select {
		case <-ended:
		case <-time.After(graceTime):
			_ = cmd.Process.Kill()
		}
	}()
	if v, err := hear(out); err == nil {
		v.try(r.k.Host)
		r.set(v, nil)
		ready()
		_, _ = io.Copy(io.Discard, out)
	}
	in.Close()
	err = cmd.Wait()
	if why := said.sentence(); why != "" {
		return errors.New(why)
	}
	if err == nil {
		err = errors.New("the home server ended by itself")
	}
	return err
}

// hear reads the one line with which a server says that it serves.
func hear(out io.Reader) (*serving, error) {
	line, err := bufio.NewReader(io.LimitReader(out, 64<<10)).ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var said struct {
		Type string `json:"type"`
		Pin  string `json:"pin"`
	}
	if err := json.Unmarshal(line, &said); err != nil || said.Type != "serving" {
		return nil, errors.New("the home server said something else than that it serves")
	}
	v := &serving{}
	if said.Pin != "" {
		b, err := hex.DecodeString(said.Pin)
		if err != nil || len(b) != len(v.pin) {
			return nil, errors.New("the home server named a key that is none")
		}
		v.pin = wire.Hash(b)
	}
	return v, nil
}

// try looks whether this computer reaches the server at its host.
func (v *serving) try(host string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = nameOf(host), "443"
	}
	c, err := net.DialTimeout("tcp", net.JoinHostPort(name, port), 2*time.Second)
	if err == nil {
		c.Close()
		v.tried.Store(true)
	}
}

// invite asks the running server for an invitation, through its socket in the data
// directory.
func (s *Server) invite() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.o.Program[0], append(append([]string(nil), s.o.Program[1:]...),
		"--json", "server", "--data", s.data(), "invite", "--lifetime", "1h")...)
	cmd.Env = environment()
	said := &tail{}
	cmd.Stderr = said
	out, err := cmd.Output()
	if why := said.sentence(); err != nil && why != "" {
		err = errors.New(why)
	}
	var made struct {
		Code string `json:"code"`
	}
	if err == nil {
		err = json.Unmarshal(out, &made)
	}
	if err == nil && made.Code == "" {
		err = errors.New("the home server named no code")
	}
	return made.Code, err
}

// environment is this process's without what is for the device alone.
func environment() []string {
	var out []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "SOTTO_PASSPHRASE_FILE=") {
			out = append(out, e)
		}
	}
	return out
}

// tail keeps the end of what a process says about its troubles.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const mostTail = 8 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	t.b = t.b[max(0, len(t.b)-mostTail):]
	return len(b), nil
}

// sentence is the last failure that the process told in JSON.
func (t *tail) sentence() (out string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range bytes.Lines(t.b) {
		var said struct {
			Error struct {
				Text string `json:"text"`
			} `json:"error"`
		}
		if json.Unmarshal(line, &said) == nil && said.Error.Text != "" {
			out = strings.TrimPrefix(said.Error.Text, "server: ")
		}
	}
	return out
}
