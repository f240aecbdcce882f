//go:build linux && chaos

package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// server is a home server on a machine of its own. Its data lies on a disk of its own.
type server struct {
	w         *World
	name      string
	m         *machine
	disk      string // mount point; the data directory is in it
	cert, key string
	config    string

	mu      sync.Mutex // held while it is started or ended
	running *process   // nil: it is not running
	starts  int
}

// diskSize is the size of everybody's disk. The database keeps 64 MiB of it free.
const diskSize = 1 << 30

// unlimited raises what a server allows one address: in a run, commands follow each other
// faster than people type.
const unlimited = "[limits]\nconnects-per-minute = 1000000\nlookups-per-minute = 1000000\nclaims-per-minute = 1000000\n" +
	"claims-per-target-hour = 1000000\nputs-per-minute = 1000000\nregistrations-per-hour = 1000000\nfailed-auths-per-minute = 1000000\n" +
	"visits-per-minute = 1000000\n"

// readyTime is how long a server may take until it serves, and to end.
const readyTime = 30 * time.Second

func (w *World) newServer(name string, m *machine) (*server, error) {
	s := &server{w: w, name: name, m: m, disk: filepath.Join(w.dir, name), config: filepath.Join(w.dir, name+".toml")}
	if err := disk(s.disk, diskSize); err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.config, []byte(unlimited), 0o600); err != nil {
		return nil, err
	}
	var err error
	s.cert, s.key, err = w.authority.certify(name, m.addr)
	return s, err
}

func (s *server) host() string { return s.m.addr.String() }

func (s *server) data() string { return filepath.Join(s.disk, "data") }

// start starts it unless it runs, and waits until it serves.
func (s *server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return nil
	}
	args := []string{"--json", "server", "--data", s.data(), "--config", s.config, "--listen", s.host() + ":443",
		"--host", s.host(), "--tls-cert", s.cert, "--tls-key", s.key, "--open"}
	ready := make(chan struct{})
	var once sync.Once
	p, err := s.w.launch(s.m, s.name, args, nil, func([]byte) { once.Do(func() { close(ready) }) })
	if err != nil {
		return err
	}
	select {
	case <-ready:
	case <-p.done:
		return fmt.Errorf("%s did not start: %s", s.name, p.said())
	case <-time.After(readyTime):
		p.within(0)
		return fmt.Errorf("%s does not serve", s.name)
	}
	s.running = p
	s.starts++
	s.w.journal.say(s.name, "serves after %v", time.Since(p.start).Round(time.Millisecond))
	return nil
}

// crash kills it.
func (s *server) crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return
	}
	s.w.journal.say(s.name, "is killed")
	s.running.kill()
	s.ended()
}

// stop ends it with SIGTERM, which has to end well.
func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return
	}
	s.w.journal.say(s.name, "is stopped")
	p := s.running
	p.ask(syscall.SIGTERM)
	_ = p.cmd.Process.Signal(syscall.SIGCONT) // who wakes it otherwise waits for us
	if p.within(readyTime) && p.exit() != 0 {
		s.w.journal.fault(s.name, "SIGTERM ended it with %d: %s", p.exit(), p.said())
	}
	s.ended()
}

// ended takes note of a process that is gone.
func (s *server) ended() {
	if said := s.running.said(); said != "" {
		s.w.journal.say(s.name, "had logged: %s", said)
	}
	s.running = nil
}

// signal sends a signal, if it runs.
func (s *server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		_ = s.running.cmd.Process.Signal(sig)
	}
}

// alive looks for a server that ended by itself.
func (s *server) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return false
	}
	select {
	case <-s.running.done:
		s.w.journal.fault(s.name, "ended by itself with %d: %s", s.running.exit(), s.running.said())
		s.ended()
		return false
	default:
		return true
	}
}

// status is what the server counts.
type status struct {
	Entries     uint64 `json:"entries"`
	Logs        uint64 `json:"logs"`
	Connections int    `json:"connections"`
	Memory      uint64 `json:"memory"`
}

func (s *server) status() (out status, err error) {
	var printed []byte
	p, err := s.w.launch(s.m, s.name, []string{"--json", "server", "status", "--data", s.data()}, nil, func(b []byte) { printed = b })
	if err != nil {
		return out, err
	}
	if !p.within(readyTime) || p.exit() != 0 {
		return out, errors.New(s.name + " does not tell its status: " + p.said())
	}
	return out, json.Unmarshal(printed, &out)
}

// fill leaves so many bytes of its disk free.
func (s *server) fill(free int64) error {
	n, err := used(s.disk)
	if err != nil {
		return err
	}
	return resize(s.disk, n+free)
}

func (s *server) unfill() error { return resize(s.disk, diskSize) }
