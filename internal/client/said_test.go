package client

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sotto/internal/said"
)

// TestSaid holds every call of said.Of in this package to the table: its sentence is there
// and takes exactly the values that the call gives; and every sentence is said somewhere.
func TestSaid(t *testing.T) {
	known, used := map[string]said.Sentence{}, map[string]bool{}
	for _, s := range said.Sentences() {
		known[s.Key] = s
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range files {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !slices.Contains([]string{"Of", "Act", "form"}, called(call.Fun)) {
				return true
			}
			key, ok := literal(call.Args[0])
			if !ok {
				return true
			}
			s, ok := known[key]
			if !ok {
				t.Errorf("%s: there is no sentence %q", e.Name(), key)
			}
			if called(call.Fun) != "Of" {
				for _, form := range []string{"", ".own", ".you", ".self"} {
					used[key+form] = true
				}
				return true
			}
			used[key] = true
			var names []string
			for i := 1; i < len(call.Args); i += 2 {
				name, _ := literal(call.Args[i])
				names = append(names, name)
			}
			slices.Sort(names)
			want := slices.DeleteFunc(s.Names(), func(name string) bool { return name == "n" || name == "span" || key == "moved.why" && name == "why" })
			if !slices.Equal(names, want) || len(call.Args)%2 == 0 {
				t.Errorf("%s: %q is given %v, and takes %v", e.Name(), key, names, want)
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
		return x.Sel.Name
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
