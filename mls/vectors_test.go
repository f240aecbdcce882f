package mls

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The working group's vectors (github.com/mlswg/mls-implementations). A missing
// or empty file is a failure.

type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		return err
	}
	v, err := hex.DecodeString(*s)
	if v == nil {
		v = []byte{}
	}
	*h = v
	return err
}

func vectorsFolder() string {
	if dir := os.Getenv("SOTTO_VECTORS"); dir != "" {
		return filepath.Join(dir, "mls")
	}
	return filepath.Join("..", "..", "shared", "vectors", "mls")
}

// vectorFiles are the files that have a test.
var vectorFiles = []string{
	"crypto-basics", "deserialization", "key-schedule", "message-protection", "messages", "passive-client-handling-commit",
	"passive-client-random", "passive-client-welcome", "psk_secret", "secret-tree", "transcript-hashes", "tree-math",
	"tree-operations", "tree-validation", "treekem", "welcome",
}

// TestEveryVectorFileIsRun: a file in the folder that no test reads would go unnoticed.
func TestEveryVectorFileIsRun(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(vectorsFolder(), "*.json"))
	ok(t, err)
	for _, f := range found {
		if name := strings.TrimSuffix(filepath.Base(f), ".json"); !slices.Contains(vectorFiles, name) {
			t.Errorf("%s has no test", f)
		}
	}
	if len(found) != len(vectorFiles) {
		t.Errorf("%d files in %s, not %d", len(found), vectorsFolder(), len(vectorFiles))
	}
}

// eachVector runs every case of a file whose suite is built; the others are
// counted and said.
func eachVector[T any](t *testing.T, name string, run func(t *testing.T, v T)) {
	t.Helper()
	if !slices.Contains(vectorFiles, name) {
		t.Fatalf("%s is not in the list of files", name)
	}
	raw, err := os.ReadFile(filepath.Join(vectorsFolder(), name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []json.RawMessage
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	var ran, other int
	for i, c := range cases {
		var suite struct {
			Suite *CipherSuite `json:"cipher_suite"`
		}
		if err := json.Unmarshal(c, &suite); err != nil {
			t.Fatal(err)
		}
		if suite.Suite != nil {
			if _, err := suite.Suite.kem(); err != nil {
				other++
				continue
			}
		}
		ran++
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var v T
			if err := json.Unmarshal(c, &v); err != nil {
				t.Fatal(err)
			}
			run(t, v)
		})
	}
	if ran == 0 {
		t.Fatalf("%s: no case of a suite that is built", name)
	}
	line := fmt.Sprintf("vectors %s: %d cases run, %d of suites that are not built", name, ran, other)
	t.Log(line)
	fmt.Println(line)
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if string(got) != string(want) {
		t.Fatalf("%s: got %x, want %x", what, got, want)
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must answers v or stops the test by panicking; for test set-up.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
