package client

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sotto/internal/said"
)

// TestSaid holds every call of said.Of to the table: its sentence is there
// and takes exactly the values that the call gives; and every sentence is said somewhere.
func TestSaid(t *testing.T) {
	known, used := map[string]said.Sentence{}, map[string]bool{}
	for _, s := range said.Sentences() {
		known[s.Key] = s
	}
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !slices.Contains([]string{"said.Of", "said.Act", "form"}, called(call.Fun)) {
				return true
			}
			key, ok := literal(call.Args[0])
			if !ok {
				return true
			}
			s, ok := known[key]
			if !ok {
				t.Errorf("%s: there is no sentence %q", name, key)
			}
			if called(call.Fun) != "said.Of" {
				for _, form := range []string{"", ".own", ".you", ".self"} {
					used[key+form] = true
				}
				return true
			}
			used[key] = true
			var names []string
			for i := 1; i < len(call.Args); i += 2 {
				value, _ := literal(call.Args[i])
				names = append(names, value)
			}
			slices.Sort(names)
			want := slices.DeleteFunc(s.Names(), func(name string) bool { return name == "n" || name == "span" || key == "moved.why" && name == "why" })
			if !slices.Equal(names, want) || len(call.Args)%2 == 0 {
				t.Errorf("%s: %q is given %v, and takes %v", name, key, names, want)
			}
			return true
		})
	}
	for key := range known {
		if !used[key] {
			t.Errorf("nobody says %q", key)
		}
	}
}

func called(f ast.Expr) string {
	switch x := f.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return called(x.X) + "." + x.Sel.Name
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}
