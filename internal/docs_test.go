package internal

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameTestsThatExist: each test that a page names stands in the source, and each
// part of the contract of logs too. Those that lie about it would be worth nothing. The
// attacks have tests of their own for that, in internal/sim.
func TestDocsNameTestsThatExist(t *testing.T) {
	have := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			have[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	contract, err := os.ReadFile("server/logs/logstest/suite.go")
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/decisions/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	names := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w+)(?:/([^`]+))?`")
	named := 0
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range names.FindAllStringSubmatch(strings.Join(strings.Fields(string(b)), " "), -1) {
			named++
			if !have[m[1]] {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
			if m[1] == "TestContract" && m[2] != "" && !strings.Contains(string(contract), `{"`+m[2]+`", `) {
				t.Errorf("%s names the part %q of the contract, which does not exist", page, m[2])
			}
		}
	}
	if named < 150 || len(pages) < 8 {
		t.Errorf("only %d tests are named in %d pages", named, len(pages))
	}
}
