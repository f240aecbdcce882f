package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"
)

// stage is a home server and two homes, by sotto itself.
type stage struct {
	t      *testing.T
	dir    string
	binary string
	host   string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	s.binary = filepath.Join(s.dir, "sotto")
	build := exec.Command("go", "build", "-trimpath", "-o", s.binary, "sotto/cmd/sotto")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building sotto: %v\n%s", err, out)
	}
	s.host = strings.Fields(s.start("server", "--data", filepath.Join(s.dir, "server"), "--listen", "127.0.0.1:0", "--open"))[2]
	for _, name := range []string{"ana", "bo"} {
		s.run(name, "account", "create", name+"@"+s.host)
	}
	s.run("ana", "send", "bo@"+s.host, "hello")
	return s
}

// start starts sotto and answers its first line.
func (s *stage) start(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(s.binary, args...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()
	})
	b := make([]byte, 4096)
	n, err := out.Read(b)
	if err != nil {
		s.t.Fatalf("%s said nothing: %v", args, err)
	}
	return string(b[:n])
}

// run runs a command of somebody's to its end.
func (s *stage) run(name string, args ...string) string {
	s.t.Helper()
	out, err := exec.Command(s.binary, append([]string{"--home", filepath.Join(s.dir, name)}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// until waits for a state.
func (s *stage) until(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not in a minute: %s", what)
		}
	}
}

// says writes a file of sound in which each packet says some words.
func says(t *testing.T, path, words string, packets int) {
	t.Helper()
	w, err := oggwriter.New(path, 48000, 2)
	if err != nil {
		t.Fatal(err)
	}
	for n := range packets {
		packet := &rtp.Packet{Header: rtp.Header{Timestamp: uint32(n * 960)}, Payload: append([]byte{0xfc}, words...)}
		if err := w.WriteRTP(packet); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Ana calls Bo, whose machine answers: she hears the greeting, and it keeps what she says.
func TestAnswering(t *testing.T) {
	s := newStage(t)
	home, socket := filepath.Join(s.dir, "bo"), filepath.Join(s.dir, "bo", "app.sock")
	app := exec.Command(s.binary, "--home", home, "app", "--no-window")
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = app.Process.Signal(os.Interrupt) // it may have ended
		_ = app.Wait()
	})
	s.until("the app serves", func() bool { _, err := os.Stat(socket); return err == nil })
	s.until("the request is there", func() bool { return strings.Contains(s.run("bo", "requests"), "ana@") })
	s.run("bo", "accept", "ana@"+s.host)

	greeting, message := filepath.Join(s.dir, "greeting.ogg"), filepath.Join(s.dir, "message.ogg")
	says(t, greeting, "this is the machine of Bo", 50)
	says(t, message, "Ana was here", 100)
	ctx, cancel := context.WithCancel(t.Context())
	m := &machine{app: newApp(socket), greeting: greeting, dir: filepath.Join(s.dir, "messages"), lasts: 2 * time.Second, loopback: true, log: t.Logf}
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.run(ctx) }()
	heard := filepath.Join(s.dir, "heard.ogg")
	out := s.run("ana", "call", "bo@"+s.host, "--play", message, "--record", heard)
	cancel()
	<-ended
	if !strings.Contains(out, "Talking, directly.") || !strings.Contains(out, "Over after") {
		t.Errorf("Ana's call: %s", out)
	}
	kept, err := filepath.Glob(filepath.Join(m.dir, "*.ogg"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d recordings, %v", len(kept), err)
	}
	for file, words := range map[string]string{heard: "this is the machine of Bo", kept[0]: "Ana was here"} {
		b, err := os.ReadFile(file)
		if n := bytes.Count(b, []byte(words)); err != nil || n < 35 {
			t.Errorf("%s says %q %d times, %v", filepath.Base(file), words, n, err)
		}
	}
}
