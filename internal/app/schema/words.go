package schema

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// words are what the source of package api says about its types.
type words struct {
	types  map[string]string            // by type
	fields map[string]map[string]string // by type and field, in Go's names
	values map[string][]string          // the constants of a type, in order
}

// readWords reads the comments and constants of the Go files in a directory.
func readWords(dir string) (words, error) {
	w := words{map[string]string{}, map[string]map[string]string{}, map[string][]string{}}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return w, err
	}
	slices.Sort(names)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return w, err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return w, err
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				w.take(g)
			}
		}
	}
	return w, nil
}

func (w words) take(g *ast.GenDecl) {
	for _, s := range g.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil {
				doc = g.Doc
			}
			w.types[s.Name.Name] = sentence(doc)
			if st, ok := s.Type.(*ast.StructType); ok {
				w.fields[s.Name.Name] = fieldWords(st)
			}
		case *ast.ValueSpec:
			t, ok := s.Type.(*ast.Ident)
			if !ok {
				continue
			}
			for _, v := range s.Values {
				if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text := constant.StringVal(constant.MakeFromLiteral(lit.Value, lit.Kind, 0))
					w.values[t.Name] = append(w.values[t.Name], text)
				}
			}
		}
	}
}

func fieldWords(st *ast.StructType) map[string]string {
	out := map[string]string{}
	for _, f := range st.Fields.List {
		doc := f.Comment
		if doc == nil {
			doc = f.Doc
		}
		for _, n := range f.Names {
			out[n.Name] = sentence(doc)
		}
	}
	return out
}

func sentence(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	return strings.Join(strings.Fields(c.Text()), " ")
}
