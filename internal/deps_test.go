// Package internal has only this test: the import graph is a promise.
package internal

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pkg is a package of the module: what it imports itself, and all that comes with it.
type pkg struct {
	ImportPath, Dir   string
	GoFiles           []string
	Imports, Deps     []string
	Standard, DepOnly bool
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Dir,GoFiles,Imports,Deps,Standard,DepOnly", "sotto/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var ours []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if under(p.ImportPath, "sotto") {
			ours = append(ours, p)
		}
	}
	if len(ours) < 5 {
		t.Fatalf("go list found %d packages", len(ours))
	}
	return ours
}

// under says whether a path is one of the trees or inside of one.
func under(path string, trees ...string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") })
}

// matches is under, where "=net" means net alone without net/netip.
func matches(path string, what []string) bool {
	return under(path, what...) || slices.Contains(what, "="+path)
}

// pure are the packages that know no storage, no HTTP and no clock but the one they
// are given, so that a simulator may run them and anybody may reuse them.
var pure = []string{"sotto/mls", "sotto/mimi", "sotto/sframe", "sotto/chunked", "sotto/internal/wire", "sotto/internal/identity", "sotto/internal/room", "sotto/internal/pake", "sotto/internal/recovery"}

// storage is what keeps things, ours and others'.
var storage = []string{
	"sotto/internal/store", "sotto/internal/server", "github.com/cockroachdb/pebble", "github.com/ncruces/go-sqlite3",
	"database/sql", "github.com/minio/minio-go", "github.com/nats-io",
}

// never is what a package may not bring with it, directly or through others.
var never = []struct {
	who  []string
	what []string
	why  string
}{
	{pure, storage, "knows no storage"},
	{pure, []string{"=net", "net/http", "log", "log/slog", "os/exec"}, "knows no network and writes no log"},
	{[]string{"sotto/internal/client", "sotto/internal/app"}, []string{"sotto/internal/server"}, "client and server meet only in wire and identity"},
	{[]string{"sotto/internal/server"}, []string{"sotto/internal/client", "sotto/internal/app", "sotto/internal/store"}, "client and server meet only in wire and identity"},
	{[]string{"sotto/internal/server"}, []string{"sotto/mls", "sotto/mimi", "sotto/sframe", "sotto/chunked", "sotto/internal/room", "sotto/internal/pake", "sotto/internal/recovery"}, "a server has no use for what it cannot read"},
	{[]string{"sotto/internal/server", "sotto/internal/wire", "sotto/internal/identity"}, []string{"github.com/ncruces/go-sqlite3"}, "SQLite is the device's"},
	{[]string{"sotto/internal/store"}, []string{"sotto/internal/client", "net/http"}, "the store knows no network"},
	{[]string{"sotto/mls", "sotto/mimi", "sotto/sframe", "sotto/chunked"}, []string{"sotto/internal"}, "is public: it stands alone"},
	{[]string{"sotto/internal/wire", "sotto/internal/pake"}, []string{"sotto"}, "imports nothing of ours"},
	{[]string{"sotto/internal/call"}, []string{"sotto/internal/client", "sotto/internal/app", "sotto/internal/server", "sotto/internal/store"}, "knows media and nothing of who talks"},
	{[]string{"sotto/internal/client", "sotto/internal/store"}, []string{"github.com/pion"}, "calls are messages to it: media are others' work"},
	{[]string{"sotto/internal/mediafile"}, []string{"sotto"}, "imports nothing of ours"},
	{[]string{"sotto/internal/said"}, []string{"sotto"}, "holds sentences and nothing else"},
	{[]string{"sotto/internal/identity"}, append(pure[:3:3], "sotto/internal/room"), "imports only wire"},
	{[]string{"sotto/examples"}, []string{"sotto/internal", "sotto/mimi", "sotto/sframe"}, "is written from docs/protocol.md, with mls and libraries"},
}

// only is who may import something by itself.
var only = []struct {
	what string
	who  []string
}{
	{"github.com/alecthomas/kong", []string{"sotto/cmd/sotto"}},
	{"github.com/ncruces/go-sqlite3", []string{"sotto/internal/store/sqlite"}},
	{"github.com/minio/minio-go", []string{"sotto/internal/server/objects"}},
	{"github.com/cockroachdb/pebble", []string{"sotto/internal/server", "sotto/internal/sim"}}, // the simulator is its disk
	{"github.com/fxamacker/cbor", []string{"sotto/internal/wire", "sotto/mimi", "sotto/internal/canary", "sotto/examples/tiny"}},
	{"github.com/BurntSushi/toml", []string{"sotto/internal/server", "sotto/internal/app", "sotto/internal/canary"}},
	{"github.com/gtank/ristretto255", []string{"sotto/internal/pake"}},
	{"github.com/pion/webrtc", []string{"sotto/internal/call", "sotto/internal/mediafile", "sotto/examples/answering"}},
	{"math/rand", nil}, // math/rand/v2 or crypto/rand
	{"unsafe", nil},
	{"C", nil},
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		for _, rule := range never {
			if !under(p.ImportPath, rule.who...) {
				continue
			}
			for _, d := range p.Deps {
				if matches(d, rule.what) && !under(p.ImportPath, d) {
					t.Errorf("%s brings %s: %s", p.ImportPath, d, rule.why)
				}
			}
		}
		if under(p.ImportPath, pure...) && slices.Contains(p.Imports, "os") {
			t.Errorf("%s imports os: knows no storage", p.ImportPath)
		}
		for _, rule := range only {
			for _, d := range p.Imports {
				exact := d == rule.what || rule.what != "math/rand" && under(d, rule.what)
				if exact && !under(p.ImportPath, rule.who...) {
					t.Errorf("%s imports %s, which belongs to %q", p.ImportPath, d, rule.who)
				}
			}
		}
	}
}

// TestClientAndServerMeet: what both of them bring is what crosses the network and the
// proofs of who is who, and nothing else of ours.
func TestClientAndServerMeet(t *testing.T) {
	brings := map[string][]string{}
	for _, p := range packages(t) {
		brings[p.ImportPath] = p.Deps
	}
	client, server := brings["sotto/internal/client"], brings["sotto/internal/server"]
	if len(client) == 0 || len(server) == 0 {
		t.Fatal("one of them is not there")
	}
	for _, d := range client {
		if under(d, "sotto") && slices.Contains(server, d) && d != "sotto/internal/wire" && d != "sotto/internal/identity" {
			t.Errorf("client and server meet in %s", d)
		}
	}
}

// clocks are the calls that read a clock or wait on one.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// clockAllowed are the places that name a clock and may.
var clockAllowed = map[string]string{
	"sotto/mls/config.go":            "the default of Config.Now, for other users of the library; sotto gives its own",
	"sotto/internal/client/queue.go": "the clock of a client that is given none",
}

func TestNoClock(t *testing.T) {
	files := 0
	for _, p := range packages(t) {
		if !under(p.ImportPath, append(pure, "sotto/internal/client", "sotto/internal/store")...) {
			continue
		}
		for _, name := range p.GoFiles {
			files++
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok || !slices.Contains(clocks, s.Sel.Name) {
					return true
				}
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && clockAllowed[p.ImportPath+"/"+name] == "" {
					t.Errorf("%s/%s:%d: time.%s", p.ImportPath, name, fset.Position(n.Pos()).Line, s.Sel.Name)
				}
				return true
			})
		}
	}
	if files < 10 {
		t.Errorf("only %d files read", files)
	}
}
