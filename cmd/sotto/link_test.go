package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// linkingStep is what both sides print.
type linkingStep struct {
	Stage, Code string
	Words       []string
}

// side is one process of a linking.
type side struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	said *bufio.Reader
}

func newSide(ts *testscript.TestScript, args ...string) *side {
	path, err := exec.LookPath("sotto")
	ts.Check(err)
	s := &side{cmd: exec.Command(path, append([]string{"--json"}, args...)...)}
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = ts.MkAbs("."), append(os.Environ(), "HOME="+ts.Getenv("HOME"), "GORACE="+ts.Getenv("GORACE")), os.Stderr
	s.in, err = s.cmd.StdinPipe()
	ts.Check(err)
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	s.said = bufio.NewReader(out)
	ts.Check(s.cmd.Start())
	ts.Defer(func() { _ = s.cmd.Process.Kill() })
	return s
}

// until reads on to a stage.
func (s *side) until(ts *testscript.TestScript, stage string) (v linkingStep) {
	for v.Stage != stage {
		b, err := s.said.ReadBytes('\n')
		if err == nil {
			v = linkingStep{}
			err = json.Unmarshal(b, &v)
		}
		if err != nil {
			ts.Fatalf("the linking does not come to %q: %v", stage, err)
		}
	}
	return v
}

// done reads to the end.
func (s *side) done(ts *testscript.TestScript) {
	_, err := io.Copy(io.Discard, s.said)
	ts.Check(errors.Join(err, s.cmd.Wait()))
}

// link OLD NEW makes a new home one of the account's devices, called as the home is: the words that
// one process shows are typed at the other.
func link(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "link old new")
	old := newSide(ts, "--home", args[0], "devices", "link")
	code := old.until(ts, "waiting").Code
	fresh := newSide(ts, "--home", args[1], "account", "link", ts.Getenv(strings.TrimRight(args[0], "0123456789")), code, "--name", args[1])
	words := fresh.until(ts, "compare").Words
	old.until(ts, "compare")
	_, err := io.WriteString(old.in, strings.Join(words, " ")+"\n")
	ts.Check(err)
	fresh.done(ts)
	old.done(ts)
}
