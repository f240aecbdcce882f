package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// What Print writes is the default, with a word on every setting.
func TestPrintedFileIsTheDefault(t *testing.T) {
	var b bytes.Buffer
	if err := Print(&b); err != nil {
		t.Fatal(err)
	}
	c, err := Parse("printed", b.Bytes())
	if err != nil || !reflect.DeepEqual(c, Default()) {
		t.Fatalf("%v\n%s", err, b.String())
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 80 {
			t.Errorf("a long line: %s", line)
		}
	}
}

func TestErrorsNameTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"host = \"example.org\"\nopen = maybe\n":                                 "f:2: ",
		"\n\nhosts = \"x\"\n":                                                    "f:3: there is no setting \"hosts\"",
		"[limits]\nlogs-per-day = 5\nconnections = 0\n":                          "f:3: connections: must be at least 1",
		"[limits]\nlogs-per-week = 5\n":                                          "f:2: there is no setting \"limits.logs-per-week\"",
		"[limits]\nlogs-per-day = -1\n":                                          "f:2: ",
		"host = \"Example.org\"\n":                                               "f:1: host: ",
		"open = true\ndomain = \"a.org\"\ncert-file = \"x\"\nkey-file = \"y\"\n": "f:2: domain: ",
		"cert-file = \"x\"\n":                                                    "f:1: cert-file: ",
		"proxies = [\"all\"]\n":                                                  "f:1: proxies: ",
		"open = true\nrelay-port = \"x\"\n":                                      "f:2: relay-port: ",
		"relay-port = \"0\"\n":                                                   "f:1: relay-port: ",
		"relay-ports = \"80-90\"\n":                                              "f:1: relay-ports: ",
		"relay-ports = \"6000-5000\"\n":                                          "f:1: relay-ports: ",
		"relay-addresses = [\"example.org\"]\n":                                  "f:1: relay-addresses: ",
		"relay-addresses = [\"1.1.1.1\", \"1.1.1.2\"]\n":                         "f:1: relay-addresses: ",
		"relay-peers = [\"home\"]\n":                                             "f:1: relay-peers: ",
		"[nothing]\nx = 1\n":                                                     "f:1: there is no setting",
	} {
		_, err := Parse("f", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "sotto.toml")
	if err := Check(path); err == nil {
		t.Error("a file that is not there is right")
	}
	if err := os.WriteFile(path, []byte("open = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(path); err != nil || !c.Open || c.Limits != Default().Limits {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	var b bytes.Buffer
	_ = Print(&b)
	f.Add(b.Bytes())
	f.Add([]byte("[limits]\nlogs-per-day = 1e9"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := Parse("f", b); err == nil && c.faults() != nil {
			t.Fatal("a faulty configuration was taken")
		}
	})
}
