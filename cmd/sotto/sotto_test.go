package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sotto/internal/homeserver"
	"sotto/internal/server/engine"
)

// The scripts in testdata start real processes on the real disk. Each has the commands
// of testscript, sotto itself, and those below.

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"sotto": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve": serve, "crash": crash, "stop": stop,
			"account": account, "link": link, "talks": talks, "code": code, "eventually": eventually, "id": id, "url": url,
			"keep": keep, "sweep": sweep, "gone": gone, "absent": absent, "truncate": truncate, "printf": write, "address": address, "api": callAPI, "voice": voice, "hears": hears,
		},
		Condition: func(cond string) (bool, error) {
			if cond != "lan" {
				return false, fmt.Errorf("there is no condition %s", cond)
			}
			return len(homeserver.Addresses()) > 0, nil
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=10") // not a second for each process
			e.Values[worldKey{}] = &world{servers: map[string]*process{}, kept: map[string][][]byte{}}
			return nil
		},
	})
}

// patience is how long a script waits for what must happen.
const patience = 20 * time.Second

type worldKey struct{}

// world is what one script has running.
type world struct {
	servers map[string]*process
	kept    map[string][][]byte // entries that stood at a server
}

func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func need(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", usage)
	}
}

// process is a server.
type process struct {
	cmd    *exec.Cmd
	at     string
	exited chan error
}

// freePort is a free port below those that a system gives to connections: none of them takes
// it while a server is stopped.
func freePort(ts *testscript.TestScript) string {
	for {
		ln, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 12_000+rand.IntN(20_000)))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		ts.Check(err)
		defer ln.Close()
		return ln.Addr().String()
	}
}

// serve NAME [args...] starts a server on a data directory NAME, the first time on a free
// port, then on the same one. $NAME is its host.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "serve name [args...]")
	name := args[0]
	listen := ts.Getenv(name)
	if listen == "" {
		listen = freePort(ts)
	}
	p := &process{exited: make(chan error, 1)}
	p.cmd = exec.Command("sotto", append([]string{"server", "--data", ts.MkAbs(name), "--listen", listen}, args[1:]...)...)
	path, err := exec.LookPath("sotto")
	ts.Check(err)
	p.cmd.Path = path
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), append(os.Environ(), "HOME="+ts.Getenv("HOME"), "GORACE="+ts.Getenv("GORACE"))
	logged := &syncBuffer{}
	p.cmd.Stderr = logged
	out, err := p.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	ts.Defer(func() { p.cmd.Process.Kill(); <-p.exited })
	ready := make(chan string, 1)
	go func() {
		r := bufio.NewReader(out)
		first, _ := r.ReadString('\n')
		ready <- first
		for {
			if _, err := r.ReadString('\n'); err != nil {
				break
			}
		}
		p.exited <- p.cmd.Wait()
		close(p.exited)
	}()
	select {
	case first := <-ready:
		m := regexp.MustCompile(`^sotto: serving (\S+) `).FindStringSubmatch(first)
		if m == nil {
			ts.Fatalf("%s is not ready: %q %s", name, first, logged)
		}
		p.at = m[1]
	case <-time.After(patience):
		ts.Fatalf("%s is not ready: %s", name, logged)
	}
	ts.Setenv(name, p.at)
	of(ts).servers[name] = p
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// crash NAME kills a server with SIGKILL.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "crash name")
	p := of(ts).servers[args[0]]
	ts.Check(p.cmd.Process.Kill())
	<-p.exited
}

// stop NAME ends a server with SIGTERM, which has to end well.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "stop name")
	p := of(ts).servers[args[0]]
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	if err := <-p.exited; err != nil {
		ts.Fatalf("%s ended with %v", args[0], err)
	}
}

// callAPI HOME METHOD PATH [BODY] asks the app that runs in a home, by its socket; the answer is
// the standard output.
func callAPI(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "api home method path [body]")
	var d net.Dialer
	t := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", ts.MkAbs(filepath.Join(args[0], "app.sock")))
	}}
	var body io.Reader
	if len(args) > 3 {
		body = strings.NewReader(args[3])
	}
	q, err := http.NewRequest(args[1], "http://sotto/api/v1"+args[2], body)
	ts.Check(err)
	q.Header.Set("Content-Type", "application/json")
	r, err := t.RoundTrip(q)
	ts.Check(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	ts.Check(err)
	if r.StatusCode >= 300 {
		ts.Fatalf("%s %s: %s %s", args[1], args[2], r.Status, b)
	}
	fmt.Fprintf(ts.Stdout(), "%s\n", b)
}

// address VAR PORT sets them to an address of this computer on its network, with a free port,
// and to the port. Scripts that need one begin with [!lan] skip.
func address(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "address var port")
	own := homeserver.Addresses()[0].String()
	ln, err := net.Listen("tcp", net.JoinHostPort(own, "0"))
	ts.Check(err)
	port := ln.Addr().(*net.TCPAddr).Port
	ts.Check(ln.Close())
	ts.Setenv(args[0], net.JoinHostPort(own, strconv.Itoa(port)))
	ts.Setenv(args[1], strconv.Itoa(port))
}

// account SERVER NAME... makes accounts in homes of their names; $NAME is the handle.
func account(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "account server name...")
	for _, name := range args[1:] {
		handle := name + "@" + ts.Getenv(args[0])
		ts.Check(ts.Exec("sotto", "--home", name, "account", "create", handle))
		ts.Setenv(name, handle)
	}
}

// talks A B makes two people known to each other.
func talks(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "talks a b")
	a, b := args[0], args[1]
	ts.Check(ts.Exec("sotto", "--home", a, "send", ts.Getenv(b), "hello from "+a))
	ts.Check(ts.Exec("sotto", "--home", b, "accept", ts.Getenv(a)))
	ts.Check(ts.Exec("sotto", "--home", b, "read"))
}

