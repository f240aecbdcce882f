package mls

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestImports: the package stands on the standard library alone, and touches
// neither network nor files.
func TestImports(t *testing.T) {
	files, err := filepath.Glob("*.go")
	ok(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		ok(t, err)
		for _, i := range file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if strings.Contains(path, ".") || strings.HasPrefix(path, "sotto") || path == "os" || path == "net" || path == "math/rand" {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