// code N CODE sotto args... expects an exit code and the stable code of a failure, both
// in words and as JSON.
func code(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 4, "code exit code sotto args...")
	for _, json := range []bool{false, true} {
		argv, want := args[3:], "("+args[1]+")\n"
		if json {
			argv, want = append([]string{"--json"}, argv...), `{"error":{"code":"`+args[1]+`","text":"`
		}
		err := ts.Exec(args[2], argv...)
		got := 0
		if exit, ok := err.(*exec.ExitError); ok {
			got = exit.ExitCode()
		} else if err != nil {
			ts.Fatalf("%v", err)
		}
		if strconv.Itoa(got) != args[0] {
			ts.Fatalf("exit %d instead of %s", got, args[0])
		}
		if said := ts.ReadFile("stderr"); !strings.Contains(said, want) {
			ts.Fatalf("said %q, not %s", said, want)
		}
	}
}

// eventually REGEXP sotto args... runs a command until it prints what fits.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "eventually regexp command...")
	re := regexp.MustCompile("(?m)" + args[0])
	end, pause := time.Now().Add(patience), 10*time.Millisecond
	for ; ; time.Sleep(pause) { // a poll of other processes, slower and slower: servers count connections
		pause = min(2*pause, 400*time.Millisecond)
		if len(args) > 3 && args[2] == "--home" { // many commands print what is here and wait for no server
			_ = ts.Exec("sotto", "--home", args[3], "requests")
		}
		err := ts.Exec(args[1], args[2:]...)
		if err == nil && re.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("not so (%v)", err)
		}
	}
}

// id VAR takes the id of the first message on the standard output.
func id(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "id var")
	m := regexp.MustCompile(`\b[0-9a-f]{8}\b`).FindString(ts.ReadFile("stdout"))
	if m == "" {
		ts.Fatalf("no id")
	}
	ts.Setenv(args[0], m)
}

// url VAR takes the link on the standard output.
func url(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "url var")
	m := regexp.MustCompile(`http[^"\s]*#[^"\s]*`).FindString(ts.ReadFile("stdout"))
	if m == "" {
		ts.Fatalf("no link")
	}
	ts.Setenv(args[0], m)
}

// open opens a stopped server's store.
func open(ts *testscript.TestScript, dir string) *engine.DB {
	db, err := engine.Open(engine.Options{Dir: filepath.Join(dir, "db"), ByHand: true})
	ts.Check(err)
	return db
}

// keep NAME N remembers the entries that stand at a server that was killed: in its logs
// and in its inboxes, at least N. It looks at a copy.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "keep name n")
	dir := ts.MkAbs("copy-of-" + args[0])
	ts.Check(os.CopyFS(dir, onlyFiles{os.DirFS(ts.MkAbs(args[0]))}))
	db := open(ts, dir)
	defer db.Close()
	var all [][]byte
	for _, prefix := range []string{"Lo", "Ib"} {
		ts.Check(db.Scan([]byte(prefix), []byte(prefix+"\xff"), func(_, v []byte) (bool, error) {
			if len(v) > 256 { // an entry, padded, and not the state of a log
				all = append(all, bytes.Clone(v))
			}
			return true, nil
		}))
	}
	if n, _ := strconv.Atoi(args[1]); len(all) < n {
		ts.Fatalf("%d entries, not %d", len(all), n)
	}
	of(ts).kept[args[0]] = all
	if found := search(ts, args[0], all); found == "" {
		ts.Fatalf("the entries stand in no file: the search is blind")
	}
	ts.Check(os.RemoveAll(dir))
}

// onlyFiles leaves out sockets, which cannot be copied.
type onlyFiles struct{ fs.FS }

func (f onlyFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(f.FS, name)
	out := list[:0]
	for _, e := range list {
		if e.IsDir() || e.Type().IsRegular() {
			out = append(out, e)
		}
	}
	return out, err
}

// sweep NAME does on a stopped server's store, now, what the server does by itself some
// minutes after something was erased.
func sweep(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "sweep name")
	db := open(ts, ts.MkAbs(args[0]))
	ts.Check(db.Sweep())
	ts.Check(db.Close())
}

// gone NAME expects that no part of the entries kept stands in any file of the server.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "gone name")
	if found := search(ts, args[0], of(ts).kept[args[0]]); found != "" {
		ts.Fatalf("%s", found)
	}
}

// search looks for pieces of 32 bytes: storage may cut what is long in two.
func search(ts *testscript.TestScript, dir string, what [][]byte) (found string) {
	each(ts, dir, func(name string, b []byte) {
		for i, w := range what {
			for at := 0; at+32 <= len(w); at += 32 {
				if bytes.Contains(b, w[at:at+32]) {
					found = fmt.Sprintf("byte %d of entry %d stands in %s", at, i, name)
				}
			}
		}
	})
	return found
}

func each(ts *testscript.TestScript, dir string, f func(name string, b []byte)) {
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		f(path, b)
		return err
	}))
	if files == 0 {
		ts.Fatalf("%s has no files", dir)
	}
}

// absent DIR TEXT... expects texts in no file below a directory.
func absent(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "absent dir text...")
	each(ts, args[0], func(name string, b []byte) {
		for _, text := range args[1:] {
			if bytes.Contains(b, []byte(text)) {
				ts.Fatalf("%q stands in %s", text, name)
			}
		}
	})
}

// truncate FILE SIZE cuts a file.
func truncate(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "truncate file size")
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// write FILE STRING writes a Go string literal's text.
func write(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "printf file text")
	s, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(s), 0o600))
}
